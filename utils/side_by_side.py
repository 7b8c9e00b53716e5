"""Two commands in turn, how long each takes and how much memory: `python -m utils.side_by_side "ONE" "OTHER"`.

For a training of ours beside one of another trainer that is installed here: nothing is known of either but its command.
A machine's speed changes within minutes, so the commands take turns, and what counts is the ratio of each turn.
"""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from utils.console.log import LOG
from utils.console.script import run_script
from utils.console.signals import saying
from utils.files.output_files import write_json
from utils.files.runs import provenance
from utils.flags.command_flags import parse_side_by_side
from utils.words.errors import ConfigError, printable
from utils.words.text import counted, shorten

KILOBYTE = 1 if sys.platform == "darwin" else 1024  # unit of ru_maxrss, bytes
LAST = 2000  # bytes of a command's output in which its last line is looked for


@dataclass(frozen=True)
class Cost:
    """What one run of a command took: seconds on the clock, seconds of CPU of it and the processes that it waited for,
    bytes of the largest of them, at least those of this program (a new process starts as its copy). Where the system
    does not say (Windows), only the clock is known.
    """

    seconds: float
    cpu_seconds: float | None
    peak_bytes: int | None


def cost_of(words: Sequence[str]) -> Cost:
    """Run a command to its end, without a shell. Raises ConfigError where it cannot be started or fails."""
    shown = printable(shorten(shlex.join(words)))
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        try:
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        except OSError as error:
            raise ConfigError(f"{shown}: cannot be started: {error.strerror or error}") from error
        try:
            used = _wait(child)
        finally:
            if child.returncode is None:
                child.terminate()
                child.wait()
        seconds = time.perf_counter() - started
        if child.returncode:
            output.seek(max(0, output.seek(0, os.SEEK_END) - LAST))
            lines = output.read().decode("utf-8", "replace").split("\n")
            last = next((line for line in reversed(lines) if line.strip()), "it says nothing")
            raise ConfigError(f"{shown}: ends with exit code {child.returncode}: {printable(shorten(last.strip()))}")
    return Cost(seconds, *used)


def _wait(child: subprocess.Popen[bytes]) -> tuple[float | None, int | None]:
    """CPU seconds and peak memory, bytes, of the child, once it has ended."""
    if not hasattr(os, "wait4"):
        child.wait()
        return None, None
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * KILOBYTE


def words_of(cost: Cost) -> str:
    """As a line says it."""
    parts = [f"{cost.seconds:.1f} s"]
    if cost.cpu_seconds is not None and cost.peak_bytes is not None:
        parts += [f"{cost.cpu_seconds:.1f} s of CPU", f"{cost.peak_bytes / 1e6:,.0f} MB"]
    return ", ".join(parts)


def main_story(argv: Sequence[str] | None) -> int:
    """Run both commands in turn, say what each takes, and the ratios."""
    flags = parse_side_by_side(argv)
    if flags.out and os.path.lexists(flags.out):
        raise ConfigError(f"--out {printable(flags.out)}: is there already; name a new file")
    if flags.out and not Path(flags.out).absolute().parent.is_dir():
        raise ConfigError(f"--out {printable(flags.out)}: its folder is not there; make it first")
    turns: list[tuple[Cost, Cost]] = []
    with saying(lambda: f"{counted(len(turns), 'turn')} of {flags.repeats} done"):
        for turn in range(1, flags.repeats + 1):
            first, second = cost_of(flags.first), cost_of(flags.second)
            turns.append((first, second))
            LOG.info("turn %d: first %s; second %s", turn, words_of(first), words_of(second))
            ratios = [first.seconds / second.seconds for first, second in turns]
            if flags.out:  # after each turn: what was measured is not lost with a later one
                rows = [{"first": asdict(first), "second": asdict(second)} for first, second in turns]
                about = {**provenance(argv), "first": list(flags.first), "second": list(flags.second)}
                write_json(Path(flags.out), {**about, "turns": rows, "ratios": ratios})
    shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    LOG.info("first / second, seconds: %s; median %.2f", shown, statistics.median(ratios))
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
