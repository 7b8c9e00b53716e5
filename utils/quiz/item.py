"""A question about a picture and what is right to answer."""

from __future__ import annotations

from dataclasses import dataclass

from utils.questions.question import Kind

UNANSWERABLE, OTHER = "unanswerable", "other"


@dataclass(frozen=True)
class QuizItem:
    """`question` about the picture with the index `picture`, and the answer to it.

    `expected` is the canonical word of an answer, as in Answer.answer, with `number` and `unit` where it is one; or the
    letter of one of the `options` (letter, text); or "" where the right thing is to refuse, `answerable` False.
    `subject`: the class or classes asked about, "" for any defect, for answers that do not look. `tolerance`: how far
    from `number` is still right, in `unit`, or 2 % where that is more; None: what is usual for the unit.
    """

    picture: int
    question: str
    kind: Kind | None
    expected: str
    subject: str = ""
    number: float | None = None
    unit: str = ""
    options: tuple[tuple[str, str], ...] = ()
    answerable: bool = True
    tolerance: float | None = None

    @property
    def group(self) -> str:
        """What it is counted with: its kind, `unanswerable`, or `other` where the kind is not known."""
        return UNANSWERABLE if not self.answerable else str(self.kind or OTHER)
