"""summary.csv of a line: one row for each picture, whatever happens in between."""

import csv
from pathlib import Path

import pytest
import torch

from utils.line.journal import COLUMNS, Journal, key_of
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.values.picture_result import PictureResult
from utils.values.score_thresholds import ScoreThresholds
from utils.words.errors import DataError, ResourceError


def result(name, defects=1, reason=""):
    boxes = torch.tensor([[1.0, 2.0, 3.0, 4.0]] * defects).reshape(-1, 4)
    labels = torch.zeros(defects, dtype=torch.int64)
    found = None if reason else Detections(boxes, torch.full((defects,), 0.5), labels, ("scratch",))
    frame = Frame(name, Path(name), None, reason)
    return PictureResult(frame, found, ScoreThresholds((0.25,), "--conf"), size=(10, 20))


def add(journal, name, stamp="1-1", **more):
    return journal.add(result(name, **more), stamp, "2026-01-01T00:00:00", 12.34)


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_second_start_knows_what_the_first_judged(tmp_path):
    first = Journal(tmp_path)
    add(first, "a.png", defects=2)
    add(first, "=b,\n.png", reason="is no picture")
    first.close()
    second = Journal(tmp_path)
    assert second.known("a.png", "1-1") and second.known("=b,\n.png", "1-1")
    assert not second.known("a.png", "1-2"), "written over since then"
    assert second.verdicts == {"NG": 1, "UNREADABLE": 1}
    assert [(row.name, row.verdict, row.defects) for row in second.kept()] == [
        ("a.png", "NG", 2),
        ("=b,\\n.png", "UNREADABLE", 0),
    ]
    second.close()
    table = rows(tmp_path / "summary.csv")
    assert tuple(table[0]) == COLUMNS and [row["latency_ms"] for row in table] == ["12.3", "12.3"]


def test_a_killed_row_is_not_known(tmp_path):
    first = Journal(tmp_path)
    add(first, "a.png")
    add(first, "b.png")
    first.close()
    path = tmp_path / "summary.csv"
    path.write_bytes(path.read_bytes()[:-3])
    second = Journal(tmp_path)
    assert second.known("a.png", "1-1") and not second.known("b.png", "1-1")
    add(second, "b.png")
    second.close()
    assert [row["image"] for row in rows(path)] == ["a.png", "b.png"]


def test_rows_are_bounded_and_pictures_that_stay_are_remembered(tmp_path):
    staying = {"0.png", "3.png"}
    journal = Journal(tmp_path, keep=4, lies=lambda name: name in staying)
    for number in range(20):
        add(journal, f"{number}.png")
        if journal.full():
            journal.begin_anew()
    journal.close()
    assert len(rows(tmp_path / "summary.csv")) == 0 and len(rows(tmp_path / "summary.earlier.csv")) == 4
    again = Journal(tmp_path, keep=4)
    known = {number for number in range(20) if again.known(f"{number}.png", "1-1")}
    assert known == {0, 3, 16, 17, 18, 19}
    again.close()


def test_a_table_that_somebody_broke(tmp_path):
    journal = Journal(tmp_path)
    add(journal, "a.png")
    journal.close()
    path = tmp_path / "summary.csv"
    path.write_bytes(path.read_bytes() + b"two,cells\r\n")
    with pytest.raises(DataError, match=r"summary.csv:3: is no row"):
        Journal(tmp_path)


def test_rows_that_could_not_be_written_are_said(tmp_path, monkeypatch):
    journal = Journal(tmp_path)

    def write(handle, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("utils.line.line_file.os.write", write)
    assert not add(journal, "a.png")
    with pytest.raises(ResourceError, match="lacks 1 row"):
        journal.close()


def test_keys_differ_where_name_and_stamp_do():
    assert len({key_of("a", "b"), key_of("ab", ""), key_of("", "ab"), key_of("a", "c")}) == 4
