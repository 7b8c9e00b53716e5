"""What an inspection leaves in the run folder, and its section of results.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from utils.files.runs import write_text
from utils.inspection.summary import Inspection
from utils.inspection.suspects import Suspect
from utils.inspection.threshold_file import DetectionSettings, thresholds_text


def inspection_section(inspection: Inspection, files: Sequence[str]) -> dict[str, Any]:
    """`inspection` of results.json: everything by the name of its class and the file of its picture."""
    plain = inspection.plain()
    names = inspection.names
    del plain["names"]
    plain["match"] = vars(inspection.config.rule)
    point = plain["operating_point"]
    point["classes"] = _by_name(names, point["classes"])
    point["thresholds"] = _by_name(names, inspection.point.thresholds)
    for key in ("class_calibration", "class_errors"):
        plain[key] = _by_name(names, plain[key])
    for key in ("misses", "false_alarms"):
        plain[key] = [suspect_row(one, names, files) for one in getattr(inspection, key)]
    plain["label_suspects"] = {
        kind: [suspect_row(one, names, files) for one in rows] for kind, rows in vars(inspection.labels).items()
    }
    return plain


def _by_name(names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    return dict(zip(names, values, strict=True))


def suspect_row(one: Suspect, names: Sequence[str], files: Sequence[str]) -> dict[str, Any]:
    """A place to look at, without the numbers that mean something inside the program only."""
    return {
        "file": files[one.picture],
        "class": names[one.label],
        "box": list(one.box),
        "score": one.score,
        "reason": one.reason,
    }


def write_thresholds(
    folder: Path, inspection: Inspection, about: Mapping[str, str], made: DetectionSettings | None
) -> None:
    """thresholds.yaml, with where it comes from as a comment."""
    comment = [f"{key}: {value}" for key, value in about.items() if value]
    text = thresholds_text(inspection.names, inspection.point.thresholds, [*comment, *inspection.lines()[:5]], made)
    write_text(folder / "thresholds.yaml", text)
