"""The confusion matrix: all of it in report.json, and on the page as much as a person can read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from utils.report.markup import Html, element, joined, table
from utils.scoring.evaluation import Evaluation

MOST = 12  # classes of the matrix on the page
PAIRS = 20  # confusions in the list
BLUE, RED = "31,119,180", "179,32,58"


def confusion_json(evaluation: Evaluation) -> dict[str, Any]:
    """Every count that is not 0, by names and in their order; null is the background."""
    matrix, words = evaluation.confusion, [*evaluation.names, None]
    cells = [
        {"predicted": words[row], "truth": words[column], "count": int(matrix[row, column])}
        for row, column in zip(*matrix.nonzero(), strict=True)
    ]
    # None and text cannot be compared; this way the background comes last
    cells.sort(key=lambda cell: tuple((cell[key] is None, cell[key] or "") for key in ("truth", "predicted")))
    judged_at = {"confidence": evaluation.confidence, "best": evaluation.report.confidence is not None, "iou": 0.5}
    return {**judged_at, "names": sorted(evaluation.names), "counts": cells}


def confusion(values: Mapping[str, Any]) -> Html:
    """The matrix of up to 12 classes; of more, those that are confused most, and the rest of them as one."""
    names = values["names"]
    place = {name: k for k, name in enumerate([*names, None])}
    matrix = np.zeros((len(place), len(place)), np.int64)
    for cell in values["counts"]:
        matrix[place[cell["predicted"]], place[cell["truth"]]] = cell["count"]
    shown = _worst(matrix) if len(names) > MOST else list(range(len(names)))
    rest = np.setdiff1d(np.arange(len(names)), shown)
    words = [element("b", names[k]) for k in shown]
    # rows and columns on the page: each shown class alone, all others together, the background last
    groups = [np.array([k]) for k in shown]
    if len(rest):
        words.append(element("i", f"{len(rest)} other classes"))
        groups.append(rest)
    groups.append(np.array([len(names)]))
    counts = np.array([[matrix[np.ix_(row, column)].sum() for column in groups] for row in groups])
    parts = [element("p", _how_to_read(values, matrix), class_="soft"), _grid(counts, words)]
    if len(rest):
        parts.insert(0, element("p", _how_chosen(matrix, rest)))
    return joined([*parts, _pairs(matrix, names)])


def _how_to_read(values: Mapping[str, Any], matrix: np.ndarray) -> str:
    best = " (best mean F1)" if values["best"] else ""
    return (
        f"Detections of at least {values['confidence']:.3f} confidence{best}, each on the box that it overlaps most, "
        "of whatever class, by an IoU of at least 0.5. A column is what became of the labelled boxes of a class, "
        "coloured by its share of the column: blue is right, red is wrong. The background's row has what was missed, "
        f"its column the false alarms; where both meet are the good pictures in which nothing was found: "
        f"{matrix[-1, -1]:,}. All counts are in report.json."
    )


def _how_chosen(matrix: np.ndarray, rest: np.ndarray) -> str:
    others = matrix[np.ix_(rest, rest)]
    mixed = others.sum() - others.trace()
    return (
        f"There are {len(matrix) - 1} classes: shown are the {MOST} with the most confusion, and all others as one. "
        f"Where these meet themselves, {mixed:,} are confusions among them."
    )


def _worst(matrix: np.ndarray) -> list[int]:
    """The classes with the most confusion: with other classes first, then missed and false alarms; in their order."""
    wrong = matrix - np.diag(matrix.diagonal())
    among = wrong[:-1, :-1].sum(0) + wrong[:-1, :-1].sum(1)
    background = wrong[-1, :-1] + wrong[:-1, -1]
    # lexsort sorts by its last key first
    return sorted(np.lexsort((-background, -among))[:MOST].tolist())


def _grid(counts: np.ndarray, words: Sequence[Html]) -> Html:
    """`counts` (N + 1, N + 1) of N classes, or groups of them, called `words`, and the background."""
    words = [*words, element("i", "background")]
    heads = [element("th", element("span", word), scope="col") for word in words]
    corner = element("th", "found as \u2193, labelled \u2192", scope="col")
    shares = counts / np.maximum(counts.sum(0), 1)  # a class without boxes has a column of zeros
    rows = [
        element(
            "tr",
            element("th", word, scope="row"),
            *(_cell(count, share, k == row) for k, (count, share) in enumerate(cells)),
        )
        for row, (word, cells) in enumerate(zip(words, np.dstack((counts, shares)).tolist(), strict=True))
    ]
    head, body = element("thead", element("tr", corner, *heads)), element("tbody", *rows)
    return element("div", element("table", head, body, class_="matrix"), class_="wide", tabindex=0)


def _cell(count: float, share: float, right: bool) -> Html:
    if not count:
        return Html("<td></td>")
    # 0.06: even one mistake among thousands is tinted
    colour = f"rgba({BLUE if right else RED},{0.06 + 0.5 * share:.2f})"
    return element("td", f"{count:,.0f}", style=f"background:{colour}")


def _pairs(matrix: np.ndarray, names: Sequence[str]) -> Html:
    """The most frequent confusions of one class with another."""
    among = matrix[:-1, :-1] - np.diag(matrix.diagonal()[:-1])
    found, labelled = among.nonzero()
    order = np.argsort(-among[found, labelled], kind="stable")[:PAIRS]
    if not len(order):
        return element("p", "No class is taken for another.")
    rows = [
        [
            f"{names[labelled[k]]} \u2192 {names[found[k]]}",
            f"{among[found[k], labelled[k]]:,} of {matrix[:, labelled[k]].sum():,}",
        ]
        for k in order
    ]
    total = f": the {PAIRS} most frequent of {len(found):,} pairs" if len(found) > PAIRS else ""
    title = element("h3", f"Taken for another class{total}")
    return joined([title, table(("labelled \u2192 found as", "boxes"), rows)])
