"""A text file that grows piece by piece, so that memory stays constant, and has its name only once it is complete."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from utils.files.output_files import Results, open_rows, refused, temporary_name

PIECE = 1 << 20  # letters that are copied at once


class GrowingFile:
    """Is written under a temporary name; `close` gives the complete file its own.

    Where the disk refuses, `results` hears of it and there is no file.
    """

    def __init__(self, path: Path, results: Results) -> None:
        self.path, self.temporary, self.results = path, temporary_name(path), results
        self.file: TextIO | None = None
        with results.writing():
            self.file = open_rows(self.temporary)

    def write(self, text: str) -> None:
        """Append `text`."""
        self._do(text)

    def take(self, other: GrowingFile) -> None:
        """Append what is in `other`, which is given up."""
        if other.file is None:  # it was said
            self._give_up()
            return
        try:
            other.file.flush()
            with open(other.temporary, encoding="utf-8", newline="") as rest:
                while piece := rest.read(PIECE):
                    self._do(piece)
        except OSError as error:
            self._give_up()
            with self.results.writing():
                raise refused(self.path, error) from error
        finally:
            other._give_up()

    def close(self, text: str = "") -> None:
        """Append `text`, the last, and give the file its name."""
        self._do(text, last=True)

    def _do(self, text: str, last: bool = False) -> None:
        if self.file is None:
            return
        with self.results.writing():
            try:
                self.file.write(text)
                if last:
                    self.file.close()
                    os.replace(self.temporary, self.path)
            except OSError as error:
                self._give_up()
                raise refused(self.path, error) from error

    def _give_up(self) -> None:
        if self.file is not None:
            with suppress(OSError):
                self.file.close()
        with suppress(OSError):
            self.temporary.unlink(missing_ok=True)
        self.file = None
