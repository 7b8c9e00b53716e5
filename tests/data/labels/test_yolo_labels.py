import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.labels.long_rows import LongRows
from data.labels.yolo_labels import count_rows, parse_labels
from utils.words.errors import DataError

PATH = Path("labels/玻璃 1.txt")


def reasons(raw: bytes, classes: int = 3) -> list[tuple[str, str]]:
    return [(p.where.rpartition(":")[2], p.reason) for p in parse_labels(PATH, raw, classes)[2]]


def test_rows_become_corners() -> None:
    boxes, labels, problems = parse_labels(PATH, b"1 0.5 0.5 0.2 0.4\n0 0.25 0.25 0.5 0.5\n", 2)
    assert boxes.dtype == np.float32 and labels.dtype == np.int64 and not problems
    np.testing.assert_allclose(boxes, [[0.4, 0.3, 0.6, 0.7], [0, 0, 0.5, 0.5]], atol=1e-7)
    assert labels.tolist() == [1, 0]


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf1 0.5 0.5 0.2 0.2",
        b"1 0.5 0.5 0.2 0.2\r\n\r\n",
        b"\r1 .5 .5 .2 .2\r",
        b"\n  \t\n\t1\t0.5 5e-1\t0.2 0.2  \n\n",
        "1 0.5 0.5 0.2 0.2\r\n".encode("utf-16"),
        b"1.0 0.5 0.5 0.2 0.2",
    ],
)
def test_odd_but_valid_text(raw: bytes) -> None:
    boxes, labels, problems = parse_labels(PATH, raw, 2)
    assert len(boxes) == 1 and labels.tolist() == [1] and not problems and count_rows(raw) == 1


@pytest.mark.parametrize("raw", [b"", b"\n\n", b" \t\r\n", b"\xef\xbb\xbf"])
def test_nothing_is_a_good_part(raw: bytes) -> None:
    boxes, labels, problems = parse_labels(PATH, raw, 1)
    assert boxes.shape == (0, 4) and labels.shape == (0,) and not problems and count_rows(raw) == 0


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1 0.5 0.5 0.2", "columns"),
        (b"1 0.5 0.5 0.2 0.2 0.9", "columns"),
        (b"1", "columns"),
        (b"0 1 2 3 4 5 6 7", "columns"),
        (b"1 nan 0.5 0.2 0.2", "non_finite"),
        (b"1 0.5 0.5 inf 0.2", "non_finite"),
        (b"1 0.5 0.5 1e400 0.2", "non_finite"),
        (b"nan 0.5 0.5 0.2 0.2", "non_finite"),
        (b"1 0x1 0.5 0.2 0.2", "not_a_number"),
        (b"1 0,5 0,5 0,2 0,2", "not_a_number"),
        (b"1,0.5,0.5,0.2,0.2", "not_a_number"),
        (b"1 0.5 0.5 0.2 0_1", "not_a_number"),
        (b"1 0.5\0 0.5 0.2 0.2", "not_a_number"),
        ("bläschen 0.5 0.5 0.2 0.2".encode("latin-1"), "not_a_number"),
        (b"x" * 1_000_000, "not_a_number"),
        (b"0.7 0.5 0.5 0.2 0.2", "class_id"),
        (b"-1 0.5 0.5 0.2 0.2", "class_id"),
        (b"1 0.5 0.5 0 0.2", "empty_box"),
        (b"1 0.5 0.5 0.2 1e-9", "empty_box"),
        (b"1 0.5 0.5 -0.2 0.2", "empty_box"),
        (b"1 1.004 0.5 0.002 0.2", "empty_box"),
        (b"1 0.95 0.5 0.2 0.2", "outside"),
        (b"1 -0.2 0.5 0.1 0.1", "outside"),
        (b"1 320 240 64 48", "outside"),
        (b"1 1e308 1e308 1e308 1e308", "outside"),
        (b"0 0.1 0.1 0.2 0.2 nan 0.3", "non_finite"),
    ],
)
def test_bad_rows_are_named_and_left_out(row: bytes, reason: str) -> None:
    good = b"0 0.5 0.5 0.2 0.2\n"
    boxes, _, problems = parse_labels(PATH, good + row + b"\n" + good, 3)
    assert len(boxes) == 2 and [(p.where, p.reason) for p in problems] == [(f"{PATH}:2", reason)]
    assert "\n" not in str(problems[0]) and len(str(problems[0])) < 300 and not problems[0].harmless


def test_hints() -> None:
    messages = [str(p) for p in parse_labels(PATH, b"1 .5 .5 .1 .1 .9\n1 320 240 64 48\n1,2\n", 3)[2]]
    assert "predictions file with confidence" in messages[0] and "looks like pixels" in messages[1]
    assert "not commas" in messages[2]


def test_edges_are_clipped_within_one_percent() -> None:
    boxes, _, problems = parse_labels(PATH, b"0 0.955 0.5 0.11 0.2\n0 0.045 0.5 0.11 0.2\n", 1)
    assert boxes.min() == 0 and boxes.max() == 1
    assert [(p.reason, p.count, p.harmless) for p in problems] == [("clipped", 2, True)]
    boxes, _, problems = parse_labels(PATH, b"0 0.9000003 0.5 0.2 0.2\n", 1)
    assert boxes.max() == 1 and not problems, "the rounding of six digits is nobody's fault"
    assert reasons(b"0 0.955 0.5 0.1102 0.2") == [("1", "outside")]


def test_polygons_stand_for_their_box() -> None:
    raw = b"0 0.5 0.5 0.2 0.2\n2 0.1 0.2 0.3 0.9 0.6 0.4\n2 0.1 0.1 0.3 0.1 0.3 0.2 0.1 0.2\n"
    boxes, labels, problems = parse_labels(PATH, raw, 3, LongRows("polygons"))
    np.testing.assert_allclose(boxes[1:], [[0.1, 0.2, 0.6, 0.9], [0.1, 0.1, 0.3, 0.2]], atol=1e-7)
    assert labels.tolist() == [0, 2, 2]
    assert [(p.where, p.reason, p.count) for p in problems] == [(f"{PATH}:2", "polygon", 2)]


@pytest.mark.parametrize("row", [b"3 0.5 0.5 0.2 0.2", b"1e300 0.5 0.5 0.2 0.2", b"9 0.1 0.1 0.2 0.2 0.3 0.1"])
def test_class_beyond_the_names_stops(row: bytes) -> None:
    with pytest.raises(DataError, match=r"玻璃 1\.txt:2: class \S+, but the data YAML names 3 \(0\.\.2\)") as caught:
        parse_labels(PATH, b"\n" + row, 3, LongRows("polygons"))
    assert len(str(caught.value)) < 250


def test_many_rows() -> None:
    raw = b"1 0.512345 0.512345 0.212345 0.212345\n" * 20_000
    start = time.perf_counter()
    assert len(parse_labels(PATH, raw, 2)[0]) == 20_000
    print(f"20,000 rows: {time.perf_counter() - start:.3f} s")


NUMBER = st.one_of(st.floats(), st.integers(-3, 3), st.floats(-0.1, 1.1), st.sampled_from(["0x1", "1,5", "a", "\0"]))
ROWS = st.lists(st.lists(NUMBER, max_size=11).map(lambda row: " ".join(map(str, row))))


MEANINGS = st.sampled_from([LongRows(), LongRows("polygons"), LongRows("boxes"), LongRows("boxes", 4)])


@given(st.one_of(st.binary(), ROWS.map(lambda rows: "\n".join(rows).encode())), MEANINGS)
def test_whatever_it_says(raw: bytes, meaning: LongRows) -> None:
    try:
        boxes, labels, problems = parse_labels(PATH, raw, 3, meaning)
    except DataError as error:
        assert "\n" not in str(error)
        return
    assert boxes.shape == (len(labels), 4) and np.isfinite(boxes).all()
    assert (boxes >= 0).all() and (boxes <= 1).all() and (boxes[:, 2:] > boxes[:, :2]).all()
    assert ((labels >= 0) & (labels < 3)).all()
    assert len(labels) + sum(not p.harmless for p in problems) == count_rows(raw)
