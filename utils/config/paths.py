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

    Raises ConfigError naming `option` and the nearest file.
    """
    found = yaml_as_given(name, kind) or nearby_yaml(name, kind)
    if found:
        return found
    known = sorted(p.name for p in (CFG / kind).glob("*.yaml"))
    near = did_you_mean(Path(name).name, known) or f"; cfg/{kind} has {', '.join(known)}"
    raise ConfigError(f"{option} {printable(name)}: no such file{near}")


def yaml_as_given(name: str, kind: str) -> Path | None:
    """The YAML `name`, or that of cfg/<kind>/; `.yaml` may be left off."""
    return _first_file(Path(name), CFG / kind / name)


def nearby_yaml(name: str, kind: str) -> Path | None:
    """The YAML `name` without its leading slash, else the one of its file name in cfg/<kind>/."""
    return _first_file(Path(name.lstrip("/")), CFG / kind / Path(name).name)


def _first_file(*paths: Path) -> Path | None:
    candidates = (c for path in paths if path.name for c in (path, path.with_name(f"{path.name}.yaml")))
    return next((c for c in candidates if os.path.isfile(c)), None)  # os.path: names too long are no files either


def user_cache(folder: str) -> Path:
    """Where this user's files that can be made again live, `folder` being a part of it. Nothing is created.

    XDG_CACHE_HOME when it is set (absolute, as its specification demands), else the platform's place. Raises
    ConfigError when the user has no home.
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
