# Every target does its own set-up: a virtual environment in .venv with pinned packages.
VENV := .venv
BIN := $(VENV)/bin
SLICER := $(VENV)-slicer
PYTHON ?= python3
SAMPLE := Resources/SampleData/phantom_edema_OD.nrrd
DATA ?= ../shared/data

.PHONY: demo test test-backbones test-slicer screenshots reading-session format lint types layers tests benchmark clean

$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: $(VENV)/.ready
	$(BIN)/retina-triage run $(SAMPLE) --laterality OD --scanner spectralis --pdf --overwrite --out demo

test: lint types layers tests

lint: $(VENV)/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(VENV)/.ready
	$(BIN)/mypy

layers: $(VENV)/.ready
	$(BIN)/lint-imports

tests: $(VENV)/.ready
	$(BIN)/python -m pytest

# Backbones of the collection timm, whose weights nobody has to download for this.
test-backbones: $(VENV)-timm/.ready
	$(VENV)-timm/bin/python -m pytest Testing/library/test_bscan_network.py Testing/library/test_transfer_backbone.py

$(VENV)-timm/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)-timm
	$(VENV)-timm/bin/python -m pip install --quiet --disable-pip-version-check -e '.[dev,transfer]'
	touch $@

# The Slicer side, on the Slicer core without the application.
test-slicer: $(SLICER)/.ready
	QT_QPA_PLATFORM=offscreen $(SLICER)/bin/python -m pytest Testing/slicer

# Photographs of the module at work and of a walk through each result, whose numbers are printed;
# those of real scans, where $(DATA) has some, go to out/.
screenshots: $(SLICER)/.worker
	QT_QPA_PLATFORM=offscreen $(SLICER)/bin/python Testing/screenshots/walk.py --data $(DATA)

# A reading session of two made-up readers on ten phantoms, photographed; the phantoms take minutes.
reading-session: $(VENV)/.ready $(SLICER)/.ready
	$(BIN)/python Testing/screenshots/reading_cohort.py out/reading
	QT_QPA_PLATFORM=offscreen $(SLICER)/bin/python Testing/screenshots/reading_session.py out/reading

$(SLICER)/.ready: Testing/host/requirements.txt Testing/host/debian-packages.txt
	Testing/host/install-debian-packages
	$(PYTHON) -m venv $(SLICER)
	$(SLICER)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

# What the set-up section of the module installs into Slicer's own Python.
$(SLICER)/.worker: $(SLICER)/.ready RetinaTriage/Resources/requirements.txt
	$(SLICER)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		torch -r RetinaTriage/Resources/requirements.txt
	touch $@

format: $(VENV)/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmark: $(VENV)/.ready
	$(BIN)/python benchmarks/start_up.py
	$(BIN)/python benchmarks/whole_job.py

clean:
	rm -rf $(VENV) $(VENV)-timm $(SLICER) demo build
