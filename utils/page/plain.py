"""Pictures, classes and reviews as the page reads them: JSON-ready values."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from utils.drawing.colours import class_colour
from utils.page.desk import Eye, thresholds_of
from utils.page.entry import Box, Entry, Review
from utils.page.refusal import Refused
from utils.values.answer import Answer
from utils.words.text import shown

MOST_REVIEW_BOXES = 1000
EDGE = 0.01  # px that a box may reach out of its picture: what is lost in float32
NOT_SAID = "must be accepted, rejected or corrected"


def as_json(value: Any) -> bytes:
    """One line of JSON; letters beyond ASCII as escapes, as a file name need not be valid UTF-8."""
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")


def plain_classes(names: Sequence[str], thresholds: Sequence[float]) -> list[dict[str, Any]]:
    """Names, thresholds and colours."""
    rows = zip(names, thresholds, strict=False)
    return [{"name": name, "threshold": limit, "colour": _hex(label)} for label, (name, limit) in enumerate(rows)]


def classes_of(eye: Eye, conf: float) -> list[dict[str, Any]]:
    """The classes that decide about a part."""
    return plain_classes(eye.names[: eye.own], thresholds_of(eye, conf))


def _hex(label: int) -> str:
    return "#{:02x}{:02x}{:02x}".format(*class_colour(label))


def in_list(entry: Entry) -> dict[str, Any]:
    """A picture in a row of pictures."""
    return {
        "id": entry.number,
        "name": entry.name,
        "state": entry.state,
        "verdict": entry.verdict,
        "classes": entry.words,
        "review": entry.review.state if entry.review else None,
        "source": entry.source,
    }


def in_full(entry: Entry) -> dict[str, Any]:
    """Everything about a picture; boxes xyxy px of it."""
    return {
        **in_list(entry),
        "size": list(entry.size),
        "reason": entry.reason,
        "milliseconds": round(entry.milliseconds, 1),
        "prompts": entry.prompts,
        "labels": plain_classes(entry.found.names, entry.thresholds) if entry.found is not None else [],
        "boxes": _boxes(entry),
        "answers": [plain_answer(one) for one in entry.answers],
        "review": plain_review(entry.review),
    }


def _boxes(entry: Entry) -> list[dict[str, Any]]:
    found = entry.found
    if found is None:
        return []
    rows = zip(found.labels.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
    return [
        {
            "number": number,
            "class": found.names[label],
            "score": round(score, 6),
            "box": [round(value, 3) for value in box],
            "counts": number in entry.defects,
        }
        for number, (label, score, box) in enumerate(rows)
    ]


def plain_answer(answer: Answer) -> dict[str, Any]:
    """What a person asked, and what was answered."""
    plain = answer.plain()
    names = ("question", "answer", "sentence", "refusal", "confidence", "evidence")
    return {name: plain[name] for name in names}


def plain_review(review: Review | None) -> dict[str, Any] | None:
    """What a person said."""
    if review is None:
        return None
    return {"state": review.state, "boxes": [{"class": name, "box": list(box)} for name, box in review.boxes]}


def plain_lesson(entry: Entry) -> dict[str, Any]:
    """A picture that waits for a review."""
    teaches, why = entry.lesson
    return {"id": entry.number, "name": entry.name, "teaches": round(teaches, 4), "why": why}


def read_review(body: Mapping[str, Any], entry: Entry, known: Sequence[str]) -> Review:
    """What a person says of this picture, whose boxes are of the classes `known`. Raises Refused with 400."""
    state, boxes = body.get("state"), body.get("boxes", [])
    if state not in ("accepted", "rejected", "corrected"):
        raise Refused(400, f"state: {NOT_SAID}, not {shown(state)}")
    if not isinstance(boxes, list) or len(boxes) > MOST_REVIEW_BOXES:
        raise Refused(400, f"boxes: must be a list of at most {MOST_REVIEW_BOXES:,} boxes")
    if state == "rejected" and boxes:
        raise Refused(400, "boxes: a rejected picture has none; say corrected, or leave them out")
    return Review(state, tuple(_read_box(box, entry, known) for box in boxes))


def _read_box(box: Any, entry: Entry, known: Sequence[str]) -> tuple[str, Box]:
    if not isinstance(box, dict) or box.keys() != {"class", "box"}:
        raise Refused(400, 'boxes: each must read like {"class": "scratch", "box": [10, 20, 30, 40]}')
    name, edges = box["class"], box["box"]
    if not isinstance(name, str) or name not in known:
        raise Refused(400, f"boxes: {shown(name)} is none of the classes; choose one of those")
    if not isinstance(edges, list) or len(edges) != 4 or not all(map(_is_number, edges)):
        raise Refused(400, f"boxes: a box of {shown(name)} must have four numbers, x1, y1, x2, y2 in px")
    x1, y1, x2, y2 = map(float, edges)
    height, width = entry.size
    inside = -EDGE <= x1 < x2 <= width + EDGE and -EDGE <= y1 < y2 <= height + EDGE
    if not inside:
        raise Refused(
            400, f"boxes: a box of {shown(name)} has no area or reaches out of {width} x {height} px; move it"
        )
    return name, (max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height)))


def _is_number(value: object) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and abs(value) < 1e9 and math.isfinite(value)  # type: ignore[arg-type,operator]


def file_name(path: str) -> str:
    """What a path ends with, of either kind of system."""
    return Path(path.replace("\\", "/")).name
