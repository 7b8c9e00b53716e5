"""answers.csv and answers.json: a row for each picture and question."""

from __future__ import annotations

import json
from typing import Any

from utils.values.answer import Answer
from utils.words.text import spreadsheet_cell

COLUMNS = (
    *("image", "question", "type", "answer", "likelier", "number", "unit", "confidence", "calibrated"),
    *("evidence", "sentence", "refusal"),
)


def csv_row(name: str, one: Answer) -> list[Any]:
    """Of answers.csv; `evidence` is JSON: class, score, box xyxy px."""
    plain = one.plain()
    evidence = json.dumps(plain["evidence"], ensure_ascii=False) if one.evidence else ""
    words = (one.question, plain["kind"], one.answer, one.likelier)
    numbers = ("" if value is None else value for value in (one.number, one.unit, plain["confidence"]))
    calibrated = "yes" if one.calibrated else "no"
    cells = (name, *words), (*numbers, calibrated), (evidence, one.sentence, one.refusal)
    return [spreadsheet_cell(v) if isinstance(v, str) else v for row in cells for v in row]


def json_row(name: str, one: Answer) -> dict[str, Any]:
    """Of answers.json."""
    plain = one.plain()
    return {"image": name, "type": plain.pop("kind"), **plain}


def answer_line(name: str, one: Answer) -> str:
    """`part 7.png: is there a crack? Yes: crack 34 x 20 px, left (0.91).`"""
    return f"{name}: {one.question} {one.sentence if one.answer else one.refusal}"
