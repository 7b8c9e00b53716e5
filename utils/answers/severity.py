"""severity.yaml: how bad a defect is, by the user's own rules.

rules:                                            # the first that is met decides: worst first
  - {grade: critical, class: crack}
  - {grade: critical, longer than: 2 mm}
  - {grade: major, class: [scratch, dent], area over: 400 px2}
  - {grade: major, class: scratch, at least: 3}
otherwise: minor                                  # of a part with defects that meet none
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from utils.answers.lexicon import Lexicon
from utils.answers.picture import FoundThings
from utils.questions.question import Limit, Measure, Subject
from utils.words.errors import ConfigError, printable
from utils.words.text import did_you_mean, shown
from utils.words.yamlio import Document, read_yaml

KEYS = ("grade", "class", "longer than", "area over", "at least")
_NUMBER = re.compile(r"(\d{1,9}(?:\.\d{1,9})?) ?(px2|px|mm2|mm)")
HOW = (
    "there is no rule for it; write severity.yaml (see utils/answers/README.md) and give --severity severity.yaml",
    "没有分级规则; 请编写 severity.yaml (见 utils/answers/README.md), 并用 --severity severity.yaml 给出",
)


@dataclass(frozen=True)
class SeverityRule:
    """`grade` where at least so `many` things of the classes `labels` pass `limits`; `text` says the condition."""

    grade: str
    labels: frozenset[int]
    limits: tuple[Limit, ...]
    many: int
    text: str


@dataclass(frozen=True)
class Severity:
    """Rules, of which the first that is met decides, and the grade of defects that meet none."""

    rules: tuple[SeverityRule, ...]
    otherwise: str

    @property
    def in_mm(self) -> bool:
        """Whether some rule needs the size of a pixel."""
        return any(limit.unit.startswith("mm") for rule in self.rules for limit in rule.limits)

    def grade(self, things: FoundThings) -> tuple[str, str, np.ndarray]:
        """The grade of a picture's things (at least one), the rule that gave it, and the indices that meet it."""
        for rule in self.rules:
            met = np.flatnonzero(things.that_are(Subject(limits=rule.limits), rule.labels))
            if len(met) >= rule.many:
                return rule.grade, rule.text, met
        return self.otherwise, "otherwise", np.arange(len(things))


def read_severity(path: str | Path, lexicon: Lexicon) -> Severity:
    """The rules of a file for these classes. Raises ConfigError with file and line."""
    document = read_yaml(path)
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("rules"), list) or not data["rules"]:
        raise document.error("not severity rules; `rules` is a list like - {grade: critical, class: crack}")
    for key in data:
        if key not in ("rules", "otherwise"):
            raise document.error(f"unknown key '{printable(str(key))}'; known are rules, otherwise", key)
    otherwise = data.get("otherwise")
    if not isinstance(otherwise, str) or not otherwise.strip():
        raise document.error("`otherwise` is missing: the grade of defects that meet no rule, e.g. otherwise: minor")
    rules = tuple(_rule(document, number, row, lexicon) for number, row in enumerate(data["rules"]))
    return Severity(rules, otherwise.strip())


def _rule(document: Document, number: int, row: Any, lexicon: Lexicon) -> SeverityRule:
    where = ("rules", number)
    if not isinstance(row, dict) or not isinstance(row.get("grade"), str) or not row["grade"].strip():
        raise document.error("a rule must read like {grade: critical, class: crack, longer than: 2 mm}", *where)
    for key in row:
        if key not in KEYS:
            known = did_you_mean(str(key), KEYS) or f"; known are {', '.join(KEYS)}"
            raise document.error(f"unknown key '{printable(str(key))}'{known}", *where, key)
    many = row.get("at least", 1)
    if not isinstance(many, int) or isinstance(many, bool) or not 1 <= many <= 1_000_000:
        raise document.error(f"`at least` must be a whole number from 1 on, not {shown(many)}", *where, "at least")
    limits = [
        _limit(document, where, row, *pair) for pair in (("longer than", Measure.LENGTH), ("area over", Measure.AREA))
    ]
    if len(row) == 1:
        raise document.error("a rule without a condition is met by everything; say it as `otherwise`", *where)
    labels = _labels(document, where, row, lexicon)
    conditions = ((key, value) for key, value in row.items() if key != "grade")
    text = ", ".join(f"{key} {' or '.join(value) if isinstance(value, list) else value}" for key, value in conditions)
    return SeverityRule(row["grade"].strip(), labels, tuple(one for one in limits if one), many, printable(text))


def _labels(document: Document, where: tuple[str, int], row: dict[str, Any], lexicon: Lexicon) -> frozenset[int]:
    if "class" not in row:
        return frozenset(range(len(lexicon.names)))
    names = row["class"] if isinstance(row["class"], list) else [row["class"]]
    found: set[int] = set()
    for name in names:
        labels = lexicon.labels(name) if isinstance(name, str) else ()
        if not labels:
            near = did_you_mean(str(name), lexicon.every_word()) or f"; there are: {', '.join(lexicon.names)}"
            raise document.error(f"there is no class {shown(name)}{near}", *where, "class")
        found.update(labels)
    if not found:
        raise document.error("`class` names none; leave it out where any counts", *where, "class")
    return frozenset(found)


def _limit(document: Document, where: tuple[str, int], row: dict[str, Any], key: str, measure: Measure) -> Limit | None:
    if key not in row:
        return None
    match = _NUMBER.fullmatch(str(row[key]).strip())
    square = measure is Measure.AREA
    if match is None or match[2].endswith("2") != square:
        units = "400 px2 or 1.5 mm2" if square else "20 px or 2 mm"
        raise document.error(
            f"`{key}` must be a number with its unit, like {units}, not {shown(row[key])}", *where, key
        )
    return Limit(measure, ">", float(match[1]), match[2])


def check_scale(severity: Severity, mm_per_px: float | None, path: str) -> None:
    """Raise ConfigError for rules in mm where the size of a pixel is not known."""
    if severity.in_mm and mm_per_px is None:
        raise ConfigError(f"--severity {printable(path)}: has rules in mm; give --data with mm_per_px, or write px")
