"""The folder that a tool is told to make and fill."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from utils.words.errors import ConfigError, ResourceError, printable


@contextmanager
def new_folder(out: Path) -> Iterator[None]:
    """Make `out` and run the block that fills it. Raises ConfigError if it is there, ResourceError for a full disk."""
    try:
        out.mkdir(parents=True)
        yield
    except FileExistsError as error:
        raise ConfigError(f"--out {printable(str(out))}: is there already; name a new folder") from error
    except OSError as error:
        raise ResourceError(f"--out {printable(str(out))}: {error.strerror or error}; make room elsewhere") from error
