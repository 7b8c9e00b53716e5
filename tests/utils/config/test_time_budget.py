import pytest

from utils.config.time_budget import TimeBudget, hours
from utils.words.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "expected"), [("2", 2), ("1.5", 1.5), (".5h", 0.5), ("30m", 0.5), ("90s", 0.025), ("2H", 2), (" 3 ", 3)]
)
def test_hours(text, expected):
    assert hours(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "2d", "-1", "0", "0s", "1h30m", "nan", "inf", "1e3", "m", ".", "two"])
def test_no_hours(text):
    with pytest.raises(ConfigError, match="--max-time"):
        hours(text)


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
        last = budget.is_last()
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
