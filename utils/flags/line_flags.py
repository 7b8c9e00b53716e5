"""The flags of detect.py beside a line that never ends: a watched folder, a camera."""

from __future__ import annotations

from dataclasses import dataclass

from utils.config.ranges import Range
from utils.flags.parser import Parser

VERDICT_LINES = "verdicts.jsonl"  # --json-lines without a value


@dataclass(frozen=True, kw_only=True)
class LineFlags:
    """`watch`: the folder. `move_to`: where judged pictures go, "": they stay. `cycle_time` ms that a picture may take,
    0: any. `json_lines`: a file in the run folder, "-" for stdout, "": none. `keep`: how many pictures' files stay.
    """

    watch: str
    move_to: str
    cycle_time: int
    json_lines: str
    keep: int | None


def add_line(parser: Parser) -> None:
    """The flags of LineFlags."""
    add = parser.add_argument
    add("--watch", default="", metavar="FOLDER", help="judge pictures as they come, until stopped")
    add("--move-to", default="", metavar="FOLDER", help="--watch: judged pictures go to FOLDER/OK, /NG, /UNREADABLE")
    add("--cycle-time", type=Range(1, 86_400_000).whole, default=0, metavar="MS", help="a later verdict counts as late")
    add(
        "--json-lines",
        nargs="?",
        const=VERDICT_LINES,
        default="",
        metavar="FILE",
        help="--watch, cameras: a JSON object per picture, in verdicts.jsonl; -: on stdout",
    )
    add(
        "--keep",
        type=Range(0, 1_000_000_000).whole,
        default=None,
        metavar="N",
        help="--watch, cameras: overlays and rows of the newest N (10,000; 0: of all)",
    )
