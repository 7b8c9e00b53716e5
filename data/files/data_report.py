"""The report of a data set: where every picture and every label row went, and why."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from utils.words.text import counted

HARMLESS = frozenset({"clipped", "polygon", "more_columns", "difficult", "kind_not_read"})
HARMLESS_SKIPS = frozenset({"listed_twice", "hidden", "kind_not_read"})


def too_many(bad: int, found: int) -> bool:
    """Whether more pictures are bad than may be left out: beyond 1 %, or 100 if that is more, and never over half."""
    return bad > max(100, found // 100) or bad * 2 > found


@dataclass(frozen=True)
class Problem:
    """Something found in the data: `where` (`file:line` or file), a `reason` code for counting, one sentence.

    `count` rows are meant where one Problem speaks for several (harmless reasons only).
    """

    where: str
    reason: str
    message: str
    count: int = 1

    @property
    def harmless(self) -> bool:
        """Counted and named, but nothing that was to be read was dropped for it."""
        return self.reason in HARMLESS

    def __str__(self) -> str:
        return f"{self.where}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something odd about pictures of a split that read well: `count` of them, for which `said` is the sentence.

    `names` are the pictures, at the start of a run the first ones. `severity`: "wrong" where an evaluation would be
    wrong or content is lost, "odd" where it may be meant, "note" what is only counted.
    """

    kind: str
    count: int
    said: str
    advice: str = ""
    names: tuple[str, ...] = ()
    severity: Literal["wrong", "odd", "note"] = "odd"

    def __str__(self) -> str:
        first = f", first {self.names[0]}" if self.names else ""
        return f"{self.said}{first}{f'; {self.advice}' if self.advice else ''}"


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """Where every picture and row went: `found == used + sum(skipped.values())`, and of the label rows

    rows["read"] == boxes + labels["ignored"] + labels["duplicates_dropped"] + sum(rows_dropped.values())
                    + rows["left_out"] (with their pictures) + rows["elsewhere"] (of other splits' pictures)
                    + rows["orphaned"] (of no picture)

    `skipped` counts pictures left out and `rows_dropped` label rows left out, both by reason; `labels` counts missing
    (of these not_in_json those that a COCO json which decides does not name), empty, clipped, polygon, more_columns,
    difficult, ignored (crowd, difficult and regions of no class), duplicate_rows, duplicates_dropped, orphans (files);
    `boxes` are without the ignored ones. `problems` lists what was dropped (and the harmless oddities), `notices` are
    sentences for the user, `findings` what is odd about pictures that are used. `bad` pictures were left out, or some
    of their rows were; see `too_many`.
    """

    split: str
    found: int
    used: int
    good: int
    boxes: int
    skipped: dict[str, int]
    labels: dict[str, int]
    rows_dropped: dict[str, int]
    rows: dict[str, int]
    problems: tuple[Problem, ...]
    notices: tuple[str, ...]
    bad: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def left_out(self) -> int:
        """Pictures that should be there and are not among those used."""
        return sum(n for reason, n in self.skipped.items() if reason not in HARMLESS_SKIPS)

    def summary(self) -> str:
        """One line for the console."""
        skipped = sum(self.skipped.values())
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in sorted(self.skipped.items()))
        lost = {f"rows {name}": self.rows[name] for name in ("left_out", "orphaned")}
        odd = {**self.labels, **{f"dropped {reason}": n for reason, n in self.rows_dropped.items()}, **lost}
        oddities = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in odd.items() if n)
        return (
            f"{self.split}: {counted(self.found, 'picture')} found = {self.used:,} used ({self.good:,} good) "
            f"+ {skipped:,} skipped{f' ({reasons})' if reasons else ''}, "
            f"{counted(self.boxes, 'box')}{f'; labels: {oddities}' if oddities else ''}"
        )

    def lines(self, most: int = 20) -> list[str]:
        """What the console shows: the summary, the notices, and the first problems by which something was left out."""
        left_out = [str(problem) for problem in self.problems if not problem.harmless]
        shown = [f"left out: {text}" for text in left_out[:most]]
        if len(left_out) > most:
            shown.append(f"left out: {len(left_out) - most:,} more, all in data_report.json")
        return [self.summary(), *self.notices, *shown]

    def warnings(self) -> list[str]:
        """A sentence for each finding that a user should know of before training or evaluation."""
        return [str(finding) for finding in self.findings if finding.severity != "note"]

    def plain(self) -> dict[str, Any]:
        """The report as JSON-ready values."""
        return asdict(self)
