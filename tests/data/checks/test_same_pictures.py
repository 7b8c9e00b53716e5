"""Same pictures by an oracle: the content of every file, compared with that of every other."""

import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from data.checks.same_pictures import Listed, same_pictures


def heap(folder, seed):
    """Files of few sizes and contents in two splits, with hard and soft links among them."""
    rng = np.random.default_rng(seed)
    listed = []
    for number in range(60):
        path = folder / f"{number}.bin"
        size = int(rng.choice([0, 1, 4096, 30_000, 70_000]))
        raw = bytearray(size)
        if size and rng.random() < 0.7:
            raw[int(rng.integers(size))] = int(rng.integers(3))
        kind, other = rng.random(), folder / f"{int(rng.integers(number + 1))}.bin"
        if kind < 0.1 and other.exists():
            os.link(other, path)
        elif kind < 0.2 and other.exists():
            path.symlink_to(other)
        else:
            path.write_bytes(bytes(raw))
        listed.append(Listed(("train", "val")[int(rng.integers(2))], str(path)))
    return listed


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("across", [True, False])
def test_groups_are_those_of_equal_content(tmp_path, seed, across):
    listed = heap(tmp_path, seed)
    contents = defaultdict(list)
    for one in listed:
        contents[Path(one.path).read_bytes()].append(one)
    meant = [set(m) for m in contents.values() if (len({o.split for o in m}) > 1 if across else len(m) > 1)]
    groups, sampled = same_pictures(listed, () if across else ("train", "val"))
    assert sampled == 0
    assert sorted(map(sorted, meant)) == sorted(sorted(group.pictures) for group in groups)
    for group in groups:
        inodes = {os.stat(one.path).st_ino for one in group.pictures}
        assert (group.how == "file") == (len(inodes) == 1)


def test_what_is_not_compared_whole_is_counted(tmp_path):
    for name in "abcd":
        (tmp_path / name).write_bytes(bytes(10_000))
    listed = [Listed(split, str(tmp_path / name)) for split, name in zip(("train", "val") * 2, "abcd", strict=True)]
    groups, sampled = same_pictures(listed, (), most_bytes=39_999)
    assert sampled == 4 and len(groups[0].pictures) == 4


def test_what_cannot_be_read_is_passed_over(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    names = ["pipe", "folder", "loop", "gone", "nul\0", "x" * 300]
    listed = [Listed(split, str(tmp_path / name)) for name in names for split in ("train", "val")]
    assert same_pictures(listed, ()) == ([], 0)
