import json

import numpy as np
import pytest
import torch
from hypothesis import given

from tests.utils.glass_cases import NAMES, cases, detections, evaluated, record, six_pictures
from utils.deciding.decisions import Cost, decide, picture_scores
from utils.deciding.intervals import Rate
from utils.deciding.threshold_file import read_thresholds, thresholds_text
from utils.inspection.aims import least_rate, pictures_for
from utils.inspection.inspection import _missed, inspect
from utils.inspection.inspection_config import InspectionConfig
from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import MatchRule, match
from utils.words.errors import DataError


def test_six_pictures():
    """Each figure is worked out by hand in the test of its own file; here they come together at 0.8 and 0.9."""
    result = inspect(evaluated(*six_pictures(), NAMES), InspectionConfig())
    assert (result.pictures, result.good, result.bad, result.unlabelled) == (6, 2, 4, 1)
    assert result.point.thresholds == (0.8, 0.9) and result.point.decisions.escape == Rate(3, 4)
    assert result.errors["hit"] == 1 and result.errors["missed"] == 4 and not result.false_alarms
    assert len(result.labels.missing_labels) == 1, "labels are doubted from 0.5, whatever the thresholds"
    assert result.calibration.ece == pytest.approx(1.95 / 6) and len(result.class_errors) == 2
    lines = result.lines()
    assert lines[:3] == [
        "6 pictures: 4 bad, 2 good (1 of them without a label file)",
        "thresholds for at most 0.1 false alarms per picture; hit: IoU >= 0.5",
        "expected on other pictures:",
    ]
    assert lines[3:6] == [f"  {line}" for line in result.expected.lines()]
    counts = "recall 1 of 5, escape 3 of 4, overkill 0 of 2, false alarms 0"
    assert lines[6] == f"on these pictures, which chose them: {counts}"


def test_the_rule_and_the_cost_are_used():
    """By centre and at 50 : 1, everything from 0.5: only picture 2 escapes, picture 4 is rejected; scores are
    calibrated by IoU all the same.
    """
    config = InspectionConfig(rule=MatchRule("center"), cost=Cost(50, 1))
    result = inspect(evaluated(*six_pictures(), NAMES), config)
    assert result.point.decisions.escape == Rate(1, 4) and result.point.decisions.overkill == Rate(1, 2)
    assert result.calibration.ece == pytest.approx(1.95 / 6)
    assert (
        result.lines()[1]
        == "thresholds for least cost at 50 per escape and 1 per overkill; hit: centre in the truth box"
    )


def some_good_pictures(good):
    """Ten bad pictures: a hit of 0.6, and three wrong boxes of 0.7, so that false alarms are soon used up; `good` ones
    with a wrong box of 0.1.
    """
    truth, wrong = [10, 10, 30, 30], [60, 60, 80, 80]
    records = [record([truth], [0])] * 10 + [record([], [])] * good
    rows = [[(truth, 0.6, 0), *[(wrong, 0.7, 0)] * 3]] * 10 + [[(wrong, 0.1, 0)]] * good
    return records, {k: detections(*row) for k, row in enumerate(rows)}


def test_it_is_said_what_an_aim_at_overkill_would_give():
    result = inspect(evaluated(*some_good_pictures(30), NAMES), InspectionConfig())
    assert result.expected.decisions.escape == Rate(10, 10) and result.other_aim.decisions.escape.events == 0
    (line,) = [line for line in result.lines() if "--max-overkill" in line]
    assert line.startswith("with --max-overkill 0.05 instead: escape 0 of 10 (") and "overkill 0 of 30 (" in line
    assert result.plain()["by_overkill"]["share"] == 0.05
    aimed = inspect(evaluated(*some_good_pictures(30), NAMES), InspectionConfig(overkill=0.05))
    assert aimed.expected.decisions == result.other_aim.decisions and aimed.other_aim is None
    assert "thresholds for at most 5 % overkill; hit: IoU >= 0.5" in aimed.lines()


@pytest.mark.parametrize(
    ("good", "share", "said"),
    [
        (3, 0.1, ["3 good pictures can show 33.3 % overkill at best; 12 can show 10 %"]),
        (3, 0.0, ["3 good pictures can show 33.3 % overkill at best"]),
        (30, 0.0, ["30 good pictures can show 4 % overkill at best"]),
    ],
)
def test_so_few_good_pictures_show_little(good, share, said):
    """Right and wrong boxes score in turn, so that those that choose without the best wrong one let it pass."""
    records, found = some_good_pictures(good)
    for k in range(good):
        found[10 + k] = detections(([60, 60, 80, 80], 0.5 - 0.01 * k, 0))
    for k in range(10):
        found[k] = detections(([10, 10, 30, 30], 0.505 - 0.01 * k, 0))
    result = inspect(evaluated(records, found, NAMES), InspectionConfig(overkill=share))
    assert [line for line in result.lines() if "can show" in line] == said


@pytest.mark.parametrize(
    ("bad", "unseen", "share", "said"),
    [
        (10, 0, 0.2, []),
        (10, 0, 0.05, ["10 bad pictures can show 11.1 % escapes at best; 24 can show 5 %"]),
        (30, 3, 0.05, ["of 30 bad pictures: in 3 of them no defect is found with a score from 0.001"]),
    ],
)
def test_what_an_aim_at_escapes_cannot_keep_is_said(bad, unseen, share, said):
    """Right and wrong boxes score in turn, so that those that choose without the last right one let it pass."""
    right, wrong = [10, 10, 30, 30], [60, 60, 80, 80]
    records = [record([right], [0])] * bad + [record([], [])] * bad
    found = {bad + k: detections((wrong, 0.895 - 0.01 * k, 0)) for k in range(bad)}
    for k in range(bad):
        found[k] = detections(*([(right, 0.9 - 0.01 * k, 0)] if k >= unseen else []))
    result = inspect(evaluated(records, found, NAMES), InspectionConfig(escape=share))
    assert f"thresholds for at most {100 * share:g} % escapes; hit: IoU >= 0.5" in result.lines()
    told = [line for line in result.lines() if "can show" in line or "asked for" in line]
    assert len(told) == len(said) and all(part in line for part, line in zip(said, told, strict=True)), told
    assert (result.expected.decisions.escape.value <= share) is not bool(said)
    assert result.missed_aim == result.plain().get("missed_aim", "") == "".join(told)


def test_a_promise_is_kept_to_a_tenth_of_a_percent():
    assert _missed(0.1, "escapes", Rate(24, 239), "bad") == ""
    for wanted, rate in ((0.05, Rate(2, 24)), (0.2, Rate(2, 5)), (0.02, Rate(5, 239))):
        assert (
            _missed(wanted, "escapes", rate, "bad")
            == f"more than the {100 * wanted:g} % escapes that were asked for is to be expected"
        )


@pytest.mark.parametrize(("share", "least"), [(0.5, 2), (0.1, 12), (0.05, 24), (0.01, 124)])
def test_how_many_good_pictures_show_a_share(share, least):
    assert pictures_for(share) == least and least_rate(least) <= share + 1e-9 < least_rate(least - 1)


def test_without_good_pictures():
    records, found = [record([[0, 0, 9, 9]], [0])], {0: detections()}
    result = inspect(evaluated(records, found, NAMES), InspectionConfig())
    assert result.curve is None and "overkill not measurable: no good pictures" in result.lines()[5]
    assert result.plain()["operating_point"]["decisions"]["overkill"] is None
    for config, flag in (
        (InspectionConfig(cost=Cost(50, 1)), "--cost"),
        (InspectionConfig(overkill=0.1), "--max-overkill"),
        (InspectionConfig(escape=0.1), "--max-escape"),
    ):
        with pytest.raises(DataError, match=f"{flag}: there are no good pictures"):
            inspect(evaluated(records, found, NAMES), config)


@given(cases)
def test_any_data_gives_strict_json_and_lines(case):
    result = inspect(evaluated(case.records, case.found, case.names), InspectionConfig())
    json.dumps(result.plain(), allow_nan=False)
    assert all("nan" not in line and "\n" not in line for line in result.lines())


@given(case=cases)
def test_thresholds_yaml_reproduces_escape_and_overkill(case, tmp_path_factory):
    """Written, read back, used to throw float32 detections away as detect.py will; what is left is matched anew."""
    result = inspect(evaluated(case.records, case.found, case.names), InspectionConfig(false_per_picture=0.34))
    path = tmp_path_factory.mktemp("t") / "thresholds.yaml"
    path.write_text(thresholds_text(case.names, result.point.thresholds, result.lines()), encoding="utf-8")
    limits = torch.tensor(read_thresholds(path, case.names))
    left = {i: one.keep(one.scores >= limits[one.labels]) for i, one in case.found.items()}
    scores = picture_scores(match(pair_up(case.records, left, case.classes), MatchRule()))
    assert decide(scores, np.zeros(case.classes)) == result.point.decisions
