"""Weighted box fusion against the published algorithm, written down once more as plainly as it is stated."""

import numpy as np
import pytest
import torch

from models.inference.box_fusion import fuse
from models.inference.nms import NMSConfig


def overlap(one, two):
    width, height = (min(one[k + 2], two[k + 2]) - max(one[k], two[k]) for k in (0, 1))
    inner = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, two)]
    return inner / max(sum(areas) - inner, 1e-9)


class Cluster:
    """Members are (box, score, label, look)."""

    def __init__(self, member):
        self.members = [member]

    @property
    def box(self):
        weight = sum(score for _, score, _, _ in self.members)
        return [sum(score * box[k] for box, score, _, _ in self.members) / weight for k in range(4)]

    @property
    def label(self):
        return self.members[0][2]

    def takes(self, member, agnostic):
        alike = agnostic or member[2] == self.label
        return alike and member[3] not in [look for *_, look in self.members]

    def score(self, looks):
        """The mean times the part of the looks that saw it."""
        scores = [score for _, score, _, _ in self.members]
        return sum(scores) / len(scores) * len(scores) / looks


def plainly_fused(rows, looks, cfg):
    clusters = []
    for row in sorted(rows, key=lambda row: -row[1]):
        fitting = [one for one in clusters if one.takes(row, cfg.agnostic)]
        best = max(fitting, key=lambda one: overlap(one.box, row[0]), default=None)
        if best is not None and overlap(best.box, row[0]) > cfg.iou:
            best.members.append(row)
        else:
            clusters.append(Cluster(row))
    clusters.sort(key=lambda one: -one.score(looks))
    return clusters[: cfg.max_det]


def fused(rows, looks, cfg):
    columns = [list(column) for column in zip(*rows, strict=True)]
    boxes, scores = torch.tensor(columns[0]), torch.tensor(columns[1])
    return fuse(boxes, scores, torch.tensor(columns[2]), torch.tensor(columns[3]), looks, cfg)


def drawn(seed, looks):
    """Some things, of which each look sees most, and not quite where they are."""
    rng, rows = np.random.default_rng(seed), []
    for _ in range(int(rng.integers(1, 8))):
        corner = rng.uniform(0, 60, 2)
        thing, label = np.concatenate((corner, corner + rng.uniform(10, 40, 2))), int(rng.integers(2))
        for look in range(looks):
            for _ in range(int(rng.choice([0, 1, 1, 1, 2]))):
                box = (thing + rng.normal(0, 2, 4)).astype(np.float32)
                other = label if rng.random() < 0.9 else 1 - label
                rows.append((box.tolist(), float(np.float32(rng.uniform(0.01, 1))), other, look))
    rng.shuffle(rows)
    return rows or [([0.0, 0.0, 1.0, 1.0], 0.5, 0, 0)]


@pytest.mark.parametrize("looks", [2, 3, 5])
@pytest.mark.parametrize("cfg", [NMSConfig(iou=0.55), NMSConfig(iou=0.6, agnostic=True), NMSConfig(iou=0.3, max_det=4)])
def test_it_is_the_published_algorithm(looks, cfg):
    several = 0
    for seed in range(40):
        rows = drawn(seed, looks)
        boxes, scores, labels = fused(rows, looks, cfg)
        want = plainly_fused(rows, looks, cfg)
        np.testing.assert_allclose(scores.numpy(), [one.score(looks) for one in want], rtol=1e-4)
        np.testing.assert_allclose(boxes.numpy(), [one.box for one in want], rtol=1e-3, atol=1e-3)
        assert labels.tolist() == [one.label for one in want]
        several += sum(len(one.members) > 1 for one in want)
    assert several > 40


def test_what_all_looks_agree_on_keeps_its_score_and_what_one_saw_loses_the_others_part():
    box, other = [10.0, 10, 30, 30], [50.0, 50, 70, 80]
    rows = [(box, score, 0, look) for look, score in enumerate((0.9, 0.6, 0.3))] + [(other, 0.9, 0, 1)]
    boxes, scores, _ = fused(rows, 3, NMSConfig())
    assert scores.tolist() == pytest.approx([0.6, 0.3]) and boxes.tolist() == [pytest.approx(box), pytest.approx(other)]


def test_a_sure_look_says_more_of_where_the_box_ends():
    rows = [([0.0, 0, 10, 10], 0.75, 0, 0), ([0.0, 0, 14, 10], 0.25, 0, 1)]
    boxes, scores, _ = fused(rows, 2, NMSConfig(iou=0.5))
    assert boxes.tolist() == [pytest.approx([0, 0, 11, 10])] and scores.tolist() == pytest.approx([0.5])


def test_two_boxes_of_one_look_are_two_things():
    rows = [([0.0, 0, 10, 10], 0.9, 0, 0), ([0.0, 0, 10, 10], 0.8, 0, 0), ([0.0, 0, 10, 10], 0.7, 0, 1)]
    _, scores, _ = fused(rows, 2, NMSConfig())
    assert scores.tolist() == pytest.approx([0.8, 0.4])


def test_other_classes_stay_apart_unless_classes_do_not_matter():
    rows = [([0.0, 0, 10, 10], 0.9, 4, 0), ([0.0, 0, 10, 10], 0.7, 2, 1)]
    assert fused(rows, 2, NMSConfig())[2].tolist() == [4, 2]
    _, scores, labels = fused(rows, 2, NMSConfig(agnostic=True))
    assert labels.tolist() == [4] and scores.tolist() == pytest.approx([0.8])


def test_the_order_of_the_boxes_does_not_matter():
    for seed in range(20):
        rows, rng = drawn(seed, 3), np.random.default_rng(seed)
        want = fused(rows, 3, NMSConfig(iou=0.5))
        rng.shuffle(rows)
        assert all(torch.equal(one, two) for one, two in zip(want, fused(rows, 3, NMSConfig(iou=0.5)), strict=True))


def test_the_best_candidates_and_the_best_of_the_result_are_kept():
    rows = [([20.0 * k, 0, 20 * k + 10, 10], 0.9 - 0.1 * k, 0, k % 2) for k in range(6)]
    for cfg in (NMSConfig(max_det=2), NMSConfig(max_candidates=2)):
        assert fused(rows[::-1], 2, cfg)[1].tolist() == pytest.approx([0.45, 0.4])


def test_nothing_found_is_nothing():
    none = torch.zeros(0, dtype=torch.int64)
    boxes, scores, labels = fuse(torch.zeros(0, 4), torch.zeros(0), none, none, 2, NMSConfig())
    assert boxes.shape == (0, 4) and len(scores) == len(labels) == 0 and labels.dtype == torch.int64
