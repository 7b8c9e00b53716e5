"""A JSON list written row by row, so that memory stays constant however long it gets."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from utils.files.output_files import Results, open_rows, refused, temporary_name


class JsonRows:
    """Writes `[row, row, ...]` under a temporary name; `close` gives the complete file its own.

    Where the disk refuses, `results` hears of it and there is no file.
    """

    def __init__(self, path: Path, results: Results) -> None:
        self.path, self.temporary, self.count = path, temporary_name(path), 0
        self.results = results
        self.file: TextIO | None = None
        with results.writing():
            self.file = open_rows(self.temporary)
        self._write("[")

    def add(self, row: Mapping[str, Any]) -> None:
        """Append one row."""
        # a file name that is no UTF-8 comes out as \\udcXX, which is JSON
        self._write((",\n " if self.count else "\n ") + json.dumps(row, ensure_ascii=False, allow_nan=False))
        self.count += 1

    def close(self) -> None:
        """End the list and give the file its name."""
        self._write("\n]\n", last=True)

    def _write(self, text: str, last: bool = False) -> None:
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
