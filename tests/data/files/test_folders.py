import glob
import itertools
import os

import pytest

import data.files.folders as folders
from data.files.folders import expand_glob, walk
from utils.words.errors import DataError

FILES = (
    "a.jpg",
    "b.png",
    "x/a.jpg",
    "x/y/c.jpg",
    "x/y/z/d.jpg",
    "x [1]/e.jpg",
    ".hidden/f.jpg",
    "x/.g.jpg",
    "m.jpg/h.jpg",
)


@pytest.fixture
def tree(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


PARTS = ("*", "**", "x", "*.jpg", "[ab]*", "?", "y", "x [[]1]")


@pytest.mark.parametrize("pattern", [os.sep.join(p) for n in (1, 2, 3) for p in itertools.product(PARTS, repeat=n)])
def test_patterns_mean_what_pythons_glob_says(tree, pattern):
    if not glob.has_magic(pattern):
        return
    expected = {p.rstrip("/") for p in glob.glob(str(tree / pattern), recursive=True) if os.path.exists(p)} - {
        str(tree)
    }
    assert {str(p) for p in expand_glob(tree / pattern)} - {str(tree)} == expected


def test_a_relative_pattern_stays_relative(tree, monkeypatch):
    monkeypatch.chdir(tree)
    assert {str(p) for p in expand_glob("**/*.png")} == {"b.png"}
    assert {str(p) for p in expand_glob("x/**/d.jpg")} == {"x/y/z/d.jpg"}


def test_circles_end_and_every_folder_is_seen_once(tree):
    (tree / "x" / "up").symlink_to(tree)
    (tree / "x" / "y" / "self").symlink_to(".")
    (tree / "again").symlink_to("x/y")
    seen = [os.path.realpath(home) for home, _, _ in walk(tree)]
    assert len(seen) == len(set(seen)) == 7
    assert {p.name for p in expand_glob(tree / "**" / "*.jpg")} >= {"a.jpg", "c.jpg", "d.jpg", "e.jpg"}


def test_a_folder_is_known_by_its_own_place_and_not_by_a_link_to_it(tmp_path):
    """Its labels lie beside that, wherever the link comes in the alphabet."""
    for place in ("b/line2", "c"):
        (tmp_path / place).mkdir(parents=True)
    for link, target in (("b/current", "line2"), ("b/more", "../c"), ("a", "c")):
        (tmp_path / link).symlink_to(target)
    (tmp_path / "elsewhere").symlink_to(tmp_path / "c")
    assert {os.path.relpath(home, tmp_path) for home, _, _ in walk(tmp_path)} == {".", "b", "b/line2", "c"}
    assert [os.path.relpath(home, tmp_path) for home, _, _ in walk(tmp_path / "a")] == ["a"], "the link that was named"


def test_an_endless_folder_is_refused(tree, monkeypatch):
    monkeypatch.setattr(folders, "MAX_ENTRIES", 5)
    for run in (lambda: list(walk(tree)), lambda: list(expand_glob(tree / "**" / "*"))):
        with pytest.raises(DataError, match="more than 5 files and folders"):
            run()


def test_depth_is_reported_and_the_rest_goes_on(tmp_path):
    deep = tmp_path.joinpath(*["d"] * 120)
    deep.mkdir(parents=True)
    (tmp_path / "e").mkdir()
    said: list[OSError] = []
    homes = [home for home, _, _ in walk(tmp_path, said.append)]
    assert len(homes) == 102 and str(tmp_path / "e") in homes
    assert [error.strerror for error in said] == ["goes down more than 100 folders"]


def test_the_kernels_folders_are_left_out():
    assert list(walk("/proc")) == [] and list(expand_glob("/proc/*/task/**/*")) == []
