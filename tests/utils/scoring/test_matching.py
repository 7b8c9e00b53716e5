import numpy as np
import pytest
from hypothesis import given

from tests.utils.glass_cases import cases, detections, record, six_pictures
from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import IGNORED, NOTHING, MatchRule, match
from utils.values.record import EVERY_CLASS


def test_six_pictures():
    pairs = pair_up(*six_pictures(), 2)
    by_iou, by_centre = match(pairs, MatchRule()), match(pairs, MatchRule("center"))
    assert by_iou.taken.tolist() == [0, NOTHING, NOTHING, NOTHING, 3, NOTHING]
    assert by_centre.taken.tolist() == [0, NOTHING, 1, NOTHING, 3, NOTHING], "the small oil spot is found by its centre"
    assert by_iou.found_at()[[0, 3]] == pytest.approx([0.95, 0.5]) and np.isneginf(by_iou.found_at()[[1, 2, 4]]).all()


def test_centre_on_the_edge_counts_and_regions_forgive_by_the_centre():
    truth = record([[0, 0, 10, 10], [50, 50, 80, 80]], [0, EVERY_CLASS], crowd=[False, True])
    found = detections(
        ([5, 0, 15, 10], 0.9, 0),  # centre (10, 5): on the edge
        ([6, 0, 16, 10], 0.8, 0),  # centre (11, 5): outside
        ([45, 45, 95, 95], 0.7, 0),  # centre (70, 70) in the region, 36 % of its area in it
    )
    pairs = pair_up([truth], {0: found}, 1)
    assert match(pairs, MatchRule("center")).taken.tolist() == [0, NOTHING, IGNORED]
    assert match(pairs, MatchRule(iou=0.3)).taken.tolist() == [0, NOTHING, IGNORED]
    assert match(pairs, MatchRule(iou=0.5)).taken.tolist() == [NOTHING, NOTHING, NOTHING]


def test_of_equal_overlaps_the_first_truth_box_is_taken():
    truth = record([[0, 0, 10, 20], [10, 0, 20, 20]], [0, 0])
    pairs = pair_up([truth], {0: detections(([0, 0, 20, 20], 0.9, 0), ([5, 0, 15, 20], 0.8, 0))}, 1)
    assert match(pairs, MatchRule()).taken.tolist() == [0, NOTHING] and match(
        pairs, MatchRule(iou=0.3)
    ).taken.tolist() == [0, 1]


def slow_match(one, found, rule):
    """The definition, box by box: what each detection takes, as truth row of the record."""
    taken, free = [], set(np.flatnonzero(~one.crowd))
    truth = one.pixel_boxes().astype(float)
    for box, label in zip(found.boxes.double().tolist(), found.labels.tolist(), strict=True):
        on = {j: overlap(box, truth[j]) for j in free if one.labels[j] == label and lies_on(box, truth[j], rule)}
        if on:
            best = max(on, key=lambda j: (on[j], -j))
            free.remove(best)
            taken.append(best)
            continue
        regions = [t for t, k, c in zip(truth, one.labels, one.crowd, strict=True) if c and k in (label, EVERY_CLASS)]
        inside = any(
            lies_on(box, t, rule) if rule.by == "center" else common(box, t) / area(box) >= rule.iou for t in regions
        )
        taken.append(IGNORED if inside else NOTHING)
    return taken


def lies_on(box, truth, rule):
    if rule.by == "iou":
        return overlap(box, truth) >= rule.iou
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return truth[0] <= x <= truth[2] and truth[1] <= y <= truth[3]


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def common(a, b):
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)


def overlap(a, b):
    return common(a, b) / (area(a) + area(b) - common(a, b))


@pytest.mark.parametrize("rule", [MatchRule(iou=0.43), MatchRule(iou=0.2), MatchRule("center")], ids=str)
@given(case=cases)
def test_equals_the_definition(rule, case):
    """Thresholds that no overlap of whole pixels meets but for rounding."""
    case = on_whole_pixels(case)
    matching = match(pair_up(case.records, case.found, case.classes), rule)
    expected, first = [], 0
    for picture, one in enumerate(case.records):
        row = np.cumsum(~one.crowd) - 1 + first
        taken = slow_match(one, case.found[picture], rule)
        expected += [row[t] if t >= 0 else t for t in taken]
        first += int((~one.crowd).sum())
    assert matching.taken.tolist() == expected


def on_whole_pixels(case):
    """Truth boxes read back from float32 fractions lie off by 1e-6 px; a side of 128 px has none of that."""
    for one in case.records:
        one.boxes[:] = np.round(one.boxes * 100) / 128
        object.__setattr__(one, "size", (128, 128))
    return case
