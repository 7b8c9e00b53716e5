"""What a Python program gives where the scripts have flags: checked, so that a mistake is one sentence."""

from __future__ import annotations

import os

import numpy as np

from utils.words.errors import ConfigError
from utils.words.text import shown


def as_path(name: str, value: object) -> str:
    """The path given as `name`. Raises ConfigError where it is none, or blank."""
    path = os.fspath(value) if isinstance(value, os.PathLike) else value
    if not isinstance(path, str) or not path.strip():
        raise ConfigError(f"{name} must be a path, got {shown(value)}")
    return path


def as_text(name: str, value: object) -> str:
    """The text given as `name`. Raises ConfigError."""
    if not isinstance(value, str):
        raise ConfigError(f"{name} must be text, got {shown(value)}")
    return value


def as_switch(name: str, value: object) -> bool:
    """The answer given as `name`: that text is not empty does not make it a yes. Raises ConfigError."""
    if not isinstance(value, bool | np.bool_):
        raise ConfigError(f"{name} must be True or False, got {shown(value)}")
    return bool(value)
