import json
from pathlib import Path

from RetinaTriageSlicer.terminology import FILE_NAME, terminologyContent

from RetinaTriageLib.tissues import TISSUES

RESOURCES = Path(__file__).parents[2] / "RetinaTriage" / "Resources"


def test_file_is_that_of_the_vocabulary():
    assert json.loads((RESOURCES / FILE_NAME).read_text()) == terminologyContent(TISSUES)


def test_every_tissue_but_the_background_has_a_color_and_a_code():
    categories = terminologyContent(TISSUES)["SegmentationCodes"]["Category"]
    types = [one for category in categories for one in category["Type"]]
    assert {one["3dSlicerLabel"] for one in types} == {tissue.name for tissue in TISSUES[1:]}
    assert all(one["CodeValue"] and one["recommendedDisplayRGBValue"] for one in types)
