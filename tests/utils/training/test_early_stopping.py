import pytest

from utils.training.early_stopping import TimeBudget


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def epochs(limit_seconds, durations):
    """How many epochs of these durations (the last tenth of each after the question is asked) are run."""
    clock = Clock()
    budget = TimeBudget(limit_seconds / 3600, clock)
    for number, seconds in enumerate(durations, 1):
        budget.start_epoch()
        clock.now += 0.9 * seconds
        last = budget.is_last_epoch()
        clock.now += 0.1 * seconds
        if last:
            return number
    return len(durations)


@pytest.mark.parametrize(
    ("limit", "durations", "expected"),
    [
        (0, [100] * 9, 9),  # no limit
        (1, [100] * 9, 1),  # one epoch at least
        (50, [10] * 9, 5),
        (59, [10] * 9, 5),
        (100, [10, 50, 10, 10, 10], 3),  # the longest counts: this one may end at 110 s
        (1000, [10] * 9, 9),
    ],
)
def test_ends_before_the_epoch_that_does_not_fit(limit, durations, expected):
    assert epochs(limit, durations) == expected
