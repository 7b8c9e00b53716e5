"""Parts that end in the picture: defects lie on them, and what belongs on them is no defect."""

import numpy as np
import pytest

from data.defects.primitives import PRIMITIVES
from data.surfaces.features import FEATURES
from data.surfaces.materials import MATERIALS
from data.surfaces.workpiece import LEAST, OUTLINES, cut_out
from data.world.picture import add_defect

SIZE = 128


def plain(seed: int):
    return MATERIALS["rolled steel"](np.random.default_rng(seed), SIZE)


@pytest.mark.parametrize("outline", OUTLINES, ids=lambda one: one.__name__)
def test_outlines_are_drawn_whole(outline):
    """Mostly full or empty: their soft edge is a small part."""
    covers = [outline(np.random.default_rng(seed), SIZE) for seed in range(20)]
    for cover in covers:
        assert cover.shape == (SIZE, SIZE) and cover.dtype == np.uint8
        assert ((cover == 0) | (cover == 255)).mean() > 0.85
    assert np.mean([LEAST < (cover > 127).mean() < 1 for cover in covers]) > 0.7


def test_a_part_keeps_its_surface_and_has_something_plain_around_it():
    for seed in range(20):
        rng, surface = np.random.default_rng(seed), plain(seed)
        part = cut_out(rng, surface)
        assert part.body is not None and part.body.mean() > LEAST - 0.05
        assert np.isfinite(part.colour).all() and part.colour.shape == surface.colour.shape
        inner = part.body & (np.abs(part.colour - surface.colour).max(2) < 0.01)
        assert inner.sum() > 0.3 * part.body.sum(), "away from the edge nothing changed"


def test_defects_lie_on_the_part():
    kinds = [kind for kind, one in enumerate(PRIMITIVES) if not one.on or "rolled steel" in one.on]
    drawn = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        part = cut_out(rng, plain(seed))
        before = part.colour.copy()
        defect = add_defect(rng, part, int(rng.choice(kinds)), np.zeros((SIZE, SIZE), bool), 0.5)
        if defect is not None and part.body is not None:
            change = np.abs(part.colour - before).max(2)
            assert change[part.body].max() > 0 and not change[~part.body].any()
            drawn += 1
    assert drawn > 20


@pytest.mark.parametrize("feature", FEATURES, ids=lambda one: one.__name__)
def test_features_are_seen_and_the_same_again(feature):
    changed = 0
    for seed in range(12):
        one, two = plain(seed), plain(seed)
        before = one.colour.copy()
        feature(np.random.default_rng(seed), one)
        feature(np.random.default_rng(seed), two)
        assert np.array_equal(one.colour, two.colour) and np.isfinite(one.colour).all() and one.colour.min() >= 0
        changed += np.abs(one.colour - before).max() > 0.1
    assert changed >= 10
