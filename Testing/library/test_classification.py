import pytest
import torch

from RetinaTriageLib.errors import InputError
from RetinaTriageLib.networks.classification import (
    ClassificationConfig,
    ClassificationNetwork,
    HeadShape,
    average_pairs,
    probabilities,
)

SMALL = ClassificationConfig(
    grid_classes=3,
    growth=2,
    blocks=(1, 1),
    heads=(HeadShape("referral", 4, exclusive=True), HeadShape("conditions", 2, exclusive=False)),
)


def small_network() -> ClassificationNetwork:
    torch.manual_seed(0)
    return ClassificationNetwork(SMALL).eval()


@pytest.mark.parametrize("shape", [(2, 3, 5, 24, 20), (1, 3, 1, 9, 7)])
def test_every_head_answers(shape):
    scores = small_network()(torch.rand(shape), torch.zeros(shape[0], 6))
    assert {name: tuple(s.shape) for name, s in scores.items()} == {
        "referral": (shape[0], 4),
        "conditions": (shape[0], 2),
    }


def test_default_heads_are_those_of_the_vocabulary():
    sizes = [(head.name, head.size) for head in ClassificationConfig().heads]
    assert sizes == [("referral", 4), ("conditions", 10), ("progression", 3), ("treatment", 3)]


def test_patient_facts_can_change_the_answer():
    network, grid = small_network(), torch.rand(1, 3, 3, 16, 16)
    with torch.no_grad():
        unknown = network(grid, torch.zeros(1, 6))["referral"]
        known = network(grid, torch.tensor([[1.0, 1, -1, 1, 0.3, 1]]))["referral"]
    assert not torch.allclose(unknown, known)


def test_lesion_in_one_bscan_reaches_every_head():
    network, grid = small_network(), torch.zeros(1, 3, 9, 24, 24)
    lesion = grid.clone()
    lesion[0, 1, 4, 10:14, 10:14] = 1
    with torch.no_grad():
        before, after = (network(g, torch.zeros(1, 6)) for g in (grid, lesion))
    assert all(not torch.allclose(before[name], after[name]) for name in before)


def test_maps_of_a_batch_do_not_see_each_other():
    network, grids = small_network(), torch.rand(2, 3, 5, 16, 16)
    with torch.no_grad():
        together = network(grids, torch.zeros(2, 6))["referral"][1:]
        alone = network(grids[1:], torch.zeros(1, 6))["referral"]
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


def test_last_odd_bscan_is_kept_when_averaging_pairs():
    bscans = torch.tensor([1.0, 3.0, 8.0]).reshape(3, 1, 1, 1)
    assert average_pairs(bscans, bscans=3).flatten().tolist() == [2.0, 8.0]


def test_exclusive_head_adds_up_to_one_and_others_stand_alone():
    scores = {"referral": torch.zeros(1, 4), "conditions": torch.zeros(1, 2)}
    chances = probabilities(scores, SMALL.heads)
    assert chances["referral"].tolist() == [[0.25] * 4]
    assert chances["conditions"].tolist() == [[0.5, 0.5]]


def test_grid_of_another_vocabulary_is_refused():
    with pytest.raises(InputError, match="3 classes"):
        small_network()(torch.rand(1, 15, 3, 16, 16), torch.zeros(1, 6))


def test_bfloat16_trains():
    network = small_network().train()
    with torch.autocast("cpu", torch.bfloat16):
        scores = network(torch.rand(2, 3, 3, 16, 16), torch.zeros(2, 6))
    sum(s.float().square().mean() for s in scores.values()).backward()
    assert all(w.grad.isfinite().all() for w in network.blocks.parameters())
