"""What is answered to a question about one picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

YES, NO, UNSURE = "yes", "no", "cannot tell"
NONE = "none"  # of what is asked about there is nothing in the picture
EQUAL = "equal"  # of a comparison: neither


@dataclass(frozen=True)
class Evidence:
    """A box that an answer is read from: `name` of its class, `score`, `box` xyxy px of the picture."""

    name: str
    score: float
    box: tuple[float, float, float, float]

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        return {"class": self.name, "score": round(self.score, 6), "box": [round(v, 3) for v in self.box]}


@dataclass(frozen=True)
class Answer:
    """The answer to `question`, of `kind` (see utils/questions/question.py; "": it was not understood).

    `answer` is the same word whatever the question's language and wording:

    * presence, a comparison of yes or no: `yes`, `no`; presence also `cannot tell`
    * class, and location of classes: names with counts, most first, `scratch 2; hole 1`
    * count: `3`; location: words of a 3 x 3 grid, largest thing first, `upper left; bottom`
    * size, extent: `34 px`, `3.4 mm`, `12.5 %`; comparison: a name, `equal`, or a number; verdict: `OK` or `NG`
    * severity: a grade; description: a sentence; all but presence, count and verdict: `none` where there is nothing

    `number` and `unit` say the same where it is a number (`unit` "" for a count). `confidence` 0..1 is how likely the
    answer is right, None where nothing says so; `calibrated`: it was fitted on pictures with known truth, else it is a
    score. `evidence` are the boxes that show it; of `cannot tell` the best candidate. `sentence` says all of it to a
    person, in the question's language. `refusal`: why there is no answer; `answer` is "" then. `likelier`: `yes` or
    `no`, whichever is likelier where the answer is `cannot tell`, else "".
    """

    question: str
    kind: str
    answer: str = ""
    number: float | None = None
    unit: str = ""
    confidence: float | None = None
    calibrated: bool = False
    evidence: tuple[Evidence, ...] = ()
    sentence: str = ""
    refusal: str = ""
    likelier: str = ""

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        confidence = None if self.confidence is None else round(self.confidence, 4)
        shown = {"evidence": [one.plain() for one in self.evidence], "confidence": confidence}
        return {**vars(self), "kind": str(self.kind), **shown}
