"""Finding configuration files."""

from __future__ import annotations

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
