import subprocess
import sys

import pytest

from utils.processes.memory import free_memory


def group(folder, prefix, limit, used, cached):
    for name, text in zip(prefix, (limit, used, f"anon 5\ninactive_file {cached}\n"), strict=True):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{text}\n")


V2 = ("memory.max", "memory.current", "memory.stat")
V1 = ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat")


def test_the_smallest_limit_counts(tmp_path):
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal:       9000 kB\nMemAvailable:    5000 kB\nHugePages_Total: 0\n")
    assert free_memory(meminfo, tmp_path) == 5000 * 1024
    group(tmp_path, V2, "max", 10, 0)
    assert free_memory(meminfo, tmp_path) == 5000 * 1024
    group(tmp_path, V2, 1_000_000, 400_000, 100_000)
    assert free_memory(meminfo, tmp_path) == 700_000
    group(tmp_path, V1, 500_000, 600_000, 50_000)
    assert free_memory(meminfo, tmp_path) == 0


def test_unknown_elsewhere(tmp_path):
    assert free_memory(tmp_path / "missing", tmp_path) is None


GROWTH = """
import ctypes, resource, sys
from utils.processes.memory import keep_freed_memory, keep_small_blocks
for word in sys.argv[2:]:
    {"all": keep_freed_memory, "small": keep_small_blocks}[word]()
libc, size = ctypes.CDLL(None), int(sys.argv[1])
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
for turn in range(4):
    if turn == 1:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    block = libc.malloc(size)
    ctypes.memset(block, 1, size)
    libc.free(block)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
HUGE, ORDINARY = 64 << 20, 12 << 20  # of a picture: 4,700 px square, 2,000 px square


@pytest.mark.skipif(sys.platform != "linux", reason="of glibc")
@pytest.mark.parametrize(
    ("size", "words", "stays"),
    [
        (HUGE, [], False),
        (HUGE, ["all"], True),
        (HUGE, ["small"], False),
        (HUGE, ["all", "small"], False),  # a loader's process, which begins as its parent is
        (ORDINARY, ["small"], True),
        (ORDINARY, ["all", "small"], True),
    ],
)
def test_what_is_freed_stays_for_the_next_block_of_its_size(size, words, stays):
    """A page that comes back from the system costs a fault, be it a huge one of 2 MB."""
    command = [sys.executable, "-c", GROWTH, str(size), *words]
    faults = int(subprocess.run(command, capture_output=True, check=True).stdout)
    assert faults < 10 if stays else faults >= 3 * size // 2**21
