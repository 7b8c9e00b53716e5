"""What is counted from the arrays is what is counted from the Records one by one."""

from pathlib import Path

import numpy as np
import pytest

from data.augment.transforms import eval_shape, eval_shapes
from data.batches.class_balance import Balance
from data.index.flat_truth import flatten
from data.index.record_index import RecordIndex
from data.index.record_sequence import MergedRecords
from tests.data.index.written import write_index
from utils.values.record import EVERY_CLASS, Record


def random_records(seed, count=60, classes=7):
    rng = np.random.default_rng(seed)
    made = []
    for number in range(count):
        rows = int(rng.integers(0, 5))
        boxes = np.sort(rng.random((rows, 2, 2), np.float32), axis=1).reshape(rows, 4)
        labels = rng.integers(EVERY_CLASS, classes, rows)
        crowd = (labels == EVERY_CLASS) | (rng.random(rows) < 0.2)
        size = int(rng.integers(20, 4000)), int(rng.integers(20, 4000))
        made.append(Record(Path(f"{number}.png"), number + 1, size, boxes, labels, crowd))
    return made


@pytest.fixture(params=["tuple", "index", "merged"])
def records(request, tmp_path):
    if request.param == "tuple":
        return tuple(random_records(1))
    parts = []
    for seed in (1, 2):
        write_index(random_records(seed), [], tmp_path / str(seed))
        parts.append(RecordIndex(tmp_path / str(seed)))
    if request.param == "index":
        return parts[0]
    return MergedRecords(
        [parts[0], tuple(random_records(3)), parts[1]], [np.arange(7)[::-1], np.arange(7) + 2, np.arange(7)]
    )


def test_flat_arrays(records):
    flat, plain = flatten(records), list(records)
    assert flat.sizes.tolist() == [list(r.size) for r in plain] and flat.counts.tolist() == [
        len(r.boxes) for r in plain
    ]
    for name in ("boxes", "labels", "crowd"):
        np.testing.assert_array_equal(getattr(flat, name), np.concatenate([getattr(r, name) for r in plain]))
    assert flat.pictures.tolist() == [i for i, r in enumerate(plain) for _ in r.boxes]
    np.testing.assert_array_equal(flat.input_sizes(640), np.concatenate([r.input_sizes(640) for r in plain]))
    assert flat.input_sizes(640).dtype == np.float32


def test_balance_from_the_arrays(records):
    """The definition, picture by picture."""
    plain, threshold = list(records), 0.3
    present = [set(r.labels[~r.crowd].tolist()) for r in plain]
    balance = Balance.of(records, threshold)
    for label, factor in enumerate(balance.classes):
        part = sum(label in one for one in present) / len(plain)
        assert factor == pytest.approx(max(1, (threshold / part) ** 0.5) if part else 1)
    want = [max([balance.classes[k] for k in one], default=1.0) for one in present]
    assert balance.pictures.tolist() == want


def test_eval_shapes():
    sizes = np.random.default_rng(0).integers(1, 300, (200, 2))
    assert eval_shapes(sizes, 320, 32).tolist() == [list(eval_shape((h, w), 320, 32)) for h, w in sizes.tolist()]


def test_no_records():
    flat = flatten(())
    assert flat.sizes.shape == (0, 2) and flat.boxes.shape == (0, 4) and flat.input_sizes(64).shape == (0, 2)
