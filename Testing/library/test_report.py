"""What a reader can rely on in report.html."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from example_result import SMALL, Example, example_result
from PIL import Image

from RetinaTriageLib.errors import OutputError
from RetinaTriageLib.result import RESEARCH_USE, TriageResult
from RetinaTriageLib.writers.report import report_page, write_report

VOID = {"meta", "input", "br", "link", "img"}
EXAMPLES = {
    "full": SMALL,
    "single hypothesis": replace(SMALL, hypotheses=1, classifiers=1),
    "many opinions": replace(SMALL, hypotheses=4, classifiers=4),
    "single B-scan": replace(SMALL, shape=(1, 128, 104)),
    "unknown spacing": replace(SMALL, spacing_known=False),
    "unknown eye": replace(SMALL, laterality=None),
}


class _Balance(HTMLParser):
    """Collects elements that are not closed in order, and all ids."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def page_data(page: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" id="report-data">(.*?)</script>', page)
    assert found is not None
    return json.loads(found.group(1))


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_page_is_well_formed_and_holds_every_section(example: Example) -> None:
    page = report_page(example_result(example))
    balance = _Balance()
    balance.feed(page)
    assert balance.open == []
    assert balance.wrong == []
    assert len(balance.ids) == len(set(balance.ids))
    assert {"browser", "scores", "maps", "etdrs", "tissues", "origin"} <= set(balance.ids)


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES.keys())
def test_page_refers_to_nothing_outside_itself(example: Example) -> None:
    page = report_page(example_result(example))
    assert "http://" not in page
    assert "https://" not in page
    references = re.findall(r'(?:href|src)="([^"]*)"', page)
    assert all(one.startswith(("#", "data:image/")) for one in references)
    assert "default-src 'none'" in page


def test_research_use_stands_at_top_and_bottom() -> None:
    page = report_page(example_result())
    body = page[page.index("<body>") :]
    assert body.index(RESEARCH_USE) < body.index("<header")
    assert body.rindex(RESEARCH_USE) > body.index("</main>")


def test_hostile_names_stay_text() -> None:
    hostile = '</script><script>alert(1)</script><img src=x onerror="alert(2)">'
    result = _named(example_result(replace(SMALL, name=hostile)), hostile)
    page = report_page(result)
    assert "alert(1)</script>" not in page
    assert "<img" not in page
    assert page.count("<script") == 2
    assert "&lt;/script&gt;&lt;script&gt;alert(1)" in page


def test_embedded_tissue_maps_equal_the_result() -> None:
    result = example_result()
    data = page_data(report_page(result))
    wanted = [result.consensus, *(hypothesis.tissue_map for hypothesis in result.hypotheses)]
    for embedded, tissue_map in zip(data["maps"], wanted, strict=True):
        pictures = [_picture(encoded) for encoded in embedded["pictures"]]
        np.testing.assert_array_equal(np.stack([np.array(p) for p in pictures]), tissue_map)
        gray = np.stack([np.array(picture.convert("L")) for picture in pictures])
        np.testing.assert_array_equal(gray, tissue_map * data["labelStep"])


def test_embedded_bscans_look_like_the_scan() -> None:
    result = example_result()
    pictures = page_data(report_page(result))["gray"]
    shown = np.stack([np.array(_picture(encoded)) for encoded in pictures])
    assert shown.shape == result.volume.shape
    assert np.abs(shown.astype(float) - result.volume.voxels).mean() < 8


def test_embedded_thickness_keeps_a_tenth_of_a_micrometer() -> None:
    result = example_result()
    embedded = page_data(report_page(result))["enface"]["retina"]
    values = np.frombuffer(base64.b64decode(embedded["values"]), "<u2") / embedded["scale"]
    wanted = result.measurements.thickness_um["retina"].ravel()
    np.testing.assert_allclose(values, wanted, atol=0.051)


def test_single_hypothesis_is_listed_once_without_disagreement() -> None:
    page = report_page(example_result(EXAMPLES["single hypothesis"]))
    assert len(page_data(page)["maps"]) == 1
    assert 'id="only-disagreement"' not in page
    assert "there is no disagreement to show" in page


def test_unknown_spacing_is_said_and_nothing_is_to_scale() -> None:
    page = report_page(example_result(EXAMPLES["unknown spacing"]))
    assert "not to scale, no ruler" in page
    assert 'class="ruler"' not in page
    assert 'class="circles"' not in page
    assert "spacing is unknown. Pass --spacing-um" in page


def test_unknown_eye_leaves_nasal_and_temporal_out() -> None:
    page = report_page(example_result(EXAMPLES["unknown eye"]))
    assert "laterality is unknown" in page
    assert not re.search(r'<text class="mark"[^>]*>[NT]<', page)


@pytest.mark.parametrize(("eye", "right"), [("OD", "N"), ("OS", "T")])
def test_nasal_side_follows_the_eye(eye: str, right: str) -> None:
    laterality = type(SMALL.laterality)(eye)
    page = report_page(example_result(replace(SMALL, laterality=laterality)))
    assert f'<span class="side right">{right}</span>' in page


def test_device_table_stands_beside_ours() -> None:
    result = example_result()
    page = report_page(result)
    gap = result.measurements.etdrs.thickness_um["C0"] - 302.0
    assert '<td class="group">302.0</td>' in page
    assert f"{gap:+.1f}".replace("-", "\u2212") in page


def test_unmeasured_sectors_show_a_dash() -> None:
    result = example_result()
    etdrs = result.measurements.etdrs
    thickness = dict(etdrs.thickness_um) | {"S2": float("nan")}
    table = replace(etdrs, thickness_um=thickness, total_mm3=float("nan"))
    page = report_page(replace(result, measurements=replace(result.measurements, etdrs=table)))
    assert not re.search(r"\bnan\b", page[: page.index('id="report-data"')])
    assert '<b class="sector">S2</b> Superior outer</th><td><b>–</b></td>' in page


def test_absent_tissues_are_dimmed() -> None:
    page = report_page(example_result())
    row = re.search(r'<tr([^>]*)><th scope="row"[^>]*>(?:(?!</tr>).)*Serous PED', page)
    assert row is not None
    assert 'class="absent"' in row.group(1)


def test_equal_results_make_equal_pages() -> None:
    assert report_page(example_result()) == report_page(example_result())


def test_failed_write_leaves_the_old_report(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    write_report(example_result(), path)
    before = path.read_bytes()
    (tmp_path / "report.html.part").mkdir()
    with pytest.raises(OutputError, match="Could not write"):
        write_report(example_result(), path)
    assert path.read_bytes() == before


def _named(result: TriageResult, text: str) -> TriageResult:
    made = replace(result.provenance, bundle_name=text, trained_on=text, notes=(text,))
    volume = replace(result.volume, assumed=(text,))
    return replace(result, provenance=made, volume=volume)


def _picture(encoded: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(encoded)))
