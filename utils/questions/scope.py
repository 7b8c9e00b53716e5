"""Whether a question with a limit is about one of several things, or about all of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from utils.questions.question import Limit, Measure, Question

_OPPOSITE = {">": "<=", ">=": "<", "<": ">=", "<=": ">"}


@dataclass(frozen=True)
class Scope:
    """What the words of a language say: `every` of them; `vague` amounts, which nobody can check; that one `exists`;
    `definite`, the ones that are known to be there; `it`, what was spoken of; a `share` of things, of the
    scratches that are longer than 7 mm.
    """

    every: re.Pattern[str]
    vague: re.Pattern[str]
    exists: re.Pattern[str]
    definite: re.Pattern[str]
    it: re.Pattern[str]
    share: re.Pattern[str] | None = None

    def share_of_things(self, words: str) -> bool:
        """Whether a share of things is asked for, which is none of the picture."""
        return self.share is not None and bool(self.share.fullmatch(words))

    def pronoun(self, words: str) -> bool:
        """Whether a question without a noun speaks of what the one before it was about."""
        return bool(self.it.search(words))

    def of_all(self, questions: tuple[Question, ...], words: str) -> tuple[Question, ...]:
        """The same presences, where one thing decides; none where that is not sure.

        That all holes are smaller than 3 mm is that there is none of 3 mm or more. Who asks whether the holes are below
        a limit wants to know it of all, whether they are above it, of any.
        """
        if self.vague.search(words):
            return ()
        definite = bool(self.definite.search(words)) and not self.exists.search(words)
        found = []
        for question in questions:
            subject = question.subjects[0]
            every = bool(self.every.search(words))
            if definite and any(limit.measure is Measure.AREA for limit in subject.limits):
                return ()  # of each, or of all together?
            if every or (definite and any(limit.sign in ("<", "<=") for limit in subject.limits)):
                if len(subject.limits) != 1 or subject.places or subject.traits or question.amount:
                    return ()
                others = replace(subject, limits=(opposite(subject.limits[0]),))
                question = replace(question, subjects=(others,), negated=not question.negated)
            found.append(question)
        return tuple(found)


def opposite(limit: Limit) -> Limit:
    """What passes it where `limit` is not passed."""
    return replace(limit, sign=_OPPOSITE[limit.sign])
