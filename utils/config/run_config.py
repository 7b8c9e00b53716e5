"""The configuration of a run as its folder keeps it: opt.yaml, which has the folders that checkpoints leave out."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from utils.config.config import Config
from utils.config.settings import Setting, build_config, settings_of_document
from utils.words.errors import ConfigError
from utils.words.private_paths import is_reduced, without_folders
from utils.words.yamlio import read_yaml


def with_folders(stored: Config, checkpoint: Path) -> Config:
    """The configuration that `checkpoint` keeps, with its paths as the opt.yaml of its run folder has them.

    A path stays without its folders where that file is missing, unreadable, or says another name.
    """
    plain = stored.plain()
    if not any(_reduced(value) for values in plain.values() for value in values.values()):
        return stored
    try:
        own = _own_config(checkpoint)
    except ConfigError:
        return stored
    settings = [
        Setting(f"{section}.{key}", own[section][key] if _fits(own[section][key], value) else value, str(checkpoint))
        for section, values in plain.items()
        for key, value in values.items()
    ]
    return build_config(settings)[0]


def other_value(stored: Config, checkpoint: Path, may_differ: Collection[str]) -> str:
    """The first key that the run folder of `checkpoint` has another value for, as a sentence; "" when there is none, or
    no opt.yaml. Raises ConfigError for an unreadable one.
    """
    if not _own_file(checkpoint).exists():
        return ""
    ours, theirs = _own_config(checkpoint), stored.plain()
    for section, values in theirs.items():
        for key, value in values.items():
            name, own = f"{section}.{key}", ours[section][key]
            if name not in may_differ and without_folders(own) != without_folders(value):
                return f"{name} is {value!r}, but the run's {_own_file(checkpoint).name} says {own!r}"
    return ""


def _fits(own: Any, stored: Any) -> bool:
    return bool(_reduced(stored) and without_folders(own) == stored)


def _reduced(value: Any) -> bool:
    return isinstance(value, str) and is_reduced(value)


def _own_file(checkpoint: Path) -> Path:
    return checkpoint.parent.parent / "opt.yaml"


def _own_config(checkpoint: Path) -> dict[str, dict[str, Any]]:
    return read_config(_own_file(checkpoint)).plain()


def read_config(path: Path) -> Config:
    """The configuration that the opt.yaml of a run has. Raises ConfigError."""
    known = {f"{section}.{name}" for section, values in Config().plain().items() for name in values}
    settings = settings_of_document(read_yaml(path))
    return build_config([one for one in settings if one.key in known])[0]  # another version may know more


def first_reduced(cfg: Config) -> str:
    """The first path that is needed to read pictures or helpers but has lost its folders, as `key: value`; or ""."""
    needed = {
        "data.data": cfg.data.data,
        "data.root": cfg.data.root,
        "model.sam": cfg.model.sam,
        "model.text_encoder": cfg.model.text_encoder,
    }
    return next((f"{key}: {value}" for key, value in needed.items() if is_reduced(value)), "")
