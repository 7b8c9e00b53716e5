"""A JSON list written row by row, so that memory stays constant however long it gets."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class JsonRows:
    """Writes `[row, row, ...]` under a temporary name; `close` gives the complete file its own."""

    def __init__(self, path: Path) -> None:
        self.path, self.temporary, self.count = path, path.with_name(f".{path.name}.tmp"), 0
        # a file name that is no UTF-8 comes out as \udcXX, which is JSON
        self.file = self.temporary.open("w", encoding="utf-8", errors="backslashreplace")
        self.file.write("[")

    def add(self, row: Mapping[str, Any]) -> None:
        """Append one row."""
        self.file.write(",\n " if self.count else "\n ")
        self.file.write(json.dumps(row, ensure_ascii=False, allow_nan=False))
        self.count += 1

    def close(self) -> None:
        """End the list and give the file its name."""
        self.file.write("\n]\n")
        self.file.close()
        os.replace(self.temporary, self.path)
