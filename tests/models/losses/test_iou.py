"""Overlaps against published values, against each paper's formula in plain Python, and against their invariants."""

import math
import typing

import pytest
import torch

from models.losses.iou import IOUS
from tests.goldens.fill import load
from utils.config.config import IouName
from utils.values.boxes import cxcywh_to_xyxy

GOLDENS = load("iou")
CASES = {case["id"]: case for case in GOLDENS["cases"]}
CONSTANTS = {"image_size": (480.0, 640.0), "nwd_constant": 12.8, "inner_ratio": 0.75, "shape_scale": 1.5}
DETACHED = {
    "ciou",
    "inner-ciou",
    "inforced",
    "inforced_basic",
    "inforced_norm",
    "wise-iou",
}  # a weight without gradient


def overlap(name, prediction, target):
    return IOUS[name](prediction, target, **CONSTANTS)


def boxes(case):
    return tuple(torch.tensor(case[k], dtype=torch.float64) for k in ("pred", "target"))


@pytest.mark.parametrize("name", ["iou", "ciou", "inforced", "inforced_basic"])
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


@pytest.mark.parametrize("case", GOLDENS["norm"], ids=lambda c: "to".join(map(str, c["ratio"])))
@pytest.mark.parametrize("scale", [0.1, 1, 100])
def test_golden_of_the_scale_free_penalty(case, scale):
    prediction, target = (torch.tensor([[0.0, 0.0, 3.0, 4.0]]).double() * scale * side for side in case["ratio"])
    penalty = IOUS["ciou"](prediction, target) - IOUS["inforced_norm"](prediction, target)
    assert penalty.item() == pytest.approx(case["t"], abs=1e-6)


def random_pair():
    generator = torch.Generator().manual_seed(3)
    size = torch.rand(20, 4, generator=generator, dtype=torch.float64) * 3 + 0.5
    return cxcywh_to_xyxy(size).requires_grad_(), cxcywh_to_xyxy(size.flip(0))


@pytest.mark.parametrize("name", [name for name in IOUS if name not in DETACHED])
def test_gradient_by_finite_differences(name):
    """Functions without a detached weight are their own derivative's oracle."""
    prediction, target = random_pair()
    torch.autograd.gradcheck(lambda p: overlap(name, p, target), prediction, eps=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", ["inforced", "inforced_norm"])
def test_gradient_of_the_diagonal_penalty_by_finite_differences(name):
    """CIoU's detached weight cancels in the difference."""
    prediction, target = random_pair()
    penalty = lambda p: IOUS["ciou"](p, target) - IOUS[name](p, target)  # noqa: E731
    torch.autograd.gradcheck(penalty, prediction, eps=1e-6, atol=1e-5)


def test_detached_weight_of_inforced_basic():
    """Row G: its gradient is CIoU's plus alpha_t times that of t."""
    prediction, target = map(cxcywh_to_xyxy, boxes(CASES["G"]))
    gradient = {}
    for name in ("ciou", "inforced", "inforced_basic"):
        p = prediction.clone().requires_grad_()
        (gradient[name],) = torch.autograd.grad(overlap(name, p, target), p)
    alpha = CASES["G"]["t"] / (CASES["G"]["t"] - CASES["G"]["iou"] + 1)
    expected = gradient["ciou"] + alpha * (gradient["inforced"] - gradient["ciou"])
    torch.testing.assert_close(gradient["inforced_basic"], expected, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("name", IOUS)
@pytest.mark.parametrize("box", [[1, 1, 3, 2], [1, 1, 1, 1], [2, 2, 2, 5], [0, 0, 1e-8, 1e-8]])
def test_identical_and_degenerate_boxes_have_finite_values_and_gradients(name, box):
    prediction = torch.tensor([box], dtype=torch.float32, requires_grad=True)
    for target in (prediction.detach().clone(), torch.tensor([[0.0, 0.0, 4.0, 4.0]])):
        value = overlap(name, prediction, target).sum()
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


PAIRS = [
    ((5.0, 6.0, 8.0, 4.0), (6.0, 4.0, 6.0, 6.0)),  # cx, cy, w, h; overlapping
    ((5.0, 5.0, 8.0, 8.0), (5.5, 5.0, 3.0, 2.0)),  # nested, offset along x only
    ((2.0, 3.0, 2.0, 1.0), (9.0, 8.0, 3.0, 5.0)),  # apart
]


def shared(p, t):
    """IoU, offsets, hull sides of two (cx, cy, w, h), step by step as the papers write them."""
    low = [max(p[i] - p[i + 2] / 2, t[i] - t[i + 2] / 2) for i in (0, 1)]
    high = [min(p[i] + p[i + 2] / 2, t[i] + t[i + 2] / 2) for i in (0, 1)]
    both = max(high[0] - low[0], 0) * max(high[1] - low[1], 0)
    hull = [
        max(p[i] + p[i + 2] / 2, t[i] + t[i + 2] / 2) - min(p[i] - p[i + 2] / 2, t[i] - t[i + 2] / 2) for i in (0, 1)
    ]
    return both / (p[2] * p[3] + t[2] * t[3] - both), p[0] - t[0], p[1] - t[1], *hull


def ciou_rest(p, t):
    value, dx, dy, cw, ch = shared(p, t)
    v = 4 / math.pi**2 * (math.atan(t[2] / t[3]) - math.atan(p[2] / p[3])) ** 2
    return (dx**2 + dy**2) / (cw**2 + ch**2) + v**2 / (v - value + 1)


def eiou(p, t):
    value, dx, dy, cw, ch = shared(p, t)
    return value - (dx**2 + dy**2) / (cw**2 + ch**2) - (p[2] - t[2]) ** 2 / cw**2 - (p[3] - t[3]) ** 2 / ch**2


def siou(p, t):
    value, dx, dy, cw, ch = shared(p, t)
    angle = 1 - 2 * math.sin(math.asin(abs(dy) / math.hypot(dx, dy)) - math.pi / 4) ** 2
    gamma = 2 - angle
    distance = (1 - math.exp(-gamma * (dx / cw) ** 2)) + (1 - math.exp(-gamma * (dy / ch) ** 2))
    omega = [abs(p[i] - t[i]) / max(p[i], t[i]) for i in (2, 3)]
    return value - (distance + sum((1 - math.exp(-o)) ** 4 for o in omega)) / 2


def mpdiou(p, t):
    first = [(p[i] - p[i + 2] / 2) - (t[i] - t[i + 2] / 2) for i in (0, 1)]
    second = [(p[i] + p[i + 2] / 2) - (t[i] + t[i + 2] / 2) for i in (0, 1)]
    diagonal = 480**2 + 640**2
    return shared(p, t)[0] - math.hypot(*first) ** 2 / diagonal - math.hypot(*second) ** 2 / diagonal


def nwd(p, t):
    gaussians = [(cx, cy, w / 2, h / 2) for cx, cy, w, h in (p, t)]
    return math.exp(-math.dist(*gaussians) / 12.8)


def inner_iou(p, t):
    return shared(*((cx, cy, w * 0.75, h * 0.75) for cx, cy, w, h in (p, t)))[0]


def shape_iou(p, t):
    value, dx, dy, cw, ch = shared(p, t)
    ww = 2 * t[2] ** 1.5 / (t[2] ** 1.5 + t[3] ** 1.5)
    hh = 2 * t[3] ** 1.5 / (t[2] ** 1.5 + t[3] ** 1.5)
    distance = hh * dx**2 / (cw**2 + ch**2) + ww * dy**2 / (cw**2 + ch**2)
    omega = hh * abs(p[2] - t[2]) / max(p[2], t[2]), ww * abs(p[3] - t[3]) / max(p[3], t[3])
    return value - distance - 0.5 * sum((1 - math.exp(-o)) ** 4 for o in omega)


def wise_iou(p, t):
    value, dx, dy, cw, ch = shared(p, t)
    return 1 - math.exp((dx**2 + dy**2) / (cw**2 + ch**2)) * (1 - value)


ORACLES = {
    "eiou": eiou,
    "siou": siou,
    "mpdiou": mpdiou,
    "nwd": nwd,
    "inner-iou": inner_iou,
    "inner-ciou": lambda p, t: inner_iou(p, t) - ciou_rest(p, t),
    "shape-iou": shape_iou,
    "wise-iou": wise_iou,
}


@pytest.mark.parametrize("pair", PAIRS, ids=["overlapping", "nested", "apart"])
@pytest.mark.parametrize("name", ORACLES)
def test_the_formula_of_the_paper(name, pair):
    prediction, target = (cxcywh_to_xyxy(torch.tensor([box], dtype=torch.float64)) for box in pair)
    assert overlap(name, prediction, target).item() == pytest.approx(ORACLES[name](*pair), abs=1e-6)


@pytest.mark.parametrize("pair", PAIRS, ids=["overlapping", "nested", "apart"])
def test_the_hull_of_wise_iou_has_no_gradient(pair):
    """Finite differences of the formula with the hull held fast."""
    prediction, target = pair
    p = torch.tensor([prediction], dtype=torch.float64, requires_grad=True)
    t = cxcywh_to_xyxy(torch.tensor([target], dtype=torch.float64))
    (gradient,) = torch.autograd.grad(overlap("wise-iou", cxcywh_to_xyxy(p), t), p)
    hull = math.hypot(*shared(prediction, target)[3:])

    def fixed(box):
        value, dx, dy, *_ = shared(box, target)
        return 1 - math.exp((dx**2 + dy**2) / hull**2) * (1 - value)

    for i in range(4):
        up, down = ([v + s * (i == k) for k, v in enumerate(prediction)] for s in (1e-6, -1e-6))
        assert gradient[0, i].item() == pytest.approx((fixed(up) - fixed(down)) / 2e-6, abs=1e-5)


def test_oracles_by_hand():
    """A 4x4 box one to the right of its 4x4 target: IoU 12/20, hull 5x4, and the offset straight."""
    pair = (6.0, 5.0, 4.0, 4.0), (5.0, 5.0, 4.0, 4.0)
    assert eiou(*pair) == pytest.approx(0.6 - 1 / 41)
    assert siou(*pair) == pytest.approx(0.6 - (1 - math.exp(-2 / 25)) / 2)
    assert mpdiou(*pair) == pytest.approx(0.6 - 2 / 640_000)
    assert nwd(*pair) == pytest.approx(math.exp(-1 / 12.8))
    assert inner_iou(*pair) == pytest.approx(6 / 12)
    assert shape_iou(*pair) == pytest.approx(0.6 - 1 / 41)
    assert wise_iou(*pair) == pytest.approx(1 - 0.4 * math.exp(1 / 41))


@pytest.mark.parametrize("name", IOUS)
def test_a_perfect_match_is_one_and_no_other_is_more(name):
    prediction, target = random_pair()
    assert overlap(name, target, target).tolist() == pytest.approx([1.0] * 20, abs=1e-5)
    assert (overlap(name, prediction, target) <= 1).all()


@pytest.mark.parametrize("name", IOUS)
def test_which_overlaps_depend_on_the_unit(name):
    """Doubling both boxes changes nothing but what a docstring says depends on the unit, or on the picture's."""
    prediction, target = random_pair()
    same = torch.allclose(overlap(name, 2 * prediction, 2 * target), overlap(name, prediction, target), atol=1e-5)
    assert same == (name not in ("mpdiou", "nwd", "inforced", "inforced_basic"))


def test_the_family_is_what_the_configuration_offers():
    assert set(IOUS) == set(typing.get_args(IouName))
