"""The extension as CMake sees it, configured with a stand-in for Slicer's own CMake package."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
CMAKE = shutil.which("cmake", path=str(Path(sys.executable).parent)) or shutil.which("cmake")
# Files of the two trees that nobody needs after installation.
NOT_INSTALLED = re.compile(r"__pycache__|CMakeLists\.txt$")


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build folder of a configured extension."""
    if CMAKE is None:
        pytest.skip("CMake 3.28 is not installed (pip install cmake)")
    build = tmp_path_factory.mktemp("build")
    stub = Path(__file__).parent / "stub_slicer"
    (build / "CMakeLists.txt").write_text(_without_compilers())
    for tree in ("RetinaTriage", "RetinaTriageLib", "Resources"):
        (build / tree).symlink_to(ROOT / tree)
    command = [CMAKE, "-S", str(build), "-B", str(build / "out"), f"-DSlicer_DIR={stub}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return build / "out"


def _without_compilers() -> str:
    """Top file for machines without a C++ compiler, which the stand-in does not need."""
    text = (ROOT / "CMakeLists.txt").read_text()
    return text.replace("project(RetinaTriage)", "project(RetinaTriage NONE)")


def metadata(build: Path) -> dict[str, str]:
    lines = (build / "metadata.txt").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_every_file_of_both_trees_is_installed(configured: Path):
    installed = set((configured / "installed.txt").read_text().split())
    found = {
        path.relative_to(ROOT).as_posix()
        for tree in ("RetinaTriage", "RetinaTriageLib")
        for path in (ROOT / tree).rglob("*")
        if path.is_file()
    }
    assert installed == {name for name in found if not NOT_INSTALLED.search(name)}


def test_sample_scan_is_installed_where_the_module_looks_for_it(configured: Path):
    place = Path("lib/qt-scripted-modules/Resources/SampleData/phantom_edema_OD.nrrd")
    original = ROOT / "Resources" / "SampleData" / place.name
    assert (configured / place).read_bytes() == original.read_bytes()
    rules = (configured / "RetinaTriage" / "cmake_install.cmake").read_text()
    assert place.parent.as_posix() in rules


def test_modules_folder_gets_one_module_only():
    assert [path.name for path in (ROOT / "RetinaTriage").glob("*.py")] == ["RetinaTriage.py"]


def test_dependencies_agree(configured: Path):
    catalog = json.loads((ROOT / "RetinaTriage.json").read_text())
    assert catalog["build_dependencies"] == metadata(configured)["DEPENDS"].split()
    assert catalog["category"] == "Segmentation"


def test_description_file_has_only_known_keys():
    catalog = json.loads((ROOT / "RetinaTriage.json").read_text())
    known = {"$schema", "build_dependencies", "build_subdirectory", "category"}
    assert set(catalog) == known | {"scm_revision", "scm_url", "tier"}
    assert catalog["scm_url"].rsplit("/", 1)[1] == "SlicerRetinaTriage.git"
    assert b"\r" not in (ROOT / "RetinaTriage.json").read_bytes()


@pytest.mark.parametrize("name", ["ICONURL", "SCREENSHOTURLS"])
def test_picture_addresses_are_literals_on_one_line(name: str):
    text = (ROOT / "CMakeLists.txt").read_text()
    (address,) = re.findall(rf'^set\(EXTENSION_{name} "([^"$]+)"\)$', text, re.MULTILINE)
    assert all(one.endswith(".png") for one in address.split())


def test_icon_is_128_px():
    assert Image.open(ROOT / "Resources" / "RetinaTriage.png").size == (128, 128)


def test_torch_is_left_to_the_pytorch_extension():
    lines = (ROOT / "RetinaTriage" / "Resources" / "requirements.txt").read_text().splitlines()
    wanted = [line for line in lines if not line.startswith("#")]
    assert all(">=" in line and not line.startswith("torch") for line in wanted)
