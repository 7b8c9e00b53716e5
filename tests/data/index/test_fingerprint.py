"""What a split is known by: the same with an index and without, in any place, and another after any change."""

import os
import shutil
from dataclasses import replace

import numpy as np
import pytest

from data.index.fingerprint import fingerprint
from data.index.record_index import RecordIndex
from data.index.record_sequence import MergedRecords
from data.sets.data_yaml import read_description
from data.sets.split_reading import ReadPolicy, read_records
from tests.data.index.written import write_index
from tests.data.trees import NAMES, make_truth, write_yolo

POLICY = ReadPolicy(bad_data="error", drop_duplicates=True)


@pytest.fixture
def split(tmp_path):
    write_yolo(tmp_path / "set", make_truth(0))
    (tmp_path / "set/data.yaml").write_text(f"train: images/train\nval: images/val\nnames: {list(NAMES)}\n")
    return read_again(tmp_path / "set")


def read_again(home):
    return read_records(read_description(home)[0], "train", POLICY)


def changed(split, other):
    one, two = fingerprint(split), fingerprint(other)
    return {key for key in one if one[key] != two[key]}


def test_with_an_index_and_without(split, tmp_path):
    write_index(split.records, [], tmp_path / "index")
    assert fingerprint(replace(split, records=RecordIndex(tmp_path / "index"))) == fingerprint(split)
    first = split.records[0]
    assert fingerprint(split)["pictures"] == len(split.records) > 1 and first.path.is_absolute()


def test_in_another_place(split, tmp_path):
    shutil.copytree(tmp_path / "set", tmp_path / "far" / "away", copy_function=shutil.copy2)
    assert not changed(split, read_again(tmp_path / "far" / "away"))


@pytest.mark.parametrize("count", [0, 1])
def test_of_few_pictures(split, count):
    assert fingerprint(replace(split, records=split.records[:count]))["pictures"] == count


def test_of_several_sets(split):
    tables = [np.arange(3), np.array([2, 0, 1])]
    both = replace(split, records=MergedRecords([split.records, split.records], tables))
    other = replace(split, records=MergedRecords([split.records, split.records], tables[::-1]))
    assert fingerprint(both)["pictures"] == 2 * len(split.records)
    assert changed(both, other) == {"truth"}


def test_what_a_change_changes(split):
    one, *rest = sorted(split.records, key=lambda record: -len(record.labels))
    split, boxes = replace(split, records=(one, *rest)), one.boxes.copy()
    boxes[0, 0] = np.nextafter(boxes[0, 0], np.float32(1))
    for record, keys in (
        (replace(one, boxes=boxes), {"truth"}),
        (replace(one, labels=one.labels + 1), {"truth"}),
        (replace(one, crowd=~one.crowd), {"truth"}),
        (replace(one, size=(one.size[1], one.size[0])), {"sizes"}),
    ):
        assert changed(split, replace(split, records=(record, *rest))) == keys
    assert changed(split, replace(split, synonyms=(("knot",), *split.synonyms[1:]))) == {"words"}
    assert changed(split, replace(split, records=(*rest, one))) >= {"names", "truth"}


def test_of_files(split):
    before, path = fingerprint(split), split.records[1].path
    os.utime(path, ns=(0, 0))
    assert {key for key, value in fingerprint(split).items() if value != before[key]} == {"times"}
    path.write_bytes(path.read_bytes() + b"\0")
    assert {key for key, value in fingerprint(split).items() if value != before[key]} == {"times", "bytes"}


def test_pictures_in_shards_stand_for_their_shard(split, tmp_path):
    shard = tmp_path / "train-000000.tar"
    shard.write_bytes(b"12345")
    inside = [replace(r, path=shard / f"{k:06}.jpg") for k, r in enumerate(split.records)]
    packed = replace(split, records=inside)
    before = fingerprint(packed)
    shard.write_bytes(b"123456")
    assert {key for key, value in fingerprint(packed).items() if value != before[key]} >= {"bytes"}
