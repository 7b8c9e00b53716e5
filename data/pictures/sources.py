"""What --source names: a file, folder, glob or list file -> pictures and videos, each with the place of its outputs."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.files.folders import expand_glob, walk
from data.pictures.oddities import kinds_not_read
from data.pictures.picture_decoder import is_unread_picture, read_file
from data.pictures.plane_reader import first_names, is_first, without_seconds
from utils.files.output_paths import keep_out, output_places, relative_paths
from utils.values.channels import RGB_CHANNELS, Channels
from utils.words.errors import ConfigError, DataError, printable
from utils.words.text import counted

VIDEO_SUFFIXES = frozenset(
    {".asf", ".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".ts", ".webm", ".wmv"}
)
LIST_BYTES = 64 << 20
RECURSIVE = "; --recursive looks into sub-folders too"
LIVE = re.compile(r"[a-z][a-z0-9+.-]+://.*|\d+|screen\b.*|.*\.streams", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Source:
    """A picture or video to look at: what tables call it, and the relative path, without suffix, of its results.

    `problem` says why it cannot be looked at where that is known already.
    """

    path: Path
    name: str
    output: Path
    problem: str = ""

    @property
    def video(self) -> bool:
        """Whether its name ends like a video."""
        return is_video(self.path.name)


def is_video(name: str) -> bool:
    """Whether a file name ends like a video; case does not matter."""
    return os.path.splitext(name)[1].lower() in VIDEO_SUFFIXES


def find_sources(source: str, recursive: bool = False, channels: Channels = RGB_CHANNELS) -> list[Source]:
    """Inputs of a file, a folder (`recursive`: with its sub-folders), a glob, sorted by path, or of a list file.

    A sample of several files is one input, called by its first; `channels` says which files these are.

    Outputs keep the sub-folder and never collide. A list keeps its order; what it names and is not there becomes a
    Source with a problem. Raises ConfigError for cameras, screens and addresses, DataError when nothing is found.
    """
    path, shown = Path(source), printable(source)
    if os.path.isdir(path):
        found, problems = _walk(path, recursive, channels)
        hint = _pattern(channels) + ("" if recursive else RECURSIVE)
        return _sources(_some(found, problems, source, hint, channels), path) + problems
    if os.path.exists(path) and path.suffix.lower() == ".txt":
        return _listed(path, channels)
    if os.path.lexists(path):
        return _sources([path], path.parent)
    if LIVE.fullmatch(source):
        raise ConfigError(
            f"--source {shown}: screens and other addresses are not read; give a camera's number or rtsp:// address, "
            "or record to a file and name that"
        )
    if not glob.has_magic(source):
        raise DataError(f"--source {shown}: no such file, folder or pattern")
    problems = []
    matches = list(expand_glob(path, lambda error: problems.append(_closed_folder(error))))
    found = without_seconds([match for match in matches if _is_listed(match.name, channels)], channels)
    return _sources(_some(found, problems, source, _pattern(channels), channels)) + problems


def keep_results_out(run: Path, source: str, found: Sequence[Source]) -> None:
    """Raise ConfigError where results in `run` would land among the inputs that `find_sources` found for `source`."""
    homes = {one.path.parent for one in found}
    if os.path.isdir(source):
        keep_out(run, {Path(source), *homes})
    elif os.path.exists(source):  # a file, or a list of them
        keep_out(run, (), homes)
    else:
        keep_out(run, homes)


def words(sources: Sequence[Source]) -> str:
    """`5 pictures and 1 video`."""
    videos = sum(source.video for source in sources)
    parts = [counted(len(sources) - videos, "picture")] if len(sources) > videos else []
    return " and ".join([*parts, *([counted(videos, "video")] if videos else [])])


def _is_input(name: str, channels: Channels) -> bool:
    return is_first(name, channels) or is_video(name)


def _is_listed(name: str, channels: Channels) -> bool:
    """Whether a file that is found is an input, or a picture that nothing here reads: no part may be missing."""
    return _is_input(name, channels) or (is_unread_picture(name) and not name.startswith("."))


def _walk(folder: Path, recursive: bool, channels: Channels) -> tuple[list[Path], list[Source]]:
    """The inputs in a folder, and the folders below it that cannot be looked into."""
    found: list[Path] = []
    problems: list[Source] = []
    for home, folders, files in walk(folder, lambda error: problems.append(_closed_folder(error))):
        # a folder that is called like a picture or video is no input, and is reported as such
        others = [name for name in files if _is_listed(name, channels)] + [*filter(is_video, [*files, *folders])]
        names = list(dict.fromkeys([*first_names([*files, *folders], channels), *others]))
        found += [Path(home, name) for name in names]
        folders[:] = sorted(set(folders) - set(names)) if recursive else []
    return without_seconds(found, channels), problems


def _closed_folder(error: OSError) -> Source:
    """A folder that cannot be looked into, among the inputs: what lies in it is not to be missed in silence."""
    name = printable(str(error.filename))
    return Source(Path(str(error.filename)), name, Path(), f"{name}: folder cannot be read: {error.strerror}")


def _pattern(channels: Channels) -> str:
    """What a sample's first file is to be called, where it has several."""
    return f" called {channels.files} with channel {channels.image[0]}" if channels.files else ""


def _some(found: list[Path], problems: Sequence[Source], source: str, hint: str, channels: Channels) -> list[Path]:
    if any(_is_input(path.name, channels) for path in found):
        return sorted(found, key=Path.as_posix)
    if problems:
        raise DataError(f"--source {problems[0].problem}; name a folder that can be read")
    for finding in kinds_not_read(f"--source {printable(source)}", [printable(str(path)) for path in found]):
        raise DataError(str(finding))
    raise DataError(f"--source {printable(source)}: no pictures or videos there{hint}")


def _sources(paths: Sequence[Path], root: Path | None = None) -> list[Source]:
    relative = relative_paths(paths) if root is None else [path.relative_to(root) for path in paths]
    outputs = output_places(relative, {path for path in relative if is_video(path.name)})
    return [Source(p, r.as_posix(), o, _not_read(p)) for p, r, o in zip(paths, relative, outputs, strict=True)]


def _not_read(path: Path) -> str:
    """Why a file that was found cannot be looked at, where its name tells."""
    if is_video(path.name) or not is_unread_picture(path.name):
        return ""
    return f"{printable(str(path))}: is a picture of a kind that is not read; convert it to PNG or JPEG"


def _listed(path: Path, channels: Channels) -> list[Source]:
    """The inputs a list file names, one per line, relative to the file or else to the working directory."""
    shown = printable(str(path))
    raw = read_file(path, LIST_BYTES).removeprefix(b"\xef\xbb\xbf")
    if b"\0" in raw:
        raise DataError(f"--source {shown}: is binary, not a list of paths; name a text file with one path per line")
    entries: list[Path | Source] = []
    for number, line in enumerate(raw.splitlines(), 1):
        text = os.fsdecode(line.strip())
        if text and not text.startswith("#"):
            entries.append(_entry(path, text, f"{shown}:{number}", channels))
    if not entries:
        raise DataError(f"--source {shown}: names no picture or video; write one path per line")
    found = iter(_sources([entry for entry in entries if isinstance(entry, Path)]))
    return [entry if isinstance(entry, Source) else next(found) for entry in entries]


def _entry(path: Path, text: str, where: str, channels: Channels) -> Path | Source:
    """The file that a line names, or a Source that says what is wrong with it."""
    places = [path.parent / text, Path(text)]
    there = next((place for place in places if os.path.lexists(place)), None)
    if there is not None and _is_input(there.name, channels):
        return there
    problem = "does not exist" if there is None else f"is no picture or video{_pattern(channels)} (lists do not nest)"
    name = printable(text[:200])
    return Source(Path(text), name, Path(), f"{where}: '{name}' {problem}; remove or mend it")
