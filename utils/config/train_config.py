"""train.py's command line becomes the configuration of a new run."""

from __future__ import annotations

from pathlib import Path

from utils.config.config import Config
from utils.config.paths import CFG, find_yaml
from utils.config.settings import build_config, settings_of_assignments, settings_of_document
from utils.config.train_flags import TrainFlags
from utils.words.yamlio import read_yaml


def configure(flags: TrainFlags) -> tuple[Config, dict[str, str]]:
    """The configuration and the origin of each value: training YAML, then flags, then --set. Raises ConfigError."""
    given = {s.key: s.value for s in flags.settings}
    model = str(given.get("model.cfg", Config().model.cfg))
    hyp = find_yaml(flags.hyp, "train", "--hyp") if flags.hyp else training_yaml(model)
    settings = settings_of_document(read_yaml(hyp))
    return build_config([*settings, *flags.settings, *settings_of_assignments(list(flags.assignments))])


def training_yaml(model: str) -> Path:
    """The YAML of cfg/train with the longest name that the model YAML's name starts with; default.yaml if none does."""
    name = Path(model).name.lower()
    families = [p for p in (CFG / "train").glob("*.yaml") if p.stem != "demo" and name.startswith(p.stem)]
    return max(families, key=lambda p: len(p.stem), default=CFG / "train" / "default.yaml")
