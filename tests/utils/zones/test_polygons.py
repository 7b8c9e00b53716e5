import cv2
import numpy as np
import pytest

from utils.zones import polygons
from utils.zones.polygons import Polygons, area, crossing, in_line

SQUARE = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
ARROW = np.array([[0.0, 0], [4, 2], [0, 4], [1, 2]])  # notched on the left


def star(g, corners):
    """A polygon that does not cross itself: corners by angle around a point inside."""
    angle = np.sort(g.uniform(0, 2 * np.pi, corners))
    far = g.uniform(20, 100, corners)
    return np.stack((100 + far * np.cos(angle), 100 + far * np.sin(angle)), 1)


def test_points_by_hand():
    """The notch of the arrow reaches to x = 1; upper and left edges belong to the square, the others do not."""
    points = np.array([[2, 2], [0.5, 2], [1.5, 2], [3, 3.9], [5, 2], [0, 0], [0, 4], [4, 0], [2, 0], [0, 2], [4, 2]])
    square, arrow = Polygons.of([SQUARE, ARROW]).hold(points)
    assert square.tolist() == [True, True, True, True, False, True, False, False, True, True, False]
    assert arrow[:5].tolist() == [True, False, True, False, False]


@pytest.mark.parametrize("chunk", [7, 1_000_000])
def test_the_same_as_opencv(monkeypatch, chunk):
    monkeypatch.setattr(polygons, "CHUNK", chunk)
    g = np.random.default_rng(0)
    shapes = [star(g, int(g.integers(3, 12))) for _ in range(6)]
    points = g.uniform(0, 200, (150, 2))
    held = Polygons.of(shapes).hold(points)
    assert held.any() and not held.all()
    for shape, mine in zip(shapes, held, strict=True):
        theirs = [cv2.pointPolygonTest(shape.astype(np.float32), point, False) > 0 for point in points.tolist()]
        assert mine.tolist() == theirs
    assert Polygons.of(shapes).hold(np.zeros((0, 2))).shape == (6, 0)
    assert (Polygons.of([one[::-1] for one in shapes]).hold(points) == held).all(), "either way round"


def test_two_that_share_an_edge_share_no_point():
    """Also not on the edge, whose points are the middles of two corners and the corners themselves."""
    g = np.random.default_rng(1)
    for _ in range(50):
        (ax, bx), middle = g.uniform(0, 10, 2), g.uniform(3, 7, 2)
        cut = np.array([[ax, 0.0], middle, [bx, 10]])
        left = np.concatenate((np.array([[0.0, 10], [0, 0]]), cut))
        right = np.concatenate((np.array([[10.0, 0], [10, 10]]), cut[::-1]))
        points = np.concatenate((g.uniform(0, 10, (50, 2)), cut[:2], (cut[1:] + cut[:-1]) / 2))
        assert (Polygons.of([left, right]).hold(points).sum(0) == 1).all()


def test_area_and_line():
    assert area(SQUARE) == area(SQUARE[::-1] + 1e6) == 16
    assert area(ARROW) == 6
    assert in_line(np.array([[0.0, 0], [1, 2], [3, 6]])) and in_line(np.array([[1.0, 1], [1, 1], [1, 1]]))
    assert not in_line(SQUARE) and not in_line(np.array([[0.0, 0], [0, 1], [1e-3, 0.5]]))


@pytest.mark.parametrize(
    ("corners", "first"),
    [
        (SQUARE, None),
        (ARROW, None),
        ([[0, 0], [2, 2], [2, 0], [0, 2]], (0, 2)),  # a bow tie
        ([[0, 0], [2, 0], [1, 0], [1, 1]], (0, 1)),  # turns back on itself
        ([[0, 0], [4, 0], [4, 4], [2, 0], [0, 4]], (0, 2)),  # touches itself
        ([[0, 0], [4, 0], [4, 4], [4, 2]], (1, 2)),  # a spike
        ([[1, 0], [4, 0], [4, 4], [0, 4], [0, 0], [3, 0]], (0, 4)),  # a spike where it begins
        ([[0, 0], [2, 0], [4, 0], [4, 4]], None),  # a corner amid an edge
    ],
)
def test_what_crosses_itself(corners, first):
    assert crossing(np.array(corners, np.float64)) == first


def test_stars_do_not_cross_themselves():
    g = np.random.default_rng(2)
    assert all(crossing(star(g, 25)) is None for _ in range(20))
