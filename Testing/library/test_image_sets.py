from __future__ import annotations

from pathlib import Path

import pytest
from example_pictures import write_pictures

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.training.image_patients import PatientRule, patients_of
from RetinaTriageLib.training.image_sets import Columns, class_folders, csv_images

BY_NAME = PatientRule(pattern=r"([DB]\d+)-")


def write_table(folder: Path, *lines: str) -> Path:
    write_pictures(folder, patients=2, each=1)
    table = folder / "labels.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table


def test_class_folders_name_classes_and_the_pattern_patients(tmp_path: Path) -> None:
    found = class_folders(write_pictures(tmp_path, patients=2, each=2), BY_NAME)
    assert found.classes == ("BRIGHT", "DARK")
    assert [(i.name, i.present, i.patient) for i in found.images[:3]] == [
        ("BRIGHT/B0-0.png", (True, False), "B0"),
        ("BRIGHT/B0-1.png", (True, False), "B0"),
        ("BRIGHT/B1-0.png", (True, False), "B1"),
    ]


def test_class_folders_without_a_pattern_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pattern that tells patients"):
        class_folders(write_pictures(tmp_path), PatientRule())


def test_name_that_the_pattern_misses_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"BRIGHT/B0-0\.png, in which 'person"):
        class_folders(write_pictures(tmp_path), PatientRule(pattern=r"person(\d+)"))


def test_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(InputError, match="no regular expression"):
        patients_of(["a.png"], PatientRule(pattern="("))


def test_one_class_is_refused(tmp_path: Path) -> None:
    (tmp_path / "DRUSEN").mkdir()
    with pytest.raises(InputError, match="two or more classes"):
        class_folders(tmp_path, BY_NAME)


def test_table_holds_files_classes_and_patients(tmp_path: Path) -> None:
    table = write_table(
        tmp_path, "file,class,patient", "DARK/D0-0.png,cnv;drusen,7", "BRIGHT/B0-0.png,,8"
    )
    found = csv_images(table, PatientRule())
    assert found.classes == ("cnv", "drusen")
    assert found.truth.tolist() == [[True, True], [False, False]]
    assert [image.patient for image in found.images] == ["7", "8"]


def test_columns_of_a_table_may_have_other_names(tmp_path: Path) -> None:
    table = write_table(tmp_path, "picture,dme,id", "D0-0.png,1,7")
    found = csv_images(table, PatientRule(), Columns("picture", "dme", "id"), tmp_path / "DARK")
    assert found.images[0].path == tmp_path / "DARK" / "D0-0.png"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("file,class", "DARK/D0-0.png,a"), "no column 'patient'"),
        (("file,patient", "DARK/D0-0.png,7"), "expected file and class"),
        (("file,class,patient", "DARK/D0-0.png,a,"), "files without a patient"),
        (("file,class,patient", "gone.png,a,7"), r"files that are missing .*gone\.png"),
        (("file,class,patient", "DARK/D0-0.png,a,7", "DARK/D0-0.png,a,7"), "come twice"),
    ],
)
def test_table_that_leaves_something_open_is_refused(
    tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        csv_images(write_table(tmp_path, *lines), PatientRule())


def test_block_ends_only_where_a_number_lacks() -> None:
    stated = {"a": "10", "b": "11", "c": "12", "d": "14", "e": "20"}
    blocks = patients_of(stated, PatientRule(block=2), stated)
    assert blocks == {
        "a": "from 10",
        "b": "from 10",
        "c": "from 10",
        "d": "from 14",
        "e": "from 14",
    }


def test_blocks_need_numbers() -> None:
    with pytest.raises(InputError, match="patients named by numbers"):
        patients_of(["p"], PatientRule(block=2), {"p": "Anna"})
