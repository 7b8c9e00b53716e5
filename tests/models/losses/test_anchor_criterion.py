"""The published loss on the published cases, the assigner and the focal loss by hand, invariants of sums and counts."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from models.graph.builder import build_graph
from models.heads.anchor import AnchorDetect
from models.losses.anchor_criterion import AnchorCriterion, assign_by_anchor_ratio, focal_bce
from models.losses.iou import IOUS, mpdiou, nwd
from models.rows.model_spec import read_spec
from tests.goldens.fill import load
from utils.config.config import AnchorAssignConfig, AnchorLossConfig, LossConfig
from utils.values.batch import Targets
from utils.values.boxes import cxcywh_to_xyxy

GOLDENS = load("loss")
LOGITS = torch.linspace(-6, 6, 25, dtype=torch.float64)


def criterion_of(shared=None, loss=None, classes=5, image_size=640):
    return AnchorCriterion(
        shared or LossConfig(), loss or AnchorLossConfig(), AnchorAssignConfig(), classes, image_size
    )


def head(classes=5, grids=((80, 80), (40, 40), (20, 20)), batch=1):
    anchors = [[side for pair in level for side in pair] for level in GOLDENS["anchors"]["pixels"]]
    module = AnchorDetect(classes, anchors, [8, 8, 8], GOLDENS["strides"])
    raw = torch.tensor(GOLDENS["raw"][: 5 + classes])
    maps = [raw.expand(batch, h, w, 3, 5 + classes).clone().requires_grad_() for h, w in grids]
    return module, maps


def make_targets(rows, size=640, image=0):
    t = torch.tensor(rows, dtype=torch.float32).view(-1, 5)
    boxes = cxcywh_to_xyxy(t[:, 1:].double() * size).float()
    return Targets(torch.full((len(t),), image), t[:, 0].long(), boxes)


@pytest.mark.parametrize("case", GOLDENS["cases"], ids=lambda c: str(len(c["targets"])) + "-" + str(c["positives"]))
@pytest.mark.parametrize("iou", ["inforced", "ciou"])
def test_loss_golden(case, iou):
    module, maps = head()
    predictions, targets = module.decode(maps), make_targets(case["targets"])
    assigned = assign_by_anchor_ratio(predictions, targets)
    first = torch.tensor(predictions.level_sizes).cumsum(0)
    level = torch.bucketize(assigned.prediction_index, first, right=True)
    assert torch.bincount(level, minlength=3).tolist() == case["positives"]
    parts = criterion_of(LossConfig(iou=iou))(predictions, targets).parts()
    assert parts["box"].item() == pytest.approx(case[iou]["box"], abs=1e-5)
    assert parts["obj"].item() == pytest.approx(case[iou]["obj"], abs=1e-5)
    assert parts["cls"].item() == pytest.approx(case["inforced"].get("cls", 0), abs=1e-5)
    if iou == "inforced":
        assert sum(parts.values()).item() == pytest.approx(case["inforced"]["total"], abs=1e-5)


@pytest.mark.parametrize("name", IOUS)
def test_every_overlap_gives_a_loss_with_finite_gradients(name):
    module, maps = head(grids=((80, 60), (40, 30), (20, 15)))
    targets = make_targets([[1, 0.3, 0.3, 0.2, 0.1], [2, 0.5, 0.5, 0.05, 0.05]])
    parts = criterion_of(LossConfig(iou=name))(module.decode(maps), targets).parts()
    sum(parts.values()).backward()
    assert parts["box"] > 0 and all(m.grad.isfinite().all() for m in maps)


@pytest.mark.parametrize(
    ("name", "measure"),
    [
        ("nwd", lambda p, t: nwd(p, t, nwd_constant=20.0)),
        ("mpdiou", lambda p, t: mpdiou(p, t, image_size=(640, 480))),
    ],
)
def test_lengths_are_pixels_of_the_network_input(name, measure):
    """A rectangle of 640x480, not the square of --img; the mean over each level's positives, levels added up."""
    module, maps = head(grids=((80, 60), (40, 30), (20, 15)))
    predictions, targets = module.decode(maps), make_targets([[1, 0.3, 0.3, 0.2, 0.1], [2, 0.5, 0.5, 0.05, 0.05]])
    assigned = assign_by_anchor_ratio(predictions, targets)
    boxes = predictions.boxes[assigned.image_index, assigned.prediction_index]
    loss = 1 - measure(boxes, targets.boxes[assigned.target_index])
    stride = predictions.strides[assigned.prediction_index]
    expected = sum(loss[stride == s].mean().item() for s in stride.unique())
    criterion = criterion_of(LossConfig(iou=name, nwd_constant=20.0), AnchorLossConfig(box=1.0))
    parts = criterion(predictions, targets).parts()
    assert parts["box"].item() == pytest.approx(expected, rel=1e-5)


def test_focal_gamma_turns_to_what_is_hard():
    """Logits 0 and no targets: every prediction misses by 0.5, so gamma 2 leaves 0.75 x 0.25 of the objectness loss."""
    module, maps = head(grids=((8, 8), (4, 4), (2, 2)))
    predictions = module.decode([torch.zeros_like(m) for m in maps])
    empty = make_targets([])
    plain, focal = (
        criterion_of(loss=AnchorLossConfig(focal_gamma=gamma))(predictions, empty).parts()["obj"]
        for gamma in (0.0, 2.0)
    )
    assert focal.item() == pytest.approx(plain.item() * 0.75 * 0.25, rel=1e-5)


def test_assigner_by_hand():
    """A 16x30-px box centred at column 2.25, row 3.75 of P3: own cell, left, bottom; anchors (10,13) (16,30)
    (33,23) all within ratio 4."""
    module, maps = head(grids=((8, 8), (4, 4), (2, 2)))
    predictions = module.decode(maps)
    targets = Targets(torch.tensor([0]), torch.tensor([1]), cxcywh_to_xyxy(torch.tensor([[18.0, 30.0, 16.0, 30.0]])))
    assigned = assign_by_anchor_ratio(predictions, targets)
    on_p3 = sorted(assigned.prediction_index[assigned.prediction_index < 192].tolist())
    cells = {(y * 8 + x) * 3 + a for x, y in ((2, 3), (1, 3), (2, 4)) for a in range(3)}
    assert set(on_p3) == cells and len(on_p3) == 9


def test_border_cells_stay_inside():
    module, maps = head(grids=((4, 4), (2, 2), (1, 1)))
    predictions = module.decode(maps)
    corners = torch.tensor([[0.0, 0.0, 12.0, 12.0], [20.0, 20.0, 32.0, 32.0]])
    targets = Targets(torch.tensor([0, 0]), torch.tensor([0, 1]), corners)
    index = assign_by_anchor_ratio(predictions, targets).prediction_index
    assert 0 <= index.min() and index.max() < predictions.boxes.shape[1]


def test_no_targets_keeps_the_graph_alive():
    module, maps = head(batch=2)
    empty = Targets(torch.zeros(0, dtype=torch.long), torch.zeros(0, dtype=torch.long), torch.zeros(0, 4))
    parts = criterion_of()(module.decode(maps), empty).parts()
    sum(parts.values()).backward()
    assert parts["box"] == 0 and parts["cls"] == 0 and all(m.grad is not None for m in maps)


def test_ignored_regions_teach_nothing():
    """No gradient reaches the cells whose box could be centred in the region; all others and the targets learn."""
    module, maps = head(grids=((8, 8), (4, 4), (2, 2)), batch=2)
    targets = Targets(
        torch.tensor([0]),
        torch.tensor([1]),
        torch.tensor([[20.0, 20.0, 30.0, 34.0]]),
        torch.tensor([0]),
        torch.tensor([[17.0, 17.0, 39.0, 39.0]]),  # inside columns and rows 2..4 of P3
    )
    predictions = module.decode(maps)
    terms = criterion_of(image_size=64)(predictions, targets)
    sum(terms.parts().values()).backward()
    learns = maps[0].grad[..., 4].abs().sum(-1) > 0
    positive = torch.zeros(8, 8, dtype=torch.bool)
    assigned = assign_by_anchor_ratio(predictions, targets).prediction_index
    positive.view(-1)[assigned[assigned < 192] // 3] = True
    reach = torch.zeros(8, 8, dtype=torch.bool)
    reach[1:6, 1:6] = True  # half a cell further on each side: centres reach from -0.5 to 1.5 cells
    assert torch.equal(learns[0], positive | ~reach) and learns[1].all() and (positive & reach).any()
    assert terms.counts["obj"][0] == 2 * 192 - 3 * 25 + (assigned < 192).sum()


def test_regions_do_not_change_what_lies_elsewhere():
    module, maps = head(batch=2)
    predictions, targets = module.decode(maps), make_targets(GOLDENS["cases"][2]["targets"])
    far = Targets(targets.image_index, targets.labels, targets.boxes, torch.tensor([1]), torch.tensor([[0, 0, 9.0, 9]]))
    criterion = criterion_of()
    plain, with_region = criterion(predictions, targets), criterion(predictions, far)
    for name in ("box", "cls"):
        torch.testing.assert_close(plain.sums[name], with_region.sums[name], rtol=0, atol=0)
    assert (with_region.sums["obj"] < plain.sums["obj"]).all() and (
        with_region.counts["obj"] < plain.counts["obj"]
    ).all()


def test_one_class_has_no_class_loss():
    module, maps = head(classes=1)
    parts = criterion_of(classes=1)(module.decode(maps), make_targets([[0, 0.5, 0.5, 0.1, 0.1]]))
    assert parts.parts()["cls"] == 0


def test_batch_loss_is_the_sum_of_its_pictures_terms():
    """Sums and counts of two pictures add up: what several processes rely on."""
    module, maps = head(batch=2)
    maps = [torch.randn(m.shape, generator=torch.Generator().manual_seed(i)) for i, m in enumerate(maps)]
    rows = [GOLDENS["cases"][0]["targets"], GOLDENS["cases"][2]["targets"]]
    criterion = criterion_of()
    parts = [make_targets(r, image=i) for i, r in enumerate(rows)]
    both = Targets(*(torch.cat([getattr(p, n) for p in parts]) for n in ("image_index", "labels", "boxes")))
    together = criterion(module.decode(maps), both)
    alone = [criterion(module.decode([m[i : i + 1] for m in maps]), make_targets(r)) for i, r in enumerate(rows)]
    for name in together.sums:
        torch.testing.assert_close(together.sums[name], alone[0].sums[name] + alone[1].sums[name])
        torch.testing.assert_close(together.counts[name], alone[0].counts[name] + alone[1].counts[name])


def test_thirty_sgd_steps_lower_the_loss():
    torch.manual_seed(0)
    graph = build_graph(read_spec("cfg/models/idfe-net-n.yaml")).train()
    criterion = criterion_of(image_size=256)
    images = torch.rand(4, 3, 256, 256)
    targets = make_targets([[i % 5, 0.3 + 0.1 * i, 0.5, 0.2, 0.3] for i in range(4)], size=256)
    targets = Targets(torch.arange(4), targets.labels, targets.boxes)
    optimizer = torch.optim.SGD(graph.parameters(), lr=0.01, momentum=0.937, nesterov=True)
    totals = []
    for _ in range(30):
        total = sum(criterion(graph(images), targets).parts().values()) * len(images)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(total.item())
    assert totals[-1] < 0.8 * totals[0]


@pytest.mark.parametrize("weight", [1.0, 2.5])
def test_focal_gamma_0_is_the_cross_entropy(weight):
    truth = torch.linspace(0, 1, 25, dtype=torch.float64)
    plain = binary_cross_entropy_with_logits(LOGITS, truth, reduction="none", pos_weight=torch.tensor(weight))
    assert torch.equal(focal_bce(LOGITS, truth, 0.0, weight), plain)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("truth", [0.0, 1.0])
def test_focal_loss_of_the_paper(gamma, truth):
    """FL(p_t) = -alpha_t (1 - p_t)^gamma ln p_t."""
    for logit in (-3.0, -0.4, 0.0, 1.7):
        p = 1 / (1 + math.exp(-logit))
        p_t, alpha_t = (p, 0.25) if truth else (1 - p, 0.75)
        value = focal_bce(torch.tensor(logit).double(), torch.tensor(truth).double(), gamma)
        assert value.item() == pytest.approx(-alpha_t * (1 - p_t) ** gamma * math.log(p_t), rel=1e-6)


def test_focal_loss_of_a_truth_in_between():
    """Truth 0.8 at p 0.5: cross entropy ln 2, miss 0.5, alpha 0.8 x 0.25 + 0.2 x 0.75 = 0.35."""
    value = focal_bce(torch.tensor(0.0), torch.tensor(0.8), 2.0)
    assert value.item() == pytest.approx(math.log(2) * 0.25 * 0.35, rel=1e-6)


@pytest.mark.parametrize("gamma", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("truth", [0.0, 0.5, 1.0])
def test_focal_gradients(gamma, truth):
    logits = LOGITS.clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: focal_bce(x, torch.full_like(x, truth), gamma), logits, atol=1e-6)
    extreme = torch.tensor([-1e4, -200.0, 200.0, 1e4], requires_grad=True)
    focal_bce(extreme, torch.full_like(extreme, truth), gamma).sum().backward()
    assert extreme.grad.isfinite().all()
