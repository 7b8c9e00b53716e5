"""Detections, and the boxes that answers are read from, drawn together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from utils.drawing.box_drawing import BoxStyle, Marks, box_caption, draw_boxes
from utils.drawing.colours import Colour, class_colour
from utils.values.answer import Answer, Evidence
from utils.values.masks import fill_masks

ASKED: Colour = (0, 114, 255)
SAME = 1.0  # px that two boxes of one detection may differ by: evidence ends where the picture does


def draw_answered(
    image: np.ndarray, marks: Marks, names: Sequence[str], answers: Sequence[Answer], style: BoxStyle
) -> np.ndarray:
    """A new (H, W, 3) uint8 RGB picture: `image` with what was found, and in blue with what was only asked about; the
    captions end with the numbers of the questions, from 1, that a box answers: `scratch 0.87 Q1 Q3`.
    """
    asked = _numbers(answers)
    boxes, captions = [*marks.boxes], []
    colours = [class_colour(int(k)) for k in marks.labels]
    scores = np.zeros(len(boxes)) if marks.scores is None else marks.scores
    for box, label, score in zip(marks.boxes, marks.labels, scores, strict=True):
        same = [one for one in asked if one.name == names[label] and np.abs(np.subtract(one.box, box)).max() <= SAME]
        numbers = sorted({number for one in same for number in asked.pop(one)})
        captions.append(_caption(names[label], float(score), numbers, style))
    for one, numbers in asked.items():
        boxes.append(np.array(one.box))
        colours.append(ASKED)
        captions.append(_caption(one.name, one.score, numbers, style))
    if marks.masks:
        image = fill_masks(image, marks.masks, colours[: len(marks.masks)])
    return draw_boxes(image, np.array(boxes).reshape(-1, 4), captions, colours, style)


def _numbers(answers: Sequence[Answer]) -> dict[Evidence, list[int]]:
    """For each box of evidence the questions, counted from 1."""
    asked: dict[Evidence, list[int]] = defaultdict(list)
    for number, answer in enumerate(answers, 1):
        for one in dict.fromkeys(answer.evidence):
            asked[one].append(number)
    return dict(asked)


def _caption(name: str, score: float, numbers: Sequence[int], style: BoxStyle) -> str:
    return " ".join([box_caption(name, score, style), *(f"Q{number}" for number in numbers)]).strip()
