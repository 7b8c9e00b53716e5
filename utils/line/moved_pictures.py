"""Judged pictures moved out of the watched folder, by verdict."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from utils.console.log import LOG
from utils.files.output_files import make_folder, temporary_name
from utils.values.arrived import stamp_of
from utils.words.errors import ResourceError, printable


class MovedPictures:
    """Moves pictures of `folder` into `place`/OK, NG and UNREADABLE, below the sub-folders they lay in. Nothing that is
    there is written over: a picture of the same name gets a number.
    """

    def __init__(self, folder: Path, place: Path) -> None:
        self.folder, self.place, self.complained = folder, place, False

    def target(self, name: str, verdict: str) -> Path:
        """Where the picture `name` goes, unless another of its name is there."""
        return self.place / verdict / name

    def __call__(self, name: str, verdict: str, stamp: str) -> None:
        """Move the picture `name`; where that fails it stays, which is said once. One that was written over since it
        had that `stamp` is another picture, which nobody judged: it stays, too.
        """
        source = self.folder / name
        try:
            if stamp_of(os.stat(source)) != stamp:
                return
            target = self.target(name, verdict)
            make_folder(target.parent)
            _move(source, _free(target))
        except (OSError, ResourceError) as error:
            if not self.complained and source.exists():
                self.complained = True
                reason = error.strerror if isinstance(error, OSError) else error
                LOG.warning("%s: cannot be moved to %s: %s; it stays", printable(str(source)), self.place, reason)


def _free(path: Path) -> Path:
    number, free = 2, path
    while os.path.lexists(free):
        free, number = path.with_name(f"{path.stem}__{number}{path.suffix}"), number + 1
    return free


def _move(source: Path, target: Path) -> None:
    """Onto another disk: as a copy that gets its name when it is whole, before the picture is removed."""
    try:
        os.rename(source, target)
    except OSError as error:
        if error.errno != 18:  # EXDEV, another disk
            raise
        temporary = temporary_name(target)
        try:
            shutil.copy2(source, temporary)
            os.rename(temporary, target)
        finally:
            temporary.unlink(missing_ok=True)
        source.unlink()
