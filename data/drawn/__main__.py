"""Draw the built-in glass set: `python -m data.drawn --out FOLDER`; `--huge`: line-scan pictures with tiny defects."""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data.drawn.glass_set import write_glass
from data.drawn.huge_glass import LEAST_PX, most_defects, write_huge_glass
from utils.config.command_flags import COUNT, SEED
from utils.config.parser import Parser
from utils.config.ranges import Range
from utils.console.log import LOG
from utils.console.script import run_script
from utils.files.output_paths import keep_out_of_layouts
from utils.words.errors import ConfigError, printable
from utils.words.text import counted

LARGEST = 2048  # px of the usual pictures, which are drawn in float64
TILE = 640  # px, of the training that is proposed for huge pictures


@dataclass(frozen=True, kw_only=True)
class DrawnFlags:
    """The command line of python -m data.drawn; None is the set's own default."""

    out: str
    huge: bool
    train: int | None
    val: int | None
    size: int | None
    defects: int | None
    px: int | None
    seed: int
    debug: bool


def parse_drawn(argv: Sequence[str] | None) -> DrawnFlags:
    """The flags of python -m data.drawn. Raises ConfigError."""
    parser = Parser("python -m data.drawn", "Draw pictures of glass and its defects as a data set.")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="a new folder; the same set there is kept")
    parser.add_argument("--huge", action="store_true", help="sheet glass under a line-scan camera, with tiny defects")
    parser.add_argument("--train", type=COUNT, metavar="N", help="pictures to train on (default: 240; --huge: 12)")
    parser.add_argument("--val", type=COUNT, metavar="N", help="pictures to validate on (default: 40; --huge: 6)")
    parser.add_argument("--size", type=Range(96, 8192).whole, metavar="PX", help="sides (default: 320; --huge: 4096)")
    parser.add_argument(
        "--defects", type=COUNT, metavar="N", help="--huge: tiny defects in a picture that has any (default: 40)"
    )
    parser.add_argument(
        "--px", type=Range(LEAST_PX, 64).whole, metavar="PX", help="--huge: sides of a tiny defect (default: 8)"
    )
    parser.add_argument("--seed", type=SEED, metavar="N", default=0, help="another seed is another set")
    return DrawnFlags(**parser.read(argv))


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
