"""What machines read of a line: a JSON object per picture, one on each line, in a file or on stdout."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from utils.line.journal import Journal, key_of
from utils.line.line_file import LineFile
from utils.values.picture_result import PictureResult
from utils.words.errors import ResourceError, printable
from utils.words.text import counted

STDOUT = "-"
_KEY = re.compile(rb'"key": "(k[0-9a-f]{16})"\}\n$')


def verdict_object(result: PictureResult, stamp: str, judged: str, latency: float, late: bool) -> dict[str, Any]:
    """Boxes xyxy px of the picture; `latency_ms` from the moment the picture was there to its verdict."""
    found = result.detections
    rows = [] if found is None else zip(found.labels.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
    defects = [
        {"class": found.names[label], "score": round(score, 4), "box": [round(side, 1) for side in box]}
        for label, score, box in rows
        if found is not None
    ]
    return {
        "image": result.frame.name,
        "verdict": str(result.verdict),
        "defects": defects,
        **({"answers": [one.plain() for one in result.answers]} if result.answers else {}),
        "reason": result.frame.reason,
        "milliseconds": round(result.milliseconds, 1),
        "latency_ms": round(latency, 1),
        "late": late,
        "judged": judged,
        "key": key_of(result.frame.name, stamp),  # last: it is looked for at the end of a line
    }


class VerdictLines:
    """A file in which each picture has one line, or stdout (`-`), where a picture may come again after a kill: its
    `key` says so. Raises ResourceError.
    """

    def __init__(self, place: str, run: Path, journal: Journal) -> None:
        self.file = None if place == STDOUT else LineFile(run / place)
        if self.file is not None:
            # lines of pictures that have no row: they were not finished, and come again
            self.file.cut_after(lambda line: (m := _KEY.search(line)) is not None and m[1].decode() in journal.keys)

    def add(self, content: dict[str, Any]) -> None:
        """Append the line of a picture."""
        line = json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"
        if self.file is not None:
            self.file.append(line)
        else:
            sys.stdout.write(line.encode("utf-8", "backslashreplace").decode())
            sys.stdout.flush()

    def begin_anew(self) -> None:
        """The file becomes the earlier one, and a new one is begun."""
        if self.file is not None:
            path = self.file.path
            self.file.begin_anew(path.with_name(f"{path.stem}.earlier{path.suffix}"))

    def close(self) -> None:
        """Close the file. Raises ResourceError where lines could not be written."""
        if self.file is not None and (lost := self.file.close()):
            raise ResourceError(f"{printable(str(self.file.path))}: lacks {counted(lost, 'line')}; make room")
