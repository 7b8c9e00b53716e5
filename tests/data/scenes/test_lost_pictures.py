"""The books of lost pictures: each named once, counted together with those left out from the start."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data.files.data_report import DataReport, too_many
from data.scenes.lost_pictures import KEY, NAMED, DataBook, LostPictures
from data.sets.split_reading import RecordSet
from utils.console.log import LOG
from utils.processes.distributed import ALONE
from utils.values.record import Record

NOTHING = np.zeros((0, 4), np.float32), np.zeros(0, np.int64), np.zeros(0, bool)


def truth(count, bad=0):
    records = [Record(Path(f"/set/{k}.png"), k + 1, (4, 4), *NOTHING) for k in range(count)]
    known = {"split": "train", "found": count + bad, "used": count, "good": 0, "boxes": 0, "bad": bad}
    nothing = {"skipped": {"unreadable": bad}, "labels": {}, "rows_dropped": {}, "rows": {}}
    nothing |= {"problems": (), "notices": ()}
    return RecordSet(records, ("a",), (1,), DataReport(**known, **nothing), (("a",),))


def lost(*numbers):
    return {k: f"/set/{k}.png: is gone; put it back" for k in numbers}


@pytest.mark.parametrize(("bad", "found"), [(4, 8), (1, 2), (100, 1000), (300, 30_000)])
def test_the_limit(bad, found):
    assert not too_many(bad, found) and too_many(bad + 1, found)
    book = LostPictures(truth(found), "skip")
    book.add(lost(*range(bad)))
    assert book.refusal() is None
    book.add(lost(bad))
    assert f"{bad + 1:,} of {found:,} pictures are bad" in str(book.refusal())


def test_of_some_of_the_pictures_only_these_count():
    """data.pictures: a report of 1,000 pictures, of which 8 are drawn."""
    whole = truth(1000, bad=3)
    book = LostPictures(replace(whole, records=whole.records[:8]), "skip")
    book.add(lost(*range(4)))
    assert book.refusal() is None
    book.add(lost(4))
    assert "5 of 8 pictures are bad" in str(book.refusal())


def test_those_left_out_from_the_start_count():
    book = LostPictures(truth(6, bad=4), "skip")
    assert book.refusal() is None  # judged when the split was read
    book.add(lost(0))
    assert book.refusal() is None
    book.add(lost(0, 1))
    assert "6 of 10 pictures are bad, 2 of them only when they were read, first /set/0.png" in str(book.refusal())


def test_error_tolerates_none():
    book = LostPictures(truth(1000), "error")
    assert book.refusal() is None
    book.add(lost(7))
    assert str(book.refusal()).startswith("/set/7.png: is gone") and book.refusal().exit_code == 3


def test_each_is_named_once_and_not_too_many(caplog, monkeypatch):
    monkeypatch.setattr(LOG, "propagate", True)
    book = LostPictures(truth(1000), "skip")
    assert book.add(lost(3, 4)) and not book.add(lost(4)) and book.add(lost(*range(50)))
    said = [record.message for record in caplog.records]
    assert len(said) == NAMED and sum("/set/3.png" in line for line in said) == 1 and "not named here" in said[-1]
    assert len(book.names()) == 50 and book.line() == f"train: 50 pictures left out because reading failed ({KEY})"


def test_a_resumed_run_goes_on_with_its_book(tmp_path):
    file, both = tmp_path / "data_report.json", (truth(10), replace(truth(10)))
    first = DataBook(*both, "skip")
    first.open(file, resumed=False)
    first.enter(first.train, lost(1, 2), ALONE)
    first.enter(first.val, lost(5), ALONE)
    second = DataBook(*both, "skip")
    second.open(file, resumed=True)
    second.enter(second.train, lost(2, 8), ALONE)
    report = json.loads(file.read_text())
    assert list(report["train"][KEY]) == ["/set/1.png", "/set/2.png", "/set/8.png"]
    assert report["val"][KEY] == {"/set/5.png": lost(5)[5]} and report["train"]["found"] == 10
    assert set(second.train.reasons) == {2, 8}  # the limit is for what is bad now: the others may have been mended
    assert len(second.lines()) == 2


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"train": 3}', '{"train": {"lost_while_reading": []}}', "[" * 9999]
)
def test_a_damaged_book_is_begun_again(tmp_path, content):
    file = tmp_path / "data_report.json"
    file.write_text(content)
    book = DataBook(truth(2), truth(2), "skip")
    book.open(file, resumed=True)
    assert book.lines() == [] and book.plain()["val"][KEY] == {}


def test_a_full_disk_does_not_end_the_run(tmp_path):
    book = DataBook(truth(10), truth(10), "skip")
    book.open(tmp_path / "missing" / "data_report.json", resumed=False)
    book.enter(book.train, lost(1), ALONE)
    assert set(book.train.reasons) == {1}
