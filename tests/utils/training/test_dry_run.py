from dataclasses import replace
from pathlib import Path

import numpy as np

from data.index.flat_truth import flatten
from utils.config.settings import build_config, settings_of_assignments
from utils.training.dry_run import data_lines, schedule_lines
from utils.training.schedule import Schedule
from utils.values.record import EVERY_CLASS, Record


def record(labels):
    boxes = np.tile(np.float32([0.1, 0.1, 0.2, 0.2]), (len(labels), 1))
    return Record(Path("x.png"), 1, (10, 10), boxes, np.array(labels, np.int64), np.zeros(len(labels), bool))


def test_counts():
    names = ("bubble", "oil")
    train = flatten([record([0, 0]), record([0, 1]), record([]), record([])]).class_counts(names)
    lines = data_lines(train, flatten([record([1])]).class_counts(names))
    assert [line.split() for line in lines[1:3]] == [["bubble", "3", "2", "0", "0"], ["oil", "1", "1", "1", "1"]]
    assert lines[3:] == ["train: 4 pictures, 2 good (50%)", "val: 1 picture, 0 good (0%)"]


def test_counts_of_a_validation_with_other_classes():
    """As a network that reads text may have it."""
    train = flatten([record([0, 1])]).class_counts(("bubble", "oil"))
    val = flatten([record([0])]).class_counts(("oil",))
    lines = [line.split() for line in data_lines(train, val)[1:3]]
    assert lines == [["bubble", "1", "1", "0", "0"], ["oil", "1", "1", "1", "1"]]


def test_regions_to_ignore_are_no_boxes():
    crowd = replace(record([0, 0, EVERY_CLASS]), crowd=np.array([True, False, True]))
    every = replace(record([EVERY_CLASS]), crowd=np.array([True]))
    counts = flatten([crowd, every, record([])]).class_counts(("bubble", "oil"))
    assert (counts.pictures, counts.good, counts.boxes, counts.shown) == (3, 2, (1, 0), (1, 0))
    assert counts.good == sum(one.good for one in (crowd, every, record([])))


def test_schedule():
    words = ["schedule.epochs=20", "schedule.warmup_steps=0", "run.max_time=0.5", "schedule.patience=0"]
    cfg, _ = build_config(settings_of_assignments(words))
    batch, steps, optimizer, schedule, best, limit = schedule_lines(cfg, Schedule(cfg, 10), 1)
    assert batch.startswith("batch 16 = 16 x 1 process; gradients of 4 steps (64 pictures)")
    assert schedule_lines(cfg, Schedule(cfg, 10), 4)[0].startswith("batch 16 = 4 x 4 processes;")
    assert steps == "steps: 10 an epoch, 200 in 20 epochs"
    assert optimizer == "optimizer: SGD, lr 0.01, momentum 0.937, weight decay 0.0005"
    assert "linear from 0.01 to 0.00015 at the last step, warm-up 30 steps, mosaic off in the last 10" in schedule
    assert best == "best.pt goes by fitness, patience off" and "0.5 h" in limit
