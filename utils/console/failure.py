"""How a process that was started with others says what went wrong in it, and ends."""

from __future__ import annotations

import atexit
import os
import sys
from typing import NoReturn

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


def end(code: int) -> NoReturn:
    """Leave with an exit code, as sys.exit does; of several processes, without shutting Python down.

    A thread of gloo may still hold the tensors of what was said last. If it lets go of them while Python shuts down,
    it is not given the interpreter's lock but unwound, which is SIGABRT in place of the exit code.
    """
    if os.environ.get("WORLD_SIZE", "") in ("", "1"):
        sys.exit(code)
    atexit._run_exitfuncs()  # ends the loader's processes, as any exit does
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
