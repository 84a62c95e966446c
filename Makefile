# Every target does its own set-up: a virtual environment in .venv with pinned packages.
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= python3
SAMPLE := Resources/SampleData/phantom_edema_OD.nrrd

.PHONY: demo test test-slicer format lint types layers tests benchmark clean

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

# The Slicer side, on the Slicer core without the application. Needs the Debian packages listed in
# Testing/host/debian-packages.txt.
test-slicer: $(VENV)-slicer/.ready
	QT_QPA_PLATFORM=offscreen $(VENV)-slicer/bin/python -m pytest Testing/slicer

$(VENV)-slicer/.ready: Testing/host/requirements.txt
	$(PYTHON) -m venv $(VENV)-slicer
	$(VENV)-slicer/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@

format: $(VENV)/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

benchmark: $(VENV)/.ready
	$(BIN)/python benchmarks/start_up.py
	$(BIN)/python benchmarks/whole_job.py

clean:
	rm -rf $(VENV) $(VENV)-slicer demo build
