"""The runs that lie beside those of detect.py: what there was, when, and where its report is."""

from __future__ import annotations

import csv
import io
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from utils.page.places import below
from utils.page.refusal import Refused
from utils.values.verdict import Verdict
from utils.words.regular_file import UnreadableFile, read_regular

REPORT, PAGE = "report.json", "report.html"
ABOUT, TABLE = "run.json", "summary.csv"  # of a line, which has no end and so no report
MOST_RUNS = 200  # the newest
MOST_FOLDERS = 5000  # that are looked into
MOST_BYTES, MOST_PAGE = 16 << 20, 64 << 20  # of a report.json or a summary.csv, of a report.html
FRESH = 5.0  # s for which the list is not made again
KINDS = ("detect", "val", "train", "line")
NO_REPORT = "there is no such report"


@dataclass(frozen=True)
class _Run:
    """A run folder with the `file` that says what was found, the time of that, ns, and its bytes."""

    folder: Path
    file: str
    kind: str
    when: int
    size: int


class History:
    """The runs in the folders of `home`. Each report is read once, while it stays as it is. Threads may share one."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._read: dict[tuple[Path, int, int], dict[str, Any]] = {}
        self._list: list[dict[str, Any]] = []
        self._until, self._lock = 0.0, threading.Lock()

    def runs(self, limit: int) -> list[dict[str, Any]]:
        """The newest runs first."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._refresh()
            return self._list[:limit]

    def _refresh(self) -> None:
        newest = sorted(_found(self.home), key=lambda run: (-run.when, str(run.folder)))[:MOST_RUNS]
        known, self._read = self._read, {}
        self._list = []
        for run in newest:
            key = run.folder, run.when, run.size
            self._read[key] = row = known[key] if key in known else _row(run)
            if row:
                self._list.append(row)
        self._until = time.monotonic() + FRESH

    def page(self, kind: str, name: str) -> bytes:
        """A report.html. Raises Refused with 404."""
        try:
            path = below(self.home, f"{kind}/{name}/{PAGE}")
            if path != self.home.resolve() / kind / name / PAGE:
                raise Refused(404, NO_REPORT)  # a link: even inside it may lead to what is no report
            return read_regular(path, MOST_PAGE)
        except (Refused, UnreadableFile) as error:
            raise Refused(404, NO_REPORT) from error


def _found(home: Path) -> Iterator[_Run]:
    """Runs with a report or a table, in the folders of the folders of `home`, without links."""
    count = 0
    for kind in _folders(home):
        for run in _folders(kind):
            count += 1
            if count > MOST_FOLDERS:
                return
            for file in (REPORT, TABLE):
                try:
                    about = os.stat(run / file, follow_symlinks=False)
                except OSError:
                    continue
                yield _Run(run, file, kind.name, about.st_mtime_ns, about.st_size)
                break


def _folders(home: Path) -> list[Path]:
    try:
        with os.scandir(home) as found:
            names = [one.name for one in found if one.is_dir(follow_symlinks=False) and not one.name.startswith(".")]
    except OSError:
        return []
    return [home / name for name in sorted(names)]


def _row(run: _Run) -> dict[str, Any]:
    """What the page says of a run; nothing where its files are none of ours, not complete, or too large."""
    content = _of_report(run.folder) if run.file == REPORT else _of_line(run.folder)
    kind = content.get("kind")
    kind = kind if kind in KINDS else run.kind if run.kind in KINDS else None
    if not content or kind is None:
        return {}
    pictures = content.get("pictures")
    counts = pictures if isinstance(pictures, dict) else {}
    page = os.path.isfile(run.folder / PAGE)
    return {
        "name": run.folder.name,
        "kind": kind,
        "when": datetime.fromtimestamp(run.when / 1e9).astimezone().isoformat(timespec="seconds"),
        "pictures": _count(counts.get("looked_at")),
        "OK": _count(counts.get("OK")),
        "NG": _count(counts.get("NG")),
        "unreadable": _count(content.get("unreadable")),
        "report": f"/runs/{_quoted(run.kind)}/{_quoted(run.folder.name)}/{PAGE}" if page else None,
    }


def _of_report(folder: Path) -> dict[str, Any]:
    """report.json, or nothing."""
    try:
        content = json.loads(read_regular(folder / REPORT, MOST_BYTES))
    except (UnreadableFile, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _of_line(folder: Path) -> dict[str, Any]:
    """What report.json would say of a line, from its table; nothing where it is no line's."""
    try:
        about = json.loads(read_regular(folder / ABOUT, MOST_BYTES))
        if not isinstance(about, dict) or "line" not in about:
            return {}
        text = read_regular(folder / TABLE, MOST_BYTES).decode("utf-8", "replace")
        counts = Counter(row.get("verdict") for row in csv.DictReader(io.StringIO(text, newline="")))
    except (UnreadableFile, ValueError, RecursionError, csv.Error):
        return {}
    good, bad = counts[Verdict.OK.value], counts[Verdict.NG.value]
    pictures = {"looked_at": good + bad, "OK": good, "NG": bad}
    return {"kind": "line", "pictures": pictures, "unreadable": counts[Verdict.UNREADABLE.value]}


def _quoted(name: str) -> str:
    return quote(os.fsencode(name), safe="")


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None
