"""The folder that the page may look into."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

from utils.page.places import NOT_THERE, below, is_below
from utils.page.refusal import Refused

MOST = 500  # names of folders, and of pictures, that are shown
MOST_LOOKED = 20_000  # names of a folder that are read


def listing(root: Path, relative: str, is_picture: Callable[[str], bool]) -> dict[str, Any]:
    """The folders and pictures at `relative` below `root`, by name. Raises Refused with 404."""
    home = below(root, relative)
    folders, pictures, more = [], [], 0
    try:
        with os.scandir(home) as found:
            for one in islice(found, MOST_LOOKED):
                if one.name.startswith(".") or (one.is_symlink() and not is_below(root, Path(one.path))):
                    continue
                if one.is_dir():
                    folders.append(one.name)
                elif one.is_file() and is_picture(one.name):
                    pictures.append(one.name)
            more = sum(1 for _ in islice(found, MOST_LOOKED))
    except OSError as error:
        raise Refused(404, NOT_THERE) from error
    more += max(len(folders) - MOST, 0) + max(len(pictures) - MOST, 0)
    return {"path": relative, "folders": sorted(folders)[:MOST], "pictures": sorted(pictures)[:MOST], "more": more}
