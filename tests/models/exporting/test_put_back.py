"""Rows go back to float until the scores hold, and no more than that."""

import pytest

from models.exporting.gate import NotEqual
from models.exporting.int8 import put_back


def tried(needed, rows=32, tolerance=0.005):
    """What `put_back` tries and finds where scores hold from `needed` rows in float on."""
    asked = []

    def score(candidate):
        asked.append(len(candidate))
        return {"AP50": 0.5 if len(candidate) >= needed else 0.4, "rare": None}

    ranked = [str(part) for part in range(100, 100 + rows)]
    found = put_back(lambda float_parts: float_parts, ranked, score, {"AP50": 0.5, "rare": None}, tolerance)
    return asked, found


def test_nothing_goes_back_where_nothing_is_lost():
    asked, (candidate, rows, scores) = tried(0)
    assert asked == [0] and candidate == rows == () and scores["AP50"] == 0.5


@pytest.mark.parametrize("needed", range(1, 17))
def test_the_most_sensitive_rows_go_back_and_hardly_more_than_needed(needed):
    asked, (candidate, rows, scores) = tried(needed)
    assert rows == tuple(str(part) for part in range(100, 100 + len(rows))) == candidate
    assert needed <= len(rows) < needed + 32 // 16 and scores["AP50"] == 0.5
    assert len(asked) == len(set(asked)), "nothing is tried twice"


def test_a_network_that_loses_too_much_is_refused():
    with pytest.raises(NotEqual, match=r"even with 16 of 32 parts in float; raise --tolerance"):
        tried(33)
    assert tried(33, tolerance=0.2)[1][1] == ()
