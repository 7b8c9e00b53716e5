import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.deciding.intervals import Rate, per_picture, percent, rate


@pytest.mark.parametrize(
    ("events", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_newcombe_1998_table_1(events, total, low, high):
    """The published intervals of method 3, the Wilson score without continuity correction."""
    one = Rate(events, total)
    assert (one.low, one.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 10**6))
def test_no_events_in_n_is_bounded(n):
    assert Rate(0, n).high == pytest.approx(3.8414588 / (n + 3.8414588)) and Rate(0, n).low == 0
    assert Rate(n, n).low == pytest.approx(1 - Rate(0, n).high) and Rate(n, n).high == 1


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_share_and_is_symmetric(counts):
    events, total = counts
    one, other = Rate(events, total), Rate(total - events, total)
    assert 0 <= one.low <= one.value <= one.high <= 1
    assert (one.low, one.high) == (pytest.approx(1 - other.high), pytest.approx(1 - other.low))


def test_words():
    assert str(Rate(3, 40)) == "3 of 40 (7.5 %, 2.6 % to 19.9 %)"
    assert str(Rate(0, 40)) == "0 of 40 (at most 8.8 %)" and str(Rate(40, 40)) == "40 of 40 (at least 91.2 %)"


def test_nothing_to_count_is_none():
    assert rate(0, 0) is None and rate(0, 1) == Rate(0, 1)


def test_what_hangs_together_is_worth_less():
    """10 of 40: 7.5 is the variance of independent events; twice that, and 7.5 more, makes three times."""
    assert rate(10, 40).worth is None and rate(10, 40, 2.0).worth == 20
    assert rate(10, 40, sway=7.5).worth == 20 and rate(10, 40, 2.0, 7.5).worth == pytest.approx(40 / 3)
    assert rate(40, 40, 4.0, 7.5).worth == 10, "what sways is not told where all are events"


def test_counts_promise_nothing():
    assert Rate(3, 40).counts() == {"events": 3, "total": 40, "value": 0.075}
    assert Rate(3, 40).plain() == {**Rate(3, 40).counts(), "low": Rate(3, 40).low, "high": Rate(3, 40).high}


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (0.0, "0.0"),
        (1.0, "100.0"),
        (0.5, "50.0"),
        (0.001, "0.1"),
        (0.0009, "0.09"),
        (0.00099, "0.10"),
        (1e-5, "0.001"),
        (3.84e-5, "0.004"),
        (0.9996, "99.96"),
        (0.99999, "99.999"),
    ],
)
def test_per_cent_are_never_rounded_to_none_or_all(share, words):
    assert percent(share) == words


def test_one_of_many():
    """Of 100,000 parts one escaped, or none: neither is 0.0 %."""
    assert str(Rate(1, 100_000)) == "1 of 100,000 (0.001 %, 0.0002 % to 0.006 %)"
    assert str(Rate(0, 100_000)) == "0 of 100,000 (at most 0.004 %)"
    assert str(Rate(99_999, 100_000)) == "99,999 of 100,000 (99.999 %, 99.994 % to 99.9998 %)"


def test_false_alarms_per_picture_are_readable_at_any_size():
    assert str(per_picture(0, 10)) == "at most 0.38"
    assert str(per_picture(3, 40)) == "0.075 (0.026 to 0.22)"
    assert str(per_picture(30_000, 200)) == "150 (148 to 152)"
    assert str(per_picture(300_000, 200)) == "1,500 (1,495 to 1,505)"
