"""Draw the built-in glass set: `python -m data.drawn --out FOLDER`; `--huge`: line-scan pictures with tiny defects."""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import sys
from collections.abc import Sequence
from pathlib import Path

from data.drawn.glass_set import write_glass
from data.drawn.huge_glass import most_defects, write_huge_glass
from utils.console.log import LOG
from utils.console.script import run_script
from utils.files.output_paths import keep_out_of_layouts
from utils.flags.command_flags import DrawnFlags, parse_drawn
from utils.words.errors import ConfigError, printable
from utils.words.text import counted

LARGEST = 2048  # px of the usual pictures, which are drawn in float64
TILE = 320  # px, of the training that is proposed for huge pictures


def main_story(argv: Sequence[str] | None) -> int:
    """Draw, write, say what to do next."""
    flags = parse_drawn(argv)
    out = Path(flags.out).absolute()
    keep_out_of_layouts(out, "--out")
    path, train, val = (draw_huge if flags.huge else draw_usual)(out, flags)
    LOG.info("%s to train on, %s to validate on", counted(train, "picture"), counted(val, "picture"))
    LOG.info("done: python train.py --data %s%s", printable(str(path)), f" --tile {TILE}" if flags.huge else "")
    return 0


def draw_usual(out: Path, flags: DrawnFlags) -> tuple[Path, int, int]:
    """The usual set: its data.yaml, pictures to train on, pictures to validate on. Raises UserError."""
    for flag, value in (("--defects", flags.defects), ("--px", flags.px)):
        if value is not None:
            raise ConfigError(f"{flag} {value}: goes with --huge; leave it out, or add --huge")
    train, val, size = flags.train or 240, flags.val or 40, flags.size or 320
    if size > LARGEST:
        raise ConfigError(f"--size {size}: more than {LARGEST:,} px goes with --huge; lower it, or add --huge")
    return write_glass(out, train, val, size, flags.seed), train, val


def draw_huge(out: Path, flags: DrawnFlags) -> tuple[Path, int, int]:
    """The huge set: its data.yaml, pictures to train on, pictures to validate on. Raises UserError."""
    train, val, size = flags.train or 12, flags.val or 6, flags.size or 4096
    defects, px = flags.defects or 40, flags.px or 8
    most = most_defects(size, px)
    if defects > most:
        raise ConfigError(
            f"--defects {defects:,}: {size:,} px hold {most:,} of --px {px} at most; lower them, or raise --size"
        )
    return write_huge_glass(out, train, val, size, defects, px, flags.seed), train, val


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
