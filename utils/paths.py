"""Finding configuration files, and where caches go."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from utils.errors import ConfigError, printable
from utils.text import did_you_mean

CFG = Path(__file__).resolve().parent.parent / "cfg"


def find_yaml(name: str, kind: str, option: str) -> Path:
    """A YAML as given, else in cfg/<kind>/, else by its file name there; `.yaml` may be left off.

    Raises ConfigError naming `option` and the nearest file.
    """
    given, folder = Path(name), CFG / kind
    for path in (given, folder / given, folder / given.name):
        for candidate in (path, path.with_name(f"{path.name}.yaml")) if path.name else ():
            if candidate.is_file():
                return candidate
    known = sorted(p.name for p in folder.glob("*.yaml"))
    near = did_you_mean(given.name, known) or f"; cfg/{kind} has {', '.join(known)}"
    raise ConfigError(f"{option} {printable(name)}: no such file{near}")


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
