"""The first pictures of a world as files, in the user's cache: what is known of a world without drawing all of it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from dataclasses import replace
from pathlib import Path

from filelock import FileLock

from data.surfaces.backgrounds import Backgrounds
from data.world.drawn_world import DrawnWorld
from data.world.set_writer import write_set
from utils.config.paths import user_cache
from utils.console.log import LOG
from utils.words.errors import ResourceError, printable
from utils.words.text import counted

SAMPLE = 500  # training pictures
DATA = Path(__file__).parents[1]
DRAWING = ("world", "surfaces", "defects")  # rooms of the code that draws
READING = ("pictures",)  # and that reads backgrounds


def sample_folder(world: DrawnWorld) -> Path:
    """The folder of a data set with the first SAMPLE training pictures of `world` and all to validate on; drawn unless
    it is there. Of several processes one draws, the others wait. Raises DataError for its backgrounds, and
    ResourceError where nothing can be written.
    """
    sample = replace(world, count=min(world.count, SAMPLE))
    folder = user_cache("world") / _key(sample)
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                pictures = counted(sample.count + sample.val, "picture")
                LOG.info("%s of the world are drawn, once, into %s", pictures, printable(str(folder)))
                with tempfile.TemporaryDirectory(dir=folder.parent) as unfinished:
                    whole = Path(unfinished) / "set"
                    write_set(whole, sample, os.cpu_count() or 1)
                    whole.rename(folder)
    except OSError as error:
        why = error.strerror or error
        raise ResourceError(f"{printable(str(folder))}: {why}; make room, or set XDG_CACHE_HOME elsewhere") from error
    return folder


def _key(world: DrawnWorld) -> str:
    """Another one whenever the pictures are others: `world`, the files of its backgrounds, the code that draws."""
    facts = [repr(world)]
    for path in Backgrounds(world.backgrounds).files if world.backgrounds else ():
        stat = path.stat()
        facts.append(f"{path}:{stat.st_size}:{stat.st_mtime_ns}")
    whole = hashlib.sha256("\n".join(facts).encode("utf-8", "surrogatepass"))
    rooms = DRAWING + (READING if world.backgrounds else ())
    for code in sorted(path for room in rooms for path in (DATA / room).glob("*.py")):
        whole.update(code.read_bytes())
    return whole.hexdigest()[:32]
