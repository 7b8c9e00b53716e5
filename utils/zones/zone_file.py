"""zones.yaml: where in a picture defects count.

size: [640, 480]                  # width, height px of the picture that corners are measured in; else they are 0..1
counts: centre                    # of a box, lies where it has to (touch: some part of it)
zones:
  - name: glass
    use: in                       # only here
    polygon: [[20, 20], [620, 20], [620, 460], [20, 460]]
  - name: label area
    use: out                      # not here
    polygon: [[30, 40], [200, 40], [200, 180], [30, 180]]
    classes: [scratch, oil]       # else every class
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from utils.values.zones_identity import ZonesIdentity
from utils.words.class_names import name_key
from utils.words.errors import ConfigError, printable
from utils.words.regular_file import UnreadableFile, read_regular
from utils.words.text import did_you_mean, shown
from utils.words.yamlio import MAX_BYTES, Document, Key, parse_yaml
from utils.zones.polygons import area, crossing, in_line
from utils.zones.zones import Zone, Zones

TOP = ("size", "counts", "zones")
KEYS = ("name", "use", "polygon", "classes")
MOST_ZONES, MOST_CORNERS, LARGEST = 1000, 1000, 1_000_000  # LARGEST: px of a side
EXAMPLE = "- {name: label, use: out, polygon: [[10, 20], [200, 20], [200, 180]]}"


def read_zones(path: str | Path, names: Sequence[str]) -> Zones:
    """The zones of a file for classes of these names. Raises ConfigError with file and line."""
    try:
        raw = read_regular(path, MAX_BYTES)
    except UnreadableFile as error:
        raise ConfigError(
            f"{printable(str(path))}: {error}; name a file of zones, see utils/zones/README.md"
        ) from error
    document = parse_yaml(raw, path)
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("zones"), list) or not data["zones"]:
        raise document.error(f"no zones; `zones` is a list like {EXAMPLE}", "zones")
    _check_keys(document, data, TOP)
    rows = data["zones"]
    if len(rows) > MOST_ZONES:
        raise document.error(f"{len(rows):,} zones, more than {MOST_ZONES:,}; join some", "zones")
    size, counts = _size(document), data.get("counts", "centre")
    if counts not in ("centre", "touch"):
        raise document.error(f"`counts` must be centre or touch, not {shown(counts)}", "counts")
    reader = _Rows(document, size, names)
    zones = tuple(reader.zone(number) for number in range(len(rows)))
    return Zones(zones, ZonesIdentity.of(Path(path).name, len(zones), raw), size, counts)


def _check_keys(document: Document, row: dict[Key, Any], known: Sequence[str], *where: Key) -> None:
    for key in row:
        if key not in known:
            near = did_you_mean(str(key), known) or f"; known are {', '.join(known)}"
            raise document.error(f"unknown key {shown(str(key))}{near}", *where, key)


def _size(document: Document) -> tuple[int, int] | None:
    size = document.data.get("size")
    if "size" not in document.data:
        return None
    whole = isinstance(size, list) and len(size) == 2 and all(type(side) is int for side in size)
    if not whole or not all(1 <= side <= LARGEST for side in size):
        raise document.error(f"`size` must read like [640, 480], width and height in px, not {shown(size)}", "size")
    return size[0], size[1]


class _Rows:
    """The rows of `zones`, one after the other."""

    def __init__(self, document: Document, size: tuple[int, int] | None, names: Sequence[str]) -> None:
        self.document, self.size, self.names = document, size, names
        self.index = {name_key(name): label for label, name in enumerate(names)}
        self.seen: dict[str, int] = {}

    def zone(self, number: int) -> Zone:
        """Raises ConfigError."""
        where, row = ("zones", number), self.document.data["zones"][number]
        if not isinstance(row, dict):
            raise self.document.error(f"a zone must read like {EXAMPLE}", *where)
        _check_keys(self.document, row, KEYS, *where)
        name = self._name(where)
        if row.get("use") not in ("in", "out"):
            said = f"not {shown(row['use'])}" if "use" in row else "which is missing"
            raise self.document.error(
                f"`use` of zone {shown(name)} must be in (count only here) or out (not here), {said}", *where, "use"
            )
        return Zone(name, row["use"] == "in", self._corners(name, where), self._labels(where))

    def _name(self, where: tuple[Key, ...]) -> str:
        row = self.document.data["zones"][where[1]]
        name = self.document.text(*where, "name") if isinstance(row.get("name"), str | int | float) else None
        if not name or not name.strip():
            raise self.document.error("a zone needs a `name`, such as name: label area", *where, "name")
        name = name.strip()
        if (first := self.seen.setdefault(name_key(name), int(where[1]))) != where[1]:
            line = self.document.where("zones", first, "name").rpartition(":")[2]
            raise self.document.error(
                f"zone {shown(name)} appears twice, first on line {line}; rename one", *where, "name"
            )
        return name

    def _corners(self, name: str, where: tuple[Key, ...]) -> np.ndarray:
        where = (*where, "polygon")
        rows = self.document.data["zones"][where[1]].get("polygon")
        what = f"polygon of zone {shown(name)}"
        if not isinstance(rows, list):
            raise self.document.error(f"the {what} must be a list of corners like [[10, 20], [200, 20], ...]", *where)
        corners = [self._corner(what, row, (*where, k)) for k, row in enumerate(rows)]
        if len(corners) > 3 and corners[0] == corners[-1]:
            corners.pop()  # closed by hand, as many tools write it
        if not 3 <= len(corners) <= MOST_CORNERS:
            wanted = "at least 3" if len(corners) < 3 else f"at most {MOST_CORNERS:,}"
            raise self.document.error(f"the {what} has {len(corners)} corners; it needs {wanted}", *where)
        for k, corner in enumerate(corners):
            if corner == corners[k - 1]:
                raise self.document.error(f"the {what} has the corner {list(corner)} twice; remove one", *where, k)
        polygon = np.array(corners, np.float64)
        if not in_line(polygon) and (crossed := crossing(polygon)):
            edges = " and ".join(f"the edge after corner {k + 1}" for k in crossed)
            raise self.document.error(
                f"the {what} crosses itself: {edges} meet; go round it, or make it two zones", *where, crossed[1]
            )
        if in_line(polygon) or not area(polygon) > 0:
            raise self.document.error(f"the {what} has no area: its corners lie in one line; mend them", *where)
        return polygon

    def _corner(self, what: str, row: Any, where: tuple[Key, ...]) -> tuple[float, float]:
        numbers = [_number(value) for value in row] if isinstance(row, list) else []
        if len(numbers) != 2 or not all(math.isfinite(value) for value in numbers):
            raise self.document.error(f"the {what} has {shown(row)}; a corner is x, y like [10, 20]", *where)
        for value, most in zip(numbers, self.size or (1, 1), strict=True):
            if not 0 <= value <= most:
                hint = "mend it" if self.size else "give size: [width, height] if they are px"
                limits = f"{self.size[0]} x {self.size[1]} px of `size`" if self.size else "parts of a picture, 0 to 1"
                raise self.document.error(
                    f"the {what} has the corner {shown(row)} outside of the {limits}; {hint}", *where
                )
        return numbers[0], numbers[1]

    def _labels(self, where: tuple[Key, ...]) -> frozenset[int] | None:
        row = self.document.data["zones"][where[1]]
        if "classes" not in row:
            return None
        where, given = (*where, "classes"), row["classes"]
        places = [(*where, k) for k in range(len(given))] if isinstance(given, list) else [where]
        if not places:
            raise self.document.error("`classes` names none; leave it out where every class is meant", *where)
        labels = set()
        for place in places:
            name = self.document.text(*place)
            if name is None or name_key(name) not in self.index:
                near = did_you_mean(name or "", self.names) or f"; there are: {shown(', '.join(self.names), 300)}"
                raise self.document.error(f"unknown class {shown(name or given)}{near}", *place)
            labels.add(self.index[name_key(name)])
        return frozenset(labels)


def _number(value: object) -> float:
    """NaN for what is no number; YAML reads 1e-3 as a word."""
    try:
        return float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else math.nan
    except ValueError:
        return math.nan
