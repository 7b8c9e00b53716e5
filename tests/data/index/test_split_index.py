"""A split read by its index is the split read without, whatever happened to the files or to the index meanwhile."""

import errno
import json
import multiprocessing
import os
import pickle
import time

import numpy as np
import pytest

from data.batches.build import eval_loader, read_splits, train_loader
from data.files.data_report import DataReport
from data.index.record_index import RecordIndex
from data.index.split_index import index_path, read_indexed
from data.index.union import merge
from data.sets.data_yaml import read_description
from data.sets.split_reading import ReadPolicy, RecordSet, SplitReader
from tests.data.trees import LAYOUTS, NAMES, coco, make_truth, picture, text, voc, yolo
from utils.config.settings import Setting, build_config
from utils.values.record import Record
from utils.words.errors import DataError

POLICY = ReadPolicy(bad_data="skip", drop_duplicates=True, allow_empty=True, workers=2)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "defects" / "index"


@pytest.fixture
def said(caplog, monkeypatch):
    monkeypatch.setattr("utils.console.log.LOG.propagate", True)
    caplog.set_level("INFO")
    return caplog


@pytest.fixture
def passes(monkeypatch):
    """Splits that were read file by file."""
    found = []
    chunks = SplitReader.chunks

    def counting(self, stamped):
        found.append(self.split)
        return chunks(self, stamped)

    monkeypatch.setattr(SplitReader, "chunks", counting)
    return found


def same_record(one: Record, other: Record) -> bool:
    arrays = all(
        np.array_equal(a := getattr(one, n), b := getattr(other, n)) and a.dtype == b.dtype
        for n in ("boxes", "labels", "crowd")
    )
    return arrays and all(getattr(one, n) == getattr(other, n) for n in ("path", "image_id", "size", "labelled"))


def assert_same(one: RecordSet, other: RecordSet) -> None:
    assert len(one.records) == len(other.records) and all(map(same_record, one.records, other.records))
    for name in ("names", "category_ids", "synonyms", "channels", "data_report"):
        assert getattr(one, name) == getattr(other, name), name
    assert json.dumps(one.data_report.plain()) == json.dumps(other.data_report.plain())
    assert isinstance(one.data_report, DataReport)


def both(home, split="train", policy=POLICY):
    """The split by its index, after it was compared with the one without."""
    description, _ = read_description(home)
    by_index = read_indexed(description, split, policy, "always")
    assert_same(by_index, read_indexed(description, split, policy, "never"))
    return by_index


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_is_the_same_by_index(tmp_path, cache, passes, said, layout):
    home = tmp_path / "set"
    LAYOUTS[layout](home, make_truth(3))
    before = sorted(home.rglob("*"))
    first = both(home)
    assert isinstance(first.records, RecordIndex) and passes == ["train", "train"]
    both(home)
    both(home, "val")
    assert passes == ["train", "train", "train", "val", "val"] and not said.messages
    assert len(list(cache.glob("*.index"))) == 2 and sorted(home.rglob("*")) == before
    assert first.records.changes() == (0, [])


def yolo_home(tmp_path):
    home = tmp_path / "set"
    LAYOUTS["yolo"](home, make_truth(5))
    text(home / "images/train/text.jpg", "no picture")
    text(home / "labels/train/none.txt", "")
    text(home / "labels/train/train 瓶 1.txt", "0 .5 .5 .2 .2\n0 .5 .5 .2 .2\n0 2 2 1 1\n0 .5 .5 1.005 .2")
    return home


def appears_elsewhere(home):
    names = {path.name: [(1, 3, 4, 20, 30)] for path in (home / "images/train").glob("*.png")}
    text(home / "annotations/train.json", coco(names))


CHANGES = {
    "picture comes": lambda home: picture(home / "images/train/new.png"),
    "picture goes": lambda home: (home / "images/train/all 0.png").unlink(),
    "picture changes": lambda home: picture(home / "images/train/text.jpg"),
    "folder comes": lambda home: picture(home / "images/train/deeper/new.png"),
    "label changes": lambda home: text(home / "labels/train/all 1.txt", yolo([(2, 1, 2, 30, 40)])),
    "label goes": lambda home: (home / "labels/train/all 1.txt").unlink(),
    "label comes": lambda home: text(home / "labels/train/txt/train 瓶 9.txt", "0 .5 .5 .1 .1"),
    "orphan comes": lambda home: text(home / "labels/train/orphan.txt", ""),
    "orphan changes": lambda home: text(home / "labels/train/none.txt", "0 .5 .5 .1 .1"),
    "labels go": lambda home: (home / "labels").rename(home / "elsewhere"),
    "xml comes": lambda home: text(home / "Annotations/all 2.xml", voc([(0, 1, 1, 9, 9)])),
    "json comes": appears_elsewhere,
    "class names": lambda home: text(home / "classes.txt", "\n".join(reversed(NAMES))),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_what_changed_since_is_read_again(tmp_path, cache, passes, said, kind):
    home = yolo_home(tmp_path)
    assert both(home).data_report.skipped == {"unreadable": 1}
    time.sleep(0.03)  # file systems count in ticks
    CHANGES[kind](home)
    both(home)
    assert passes == ["train"] * 4
    (line,) = said.messages
    assert line.startswith("index rebuilt: ") and ("changed since" in line or "other settings" in line)
    assert "other settings" in line or str(home) in line
    both(home)
    assert passes == ["train"] * 5 and len(said.messages) == 1


def test_a_list_file_and_a_glob_are_watched(tmp_path, cache, passes):
    home = yolo_home(tmp_path)
    lists = home / "lists/train.txt"
    text(lists, "images/train/all 0.png\nimages/more/later.png")
    keys = {"train": [str(lists), "images/[vg]*/*.png"], "val": "images/val", "names": list(NAMES)}
    text(home / "data.yaml", json.dumps(keys))
    assert len(both(home).records) == 5
    for name in ("images/more/later.png", "images/glob/x.png"):
        time.sleep(0.03)
        picture(home / name)
        both(home)
    assert len(both(home).records) == 7 and len(passes) == 7
    time.sleep(0.03)
    text(lists, "images/train/all 1.png")
    assert len(both(home).records) == 6


def test_a_json_goes_by_its_content(tmp_path, cache, passes):
    home = tmp_path / "set"
    LAYOUTS["gcd, json only"](home, make_truth(3))
    both(home)
    json_file = home / "labels/train/annotations/train.json"
    content = json_file.read_text(encoding="utf-8")
    json_file.write_text(content, encoding="utf-8")
    os.utime(json_file, ns=(0, 0))
    both(home)
    assert passes == ["train"] * 3
    time.sleep(0.03)
    json_file.write_text(content.replace('"bbox": [', '"bbox": [ '), encoding="utf-8")
    both(home)
    assert passes == ["train"] * 5


def test_errors_are_the_same(tmp_path, cache):
    home = yolo_home(tmp_path)
    description, _ = read_description(home)
    strict = ReadPolicy(bad_data="error", drop_duplicates=False, workers=2)
    said = []
    for use in ("never", "always", "always", "auto"):
        with pytest.raises(DataError) as caught:
            read_indexed(description, "train", strict, use)
        said.append(str(caught.value))
    assert len(set(said)) == 1 and "and 1 more problem" in said[0] and not list(cache.glob("*.index"))


def test_policies_have_their_own(tmp_path, cache, passes):
    home = yolo_home(tmp_path)
    other = ReadPolicy(bad_data="skip", drop_duplicates=False, allow_empty=True, workers=1)
    assert both(home).data_report.boxes + 1 == both(home, policy=other).data_report.boxes
    both(home)
    both(home, policy=other)
    assert len(passes) == 6 and len(list(cache.glob("*.index"))) == 2


@pytest.mark.parametrize(
    ("damage", "words"), [(lambda raw: raw[:-7], "instead of"), (lambda raw: raw[:8] + bytes(4) + raw[12:], "format 0")]
)
def test_a_damaged_or_older_index_is_rebuilt(tmp_path, cache, said, damage, words):
    home = yolo_home(tmp_path)
    both(home)
    (path,) = cache.glob("*.index")
    path.write_bytes(damage(path.read_bytes()))
    both(home)
    assert len(said.messages) == 1 and words in said.text and "rebuilt" in said.text


def test_without_a_place_it_goes_on(tmp_path, cache, said):
    home = yolo_home(tmp_path)
    text(cache.parent, "a file where the folder should be")
    both(home)
    assert len(said.messages) == 1 and "no index of train is kept" in said.text and "XDG_CACHE_HOME" in said.text


def test_a_cache_folder_out_of_reach(tmp_path, cache, said, monkeypatch):
    """As with another user's HOME in a container; here a name that no file system takes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ("a" * 300)))
    both(yolo_home(tmp_path))
    assert len(said.messages) == 1 and "no index of train is kept" in said.text and "XDG_CACHE_HOME" in said.text


def test_a_full_disk_is_said_and_the_split_is_read_without(tmp_path, cache, said, monkeypatch):
    def full(self, facts):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("data.index.column_file.ColumnWriter.finish", full)
    both(yolo_home(tmp_path))
    assert len(said.messages) == 1 and "No space left on device" in said.text and "make room" in said.text
    assert not list(cache.glob("*.index")) and not list(cache.glob(".*"))


def _read_and_tell(home, queue, barrier):
    chunks = SplitReader.chunks

    def counting(self, stamped):
        queue.put("read")
        return chunks(self, stamped)

    SplitReader.chunks = counting
    description, _ = read_description(home)
    barrier.wait(60)
    queue.put(str(len(read_indexed(description, "train", POLICY, "always").records)))


def test_ranks_wait_for_the_file(tmp_path, cache):
    """Of three processes that start together one reads the files."""
    home = yolo_home(tmp_path)
    context = multiprocessing.get_context("fork")
    queue, barrier = context.Queue(), context.Barrier(3)
    ranks = [context.Process(target=_read_and_tell, args=(home, queue, barrier)) for _ in range(3)]
    for rank in ranks:
        rank.start()
    assert sorted(queue.get(timeout=60) for _ in range(4)) == ["7", "7", "7", "read"]
    for rank in ranks:
        rank.join(60)


def test_samples_are_the_same_bit_for_bit(glass, cache):
    """Mosaics, mixup and pasted objects from two workers that open the index, and from Records in memory."""
    values = {"data.data": str(glass), "data.imgsz": 64, "data.batch_size": 4, "schedule.epochs": 30}
    values |= {"augment.mixup": 0.5, "augment.copy_paste": 0.5, "data.balance": "repeat"}
    made = {}
    for use, workers in (("never", 0), ("always", 2)):
        several = {**values, "data.index": use, "data.workers": workers}
        cfg = build_config([Setting(key, value, "test") for key, value in several.items()])[0]
        train, val = read_splits(cfg)
        assert isinstance(train.records, RecordIndex) == (use == "always")
        loader, order = train_loader(train.records, cfg, 32, pin=False)
        order.set_epoch(1)
        made[use] = [*loader, *eval_loader(val.records, cfg.data, 32, 2, pin=False)]
    assert len(made["always"]) == len(made["never"]) > 5
    for one, other in zip(made["always"], made["never"], strict=True):
        assert one.images.equal(other.images) and one.indices == other.indices
        assert one.targets.boxes.equal(other.targets.boxes) and one.targets.labels.equal(other.targets.labels)


def test_auto_leaves_small_sets_alone(tmp_path, cache, passes, monkeypatch):
    home = yolo_home(tmp_path)
    description, _ = read_description(home)
    assert isinstance(read_indexed(description, "train", POLICY, "auto").records, tuple) and not cache.exists()
    monkeypatch.setattr("data.index.split_index.LEAST", 3)
    plain = read_indexed(description, "train", POLICY, "never")
    for _ in range(2):
        large = read_indexed(description, "train", POLICY, "auto")
        assert isinstance(large.records, RecordIndex) and large.records.changes() == (0, [])
        assert_same(large, plain)
    assert index_path(description, "train", POLICY).exists() and passes == ["train"] * 3


def test_a_union_of_indexes(tmp_path, cache):
    """Equal to the union of the same sets in memory, and small when it is sent to a worker."""
    homes = tmp_path / "one", tmp_path / "two"
    for seed, home in enumerate(homes):
        LAYOUTS["yolo"](home, make_truth(seed, 30))
    text(homes[1] / "classes.txt", "Crack\nbubble\nKNOT")
    sets = {
        use: merge("train", [read_indexed(read_description(h)[0], "train", POLICY, use) for h in homes])
        for use in ("always", "never")
    }
    assert_same(sets["always"], sets["never"])
    assert sets["always"].names == ("Knot", "crack", "resin spot", "bubble")
    sent = pickle.dumps(sets["always"].records)
    assert len(sent) < 2000 + 4 * len(str(cache)) and all(map(same_record, pickle.loads(sent), sets["never"].records))
