"""Command line -> the configuration of a run, new or resumed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from utils.config.config import Config
from utils.config.flags import TrainFlags
from utils.config.paths import CFG, find_yaml
from utils.config.settings import (
    Setting,
    build_config,
    config_from_plain,
    settings_of_assignments,
    settings_of_document,
)
from utils.console.log import LOG
from utils.files import checkpoint
from utils.words.errors import CheckpointError, ConfigError
from utils.words.yamlio import read_yaml

LAST_WRITTEN = "report.json"  # of a run's results
MAY_CHANGE = (
    "run.device",
    "run.nproc",
    "run.timeout",
    "run.save_steps",
    "run.max_time",
    "data.workers",
    "data.cache",
)  # when a run is resumed


def configure(flags: TrainFlags) -> tuple[Config, dict[str, str]]:
    """The configuration: defaults, training YAML, flags, --set; and where each value came from."""
    given = {s.key: s.value for s in flags.settings}
    model = str(given.get("model.cfg", Config().model.cfg))
    hyp = find_yaml(flags.hyp, "train", "--hyp") if flags.hyp else training_yaml(model)
    settings = settings_of_document(read_yaml(hyp))
    return build_config([*settings, *flags.settings, *settings_of_assignments(list(flags.assignments))])


def training_yaml(model: str) -> Path:
    """The file of cfg/train whose name begins the model YAML's, the longest one; otherwise default.yaml."""
    name = Path(model).name.lower()
    families = [p for p in (CFG / "train").glob("*.yaml") if p.stem != "demo" and name.startswith(p.stem)]
    return max(families, key=lambda p: len(p.stem), default=CFG / "train" / "default.yaml")


@dataclass(frozen=True, eq=False)
class Resumed:
    """A run to continue: its configuration, the origins of its values, the contents of `last`."""

    cfg: Config
    origins: dict[str, str]
    content: dict[str, Any]
    last: Path

    @property
    def finished(self) -> bool:
        """Whether all its epochs are done, and their results written."""
        return bool(self.content["done"] and (self.run / LAST_WRITTEN).exists())

    @property
    def run(self) -> Path:
        """Its folder."""
        return self.last.parent.parent


def resume(flags: TrainFlags, restarted: Path | None = None) -> Resumed:
    """The run that --resume names, or the newest; only what does not change its result may change.

    `restarted`: the checkpoint of a run that its launcher starts again, with the command line that began it.
    """
    path = restarted or (Path(flags.resume) if flags.resume else checkpoint.newest(Path("runs/train"), "last.pt"))
    if path is None:
        raise CheckpointError("--resume: no runs/train/*/weights/last.pt; name the checkpoint to continue from")
    content = _load_last(path)
    if restarted:
        return Resumed(config_from_plain(content["config"], str(path)), dict(content["origins"]), content, path)
    other = [s.origin for s in flags.settings if s.key not in MAY_CHANGE]
    if other or flags.assignments or flags.hyp:
        words = ", ".join([*other, *(["--set"] if flags.assignments else []), *(["--hyp"] if flags.hyp else [])])
        raise ConfigError(f"--resume: continues with the run's own configuration; leave out {words}")
    stored = config_from_plain(content["config"], str(path))
    settings = [Setting(f"{s}.{k}", v, "") for s, values in stored.plain().items() for k, v in values.items()]
    cfg, _ = build_config([*settings, *flags.settings])
    return Resumed(cfg, dict(content["origins"]), content, path)


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
