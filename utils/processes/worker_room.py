"""How many worker processes this machine has room for: shared memory, file handles, processes."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from utils.words.text import counted

try:
    import resource
except ImportError:  # Windows, which has no such limits
    resource = None  # type: ignore[assignment]

SHARED = Path("/dev/shm")
GROUP = Path("/sys/fs/cgroup")
AHEAD = 4  # batches that a worker makes before they are asked for
IN_HAND = 3  # batches that the main process holds meanwhile: in use, read ahead, being received
MOST_HANDLES = 65536  # that are asked for, where a system allows any number
TENSORS = 6  # of a batch: each is a handle as long as it is shared
OF_WORKER = 5  # handles of the main process for one worker: pipes, and what tells that it ended
SPARE = 24  # handles of a process for pictures, checkpoints, tables and what libraries open


@dataclass(frozen=True)
class Room:
    """What is left on this machine: bytes of shared memory, handles of this process, processes; None: no limit known.

    `shared` 0: there is none, or it cannot be written to.
    """

    shared: int | None = None
    handles: int | None = None
    processes: int | None = None

    @classmethod
    def here(cls) -> Room:
        """Of this process on this machine, after its own limits are raised as far as they may be."""
        limits = _raise_limits()
        handles = None if limits is None else limits - _open_handles(limits)
        return cls(_shared(), handles, _processes())

    def shared_by(self, processes: int) -> Room:
        """The part that each of so many processes has."""
        shared, children = (None if v is None else v // processes for v in (self.shared, self.processes))
        return Room(shared, self.handles, children)


class Crew(NamedTuple):
    """`workers` processes that make `ahead` batches each before they are asked for."""

    workers: int
    ahead: int = AHEAD


def crew_for(wanted: int, batch_bytes: int, room: Room) -> tuple[Crew, str]:
    """As many of `wanted` workers as there is room for, and what to tell the user; "" if all.

    `batch_bytes`: what a batch takes. Rather all workers with fewer batches ahead than fewer workers.
    """
    missing = ""
    for workers in range(wanted, 0, -1):
        for ahead in (AHEAD, 2, 1):
            if not (lack := _lack(Crew(workers, ahead), batch_bytes, room)):
                return Crew(workers, ahead), missing and f"{missing}; goes on with {workers} of {wanted}"
        missing = missing or lack
    return Crew(0), missing and f"{missing}; goes on without worker processes, which is slower"


def _lack(crew: Crew, batch_bytes: int, room: Room) -> str:
    """What a crew has no room for; "" if it has."""
    workers = counted(crew.workers, "worker process")
    if room.shared == 0:
        return f"{SHARED} is missing, full or read-only, and worker processes hand over their batches there"
    shared = batch_bytes * (crew.workers * crew.ahead + IN_HAND)
    if room.shared is not None and shared > room.shared:
        words = f"{workers} would need {_mb(shared)} of shared memory, {SHARED} has {_mb(room.shared)}"
        return f"{words}: start Docker with --shm-size=8g, or give fewer --workers"
    own = OF_WORKER * crew.workers * 2 + TENSORS * IN_HAND + SPARE  # twice: to learn, and to evaluate
    handles = max(own, 2 * TENSORS * (crew.ahead + 1) + SPARE)
    if room.handles is not None and handles > room.handles:
        words = f"{workers} would need {handles} more file handles, {max(room.handles, 0)} are left"
        return f"{words}: raise ulimit -n, or give fewer --workers"
    if room.processes is not None and crew.workers * 2 > room.processes:
        words = f"{workers} to learn and as many to evaluate would be more than the {room.processes} that may start"
        return f"{words}: raise the limit of processes, or give fewer --workers"
    return ""


def _mb(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"


def _raise_limits() -> int | None:
    """Raise the soft limits to the hard ones; the handles that this process may open."""
    if resource is None:
        return None
    for kind, most in ((resource.RLIMIT_NOFILE, MOST_HANDLES), (getattr(resource, "RLIMIT_NPROC", None), None)):
        if kind is None:
            continue
        soft, hard = resource.getrlimit(kind)
        if most is not None:
            hard = most if hard == resource.RLIM_INFINITY else min(hard, most)
        if soft != resource.RLIM_INFINITY and (hard == resource.RLIM_INFINITY or hard > soft):
            try:
                resource.setrlimit(kind, (hard, resource.getrlimit(kind)[1]))
            except (ValueError, OSError):  # a system that does not let it
                continue
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if soft == resource.RLIM_INFINITY else soft


def _open_handles(limit: int) -> int:
    """How many handles are open, asked one by one, as /proc may not be there."""
    count = 0
    for handle in range(min(limit, 4096)):
        try:
            os.fstat(handle)
        except OSError:
            continue
        count += 1
    return count


def _shared(folder: Path = SHARED) -> int | None:
    """Bytes of shared memory; 0 where it cannot be written to, None on systems that have no such folder."""
    if not hasattr(os, "statvfs") or os.uname().sysname != "Linux":
        return None
    try:
        with tempfile.TemporaryFile(dir=folder):
            found = os.statvfs(folder)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize


def _processes(group: Path = GROUP) -> int | None:
    """Processes that the control group of a container has left, version 2 or 1."""
    for folder in (group, group / "pids"):
        try:
            most, now = ((folder / name).read_text().strip() for name in ("pids.max", "pids.current"))
            if most.isdigit():
                return max(int(most) - int(now), 0)
        except (OSError, ValueError):
            continue
    return None
