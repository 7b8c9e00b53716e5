"""How a script runs and ends: errors become one line and an exit code."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from torch.distributed.elastic.multiprocessing.errors import get_error_handler

from utils.console.failure import Explained
from utils.console.interrupt import Stopped
from utils.console.log import LOG, own_rank, start_logging, stop_logging
from utils.console.streams import steady_streams
from utils.words.errors import UnexpectedError, UserError

LAUNCHED_BY_SCRIPT = "LAUNCHED_BY_SCRIPT"  # in the environment of processes whose errors the launching script prints


def run_script(script: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None) -> int:
    """Run `script`; a user's mistake becomes one line on stderr and an exit code, with --debug a traceback."""
    with steady_streams():
        start_logging()
        try:
            return _run(script, argv)
        finally:
            stop_logging()


def _run(script: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None) -> int:
    words = sys.argv[1:] if argv is None else argv
    try:
        with Explained():
            return script(argv)
    except UserError as error:
        if "--debug" in words:
            raise
        line = f"error[{error.code}]: " + " ".join(str(error).split("\n"))
        if _report_to_launcher(line):
            LOG.error(line, exc_info=isinstance(error, UnexpectedError))
        return error.exit_code
    except Stopped as stopped:
        line = f"stopped by {stopped}; python train.py --resume goes on from there"
        _report_to_launcher(line)
        if not own_rank():
            LOG.warning(line)
        return stopped.exit_code
    except KeyboardInterrupt:
        LOG.error("stopped; python train.py --resume continues the newest run from what it saved last")
        return 130


def _report_to_launcher(line: str) -> bool:
    """Tell the launcher, if there is one, why this process ends; whether the line is to be printed here too."""
    if "TORCHELASTIC_ERROR_FILE" not in os.environ:
        return True
    get_error_handler().record_exception(RuntimeError(line))
    return LAUNCHED_BY_SCRIPT not in os.environ


def end(code: int) -> NoReturn:
    """Leave with an exit code, as sys.exit does; one of several processes leaves without shutting Python down.

    A thread of gloo may still hold the tensors of the last collective. If it releases them while Python shuts down,
    it does not get the interpreter's lock but is unwound, and the process ends with SIGABRT instead of its exit code.
    """
    if os.environ.get("WORLD_SIZE", "") in ("", "1"):
        sys.exit(code)
    atexit._run_exitfuncs()  # ends the loader's processes, as any exit does
    sys.stdout.flush()  # os._exit flushes nothing
    sys.stderr.flush()
    os._exit(code)
