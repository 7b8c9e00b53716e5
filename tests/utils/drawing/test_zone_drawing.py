import numpy as np
import pytest

from utils.drawing.zone_drawing import draw_zones
from utils.values.zones_identity import ZonesIdentity
from utils.zones.zones import Zone, Zones

FILE = ZonesIdentity.of("zones.yaml", 1, b"")


def square(inside, labels=None, size=(100, 80), at=(20, 60)):
    low, high = at
    corners = np.array([[low, low], [high, low], [high, high], [low, high]], np.float64)
    return Zones((Zone("label", inside, corners, labels),), FILE, size)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_what_changes(value):
    """Far from the zone nothing; of an `in` zone the outline alone; `out` is darker, for some classes hatched alone."""
    image = np.full((80, 100, 3), value, np.uint8)
    drawn = {
        name: draw_zones(image, which, names=False)
        for name, which in (("in", square(True)), ("out", square(False)), ("some", square(False, frozenset({0}))))
    }
    for one in drawn.values():
        assert one.shape == image.shape and (one[:15] == value).all() and (one[70:] == value).all()
        assert one is not image and (one[19:22, 20:60] != value).any(), "an outline on any ground"
        assert one[18:23, 20:60].max() == 255 and one[18:23, 20:60].min() == 0
    inner = {name: one[25:55, 25:55].astype(int) for name, one in drawn.items()}
    assert (inner["in"] == value).all()
    assert 0.5 < (inner["some"] == value).mean() < 1 and (inner["some"] != value).any()
    assert np.median(inner["out"]) == int(value * 0.75)


def test_other_sizes_names_and_edges():
    grey = np.broadcast_to(np.full((160, 200, 1), 90, np.uint8), (160, 200, 3))  # planes that are one in memory
    drawn = draw_zones(grey, square(True), names=False)
    assert (drawn[:34] == 90).all() and (drawn[37:44, 45:115] != 90).any() and (grey == 90).all()
    named = draw_zones(grey, square(True))
    assert (named[44:54, 46:70] != drawn[44:54, 46:70]).any()
    whole = draw_zones(grey, square(False, size=(100, 100), at=(0, 100)))
    assert whole.shape == grey.shape and draw_zones(grey[:1, :1], square(False)).shape == (1, 1, 3)
