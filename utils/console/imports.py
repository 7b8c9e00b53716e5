"""The start of a script, while it imports its modules, which takes seconds: whatever happens then is one line, too.

No torch here: scripts import this first.
"""

from __future__ import annotations

import os
import sys
from types import TracebackType

from utils.console.signals import last_words, leave_on_signals

MEMORY = "is there enough memory (ulimit -v), and room in /tmp?"
MISSING = "python -m pip install -r requirements.txt"


def while_importing() -> None:
    """Until `imported`: signals end the script at once, and a module that cannot be loaded is one line with exit code
    6. Without a working directory it ends here, with exit code 2: libraries look into it.
    """
    leave_on_signals()
    sys.excepthook = _one_line
    try:
        os.getcwd()
    except OSError as error:
        _leave(f"error[CONFIG]: the working directory cannot be read: {error.strerror}; change into another", 2)


def imported() -> None:
    """Errors are errors of the script from here on."""
    if sys.excepthook is _one_line:
        sys.excepthook = sys.__excepthook__


def _one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, ModuleNotFoundError):
        _leave(f"error[RESOURCE]: {error}; {MISSING}", 6)
    if isinstance(error, ImportError | OSError | MemoryError):
        said = " ".join(str(error).split()) or kind.__name__
        _leave(f"error[RESOURCE]: a module cannot be loaded: {said}; {MEMORY}", 6)
    sys.__excepthook__(kind, error, trace)


def _leave(line: str, code: int) -> None:
    last_words(line)
    os._exit(code)
