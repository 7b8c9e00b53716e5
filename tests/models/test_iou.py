import math

import pytest
import torch

from models.iou import IOUS
from tests.goldens.fill import load
from utils.boxes import cxcywh_to_xyxy

GOLDENS = load("iou")
CASES = {case["id"]: case for case in GOLDENS["cases"]}


def boxes(case):
    return tuple(torch.tensor(case[k], dtype=torch.float64) for k in ("pred", "target"))


@pytest.mark.parametrize("name", ["iou", "ciou", "inforced"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_golden(name, case):
    prediction, target = map(cxcywh_to_xyxy, boxes(case))
    assert IOUS[name](prediction, target).item() == pytest.approx(case[name], abs=1e-6)


@pytest.mark.parametrize("case", GOLDENS["gradients"], ids=lambda c: c["id"])
def test_golden_gradient(case):
    prediction, target = boxes(CASES[case["id"]])
    prediction.requires_grad_()
    (1 - IOUS["inforced"](cxcywh_to_xyxy(prediction), cxcywh_to_xyxy(target))).backward()
    assert prediction.grad.tolist() == pytest.approx([case[k] for k in "xywh"], abs=1e-5)
    prediction.grad = None
    (1 - IOUS["ciou"](cxcywh_to_xyxy(prediction), cxcywh_to_xyxy(target))).backward()
    assert prediction.grad[2:].tolist() == pytest.approx([case["ciou_w"], case["ciou_h"]], abs=1e-5)


@pytest.mark.parametrize("name", ["iou", "giou", "diou"])
def test_gradient_by_finite_differences(name):
    """Functions without a detached weight are their own derivative's oracle."""
    generator = torch.Generator().manual_seed(3)
    size = torch.rand(20, 4, generator=generator, dtype=torch.float64) * 3 + 0.5
    prediction = cxcywh_to_xyxy(size).requires_grad_()
    target = cxcywh_to_xyxy(size.flip(0))
    torch.autograd.gradcheck(lambda p: IOUS[name](p, target), prediction, eps=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", IOUS)
@pytest.mark.parametrize("box", [[1, 1, 3, 2], [1, 1, 1, 1], [2, 2, 2, 5], [0, 0, 1e-8, 1e-8]])
def test_identical_and_degenerate_boxes_have_finite_values_and_gradients(name, box):
    prediction = torch.tensor([box], dtype=torch.float32, requires_grad=True)
    for target in (prediction.detach().clone(), torch.tensor([[0.0, 0.0, 4.0, 4.0]])):
        value = IOUS[name](prediction, target).sum()
        (gradient,) = torch.autograd.grad(value, prediction)
        assert value.isfinite() and gradient.isfinite().all()


def test_giou_and_diou_by_hand():
    """Unit squares one apart: hull 3x1, union 2; centres 2 apart, hull diagonal^2 10."""
    a, b = torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.tensor([[2.0, 0.0, 3.0, 1.0]])
    assert IOUS["giou"](a, b).item() == pytest.approx(-1 / 3, abs=1e-6)
    assert IOUS["diou"](a, b).item() == pytest.approx(-4 / 10, abs=1e-6)


def test_inforced_ignores_shifts_and_is_bounded():
    a = torch.tensor([[0.0, 0.0, 4.0, 2.0]])
    shifted = a + 1
    assert torch.equal(IOUS["inforced"](a, shifted), IOUS["ciou"](a, shifted))
    huge, tiny = torch.tensor([[0.0, 0.0, 1e4, 1e4]]), torch.tensor([[1e6, 1e6, 1e6 + 1e-3, 1e6 + 1e-3]])
    assert IOUS["inforced"](huge, tiny).item() > -2 - math.pi**2 / 4
