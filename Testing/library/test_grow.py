from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from test_streaming import trained_network

from RetinaTriageLib.cli.main import main
from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.inference_weights import round_for_inference
from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork
from RetinaTriageLib.networks.segmentation_shape import segmentation_config
from RetinaTriageLib.training.checkpoints import read_weights, save_weights
from RetinaTriageLib.training.grow import grown

SMALL = SegmentationConfig(5, (4, 6, 8), (1, 2), ("cirrus", "spectralis"))
LARGER = [(4, 6, 12), (6, 9, 8), (4, 6, 8, 10), (5, 6, 9, 7, 6)]


def scores(network: SegmentationNetwork) -> torch.Tensor:
    with torch.no_grad():
        volume = torch.randn(1, 4, 29, 47, generator=torch.Generator().manual_seed(1))
        return network(volume, "cirrus")


@pytest.mark.parametrize("channels", LARGER)
def test_a_grown_network_gives_the_same_answers(channels: tuple[int, ...]) -> None:
    network = trained_network(SMALL)
    larger = grown(network, channels)
    assert larger.config == replace(SMALL, channels=channels)
    expected = scores(network)
    tolerance = 1e-5 * float(expected.abs().max())
    torch.testing.assert_close(scores(larger), expected, atol=tolerance, rtol=0)


def test_a_grown_network_trains_on_from_what_it_knew() -> None:
    torch.manual_seed(1)
    network = trained_network(SMALL)
    x = torch.randn(1, 4, 32, 32)
    wanted = network(x, "cirrus").argmax(dim=1).detach()
    larger = grown(network, (4, 6, 12, 8)).train()
    optimizer = torch.optim.Adam(larger.parameters(), lr=3e-3)
    losses: list[float] = []
    for _ in range(30):
        loss = torch.nn.functional.cross_entropy(larger(x, "cirrus"), wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    small = torch.nn.functional.cross_entropy(network.train()(x, "cirrus"), wanted).item()
    assert losses[0] == pytest.approx(small, rel=0.05)
    assert losses[-1] < 0.7 * losses[0]
    reads = larger.decoder["level1"].up.weight  # of the new channels of the level below
    assert reads[8:, :6].abs().max() > 0


def test_weights_of_a_bundle_grow_too() -> None:
    network = trained_network(SMALL)
    round_for_inference(network)
    larger, expected = grown(network, (4, 6, 8, 10)), scores(network)
    tolerance = 1e-5 * float(expected.abs().max())
    torch.testing.assert_close(scores(larger), expected, atol=tolerance, rtol=0)


@pytest.mark.parametrize("channels", [(4, 6), (4, 6, 7), (3, 6, 8, 8), ()])
def test_a_network_does_not_shrink(channels: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"\[4, 6, 8\]"):
        grown(SegmentationNetwork(SMALL), channels)


def test_the_command_writes_what_training_goes_on_from(tmp_path: Path) -> None:
    save_weights(tmp_path / "small.safetensors", trained_network(SMALL), {})
    words = [str(tmp_path / "small.safetensors"), "--channels", "4", "8", "8", "6"]
    assert main(["train", "grow", *words, "--out", str(tmp_path / "large")]) == 0
    tensors = read_weights(tmp_path / "large" / "final.safetensors")
    assert segmentation_config(tensors) == replace(SMALL, channels=(4, 8, 8, 6))


def test_a_file_that_holds_no_weights_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "junk.safetensors").write_text("junk")
    for name in ("junk.safetensors", "gone.safetensors"):
        words = [str(tmp_path / name), "--channels", "4", "8", "--out", str(tmp_path / "large")]
        assert main(["train", "grow", *words]) != 0
        assert "cannot be read as safetensors" in capsys.readouterr().err
    assert not (tmp_path / "large").exists()


@pytest.mark.parametrize("config", [SMALL, SegmentationConfig(), replace(SMALL, slice_levels=(2,))])
def test_shape_is_read_off_the_weights(config: SegmentationConfig) -> None:
    assert segmentation_config(SegmentationNetwork(config).state_dict()) == config


def test_other_weights_have_no_shape() -> None:
    with pytest.raises(InputError, match="1 tensors"):
        segmentation_config({"head.weight": torch.zeros(2)})
