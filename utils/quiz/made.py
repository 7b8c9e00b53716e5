"""Questions made from the annotations, with answers that follow from them by plain arithmetic.

What is a matter of opinion is not asked: the larger of two that differ by 2 % or less, the place of what lies on a line
between two places, anything about a class of which the picture has regions to ignore.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from utils.quiz.counted_things import classes, count, presence, unanswerable, verdict, which_in_place
from utils.quiz.item import QuizItem
from utils.quiz.measured_things import comparison, extent, location, size
from utils.quiz.sheet import Sheet, can_be_asked
from utils.quiz.truth import Truth
from utils.values.record import Record

ASKED = (presence, classes, count, location, which_in_place, size, extent, comparison, verdict, unanswerable)


def make_questions(
    records: Sequence[Record],
    names: Sequence[str],
    per_picture: int | None,
    seed: int,
    mm_per_px: float | None,
) -> list[QuizItem]:
    """Questions about every picture, of every kind that it allows; at most `per_picture` (None: all, about a dozen).

    A picture's questions depend on its record, its index, `names` and `seed` (>= 0) only: more pictures behind it
    change none. With `mm_per_px` sizes are asked in mm, without it questions in mm are there to be refused.
    """
    asked, known = can_be_asked(names), tuple(names)
    made: list[QuizItem] = []
    for index, record in enumerate(records):
        rng = np.random.default_rng((seed, index))
        sheet = Sheet(index, Truth.of(record), known, asked, mm_per_px, rng)
        items = [item for ask in ASKED for item in ask(sheet)]
        made += items if per_picture is None else chosen(items, per_picture, rng)
    return made


def chosen(items: Sequence[QuizItem], number: int, rng: np.random.Generator) -> list[QuizItem]:
    """At most `number` of the `items`, in their order: one of each kind before a second of any."""
    rows: dict[str, list[int]] = defaultdict(list)
    for k in rng.permutation(len(items)).tolist():
        rows[items[k].group].append(k)
    turns = sorted((turn, order, k) for order, row in enumerate(rows.values()) for turn, k in enumerate(row))
    return [items[k] for k in sorted(k for _, _, k in turns[:number])]
