from pathlib import Path

from utils.files.output_paths import output_places, relative_paths


def places(*names, numbered=()):
    return [p.as_posix() for p in output_places([Path(n) for n in names], {Path(n) for n in numbered})]


def test_relative_to_the_deepest_common_folder():
    names = [Path("/d/a/x.png"), Path("/d/b/c/x.png")]
    assert [p.as_posix() for p in relative_paths(names)] == ["a/x.png", "b/c/x.png"]
    assert relative_paths([Path("/d/a/x.png"), Path("/d/a/y.png")]) == [Path("x.png"), Path("y.png")]
    assert relative_paths([]) == []


def test_twins_keep_their_suffix_whatever_the_case():
    assert places("a.jpg", "A.png", "b.jpg") == ["a_jpg", "A_png", "b"]


def test_nothing_collides_even_with_made_up_names():
    assert places("a.jpg", "a.png", "a_jpg.bmp") == ["a_jpg", "a_png", "a_jpg__2"]
    assert places("s/a.jpg", "s/a.jpg", "s/a.jpg") == ["s/a", "s/a__2", "s/a__3"]


def test_a_video_keeps_its_suffix_beside_its_own_frames():
    assert places("v.mp4", "v_000001.png", "w.mp4", numbered=("v.mp4", "w.mp4")) == ["v_mp4", "v_000001", "w"]
