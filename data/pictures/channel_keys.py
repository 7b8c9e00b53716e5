"""The keys `channels`, `bit_depth`, `files` and `polar` of a data YAML.

    channels: [r, g, b, dolp, aolp_sin2, aolp_cos2]   # planes by name, see utils/values/channels.py; default [r, g, b]
    bit_depth: {image: 8, polar: 12}                  # or one for both; 8 (default) to 16, 32: floating point
    files: "{stem}_{channel}.png"                     # one file per plane; the split's folder lists those of the first
    polar: {dir: polar, pattern: "{stem}_{channel}.png", from: angles}   # or just a folder name

`polar` is a second camera: `dir` stands in for the folder `images` in a picture's path. Without `pattern` it holds one
picture (or stack) of the same stem. `from: angles`: its files are i0, i45, i90, i135, and what `channels` names after
the image's planes is derived of them; without `channels` that is dolp, aolp_sin2, aolp_cos2, else the one plane
`polar`, which is the second picture's brightness.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import Any

from utils.values.channels import ANGLES, DERIVED, FLOAT, PAIRS, RGB, Channels
from utils.words.errors import printable
from utils.words.text import did_you_mean
from utils.words.yamlio import Document

KEYS = ("channels", "bit_depth", "files", "polar")
FIRST = (*RGB, "gray")  # what may stand before the planes of polar
MAX_PLANES = 64
POLAR_KEYS = ("dir", "pattern", "from")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")


def read_channels(document: Document) -> Channels:
    """The planes that a data YAML describes. Raises ConfigError at the line of the mistake."""
    if not any(document.data.get(key) is not None for key in KEYS):
        return Channels()
    camera = _camera(document)
    angles = camera.get("from") == "angles"
    given = _plane_names(document)
    image = given or RGB
    polar: tuple[str, ...] = ()
    if camera and not given:
        polar = ("dolp", "aolp_sin2", "aolp_cos2") if angles else ("polar",)
    elif given:
        image, polar = _parts(document, given, bool(camera))
    bits, polar_bits = _bits(document)
    channels = Channels(
        image=image,
        polar=polar,
        bits=bits,
        polar_bits=polar_bits if camera else 8,
        files=_pattern(document, document.data["files"], "files") if document.data.get("files") is not None else "",
        polar_dir=camera.get("dir", ""),
        polar_files=camera.get("pattern", ""),
        angles=angles,
    )
    _check(document, channels)
    return channels


def channel_keys(channels: Channels) -> dict[str, Any]:
    """The keys of a data YAML that `read_channels` reads as `channels`; none for 8-bit RGB."""
    if channels.plain_rgb:
        return {}
    keys: dict[str, Any] = {"channels": [*channels.image, *channels.polar]}
    keys["bit_depth"] = {"image": channels.bits, "polar": channels.polar_bits}
    if channels.files:
        keys["files"] = channels.files
    if channels.polar_dir:
        pattern = {"pattern": channels.polar_files} if channels.polar_files else {}
        keys["polar"] = {"dir": channels.polar_dir, **pattern, **({"from": "angles"} if channels.angles else {})}
    return keys


def _plane_names(document: Document) -> tuple[str, ...]:
    names = document.data.get("channels")
    if names is None:
        return ()
    if not isinstance(names, list) or not 1 <= len(names) <= MAX_PLANES:
        raise document.error("'channels' must be a list of plane names, e.g. [r, g, b, dolp]", "channels")
    for index, name in enumerate(names):
        if not isinstance(name, str) or not NAME.fullmatch(name):
            shown = printable(repr(name))[:60]
            raise document.error(f"{shown} is no plane name; use letters, digits, _ and -", "channels", index)
        if name in names[:index]:
            raise document.error(f"'{name}' is named twice", "channels", index)
    return tuple(names)


def _parts(document: Document, names: tuple[str, ...], camera: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The planes of image and of polar: what follows r, g, b or gray, if a second camera or polarization."""
    first = next((k for k, name in enumerate(names) if name not in FIRST), len(names))
    rest = names[first:]
    if camera and (not first or not rest):
        raise document.error("'polar' needs planes of its own after r, g, b or gray, e.g. [r, g, b, dolp]", "channels")
    if first and rest and (camera or set(rest) <= {*ANGLES, *DERIVED}):
        return names[:first], rest
    return names, ()


def _camera(document: Document) -> dict[str, str]:
    """`polar` as its words by key; empty without."""
    value = document.data.get("polar")
    if value is None:
        return {}
    given = {"dir": value} if isinstance(value, str) else value
    if not isinstance(given, dict) or "dir" not in given:
        raise document.error("'polar' must be a folder name, or e.g. {dir: polar, pattern: ...}", "polar")
    for key, word in given.items():
        if key not in POLAR_KEYS:
            near = did_you_mean(str(key), POLAR_KEYS) or f"; known are {', '.join(POLAR_KEYS)}"
            raise document.error(f"unknown key '{printable(str(key))}'{near}", "polar", key)
        if not isinstance(word, str) or not word.strip():
            raise document.error(f"'{key}' must be text, not {printable(repr(word))[:60]}", "polar", key)
    folder = PurePath(given["dir"])
    if folder.is_absolute() or ".." in folder.parts or not folder.parts:
        message = "'dir' is the name of a folder that stands in for 'images' in a picture's path, without .. or a root"
        raise document.error(message, "polar", "dir")
    if "pattern" in given:
        _pattern(document, given["pattern"], "polar", "pattern")
    if given.get("from", "angles") != "angles":
        raise document.error("'from' knows only 'angles': files of i0, i45, i90 and i135", "polar", "from")
    return given


def _pattern(document: Document, value: Any, *keys: str) -> str:
    """A file name with {stem} and {channel}, once each."""
    sound = isinstance(value, str) and value.count("{stem}") == value.count("{channel}") == 1
    rest = value.replace("{stem}", "").replace("{channel}", "") if sound else "/"
    if not sound or set(rest) & set("{}/\\"):
        raise document.error(f"'{keys[-1]}' must be a file name such as \"{{stem}}_{{channel}}.png\"", *keys)
    return str(value)


def _bits(document: Document) -> tuple[int, int]:
    value = document.data.get("bit_depth")
    if value is None:
        return 8, 8
    both = value if isinstance(value, dict) else {"image": value, "polar": value}
    if not set(both) <= {"image", "polar"}:
        raise document.error("'bit_depth' is one number or {image: 8, polar: 12}", "bit_depth")
    bits = both.get("image", 8), both.get("polar", 8)
    if not all(type(n) is int and (8 <= n <= 16 or n == FLOAT) for n in bits):
        raise document.error(
            "'bit_depth' is a whole number of bits from 8 to 16, or 32 for floating point", "bit_depth"
        )
    return bits


def _check(document: Document, channels: Channels) -> None:
    """What one key alone does not show."""
    names = channels.names
    key = "channels" if document.data.get("channels") is not None else "polar"
    if channels.angles and not set(channels.polar) <= set(DERIVED):
        raise document.error(f"of angles come {', '.join(DERIVED)}, not all of {', '.join(channels.polar)}", key)
    for group in (ANGLES, *PAIRS):
        have = [name for name in group if name in names]
        derived = channels.angles and have and have[0] in DERIVED
        if have and len(have) < len(group) and not derived:
            lacking = ", ".join(name for name in group if name not in names)
            raise document.error(f"{', '.join(have)} without {lacking}: they turn together with the picture", key)
    if set(channels.image) & set(RGB) and not set(RGB) <= set(channels.image):
        raise document.error("r, g and b belong together; a picture of one plane is [gray]", key)
