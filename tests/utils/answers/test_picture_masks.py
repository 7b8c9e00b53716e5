import numpy as np
import pytest

from tests.utils.answers.answer_cases import found
from utils.questions.question import Trait
from utils.values.masks import decode_mask

SIDE = 100


def masked(*masks, box=(0, 0, SIDE, SIDE)):
    rows = [(list(box), 0.9 - k / 100, 0) for k in range(len(masks))]
    return found(*rows, size=(SIDE, SIDE), masks=masks)


def block(y1, y2, x1, x2):
    mask = np.zeros((SIDE, SIDE), bool)
    mask[y1:y2, x1:x2] = True
    return mask


def disc(radius):
    y, x = np.mgrid[:SIDE, :SIDE]
    return (x - 50) ** 2 + (y - 50) ** 2 <= radius**2


def test_a_scratch_from_corner_to_corner_is_long_and_its_box_is_not():
    """100 pixels one behind the other: their centres are 99 * sqrt 2 apart, and a pixel is added for the edges."""
    things = masked(np.eye(SIDE, dtype=bool))
    assert things.elongation() == pytest.approx(99 * 2**0.5 + 1)
    assert things.shape(0) == "elongated" and things.has(Trait.ELONGATED).all() and not things.has(Trait.ROUND).any()
    assert found(([0, 0, SIDE, SIDE], 0.9, 0)).shape(0) == "round", "the same box without a mask"


@pytest.mark.parametrize(("height", "width"), [(2, 4), (1, 3), (10, 29), (3, 3), (1, 1)])
def test_a_mask_that_fills_its_box_is_as_long_as_it(height, width):
    things = masked(block(20, 20 + height, 30, 30 + width))
    assert things.elongation() == pytest.approx(width / height)


def test_round_is_what_fills_its_box_as_a_disc_does():
    assert masked(disc(20), box=(30, 30, 71, 71)).shape(0) == "round"
    assert masked(block(30, 70, 30, 70), box=(30, 30, 70, 70)).shape(0) == "irregular", "a square fills all of it"
    y, x = np.mgrid[:SIDE, :SIDE]
    diamond = abs(x - 50) + abs(y - 50) <= 20
    assert masked(diamond, box=(30, 30, 71, 71)).shape(0) == "irregular", "half of it"


def test_areas_are_those_of_masks_and_what_overlaps_counts_once():
    """Two blocks of 20 x 10 and 10 x 20 px that share 10 x 10: 200 each, 300 together; the boxes would cover all."""
    things = masked(block(0, 10, 0, 20), block(0, 20, 0, 10))
    assert things.areas().tolist() == [200, 200] and things.covered() == 300
    assert things.in_unit(np.array(things.covered()), "%") == 3
    assert things.at(np.array([1])).covered() == 200
    assert things.at(np.zeros(0, int)).covered() == 0


def test_an_empty_mask_covers_nothing_and_has_no_shape():
    things = masked(np.zeros((SIDE, SIDE), bool))
    assert things.areas().tolist() == [0] and things.covered() == 0 and things.shape(0) == "irregular"


def test_masks_stay_with_their_boxes():
    """Given with the worst first."""
    masks = [block(0, k, 0, k) for k in (3, 5, 7)]
    things = found(*(([0, 0, k, k], score, 0) for k, score in ((3, 0.2), (5, 0.9), (7, 0.5))), masks=masks)
    assert things.scores.tolist() == [0.9, 0.5, 0.2]
    assert things.areas().tolist() == things.sides().prod(1).tolist() == [25, 49, 9]
    last = things.at(things.scores < 0.3)
    assert len(last.masks) == 1 and decode_mask(last.masks[0]).sum() == 9
