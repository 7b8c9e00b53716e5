"""One sentence for each option that cannot act; none for options that can."""

from pathlib import Path

import numpy as np
import pytest

from data.batches.advice import advice
from utils.config.config import Config
from utils.config.settings import build_config, settings_of_assignments
from utils.values.record import Record


def record(*labels):
    boxes = np.tile(np.array([0.1, 0.1, 0.2, 0.2], np.float32), (len(labels), 1))
    return Record(Path("x"), 1, (10, 10), boxes, np.array(labels, np.int64), np.zeros(len(labels), bool))


TWO = [record(0), record(0, 1), record()]
ONE = [record(0), record(0), record()]
NONE = [record(), record()]
RARE = [record(0)] * 50 + [record(1)]


def config(words):
    return build_config(settings_of_assignments(words.split()))[0]


def test_defaults_need_no_advice():
    assert advice(Config(), TWO, 32) == []


@pytest.mark.parametrize(
    ("words", "records", "said"),
    [
        ("anchor_loss.label_smoothing=0.1", ONE, "--label-smoothing"),
        ("anchor_loss.label_smoothing=0.1", TWO, ""),
        ("data.rect=true", TWO, "--rect: mosaic is off"),
        ("data.rect=true augment.mosaic=0", TWO, ""),
        ("data.balance=repeat", ONE, "one class"),
        ("data.balance=repeat data.balance_threshold=0.1", TWO, "no class is rare enough"),
        ("data.balance=repeat", [record(0), record(1)], "no class is rare enough"),
        ("data.balance=repeat", RARE, ""),
        ("augment.copy_paste=0.5", NONE, "there are no boxes to learn from"),
        ("augment.copy_paste=0.5", TWO, ""),
        ("schedule.epochs=10", TWO, "the last 10 of 10 epochs go without mosaic: never on"),
        ("schedule.epochs=5 augment.mixup=0.1 data.rect=true augment.mosaic=0", TWO, "without mixup: never on"),
        ("schedule.epochs=10 augment.mosaic=0", TWO, ""),
        ("schedule.epochs=11", TWO, ""),
        ("data.multi_scale=true data.imgsz=32", TWO, "--multi-scale"),
        ("data.multi_scale=true data.imgsz=64", TWO, ""),
        ("data.multi_scale=true data.rect=true augment.mosaic=0", TWO, ""),
        ("augment.perspective=0.001", TWO, "augment.perspective: 0.00039 is the most at 640 px with mosaic"),
        ("augment.perspective=0.001 augment.mosaic=0", TWO, ""),
    ],
)
def test_advice(words, records, said):
    sentences = advice(config(words), records, 32)
    assert len(sentences) == bool(said) and all(said in sentence for sentence in sentences)
