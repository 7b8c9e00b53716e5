"""The flat index: what goes in comes out, nothing that is damaged or out of date is used, one process builds."""

import multiprocessing
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from data.files.stamps import ABSENT, take_stamps
from data.index.column_file import HEAD, UnusableIndex
from data.index.index_writer import open_index as open_or_build
from data.index.record_index import RecordIndex
from tests.data.index.written import write_index
from utils.values.record import EVERY_CLASS, Record
from utils.words.errors import DataError, ResourceError


@pytest.fixture
def said(caplog, monkeypatch):
    monkeypatch.setattr("utils.console.log.LOG.propagate", True)
    caplog.set_level("INFO")
    return caplog


def open_index(path, key, files, records, **patience):
    return open_or_build(path, key, lambda place: write_index(records(), take_stamps(files()), place, key), **patience)


def record(number=0, rows=2, path="a.png", labelled=True):
    rng = np.random.default_rng(number)
    boxes = rng.random((rows, 4), np.float32)
    labels = rng.integers(EVERY_CLASS, 5, rows)
    return Record(Path(path), number + 7, (20 + number, 31), boxes, labels, labels == EVERY_CLASS, labelled)


def same(one: Record, other: Record) -> bool:
    arrays = all(
        np.array_equal(a := getattr(one, n), b := getattr(other, n)) and a.dtype == b.dtype and a.shape == b.shape
        for n in ("boxes", "labels", "crowd")
    )
    plain = all(getattr(one, n) == getattr(other, n) for n in ("path", "image_id", "size", "labelled", "good"))
    return arrays and plain and isinstance(one.image_id, int) and all(type(side) is int for side in one.size)


names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)
records = st.lists(st.builds(record, st.integers(0, 10**6), st.integers(0, 4), names, st.booleans()), max_size=12)


@given(records)
def test_records_come_back(tmp_path_factory, made):
    path = tmp_path_factory.getbasetemp() / "any.index"
    write_index(made, [], path, "key", {"names": ["Fleck, 瓶"]})
    index = RecordIndex(path)
    assert len(index) == len(made) and all(map(same, index, made)) and all(map(same, index[:], made))
    assert all(same(index[i - len(made)], made[i]) for i in range(len(made)))
    assert index.key == "key" and index.meta == {"names": ["Fleck, 瓶"]}
    with pytest.raises(IndexError):
        index[len(made)]
    assert index.sizes.tolist() == [list(r.size) for r in made]
    assert index.box_counts.tolist() == [len(r.labels) for r in made]


def test_chunks_join(tmp_path, monkeypatch):
    """Offsets go on from chunk to chunk, and names that are no UTF-8 survive."""
    monkeypatch.setattr("data.index.record_index.CHUNK", 3)
    monkeypatch.setattr("data.index.index_writer.CHUNK", 3)
    made = [record(i, i % 3, os.fsdecode(b"\xff%d.png" % i)) for i in range(10)]
    write_index(made, take_stamps(f"/nowhere/{i}" for i in range(10)), tmp_path / "i")
    index = RecordIndex(tmp_path / "i")
    assert all(map(same, index, made)) and index.changes() == (0, []) and len(index.arrays["files"]) == 100


def test_pickled_it_is_a_path(tmp_path):
    path = tmp_path / "i"
    write_index([record(i) for i in range(2000)], [], path)
    index = RecordIndex(path)
    raw = pickle.dumps(index)
    assert len(raw) < 500 + len(str(path)) and same(pickle.loads(raw)[1999], index[1999])
    assert not index.boxes.flags.writeable and index[0].boxes.flags.writeable
    write_index([record(5)], [], path)
    assert same(index[1999], record(1999))  # what is mapped stays
    with pytest.raises(DataError, match="was rebuilt while it was in use"):
        pickle.loads(raw)


def damaged(good: bytes):
    flipped = bytearray(good)
    flipped[-3] ^= 1
    inside = bytearray(good)
    inside[HEAD.size + 5] ^= 1
    older = good[:8] + (0).to_bytes(4, "little") + good[12:]
    return {
        "cut": (good[:-1], "instead of"),
        "longer": (good + b"x", "instead of"),
        "cut header": (good[:30], "damaged"),
        "cut magic": (good[:5], "is cut off"),
        "empty": (b"", "cannot be read"),
        "flipped bit": (bytes(flipped), "is damaged (column file_facts)"),
        "flipped header": (bytes(inside), "is damaged (header)"),
        "older": (older, "has format 0"),
        "foreign": (b"\x80\x04pickle" * 9, "is no index"),
    }


@pytest.mark.parametrize("kind", damaged(bytes(99)))
def test_damaged_and_older_files_are_rebuilt(tmp_path, said, kind):
    made, path = [record(i) for i in range(3)], tmp_path / "i"
    open_index(path, "k", lambda: [tmp_path / "none"], lambda: made)
    assert not said.messages
    good = path.read_bytes()
    bad, words = damaged(good)[kind]
    path.write_bytes(bad)
    with pytest.raises(UnusableIndex) as caught:
        RecordIndex(path)
    assert words in str(caught.value)
    index = open_index(path, "k", lambda: [tmp_path / "none"], lambda: made)
    assert all(map(same, index, made)) and path.read_bytes() == good
    assert len(said.messages) == 1 and words in said.text and "rebuilt" in said.text


def touched(path: Path):
    info = path.stat()
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns + 10**9))


CHANGES = {
    "touched": (lambda home: touched(home / "a.txt"), "a.txt was changed"),
    "gone": (lambda home: (home / "a.txt").unlink(), "a.txt is gone"),
    "appeared": (lambda home: (home / "new.txt").write_text(""), "new.txt has appeared"),
    "json": (lambda home: (home / "c.json").write_text("[2]"), "c.json has other content"),
    "folder": (lambda home: (home / "folder" / "b.png").write_text(""), "folder has other entries"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_what_changed_is_named(tmp_path, said, kind):
    (tmp_path / "folder").mkdir()
    (tmp_path / "a.txt").write_text("0 .5 .5 .1 .1")
    (tmp_path / "c.json").write_text("[1]")
    watched = [tmp_path / name for name in ("a.txt", "new.txt", "c.json", "folder")]
    path, builds = tmp_path / "cache" / "i", []

    def records():
        builds.append(1)
        return [record()]

    for _ in range(2):
        open_index(path, "k", lambda: watched, records)
    touched(tmp_path / "c.json")  # a json goes by its content
    index = open_index(path, "k", lambda: watched, records)
    assert len(builds) == 1 and not said.messages
    act, words = CHANGES[kind]
    act(tmp_path)
    assert index.changes() == (1, [f"{tmp_path}/{words}"])
    open_index(path, "k", lambda: watched, records)
    assert len(builds) == 2 and f"1 file changed since: {tmp_path}/{words}" in said.text
    open_index(path, "other", lambda: watched, records)
    assert len(builds) == 3 and "is of other settings" in said.text


def test_a_change_while_it_is_built_is_noticed(tmp_path):
    (tmp_path / "a.txt").write_text("1")

    def records():
        (tmp_path / "a.txt").write_text("22")
        yield record()

    index = open_index(tmp_path / "i", "k", lambda: [tmp_path / "a.txt"], records)
    assert index.changes()[0] == 1


def test_absent_files_are_stamped_as_such(tmp_path):
    (stamp,) = take_stamps([tmp_path / "x.json"])
    assert stamp.facts == ABSENT and not stamp.content


def test_a_failed_build_leaves_nothing(tmp_path):
    def records():
        yield record()
        raise DataError("bad row")

    with pytest.raises(DataError, match="bad row"):
        write_index(records(), [], tmp_path / "i")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cannot be written"):
        open_index(tmp_path / "file" / "i", "k", list, list)


def _build(path, queue, barrier):
    def records():
        queue.put("built")
        return [record(i) for i in range(300)]

    barrier.wait(30)
    queue.put(str(len(open_index(path, "k", list, records))))


def test_two_processes_build_once(tmp_path):
    context = multiprocessing.get_context("fork")
    queue, barrier = context.Queue(), context.Barrier(2)
    both = [context.Process(target=_build, args=(tmp_path / "i", queue, barrier)) for _ in range(2)]
    for process in both:
        process.start()
    got = sorted(queue.get(timeout=30) for _ in range(3))
    for process in both:
        process.join(30)
    assert got == ["300", "300", "built"]
    assert len(RecordIndex(tmp_path / "i")) == 300


def test_waiting_ends(tmp_path, said):
    with (
        FileLock(tmp_path / "i.lock"),
        pytest.raises(ResourceError, match="another process is still at it after 0.1 s"),
    ):
        open_index(tmp_path / "i", "k", list, list, patience=0.1)
    assert "waiting" in said.text
