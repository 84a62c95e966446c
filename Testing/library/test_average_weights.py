from __future__ import annotations

from pathlib import Path

import pytest
import torch

from RetinaTriageLib.cli.main import main
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork
from RetinaTriageLib.training.average_weights import average_weights
from RetinaTriageLib.training.checkpoints import read_tensors, save_weights

SMALL = SegmentationConfig(channels=(2, 4), slice_levels=(1,), branches=("spectralis",))
FIBROVASCULAR = slice(20, 22)  # both depths of tissue 10


def weights(folder: Path, seed: int, config: SegmentationConfig = SMALL) -> Path:
    torch.manual_seed(seed)
    path = folder / f"{seed}.safetensors"
    save_weights(path, SegmentationNetwork(config), {"kind": "unet", "seed": str(seed)})
    return path


def test_average_lies_between(tmp_path: Path) -> None:
    before, after = weights(tmp_path, 0), weights(tmp_path, 1)
    mixed, header = read_tensors(average_weights(before, after, tmp_path / "out", share=0.25))
    old, new = read_tensors(before)[0]["head.weight"], read_tensors(after)[0]["head.weight"]
    torch.testing.assert_close(mixed["head.weight"], 0.75 * old + 0.25 * new)
    assert header == {"kind": "unet", "seed": "1"}
    SegmentationNetwork(SMALL).load_state_dict(mixed)


def test_shift_moves_the_scores_of_one_tissue(tmp_path: Path) -> None:
    path = weights(tmp_path, 0)
    words = [str(path), str(path), "--shift", "fibrovascular_ped=-0.5"]
    assert main(["train", "average", *words, "--out", str(tmp_path / "out")]) == 0
    tensors, _ = read_tensors(tmp_path / "out" / "final.safetensors")
    network, x = SegmentationNetwork(SMALL).eval(), torch.zeros(1, 1, 16, 16)
    network.load_state_dict(read_tensors(path)[0])
    plain = network(x, "spectralis")
    network.load_state_dict(tensors)
    moved = (network(x, "spectralis") - plain).mean(dim=(0, 2, 3, 4))
    assert moved[10].item() == pytest.approx(-0.5, abs=1e-5)
    assert moved[torch.arange(15) != 10].abs().max() == 0
    assert tensors["head.bias"][FIBROVASCULAR].tolist() == [-0.5, -0.5]


def test_other_networks_shares_and_tissues_are_refused(tmp_path: Path) -> None:
    path = weights(tmp_path, 0)
    wide = weights(tmp_path, 1, SegmentationConfig((15), (4, 8), (1,), ("spectralis",)))
    with pytest.raises(InputError, match="different networks"):
        average_weights(path, wide, tmp_path / "out")
    with pytest.raises(InputError, match="share of 2"):
        average_weights(path, path, tmp_path / "out", share=2)
    with pytest.raises(InputError, match="retina"):
        average_weights(path, path, tmp_path / "out", shifts={"retina": 1.0})
    assert not (tmp_path / "out").exists()
