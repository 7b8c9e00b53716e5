"""What --demo trains on."""

from __future__ import annotations

from pathlib import Path

from data.drawn.glass_set import write_glass
from utils.config.config import Config
from utils.config.paths import CFG
from utils.config.settings import Setting, build_config, settings_of_assignments, settings_of_document
from utils.flags.train_flags import TrainFlags
from utils.words.errors import ConfigError
from utils.words.yamlio import read_yaml


def demo_settings(flags: TrainFlags) -> tuple[Config, dict[str, str]]:
    """The demo's configuration; its pictures are drawn if need be."""
    if flags.hyp or flags.resume is not None or flags.dry_run:
        other = "--hyp" if flags.hyp else "--dry-run" if flags.dry_run else "--resume"
        raise ConfigError(f"--demo: a run of its own data and settings; leave out {other}")
    settings = settings_of_document(read_yaml(CFG / "train" / "demo.yaml"))
    settings.append(Setting("data.data", str(write_glass(Path("runs/glass"))), "--demo"))
    return build_config([*settings, *flags.settings, *settings_of_assignments(list(flags.assignments))])
