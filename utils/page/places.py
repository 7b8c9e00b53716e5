"""Paths that a request names: only below a folder that the user gave, whatever they look like."""

from __future__ import annotations

import os
from pathlib import Path

from utils.page.refusal import Refused

LONGEST = 4096  # letters of a path
NOT_THERE = "there is no such file; look at the folder again"


def below(root: Path, relative: str) -> Path:
    """The file or folder at `relative` below `root`, without links in it; "" is `root`.

    Raises Refused with 404, whatever is wrong: what lies outside is not told from what is not there. Refused are
    absolute paths, `..`, NULs, backslashes, drives, hidden names, and links that lead outside.
    """
    parts = relative.split("/") if relative else []
    if len(relative) > LONGEST or not all(map(_is_plain, parts)):
        raise Refused(404, NOT_THERE)
    try:
        home = root.resolve(strict=True)
        path = root.joinpath(*parts).resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle; ValueError: surrogates
        raise Refused(404, NOT_THERE) from error
    if not path.is_relative_to(home):
        raise Refused(404, NOT_THERE)
    return path


def is_below(root: Path, path: Path) -> bool:
    """Whether `path`, links followed, lies below `root`."""
    try:
        return path.resolve(strict=True).is_relative_to(root.resolve(strict=True))
    except (OSError, RuntimeError):
        return False


def _is_plain(part: str) -> bool:
    """Whether a part of a path is the name of one file or folder that is not hidden."""
    drive = os.name == "nt" and ":" in part or len(part) == 2 and part[1] == ":"
    return bool(part) and not part.startswith(".") and "\0" not in part and "\\" not in part and not drive
