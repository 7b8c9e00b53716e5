"""summary.csv of a line: a row for each picture, appended, and the memory of which pictures were judged.

A row is one line, and its last cell, the `key`, is made of the picture's name, size and time. So after a stop or a kill
the file itself says what was done, and each picture has one row.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from utils.detecting.csv_tables import SUMMARY, summary_cells
from utils.files.output_files import write_text
from utils.line.line_file import LineFile
from utils.values.picture_result import PictureResult
from utils.words.errors import DataError, ResourceError, printable
from utils.words.text import counted

COLUMNS = (*SUMMARY, "tiles", "judged", "latency_ms", "key")
HEADER = ",".join(COLUMNS) + "\r\n"
FORMULA = "=+-@\t\r"  # a name that begins so has a ' before it, see spreadsheet_cell


@dataclass(frozen=True)
class Row:
    """What is known of a picture that was judged: its name, verdict, number of defects and key."""

    name: str
    verdict: str
    defects: int
    key: str


def key_of(name: str, stamp: str) -> str:
    """What a picture is remembered by; in a spreadsheet it is no number."""
    return "k" + hashlib.blake2b(f"{name}\0{stamp}".encode("utf-8", "surrogateescape"), digest_size=8).hexdigest()


class Journal:
    """summary.csv in the folder `run`, which goes on where an earlier run stopped.

    `keep`: with so many rows summary.csv becomes summary.earlier.csv and a new one is begun, so that there are never
    more than twice as many; 0: never. `lies(name)`: whether a picture still lies in the watched folder; then it is
    remembered when its row goes. Raises ConfigError for a summary.csv of another kind, DataError, ResourceError.
    """

    def __init__(self, run: Path, keep: int = 0, lies: Callable[[str], bool] = lambda _: False) -> None:
        self.earlier, self.remembered = run / "summary.earlier.csv", run / "summary.remembered.txt"
        self.keep, self.lies = keep, lies
        self.file = LineFile(run / "summary.csv", HEADER)
        self.keys: set[str] = set()
        self.verdicts: Counter[str] = Counter()
        self.last: Row | None = None
        for row in self.kept():
            self.keys.add(row.key)
            self.verdicts[row.verdict] += 1
            self.last = row
        self.rows = sum(1 for _ in _rows(self.file.path))
        self.keys.update(self._remembered())

    def known(self, name: str, stamp: str) -> bool:
        """Whether the picture has its row."""
        return key_of(name, stamp) in self.keys

    def add(self, result: PictureResult, stamp: str, judged: str, latency: float) -> bool:
        """Append the row of a picture that is not known; `latency` ms. Whether it, and all before it, are written."""
        key = key_of(result.frame.name, stamp)
        cells = [printable(cell) if isinstance(cell, str) else cell for cell in summary_cells(result)]
        text = io.StringIO(newline="")
        csv.writer(text).writerow([*cells, result.tiles, judged, f"{latency:.1f}", key])
        self.keys.add(key)
        self.verdicts[str(result.verdict)] += 1
        done = self.file.append(text.getvalue())
        self.rows += 1
        return done

    def full(self) -> bool:
        """Whether a new table is to be begun."""
        return bool(self.keep) and self.rows >= self.keep and not self.file.waiting

    def begin_anew(self) -> None:
        """summary.csv becomes the earlier one. The pictures of the rows that go with the one before it are remembered
        first, those that still lie in the folder.
        """
        gone = [*_rows(self.earlier)] if self.earlier.exists() else []
        staying = {row.key for row in gone if self.lies(row.name)}
        if staying:
            write_text(self.remembered, "".join(f"{key}\n" for key in sorted(self._remembered() | staying)))
        self.file.begin_anew(self.earlier)
        self.keys -= {row.key for row in gone} - staying
        self.rows = 0

    def kept(self) -> Iterator[Row]:
        """The rows on the disk, oldest first. Raises DataError."""
        for path in (self.earlier, self.file.path):
            if path.exists():
                yield from _rows(path)

    def close(self) -> None:
        """Close the file. Raises ResourceError where rows could not be written."""
        if lost := self.file.close():
            raise ResourceError(
                f"{printable(str(self.file.path))}: lacks {counted(lost, 'row')}; make room, and start it again: "
                "pictures that still lie there are judged again"
            )

    def _remembered(self) -> set[str]:
        if not self.remembered.exists():
            return set()
        return set(self.remembered.read_text(encoding="ascii", errors="replace").split())


def _rows(path: Path) -> Iterator[Row]:
    with open(path, encoding="utf-8", errors="replace", newline="") as file:
        reader = csv.reader(file)
        next(reader, None)
        for cells in reader:
            if len(cells) != len(COLUMNS) or not cells[-1].startswith("k"):
                shown = f"{printable(str(path))}:{reader.line_num}"
                raise DataError(f"{shown}: is no row of this table; mend it, or take another --name")
            name = cells[0][1:] if cells[0][:1] == "'" and cells[0][1:2] in FORMULA else cells[0]
            yield Row(name, cells[1], int(cells[3]) if cells[3].isdecimal() else 0, cells[-1])
