import pytest
import torch

from utils.review.teaching import teaches
from utils.values.detections import Detections

NAMES = ("scratch", "dent")
LIMITS = (0.3, 0.4)


def found(*rows, names=NAMES):
    """Rows of (label, score, box), best first."""
    return Detections(
        torch.tensor([row[2] for row in rows], dtype=torch.float32).reshape(-1, 4),
        torch.tensor([row[1] for row in rows], dtype=torch.float32),
        torch.tensor([row[0] for row in rows], dtype=torch.int64),
        names,
    )


HERE, THERE = (0, 0, 10, 10), (50, 50, 60, 60)


@pytest.mark.parametrize(
    "score, teaching",
    [
        (0.3, 1.0),  # at the threshold
        (0.31, 1 - 0.01 / 0.7),
        (0.65, 0.5),  # half of the way up to 1
        (0.15, 0.5),  # half of the way down to 0
        (1.0, 0.0),
    ],
)
def test_a_score_near_its_threshold_teaches_most(score, teaching):
    value, why = teaches(found((0, score, HERE)), LIMITS)
    assert value == pytest.approx(teaching, abs=1e-6)
    assert why == f"scratch {score:.2f}, {'near' if teaching >= 0.5 else 'far from'} its threshold 0.30"


def test_each_class_has_its_own_threshold():
    assert teaches(found((1, 0.7, HERE)), LIMITS)[0] == pytest.approx(0.5)  # half of the way from 0.4 to 1
    value, why = teaches(found((0, 0.9, HERE), (1, 0.38, THERE)), LIMITS)
    assert value == pytest.approx(1 - 0.02 / 0.4) and why == "dent 0.38, near its threshold 0.40"


def test_two_classes_on_one_place_teach_by_how_alike_their_scores_are():
    value, why = teaches(found((0, 0.95, HERE), (1, 0.9, (0, 0, 10, 9))), LIMITS)  # IoU 0.9
    assert value == pytest.approx(0.9 / 0.95) and why == "scratch 0.95 and dent 0.90 on one place"
    apart = found((0, 0.95, HERE), (1, 0.9, (0, 0, 10, 5)))  # IoU 0.5
    assert teaches(apart, LIMITS)[1] == "dent 0.90, far from its threshold 0.40"
    alike = found((0, 0.95, HERE), (0, 0.94, HERE))  # one class: nothing to disagree about
    assert "far from" in teaches(alike, LIMITS)[1]


def test_faint_boxes_on_one_place_say_little():
    # 0.03 / 0.03, times 0.03 / 0.3: the higher score is a tenth of what would count
    assert teaches(found((0, 0.03, HERE), (1, 0.03, HERE)), LIMITS)[0] == pytest.approx(0.1)


def test_many_faint_boxes_teach_half_at_most():
    rows = [(0, 0.08, (20 * k, 0, 20 * k + 10, 10)) for k in range(12)]  # 0.08 is 0.27 of the way up to 0.3
    assert teaches(found(*rows), LIMITS) == (0.5, "12 faint boxes below their thresholds")
    value, why = teaches(found(*rows[:6]), LIMITS)
    assert value == pytest.approx(0.3) and why == "6 faint boxes below their thresholds"
    noise = [(0, 0.07, box) for _, _, box in rows]  # below a quarter of the threshold
    assert teaches(found(*noise), LIMITS)[0] == pytest.approx(0.07 / 0.3)


def test_what_never_counts_and_an_empty_picture_teach_nothing():
    nothing = (0.0, "nothing was found, however faint")
    assert teaches(found(), LIMITS) == nothing
    assert teaches(found((0, 0.9, HERE)), (2.0, 0.4)) == nothing


@pytest.mark.parametrize("limit", [0.0, 1.0])
def test_thresholds_at_the_ends_give_numbers(limit):
    for score in (0.0, 0.5, 1.0):
        assert 0 <= teaches(found((0, score, HERE), (1, score, HERE)), (limit, limit))[0] <= 1


def test_the_reason_is_one_line():
    why = teaches(found((0, 0.3, HERE), names=("two\nlines",)), (0.3,))[1]
    assert "\n" not in why and why.startswith("two\\nlines 0.30")
    assert teaches(found((0, 0.3, HERE), names=()), (0.3,))[1].startswith("class 0 0.30")
