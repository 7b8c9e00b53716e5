"""What --keep leaves of the pictures that a line draws: the files of the newest ones."""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from utils.line.journal import Row


class NewestFiles:
    """Overlays, label files, crops and explanations in the folder `run` of the newest `keep` pictures; older ones are
    removed, 0: none. Only what this program writes is touched. `rows`: the pictures so far, oldest first.
    """

    def __init__(self, run: Path, keep: int, rows: Iterable[Row]) -> None:
        self.run, self.keep = run, keep
        self.rows: deque[tuple[str, int]] = deque(((row.name, row.defects) for row in rows), keep or 1)
        self.names = Counter(name for name, _ in self.rows)

    def add(self, name: str, defects: int) -> None:
        """A picture whose files are written."""
        if not self.keep:
            return
        if len(self.rows) == self.keep:
            self._remove(*self.rows.popleft(), newer=name)
        self.rows.append((name, defects))
        self.names[name] += 1

    def _remove(self, name: str, defects: int, newer: str) -> None:
        self.names[name] -= 1
        if self.names[name] or name == newer:  # a picture of that name was judged again, and is kept
            return
        del self.names[name]
        if Path(name).is_absolute() or ".." in Path(name).parts:  # no row of ours
            return
        paths = [self.run / f"{name}.jpg", self.run / "labels" / f"{name}.txt"]
        for folder in (*_folders(self.run / "crops"), self.run / "explain"):
            paths += [folder / f"{name}_{number}.jpg" for number in range(defects)]
        for path in paths:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        with suppress(OSError):  # the folder of a day, when it is empty
            if (self.run / name).parent != self.run:
                os.rmdir((self.run / name).parent)


def _folders(home: Path) -> list[Path]:
    try:
        return [Path(entry.path) for entry in os.scandir(home) if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []
