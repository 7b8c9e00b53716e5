"""What lies in the folder of a planned run: nothing, a training that was broken off, or its results."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from utils.config.config import Config
from utils.config.run_config import read_config
from utils.files.output_files import write_json
from utils.files.runs import LAST_WRITTEN
from utils.scoring.prediction_files import read_json
from utils.studies.plan import PlannedRun
from utils.studies.planned_config import first_difference, planned_config
from utils.words.errors import ConfigError, DataError, printable
from utils.words.text import shown

# new: nothing is there. begun: a training that saved nothing. interrupted: it goes on from its last checkpoint.
State = Literal["new", "begun", "interrupted", "done"]
RESULTS = ("results.json", "predictions.json", "truth.json", LAST_WRITTEN)
CHECKPOINTS = ("last.pt", "last.prev.pt")


@dataclass(frozen=True, eq=False)
class FinishedRun:
    """A planned run that has ended, and its results.json. `revision`: of the program, "" where it is not known;
    `minutes` of all its starts and `threads`: None where they are not known.
    """

    run: PlannedRun
    results: dict[str, Any]
    revision: str
    minutes: float | None
    threads: int | None


def state_of(run: PlannedRun) -> State:
    """What lies in the run's folder. Whoever made it: a run is the planned one if its configuration is.

    Raises ConfigError for a run of another configuration.
    """
    folder = run.folder
    if not os.path.lexists(folder):
        return "new"
    if not folder.is_dir():
        raise ConfigError(f"{printable(str(folder))}: is no folder, and a run is to be there; move it away")
    done = all((folder / name).is_file() for name in RESULTS)
    if not done and not any((folder / "weights" / name).is_file() for name in CHECKPOINTS):
        return "begun"  # nothing is lost if it begins anew, with whatever configuration
    _check_planned(run)
    return "done" if done else "interrupted"


def _check_planned(run: PlannedRun) -> None:
    path = run.folder / "opt.yaml"
    place, advice = printable(str(run.folder)), "move it away, or give the arm another name"
    if not path.is_file():
        raise ConfigError(f"{place}: has no opt.yaml, which says what was trained; {advice}")
    if found := first_difference(_config(run.words), read_config(path), run.facts):
        key, planned, own = found
        raise ConfigError(
            f"{place}: holds another run: its {key} is {shown(own)}, of the plan {shown(planned)}; {advice}"
        )


@lru_cache(maxsize=10_000)
def _config(words: tuple[str, ...]) -> Config:
    return planned_config(words)


def read_finished(run: PlannedRun) -> FinishedRun:
    """The results of a run that is done. Raises DataError for files of another version, and broken ones."""
    results, about = read_json(run.folder / "results.json"), {}
    if os.path.lexists(run.folder / "run.json"):
        about = read_json(run.folder / "run.json")
    place, advice = printable(str(run.folder)), "move the run away, and it is made anew"
    if not isinstance(results, dict) or not isinstance(scores := results.get("coco"), dict):
        raise DataError(f"{place}/results.json: is of another version; {advice}")
    if not all(name in scores and isinstance(scores[name], float | int | None) for name in ("AP", "AP50")):
        raise DataError(f"{place}/results.json: has no AP and AP50; {advice}")
    machine = about.get("machine") if isinstance(about, dict) else None
    revision = about.get("git") if isinstance(about, dict) else None
    if not isinstance(about, dict) or not isinstance(machine, dict | None) or not isinstance(revision, str | None):
        raise DataError(f"{place}/run.json: is of another version; {advice}")
    threads = (machine or {}).get("threads")
    return FinishedRun(
        run, results, revision or "", minutes_of(run.folder), threads if isinstance(threads, int) else None
    )


def _times_file(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.json")


def minutes_of(folder: Path) -> float | None:
    """How long a run has trained, in all its starts; None where nothing says it."""
    noted = _noted(folder)
    if noted is None:
        return None
    minutes, begun = noted
    if begun:  # the study was killed; the training ended by itself, or with its last checkpoint
        files = (folder / LAST_WRITTEN, *(folder / "weights" / name for name in CHECKPOINTS))
        ends = [path.stat().st_mtime for path in files if path.is_file()]
        minutes += max(max(ends, default=begun) - begun, 0) / 60
    return minutes


def _noted(folder: Path) -> tuple[float, float] | None:
    """What `write_minutes` has noted: minutes, and the time of the start whose end was not noted, or 0."""
    try:
        times = read_json(_times_file(folder))
        return float(times["minutes"]), float(times.get("begun", 0))
    except (DataError, TypeError, ValueError, KeyError, AttributeError):
        return None


def is_unsettled(run: PlannedRun) -> bool:
    """Whether nobody noted how long a run took in the end: the study was killed, and its training went on."""
    noted = _noted(run.folder)
    return noted is not None and noted[1] > 0


def settle_minutes(run: PlannedRun) -> None:
    """Note for good how long a run that is done took: a copy of its files has other times. Raises ResourceError."""
    if (minutes := minutes_of(run.folder)) is not None:
        write_minutes(run.folder, minutes)


def write_minutes(folder: Path, minutes: float, begun: float | None = None) -> None:
    """Note beside a run folder how long the run has trained, and when (s since 1970) the start that goes on began: a
    study may be killed, and nobody be left to note the end. Raises ResourceError.
    """
    write_json(
        _times_file(folder), {"minutes": round(minutes, 3)} | ({} if begun is None else {"begun": round(begun, 3)})
    )
