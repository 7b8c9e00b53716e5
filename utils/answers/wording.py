"""The words of an answer: canonical ones, and sentences in the language of the question."""

from __future__ import annotations

from math import floor, log10

import numpy as np

from utils.answers.picture import LARGE, SMALL, TINY, FoundThings
from utils.questions.question import Measure
from utils.values.answer import EQUAL, NO, NONE, UNSURE, YES

GRID = (
    ("upper left", "top", "upper right"),
    ("left", "centre", "right"),
    ("lower left", "bottom", "lower right"),
)
SHOWN = 3  # things that a sentence tells of one by one
_CHINESE = {
    **{YES: "是", NO: "否", UNSURE: "无法判断", NONE: "无", EQUAL: "一样", "OK": "合格", "NG": "不合格"},
    **{"upper left": "左上", "top": "上方", "upper right": "右上", "left": "左侧", "centre": "中央", "right": "右侧"},
    **{"lower left": "左下", "bottom": "下方", "lower right": "右下"},
    **{"tiny": "微小", "small": "小", "medium": "中等", "large": "大"},
    **{"elongated": "细长", "round": "圆形", "irregular": "不规则"},
}


def place_words(things: FoundThings) -> list[str]:
    """For each thing the cell of the 3 x 3 grid that its centre lies in."""
    cells = np.minimum((things.centres() * 3).astype(int), 2)
    return [GRID[row][column] for column, row in cells.tolist()]


def size_words(things: FoundThings) -> list[str]:
    """tiny, small, medium or large, against the picture."""
    shares = things.measured(Measure.LENGTH) / max(things.size)
    return [
        ("tiny", "small", "medium", "large")[sum(share >= edge for edge in (TINY, SMALL, LARGE))] for share in shares
    ]


def number_words(value: float, unit: str) -> str:
    """`34 px`, `3.41 mm`, `12.5 %`, `3`: as many digits as mean something."""
    digits = 0 if not unit else 2 if unit == "%" else 3 if unit.startswith("mm") else 1
    if 0 < abs(value) < 0.5 * 10**-digits:  # little is not nothing
        digits = 1 - floor(log10(abs(value)))
    plain = f"{value:.{digits}f}"
    return f"{plain.rstrip('0').rstrip('.') if '.' in plain else plain} {unit}".strip()


def counts_by_name(things: FoundThings) -> str:
    """`scratch 2; hole 1`, most first, then by class number; `none`."""
    labels, counts = np.unique(things.labels, return_counts=True)
    rows = sorted(zip(-counts, labels, strict=True))
    return "; ".join(f"{things.names[label]} {-minus}" for minus, label in rows) or NONE


class Wording:
    """Sentences in English, or in Chinese."""

    def __init__(self, language: str) -> None:
        self.chinese = language == "zh"

    def word(self, canonical: str) -> str:
        """A canonical word, for a person."""
        return _CHINESE.get(canonical, canonical) if self.chinese else canonical

    def there(self, state: bool, answer: str) -> str:
        """What says that something is there or not. In Chinese that is no yes or no, and the same if the question is
        put the other way round.
        """
        return ("有" if state else "没有") if self.chinese else answer

    def likelier(self, state: bool, answer: str) -> str:
        """The same of what is only likelier: `more likely yes`."""
        return f"{'更可能' if self.chinese else 'more likely '}{self.there(state, answer)}"

    def sentence(self, answer: str, *details: str) -> str:
        """`Yes: scratch 34 x 20 px, upper left (0.91).`"""
        told = [detail for detail in details if detail]
        head = "; ".join(self.word(part) for part in answer.split("; "))
        head = head[:1].upper() + head[1:]
        if self.chinese:
            return f"{head}{': ' if told else ''}{'; '.join(told)}。"
        return f"{head}{': ' if told else ''}{'; '.join(told)}."

    def no(self, name: str) -> str:
        """There is none of that."""
        return f"没有{name}" if self.chinese else f"no {name}"

    def things(self, things: FoundThings) -> str:
        """The first few of them: class, size, place, score."""
        first = things.at(np.arange(min(len(things), SHOWN)))
        rows = [
            f"{first.names[label]} {self.sides(first, k)}, {self.word(place)} ({first.scores[k]:.2f})"
            for k, (label, place) in enumerate(zip(first.labels, place_words(first), strict=True))
        ]
        if len(things) > SHOWN:
            rows.append(f"另有 {len(things) - SHOWN} 个" if self.chinese else f"and {len(things) - SHOWN} more")
        return "; ".join(rows)

    def sides(self, things: FoundThings, index: int) -> str:
        """`34 x 20 px`, in mm where the scale is known."""
        unit = "px" if things.mm_per_px is None else "mm"
        width, height = things.in_unit(things.sides()[index], unit).tolist()
        if unit == "px":
            return f"{width:.0f} x {height:.0f} px"
        return f"{number_words(width, unit).removesuffix(' mm')} x {number_words(height, unit)}"

    def description(self, things: FoundThings) -> str:
        """One sentence: how many of what, and size, shape and place of the largest."""
        largest = int(things.areas().argmax())
        size, place, shape = size_words(things)[largest], place_words(things)[largest], things.shape(largest)
        name, sides = things.names[things.labels[largest]], self.sides(things, largest)
        counts = counts_by_name(things)
        if self.chinese:
            looks = f"{self.word(size)} ({sides}), {self.word(shape)}, 位于{self.word(place)}"
            return f"{counts}; 最大的{name}: {looks}。" if len(things) > 1 else f"{name}: {looks}。"
        where = "in the centre" if place == "centre" else f"at the {place}" if " " not in place else f"in the {place}"
        looks = f"{size} ({sides}), {shape}, {where}"
        return f"{counts}; the largest, {name}, is {looks}." if len(things) > 1 else f"One {name}: {looks}."
