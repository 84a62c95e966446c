"""Intraretinal fluid of tissue maps is settled with what a network saw in the same scan."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from example_bands import ILM, OUTER, SPACING, banded_bscans, banded_codes
from example_bundle import example_manifest, example_weights, rewrite_manifest

from RetinaTriageLib import OCTVolume, TriageOptions, triage
from RetinaTriageLib.bundle import Bundle, bundled_models, check_bundle, load_bundle, save_bundle
from RetinaTriageLib.bundle_manifest import FluidEntry
from RetinaTriageLib.bundle_weights import encode_weights
from RetinaTriageLib.errors import BundleError
from RetinaTriageLib.inference.compute import choose_compute
from RetinaTriageLib.inference.ensemble import judge_map
from RetinaTriageLib.inference.finish_maps import MapFinish, finished_maps
from RetinaTriageLib.measures.surfaces import retina_borders
from RetinaTriageLib.networks.flat_view import FlatView, flat_view
from RetinaTriageLib.networks.fluid_finding import FLUID, RETINA, VITREOUS, SeenFluid, seen_fluid
from RetinaTriageLib.networks.fluid_network import FluidConfig, FluidNetwork
from RetinaTriageLib.networks.gray import EIGHT_BITS
from RetinaTriageLib.networks.lesion_view import VoxelSize
from RetinaTriageLib.readers.registry import read_volume
from RetinaTriageLib.tissues import TISSUE_BY_NAME
from RetinaTriageLib.volume import DeviceFamily, LabelArray, Laterality

SAMPLE = Path(__file__).parents[2] / "Resources" / "SampleData" / "phantom_edema_OD.nrrd"
SUBRETINAL = TISSUE_BY_NAME["subretinal_fluid"].label
SIZE = VoxelSize(SPACING.bscan_mm or 0.0, SPACING.depth_mm, SPACING.width_mm)
CPU = TriageOptions(compute="cpu")


def scan() -> OCTVolume:
    return OCTVolume(banded_bscans(3), SPACING, Laterality.OD, DeviceFamily.SPECTRALIS)


def sure_network(score: float) -> FluidNetwork:
    """Network that gives every place the same score."""
    network = FluidNetwork(FluidConfig(channels=(4, 4))).eval()
    torch.nn.init.zeros_(network.head.weight)
    torch.nn.init.constant_(network.head.bias, score)
    return network


def banded_view() -> FlatView:
    codes = banded_codes(3)
    return flat_view(retina_borders(codes), codes.shape[1], SIZE)


def seen_in(chance: np.ndarray) -> SeenFluid:
    """Chances from 0 to 1 of voxels (B-scan, depth, width) as the view shows them."""
    view = banded_view()
    flat = np.rint(view.flattened(np.rint(chance * 255).astype(np.uint8))).astype(np.uint8)
    return SeenFluid(view, flat, FluidConfig())


def cyst(columns: slice, bscans: slice = slice(1, 2)) -> np.ndarray:
    inside = np.zeros(banded_codes(3).shape, np.bool_)
    inside[bscans, ILM + 20 : ILM + 60, columns] = True
    return inside


def with_label(where: np.ndarray, label: int) -> LabelArray:
    tissue_map = banded_codes(3)
    tissue_map[where] = label
    return tissue_map


def test_cyst_that_a_map_found_in_part_is_completed() -> None:
    whole, part = cyst(slice(20, 60)), cyst(slice(20, 30))
    settled = seen_in(whole.astype(float)).settled(with_label(part, FLUID))
    found = settled == FLUID
    assert 2 * (found & whole).sum() / (found.sum() + whole.sum()) > 0.9
    assert set(np.unique(settled[~whole])) == set(np.unique(banded_codes(3))) | {FLUID}


def test_cyst_goes_on_in_the_next_bscan() -> None:
    whole, part = cyst(slice(20, 60), slice(0, 3)), cyst(slice(20, 60), slice(0, 1))
    settled = seen_in(whole.astype(float)).settled(with_label(part, FLUID))
    assert (settled[2] == FLUID).sum() > 0.8 * whole[2].sum()


def test_cyst_that_a_map_found_nothing_of_stays_retina() -> None:
    own, other = cyst(slice(5, 25)), cyst(slice(60, 90))
    settled = seen_in((own | other).astype(float)).settled(with_label(own, FLUID))
    assert (settled[other] == RETINA).all()


def test_fluid_that_the_network_sees_nowhere_becomes_retina() -> None:
    own, false = cyst(slice(5, 25)), cyst(slice(60, 90))
    settled = seen_in(own.astype(float)).settled(with_label(own | false, FLUID))
    assert (settled[false] == RETINA).all()
    assert (settled[own] == FLUID).mean() > 0.9


def test_fluid_that_the_network_wavers_about_stays_as_it_is() -> None:
    own = cyst(slice(20, 60))
    tissue_map = with_label(own, FLUID)
    wavering = np.full(own.shape, 0.1)
    np.testing.assert_array_equal(seen_in(wavering).settled(tissue_map), tissue_map)


def test_other_lesions_and_layers_stay_what_they_are() -> None:
    own, subretinal = cyst(slice(20, 40)), cyst(slice(40, 60))
    tissue_map = with_label(own, FLUID)
    tissue_map[subretinal] = SUBRETINAL
    settled = seen_in(np.ones(own.shape)).settled(tissue_map)
    assert (settled[subretinal] == SUBRETINAL).all()
    for label in (7, 11):
        np.testing.assert_array_equal(settled == label, tissue_map == label)


def test_middle_of_a_cyst_that_was_taken_for_vitreous_becomes_fluid() -> None:
    whole, middle = cyst(slice(20, 60)), cyst(slice(30, 50))
    tissue_map = with_label(whole, FLUID)
    tissue_map[middle] = VITREOUS
    settled = seen_in(whole.astype(float)).settled(tissue_map)
    assert (settled[middle] == FLUID).mean() > 0.9
    np.testing.assert_array_equal(settled[:, :ILM], VITREOUS)


def test_given_map_stays_as_it_was() -> None:
    tissue_map = with_label(cyst(slice(20, 40)), FLUID)
    before = tissue_map.copy()
    assert (seen_in(np.zeros(tissue_map.shape)).settled(tissue_map) != before).any()
    np.testing.assert_array_equal(tissue_map, before)


def test_fluid_of_a_bscan_without_a_retina_is_left_alone() -> None:
    tissue_map = with_label(cyst(slice(20, 60), slice(0, 3)), FLUID)
    tissue_map[1, OUTER:] = TISSUE_BY_NAME["blink_artifact"].label
    finish = MapFinish(fluid=sure_network(-9.0))
    (settled,) = finished_maps(finish, scan(), EIGHT_BITS, [tissue_map])
    assert (settled[1] == FLUID).sum() == (tissue_map[1] == FLUID).sum()
    assert not (settled[[0, 2]] == FLUID).any()


def test_maps_and_consensus_are_settled_by_one_look() -> None:
    maps = [with_label(cyst(slice(20, 40)), FLUID), with_label(cyst(slice(50, 60)), FLUID)]
    finish = MapFinish(fluid=sure_network(9.0))
    settled = finished_maps(finish, scan(), EIGHT_BITS, maps, maps[1])
    assert len(settled) == 3
    for tissue_map in settled:
        assert (tissue_map == FLUID).sum() > 0.9 * (banded_codes(3) == RETINA).sum()
    np.testing.assert_array_equal(settled[1], settled[2])


def test_lone_bscan_is_its_own_neighbor() -> None:
    torch.manual_seed(1)
    network = FluidNetwork(FluidConfig(channels=(4, 8))).eval()
    voxels = banded_bscans(1)
    codes = banded_codes(1)
    view = flat_view(retina_borders(codes), codes.shape[1], SIZE)
    thrice = flat_view(retina_borders(np.repeat(codes, 3, axis=0)), codes.shape[1], SIZE)
    alone = seen_fluid(network, voxels, view).flat
    middle = seen_fluid(network, np.repeat(voxels, 3, axis=0), thrice).flat
    np.testing.assert_array_equal(alone[0], middle[1])


def shipped_with(network: FluidNetwork | None) -> Bundle:
    bundle = load_bundle(bundled_models())
    if network is None:
        return replace(bundle, manifest=replace(bundle.manifest, fluid_network=None))
    entry = FluidEntry("other", asdict(network.config), file="other.safetensors")
    weights = {**bundle.weights, entry.file: encode_weights("other", network.state_dict())}
    return replace(bundle, manifest=replace(bundle.manifest, fluid_network=entry), weights=weights)


def test_triage_settles_every_map_before_it_is_judged() -> None:
    volume = read_volume(SAMPLE)
    middle = slice(volume.shape[0] // 2 - 1, volume.shape[0] // 2 + 1)
    part = replace(volume, voxels=volume.voxels[middle], name="middle")
    plain = triage(part, shipped_with(None), CPU)
    assert all((one.tissue_map == FLUID).any() for one in plain.hypotheses)
    doubting = shipped_with(sure_network(-9.0))
    dry = triage(part, doubting, replace(CPU, slab_bscans=1))
    for tissue_map in (*(one.tissue_map for one in dry.hypotheses), dry.consensus):
        assert not (tissue_map == FLUID).any()
    for one in dry.hypotheses:
        again = judge_map(one.tissue_map, part, doubting, compute=choose_compute("cpu"))
        for head, scores in one.opinions[0].scores.items():
            np.testing.assert_allclose(scores, again[0].scores[head], atol=1e-6)


def bundle_with(folder: Path, network: FluidNetwork) -> Bundle:
    draft = example_manifest()
    entry = FluidEntry("fluid_network", asdict(network.config))
    weights = {**example_weights(draft), "fluid_network": network.state_dict()}
    return save_bundle(folder, replace(draft, fluid_network=entry), weights, "# Fluid\n")


def test_network_is_stored_and_answers_the_same(tmp_path: Path) -> None:
    torch.manual_seed(2)
    network = FluidNetwork(FluidConfig(channels=(4, 8))).eval()
    stored = bundle_with(tmp_path / "bundle", network).fluid_network()
    assert stored is not None
    assert stored.config == network.config
    gray, ilm_rows = torch.rand(1, 3, 128, 32) * 255, torch.full((1, 32), 60.0)
    torch.testing.assert_close(stored(gray, ilm_rows), network(gray, ilm_rows), atol=0.02, rtol=0)
    found = {check.what: check.found for check in check_bundle(tmp_path / "bundle")}
    assert "all tensors fit" in found["fluid_network fluid_network"]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"view": 99}, "a view of version 99"),
        ({"found": 0.1, "doubted": 0.4}, "doubted 0.4 and found 0.1"),
        ({"channels": [4, 9]}, "do not fit the configuration"),
        ({"depth": 3}, "makes no fluid_network network"),
    ],
)
def test_network_that_does_not_fit_is_refused(
    tmp_path: Path, config: dict[str, object], words: str
) -> None:
    folder = tmp_path / "bundle"
    bundle_with(folder, sure_network(0.0))
    fields = json.loads((folder / "bundle.json").read_text())
    fields["fluid_network"]["config"] |= config
    rewrite_manifest(folder, **fields)
    with pytest.raises(BundleError, match=words):
        load_bundle(folder)
