"""How much main memory a process has taken, how much it may still take, and whether it keeps what it frees."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path

MEMINFO = Path("/proc/meminfo")
# (limit, what is used, its statistics) of the control group that a container sees as its own: version 2, version 1
GROUPS = (
    ("memory.max", "memory.current", "memory.stat"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat"),
)
# parameters of glibc (malloc.h): from how many free bytes on the end of the heap goes back to the system, which blocks
# are mappings of their own, which always go back, and how many of these there may be
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4
MMAP_MAX = 65_536  # glibc's own
LARGE = 32 * 2**20  # the largest M_MMAP_THRESHOLD that glibc takes
MOST = 2**31 - 1


def keep_freed_memory() -> None:
    """Freed memory stays with this process, where the C library is glibc; elsewhere nothing happens.

    By default a block of over 32 MB, such as a map of few strides for a batch, goes back to the system each time, and
    comes anew with a fault for each page of 4 KiB (cfg/RESULTS.md has what that costs).
    """
    _set_malloc({M_MMAP_MAX: 0, M_TRIM_THRESHOLD: MOST})


def keep_small_blocks() -> None:
    """Freed memory stays with this process, up to twice 32 MB of it, but for blocks of over 32 MB, which go back.

    For a process that handles pictures: most need a few blocks of some MB each, again and again, and one that is huge
    must not cost memory for ever.
    """
    _set_malloc({M_MMAP_MAX: MMAP_MAX, M_MMAP_THRESHOLD: LARGE, M_TRIM_THRESHOLD: 2 * LARGE})


def _set_malloc(parameters: dict[int, int]) -> None:
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        for parameter, value in parameters.items():
            libc.mallopt(parameter, value)


def free_memory(meminfo: Path = MEMINFO, groups: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that can be had without swapping, within the limit of a container; None where the system does not say."""
    available = _table(meminfo).get("MemAvailable:")
    if available is None:
        return None
    return min([available * 1024, *_left_in_groups(groups)])


def _left_in_groups(folder: Path) -> list[int]:
    """What is left of each limit that is set. Cached files do not count as used: they can be given back."""
    left = []
    for limit, used, statistics in GROUPS:
        try:
            words = (folder / limit).read_text().strip(), (folder / used).read_text().strip()
            if words[0].isdigit():  # version 2 writes `max` where no limit is set
                cached = _table(folder / statistics).get("inactive_file", 0)
                left.append(max(int(words[0]) - int(words[1]) + cached, 0))
        except (OSError, ValueError):
            continue
    return left


def _table(path: Path) -> dict[str, int]:
    """First and second word of each line; nothing when there is no such file."""
    try:
        rows = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}


def private_memory(rollup: Path = Path("/proc/self/smaps_rollup")) -> int:
    """Bytes that this process shares with no other; 0 where the system does not say."""
    table = _table(rollup)
    return sum(table.get(f"Private_{kind}:", 0) for kind in ("Clean", "Dirty")) * 1024


def peak_process_memory(status: Path = Path("/proc/self/status")) -> int:
    """The most bytes this process has had in memory; 0 where the system does not say."""
    return _table(status).get("VmHWM:", 0) * 1024
