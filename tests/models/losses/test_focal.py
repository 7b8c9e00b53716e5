"""Focal loss: the cross entropy at gamma 0, the paper's formula by hand, no infinities."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from models.losses.focal import focal_bce

LOGITS = torch.linspace(-6, 6, 25, dtype=torch.float64)


@pytest.mark.parametrize("weight", [1.0, 2.5])
def test_gamma_0_is_the_cross_entropy(weight):
    truth = torch.linspace(0, 1, 25, dtype=torch.float64)
    plain = binary_cross_entropy_with_logits(LOGITS, truth, reduction="none", pos_weight=torch.tensor(weight))
    assert torch.equal(focal_bce(LOGITS, truth, 0.0, weight), plain)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("truth", [0.0, 1.0])
def test_the_paper(gamma, truth):
    """FL(p_t) = -alpha_t (1 - p_t)^gamma ln p_t."""
    for logit in (-3.0, -0.4, 0.0, 1.7):
        p = 1 / (1 + math.exp(-logit))
        p_t, alpha_t = (p, 0.25) if truth else (1 - p, 0.75)
        value = focal_bce(torch.tensor(logit).double(), torch.tensor(truth).double(), gamma)
        assert value.item() == pytest.approx(-alpha_t * (1 - p_t) ** gamma * math.log(p_t), rel=1e-6)


def test_a_truth_in_between():
    """Truth 0.8 at p 0.5: cross entropy ln 2, miss 0.5, alpha 0.8 x 0.25 + 0.2 x 0.75 = 0.35."""
    value = focal_bce(torch.tensor(0.0), torch.tensor(0.8), 2.0)
    assert value.item() == pytest.approx(math.log(2) * 0.25 * 0.35, rel=1e-6)


@pytest.mark.parametrize("gamma", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("truth", [0.0, 0.5, 1.0])
def test_gradients(gamma, truth):
    logits = LOGITS.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: focal_bce(x, torch.full_like(x, truth), gamma), logits, atol=1e-6)
    extreme = torch.tensor([-1e4, -200.0, 200.0, 1e4], requires_grad=True)
    focal_bce(extreme, torch.full_like(extreme, truth), gamma).sum().backward()
    assert extreme.grad.isfinite().all()
