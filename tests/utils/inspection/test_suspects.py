from tests.utils.glass_cases import NAMES, detections, record, six_pictures
from utils.inspection.error_types import error_types
from utils.inspection.suspects import label_suspects, worst_false_alarms, worst_misses
from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import MatchRule, match


def test_labels_of_six_pictures():
    """Confident from 0.5: the alarm on good picture 4, oil on the bubble of picture 2, the loose oil of picture 1."""
    found = label_suspects(match(pair_up(*six_pictures(), 2), MatchRule()), NAMES)
    (missing,), (wrong,), (misplaced,) = found.missing_labels, found.wrong_classes, found.misplaced_boxes
    assert (missing.picture, missing.box, missing.truth) == (4, (5, 5, 15, 15), None)
    assert missing.reason == "bubble 0.50 near no label, in a picture labelled good"
    assert (wrong.picture, wrong.truth, wrong.reason) == (2, 2, "oil 0.80 on the label bubble (IoU 1.00)")
    assert (misplaced.picture, misplaced.reason) == (1, "oil 0.50 beside the label oil (IoU 0.39)")


def test_only_confident_detections_and_labels_that_nothing_finds_are_doubted():
    truth = record([[0, 0, 20, 20]], [0])
    good = record([], [], labelled=False)
    found = {
        0: detections(([0, 0, 20, 20], 0.9, 0), ([0, 0, 20, 19], 0.8, 1), ([0, 0, 20, 8], 0.7, 0)),
        1: detections(([0, 0, 20, 20], 0.6, 1), ([50, 50, 60, 60], 0.3, 1)),
    }
    doubts = label_suspects(match(pair_up([truth, good], found, 2), MatchRule()), NAMES)
    assert not doubts.wrong_classes and not doubts.misplaced_boxes
    assert [one.reason for one in doubts.missing_labels] == [
        "oil 0.60 near no label, in a picture without a label file"
    ]


def test_one_label_is_doubted_once_by_the_best():
    truth = record([[0, 0, 20, 20]], [0])
    found = detections(([0, 0, 20, 20], 0.6, 1), ([0, 0, 20, 19], 0.9, 1))
    (doubt,) = label_suspects(match(pair_up([truth], {0: found}, 2), MatchRule()), NAMES).wrong_classes
    assert doubt.score is not None and round(doubt.score, 3) == 0.9


def test_worst_mistakes_of_six_pictures():
    """Above 0.55: misses are the oil of picture 3 (no trace at all), then by size: bubbles of 40 px (2) and 20 px (3,
    found at 0.5 only), oil of 8 px (1, beside it 0.5).
    """
    errors = error_types(match(pair_up(*six_pictures(), 2), MatchRule()), 0.55)
    assert [(one.picture, one.reason) for one in worst_misses(errors, NAMES)] == [
        (3, "oil missed: nothing near it at any score"),
        (2, "bubble missed: the best near it is oil 0.80"),
        (3, "bubble missed: the best near it is bubble 0.50"),
        (1, "oil missed: the best near it is oil 0.50"),
    ]
    assert [(one.picture, one.reason) for one in worst_false_alarms(errors, NAMES)] == [
        (2, "oil 0.80 on the label bubble (IoU 1.00)"),
        (0, "bubble 0.60 once more on the label bubble (IoU 0.90)"),
    ]
    assert len(worst_misses(errors, NAMES, limit=1)) == len(worst_false_alarms(errors, NAMES, limit=1)) == 1


def test_what_finds_a_neighbour_is_no_trace():
    truth = record([[0, 0, 20, 20], [10, 0, 30, 20]], [0, 0])
    errors = error_types(match(pair_up([truth], {0: detections(([0, 0, 20, 20], 0.9, 0))}, 2), MatchRule()))
    assert [one.reason for one in worst_misses(errors, NAMES)] == ["bubble missed: nothing near it at any score"]
