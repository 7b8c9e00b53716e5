"""What lies in a folder or fits a pattern: each folder once, and never without end.

Links are followed, after all else, but a folder that is reached twice is looked at once, so that circles end. What is
deeper than MAX_DEPTH is reported, more than MAX_ENTRIES names are refused, and the kernel's folders, which never end,
are left out.
"""

from __future__ import annotations

import errno
import fnmatch
import glob
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from utils.words.errors import DataError, printable

MAX_ENTRIES = 5_000_000
MAX_DEPTH = 100
KERNEL = ("/proc/", "/sys/")

Failed = Callable[[OSError], None]


class Walk:
    """Walks folders within one budget of entries; `start` names in messages what the user wrote."""

    def __init__(self, start: str | Path, failed: Failed | None = None) -> None:
        self.start, self.failed, self.left = start, failed, MAX_ENTRIES

    def folders(self, top: str | Path) -> Iterator[tuple[str, list[str], list[str]]]:
        """As os.walk from the top down: the caller may take names out of each list of sub-folders, or sort it.

        Raises DataError for too many entries.
        """
        visited: set[tuple[int, int]] = set()
        depth, waiting = str(top).count(os.sep), [str(top)]
        for start in waiting:
            for home, folders, files in os.walk(start, onerror=self.failed):
                self.spend(len(folders) + len(files))
                if self._again(home, visited):
                    folders.clear()
                    continue
                if home.count(os.sep) - depth >= MAX_DEPTH and folders:
                    self._fail(OSError(errno.ELOOP, f"goes down more than {MAX_DEPTH} folders", home))
                    folders.clear()
                yield home, folders, files
                # links last: labels are beside a folder's own place, not beside a link to it
                waiting += [place for name in folders if os.path.islink(place := os.path.join(home, name))]

    def _again(self, home: str, visited: set[tuple[int, int]]) -> bool:
        """Whether a folder has been looked at, cannot be, or is the kernel's."""
        try:
            info = os.stat(home)
        except OSError as error:
            self._fail(error)
            return True
        place = (info.st_dev, info.st_ino)
        again = place in visited or _of_kernel(home)
        visited.add(place)
        return again

    def spend(self, entries: int) -> None:
        """Count what was looked at. Raises DataError when it is too much."""
        self.left -= entries
        if self.left < 0:
            where = printable(str(self.start))
            raise DataError(f"{where}: more than {MAX_ENTRIES:,} files and folders; name the folder of the pictures")

    def _fail(self, error: OSError) -> None:
        if self.failed is not None:
            self.failed(error)

    def matches(self, home: str, parts: Sequence[str]) -> Iterator[str]:
        """The paths below `home` that fit the parts of a pattern; hidden ones only where it says so, as in a shell."""
        if not parts:
            yield home
            return
        part, *rest = parts
        if part == "**":
            for place, folders, files in self.folders(home or os.curdir):
                folders[:] = sorted(name for name in folders if not name.startswith("."))
                place = "" if not home and place == os.curdir else place
                if rest:
                    yield from self.matches(place, rest)
                else:
                    yield place
                    yield from (os.path.join(place, name) for name in files if not name.startswith("."))
        elif not glob.has_magic(part):
            place = os.path.join(home, part)
            if os.path.lexists(place):
                yield from self.matches(place, rest)
        else:
            fitting = re.compile(fnmatch.translate(part))
            for name in self._names(home or os.curdir):
                if fitting.match(name) and (not name.startswith(".") or part.startswith(".")):
                    place = os.path.join(home, name)
                    if not rest or os.path.isdir(place):
                        yield from self.matches(place, rest)

    def _names(self, home: str) -> list[str]:
        if _of_kernel(home):
            return []
        try:
            names = sorted(os.listdir(home))
        except OSError as error:
            self._fail(error)
            return []
        self.spend(len(names))
        return names


def _of_kernel(folder: str) -> bool:
    return f"{os.path.realpath(folder)}/".startswith(KERNEL)


def walk(folder: str | Path, failed: Failed | None = None) -> Iterator[tuple[str, list[str], list[str]]]:
    """See Walk.folders."""
    return Walk(folder, failed).folders(folder)


def expand_glob(entry: str | Path, failed: Failed | None = None) -> Iterator[Path]:
    """What a pattern (with `**`) fits, in no particular order, each once; nothing for a path without wildcards."""
    if not glob.has_magic(str(entry)):
        return
    base = fixed_part(Path(entry))
    parts = Path(entry).relative_to(base).parts
    kept = [part for part, before in zip(parts, ("", *parts), strict=False) if not part == before == "**"]
    seen: set[str] = set()
    for match in Walk(entry, failed).matches("" if base == Path() else str(base), kept):
        if match and match not in seen:
            seen.add(match)
            yield Path(match)


def fixed_part(entry: Path) -> Path:
    """The deepest folder above a pattern that exists: its name may hold [ ] of its own."""
    return next((parent for parent in entry.parents if os.path.isdir(parent)), Path())


def glob_folders(entry: Path) -> Iterator[str]:
    """The folders in which what a pattern fits can come or go: all below the deepest one above its wildcards."""
    if glob.has_magic(str(entry)):
        yield from (home for home, _, _ in walk(fixed_part(entry)))
