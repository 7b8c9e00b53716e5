"""Questions made from the annotations, with answers that follow from them by plain arithmetic.

What is a matter of opinion is not asked: the larger of two that differ by 2 % or less, the place of what lies on a line
between two places, anything about a class of which the picture has regions to ignore.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from utils.questions.question import Kind
from utils.quiz.answer_words import NG, OK
from utils.quiz.counted_things import classes, count, presence, unanswerable, verdict, which_in_place
from utils.quiz.item import QuizItem
from utils.quiz.measured_things import comparison, extent, location, size
from utils.quiz.sheet import Sheet, can_be_asked
from utils.quiz.truth import Truth
from utils.values.record import Record

ASKED = (presence, classes, count, location, which_in_place, size, extent, comparison, verdict, unanswerable)


def make_questions(
    records: Sequence[Record], names: Sequence[str], seed: int, mm_per_px: float | None
) -> list[QuizItem]:
    """Questions about every picture, of every kind that it allows: about a dozen.

    A picture's questions depend on its record, its index, `names` and `seed` (>= 0) only: more pictures behind it
    change none, but that as many good pictures as bad ones are asked for the verdict. With `mm_per_px` sizes are asked
    in mm, without it questions in mm are there to be refused.
    """
    asked, known = can_be_asked(names), tuple(names)
    made: list[QuizItem] = []
    for index, record in enumerate(records):
        rng = np.random.default_rng((seed, index))
        sheet = Sheet(index, Truth.of(record), known, asked, mm_per_px, rng)
        made += [item for ask in ASKED for item in ask(sheet)]
    return balanced(made, np.random.default_rng((seed, len(records))))


def balanced(items: Sequence[QuizItem], rng: np.random.Generator) -> list[QuizItem]:
    """Without some of the verdicts, so that as many are OK as NG: where nearly all parts are bad, "NG" without a look
    would be right nearly always.
    """
    verdicts = [k for k in rng.permutation(len(items)).tolist() if items[k].kind is Kind.VERDICT]
    rows = [[k for k in verdicts if items[k].expected == word] for word in (OK, NG)]
    surplus = {k for row in rows for k in row[min(map(len, rows)) :]}
    return [item for k, item in enumerate(items) if k not in surplus]
