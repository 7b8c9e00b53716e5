"""Finding configuration files, and where caches go."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from utils.words.errors import ConfigError, printable
from utils.words.text import did_you_mean

CFG = Path(__file__).resolve().parents[2] / "cfg"


def find_yaml(name: str, kind: str, option: str) -> Path:
    """A YAML as given, else in cfg/<kind>/, else where `nearby_yaml` finds it; `.yaml` may be left off.

    Raises ConfigError with `option` and the most similar name.
    """
    found = yaml_as_given(name, kind) or nearby_yaml(name, kind)
    if found:
        return found
    known = sorted(p.name for p in (CFG / kind).glob("*.yaml"))
    near = did_you_mean(Path(name).name, known) or f"; cfg/{kind} has {', '.join(known)}"
    raise ConfigError(f"{option} {printable(name[:200])}: no such file{near}")


def yaml_as_given(name: str, kind: str) -> Path | None:
    """The YAML `name`, or that of cfg/<kind>/; `.yaml` may be left off."""
    return _first_file(Path(name), CFG / kind / name)


def nearby_yaml(name: str, kind: str) -> Path | None:
    """The YAML `name` without its leading slash, else the one of its file name in cfg/<kind>/."""
    return _first_file(Path(name.lstrip("/")), CFG / kind / Path(name).name)


def _first_file(*paths: Path) -> Path | None:
    # a path without a name, such as "/", cannot be given a suffix: with_name would raise
    candidates = (c for path in paths if path.name for c in (path, path.with_name(f"{path.name}.yaml")))
    return next(
        (c for c in candidates if os.path.isfile(c)), None
    )  # os.path: False, not an error, for names that are too long


def user_cache(folder: str) -> Path:
    """The path of the cache `folder` of this user. Nothing is created.

    XDG_CACHE_HOME if it is set (absolute, as its specification demands), else the platform's usual place. Raises
    ConfigError when the user has no home folder.
    """
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(xdg):
        return Path(xdg) / "defects" / folder
    try:
        home = Path.home()
    except RuntimeError as error:
        raise ConfigError("no home folder to keep a cache in; set XDG_CACHE_HOME to a folder") from error
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = home / ".cache"
    return base / "defects" / folder
