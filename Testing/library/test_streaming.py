import pytest
import torch

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.inference.streaming import StreamedNetwork
from RetinaTriageLib.networks.segmentation import SegmentationConfig, SegmentationNetwork

SMALL = SegmentationConfig(
    classes=5, channels=(4, 6, 8), slice_levels=(1, 2), branches=("spectralis", "cirrus")
)


def trained_network(config: SegmentationConfig = SMALL) -> SegmentationNetwork:
    """Network whose batch normalization has seen data, so that folding it is not a no-op."""
    torch.manual_seed(0)
    network = SegmentationNetwork(config).train()
    with torch.no_grad():
        for norm in (m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)):
            norm.weight.uniform_(0.5, 1.5)
            norm.bias.uniform_(-0.5, 0.5)
        for _ in range(20):
            network(1 + 2 * torch.randn(1, 3, 32, 32), "cirrus")
    return network.eval()


def bscans(count: int) -> torch.Tensor:
    return torch.randn(count, 35, 27, generator=torch.Generator().manual_seed(1))


def whole(network: SegmentationNetwork, volume: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return network(volume[None], "cirrus")[0].transpose(0, 1)


def streamed(stream: StreamedNetwork, volume: torch.Tensor, sizes: list[int]) -> torch.Tensor:
    stream.begin()
    chunks = torch.split(volume, sizes)
    scores = [stream.push(chunk, last=False) for chunk in chunks[:-1]]
    return torch.cat([*scores, stream.push(chunks[-1], last=True)])


@pytest.mark.parametrize("sizes", [[1] * 9, [2, 2, 2, 2, 1], [3, 3, 3], [5, 4], [9], [1, 4, 2, 2]])
def test_streaming_equals_the_whole_volume_for_any_chunks(sizes):
    network, volume = trained_network(), bscans(9)
    expected = whole(network, volume)
    scores = streamed(StreamedNetwork(network, "cirrus"), volume, sizes)
    torch.testing.assert_close(scores, expected, atol=1e-4, rtol=0)
    assert torch.equal(scores.argmax(dim=1), expected.argmax(dim=1))


def test_default_network_streams_exactly():
    network, volume = trained_network(SegmentationConfig()), bscans(6)
    expected = whole(network, volume)
    scores = streamed(StreamedNetwork(network, "cirrus"), volume, [2, 3, 1])
    torch.testing.assert_close(scores, expected, atol=1e-5 * float(expected.abs().max()), rtol=0)


@pytest.mark.parametrize("slice_levels", [(), (2,)])
def test_levels_without_cross_slice_convolution_stream(slice_levels):
    config = SegmentationConfig(5, (4, 6, 8), slice_levels, ("cirrus",))
    network, volume = trained_network(config), bscans(4)
    scores = streamed(StreamedNetwork(network, "cirrus"), volume, [1, 3])
    torch.testing.assert_close(scores, whole(network, volume), atol=1e-4, rtol=0)


def test_single_bscan_streams():
    network, volume = trained_network(), bscans(1)
    scores = StreamedNetwork(network, "cirrus").push(volume, last=True)
    torch.testing.assert_close(scores, whole(network, volume), atol=1e-4, rtol=0)


def test_answer_lags_by_the_context():
    stream = StreamedNetwork(trained_network(), "cirrus")
    counts = [stream.push(bscans(1), last=False).shape[0] for _ in range(4)]
    assert counts == [0, 0, 1, 1]


def test_end_may_be_told_afterwards():
    network, volume = trained_network(), bscans(4)
    stream = StreamedNetwork(network, "cirrus")
    scores = [stream.push(volume, last=False), stream.push(None, last=True)]
    torch.testing.assert_close(torch.cat(scores), whole(network, volume), atol=1e-4, rtol=0)


def test_begin_forgets_the_volume_before():
    network, volume = trained_network(), bscans(4)
    stream = StreamedNetwork(network, "cirrus")
    stream.push(bscans(3) + 1, last=False)
    scores = streamed(stream, volume, [2, 2])
    torch.testing.assert_close(scores, whole(network, volume), atol=1e-4, rtol=0)


def test_bfloat16_stays_close_in_probability():
    network, volume = trained_network(), bscans(5)
    expected = whole(network, volume).softmax(dim=1)
    stream = StreamedNetwork(network, "cirrus", torch.bfloat16)
    chances = streamed(stream, volume, [2, 3]).softmax(dim=1)
    assert (chances - expected).abs().mean() < 0.01


def test_bscan_of_another_size_is_refused():
    stream = StreamedNetwork(trained_network(), "cirrus")
    stream.push(bscans(1), last=False)
    with pytest.raises(InputError, match="one size"):
        stream.push(torch.randn(1, 40, 27), last=False)


def test_bscan_after_the_last_one_is_refused():
    stream = StreamedNetwork(trained_network(), "cirrus")
    stream.push(bscans(1), last=True)
    with pytest.raises(InputError, match=r"call begin\(\)"):
        stream.push(bscans(1), last=True)


def test_volume_without_bscans_is_refused():
    with pytest.raises(InputError, match="without B-scans"):
        StreamedNetwork(trained_network(), "cirrus").push(None, last=True)
