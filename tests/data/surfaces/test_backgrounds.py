"""Good pictures as surfaces: defects change them only where they are."""

import shutil

import cv2
import numpy as np
import pytest

from data.defects.primitives import PRIMITIVES
from data.surfaces.backgrounds import Backgrounds
from data.world import sensor
from data.world.drawn_world import DrawnWorld
from utils.words.errors import DataError


@pytest.fixture
def folder(tmp_path):
    """Pictures of a red, a green and a blue part; of several sizes, one smaller than what is drawn."""
    for number, (name, side) in enumerate({"red.png": 400, "sub/green.png": 128, "sub/blue.png": 60}.items()):
        image = np.full((side, side + 10, 3), 30, np.uint8)
        image[..., 2 - number] = 200
        (tmp_path / name).parent.mkdir(exist_ok=True)
        assert cv2.imwrite(str(tmp_path / name), image)
    (tmp_path / "notes.txt").write_text("no picture")
    for hidden in (".red.png", ".thumbnails/red.png"):
        (tmp_path / hidden).parent.mkdir(exist_ok=True)
        shutil.copy(tmp_path / "red.png", tmp_path / hidden)
    return tmp_path


def test_every_picture_is_used_and_squares_keep_their_colours(folder):
    backgrounds, seen = Backgrounds(folder), set()
    assert [path.name for path in backgrounds.files] == ["red.png", "blue.png", "green.png"]
    for number in range(20):
        surface = backgrounds.surface(np.random.default_rng(number), 96)
        assert surface.colour.shape == (96, 96, 3) and surface.colour.dtype == np.float32 and surface.parts is None
        values = np.unique((surface.colour * 255).round().reshape(-1, 3), axis=0)
        assert sorted(values[0].tolist()) == [30, 30, 200] and len(values) == 1
        seen.add(int(values[0].argmax()))
    assert seen == {0, 1, 2}


def test_defects_are_of_kinds_that_may_be_on_anything(folder, monkeypatch):
    monkeypatch.setattr(
        sensor, "photographed", lambda rng, colour: (colour * 255).round().clip(0, 255).astype(np.uint8)
    )
    world = DrawnWorld(size=128, backgrounds=folder)
    free = [one.names for one in PRIMITIVES if not one.on]
    assert list(world.names) == free and len(free) > 20
    drawn = [world.picture(number) for number in range(40)]
    assert sum(len(picture.defects) for picture in drawn) > 20
    for picture in drawn:
        assert [world.names[label] for label in picture.labels] == [PRIMITIVES[d.kind].names for d in picture.defects]
    again = DrawnWorld(size=128, backgrounds=folder).picture(7)
    assert np.array_equal(again.image, drawn[7].image)


def test_a_damaged_picture_is_named(folder):
    (folder / "red.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    for path in (folder / "sub").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="red.png"):
        DrawnWorld(size=96, backgrounds=folder).picture(0)
