"""Task-aligned assignment on cases worked out by hand, and its promises on random ones."""

import math
from dataclasses import replace

import pytest
import torch

from models.losses.aligned_assignment import assign_aligned
from utils.config.config import FreeAssignConfig
from utils.values.batch import Targets
from utils.values.boxes import pairwise_iou
from utils.values.predictions import BoxCode, Predictions

PLAIN = FreeAssignConfig(alpha=1.0, beta=1.0, floor=0.0)


def made(points, boxes, scores, strides=None) -> Predictions:
    """One picture's predictions from (A, 2), (A, 4) and (A, K) or, for a batch, (B, A, 4) and (B, A, K)."""
    points, boxes, scores = torch.tensor(points).float(), torch.tensor(boxes).float(), torch.tensor(scores).float()
    boxes, scores = (t if t.dim() == 3 else t[None] for t in (boxes, scores))
    strides = torch.full((len(points),), 8.0) if strides is None else torch.tensor(strides).float()
    return Predictions(BoxCode(boxes), torch.logit(scores), None, points, strides, (len(points),), ((1, len(points)),))


def truth(boxes, labels=None, images=None) -> Targets:
    boxes = torch.tensor(boxes, dtype=torch.float32).view(-1, 4)
    zeros = [0] * len(boxes)
    return Targets(torch.tensor(images or zeros).long(), torch.tensor(labels or zeros).long(), boxes)


def rows(assigned):
    """{(target, prediction): quality}"""
    keys = zip(assigned.target_index.tolist(), assigned.prediction_index.tolist(), strict=True)
    return dict(zip(keys, assigned.quality.tolist(), strict=True))


# Four points in a line; a box of every prediction; scores of classes 0 and 1.
LINE = made(
    points=[[4, 4], [12, 4], [20, 4], [28, 4]],
    boxes=[[0, 0, 8, 8], [0, 0, 16, 8], [16, 0, 24, 8], [16, 0, 32, 8]],
    scores=[[0.5, 0.1], [0.8, 0.1], [0.2, 0.9], [0.1, 0.5]],
)


def test_three_targets_by_hand():
    """A 0..16 of class 0: points 0 (IoU 1/2, t .25) and 1 (IoU 1, t .8). B 8..32 of class 1: points 1 (IoU 1/4,
    t .025), 2 (IoU 1/3, t .3), 3 (IoU 2/3, t 1/3). C 16..24 of class 0: point 2 (IoU 1, t .2). Point 1 goes to A,
    point 2 to C.
    """
    targets = truth([[0, 0, 16, 8], [8, 0, 32, 8], [16, 0, 24, 8]], [0, 1, 0])
    want = {(0, 1): 1.0, (0, 0): 0.25 / 0.8, (1, 3): 2 / 3, (2, 2): 1.0}
    got = rows(assign_aligned(LINE, targets, PLAIN))
    assert list(got) == list(want) and list(got.values()) == pytest.approx(list(want.values()), rel=1e-5)


def test_quality_divides_by_the_positives_that_are_left():
    """Target 1 loses its best candidate (point 2); its other is then its best, at that one's overlap."""
    targets = truth([[16, 0, 24, 8], [16, 0, 32, 8]], [1, 1])
    got = rows(assign_aligned(LINE, targets, replace(PLAIN, beta=0.0)))
    assert got == pytest.approx({(0, 2): 1.0, (1, 3): 1.0})


def test_exponents():
    targets = truth([[0, 0, 16, 8]])
    got = rows(assign_aligned(LINE, targets, FreeAssignConfig(floor=0.0)))
    assert got == pytest.approx({(0, 1): 1.0, (0, 0): math.sqrt(0.5 / 0.8) * 0.5**6})


def test_topk_keeps_the_best():
    targets = truth([[0, 0, 32, 8]])
    assert list(rows(assign_aligned(LINE, targets, replace(PLAIN, topk=2)))) == [(0, 1), (0, 0)]


def test_ties_go_to_the_lower_index():
    same = made([[4, 4], [12, 4], [20, 4]], [[0, 0, 24, 8]] * 3, [[0.5]] * 3)
    box = [0, 0, 24, 8]
    assert list(rows(assign_aligned(same, truth([box]), replace(PLAIN, topk=2)))) == [(0, 0), (0, 1)]
    # twins want the same two points: the first has both, then gives one back
    assert list(rows(assign_aligned(same, truth([box, box]), replace(PLAIN, topk=2)))) == [(0, 0), (1, 1)]


def test_a_point_on_the_edge_is_outside():
    got = rows(assign_aligned(LINE, truth([[4, 0, 20, 8]]), PLAIN))
    assert list(got) == [(0, 1)]


@pytest.mark.parametrize(
    ("box", "point"),
    [([7.5, 3, 8.4, 4], 0), ([9, 0, 10, 1], 1), ([100, 100, 101, 101], 3), ([7.5, 3.5, 8.5, 4.5], 0)],
)
def test_tiny_boxes_take_the_nearest_point(box, point):
    """Between points, far from all, and half-way between two (the lower index)."""
    got = rows(assign_aligned(LINE, truth([box]), FreeAssignConfig()))
    assert list(got) == [(0, point)] and got[0, point] == pytest.approx(0.3)


def test_a_tiny_box_around_a_coarse_point_has_a_fine_one_too():
    points, strides = [[4, 4], [12, 4], [4, 12], [12, 12], [8, 8]], [8, 8, 8, 8, 16]
    predictions = made(points, [[0, 0, 16, 16]] * 5, [[0.5]] * 5, strides)
    assert sorted(rows(assign_aligned(predictions, truth([[7, 7, 9.5, 9.5]]), PLAIN))) == [(0, 3), (0, 4)]


def test_a_defect_inside_a_larger_one_is_not_starved():
    """The large box overlaps every prediction better, yet the tiny one keeps the point nearest to it."""
    predictions = made([[4, 4], [12, 4], [20, 4]], [[0, 0, 24, 8]] * 3, [[0.9], [0.5], [0.5]])
    got = rows(assign_aligned(predictions, truth([[0, 0, 24, 8], [19, 3, 21, 5]]), FreeAssignConfig()))
    assert list(got) == [(0, 0), (0, 1), (1, 2)]
    # also where that point is the large box's best, but not where it is its only one
    got = rows(assign_aligned(predictions, truth([[0, 0, 24, 8], [3, 3, 5, 5]]), FreeAssignConfig()))
    assert list(got) == [(0, 1), (0, 2), (1, 0)]
    got = rows(assign_aligned(predictions, truth([[0, 0, 8, 8], [3, 3, 5, 5]]), FreeAssignConfig()))
    assert list(got) == [(0, 0)]


def test_no_targets():
    assigned = assign_aligned(LINE, truth([]), FreeAssignConfig())
    assert len(assigned) == 0 and len(assigned.quality) == 0 and assigned.image_index.dtype == torch.int64


def crowded(batch=3, grid=12, targets=200, classes=4, seed=0):
    g = torch.Generator().manual_seed(seed)
    points = torch.stack(torch.meshgrid(*[torch.arange(grid) * 8.0 + 4] * 2, indexing="xy"), -1).view(-1, 2)
    size = torch.rand(batch, len(points), 2, generator=g) * 40 + 1
    boxes = torch.cat((points - size / 2, points + size / 2), -1)
    logits = torch.randn(batch, len(points), classes, generator=g)
    predictions = Predictions(
        BoxCode(boxes), logits, None, points, torch.full((len(points),), 8.0), (len(points),), ((grid, grid),)
    )
    corner = torch.rand(targets, 2, generator=g) * grid * 8
    truth_boxes = torch.cat((corner, corner + torch.rand(targets, 2, generator=g).square() * 40 + 0.5), -1)
    image, label = (torch.randint(n, (targets,), generator=g) for n in (batch, classes))
    return predictions, Targets(image, label, truth_boxes)


def test_promises_in_a_crowd():
    predictions, targets = crowded(targets=60)
    assigned = assign_aligned(predictions, targets, FreeAssignConfig())
    keys = assigned.image_index * 1000 + assigned.prediction_index
    assert len(keys.unique()) == len(keys), "a prediction answers for one target"
    assert torch.equal(assigned.image_index, targets.image_index[assigned.target_index])
    assert torch.bincount(assigned.target_index).max() <= 10
    assert (assigned.quality >= 0).all() and (assigned.quality <= 1).all()
    for t in assigned.target_index.unique().tolist():
        mine = assigned.target_index == t
        image = int(targets.image_index[t])
        best = pairwise_iou(predictions.boxes[image, assigned.prediction_index[mine]], targets.boxes[t : t + 1]).max()
        assert assigned.quality[mine].max().item() == pytest.approx(max(best.item(), 0.3), abs=1e-5)


def test_only_targets_without_a_point_of_their_own_go_without():
    """In a crowd of boxes down to half a pixel, those left out have a nearest point that answers for another."""
    predictions, targets = crowded()
    assigned = assign_aligned(predictions, targets, FreeAssignConfig())
    positives = torch.bincount(assigned.target_index, minlength=len(targets))
    owner = torch.full(predictions.class_logits.shape[:2], -1)
    owner[assigned.image_index, assigned.prediction_index] = assigned.target_index
    left_out = (positives == 0).nonzero().flatten().tolist()
    assert 0 < len(left_out) < len(targets) / 5
    for t in left_out:
        offset = predictions.points - (targets.boxes[t, :2] + targets.boxes[t, 2:]) / 2
        nearest = offset.square().sum(-1).argmin()
        assert owner[targets.image_index[t], nearest] >= 0


def test_chunks_change_nothing(monkeypatch):
    predictions, targets = crowded()
    whole = assign_aligned(predictions, targets, FreeAssignConfig())
    monkeypatch.setattr("models.losses.aligned_assignment.PAIRS_AT_ONCE", 7 * len(predictions.points))
    parts = assign_aligned(predictions, targets, FreeAssignConfig())
    for name in ("image_index", "prediction_index", "target_index", "quality"):
        assert torch.equal(getattr(whole, name), getattr(parts, name))


def test_order_of_the_pictures_changes_nothing():
    predictions, targets = crowded(batch=2)
    whole = rows(assign_aligned(predictions, targets, FreeAssignConfig()))
    for image in (0, 1):
        mine = (targets.image_index == image).nonzero().flatten()
        alone = Targets(torch.zeros_like(mine), targets.labels[mine], targets.boxes[mine])
        one = replace(
            predictions,
            code=BoxCode(predictions.boxes[image : image + 1]),
            class_logits=predictions.class_logits[image : image + 1],
        )
        got = rows(assign_aligned(one, alone, FreeAssignConfig()))
        assert {(mine[t].item(), p): q for (t, p), q in got.items()} == {k: q for k, q in whole.items() if k[0] in mine}
