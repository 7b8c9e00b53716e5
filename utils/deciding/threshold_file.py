"""thresholds.yaml: one score threshold per class, by name, with a comment that says where it comes from.

    nms: {iou: 0.6, max_det: 300, imgsz: 640}     # how the detections were made that the thresholds were chosen on
    weights: {file: "best.pt", digest: "8f3a..."} # which weights made them
    pictures: {count: 297, digest: "51b0..."}     # on which pictures
    zones: {file: "zones.yaml", count: 3, digest: "07c1..."}  # where in them defects counted; without it: everywhere
    thresholds:
      "bubble": 0.35
    answers: ...                                  # how questions are answered, see utils/answers/reading_file.py

All but `thresholds` may be left out. detect.py and val.py take the values of `nms` where no flag says otherwise, and
warn of other weights and other zones; val.py warns of the same pictures. `Limits` are what they make of the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import yaml

from utils.config.config import DataConfig, ValConfig
from utils.config.given_values import as_switch
from utils.config.ranges import in_range
from utils.deciding.thresholds import NEVER
from utils.values.detections import Detections
from utils.values.pictures_identity import PicturesIdentity
from utils.values.score_thresholds import ScoreThresholds
from utils.values.unknown_defect import UNKNOWN
from utils.values.weights_identity import WeightsIdentity
from utils.values.zones_identity import ZonesIdentity, other_zones, zone_words
from utils.words.class_names import name_key
from utils.words.errors import ConfigError, printable
from utils.words.text import did_you_mean
from utils.words.yamlio import Document, read_yaml

HEAD = f"A detection counts where its score >= the threshold of its class; {NEVER} is above every score."
ANSWERS = "answers"  # a section of the file that utils/answers writes and reads
DIGITS = 6  # of a score in predictions.json, which the thresholds were chosen on


@dataclass(frozen=True)
class DetectionSettings:
    """How detections were made: NMS overlap, the most per picture, the longest side of the network's input; None: not
    known. `tile` px, `tile_overlap`, `tile_full`: of tiles; None: as a whole, where `imgsz` is known.
    """

    iou: float | None = None
    max_det: int | None = None
    imgsz: int | None = None
    tile: int | None = None
    tile_overlap: float | None = None
    tile_full: bool | None = None

    @classmethod
    def of(cls, nms: ValConfig, data: DataConfig) -> DetectionSettings:
        """Those of an evaluation."""
        made = cls(nms.iou, nms.max_det, data.imgsz)
        if not data.tile:
            return made
        return replace(made, tile=data.tile, tile_overlap=data.tile_overlap, tile_full=data.tile_full)

    def words(self) -> str:
        """As YAML on one line; empty when nothing is known."""
        known = [f"{name}: {json.dumps(value)}" for name, value in vars(self).items() if value is not None]
        return f"{{{', '.join(known)}}}" if known else ""


@dataclass(frozen=True)
class Limits:
    """The thresholds of a file, how the detections were made that they were chosen on, by which weights, on which
    pictures (None: not known), and in which zones of them (None: everywhere).
    """

    thresholds: ScoreThresholds
    made: DetectionSettings
    weights: WeightsIdentity | None = None
    pictures: PicturesIdentity | None = None
    zones: ZonesIdentity | None = None

    @property
    def lowest(self) -> float:
        """The confidence from which detections are to be gathered: a hair below the least threshold."""
        return min(max(min(self.thresholds.values) - 2 * 10**-DIGITS, 0.0), 1.0)

    def with_more(self, classes: int) -> Limits:
        """The same for so many further classes, of which nothing counts."""
        values = (*self.thresholds.values, *(NEVER,) * classes)
        return replace(self, thresholds=replace(self.thresholds, values=values))

    def passing(self, found: Detections) -> Detections:
        """What counts: scores, rounded as they are written, of at least the threshold of their class."""
        limits = torch.tensor(self.thresholds.values, dtype=torch.float64)
        scores = torch.tensor([round(score, DIGITS) for score in found.scores.tolist()], dtype=torch.float64)
        return found.keep(scores >= limits[found.labels])

    def notices(self, wanted: DetectionSettings, agnostic: bool, imgsz: int) -> list[str]:
        """Where `wanted`, what flags say, departs from how the thresholds were chosen. `imgsz`: px of the network input
        that it would be without the file; `agnostic`: boxes suppress boxes of other classes.
        """
        pairs = {
            "--iou": (wanted.iou, self.made.iou),
            "--max-det": (wanted.max_det, self.made.max_det),
            "--imgsz": (wanted.imgsz, self.made.imgsz),
        }
        if self.made.imgsz is not None or self.made.tile is not None:  # else nothing is known of tiles
            pairs["--tile"] = wanted.tile, self.made.tile or 0
            pairs["--tile-overlap"] = wanted.tile_overlap, self.made.tile_overlap
            pairs["--tile-full"] = wanted.tile_full, bool(self.made.tile_full)
        other = [f"{option} {a}, not {b}" for option, (a, b) in pairs.items() if a is not None and a != b]
        other += ["--agnostic-nms"] if agnostic else []
        lines, file = [], self.thresholds.source
        if not wanted.imgsz and self.made.imgsz not in (None, imgsz):
            lines.append(f"{file}: chosen at --imgsz {self.made.imgsz}, which is used")
        if other:
            lines.append(f"{file}: chosen with other settings ({', '.join(other)}); its rates do not hold")
        return lines

    def warnings(
        self,
        weights: WeightsIdentity | None = None,
        pictures: PicturesIdentity | None = None,
        zones: ZonesIdentity | None = None,
    ) -> list[str]:
        """Whether the thresholds were chosen with other weights than those in use, or other `zones` (None: everywhere):
        other scores, other rates. Whether they were chosen on the pictures that they are scored on: the rates are of a
        choice that knew them.
        """
        lines, file = [], self.thresholds.source
        if self.weights is not None and weights is not None and self.weights.digest != weights.digest:
            chosen, used = printable(self.weights.words()), printable(weights.words())
            advice = "take the thresholds.yaml of a val.py with these"
            lines.append(f"{file}: chosen with other weights, {chosen} instead of {used}; {advice}")
        if self.pictures is not None and self.pictures == pictures:
            advice = "score them on others (--task test, --data), or choose them anew, without --thresholds"
            lines.append(f"{file}: chosen on these {pictures.count:,} pictures, so that their rates flatter; {advice}")
        # of thresholds that someone wrote by hand nobody knows what they were chosen on
        if other_zones(self.zones, zones) and (self.zones or self.weights or self.pictures):
            chosen, used = printable(zone_words(self.zones)), printable(zone_words(zones))
            advice = f"give --roi {printable(self.zones.file)}" if self.zones else "leave --roi out"
            lines.append(f"{file}: chosen in {chosen}, used in {used}: its rates do not hold; {advice}, or choose anew")
        return lines


def read_limits(path: str, names: Sequence[str]) -> Limits:
    """The limits of a thresholds file for classes of these names. Raises ConfigError with file and line."""
    thresholds = ScoreThresholds(read_thresholds(path, names), path)
    return Limits(thresholds, read_making(path), read_weights(path), read_pictures(path), read_zones_identity(path))


def thresholds_text(
    names: Sequence[str],
    thresholds: Sequence[float],
    provenance: Sequence[str],
    made: DetectionSettings | None = None,
    weights: WeightsIdentity | None = None,
    pictures: PicturesIdentity | None = None,
    zones: ZonesIdentity | None = None,
) -> str:
    """The file's text. `provenance` are lines for the comment: command, data, what the choice costs."""
    comment = [f"# {printable(line)}".rstrip() for line in (HEAD, *provenance)]
    rows = [f"  {_quoted(name)}: {float(value)!r}" for name, value in zip(names, thresholds, strict=True)]
    head = [f"nms: {made.words()}"] if made is not None and made.words() else []
    if weights is not None:
        head.append(f"weights: {{file: {_quoted(weights.file)}, digest: {_quoted(weights.digest)}}}")
    if pictures is not None:
        head.append(f"pictures: {{count: {pictures.count}, digest: {_quoted(pictures.digest)}}}")
    if zones is not None:
        known = f"count: {zones.count}, digest: {_quoted(zones.digest)}"
        head.append(f"zones: {{file: {_quoted(zones.file)}, {known}}}")
    return "\n".join([*comment, *head, "thresholds:", *rows]) + "\n"


def _quoted(name: str) -> str:
    return yaml.safe_dump(name, default_style='"', allow_unicode=True, width=10**9).rstrip("\n")


def read_thresholds(path: str | Path, names: Sequence[str]) -> tuple[float, ...]:
    """The threshold of each of `names`, matched regardless of case and blanks. That of UNKNOWN may be left over.

    Raises ConfigError with file and line for anything but one threshold in 0..1 (or NEVER) for every class.
    """
    document = read_yaml(path)
    data = document.data
    if not isinstance(data, dict) or not isinstance(data.get("thresholds"), dict):
        raise document.error("not a thresholds file; it has one key, thresholds, with a number for each class")
    for key in data:
        if key not in ("thresholds", "nms", "weights", "pictures", "zones", ANSWERS):
            raise document.error(f"unknown key '{printable(str(key))}'; remove it", key)
    index = {name_key(name): k for k, name in enumerate(names)}
    values: dict[int, float] = {}
    for name, value in data["thresholds"].items():
        if name == UNKNOWN and name not in names:
            continue  # nobody looks for such
        k = _class_of(document, name, names, index)
        if k in values:
            raise document.error(f"class '{printable(name)}' appears twice; remove one", "thresholds", name)
        values[k] = _number(document, name, value)
    missing = [printable(name) for k, name in enumerate(names) if k not in values]
    if missing:
        raise document.error(f"no threshold for {', '.join(missing)}; add one", "thresholds")
    return tuple(values[k] for k in range(len(names)))


def read_making(path: str | Path) -> DetectionSettings:
    """What `nms` of a thresholds file says. Raises ConfigError with file and line."""
    document = read_yaml(path)
    given = document.data.get("nms", {}) if isinstance(document.data, dict) else {}
    if not isinstance(given, dict):
        raise document.error("'nms' must read like {iou: 0.6, max_det: 300, imgsz: 640}", "nms")
    known = vars(DetectionSettings())
    for key, value in given.items():
        if key not in known:
            raise document.error(f"unknown key '{printable(str(key))}'; known are {', '.join(known)}", "nms", key)
        try:
            if key == "tile_full":
                as_switch(key, value)
            else:
                in_range(ValConfig if key in ("iou", "max_det") else DataConfig, key, value)
        except ConfigError as error:
            raise document.error(str(error), "nms", key) from error
    return DetectionSettings(**given)


def read_weights(path: str | Path) -> WeightsIdentity | None:
    """What `weights` of a thresholds file says. Raises ConfigError with file and line."""
    document = read_yaml(path)
    given = document.data.get("weights") if isinstance(document.data, dict) else None
    if given is None:
        return None
    if not isinstance(given, dict) or given.keys() != {"file", "digest"} or not _all_text(given.values()):
        raise document.error('\'weights\' must read like {file: "best.pt", digest: "8f3a..."}', "weights")
    return WeightsIdentity(**given)


def read_pictures(path: str | Path) -> PicturesIdentity | None:
    """What `pictures` of a thresholds file says. Raises ConfigError with file and line."""
    document = read_yaml(path)
    given = document.data.get("pictures") if isinstance(document.data, dict) else None
    if given is None:
        return None
    kinds = {key: type(value) for key, value in given.items()} if isinstance(given, dict) else {}
    if kinds != {"count": int, "digest": str}:
        raise document.error("'pictures' must read like {count: 297, digest: \"51b0...\"}", "pictures")
    return PicturesIdentity(**given)


def read_zones_identity(path: str | Path) -> ZonesIdentity | None:
    """What `zones` of a thresholds file says. Raises ConfigError with file and line."""
    document = read_yaml(path)
    given = document.data.get("zones") if isinstance(document.data, dict) else None
    if given is None:
        return None
    kinds = {key: type(value) for key, value in given.items()} if isinstance(given, dict) else {}
    if kinds != {"file": str, "count": int, "digest": str}:
        raise document.error('\'zones\' must read like {file: "zones.yaml", count: 3, digest: "07c1..."}', "zones")
    return ZonesIdentity(**given)


def _all_text(values: Iterable[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _class_of(document: Document, name: object, names: Sequence[str], index: dict[str, int]) -> int:
    if not isinstance(name, str):
        raise document.error(f"{name} is not a class name; put names in quotes", "thresholds", name)  # type: ignore[arg-type]
    if name_key(name) not in index:
        near = did_you_mean(name, names) or f"; there are: {', '.join(names)}"
        raise document.error(printable(f"unknown class '{name}'{near}"), "thresholds", name)
    return index[name_key(name)]


def _number(document: Document, name: str, value: object) -> float:
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else -1.0
    except ValueError:
        number = -1.0
    if not (0 <= number <= 1 or number == NEVER):
        wanted = f"the threshold of '{name}' must be a number from 0 to 1 (or {NEVER}: never), not {value!r}"
        raise document.error(printable(wanted), "thresholds", name)
    return number  # YAML reads 1e-05 as a word
