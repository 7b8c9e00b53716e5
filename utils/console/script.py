"""How a script runs and ends: errors become one line and an exit code."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn

from utils.console.failure import own_rank, report
from utils.console.log import LOG, start_logging, stop_logging
from utils.console.stop import Stopped
from utils.words.errors import UserError


def run_script(script: Callable[[Sequence[str] | None], int], argv: Sequence[str] | None) -> int:
    """Run a script's story; a user's mistake becomes one line on stderr and its exit code, unless --debug."""
    words = sys.argv[1:] if argv is None else argv
    start_logging()
    try:
        return script(argv)
    except UserError as error:
        if "--debug" in words:
            raise
        line = f"error[{error.code}]: " + " ".join(str(error).split("\n"))
        if report(line):
            LOG.error(line)
        return error.exit_code
    except Stopped as stopped:
        line = f"stopped by {stopped}; python train.py --resume goes on from there"
        report(line)
        if not own_rank():
            LOG.warning(line)
        return stopped.exit_code
    except KeyboardInterrupt:
        LOG.error("stopped; python train.py --resume continues the newest run from what it saved last")
        return 130
    finally:
        stop_logging()


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
