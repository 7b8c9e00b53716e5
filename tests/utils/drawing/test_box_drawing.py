import numpy as np
import pytest

from utils.drawing import contact_sheet, fonts
from utils.drawing.box_drawing import BoxStyle, Marks, box_caption, draw_boxes, draw_marks
from utils.drawing.colours import class_colour

GREY = 120
BARE = BoxStyle(hide_labels=True)


def blank(height: int = 200, width: int = 200) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def one_box(box: list[float], caption: str = "scratch 0.87", style: BoxStyle | None = None, size=(200, 200)):
    boxes = np.array([box], np.float32)
    return draw_boxes(blank(*size), boxes, [caption], [(255, 0, 0)], style or BoxStyle())


def changed(picture: np.ndarray) -> np.ndarray:
    return (picture != GREY).any(2)


@pytest.mark.parametrize("line", [None, 1, 3, 7])
@pytest.mark.parametrize("box", [[98, 90, 102, 94], [30.4, 40.6, 33.2, 41.1], [50, 60, 120, 150]])
def test_line_and_caption_leave_the_inside_alone(box, line):
    picture = one_box(box, style=BoxStyle(line_width=line))
    (x1, y1), (x2, y2) = np.floor(box[:2]).astype(int), np.ceil(box[2:]).astype(int)
    assert not changed(picture)[y1:y2, x1:x2].any()
    assert changed(picture).any()


def test_line_touches_the_box_on_all_sides():
    seen = changed(one_box([98, 90, 102, 94], style=BARE))
    assert seen[89, 97:103].all() and seen[94, 97:103].all()
    assert seen[89:95, 97].all() and seen[89:95, 102].all()
    assert seen.sum() == 6 * 6 - 4 * 4


def test_float32_noise_costs_no_pixel():
    exact = one_box([98, 90, 102, 94], style=BARE)
    noisy = one_box([97.99999, 90.00001, 102.00001, 93.99999], style=BARE)
    assert (exact == noisy).all()


def test_box_of_the_whole_picture_is_visible():
    seen = changed(one_box([0, 0, 200, 200], style=BARE))
    assert seen[0].all() and seen[-1].all() and seen[:, 0].all() and seen[:, -1].all()
    assert not seen[4:-4, 4:-4].any()


@pytest.mark.parametrize("x", [0, 90, 185])
@pytest.mark.parametrize("y", [0, 90, 185])
def test_caption_stays_inside_the_picture(x, y):
    """It fills the same number of pixels everywhere, so nothing of it was cut off."""
    box = [x, y, x + 15, y + 15]
    only_caption = changed(one_box(box)) & ~changed(one_box(box, style=BARE))
    rows, columns = np.flatnonzero(only_caption.any(1)), np.flatnonzero(only_caption.any(0))
    middle = changed(one_box([90, 90, 105, 105])) & ~changed(one_box([90, 90, 105, 105], style=BARE))
    assert only_caption.sum() >= middle.sum() > 300
    assert only_caption[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() > 0.9


def test_captions_of_near_boxes_do_not_cover_each_other():
    boxes = np.array([[60, 90, 80, 110], [64, 92, 84, 112], [62, 88, 82, 108]], np.float32)
    colours = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    picture = draw_boxes(blank(), boxes, ["aaaaaaaa"] * 3, colours, BoxStyle(line_width=1))
    areas = [(picture == colour).all(2).sum() for colour in colours]
    assert min(areas) > 0.7 * max(areas)


def test_input_is_not_changed_and_nothing_to_draw_is_a_copy():
    image = blank()
    same = draw_boxes(image, np.zeros((0, 4)), [], [], BoxStyle())
    assert (same == image).all() and same is not image
    draw_boxes(image, np.array([[1, 1, 9, 9]]), ["a"], [(1, 2, 3)], BoxStyle())
    assert (image == GREY).all()


@pytest.mark.parametrize(
    "box",
    [[np.nan, 0, 5, 5], [0, 0, np.inf, 5], [300, 10, 310, 20], [-30, -30, -5, -5], [50, 50, 40, 40]],
)
def test_impossible_boxes_are_skipped(box):
    assert not changed(one_box(box)).any()


def test_huge_and_empty_boxes_do_not_raise():
    assert changed(one_box([-1e9, -1e9, 1e9, 1e9])).any()
    assert changed(one_box([50, 50, 50, 50])).any()
    assert one_box([0, 0, 1, 1], size=(1, 1)).shape == (1, 1, 3)


def test_style_hides_captions_or_scores():
    assert box_caption("oil", 0.876, BoxStyle()) == "oil 0.88"
    assert box_caption("oil", None, BoxStyle()) == "oil"
    assert box_caption("oil", 0.876, BoxStyle(hide_scores=True)) == "oil"
    assert box_caption("oil", 0.876, BARE) == ""


@pytest.mark.parametrize("name", ["气泡", "نقطة", "a\nb\x00", "\udcff.jpg", "🔥", "ß", "", "x" * 500])
def test_any_name_can_be_drawn(name):
    assert changed(one_box([50, 50, 80, 80], caption=name)).any()
    assert "\n" not in fonts.displayable(name)


def test_missing_glyphs_become_escapes(monkeypatch):
    for cached in (fonts._wide_fonts, fonts._font_of):
        cached.cache_clear()
    monkeypatch.setattr("matplotlib.font_manager.findSystemFonts", lambda *_: [])
    try:
        assert fonts.displayable("气 0.9") == "\\u6c14 0.9"
        assert fonts.special_font("气 0.9") is None
    finally:
        for cached in (fonts._wide_fonts, fonts._font_of):
            cached.cache_clear()


def test_shortened_keeps_both_ends_and_the_width():
    short = fonts.shortened("a_very_long_picture_name_0001.jpg", 10, 100)
    assert "…" in short and short.startswith("a_v") and short.endswith("1.jpg")
    assert fonts.text_width(short, 10) <= 100
    assert fonts.shortened("short.jpg", 10, 100) == "short.jpg"
    assert fonts.shortened("short.jpg", 10, 0) == ""


def test_class_colours_are_distinct_and_stable():
    first = [class_colour(i) for i in range(60)]
    assert len(set(first)) == 60
    assert all(0 <= value <= 255 for colour in first for value in colour)
    gaps = [np.abs(np.subtract(a, b)).sum() for i, a in enumerate(first[:20]) for b in first[:i]]
    assert min(gaps) > 50


def test_marks_take_names_scores_and_colours_of_their_labels():
    box = np.array([[60.0, 60, 100, 100]])
    marks = Marks(box, np.array([7]), np.array([0.5]))
    expected = draw_boxes(blank(), box, ["7 0.50"], [class_colour(7)], BoxStyle())
    assert (draw_marks(blank(), marks, ["oil"], BoxStyle()) == expected).all()


def test_grid_fits_every_picture_into_its_cell():
    images = [blank(50, 100), blank(100, 50), blank(400, 800)]
    sheet = contact_sheet.picture_grid(images, ["图.jpg", "b" * 300, ""], columns=2, cell=200)
    assert sheet.dtype == np.uint8 and sheet.shape[2] == 3
    assert 400 < sheet.shape[0] < 500 and 400 < sheet.shape[1] < 440
    assert (sheet == GREY).all(2).sum() == pytest.approx(3 * 200 * 100, rel=0.01)


def test_grid_of_wide_pictures_wastes_no_height():
    sheet = contact_sheet.picture_grid([blank(20, 100)] * 4, ["a"] * 4, columns=2, cell=100)
    assert sheet.shape[0] < 2 * 60


def test_marks_of_a_shrunk_picture_are_where_they_were():
    boxes = np.array([[20, 40, 60, 90]], np.float32)
    small = Marks(boxes, np.array([0])).shrunk((100, 200), (50, 20))
    assert small.boxes.tolist() == [[2, 20, 6, 45]] and small.boxes.dtype == np.float32 and not small.masks
