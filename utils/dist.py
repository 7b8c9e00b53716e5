"""What a launcher of several processes says about this one."""

from __future__ import annotations

import os

from utils.errors import ConfigError


def local_rank(given: int | None) -> int | None:
    """The number of this process on its machine: the launcher's LOCAL_RANK, else --local_rank as older ones pass it."""
    said = os.environ.get("LOCAL_RANK", "")
    return int(said) if said.isdecimal() else given


def process_count() -> int:
    """How many processes train together: the launcher's WORLD_SIZE. Raises ConfigError for more than one."""
    count = os.environ.get("WORLD_SIZE", "1")
    if count not in ("", "0", "1"):
        raise ConfigError(
            f"WORLD_SIZE {count}: training in several processes is not available yet; start python train.py itself"
        )
    return 1
