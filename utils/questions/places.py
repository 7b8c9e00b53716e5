"""Places in a picture, as people say them: `in the upper left corner`, `on the right`, `in the left half`."""

from __future__ import annotations

import re

from utils.questions.marks import Filter, Marks
from utils.questions.question import Place

_ROWS = {"upper": 0, "top": 0, "lower": 2, "bottom": 2}
_COLUMNS = {"left": 0, "right": 2}
_CENTRES = ("centre", "center", "middle", "central", "mid")
_PARTS = {"half": 2, "quarter": 4, "quadrant": 4}
_ROW, _COLUMN, _CENTRE = "upper|top|lower(?! than)|bottom", "|".join(_COLUMNS), "|".join(_CENTRES)
# What may follow a side and does not change it.
_AREA = "corner|area|region|part|hand side|side|third|edge|section|zone|border|end|portion|margin|rim|position|segment"
_PLACE = re.compile(
    r"(?<![^ ])(?:(?:(?:in|on|at|near|along|to|towards?|within|inside|from|of|around|into|for|close to|by)"
    r"(?: the| its)?(?: very| far| extreme)?|the very|the far) )?"
    rf"(?:(?P<row>{_ROW}) ?(?P<column>{_COLUMN})|(?P<column2>{_COLUMN}) (?P<row2>{_ROW})"
    rf"|(?P<centre>{_CENTRE}) (?P<side>{_ROW}|{_COLUMN})|(?P<side2>{_ROW}|{_COLUMN}) (?P<centre2>{_CENTRE})"
    rf"|(?P<only>{_ROW}|{_COLUMN}|{_CENTRE}))(?: (?P<part>{'|'.join(_PARTS)}|{_AREA})s?)?(?![^ ])"
    r"(?: (?:of|in) (?:the |this |that |my )?(?:whole |entire )?"
    r"(?:picture|image|photo|photograph|frame|part|piece|product|sample|surface|workpiece|it)(?![^ ]))?"
    r"(?! of(?![^ ]))"  # to the left of the hole
)


def mark_places(words: str, marks: Marks) -> str:
    """`words` with a mark for each place; what is no place of a grid (`upper left half`) stays."""

    def mark(match: re.Match[str]) -> str:
        place = _place(match)
        return match.group() if place is None else marks.add_filter(Filter(place=place))

    return _PLACE.sub(mark, words)


def _place(match: re.Match[str]) -> Place | None:
    row = _ROWS.get(match["row"] or match["row2"] or "")
    column = _COLUMNS.get(match["column"] or match["column2"] or "")
    side = match["side"] or match["side2"]
    if side:
        row, column = _ROWS.get(side, 1), _COLUMNS.get(side, 1)
        return cell(row, column, named="centre " + ("left" if column == 0 else "right") if row == 1 else "")
    only = match["only"]
    if only in _CENTRES:
        return cell(1, 1) if match["part"] not in _PARTS else None
    if only:
        row, column = _ROWS.get(only), _COLUMNS.get(only)
    return part(row, column, _PARTS[match["part"]]) if match["part"] in _PARTS else cell(row, column)


def cell(row: int | None, column: int | None, named: str = "") -> Place:
    """A cell of the grid of 3 x 3; a whole row or column where the other is None."""
    left, right = (0.0, 1.0) if column is None else (column / 3, (column + 1) / 3)
    top, bottom = (0.0, 1.0) if row is None else (row / 3, (row + 1) / 3)
    return Place(named or _side(row, column), (left, top, right, bottom))


def part(row: int | None, column: int | None, number: int) -> Place | None:
    """The half (`number` 2) or quarter (4) at a side, or the quarter at a corner; None for half of a corner."""
    corner = row is not None and column is not None
    if corner and number == 2:
        return None
    share = 1 / (2 if corner else number)
    left, right = _span(column, share)
    top, bottom = _span(row, share)
    side = _side(row, column)
    side = {"top": "upper", "bottom": "lower"}.get(side, side)
    return Place(f"{side} {'half' if number == 2 else 'quarter'}", (left, top, right, bottom))


def _span(third: int | None, share: float) -> tuple[float, float]:
    if third is None:
        return 0.0, 1.0
    return (0.0, share) if third == 0 else (1 - share, 1.0)


def _side(row: int | None, column: int | None) -> str:
    """`upper left`, `top`, `left`, `centre`: as answers say it."""
    if column is None or (column == 1 and row in (0, 2)):
        side = {0: "top", 1: "centre", 2: "bottom"}[row or 0]
        return side if column is None else f"{side} centre"
    sides = {0: "left", 1: "centre", 2: "right"}[column]
    return sides if row in (None, 1) else f"{('upper', '', 'lower')[row or 0]} {sides}"
