"""Whatever a line judges: a watched folder, or a camera."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from data.live.arrivals import Arrivals
from data.live.camera import Camera
from data.live.watched_folder import watched_pictures
from data.pictures.plane_reader import PlaneReader
from utils.files.output_paths import keep_out
from utils.values.arrived import Arrived
from utils.values.channels import Channels
from utils.values.verdict import Verdict
from utils.words.errors import ConfigError, DataError, printable

Known = Callable[[str, str], bool]


def check_watched(folder: str, run: Path, move_to: str, recursive: bool) -> None:
    """Raise DataError for a folder that is not there, ConfigError where results, or pictures that are moved, would land
    in it and be judged.
    """
    if not os.path.isdir(folder):
        raise DataError(f"--watch {printable(folder)}: no such folder; make it first")
    keep_out(run, {Path(folder)})
    if not move_to:
        return
    here = Path(os.path.realpath(folder))
    # where pictures go: a folder may also be what an earlier run made of its own
    places = [Path(os.path.realpath(place)) for place in (Path(move_to), *(Path(move_to, one) for one in Verdict))]
    if here in places or (recursive and any(here in place.parents for place in places)):
        raise DataError(f"--move-to {printable(move_to)}: lies in the folder that is watched; name one outside")


def check_whole(move_to: str, channels: Channels) -> None:
    """Raise ConfigError where pictures of several files would be moved, of which a line knows the first one."""
    if move_to and (channels.files or channels.polar_dir):
        raise ConfigError(
            "--move-to: each picture of this network has several files, which would be parted; leave it out"
        )


@contextmanager
def incoming(
    source: str | Camera, reader: PlaneReader, known: Known, recursive: bool, going: Callable[[], bool]
) -> Iterator[Iterator[Arrived]]:
    """The frames of a camera, or the pictures of a folder that are not `known`, as they come, until `going` says no.

    Raises DataError for a camera that cannot be opened, or gives other planes than `reader` reads.
    """
    if not isinstance(source, Camera):
        yield watched_pictures(Arrivals(Path(source), reader.channels, known, recursive), reader, going)
        return
    if not reader.channels.plain_rgb:
        planes = ", ".join(reader.channels.held)
        raise DataError(f"--source {source.name}: a camera gives r, g, b; {planes} are needed; --watch a folder")
    with source:
        yield source.arrived(going)
