"""How a script runs and ends: errors become one line and an exit code."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import NoReturn

from torch.distributed.elastic.multiprocessing.errors import get_error_handler

from utils.console.failure import Explained
from utils.console.imports import imported
from utils.console.log import LOG, own_rank, start_logging, stop_logging
from utils.console.signals import AtOnce, Stopped
from utils.console.streams import steady_streams
from utils.words.errors import UnexpectedError, UserError

LAUNCHED_BY_SCRIPT = "LAUNCHED_BY_SCRIPT"  # in the environment of processes whose errors the launching script prints


def run_script(script: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None) -> int:
    """Run `script`; a user's mistake becomes one line on stderr and an exit code, with --debug a traceback."""
    imported()
    with steady_streams():
        start_logging()
        try:
            return _run(script, argv)
        finally:
            stop_logging()


def _run(script: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None) -> int:
    words = sys.argv[1:] if argv is None else argv
    with AtOnce(patient=not _alone()) as signals:
        try:
            try:
                with Explained():
                    return script(argv)
            finally:
                signals.over = True
        except UserError as error:
            if "--debug" in words:
                raise
            line = f"error[{error.code}]: " + " ".join(str(error).split("\n"))
            if _report_to_launcher(line):
                LOG.error(line, exc_info=isinstance(error, UnexpectedError))
            return error.exit_code
        except (Stopped, KeyboardInterrupt) as raised:
            stopped = (
                raised if isinstance(raised, Stopped) else Stopped(signal.SIGINT)
            )  # where no handler could be installed
            line = f"stopped by {stopped}; {stopped.words or 'nothing is finished: start it again'}"
            _report_to_launcher(line)
            if not own_rank():
                LOG.warning(line)
            return stopped.exit_code


def _alone() -> bool:
    """Whether this process is the only one of its run."""
    return os.environ.get("WORLD_SIZE", "") in ("", "1")


def _report_to_launcher(line: str) -> bool:
    """Tell the launcher, if there is one, why this process ends; whether the line is to be printed here too."""
    if "TORCHELASTIC_ERROR_FILE" not in os.environ:
        return True
    get_error_handler().record_exception(RuntimeError(line))
    return LAUNCHED_BY_SCRIPT not in os.environ


def end(code: int) -> NoReturn:
    """Leave with an exit code, as sys.exit does; one of several processes, and one with a thread that still waits for a
    disk, leave without shutting Python down, which would wait for that thread.

    A thread of gloo may still hold the tensors of the last collective. If it releases them while Python shuts down,
    it does not get the interpreter's lock but is unwound, and the process ends with SIGABRT instead of its exit code.
    """
    held = [thread for thread in threading.enumerate() if thread is not threading.main_thread() and not thread.daemon]
    if _alone() and not held:
        sys.exit(code)
    atexit._run_exitfuncs()  # ends the loader's processes, as any exit does
    sys.stdout.flush()  # os._exit flushes nothing
    sys.stderr.flush()
    os._exit(code)
