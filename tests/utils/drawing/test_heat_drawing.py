"""The heat of a box on its picture, and as a PNG to lie over it."""

import cv2
import numpy as np
import pytest

from utils.drawing.box_drawing import BoxStyle
from utils.drawing.colours import class_colour
from utils.drawing.heat_drawing import draw_heat, heat_caption, heat_png
from utils.values.heat import Heat

PLAIN = BoxStyle(line_width=2, hide_labels=True)


def heat(values, area, size, box=(100.0, 60.0, 140.0, 90.0), numbers=(0.8, 0.2, 0.6, 0.0)):
    return Heat(np.array(values, np.float32), area, size, box, 1, *numbers)


def one_hot(shape, row, column):
    values = np.zeros(shape, np.float32)
    values[row, column] = 1
    return values


def changed(drawn, before=100):
    return np.abs(drawn.astype(int) - before).max(2) > 30


def test_what_pixels_bring_adds_up():
    """Inside: 0.6 more than the rest alone, 0.6 more than nothing; outside: 0.2 and 0.2."""
    one = heat([[0.0]], (0, 0, 1, 1), (1, 1))
    assert one.inside == pytest.approx(0.75) and one.outside == pytest.approx(0.25)
    faint = heat([[0.0]], (0, 0, 1, 1), (1, 1), numbers=(0.5, 0.7, 0.1, 0.1))  # better without
    assert faint.inside == 0 and faint.outside == 1
    assert heat([[0.0]], (0, 0, 1, 1), (1, 1), numbers=(0.0, 0.0, 0.0, 0.0)).inside == 0


def test_the_caption_says_where_the_score_comes_from():
    one = heat([[0.0]], (0, 0, 1, 1), (1, 1))
    assert heat_caption("scratch", 0.834, one) == "scratch 0.83; 0.75 of it from inside the box"
    none = heat([[0.0]], (0, 0, 1, 1), (1, 1), numbers=(0.0, 0.0, 0.0, 0.0))
    assert heat_caption("scratch", 0.834, none) == "scratch 0.83; not found in this view alone"


def test_the_png_is_of_the_whole_picture_clear_where_nothing_matters():
    """The heat is of the area 100..200, 50..100 of a picture of 400 x 200 px, shown at half its size."""
    shown = heat(one_hot((5, 10), 1, 2), (100, 50, 200, 100), (200, 400))
    data = heat_png(shown, (100, 200))
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert data[:4] == b"\x89PNG" and image.shape == (100, 200, 4)
    rows, columns = np.nonzero(image[..., 3] > 100)
    # cell (1, 2) of 10 px: 120..130, 60..70 of the picture, its middle at 62.5, 32.5 of what is shown
    assert columns.mean() + 0.5 == pytest.approx(62.5, abs=0.3) and rows.mean() + 0.5 == pytest.approx(32.5, abs=0.3)
    assert image[..., 3].max() == 153 and (image[..., 3] > 0).sum() < 110
    blue, _, red, _ = image[32, 62].tolist()
    assert red > 80 > blue  # OpenCV's order was kept


def test_a_small_picture_is_drawn_whole_and_enlarged():
    shown = heat(one_hot((120, 200), 75, 120), (0, 0, 200, 120), (120, 200))
    before = np.full((120, 200, 3), 100, np.uint8)
    drawn = draw_heat(before, shown, "", PLAIN)
    assert drawn.shape == (288, 480, 3) and drawn.dtype == np.uint8 and (before == 100).all()
    hot = changed(drawn[150:210, 250:326])  # inside the box at 240..336, 144..216
    rows, columns = np.nonzero(hot)
    assert columns.mean() + 250.5 == pytest.approx(120.5 * 2.4, abs=1)
    assert rows.mean() + 150.5 == pytest.approx(75.5 * 2.4, abs=1)
    assert tuple(drawn[142, 288]) == class_colour(1) and tuple(drawn[180, 239]) == class_colour(1)
    assert not changed(drawn[:, :230]).any()


def test_of_a_large_picture_what_lies_around_the_box_is_drawn():
    """The box is 100 x 40 px, so that 400 px around its middle at 1000, 700 are drawn, from 800, 500 on."""
    values = one_hot((100, 200), 70, 100)  # cells of 10 px
    shown = heat(values, (0, 0, 2000, 1000), (1000, 2000), (950.0, 680.0, 1050.0, 720.0))
    image = np.full((1000, 2000, 3), 100, np.uint8)
    drawn = draw_heat(image, shown, "", PLAIN)
    assert drawn.shape == (480, 480, 3)
    assert tuple(drawn[round(180 * 1.2) - 1, 240]) == class_colour(1)
    rows, columns = np.nonzero(changed(drawn[220:260, 185:295]))
    assert (columns.mean() + 185.5, rows.mean() + 220.5) == pytest.approx((205 * 1.2, 205 * 1.2), abs=1)
    # the same of a picture that was shrunk to be drawn on: 240 px around the box, its least, are all the picture has
    small = draw_heat(image[::4, ::4], shown, "", PLAIN)
    rows, columns = np.nonzero(changed(small))
    assert small.shape == (480, 480, 3) and small[..., 0].std() > 0


def test_a_long_box_is_drawn_smaller_and_planes_that_are_one_are_taken():
    plane = np.full((3000, 4000, 1), 100, np.uint8)
    image = np.broadcast_to(plane, (3000, 4000, 3))
    shown = heat(one_hot((30, 40), 15, 20), (0, 0, 4000, 3000), (3000, 4000), (10.0, 1400.0, 3900.0, 1600.0))
    drawn = draw_heat(image, shown, "oil 0.8", BoxStyle())
    assert drawn.shape == (1200, 1600, 3)


@pytest.mark.parametrize(("size", "axis"), [((100, 240), 0), ((200, 240), 1), ((240, 100), 1)])
def test_the_same_part_as_it_is_comes_first(size, axis):
    image = np.linspace(0, 250, size[0] * size[1] * 3).reshape(*size, 3).astype(np.uint8)
    shown = heat(np.ones((4, 4)), (0, 0, size[1], size[0]), size, (0.0, 0.0, 30.0, 30.0))
    alone, both = (draw_heat(image, shown, "oil", PLAIN, beside=beside) for beside in (False, True))
    bare, drawn = np.split(both, 2, axis)
    assert np.array_equal(drawn, alone) and bare.shape == drawn.shape
    assert np.abs(cv2.resize(bare, size[::-1], interpolation=cv2.INTER_AREA).astype(int) - image).max() <= 2


def test_heat_at_the_edges_and_outside_its_area():
    """A box at the corner; the heat's area ends before the picture does, and nothing is drawn there."""
    shown = heat(np.ones((4, 4)), (0, 0, 100, 100), (240, 240), (0.0, 0.0, 30.0, 30.0))
    drawn = draw_heat(np.full((240, 240, 3), 100, np.uint8), shown, "", PLAIN)
    hot = changed(drawn)
    assert hot[70:190, 70:190].all() and not hot[230:].any() and not hot[:, 230:].any()
