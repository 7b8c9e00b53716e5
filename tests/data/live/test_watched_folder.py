"""A watched folder's pictures, read: half of a file waits for its rest."""

import cv2
import numpy as np
import pytest

from data.live.arrivals import SETTLE
from data.live.watched_folder import PATIENCE, watched_pictures
from data.pictures.plane_reader import PlaneReader
from tests.data.live.test_arrivals import Clock, watching
from utils.values.channels import RGB_CHANNELS


@pytest.fixture
def scene(tmp_path):
    clock, folder = Clock(), tmp_path / "in"
    folder.mkdir()
    content = cv2.imencode(".png", np.arange(48 * 64, dtype=np.uint8).reshape(48, 64))[1].tobytes()
    return clock, folder, content


def came(clock, folder, seconds, meanwhile=lambda now: None):
    """Name and reason of each picture that comes in that time, which the watcher's rests and looks use up."""
    until = clock.now + seconds

    def going():
        clock.now += 0.01
        meanwhile(clock.now)
        return clock.now < until

    reader = PlaneReader(RGB_CHANNELS, 10**6)
    return [
        (one.frame.name, one.frame.reason, one.frame.image is not None)
        for one in watched_pictures(watching(folder, clock), reader, going)
    ]


def test_a_whole_picture(scene):
    clock, folder, content = scene
    (folder / "a.png").write_bytes(content)
    assert came(clock, folder, 2) == [("a.png", "", True)]


def test_half_a_picture_waits_for_its_rest(scene):
    clock, folder, content = scene
    path, start = folder / "a.png", clock.now
    path.write_bytes(content[: len(content) // 2])

    def rest(now):
        if now > start + SETTLE + 1 and path.stat().st_size < len(content):
            path.write_bytes(content)

    assert came(clock, folder, 10, rest) == [("a.png", "", True)], "never as half of one"


def test_a_file_that_stays_half_is_reported_once(scene):
    clock, folder, content = scene
    (folder / "a.png").write_bytes(content[: len(content) // 2])
    (folder / "b.jpg").write_text("no picture")
    (folder / "c.png").write_bytes(content)
    found = came(clock, folder, 3 * PATIENCE)
    assert found[0] == ("c.png", "", True), "it does not wait for the bad ones"
    assert sorted(name for name, *_ in found) == ["a.png", "b.jpg", "c.png"]
    assert all(reason and not read for name, reason, read in found[1:])
