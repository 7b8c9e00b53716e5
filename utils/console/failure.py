"""How a process that was started with others says what went wrong in it, and ends."""

from __future__ import annotations

import os

from torch.distributed.elastic.multiprocessing.errors import get_error_handler

OURS = "LAUNCHED_BY_SCRIPT"  # in the environment of processes whose errors the launching script prints


def own_rank() -> int:
    """The number of this process among those that a launcher started; 0 when alone."""
    text = os.environ.get("RANK", "")
    return int(text) if text.isdecimal() else 0


def report(line: str) -> bool:
    """Tell the launcher what happened, if there is one; says whether it is to be printed here too."""
    if "TORCHELASTIC_ERROR_FILE" not in os.environ:
        return True
    get_error_handler().record_exception(RuntimeError(line))
    return OURS not in os.environ
