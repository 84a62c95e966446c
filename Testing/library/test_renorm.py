import torch
from torch import nn

from RetinaTriageLib.networks.renorm import (
    BatchRenorm2d,
    forget_statistics,
    trust_running_statistics,
)


def settled(steps: int = 600) -> BatchRenorm2d:
    """Normalization that has seen dim and bright eyes by turns, and trusts what it saw."""
    torch.manual_seed(0)
    norm = BatchRenorm2d(3)
    trust_running_statistics(norm, 1.0)
    for step in range(steps):
        norm(eye(bright=step % 2 == 0))
    return norm


def eye(*, bright: bool) -> torch.Tensor:
    return torch.randn(4, 3, 6, 5) + (1.0 if bright else -1.0)


def test_evaluation_is_plain_batch_normalization():
    norm, plain = settled(20).eval(), nn.BatchNorm2d(3)
    plain.load_state_dict(norm.state_dict())
    x = eye(bright=True)
    assert torch.allclose(norm(x), plain.eval()(x))


def test_training_gives_what_evaluation_gives_once_it_has_settled():
    norm = settled()
    x = eye(bright=True)
    used = norm.eval()(x)
    assert torch.allclose(norm.train()(x), used, atol=0.02)


def test_without_trust_the_batch_alone_counts():
    x = eye(bright=True)
    trained = BatchRenorm2d(3).train()(x)
    assert torch.allclose(trained.mean(dim=(0, 2, 3)), torch.zeros(3), atol=1e-5)


def test_running_statistics_follow_both_kinds_of_eyes():
    norm = settled()
    assert norm.running_mean.abs().max() < 0.2
    assert (norm.running_var - 1).abs().max() < 0.3


def test_forgotten_statistics_are_those_of_the_next_batch():
    norm, x = settled(), eye(bright=True) * 7
    forget_statistics(norm)
    norm(x)
    assert torch.allclose(norm.running_mean, x.mean(dim=(0, 2, 3)), atol=1e-4)
    assert torch.allclose(norm.running_var, x.var(dim=(0, 2, 3), correction=0), rtol=1e-3)


def test_gradient_does_not_see_a_constant_added_to_all_voxels():
    norm = settled()
    x = eye(bright=True).requires_grad_()
    (norm.train()(x) ** 2).sum().backward()
    assert x.grad.sum(dim=(0, 2, 3)).abs().max() < 1e-3
