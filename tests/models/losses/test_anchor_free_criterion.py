"""The anchor-free loss: focal and side losses and a whole case by hand, invariants of sums and counts."""

import math

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from models.graph.builder import build_graph
from models.heads.distances import distance_predictions
from models.losses.aligned_assignment import assign_aligned
from models.losses.anchor_free_criterion import FreeCriterion, distribution_focal, energy_loss, occupancy
from models.losses.iou import IOUS
from models.rows.model_spec import read_spec
from utils.config.config import Config, FreeAssignConfig, FreeLossConfig, LossConfig
from utils.values.batch import Targets

GRIDS, STRIDES = ((8, 8), (4, 4), (2, 2)), (8, 16, 32)


def raw(batch=1, classes=3, seed=0):
    g = torch.Generator().manual_seed(seed)
    distribution, logits = (torch.randn(batch, 84, *tail, generator=g) for tail in ((4, 8), (classes,)))
    return distribution.requires_grad_(), logits.requires_grad_()


def predict(tensors):
    return distance_predictions(*tensors, GRIDS, STRIDES)


def targets_of(rows, images=None):
    t = torch.tensor(rows, dtype=torch.float32).view(-1, 5)
    return Targets(torch.tensor(images or [0] * len(t)).long(), t[:, 0].long(), t[:, 1:])


def criterion_of(shared=None, loss=None):
    return FreeCriterion(shared or LossConfig(), loss or FreeLossConfig(), FreeAssignConfig())


SOME = [[0, 4, 6, 30, 40], [2, 33, 2, 37, 5], [1, 20, 20, 60, 62]]


def test_distribution_focal_by_hand():
    """Probabilities .1 .2 .3 .4, distance 1.25: -(.75 ln .2 + .25 ln .3)."""
    logits = torch.tensor([[0.1, 0.2, 0.3, 0.4]]).log()
    want = -(0.75 * math.log(0.2) + 0.25 * math.log(0.3))
    assert distribution_focal(logits, torch.tensor([1.25])).item() == pytest.approx(want, rel=1e-6)
    # a side inside the point counts as 0 cells, one beyond the last bin as just below it
    far = -(0.01 * math.log(0.3) + 0.99 * math.log(0.4))
    both = distribution_focal(logits.expand(2, 1, 4), torch.tensor([[-3.0], [70.0]]))
    assert both.flatten().tolist() == pytest.approx([-math.log(0.1), far], rel=1e-4)


def test_distribution_focal_is_least_at_the_truth():
    logits = torch.zeros(1, 8, requires_grad=True)
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        distribution_focal(logits, torch.tensor([2.3])).sum().backward()
        optimizer.step()
    assert (logits.softmax(-1) * torch.arange(8)).sum().item() == pytest.approx(2.3, abs=0.02)


def test_one_target_by_hand():
    """Even bins 0..7 put every P5 side 3.5 x 32 = 112 px away; the target is that box of the point (16, 16)."""
    distribution, logits = torch.zeros(1, 84, 4, 8), torch.full((1, 84, 2), -1.0)
    targets = targets_of([[1, 16 - 112, 16 - 112, 16 + 112, 16 + 112]])
    criterion = FreeCriterion(LossConfig(), FreeLossConfig(box=2, cls=3, dfl=5), FreeAssignConfig(topk=1))
    terms = criterion(predict((distribution, logits)), targets)
    background, positive = math.log(1 + math.exp(-1)), math.log(1 + math.exp(1))
    parts = {name: value.item() for name, value in terms.parts().items()}
    assert parts["box"] == pytest.approx(0, abs=1e-4)
    assert parts["cls"] == pytest.approx(3 * (167 * background + positive), rel=1e-5)
    assert parts["dfl"] == pytest.approx(5 * math.log(8), rel=1e-5)
    assert all(count.tolist() == pytest.approx([1.0]) for count in terms.counts.values())


def test_class_part_is_bce_against_the_soft_targets():
    tensors, targets = raw(), targets_of(SOME)
    predictions = predict(tensors)
    assigned = assign_aligned(predictions, targets, FreeAssignConfig())
    truth = torch.zeros_like(predictions.class_logits)
    truth[assigned.image_index, assigned.prediction_index, targets.labels[assigned.target_index]] = assigned.quality
    want = binary_cross_entropy_with_logits(predictions.class_logits, truth, reduction="sum") / truth.sum().clamp(min=1)
    parts = criterion_of(loss=FreeLossConfig(cls=1))(predictions, targets).parts()
    assert parts["cls"].item() == pytest.approx(want.item(), rel=1e-5)


@pytest.mark.parametrize("iou", IOUS)
def test_gradients_are_finite_and_reach_both_inputs(iou):
    tensors = raw()
    sum(criterion_of(LossConfig(iou=iou))(predict(tensors), targets_of(SOME)).parts().values()).backward()
    assert all(t.grad.isfinite().all() and t.grad.abs().sum() > 0 for t in tensors)


def test_batch_loss_is_the_sum_of_its_pictures_terms():
    """Sums and counts of pictures add up: what several processes rely on. The third has no targets."""
    tensors, criterion = raw(batch=3), criterion_of()
    together = criterion(predict(tensors), targets_of([SOME[0], SOME[1], SOME[2]], [0, 1, 0]))
    rows = [[SOME[0], SOME[2]], [SOME[1]], []]
    alone = [criterion(predict([t[i : i + 1] for t in tensors]), targets_of(r)) for i, r in enumerate(rows)]
    for name in ("box", "cls", "dfl"):
        torch.testing.assert_close(together.sums[name], sum(a.sums[name] for a in alone))
        torch.testing.assert_close(together.counts[name], sum(a.counts[name] for a in alone))


def test_no_targets_keeps_the_graph_alive():
    tensors = raw()
    parts = criterion_of()(predict(tensors), targets_of([])).parts()
    sum(parts.values()).backward()
    assert parts["box"] == 0 and parts["dfl"] == 0 and parts["cls"] > 0
    assert all(t.grad is not None for t in tensors)


def test_the_whole_network_learns():
    """The criterion that belongs to the head; its gradient reaches every parameter; 20 steps lower the loss."""
    torch.manual_seed(0)
    graph = build_graph(read_spec("cfg/models/idfe-net-free-n.yaml")).train()
    criterion = graph.head.criterion(Config())
    assert isinstance(criterion, FreeCriterion)
    images = torch.rand(2, 3, 64, 64)
    targets = targets_of([[0, 4, 6, 30, 40], [2, 33, 2, 37, 5], [4, 0, 0, 64, 60]], [0, 0, 1])
    optimizer = torch.optim.AdamW(graph.parameters(), lr=1e-3)
    silent, totals = None, []
    for _ in range(20):
        optimizer.zero_grad()
        total = sum(criterion(graph(images), targets).parts().values())
        total.backward()
        names = {n for n, p in graph.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0}
        silent = names if silent is None else silent & names
        optimizer.step()
        totals.append(total.item())
    # a squeeze of one ReLU unit can start dead (tests/models/graph/test_networks.py)
    assert {n for n in silent if "squeeze" not in n and "excite" not in n} == set()
    assert totals[-1] < 0.7 * totals[0]


def test_ignored_regions_teach_no_background():
    """No class logit of a point in the region learns, unless it answers for a target; all others do."""
    distribution, logits = raw(batch=2)
    plain = targets_of([[1, 4, 6, 30, 40]])
    region = torch.tensor([[15.0, 15.0, 41.0, 41.0]])
    targets = Targets(plain.image_index, plain.labels, plain.boxes, torch.tensor([0]), region)
    predictions = predict((distribution, logits))
    sum(criterion_of()(predictions, targets).parts().values()).backward()
    learns = logits.grad.abs().sum(-1) > 0
    inside = ((predictions.points > 15) & (predictions.points < 41)).all(-1)
    positive = torch.zeros_like(inside)
    positive[assign_aligned(predictions, targets, FreeAssignConfig()).prediction_index] = True
    assert torch.equal(learns[0], positive | ~inside) and learns[1].all()
    assert (inside & ~positive).any() and (inside & positive).any()


def boxes_on(*rows):
    """Targets from rows of picture, x1, y1, x2, y2."""
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 5)
    return Targets(table[:, 0].long(), torch.zeros(len(table), dtype=torch.long), table[:, 1:])


def test_occupancy_marks_every_cell_that_a_box_touches():
    marked = occupancy(boxes_on((0, 15, 1, 17, 3), (2, 0, 0, 32, 16)), torch.Size((3, 4, 2)), (64, 32))
    assert marked[0].nonzero().tolist() == [[0, 0], [0, 1]]  # cells of 16 px: the box straddles the border at 16
    assert not marked[1].any()
    assert marked[2].nonzero().tolist() == [[0, 0], [0, 1]]  # it ends where the next row begins


def test_energy_loss_by_hand():
    energy = torch.tensor([[[2.0, -1.0]], [[0.5, 0.5]]])
    loss = energy_loss(energy, boxes_on((0, 1, 1, 3, 3)), (16, 32))
    soft = [math.log1p(math.exp(x)) for x in (2.0, 1.0, -0.5)]  # E inside; -E outside
    assert loss.tolist() == pytest.approx([(soft[0] + soft[1]) / 2, soft[2] / 2])


def test_energy_loss_asks_for_low_energy_inside_and_high_outside():
    energy = torch.zeros(1, 2, 2, requires_grad=True)
    energy_loss(energy, boxes_on((0, 0, 0, 16, 16)), (32, 32)).sum().backward()
    assert energy.grad[0, 0, 0] > 0 and (energy.grad.flatten()[1:] < 0).all()
