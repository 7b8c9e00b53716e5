"""A study at work: its trainings one after the other, what is done skipped, and its tables after each."""

from __future__ import annotations

import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

from utils.console.log import LOG
from utils.console.progress import progress
from utils.console.signals import Stopped, saying
from utils.files.locks import Lock, is_held, take
from utils.files.output_files import make_folder
from utils.studies.finished_run import FinishedRun, State, is_unsettled, read_finished, settle_minutes, state_of
from utils.studies.notes import other_settings
from utils.studies.plan import Plan, PlannedRun
from utils.studies.remaining import left_words, time_words
from utils.studies.tables import write_tables
from utils.studies.training import Ended, command_of, train_run
from utils.words.errors import ConfigError, DataError, ResourceError, UserError
from utils.words.text import counted

WAIT = 1.0  # s between two looks whether a run of another process has ended


def lock_of(run: PlannedRun) -> Path:
    """The file that is locked while a run is trained."""
    return run.folder.with_name(f"{run.folder.name}.lock")


def run_study(plan: Plan, script: Path, again: str) -> int:
    """Train what is left of a plan by `script`, train.py; returns the exit code of the first training that failed, or
    0. `again`: the command that goes on with the study.

    Several may work on one plan: each takes runs that nobody trains. Raises UserError and Stopped.
    """
    for run in plan.runs:
        state_of(run)  # whose run lies there: before hours are spent
    make_folder(plan.out)
    with saying(lambda: f"{again} continues"):
        return _Study(plan, script, again).work()


def tables_of(plan: Plan, failed: dict[PlannedRun, str] | None = None) -> list[str]:
    """Write the tables of the runs that are done; lines for the console. Raises UserError."""
    make_folder(plan.out)
    with take(plan.out / "study.lock", wait=True) or Lock():  # what is read and written by two is that of one
        finished = [read_finished(run) for run in plan.runs if state_of(run) == "done"]
        return write_tables(plan, finished, failed or {})


def say_tables(plan: Plan, failed: dict[PlannedRun, str] | None = None) -> None:
    """Write the tables, and say what they say. Raises UserError."""
    for line in tables_of(plan, failed):
        LOG.info(line)
    LOG.info("written to %s: study.md, study.csv, study.json, study.png", plan.out)


class _Study:
    """The state of a study: the runs that are done, those that failed here and why, and those not tried for it."""

    def __init__(self, plan: Plan, script: Path, again: str) -> None:
        self.plan, self.script, self.again, self.code = plan, script, again, 0
        self.done: dict[PlannedRun, FinishedRun] = {}
        self.failed: dict[PlannedRun, str] = {}
        self.given_up: set[tuple[str, str]] = set()  # data set and arm
        self.bar: Any = None

    def work(self) -> int:
        """All runs; then the tables."""
        left, waits = self._left(), False
        LOG.info("%s", start_words(self.plan, list(self.done.values()), left))
        for line in other_settings(self.plan):
            LOG.warning(line)
        with progress((), "study", len(self.plan.runs), len(self.done)) as self.bar:
            while left:
                if not any([self._try(run) for run in left if self._wanted(run)]):
                    if not waits:
                        LOG.info("%s: trained by another process; waiting for it", counted(len(left), "run"))
                    waits = True
                    time.sleep(WAIT)
                left = self._left()
        say_tables(self.plan, self.failed)
        if self.failed:
            LOG.warning("%s failed; %s tries again", counted(len(self.failed), "run"), self.again)
        return self.code

    def _left(self) -> list[PlannedRun]:
        """The runs that are still to be made, whoever makes them."""
        for run in self.plan.runs:
            if run not in self.done and state_of(run) == "done":
                _settle(run)
                self.done[run] = read_finished(run)
        return [run for run in self.plan.runs if run not in self.done and self._wanted(run)]

    def _wanted(self, run: PlannedRun) -> bool:
        return run not in self.failed and (run.data, run.arm) not in self.given_up

    def _try(self, run: PlannedRun) -> bool:
        """Make a run, unless another process is at it; whether there was anything to do."""
        make_folder(run.folder.parent)
        lock = take(lock_of(run))
        if lock is None:
            return False
        with lock:
            state = state_of(run)
            if state == "done":  # by another process, just now
                return True
            command = command_of(self.script, run, state, self.plan.roots.get(run.data, ""))
            self.bar.set_description_str(f"{run.label}{', resumed' if state == 'interrupted' else ''}")
            ended = train_run(run, state, command, lock.handles, self.bar.refresh)
            now = state_of(run)
        self._book(run, ended, now)
        return True

    def _book(self, run: PlannedRun, ended: Ended, state: State) -> None:
        """What came of a training. Raises Stopped where the study was told to stop."""
        as_told = (-ended.signal, 128 + ended.signal) if ended.signal else ()
        if state == "done":
            self._say(run)
        elif ended.code not in as_told:
            self._fail(run, ended)
        self._tables()
        if ended.signal:
            saved = "is saved" if state == "interrupted" else "has saved nothing yet"
            how = "is done" if state == "done" else "failed" if run in self.failed else saved
            raise Stopped(ended.signal, f"{run.label} {how}")

    def _say(self, run: PlannedRun) -> None:
        left = self._left()  # notes what this and other processes have done
        one = self.done[run]
        scores = ", ".join(f"{name} {_score(one.results['coco'][name])}" for name in ("AP50", "AP"))
        minutes = "" if one.minutes is None else f", {time_words(one.minutes)}"
        self.bar.n = len(self.done)
        place = f"[{len(self.done)}/{len(self.plan.runs)}]"
        LOG.info("%s %s: %s%s; %s", place, run.label, scores, minutes, left_words(self.done.values(), left))

    def _fail(self, run: PlannedRun, ended: Ended) -> None:
        words = ended.words or "nothing was said"
        if ended.code < 0:
            words = f"ended by {_name(-ended.code)}; was there enough memory?"
        elif ended.code == 0:
            words = f"train.py ended, but not all results are in {run.folder}; move it away"
        self.failed[run] = words
        code = ResourceError.exit_code if ended.code < 0 else ended.code or DataError.exit_code
        self.code = self.code or code
        alike = code in (ConfigError.exit_code, ResourceError.exit_code)  # the other seeds would end so, too
        more = f"; {run.arm} is not tried again on {run.data}" if alike else ""
        LOG.warning("%s failed with exit code %d: %s%s", run.label, code, words, more)
        if alike:
            self.given_up.add((run.data, run.arm))

    def _tables(self) -> None:
        """The tables so far. What is wrong with them is said now, and ends the study after its trainings."""
        try:
            tables_of(self.plan, self.failed)
        except ResourceError:
            raise
        except UserError as error:
            LOG.warning("no tables yet: %s", error)


def _settle(run: PlannedRun) -> None:
    if is_unsettled(run) and (lock := take(lock_of(run))) is not None:  # else its training is about to end
        with lock:
            settle_minutes(run)


def start_words(plan: Plan, finished: list[FinishedRun], left: list[PlannedRun]) -> str:
    """How large a study is, and how much of it is done."""
    sizes = (counted(len(plan.data), "data set"), counted(len(plan.arms), "arm"), counted(len(plan.seeds), "seed"))
    much = f"{len(finished):,} of {counted(len(plan.runs), 'run')} done, {left_words(finished, left)}"
    return f"{plan.title}: {' x '.join(sizes)}: {much}, in {plan.out}"


def listing(plan: Plan) -> list[str]:
    """Each run: what lies in its folder, and the command that makes it or goes on with it; then how much is left."""
    lines, found, finished = [], Counter[str](), []
    for run in plan.runs:
        state: str = state_of(run)
        if state == "done":
            finished.append(read_finished(run))
        elif is_held(lock_of(run)):
            state = "running"
        found[state] += 1
        lines.append(f"{state:11s} {run.label}: {run.command}")
    done = {one.run for one in finished}
    return [*lines, *other_settings(plan), start_words(plan, finished, [run for run in plan.runs if run not in done])]


def _score(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
