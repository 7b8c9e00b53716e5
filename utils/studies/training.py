"""One training of a study, as a process of its own: started or resumed, told to stop when the study is, and timed."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from utils.console.signals import came, handled
from utils.files.output_files import make_folder, refused
from utils.studies.finished_run import CHECKPOINTS, State, minutes_of, write_minutes
from utils.studies.plan import PlannedRun
from utils.words.errors import printable

LOOK = 0.2  # s between two looks at a training
LONGEST = 300  # letters of what a training says last
TAIL = 1 << 16  # bytes of a log that its last words are looked for in


@dataclass(frozen=True)
class Ended:
    """How a training ended: its exit code (negative: the signal that killed it), its last words, and the signal that
    the study got meanwhile, or 0.
    """

    code: int
    words: str
    signal: int


def command_of(script: Path, run: PlannedRun, state: State, root: str) -> list[str]:
    """The command line that begins a run, or goes on with it; `root`: where its data set lies, "" as its YAML says."""
    if state == "interrupted":
        return [str(script), "--resume", str(run.folder / "weights" / CHECKPOINTS[0])]
    where = ["--set", f"data.root={root}"] if root else []
    place = ["--project", str(run.folder.parent), "--name", run.folder.name, "--exist-ok"]
    return [str(script), *run.words, *where, *place]


def train_run(
    run: PlannedRun, state: State, command: Sequence[str], handles: Sequence[int], tick: Callable[[], None]
) -> Ended:
    """Run a training to its end; `tick` is called meanwhile. It inherits `handles`, the locks on its run.

    What it prints is appended to the log beside its folder. Signals are passed on to it, each once: it is in a session
    of its own, where a terminal's Ctrl-C does not reach it a second time. Raises ResourceError.
    """
    if state == "begun":
        _remove_empty(run.folder)
    earlier = minutes_of(run.folder) if state == "interrupted" else 0.0
    log = run.folder.with_name(f"{run.folder.name}.log")
    signals: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        came.add(number)
        signals.append(number)

    with handled(note):
        if earlier is not None:  # else of a run made by hand: how long it has taken before is not known
            write_minutes(run.folder, earlier, time.time())
        clock = time.perf_counter()
        process, start = _started(log, command, handles)
        passed = 0
        while _is_running(process):
            for number in signals[passed:] if os.name == "posix" else ():  # elsewhere Ctrl-C reaches both
                process.send_signal(number)
                passed += 1
            tick()
        if earlier is not None:
            write_minutes(run.folder, earlier + (time.perf_counter() - clock) / 60)
    return Ended(process.returncode, _last_words(log, start), signals[0] if signals else 0)


def _started(log: Path, command: Sequence[str], handles: Sequence[int]) -> tuple[subprocess.Popen[bytes], int]:
    """The process, and where its words begin in the log."""
    make_folder(log.parent)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        file = open(os.open(log, flags, 0o666), "ab")
        file.write(f"$ {printable(shlex.join(['python', *command]))}\n".encode("utf-8", "backslashreplace"))
        file.flush()
        start = file.tell()
    except OSError as error:
        raise refused(log, error) from error
    with file:
        process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=tuple(handles),
        )
    return process, start


def _is_running(process: subprocess.Popen[bytes]) -> bool:
    """Whether the process goes on for another moment."""
    try:
        process.wait(LOOK)
    except subprocess.TimeoutExpired:
        return True
    return False


def _remove_empty(folder: Path) -> None:
    """Remove the folders of a training that was killed before it wrote a file: they are not known as a run."""
    for path in (folder / "weights", folder):
        with suppress(OSError):  # not empty
            path.rmdir()


def _last_words(log: Path, start: int) -> str:
    """The error that a training ended with, else the last line that it printed."""
    try:
        with log.open("rb") as file:
            file.seek(max(start, log.stat().st_size - TAIL))
            lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    except OSError:
        return ""
    errors = [line for line in lines if line.startswith("error[")]
    words = (errors or lines or [""])[-1]
    return printable(words.partition("]: ")[2] if errors else words)[:LONGEST]
