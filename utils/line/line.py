"""What is left of each picture that a line judges, in the order in which it may be relied on after a kill: its verdict
on the console, its overlay and label files, its JSON line, its row, its move.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol, Self

from utils.console.log import say
from utils.detecting.answer_rows import answer_line
from utils.detecting.output_options import DetectionOutput
from utils.detecting.picture_files import FoundFiles
from utils.files.output_files import Extra, Results
from utils.flags.line_flags import LineFlags
from utils.line.journal import Journal, key_of
from utils.line.moved_pictures import MovedPictures
from utils.line.newest_files import NewestFiles
from utils.line.verdict_lines import VerdictLines, verdict_object
from utils.processes.threads import Turns, prefetch
from utils.report.detection_run import verdict_line
from utils.values.arrived import Arrived, stamp_of
from utils.values.frame import Frame
from utils.values.picture_result import PictureResult
from utils.words.text import counted

KEEP = 10_000  # --keep, where none is given
AHEAD = 2  # pictures that are read while one is judged


class Feed(Protocol):
    """What shows a line to people; see utils/page/live.py."""

    def add(self, result: PictureResult, files: Sequence[Path], stamp: str) -> None:
        """A result, where the picture lies or will be moved to, and its file's stamp when it was read."""

    def tell(self, *, late: int, waiting: int, dropped: int) -> None:
        """How many verdicts were late, how many pictures wait, and how many were dropped."""


class Line:
    """Writes into the run folder; `counts` are the verdicts of this start, `late` those after the cycle time. Results
    go to the page `live`, too, with their pictures. Files are written in a thread, so that the next picture does not
    wait.
    """

    def __init__(
        self,
        files: FoundFiles,
        journal: Journal,
        lines: VerdictLines | None,
        newest: NewestFiles,
        move: MovedPictures | None,
        cycle: int,
        live: Feed | None = None,
    ) -> None:
        self.files, self.journal, self.lines, self.newest, self.move = files, journal, lines, newest, move
        self.cycle, self.late, self.dropped = cycle, 0, 0
        self.counts: Counter[str] = Counter()
        self.live = live
        self.to_move: list[tuple[str, str, str]] = []  # pictures whose rows wait for room on the disk
        self.aside = lines is not None and lines.file is None  # stdout is for machines

    @classmethod
    @contextmanager
    def open(cls, run: Path, output: DetectionOutput, flags: LineFlags, live: Feed | None = None) -> Iterator[Self]:
        """The line that writes into `run` and shows itself on the page `live`, complete after the block. Raises
        UserError, ResourceError at the end for what could not be written.
        """
        folder, keep = Path(flags.watch or "."), KEEP if flags.keep is None else flags.keep
        with ExitStack() as stack:
            lost = stack.enter_context(Results())
            lies = (lambda name: os.path.lexists(folder / name)) if flags.watch else (lambda _: False)
            journal = stack.enter_context(closing(Journal(run, keep, lies)))
            lines = None
            if flags.json_lines:
                lines = stack.enter_context(closing(VerdictLines(flags.json_lines, run, journal)))
            newest = NewestFiles(run, keep, journal.kept())
            move = MovedPictures(folder, Path(flags.move_to)) if flags.move_to else None
            # last, so that its thread has ended before the tables are closed
            files = stack.enter_context(FoundFiles.open(run, output, lost))
            line = cls(files, journal, lines, newest, move, flags.cycle_time, live)
            line.move_left(folder)
            yield line

    def judge(
        self,
        arrived: Iterable[Arrived],
        judged: Callable[[Frame], PictureResult],
        lock: Turns,
        going: Callable[[], bool],
    ) -> None:
        """Judge all that comes, until `going` says no; the next ones are read meanwhile. `lock` is held around each
        look: the page looks at pictures, too.
        """
        for one in prefetch(arrived, AHEAD, lambda _: going()):
            with lock:
                result = judged(one.frame)
            self.add(one, result)
            del one, result  # the next one may be as large

    def add(self, arrived: Arrived, result: PictureResult) -> None:
        """A picture that was judged just now."""
        self.dropped = arrived.dropped
        latency = (time.monotonic() - arrived.since) * 1000
        late = bool(self.cycle) and latency > self.cycle
        judged = datetime.now().astimezone().isoformat(timespec="milliseconds")
        self.counts[str(result.verdict)] += 1
        self.late += late
        say(f"{verdict_line(result)}{f'  late: {latency:.0f} ms' if late else ''}", aside=self.aside)
        for answer in result.answers:
            say(answer_line(result.frame.name, answer), aside=self.aside)
        if self.live is not None:
            self.live.add(result, self._places(result), arrived.stamp)
            self.live.tell(late=self.late, waiting=arrived.waiting, dropped=arrived.dropped)
        self.files.add(result)
        content = verdict_object(result, arrived.stamp, judged, latency, late)
        done = result.without_picture()
        self.files.after(self._book, done, arrived.stamp, judged, latency, content)

    def begin_words(self) -> str:
        """Whether earlier starts have rows, as the begin of a sentence."""
        total = sum(self.journal.verdicts.values())
        return f"{counted(total, 'row')} so far in " if total else "one row per picture in "

    def words(self) -> str:
        """What this start judged."""
        total = sum(self.counts.values())
        each = ", ".join(f"{count:,} {verdict}" for verdict, count in sorted(self.counts.items()))
        late = f"; {self.late:,} later than {self.cycle} ms" if self.cycle else ""
        dropped = f"; {self.dropped:,} dropped, as the network was too slow" if self.dropped else ""
        return f"{counted(total, 'picture')} judged{f': {each}' if each else ''}{late}{dropped}"

    def move_left(self, folder: Path) -> None:
        """Move the picture that a kill left between its row and its move."""
        row = self.journal.last
        if row is None or self.move is None:
            return
        try:
            stamp = stamp_of(os.stat(folder / row.name))
        except (OSError, ValueError):
            return
        if key_of(row.name, stamp) == row.key:
            self.move(row.name, row.verdict, stamp)

    def _places(self, result: PictureResult) -> list[Path]:
        """Where its picture lies, and where it will."""
        frame = result.frame
        moved = [] if self.move is None else [self.move.target(frame.name, str(result.verdict))]
        return [] if frame.path is None else [frame.path, *moved]

    def _book(self, result: PictureResult, stamp: str, judged: str, latency: float, content: dict[str, object]) -> None:
        """In the thread that writes files, after those of the picture."""
        name, found = result.frame.name, result.detections
        if self.journal.known(name, stamp):
            return
        if self.lines is not None:
            self.lines.add(content)
        written = self.journal.add(result, stamp, judged, latency)
        self.newest.add(name, 0 if found is None else len(found))
        self.to_move.append((name, str(result.verdict), stamp))
        if written and self.move is not None:
            for one in self.to_move:
                self.move(*one)
        self.to_move = [] if written else self.to_move[-100_000:]
        if self.journal.full():
            with Extra(self.journal.file.path):  # the table goes on as it is
                self.journal.begin_anew()
                if self.lines is not None:
                    self.lines.begin_anew()
