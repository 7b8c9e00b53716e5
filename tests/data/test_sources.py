from pathlib import Path

import pytest
from PIL import Image

from data.sources import find_sources
from utils.errors import DataError


@pytest.fixture
def folder(tmp_path):
    for name in ("a.jpg", "a.png", "b 图.png", "sub/a.jpg", "sub/deep/c.bmp", "note.txt"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (4, 4)).save(path) if path.suffix != ".txt" else path.write_text("x")
    return tmp_path


def outputs(source, **kwargs):
    return [str(p.output) for p in find_sources(str(source), **kwargs)]


def test_folder(folder):
    assert outputs(folder) == ["a_jpg", "a_png", "b 图"]


def test_recursive_keeps_sub_folders(folder):
    assert outputs(folder, recursive=True) == ["a_jpg", "a_png", "b 图", "sub/a", "sub/deep/c"]


def test_file_and_glob(folder):
    assert outputs(folder / "b 图.png") == ["b 图"]
    assert outputs(folder / "**" / "*.jpg") == ["a", "sub/a"]


def test_a_name_with_brackets_is_a_file_before_it_is_a_pattern(tmp_path):
    path = tmp_path / "part[1].png"
    Image.new("RGB", (4, 4)).save(path)
    assert [p.path for p in find_sources(str(path))] == [Path(path)]


@pytest.mark.parametrize("source", ["nowhere", "nowhere/*.png"])
def test_nothing_found(tmp_path, source):
    with pytest.raises(DataError, match="--source"):
        find_sources(str(tmp_path / source))


def test_empty_folder_hints_at_recursive(tmp_path):
    with pytest.raises(DataError, match="--recursive"):
        find_sources(str(tmp_path))
