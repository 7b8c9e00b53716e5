"""Where the results of each input are filed: relative paths that never collide."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from utils.words.errors import ConfigError, printable

LAYOUT = {"images", "labels", "jpegimages", "annotations"}  # folders of one data set, side by side


def relative_paths(paths: Sequence[Path]) -> list[Path]:
    """The paths below the deepest folder that holds them all; file names alone when they share one folder."""
    absolute = [Path(re.sub("^//+", "/", os.path.abspath(p))) for p in paths]  # abspath keeps two slashes
    root = os.path.commonpath([p.parent for p in absolute]) if absolute else ""
    return [p.relative_to(root) for p in absolute]


def output_places(relative: Sequence[Path], numbered: Collection[Path] = ()) -> list[Path]:
    """A relative path without suffix for each input, different for each, also where case does not count.

    Inputs that differ only in their suffix keep it in the name; one that is listed again gets a number. The inputs
    in `numbered` (videos) append `_000001` and so on, so they keep their suffix where pictures are called like that.
    """
    plain = [path.with_suffix("") for path in relative]
    # set(): a file that is listed twice does not clash with itself here; it gets a number below
    shared = Counter(_key(path.with_suffix("")) for path in set(relative))
    stems = {re.sub(r"_\d+$", "", _key(place)) for place in plain if re.search(r"_\d+$", place.name)}
    places: list[Path] = []
    taken: set[str] = set()
    for path, place in zip(relative, plain, strict=True):
        clash = shared[_key(place)] > 1 or (path in numbered and _key(place) in stems)
        wanted = place.with_name(path.name.replace(".", "_")) if clash else place
        free, again = wanted, 2
        while _key(free) in taken:
            free, again = wanted.with_name(f"{wanted.name}__{again}"), again + 1
        taken.add(_key(free))
        places.append(free)
    return places


def keep_out(run: Path, scanned: Iterable[Path], named: Iterable[Path] = (), flag: str = "--project, --name") -> None:
    """Raise ConfigError where results in the folder `run`, which may not exist yet, would land among inputs.

    `scanned` folders count as inputs with all that is below them. So do `named` ones, which hold files that were listed
    one by one, unless the working directory lies there: a project's own folder, with its runs beside its pictures.
    Folders are compared by what they are, not by their names: links, letter case and mounts do not matter.
    """
    place, here = _chain(run), _chain(Path.cwd())
    own = _identity(run)
    real = Path(os.path.realpath(run))
    scanned = set(scanned)
    for folder in (*scanned, *named):
        known = _identity(folder)
        if known is None:
            continue
        inside = known in place and (folder in scanned or known not in here)
        if inside or own == known or (own is not None and real in Path(os.path.realpath(folder)).parents):
            what = "lies in" if inside else "holds"
            shown = f"{flag}: {printable(str(run))} {what} the inputs of {printable(str(folder))}"
            raise ConfigError(f"{shown}, which results must not mix with; name a folder outside")


def keep_out_of_layouts(run: Path, flag: str = "--project, --name") -> None:
    """Raise ConfigError where results in the folder `run` would land in one that lies beside another as the pictures
    and the labels of a data set do, whoever reads that.
    """
    real = Path(os.path.realpath(run))
    for folder in (real, *real.parents):
        if folder.name.lower() in LAYOUT and (other := LAYOUT & _names(folder.parent) - {folder.name.lower()}):
            shown = f"{flag}: {printable(str(run))} lies in a data set's folder, {printable(str(folder))}"
            raise ConfigError(f"{shown} (beside {min(other)}); name a folder outside")


def _names(folder: Path) -> set[str]:
    try:
        return {name.lower() for name in os.listdir(folder)}
    except OSError:
        return set()


def _chain(place: Path) -> set[tuple[int, int]]:
    """What a folder and those above it are, as far as they exist."""
    real = Path(os.path.realpath(place))
    return {known for folder in (real, *real.parents) if (known := _identity(folder)) is not None}


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        about = os.stat(folder)
    except (OSError, ValueError):
        return None
    return about.st_dev, about.st_ino


def _key(place: Path) -> str:
    return place.as_posix().casefold()
