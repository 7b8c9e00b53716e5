"""Tables and files of a detect run: what a name or a picture that could not be read becomes in them."""

import csv
from pathlib import Path

import torch

from utils.detecting.csv_tables import FoundTables
from utils.detecting.output_options import DetectionOutput
from utils.detecting.picture_files import slug
from utils.detecting.totals import Totals
from utils.files.output_files import Results
from utils.report.detection_run import verdict_line
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.values.picture_result import PictureResult
from utils.values.score_thresholds import ScoreThresholds
from utils.values.verdict import Verdict
from utils.words.text import spreadsheet_cell

THRESHOLDS = ScoreThresholds((0.5, 0.5), "thresholds.yaml")


def result(name, *labels, reason=""):
    found = Detections(torch.zeros(len(labels), 4), torch.full((len(labels),), 0.9), torch.tensor(labels).long())
    found = Detections(found.boxes, found.scores, found.labels, ("oil", "bubble"))
    return PictureResult(Frame(name, Path(name), None, reason), found, THRESHOLDS, milliseconds=4.0)


RESULTS = [
    result("bad.png", 1, 0, 1),
    result("=good.png", reason="no second picture"),
    PictureResult(Frame("gone.png", Path("gone"), None, "cut off"), None, THRESHOLDS),
]


def test_one_row_for_every_input(tmp_path):
    with FoundTables.open(tmp_path, DetectionOutput(table=True), Results()) as tables:
        for one in RESULTS:
            tables.add(one)
    with (tmp_path / "summary.csv").open(newline="", encoding="utf-8") as file:
        rows = [tuple(row.values()) for row in csv.DictReader(file)]
    assert rows == [
        ("bad.png", "NG", "defects", "3", "bubble 2; oil 1", "0.9000", "4.0", ""),
        ("'=good.png", "OK", "nothing found", "0", "", "", "4.0", "no second picture"),
        ("gone.png", "UNREADABLE", "unreadable", "", "", "", "", "cut off"),
    ]
    assert (tmp_path / "predictions.csv").read_text().count("\n") == 4 and not (tmp_path / "predictions.json").exists()


def test_verdicts():
    assert [one.verdict for one in RESULTS] == [Verdict.NG, Verdict.OK, Verdict.UNREADABLE]
    lines = [verdict_line(one) for one in RESULTS]
    assert lines == ["NG  bad.png: bubble 2; oil 1", "OK  =good.png", "UNREADABLE  gone.png: cut off"]


def test_totals():
    totals = Totals()
    for one in RESULTS:
        totals.add(one)
    assert (totals.looked, totals.bad, totals.unreadable, totals.incomplete) == (2, 1, 1, 1)
    assert totals.defects == {"bubble": 2, "oil": 1} and totals.pictures == {"bubble": 1, "oil": 1}
    assert totals.reasons == ["cut off"] and totals.lack == "no second picture" and len(totals.times) == 2


def test_hostile_names_stay_inside_the_run():
    assert slug("../../etc") == "______etc" and slug("") == "class" and "/" not in slug("a/b")
    assert spreadsheet_cell("=cmd()") == "'=cmd()" and spreadsheet_cell("ok") == "ok"
