from pathlib import Path

import pytest

from utils.files.output_paths import keep_out, output_places, relative_paths
from utils.words.errors import ConfigError


def places(*names, numbered=()):
    return [p.as_posix() for p in output_places([Path(n) for n in names], {Path(n) for n in numbered})]


def test_relative_to_the_deepest_common_folder():
    names = [Path("/d/a/x.png"), Path("/d/b/c/x.png")]
    assert [p.as_posix() for p in relative_paths(names)] == ["a/x.png", "b/c/x.png"]
    assert relative_paths([Path("/d/a/x.png"), Path("/d/a/y.png")]) == [Path("x.png"), Path("y.png")]
    assert relative_paths([]) == []
    assert relative_paths([Path("//d/a/x.png"), Path("//d/b/x.png")]) == [Path("a/x.png"), Path("b/x.png")]


def test_twins_keep_their_suffix_whatever_the_case():
    assert places("a.jpg", "A.png", "b.jpg") == ["a_jpg", "A_png", "b"]


def test_nothing_collides_even_with_made_up_names():
    assert places("a.jpg", "a.png", "a_jpg.bmp") == ["a_jpg", "a_png", "a_jpg__2"]
    assert places("s/a.jpg", "s/a.jpg", "s/a.jpg") == ["s/a", "s/a__2", "s/a__3"]


def test_a_video_keeps_its_suffix_beside_its_own_frames():
    assert places("v.mp4", "v_000001.png", "w.mp4", numbered=("v.mp4", "w.mp4")) == ["v_mp4", "v_000001", "w"]


def test_folders_are_told_by_what_they_are(tmp_path, monkeypatch):
    (tmp_path / "data" / "images").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "data")
    data, inside = tmp_path / "data", [tmp_path / "data" / "x", tmp_path / "link" / "images" / "x", tmp_path / "link"]
    monkeypatch.chdir(tmp_path)
    for run in (*inside, tmp_path, Path("data/new/x")):
        with pytest.raises(ConfigError, match="--project"):
            keep_out(run, [data])
    keep_out(tmp_path / "runs" / "exp", [data, tmp_path / "gone"])
    monkeypatch.chdir(data)  # a project: its runs may lie beside its listed pictures, but not in a scanned folder
    keep_out(Path("runs/exp"), [], [data])
    for run, named in ((Path("runs/exp"), []), (data, [data]), (Path("images/x"), [data / "images"])):
        with pytest.raises(ConfigError):
            keep_out(run, [] if named else [data], named)
