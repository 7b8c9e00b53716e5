"""train.py's command line becomes the configuration of a new run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from utils.config.config import Config
from utils.config.paths import CFG, find_yaml
from utils.config.settings import Setting, build_config, settings_of_assignments, settings_of_document
from utils.flags.train_flags import TrainFlags
from utils.words.yamlio import read_yaml

DEFAULT_MODEL = "idfe-net-lite0-n.yaml"


def configure(flags: TrainFlags, network_of: Callable[[str], str]) -> tuple[Config, dict[str, str]]:
    """The configuration and the origin of each value: training YAML, then flags, then --set. Raises UserError.

    `network_of` gives the name of the model YAML that a checkpoint was trained with.
    """
    given = [*flags.settings, *settings_of_assignments(list(flags.assignments))]
    if flags.hyp:
        hyp = find_yaml(flags.hyp, "train", "--hyp")
    else:
        model = build_config(given)[0].model
        hyp = training_yaml(model.cfg or (network_of(model.weights) if model.weights else DEFAULT_MODEL))
    settings = [*settings_of_document(read_yaml(hyp)), *given]
    config, origins = build_config(settings)
    if not config.model.cfg and not config.model.weights:
        settings.append(Setting("model.cfg", DEFAULT_MODEL, "the default network"))
        config, origins = build_config(settings)
    asked = flags.hyp or origins.get("data.imgsz", "").startswith("--")
    if config.data.tile > 0 and not (asked and "data.imgsz" in origins):  # a pixel of a tile is one of the input
        return build_config([*settings, Setting("data.imgsz", config.data.tile, origins["data.tile"])])
    return config, origins


def training_yaml(model: str) -> Path:
    """The YAML of cfg/train with the longest name that the model YAML's name starts with; default.yaml if none does."""
    name = Path(model).name.lower()
    families = [p for p in (CFG / "train").glob("*.yaml") if p.stem != "demo" and name.startswith(p.stem)]
    return max(families, key=lambda p: len(p.stem), default=CFG / "train" / "default.yaml")
