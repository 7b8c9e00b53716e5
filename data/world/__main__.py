"""Draw a world of defects as a data set: `python -m data.world --out FOLDER --count 1000`."""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from data.world.drawn_world import DrawnWorld
from data.world.set_writer import write_set
from data.world.sheet import write_sheets
from utils.console.log import LOG
from utils.console.script import run_script
from utils.files.runs import new_folder
from utils.flags.command_flags import parse_world
from utils.processes.memory import keep_small_blocks
from utils.words.errors import printable
from utils.words.text import counted


def main_story(argv: Sequence[str] | None) -> int:
    """Draw, write, say what to do next."""
    flags = parse_world(argv)
    keep_small_blocks()
    out = Path(flags.out).absolute()
    workers = (os.cpu_count() or 1) if flags.workers < 0 else flags.workers
    backgrounds = Path(flags.backgrounds).absolute() if flags.backgrounds else None
    world = DrawnWorld(flags.count, flags.val, flags.imgsz, flags.seed, flags.mix, backgrounds)
    world.check()
    with new_folder(out):
        if flags.sheet:
            LOG.info("done: %s in %s", counted(write_sheets(out, flags.seed), "sheet"), printable(str(out)))
            return 0
        defects = write_set(out, world, workers)
    pictures = counted(flags.count + flags.val, "picture")
    classes = counted(len(world.names), "class")
    LOG.info("%s, %s of %s", pictures, counted(defects, "defect"), classes)
    LOG.info("done: python train.py --data %s", printable(str(out / "data.yaml")))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
