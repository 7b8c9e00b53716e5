"""Which files of a watched folder are taken, and when: with a clock of the test's own."""

import os
import shutil
from types import SimpleNamespace

import pytest

from data.live import arrivals as module
from data.live.arrivals import SETTLE, Arrivals
from utils.values.channels import RGB_CHANNELS


class Clock:
    def __init__(self):
        self.now = 128.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def watching(folder, clock, known=lambda name, stamp: False, recursive=False):
    return Arrivals(folder, RGB_CHANNELS, known, recursive, clock, clock.sleep)


def written(folder, name, content=b"x", moved=False):
    """A file as a program that writes in place leaves it: both times alike, which a test cannot set; or moved in."""
    path = folder / name
    path.write_bytes(content)
    if moved:
        os.utime(path, ns=(10**18, 10**18))
    return path


def names(found):
    return [one.name for one in found]


@pytest.fixture(autouse=True)
def times(monkeypatch):
    """A file's change time is that of its content, unless a test moves the file."""

    def about(path):
        real = os.stat(path)
        moved = real.st_mtime_ns == 10**18
        return SimpleNamespace(st_size=real.st_size, st_mtime_ns=real.st_mtime_ns, st_ctime_ns=real.st_mtime_ns + moved)

    monkeypatch.setattr(module, "about_file", about)


def test_a_file_written_in_place_is_taken_when_it_rests(folder, clock):
    watch = watching(folder, clock)
    written(folder, "a.png")
    assert names(watch.look()) == []
    clock.now += SETTLE / 2
    written(folder, "a.png", b"xx")
    clock.now += SETTLE / 2
    assert names(watch.look()) == [], "it has just grown"
    clock.now += 1.1 * SETTLE
    assert names(watch.look()) == ["a.png"]
    clock.now += 10
    assert names(watch.look()) == [], "once"


def test_a_file_moved_in_is_taken_at_once(folder, clock):
    written(folder, "a.png", moved=True)
    assert names(watching(folder, clock).look()) == ["a.png"]


def test_an_empty_file_waits_though_its_time_was_set(folder, clock):
    written(folder, "a.png", b"", moved=True)
    assert names(watching(folder, clock).look()) == []


def test_what_is_no_picture_or_not_finished_is_left(folder, clock):
    for name in ("a.txt", ".hidden.png", "a.png.part", "a.png.tmp"):
        written(folder, name, moved=True)
    (folder / "folder.png.d").mkdir()
    assert names(watching(folder, clock).look()) == []


def test_sub_folders_only_when_asked(folder, clock):
    (folder / "sub").mkdir()
    written(folder / "sub", "a.png", moved=True)
    assert names(watching(folder, clock).look()) == []
    assert names(watching(folder, clock, recursive=True).look()) == ["sub/a.png"]


def test_a_file_written_over_is_a_new_picture(folder, clock):
    watch = watching(folder, clock)
    written(folder, "a.png", moved=True)
    first = watch.look()
    written(folder, "a.png", b"longer")
    watch.look()
    clock.now += 1.1 * SETTLE
    second = watch.look()
    assert names(first) == names(second) == ["a.png"] and first[0].stamp != second[0].stamp


def test_one_of_very_many_that_is_written_over_is_noticed(folder, clock, monkeypatch):
    monkeypatch.setattr(module, "AGAIN", 3)
    watch = watching(folder, clock)
    for number in range(10):
        written(folder, f"{number}.png", moved=True)
    assert len(watch.look()) == 10
    os.utime(folder / "7.png", ns=(10**18, 10**18 + 5))
    found = []
    for _ in range(12):
        clock.now += 1.1 * SETTLE
        found += names(watch.look())
    assert found == ["7.png"]


def test_what_was_judged_earlier_is_not_taken(folder, clock):
    written(folder, "a.png", moved=True)
    written(folder, "b.png", moved=True)
    asked = []

    def known(name, stamp):
        asked.append(name)
        return name == "a.png"

    watch = watching(folder, clock, known)
    assert names(watch.look()) == ["b.png"]
    watch.look()
    assert sorted(asked) == ["a.png", "b.png"], "the table is asked once"


def test_oldest_first(folder, clock):
    for name, at in (("b.png", 1), ("c.png", 3), ("a.png", 2), ("d.png", 2)):
        os.utime(written(folder, name), ns=(at, at))
    watch = watching(folder, clock)
    watch.look()
    clock.now += 1.1 * SETTLE
    assert names(watch.look()) == ["b.png", "a.png", "d.png", "c.png"]


def test_a_picture_put_back_comes_again_later(folder, clock):
    watch = watching(folder, clock)
    written(folder, "a.png", moved=True)
    (one,) = watch.look()
    watch.put_back(one, 2.0)
    clock.now += 1
    assert watch.look() == []
    clock.now += 1.5
    (again,) = watch.look()
    assert again.since == one.since, "how long it has been waited for"


@pytest.mark.usefixtures("messages")
def test_the_folder_goes_and_comes_back(folder, clock, capsys):
    watch = watching(folder, clock)
    written(folder, "a.png", moved=True)
    assert names(watch.look()) == ["a.png"]
    folder.rename(folder.with_name("away"))
    assert watch.look() == [] and watch.look() == []
    folder.with_name("away").rename(folder)
    written(folder, "b.png", moved=True)
    assert names(watch.look()) == ["b.png"], "what was taken is not taken again"
    said = capsys.readouterr()
    assert said.err.count("is gone") == 1 and said.out.count("is back") == 1


def test_what_left_is_forgotten(folder, clock):
    watch = watching(folder, clock)
    for number in range(20):
        written(folder, f"{number}.png", moved=number % 2 == 0)
    watch.look()
    shutil.rmtree(folder)
    folder.mkdir()
    watch.look()
    assert not watch.taken and not watch.waiting


def test_rest_ends_with_the_run(folder, clock):
    turns = iter([True, True, False, False])
    batches = list(watching(folder, clock).batches(lambda: next(turns)))
    assert batches == [[]]
