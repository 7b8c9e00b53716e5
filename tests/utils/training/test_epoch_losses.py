"""The mean losses of an epoch."""

import math

import pytest

from utils.training.epoch_losses import EpochLosses, StepResult


def step(pictures=2, lost=0, **parts):
    return StepResult(parts, pictures, lost, stopping=False)


def test_means_are_over_pictures():
    losses = EpochLosses()
    losses.add(step(3, lost=1, box=1.0, cls=2.0))
    losses.add(step(1, lost=2, box=5.0, cls=6.0))
    assert losses.means() == {"box": 2.0, "cls": 3.0} and losses.boxes_lost == 3
    assert losses.words() == "box 2.0000 cls 3.0000"
    assert vars(EpochLosses.from_plain(losses.plain())) == vars(losses)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_batch_whose_step_is_skipped_leaves_the_mean_alone(value):
    losses = EpochLosses()
    losses.add(step(box=1.0, cls=2.0))
    losses.add(step(lost=4, box=value, cls=2.0))
    losses.add(step(box=3.0, cls=4.0))
    assert losses.means() == {"box": 2.0, "cls": 3.0} and losses.boxes_lost == 4


def test_without_a_finite_batch_there_is_no_mean():
    losses = EpochLosses()
    losses.add(step(box=math.nan))
    assert losses.means() == {} and losses.words() == "no finite loss yet"
