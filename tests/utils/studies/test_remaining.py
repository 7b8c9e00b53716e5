import pytest

from utils.studies.finished_run import FinishedRun
from utils.studies.plan import read_plan
from utils.studies.remaining import left_words, minutes_left, time_words


def test_the_nearest_runs_tell(here):
    runs = read_plan("plan.yaml").runs  # inforced 0, ciou 0, inforced 1, ciou 1

    def finished(*minutes):
        return [FinishedRun(run, {}, "", m, 1) for run, m in zip(runs, minutes, strict=False)]

    assert minutes_left([], runs) is None and minutes_left(finished(None), runs[1:]) is None
    assert minutes_left(finished(4), runs[1:]) == 12  # ciou as inforced
    assert minutes_left(finished(4, 10), runs[2:]) == 14
    assert minutes_left(finished(4, None, 6), runs[3:]) == 5  # the mean of the data set
    assert left_words(finished(4, 10), runs[2:]) == "about 14.0 min left"
    assert left_words([], runs) == "4 left" and left_words(finished(1, 1, 1, 1), []) == "none left"


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0.1, "6 s"), (5.24, "5.2 min"), (60, "1 h 0 min"), (119.7, "2 h 0 min"), (6260, "104 h 20 min")],
)
def test_time_words(minutes, words):
    assert time_words(minutes) == words
