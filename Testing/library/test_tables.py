import csv
from pathlib import Path

from example_case import example_case

from RetinaTriageLib.writers.tables import (
    write_etdrs,
    write_opinions,
    write_scores,
    write_tissues,
)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_scores_show_spread_and_decision(tmp_path):
    case = example_case()
    write_scores(case.verdict, case.vocabulary, tmp_path / "scores.csv")
    now, later = rows(tmp_path / "scores.csv")
    assert now == {
        "head": "urgency",
        "outcome": "now",
        "raw": "0.75",
        "reweighted": "0.75",
        "mean": "0.75",
        "sd": "0.05",
        "low": "0.7",
        "high": "0.8",
        "decided": "yes",
    }
    assert later["decided"] == "no"


def test_opinions_have_a_row_an_outcome(tmp_path):
    case = example_case()
    write_opinions(case.hypotheses, case.vocabulary, tmp_path / "opinions.csv")
    found = [(r["hypothesis"], r["outcome"], r["raw"]) for r in rows(tmp_path / "opinions.csv")]
    assert found == [
        ("1", "now", "0.8"),
        ("1", "later", "0.2"),
        ("2", "now", "0.7"),
        ("2", "later", "0.3"),
    ]


def test_volumes_are_given_in_nl_and_mm3(tmp_path):
    write_tissues(example_case().measurements.tissues, tmp_path / "tissues.csv")
    circle, everything = rows(tmp_path / "tissues.csv")
    assert (circle["region"], circle["volume_nl"], circle["volume_mm3"]) == ("1 mm", "2", "0.002")
    assert (everything["volume_nl"], everything["area_mm2"]) == ("5", "0.04")


def test_volume_spread_stands_with_the_whole_scan_only(tmp_path):
    write_tissues(example_case().measurements.tissues, tmp_path / "tissues.csv")
    circle, everything = rows(tmp_path / "tissues.csv")
    assert circle["volume_sd_mm3"] == ""
    assert everything["volume_sd_mm3"] == "0.0005"


def test_unmeasured_sector_is_an_empty_cell(tmp_path):
    write_etdrs(example_case().measurements.etdrs, tmp_path / "etdrs.csv")
    center, superior = rows(tmp_path / "etdrs.csv")[:2]
    assert (center["thickness_um"], center["sd_um"]) == ("280.5", "2")
    assert (superior["thickness_um"], superior["coverage"], superior["sd_um"]) == ("", "0.25", "")


def test_etdrs_ends_with_center_point_and_total(tmp_path):
    write_etdrs(example_case().measurements.etdrs, tmp_path / "etdrs.csv")
    point, total = rows(tmp_path / "etdrs.csv")[2:]
    assert (point["sector"], point["thickness_um"], point["sd_um"]) == ("CPT", "270", "3")
    assert (total["sector"], total["volume_mm3"]) == ("total", "8.5")


def test_every_thickness_names_its_surfaces(tmp_path):
    write_etdrs(example_case().measurements.etdrs, tmp_path / "etdrs.csv")
    boundaries = {row["boundaries"] for row in rows(tmp_path / "etdrs.csv")}
    assert boundaries == {"ILM to Bruch's membrane"}


def test_every_row_has_every_column(tmp_path):
    write_etdrs(example_case().measurements.etdrs, tmp_path / "etdrs.csv")
    assert all(None not in row.values() and None not in row for row in rows(tmp_path / "etdrs.csv"))
