"""A run that goes on: after --resume, or after its launcher has started it again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.config.config import Config
from utils.config.paths import CFG
from utils.config.settings import Setting, build_config, config_from_plain
from utils.config.train_flags import TrainFlags
from utils.console.log import LOG
from utils.files import checkpoint
from utils.files.runs import LAST_WRITTEN, find_run
from utils.processes.distributed import World
from utils.processes.exactness import Conditions, changed_data, changed_environment
from utils.processes.launch import launch_id
from utils.words.class_names import name_key
from utils.words.errors import CheckpointError, ConfigError, DataError, printable

MAY_CHANGE = (
    "run.device",
    "run.nproc",
    "run.timeout",
    "run.save_steps",
    "run.max_time",
    "data.workers",
    "data.cache",
)  # by flags of --resume: none of them changes what a run gives, save for rounding, which `inexact` says
MOST_NAMES = 10  # in a message


@dataclass(frozen=True, eq=False)
class Resumed:
    """A run to continue: its configuration, the origins of the values, and the content of `last`, its last.pt."""

    cfg: Config
    origins: dict[str, str]
    content: dict[str, Any]
    last: Path

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
    path = Path(flags.resume) if flags.resume else checkpoint.newest(checkpoint.TRAINED, "last.pt")
    if path is None:
        raise CheckpointError("--resume: no runs/train/*/weights/last.pt; name the checkpoint to continue from")
    content = _load_last(path)
    other = [s.origin for s in flags.settings if s.key not in MAY_CHANGE]
    if other or flags.assignments or flags.hyp:
        words = ", ".join([*other, *(["--set"] if flags.assignments else []), *(["--hyp"] if flags.hyp else [])])
        raise ConfigError(f"--resume: continues with the run's own configuration; leave out {words}")
    stored = config_from_plain(content["config"], str(path))
    settings = [Setting(f"{s}.{k}", v, "") for s, values in stored.plain().items() for k, v in values.items()]
    # the flags come last, so that they win over what the run had
    cfg, _ = build_config([*settings, *flags.settings])
    return Resumed(cfg, dict(content["origins"]), content, path)


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
    if folder is None:
        return None
    last = folder / "weights" / "last.pt"
    content = _load_last(last)
    return Resumed(config_from_plain(content["config"], str(last)), dict(content["origins"]), content, last)


def _saved_by(last: Path, launch: str) -> bool:
    """Whether a checkpoint is this launch's: with --exist-ok the folder may hold an older run's."""
    return last.exists() and checkpoint.load(last).get("launch") == launch


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


def _load_last(path: Path) -> dict[str, Any]:
    """The checkpoint, or the one before it where it is damaged. Raises CheckpointError."""
    previous = path.with_suffix(".prev.pt")
    try:
        content = checkpoint.load(path)
    except CheckpointError as error:
        if not path.exists() or not previous.exists():
            raise
        LOG.warning("%s; continuing from %s", error, previous.name)
        content = checkpoint.load(previous)
    if "optimizer" not in content:
        raise CheckpointError(f"--resume {path}: holds averaged weights only; continue from its last.pt")
    if "done" not in content:
        raise CheckpointError(f"--resume {path}: is of an earlier version; start a new run with --weights {path}")
    return content
