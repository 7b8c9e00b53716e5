"""What --source names: a picture, a folder or a glob -> pictures, each with the place of its outputs."""

from __future__ import annotations

import glob
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from data.images import is_picture
from utils.errors import DataError, printable


@dataclass(frozen=True)
class SourcePicture:
    """A picture to look at, and the relative path, without suffix, under which its results are filed."""

    path: Path
    output: Path


def find_pictures(source: str, recursive: bool = False) -> list[SourcePicture]:
    """Pictures of a file, a folder (`recursive`: with its sub-folders) or a glob, sorted by path.

    Outputs keep the sub-folder; two pictures that differ only in their suffix keep it in the output's name. Raises
    DataError when nothing is found.
    """
    path = Path(source)
    if path.is_dir():
        root, found = path, _walk(path, recursive)
    elif path.exists():
        root, found = path.parent, [path]
    elif glob.has_magic(source):
        found = [Path(p) for p in glob.glob(source, recursive=True) if is_picture(p) and os.path.isfile(p)]
        root = Path(os.path.commonpath([p.parent for p in found])) if found else path.parent
    else:
        raise DataError(f"--source {printable(source)}: no such file, folder or pattern")
    if not found:
        hint = "" if recursive or not path.is_dir() else "; --recursive looks into sub-folders too"
        raise DataError(f"--source {printable(source)}: no pictures there{hint}")
    return _with_outputs(sorted(found, key=Path.as_posix), root)


def _walk(folder: Path, recursive: bool) -> list[Path]:
    if not recursive:
        return [p for p in folder.iterdir() if is_picture(p.name)]
    return [Path(base, name) for base, _, names in os.walk(folder) for name in names if is_picture(name)]


def _with_outputs(pictures: list[Path], root: Path) -> list[SourcePicture]:
    relative = [p.relative_to(root) for p in pictures]
    shared = Counter(r.with_suffix("").as_posix().casefold() for r in relative)
    outputs = []
    for path, place in zip(pictures, relative, strict=True):
        plain = place.with_suffix("")
        twin = shared[plain.as_posix().casefold()] > 1
        outputs.append(SourcePicture(path, plain.with_name(place.name.replace(".", "_")) if twin else plain))
    return outputs
