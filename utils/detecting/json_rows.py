"""A JSON list written row by row, so that memory stays constant however long it gets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from utils.files.growing_file import GrowingFile
from utils.files.output_files import Results


class JsonRows:
    """Writes `[row, row, ...]`, which has its name once `close` has ended it; where the disk refuses, `results` hears
    of it and there is no file.
    """

    def __init__(self, path: Path, results: Results) -> None:
        self.file, self.count = GrowingFile(path, results), 0
        self.file.write("[")

    def add(self, row: Mapping[str, Any]) -> None:
        """Append one row."""
        # a file name that is no UTF-8 comes out as \\udcXX, which is JSON
        self.file.write((",\n " if self.count else "\n ") + json.dumps(row, ensure_ascii=False, allow_nan=False))
        self.count += 1

    def close(self) -> None:
        """End the list and give the file its name."""
        self.file.close("\n]\n")
