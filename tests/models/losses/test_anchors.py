"""AutoAnchor: recall by brute force, planted clusters found, the same every time, never worse than before."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.graph.builder import build_graph
from models.losses.anchor_criterion import assign_by_anchor_ratio
from models.losses.anchors import best_possible_recall, evolve, fit_anchors, fitness, kmeans, refit, split_over_levels
from models.rows.model_spec import read_spec
from utils.values.batch import Targets

PLANTED = np.array([[3, 60], [60, 3], [8, 8], [20, 5], [5, 20], [40, 40], [100, 30], [30, 100], [200, 200]], float)
USUAL = np.array([[[10, 13], [16, 30], [33, 23]], [[30, 61], [62, 45], [59, 119]], [[116, 90], [156, 198], [373, 326]]])


def scattered(centres=PLANTED, each=60, spread=0.05, seed=1):
    rng = np.random.default_rng(seed)
    return np.repeat(centres, each, axis=0) * np.exp(rng.normal(0, spread, (each * len(centres), 2)))


def brute_recall(sizes, anchors, max_ratio):
    hits = 0
    for w, h in sizes:
        hits += any(max(w / a, a / w, h / b, b / h) < max_ratio for a, b in anchors)
    return hits / len(sizes)


@given(st.integers(0, 10_000), st.sampled_from([1.5, 2.0, 4.0]))
def test_recall_by_brute_force(seed, max_ratio):
    rng = np.random.default_rng(seed)
    sizes, anchors = (np.exp(rng.normal(3, 1.5, (n, 2))) for n in (40, 5))
    assert best_possible_recall(sizes, anchors, max_ratio) == pytest.approx(brute_recall(sizes, anchors, max_ratio))


def test_recall_is_what_the_assigner_can_reach():
    """A box counts exactly when some anchor of the narrow net would be given it."""
    graph = build_graph(read_spec("cfg/models/idfe-net-n.yaml")).eval()
    sizes = torch.tensor([[2.6, 3.4], [2.4, 13.0], [100.0, 100.0], [250.0, 20.0], [40.1, 13.0]])
    boxes = torch.cat((160 - sizes / 2, 160 + sizes / 2), 1)
    with torch.no_grad():
        predictions = graph(torch.zeros(1, 3, 320, 320))
    index = torch.zeros(len(boxes), dtype=torch.long)
    assigned = assign_by_anchor_ratio(predictions, Targets(index, index, boxes), 4.0)
    reached = len(assigned.target_index.unique()) / len(boxes)
    assert best_possible_recall(sizes.numpy(), USUAL.reshape(-1, 2), 4.0) == pytest.approx(reached)
    assert 0 < reached < 1


def test_kmeans_finds_planted_clusters():
    found = kmeans(np.log(scattered()), 9, np.random.default_rng(0))
    distance = np.abs(np.log(PLANTED)[:, None] - found).max(-1)
    assert sorted(distance.argmin(1)) == list(range(9)) and distance.min(1).max() < 0.05


def test_fit_finds_planted_clusters_in_order_of_area():
    sizes = scattered()
    anchors = fit_anchors(sizes, 9, 4.0, np.random.default_rng(0))
    ratio = np.exp(np.abs(np.log(PLANTED)[:, None] - np.log(anchors)).max(-1))
    assert ratio.min(1).max() < 1.15 and best_possible_recall(sizes, anchors, 1.4) == 1
    assert (np.diff(anchors.prod(1)) >= 0).all()


def test_the_generator_alone_decides():
    sizes = scattered(spread=0.5)
    one, two, other = (fit_anchors(sizes, 9, 4.0, np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert (one == two).all() and (one != other).any()


def test_evolution_never_loses_fitness():
    sizes = scattered(spread=0.7)
    start = USUAL.reshape(-1, 2).astype(float)
    assert fitness(sizes, evolve(sizes, start, 4.0, np.random.default_rng(0)), 4.0) >= fitness(sizes, start, 4.0)


@pytest.mark.parametrize("sizes", [scattered(), scattered(PLANTED[:1], 3, 0.0), np.array([[1.0, 1.0]])])
def test_refit_reaches_more(sizes):
    """Also with fewer different boxes than anchors."""
    fit = refit(sizes, USUAL, [8, 16, 32], 4.0, 0)
    assert fit.before <= 0.98 and fit.after == 1 > fit.before and "now 100.0%" in fit.words(4.0)
    anchors = np.array(fit.rows).reshape(-1, 2)
    assert best_possible_recall(sizes, anchors, 4.0) == fit.after and np.array(fit.rows).shape == (3, 6)


def test_good_anchors_stay():
    sizes = scattered(USUAL.reshape(-1, 2))
    fit = refit(sizes, USUAL, [8, 16, 32], 4.0, 0)
    assert fit.rows is None and fit.before == 1 and "100.0% of 540 boxes" in fit.words(4.0)


@settings(max_examples=15)
@given(st.integers(0, 10_000))
def test_never_worse_than_before(seed):
    """Boxes of all sizes, a max_ratio that few anchors satisfy: what is kept reaches at least as many."""
    rng = np.random.default_rng(seed)
    sizes, anchors = np.exp(rng.normal(3, 1.5, (30, 2))), np.exp(rng.normal(3, 1.5, (1, 2, 2)))
    fit = refit(sizes, anchors, [8], 1.3, 0)
    kept = anchors.reshape(-1, 2) if fit.rows is None else np.array(fit.rows).reshape(-1, 2)
    assert best_possible_recall(sizes, kept, 1.3) >= best_possible_recall(sizes, anchors.reshape(-1, 2), 1.3)


def test_levels_in_order_of_stride():
    anchors = np.arange(12.0).reshape(6, 2)
    assert split_over_levels(anchors, [8, 16, 32]) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]
    assert split_over_levels(anchors, [32, 8, 16]) == [[8, 9, 10, 11], [0, 1, 2, 3], [4, 5, 6, 7]]
