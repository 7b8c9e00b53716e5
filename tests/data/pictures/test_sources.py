from pathlib import Path

import pytest
from PIL import Image

from data.pictures.sources import find_sources, words
from utils.values.channels import Channels
from utils.words.errors import ConfigError, DataError


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


def test_names_keep_the_sub_folder(folder):
    assert [p.name for p in find_sources(str(folder), recursive=True)][-2:] == ["sub/a.jpg", "sub/deep/c.bmp"]


def test_videos_are_found_and_counted(folder):
    (folder / "v.MP4").touch()
    found = find_sources(str(folder))
    assert [p.name for p in found if p.video] == ["v.MP4"] and words(found) == "3 pictures and 1 video"


def test_list_file(folder, monkeypatch):
    """Relative to the list first, then to the working directory; order kept; comments; what is missing is named."""
    elsewhere = folder / "sub"
    monkeypatch.chdir(folder)
    lines = ["# comment", "", "deep/c.bmp", "b 图.png", "gone.png", "list.txt", str(folder / "a.jpg"), "deep/c.bmp"]
    path = elsewhere / "list.txt"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(lines).encode())
    found = find_sources(str(path))
    assert [p.name for p in found] == ["sub/deep/c.bmp", "b 图.png", "gone.png", "list.txt", "a.jpg", "sub/deep/c.bmp"]
    assert [str(p.output) for p in found if not p.problem] == ["sub/deep/c", "b 图", "a", "sub/deep/c__2"]
    assert [bool(p.problem) for p in found] == [False, False, True, True, False, False]
    assert f"{path}:5: 'gone.png' does not exist" in found[2].problem
    assert f"{path}:6:" in found[3].problem and "lists do not nest" in found[3].problem


@pytest.mark.parametrize(("content", "reason"), [(bytes(range(256)), "binary"), (b"# only\n\n", "names no picture")])
def test_lists_that_are_none(tmp_path, content, reason):
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(DataError, match=reason):
        find_sources(str(tmp_path / "list.txt"))


@pytest.mark.parametrize("source", ["0", "screen", "screen 0 1", "http://x/y.mp4", "rtsp://cam/1", "cams.streams"])
def test_live_sources_are_refused(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="screens and other"):
        find_sources(source)


def test_a_folder_called_like_a_camera_is_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "0").mkdir()
    (tmp_path / "0" / "a.png").touch()
    assert [p.name for p in find_sources("0")] == ["a.png"]


@pytest.fixture
def planes(tmp_path):
    """Two samples of three files each, a video, and what belongs to neither."""
    for name in ("a_x.png", "a_y.png", "a_z.png", "b_x.png", "b_y.png", "b_z.png", "other.png", "c.mp4"):
        (tmp_path / name).touch()
    return tmp_path, Channels(image=("x", "y", "z"), files="{stem}_{channel}.png")


def test_a_sample_of_several_files_is_one_input(planes):
    folder, channels = planes
    for source in (folder, folder / "*"):
        names = [source.name for source in find_sources(str(source), channels=channels)]
        assert [Path(name).name for name in names] == ["a_x.png", "b_x.png", "c.mp4"]
    with pytest.raises(DataError, match=r"no pictures or videos there called \{stem\}_\{channel\}.png with channel w"):
        (folder / "c.mp4").unlink()
        find_sources(str(folder), channels=Channels(image=("w",), files=channels.files))


def test_a_sample_without_its_first_file_is_not_overlooked(planes):
    folder, channels = planes
    (folder / "a_x.png").unlink()
    assert [source.name for source in find_sources(str(folder), channels=channels)] == ["a_x.png", "b_x.png", "c.mp4"]


def test_a_list_names_first_files(planes):
    folder, channels = planes
    (folder / "list.txt").write_text("b_x.png\na_y.png\n")
    good, bad = find_sources(str(folder / "list.txt"), channels=channels)
    assert good.path == folder / "b_x.png" and not good.problem
    assert "list.txt:2: 'a_y.png' is no picture or video called" in bad.problem and "with channel x" in bad.problem


def test_second_pictures_are_no_inputs_of_their_own(tmp_path):
    channels = Channels(polar=("polar",), polar_dir="second")
    for name in ("images/val/a.png", "second/val/a.png", "plain/b.png", "plain/second/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for source in (tmp_path, tmp_path / "**"):
        found = find_sources(str(source), recursive=True, channels=channels)
        assert [one.path.relative_to(tmp_path).as_posix() for one in found] == ["images/val/a.png", "plain/b.png"]
