"""What an examination leaves: vqa.json, vqa.csv with a row for each question, vqa_calibration.png, and its scores."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from utils.console.log import LOG
from utils.drawing.figure_style import dress, new_figure, save_figure
from utils.files.output_files import Extra, Results, write_json, write_text
from utils.inspection.plots import draw_reliability
from utils.quiz.examination import Examination
from utils.quiz.item import QuizItem
from utils.quiz.judging import right
from utils.values.answer import Answer
from utils.words.text import spreadsheet_cell

COLUMNS = (
    *("image", "question", "group", "expected", "answer", "likelier", "right", "confidence", "calibrated", "evidence"),
    *("sentence", "refusal"),
)


def write_quiz(run: Path, examined: Examination, files: Sequence[str], about: dict[str, Any], results: Results) -> None:
    """Write the files into the folder `run`, and say the scores. `files` name the pictures; `about` goes into vqa.json
    beside the scores.
    """
    for line in (*examined.score.lines(), f"with the truth in place of the detections: {examined.ceiling.all.right}"):
        LOG.info(line)
    errors = {"raw": examined.raw.ece, "fitted": examined.fitted.ece}
    if examined.raw.ece is not None and examined.fitted.ece is not None:
        words = f"{examined.raw.ece:.3f} of best scores, {examined.fitted.ece:.3f} of their odds"
        LOG.info("calibration error of whether a class is there: %s", words)
    content = {
        "format": 1,
        **about,
        "score": examined.score.plain(),
        "ceiling": examined.ceiling.plain(),
        "presence_calibration": {
            "ece": errors,
            "raw": examined.raw.plain(),
            "fitted": examined.fitted.plain(),
        },
    }
    with results.writing():
        write_json(run / "vqa.json", content)
    with results.writing():
        write_text(run / "vqa.csv", _table(examined, files))
    with Extra(run / "vqa_calibration.png"):
        plot_presence(run / "vqa_calibration.png", examined)


def _table(examined: Examination, files: Sequence[str]) -> str:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(_rows(examined, files))
    return text.getvalue()


def _rows(examined: Examination, files: Sequence[str]) -> Iterator[list[Any]]:
    for item, answer in zip(examined.items, examined.answers, strict=True):
        row = _row(item, answer, files[item.picture])
        yield [spreadsheet_cell(v) if isinstance(v, str) else v for v in row]


def _row(item: QuizItem, answer: Answer, file: str) -> list[Any]:
    plain = answer.plain()
    evidence = json.dumps(plain["evidence"], ensure_ascii=False) if answer.evidence else ""
    confidence = "" if plain["confidence"] is None else plain["confidence"]
    judged = "yes" if right(item, answer) else "no"
    told = [answer.answer, answer.likelier, judged, confidence, "yes" if answer.calibrated else "no", evidence]
    return [file, item.question, item.group, item.expected, *told, answer.sentence, answer.refusal]


def plot_presence(path: Path, examined: Examination) -> Path:
    """Whether a class is there, over its best score and over the odds that are made of it."""
    figure = new_figure(12, 6)
    axes = figure.subplots(2, 2, height_ratios=(3, 1), sharex="col")
    for column, (name, one) in enumerate((("best score", examined.raw), ("odds fitted to it", examined.fitted))):
        error = "not fitted" if one.ece is None else f"calibration error {one.ece:.3f}"
        dress(axes[0, column], f"is the class there? {name}: {error}", "", "share of pictures that show it")
        dress(axes[1, column], "", name, "pictures x classes")
        draw_reliability(axes[0, column], axes[1, column], one)
    return save_figure(figure, path)
