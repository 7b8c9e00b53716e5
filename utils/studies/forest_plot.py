"""study.png: each difference of AP with its interval, one below the other."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from utils.drawing.figure_style import DASH, INK, LINES, MARK, dress, new_figure, save_figure, short_name
from utils.drawing.fonts import displayable
from utils.studies.answers import Answer
from utils.studies.table_words import difference_words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"better": LINES[2], "worse": MARK, "not distinguishable": "#6b7b8a"}
ROW, LINE, REST = 0.34, 0.24, 1.5  # inches: of an answer, of a line of a question, and of title, axis and legend
WIDE, LETTERS = 9.5, 80  # inches, and letters of a line of a question
ONE_SEED_WORDS = "one seed: about other pictures alone"
LONGEST = 3.0  # half widths of the middle interval, beyond the largest difference, where longer ones are cut off


def plot_answers(title: str, answers: Sequence[Answer], path: Path) -> Path:
    """Write the figure; of answers that are not measured yet the place stays empty."""
    groups = _groups(answers)
    lines = sum(len(words) for words, _ in groups)
    figure = new_figure(WIDE, REST + LINE * lines + ROW * max(len(answers), 1))
    axes = figure.subplots()
    named = "\n".join(textwrap.wrap(displayable(title), 80))
    if not any(one.ap for one in answers):
        dress(axes, "no pair of runs is done yet", "difference of AP", "", grid="x")
        axes.set_yticks([])
        return save_figure(figure, path, named)
    dress(axes, "", "difference of AP, 95 % interval; right of 0 the second arm is better", "", grid="x")
    edge = _edge(answers)
    axes.axvline(0, color=INK, **DASH)
    y, ticks = 0.0, []
    for words, some in groups:
        y -= LINE * len(words) / 2
        axes.text(0.008, y, "\n".join(words), transform=axes.get_yaxis_transform(), va="center", **_QUESTION)
        y -= LINE * len(words) / 2
        for one in some:
            _draw(axes, one, y - ROW / 2, edge)
            ticks.append((y - ROW / 2, one.data))
            y -= ROW
    axes.set_yticks([at for at, _ in ticks], [short_name([data], 0, 30) for _, data in ticks])
    axes.set(ylim=(y - 0.05, 0.05), xlim=(-edge, edge))
    _legend(axes, answers)
    return save_figure(figure, path, named)


_QUESTION: Any = {
    **{"fontsize": 8.5, "color": INK, "fontweight": "bold", "linespacing": 1.25, "zorder": 4},
    "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.5},
}


def _groups(answers: Sequence[Answer]) -> list[tuple[list[str], list[Answer]]]:
    """The answers to each question, and its words in lines."""
    groups: dict[tuple[str, str, str], list[Answer]] = {}
    for one in answers:
        asked = one.comparison
        groups.setdefault((asked.question, asked.first, asked.second), []).append(one)
    return [
        (textwrap.wrap(displayable(f"{question} {first} → {second}"), LETTERS, break_on_hyphens=False), some)
        for (question, first, second), some in groups.items()
    ]


def _edge(answers: Sequence[Answer]) -> float:
    """Where the axis ends: one interval of two seeds must not press all others together."""
    known = [one.ap for one in answers if one.ap]
    reaches = [one.high - one.difference for one in known if one.high is not None]
    farthest = max((max(abs(one.low or 0), abs(one.high or 0)) for one in known), default=0.0)
    largest = max(abs(one.difference) for one in known)
    allowed = largest + LONGEST * median(reaches) if reaches else largest
    return 1.08 * max(min(farthest, allowed), largest, 1e-3)


def _draw(axes: Axes, one: Answer, y: float, edge: float) -> None:
    axes.text(1.015, y, difference_words(one.ap) or one.verdict, transform=axes.get_yaxis_transform(), **_FIGURES)
    if one.ap is None:
        return
    colour = COLOURS.get(one.verdict, INK)
    filled = "white" if one.pictures_only else colour
    mark = "D" if one.over > 1 else "o"
    axes.plot(one.ap.difference, y, mark, color=colour, markerfacecolor=filled, markersize=6, zorder=3.5)
    if one.ap.low is None or one.ap.high is None:
        return
    axes.plot((max(one.ap.low, -edge), min(one.ap.high, edge)), (y, y), color=colour, linewidth=2, zorder=3)
    for end, cut, mark in ((-edge, one.ap.low < -edge, "<"), (edge, one.ap.high > edge, ">")):
        if cut:  # the interval goes on
            axes.plot(0.985 * end, y, mark, color=colour, markersize=7, zorder=3)


_FIGURES: Any = {"fontsize": 8, "color": INK, "va": "center", "ha": "left"}


def _legend(axes: Axes, answers: Sequence[Answer]) -> None:
    from matplotlib.lines import Line2D

    verdicts = {one.verdict for one in answers}
    marks = [Line2D([], [], color=c, marker="o", linewidth=2, label=v) for v, c in COLOURS.items() if v in verdicts]
    if any(one.over > 1 for one in answers):
        marks.append(Line2D([], [], color=INK, marker="D", linewidth=0, label="mean of the data sets"))
    if any(one.pictures_only for one in answers):
        marks.append(Line2D([], [], color=INK, marker="o", markerfacecolor="white", linewidth=0, label=ONE_SEED_WORDS))
    figure = axes.figure
    figure.legend(handles=marks, loc="outside lower center", ncols=4, frameon=False, fontsize=8.5, labelcolor=INK)
