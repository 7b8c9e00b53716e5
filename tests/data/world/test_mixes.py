"""The shares and classes of a world's defects."""

import numpy as np
import pytest

from data.defects.primitives import PRIMITIVES
from data.surfaces.materials import MATERIALS
from data.world.mixes import CLOSED, HELD_KINDS, MIXES, long_tail, mix_of
from data.world.picture import draw_picture


@pytest.mark.parametrize("name", MIXES)
def test_chances_and_classes_belong_together(name):
    mix = mix_of(name)
    assert mix.chances.shape == mix.labels.shape == (len(MATERIALS), len(PRIMITIVES))
    assert np.isclose(mix.chances.sum(), 1) and ((mix.chances > 0) == (mix.labels >= 0)).all()
    assert set(mix.labels[mix.labels >= 0].tolist()) == set(range(len(mix.names)))
    names = [name for row in mix.names for name in row]
    assert len(names) == len(set(names))


def test_what_the_open_mix_holds_back_is_nowhere_else():
    """Kinds, combinations and names of the parts are not in `open`; together they are all that there is."""
    parts = [mix_of(name).labels >= 0 for name in ("open", "open-combinations", "open-kinds")]
    whole = mix_of("kinds").labels >= 0
    assert (sum(part.astype(int) for part in parts) <= 1).all() and all(part.any() for part in parts)
    held = np.array([one.names[0] in HELD_KINDS for one in PRIMITIVES])
    assert held.sum() == len(HELD_KINDS) == len(mix_of("open-kinds").names)
    assert (parts[2] == whole & held).all() and (parts[0] | parts[1] == whole & ~held).all()
    share = parts[1].sum() / (whole & ~held).sum()
    assert 0.1 < share < 0.2 and mix_of("open").chances.sum(1).min() > 0
    words, said = mix_of("open-words"), {name for row in mix_of("open").names for name in row}
    assert all(len(row) == 1 and row[0] not in said for row in words.names)


def test_the_tail_is_that_of_the_figure():
    boxes = long_tail(CLOSED) * 1e6
    assert np.isclose(boxes.sum(), 1e6) and (np.diff(boxes) < 0).all()
    assert 28_000 < boxes[0] < 36_000 and 2_500 < boxes[99] < 3_500 and boxes[199] < 1_000 and boxes[-1] > 50


def test_the_closed_mix_is_drawn_with_its_chances():
    """What is asked for; small defects that nobody would see are fewer."""
    mix, counts = mix_of("closed"), np.zeros(CLOSED, int)
    for index in range(800):
        counts += np.bincount(draw_picture(0, index, 96, mix).labels, minlength=CLOSED)
    first, rest = counts[:50].sum() / counts.sum(), counts[200:].sum() / counts.sum()
    wanted = long_tail(CLOSED)
    assert abs(first - wanted[:50].sum()) < 0.06 and abs(rest - wanted[200:].sum()) < 0.03


def test_a_closed_class_names_what_was_drawn():
    mix, seen = mix_of("closed"), 0
    for index in range(40):
        picture = draw_picture(2, index, 96, mix)
        for defect, label in zip(picture.defects, picture.labels.tolist(), strict=True):
            assert mix.names[label] == (f"{picture.material} {PRIMITIVES[defect.kind].names[0]}",)
            seen += 1
    assert seen > 20
