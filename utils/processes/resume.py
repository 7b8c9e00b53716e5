"""A run that goes on: after --resume, or after its launcher has started it again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from utils.config.config import Config
from utils.config.paths import CFG
from utils.config.run_config import first_reduced, other_value, with_folders
from utils.config.settings import Setting, build_config
from utils.console.log import LOG
from utils.files import checkpoint
from utils.files.content import contradiction
from utils.files.runs import LAST_WRITTEN, find_run
from utils.flags.train_flags import TrainFlags
from utils.processes.distributed import World
from utils.processes.exactness import Conditions, changed_data, changed_environment
from utils.processes.launch import launch_id
from utils.words.class_names import name_key
from utils.words.errors import CheckpointError, ConfigError, DamagedError, DataError, printable

T = TypeVar("T")
MAY_CHANGE = (
    "run.device",
    "run.nproc",
    "run.timeout",
    "run.save_steps",
    "run.max_time",
    "run.log",
    "data.workers",
    "data.cache",
)  # by flags of --resume: none of them changes what a run gives, save for rounding, which `inexact` says
MOST_NAMES = 10  # in a message


@dataclass(frozen=True, eq=False)
class Resumed:
    """A run to continue: its configuration, the origins of the values, and the content of `source`: `last`, its
    last.pt, or the one before that.
    """

    cfg: Config
    origins: dict[str, str]
    content: dict[str, Any]
    last: Path
    source: Path

    @property
    def settings(self) -> tuple[Config, dict[str, str]]:
        """The configuration, and the origin of each value."""
        return self.cfg, self.origins

    @property
    def finished(self) -> bool:
        """Whether all its epochs are done, and their results written."""
        return bool(self.content["done"] and (self.folder / LAST_WRITTEN).exists())

    def check_classes(self, names: Sequence[str], data: str) -> None:
        """Refuse to go on when the data has no longer the classes, by name and number, that the run was begun with.
        Raises ConfigError.
        """
        before, now = [name_key(name) for name in self.content["names"]], [name_key(name) for name in names]
        if before == now:
            return
        gone = [name for name in self.content["names"] if name_key(name) not in now]
        fresh = [name for name in names if name_key(name) not in before]
        parts = [f"gone: {_some(gone)}"] if gone else []
        parts += [f"new: {_some(fresh)}"] if fresh else []
        parts = parts or [f"now in the order {_some(names)}, not {_some(self.content['names'])}"]
        raise ConfigError(
            f"--resume {self.last}: the classes of {printable(data)} changed since the run was begun "
            f"({'; '.join(parts)}); put them back, or start a new run with --weights {self.last}"
        )

    def inexact(self, now: Conditions) -> list[str]:
        """Why the run may not end with the bits of an unbroken one."""
        if not all(key in self.content for key in now):
            return [f"{self.last}: of an earlier version, does not say what its data was; changes are not noticed"]
        reads_text = "vocabulary" in self.content
        lines = changed_data(self.content["data_fingerprint"], now["data_fingerprint"], reads_text)
        return lines + changed_environment(self.content["environment"], now["environment"])

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.last.parent.parent


def resume(flags: TrainFlags) -> Resumed:
    """The run that --resume names, or the newest. Raises CheckpointError, and ConfigError for flags that would change
    its result.
    """
    path = Path(flags.resume) if flags.resume else _newest()
    if path is None:
        raise CheckpointError("--resume: no runs/train/*/weights/last.pt; name the checkpoint to continue from")
    other = [s.origin for s in flags.settings if s.key not in MAY_CHANGE]
    if other or flags.assignments or flags.hyp:
        words = ", ".join([*other, *(["--set"] if flags.assignments else []), *(["--hyp"] if flags.hyp else [])])
        raise ConfigError(f"--resume: continues with the run's own configuration; leave out {words}")
    resumed = _saved_in(path)
    stored = resumed.cfg.plain()
    settings = [Setting(f"{s}.{k}", v, "") for s, values in stored.items() for k, v in values.items()]
    # the flags come last, so that they win over what the run had
    cfg, _ = build_config([*settings, *flags.settings])
    return replace(resumed, cfg=cfg)


def _newest() -> Path | None:
    """last.pt of the newest run, which may have only the one before it left."""
    path = checkpoint.newest(checkpoint.TRAINED, "last.pt", "last.prev.pt")
    return path and path.with_name("last.pt")


@contextmanager
def reading_data(resumed: Resumed | None) -> Iterator[None]:
    """The block reads the data of a run: that of a resumed one was there, so that without it the data is missing, not
    the command line wrong. Raises DataError then.
    """
    try:
        yield
    except ConfigError as error:
        if resumed is None:
            raise
        data = resumed.cfg.data.data
        if os.path.exists(data) or os.path.exists(CFG / "data" / data):
            raise
        advice = "put it back, or resume in the folder in which the run was begun"
        raise DataError(f"--resume {resumed.last}: its data {printable(data)} is not there; {advice}") from error


def restarted(cfg: Config, world: World) -> Resumed | None:
    """The run that torchrun has started again after a failure (--max-restarts), if it had saved anything.

    Its command line is the one that began it, so that nothing of its configuration changes. Machines count restarts
    apart: all processes are asked, and the first one decides.
    """
    attempts = world.gather(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0"))
    folder = None
    if any(attempt not in ("", "0") for attempt in attempts):
        folder = find_run(cfg.run.project, launch_id())
        if folder is None or not _saved_by(folder / "weights" / "last.pt", launch_id()):
            folder = None
            LOG.warning("started again by the launcher before anything was saved: beginning anew")
        else:
            LOG.warning("started again by the launcher: continuing %s", folder)
    folder = world.broadcast(folder)
    return None if folder is None else _saved_in(folder / "weights" / "last.pt")


def _saved_by(last: Path, launch: str) -> bool:
    """Whether a checkpoint is this launch's: with --exist-ok the folder may hold an older run's."""
    return any(map(os.path.exists, (last, checkpoint.one_before(last)))) and _saved_in(last).content["launch"] == launch


def check_resumed(world: World, resumed: Resumed) -> None:
    """All processes must have found the same checkpoint. Raises CheckpointError."""
    mine = (str(resumed.last), resumed.content["step"])
    first = world.broadcast(mine)
    if mine != first:
        raise CheckpointError(
            f"--resume: rank 0 has {first[0]} at step {first[1]}, rank {world.rank} {mine[0]} at step {mine[1]}; "
            "name the checkpoint, in a folder that all machines see"
        )


def _some(names: Sequence[str]) -> str:
    return printable(", ".join(names[:MOST_NAMES])) + (", ..." if len(names) > MOST_NAMES else "")


def first_that_fits(resumed: Resumed | None, attempt: Callable[[Resumed | None], T]) -> T:
    """`attempt` to go on with a run, and again with the checkpoint before where the last one turns out not to fit its
    own network. Raises CheckpointError.
    """
    try:
        return attempt(resumed)
    except DamagedError as error:
        if resumed is None or error.path != resumed.last:  # a file of weights that the network needs, or no other left
            raise
        before = replace(_one_before(resumed.last, error), cfg=resumed.cfg)
        try:
            return attempt(before)
        except DamagedError as second:
            raise _neither(error, second) from second


def _saved_in(path: Path) -> Resumed:
    """What a checkpoint says of its run, or the one before it where it is damaged or gone. Raises CheckpointError."""
    if not os.path.exists(path) and os.path.exists(checkpoint.one_before(path)):
        return _one_before(path, DamagedError(path, "is not there"))
    try:
        return _read(path, path)
    except DamagedError as error:
        return _one_before(path, error)


def _one_before(last: Path, error: DamagedError) -> Resumed:
    previous = checkpoint.one_before(last)
    if os.path.isdir(last) or not os.path.exists(previous):
        raise error
    try:
        resumed = _read(previous, last)
    except DamagedError as second:
        raise _neither(error, second) from second
    LOG.warning("%s; continuing from %s", error, previous.name)
    return resumed


def _neither(error: DamagedError, second: DamagedError) -> CheckpointError:
    return CheckpointError(f"{error}; nor does {second.path.name} help: {second.reason}")


def _read(path: Path, last: Path) -> Resumed:
    """The run of the checkpoint `path`, whose last one is `last`. Raises CheckpointError, DamagedError."""
    content = checkpoint.load(path, resumable=True)
    stored = checkpoint.config_of(content, path)
    if other := other_value(stored, path, MAY_CHANGE):
        raise DamagedError(path, f"not of this run: {other}")
    if found := contradiction(content, stored.schedule.epochs):
        raise DamagedError(path, found)
    cfg = with_folders(stored, path)
    if lost := first_reduced(cfg):
        raise CheckpointError(
            f"--resume {path}: keeps no folders ({lost}), and the opt.yaml of its run, which does, is not in "
            f"{path.parent.parent}; put it back"
        )
    return Resumed(cfg, content["origins"], content, last, path)
