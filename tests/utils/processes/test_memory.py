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
