"""What a detect.py run found in all, in memory that stays small however many pictures there are."""

from __future__ import annotations

from array import array
from collections import Counter
from pathlib import Path

from utils.console.log import LOG
from utils.values.picture_result import PictureResult
from utils.values.verdict import Verdict
from utils.words.text import counted

REASONS_KEPT = 20
MOST_TIMES = 1_000_000


class Totals:
    """Counts over the results of a run.

    `looked`: pictures that were looked at, of which `bad` are NG; `unreadable`: those that were not, with the first
    `reasons`. `defects` and `pictures` by class: how many there are, and how many pictures show one. `incomplete` were
    looked at although something is missing; `lack` is what the first of them lacks. `times`: ms per picture.
    """

    def __init__(self) -> None:
        self.defects: Counter[str] = Counter()
        self.pictures: Counter[str] = Counter()
        self.looked = self.bad = self.unreadable = self.incomplete = 0
        self.lack, self.times = "", array("f")
        self.reasons: list[str] = []

    def add(self, result: PictureResult) -> None:
        """Count one input."""
        reason = result.frame.reason
        if result.verdict is Verdict.UNREADABLE:
            self.unreadable += 1
            self.reasons += [reason] if len(self.reasons) < REASONS_KEPT else []
            return
        self.looked += 1
        self.bad += result.verdict is Verdict.NG
        self.incomplete += bool(reason)
        self.lack = self.lack or reason
        defects = result.defects()
        self.defects.update(defects)
        self.pictures.update(defects.keys())
        if len(self.times) < MOST_TIMES:  # bounds the memory of a very long run
            self.times.append(result.milliseconds)

    def done(self, run: Path) -> str:
        """What there is of a run that was stopped."""
        return (
            f"{counted(self.looked + self.unreadable, 'input')} done, in {run / 'summary.csv'}; start it again for all"
        )

    def log(self, run: Path) -> None:
        """Write the totals to the console and the run's log."""
        total = ", ".join(f"{name} {n}" for name, n in self.defects.most_common()) or "no defects"
        verdicts = f"{self.looked - self.bad:,} OK, {self.bad:,} NG"
        LOG.info("%s: %s; %s; written to %s", counted(self.looked, "picture"), verdicts, total, run)
        for reason in self.reasons:
            LOG.warning("not looked at: %s", reason)
        if self.incomplete:
            count = f"{self.incomplete:,} of {counted(self.looked, 'picture')}"
            LOG.warning("%s looked at with a part missing, marked in summary.csv; the first: %s", count, self.lack)
        if self.unreadable:
            LOG.warning("%s could not be read; marked in summary.csv", counted(self.unreadable, "input"))
