"""Which files in a watched folder are complete and new.

| how a file comes | when it is taken |
|---|---|
| moved or renamed into the folder, or its time set after its content, as copying programs do | at once |
| written in place | when its size and time stay the same for SETTLE seconds |
| written over | again, as a new picture |

The folder is listed, as network shares tell nobody what changes in them. Never more than a tenth of the time is spent
on that: a folder of 10,000 pictures that stay there is listed several times a second.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from data.files.folders import walk
from data.pictures.plane_reader import is_first, without_seconds
from utils.console.log import LOG
from utils.values.arrived import stamp_of
from utils.values.channels import Channels
from utils.words.errors import printable
from utils.words.text import counted

SETTLE = 0.3  # seconds that a file must stay as it is
REST = 0.05  # seconds between two looks at the folder, at least
SHARE = 10  # of how long a look took, the least that is rested after it
AGAIN = 200  # files taken earlier that each look compares with what was taken: they may be written over
LONG_WAIT = 100  # files that wait, from which on it is said that they do


@dataclass(frozen=True)
class Arrival:
    """A complete file: its `name` relative to the folder, with /; `stamp`: its size and time; `since`: when it was
    known to be complete, seconds of time.monotonic().
    """

    path: Path
    name: str
    stamp: str
    since: float


@dataclass
class _Seen:
    """What is known of a file that is not taken yet: unchanged `since`, and not to be tried before `again`."""

    stamp: str
    since: float
    again: float = 0.0
    tried: bool = False


class Arrivals:
    """The files of `folder` (`recursive`: and of those below it) that a network of `channels` reads, each once.

    `known(name, stamp)`: whether it was judged in an earlier run. `clock`, `sleep`: for tests.
    """

    def __init__(
        self,
        folder: Path,
        channels: Channels,
        known: Callable[[str, str], bool],
        recursive: bool = False,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.folder, self.channels, self.known, self.recursive = folder, channels, known, recursive
        self.clock, self.sleep = clock, sleep
        self.waiting: dict[str, _Seen] = {}
        self.taken: dict[str, str] = {}  # name: stamp, of the files that still lie there
        self.turn = 0  # which of them are compared next
        self.gone = False

    def batches(self, going: Callable[[], bool]) -> Iterator[list[Arrival]]:
        """What is complete at each look, oldest first, perhaps nothing, until `going` says no."""
        while going():
            started = self.clock()
            ready = self.look()
            if len(ready) >= LONG_WAIT:
                LOG.info("%s waiting in %s", counted(len(ready), "picture"), printable(str(self.folder)))
            yield ready
            self._rest(0.0 if ready else max(REST, (self.clock() - started) * SHARE), going)

    def put_back(self, arrival: Arrival, seconds: float) -> None:
        """Try it again later: it could not be read yet."""
        self.taken.pop(arrival.name, None)
        again = self.clock() + seconds
        self.waiting[arrival.name] = _Seen(arrival.stamp, arrival.since, again, tried=True)

    def look(self) -> list[Arrival]:
        """One look at the folder: what is complete now, oldest first."""
        names = self._names()
        if names is None:
            return []
        self.taken = {name: self.taken[name] for name in names if name in self.taken}
        for name in self.waiting.keys() - names:
            del self.waiting[name]
        ready = [one for name in self._to_compare(names) if (one := self._ready(name)) is not None]
        return sorted(ready, key=lambda one: (_time_of(one.stamp), one.name))

    def _names(self) -> set[str] | None:
        """The inputs in the folder; None while it is not there, which is said once."""
        problems: list[OSError] = []
        names: set[str] = set()
        for home, folders, files in walk(self.folder, problems.append):
            inside = os.path.relpath(home, self.folder).replace(os.sep, "/")
            start = "" if inside == "." else f"{inside}/"
            names.update(start + name for name in files if start + name in self.taken or self._is_input(name))
            folders[:] = sorted(name for name in folders if name[0] != ".") if self.recursive else []
        lost = next((error for error in problems if os.fspath(error.filename or "") == str(self.folder)), None)
        if bool(lost) != self.gone:
            self.gone = bool(lost)
            shown = printable(str(self.folder))
            if lost:
                LOG.warning("%s: is gone (%s); waiting until it is back", shown, lost.strerror)
            else:
                LOG.info("%s: is back", shown)
        if lost:
            return None
        if self.channels.polar_dir:
            kept = without_seconds([Path(name) for name in names], self.channels)
            return {path.as_posix() for path in kept}
        return names

    def _is_input(self, name: str) -> bool:
        return name[0] != "." and is_first(name, self.channels)

    def _to_compare(self, names: set[str]) -> list[str]:
        """The files that were not taken yet, and some of those that were."""
        new = [name for name in names if name not in self.taken]
        old = list(self.taken)
        self.turn = 0 if self.turn >= len(old) else self.turn
        some = old[self.turn : self.turn + AGAIN]
        self.turn += AGAIN
        return new + some

    def _ready(self, name: str) -> Arrival | None:
        path, now = self.folder / name, self.clock()
        try:
            about = about_file(path)
        except OSError:  # gone again
            return None
        stamp = stamp_of(about)
        if self.taken.get(name) == stamp:
            return None
        if self.known(name, stamp):
            self.taken[name] = stamp
            return None
        seen = self.waiting.get(name)
        if seen is None or seen.stamp != stamp:
            seen = self.waiting[name] = _Seen(stamp, now)
        # a write sets both times alike; a later change time is that of a rename, or of a copy's last step
        moved = os.name == "posix" and about.st_ctime_ns > about.st_mtime_ns and about.st_size > 0
        settled = now - seen.since >= SETTLE or (moved and not seen.tried)
        if not settled or now < seen.again:
            return None
        del self.waiting[name]
        self.taken[name] = stamp
        return Arrival(path, name, stamp, seen.since if seen.tried else now)

    def _rest(self, seconds: float, going: Callable[[], bool]) -> None:
        until = self.clock() + seconds
        while (left := until - self.clock()) > 0 and going():
            self.sleep(min(left, 0.1))


def about_file(path: Path) -> os.stat_result:
    """Size and times. Raises OSError."""
    return os.stat(path)


def _time_of(stamp: str) -> int:
    return int(stamp.partition("-")[2].replace("-", ""), 16)
