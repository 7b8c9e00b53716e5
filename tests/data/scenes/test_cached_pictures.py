"""Caches of decoded pictures: the same bits, room looked for beforehand, nothing trusted that changed."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data.pictures import huge_pictures
from data.pictures import plane_reader as planes_module
from data.scenes import cached_pictures as pictures_module
from data.scenes.cached_pictures import Pictures, PicturesInMemory, PicturesOnDisk, open_pictures
from data.scenes.disk_cache import HEADER, PictureFiles
from utils.values.record import Record
from utils.words.errors import DataError

MANY = 10**8


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def records(folder: Path, count=6) -> list[Record]:
    """JPEG, PNG and grey PNG of different sizes."""
    rng, made = np.random.default_rng(0), []
    for i in range(count):
        height, width = 20 + 3 * i, 31 + i
        pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        path = folder / f"{i}{('.jpg', '.png', '.png')[i % 3]}"
        Image.fromarray(pixels).convert("L" if i % 3 == 2 else "RGB").save(path)
        none = np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, bool)
        made.append(Record(path, i + 1, (height, width), *none))
    return made


def alike(one, other):
    return len(one) == len(other) and all(np.array_equal(one[i], other[i]) for i in range(len(one)))


@pytest.mark.parametrize(("cache", "kind"), [("none", Pictures), ("ram", PicturesInMemory), ("disk", PicturesOnDisk)])
def test_same_pictures_from_everywhere(home, cache, kind):
    made = records(home)
    before = sorted(p.name for p in home.iterdir())
    got = open_pictures(made, MANY, cache)
    assert type(got) is kind
    for _ in range(2):  # the second time from the cache
        assert alike(got, Pictures(made, MANY))
    if cache != "none":
        assert alike(got, open_pictures(made, MANY, cache)) and not got[0].flags.writeable
    assert sorted(p.name for p in home.iterdir()) == before
    assert got.bytes == sum(r.size[0] * r.size[1] * 3 for r in made)


@pytest.mark.parametrize("cache", ["ram", "disk"])
def test_grey_pictures_of_one_plane_are_kept_as_three(home, monkeypatch, cache):
    made = records(home)
    want = [Pictures(made, MANY)[i].copy() for i in range(len(made))]
    monkeypatch.setattr(huge_pictures, "HUGE", 0)
    assert Pictures(made, MANY)[2].strides[2] == 0
    kept = open_pictures(made, MANY, cache)
    for _ in range(2):
        assert all(np.array_equal(kept[i], want[i]) for i in range(len(made)))


def test_kept_pictures_are_not_decoded_again(home, monkeypatch):
    made = records(home)
    want = [Pictures(made, MANY)[i].copy() for i in range(len(made))]
    kept = [open_pictures(made, MANY, cache) for cache in ("ram", "disk")]
    for i in range(len(made)):
        kept[1][i]

    def refuse(*_):
        raise AssertionError("decoded again")

    monkeypatch.setattr(planes_module, "read_image", refuse)
    kept.append(open_pictures(made, MANY, "disk"))  # a later run
    for pictures in kept:
        assert all(np.array_equal(pictures[i], want[i]) for i in range(len(made)))


@pytest.mark.parametrize("cache", ["ram", "disk"])
def test_a_picture_that_cannot_be_decoded_fails_where_it_would_without_a_cache(home, cache):
    made = records(home)
    raw = made[1].path.read_bytes()
    made[1].path.write_bytes(raw[: len(raw) // 2] + bytes(40) + raw[len(raw) // 2 + 40 :])
    got = open_pictures(made, MANY, cache)
    with pytest.raises(DataError) as caught:
        got[1]
    with pytest.raises(DataError) as plain:
        Pictures(made, MANY)[1]
    assert str(caught.value) == str(plain.value) and np.array_equal(got[2], Pictures(made, MANY)[2])


def test_changed_picture_is_seen(home):
    """Same name, size and times: other content is found out."""
    made = records(home)
    got = open_pictures(made, MANY, "disk")
    old, info = got[1].copy(), made[1].path.stat()
    Image.fromarray(255 - old).save(home / "new.png")
    raw = (home / "new.png").read_bytes()
    made[1].path.write_bytes(raw)
    os.utime(made[1].path, ns=(info.st_atime_ns, info.st_mtime_ns))
    assert np.array_equal(got[1], 255 - old) and np.array_equal(open_pictures(made, MANY, "disk")[1], 255 - old)


def test_damaged_and_foreign_files_are_rebuilt(home, caplog, monkeypatch):
    monkeypatch.setattr("utils.console.log.LOG.propagate", True)
    made = records(home, 1)
    got = open_pictures(made, MANY, "disk")
    want = got[0].copy()
    (kept,) = list(got.files.folder.glob("*.rgb"))
    good = kept.read_bytes()
    flipped = bytearray(good)
    flipped[HEADER.size + 100] ^= 1
    for bad in (bytes(flipped), good[:-1], good[: HEADER.size - 2], b"", b"\x80\x04pickle", good[:32] + b"\xff" * 40):
        kept.write_bytes(bad)
        assert np.array_equal(got[0], want) and kept.read_bytes() == good
    assert sum("damaged, decoded" in r.message for r in caplog.records) == 3 and not list(
        got.files.folder.glob("*.tmp")
    )


def test_full_disk_is_said_once(home, caplog, monkeypatch):
    monkeypatch.setattr("utils.console.log.LOG.propagate", True)
    made = records(home)
    got = open_pictures(made, MANY, "disk")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("data.scenes.disk_cache.os.replace", full)
    assert alike(got, Pictures(made, MANY)) and not list(got.files.folder.iterdir())
    assert [r.message for r in caplog.records if "No space" in r.message].__len__() == 1


@pytest.mark.parametrize(
    ("cache", "free", "words"),
    [
        ("ram", 100, "0.0 MB of memory is free: reading the files each time; try --cache disk"),
        ("ram", None, "an unknown amount is free"),
        ("disk", 100, "0.0 MB is free in"),
    ],
)
def test_without_room_files_are_read(home, caplog, monkeypatch, cache, free, words):
    monkeypatch.setattr("utils.console.log.LOG.propagate", True)
    monkeypatch.setattr(pictures_module, "free_memory", lambda: free)
    monkeypatch.setattr(PictureFiles, "free_bytes", lambda self: free)
    made = records(home)
    got = open_pictures(made, MANY, cache)
    assert type(got) is Pictures and words in caplog.text and len(caplog.records) == 1


def test_processes_of_one_machine_share_its_memory(home, caplog, monkeypatch):
    """Each keeps all pictures: what fits once need not fit four times."""
    monkeypatch.setattr("utils.console.log.LOG.propagate", True)
    made = records(home)
    need = Pictures(made, MANY).bytes
    monkeypatch.setattr(pictures_module, "free_memory", lambda: 3 * need)
    assert isinstance(open_pictures(made, MANY, "ram"), PicturesInMemory)
    for name, value in {
        "RANK": 5,
        "WORLD_SIZE": 8,
        "LOCAL_WORLD_SIZE": 4,
        "MASTER_ADDR": "x",
        "MASTER_PORT": 1,
    }.items():
        monkeypatch.setenv(name, str(value))
    assert type(open_pictures(made, MANY, "ram")) is Pictures and "in each of 4 processes, but" in caplog.text


def test_no_room_for_the_block(home, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(pictures_module.torch, "empty", refuse)
    assert type(open_pictures(records(home), MANY, "ram")) is Pictures


def test_a_cache_folder_that_cannot_be_made(home, monkeypatch):
    (home / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "file"))
    assert type(open_pictures(records(home), MANY, "disk")) is Pictures


def test_what_is_there_needs_no_room(home, monkeypatch):
    """A later run on an almost full disk still uses what an earlier one kept."""
    made = records(home)
    got = open_pictures(made, MANY, "disk")
    assert alike(got, Pictures(made, MANY))
    monkeypatch.setattr(PictureFiles, "free_bytes", lambda self: 0)
    assert type(open_pictures(made, MANY, "disk")) is PicturesOnDisk


def test_leftovers_are_removed(home):
    files = PictureFiles.open()
    old, young = files.folder / "a.tmp", files.folder / "b.tmp"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (0, 0))
    PictureFiles.open()
    assert not old.exists() and young.exists()
