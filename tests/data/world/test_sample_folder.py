"""The cache of a world is another one whenever its pictures may be others."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from data.world import sample_folder
from data.world.drawn_world import DrawnWorld

WORLD = DrawnWorld(count=3, val=2, size=96)
LOADED = "import sys, data.world.set_writer; print(*{m.split('.')[1] for m in sys.modules if m.startswith('data.')})"


def test_its_rooms_are_all_that_drawing_needs():
    shown = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True).stdout
    assert set(shown.split()) - {"files"} == {*sample_folder.DRAWING, *sample_folder.READING}


@pytest.fixture
def rooms(tmp_path, monkeypatch):
    """A copy of the code that may be changed."""
    for room in (*sample_folder.DRAWING, *sample_folder.READING):
        shutil.copytree(sample_folder.DATA / room, tmp_path / room)
    monkeypatch.setattr(sample_folder, "DATA", tmp_path)
    return tmp_path


def changed(file: Path, world: DrawnWorld) -> bool:
    before = sample_folder._key(world)
    with file.open("a") as code:
        code.write("#")
    return sample_folder._key(world) != before


def test_other_code_makes_another(rooms, tmp_path):
    for place in ("world/picture.py", "surfaces/surface.py", "defects/primitives.py"):
        assert changed(rooms / place, WORLD), place
    decoder = rooms / "pictures" / "picture_decoder.py"
    assert not changed(decoder, WORLD), "without backgrounds no picture is read"
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "part.png").touch()
    assert changed(decoder, DrawnWorld(count=3, val=2, size=96, backgrounds=tmp_path / "good"))
