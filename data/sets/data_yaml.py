"""The data YAML, or a folder without one: where the pictures of each split lie and what the classes are called.

    path: ../wood                 # absolute, or relative to this file, else to the working directory
    train: images/train           # folder, list file, glob, COCO json, or a list of those
    val: images/val
    names: {0: knot, 1: crack}                        # or a file, or per split: see data/sets/name_lists.py
    labels: {train: labels/train/txt}                 # optional
    annotations: {train: annotations/train.json}      # optional, COCO json or the folder that holds it
    remap: {knot_small: knot, dust: ignore}           # optional, see data/labels/classes.py
    rows: polygons                                    # optional: what longer txt rows are, see data/labels/long_rows.py
    channels: [r, g, b]                               # optional, see data/pictures/channel_keys.py
    mm_per_px: 0.05                                   # optional: sizes are then reported in mm

or `world` alone, see data/sets/world_key.py.

Without `names`, the categories of the COCO jsons are the classes. The keys of YOLOv5 mean what they mean there; nothing
in the file is executed or fetched.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from data.files.folders import expand_glob
from data.files.yaml_paths import EXAMPLE, SPLITS, YamlPaths, missing, siblings
from data.labels.classes import ClassMap, Names, read_classes
from data.labels.coco_places import all_jsons, json_in
from data.labels.long_rows import LongRows
from data.pictures.channel_keys import KEYS as CHANNEL_KEYS
from data.pictures.channel_keys import read_channels
from data.sets.folder_layouts import no_split, read_layout
from data.sets.name_lists import check_count, of_categories, read_names
from data.sets.world_key import read_world
from data.world.drawn_world import DrawnWorld
from data.world.sample_folder import sample_folder
from data.world.set_writer import SPLITS as WORLD_SPLITS
from utils.values.channels import Channels
from utils.words.errors import ConfigError, DataError, printable
from utils.words.text import did_you_mean, shown
from utils.words.yamlio import Document, read_yaml

KEYS = (
    "path",
    *SPLITS,
    "nc",
    "names",
    "labels",
    "annotations",
    "remap",
    "rows",
    "kpt_shape",
    "mm_per_px",
    *CHANNEL_KEYS,
)
IGNORED = {
    "flip_idx": "is for pose points, which are not read",
    "download": "is never run; fetch the data yourself",
    "roboflow": "says where the export came from and is not used",
}
LARGEST_PIXEL = 1_000_000  # mm
SHIPPED = Path(__file__).resolve().parents[2] / "cfg" / "data"


@dataclass(frozen=True, kw_only=True)
class DataDescription:
    """What a data YAML or the layout of a folder says, checked. All paths are absolute.

    `source` is the YAML or the folder; `classes[split]` the classes of the label files and those trained;
    `splits[split]` its folders, list files, COCO jsons and globs (see `expand_glob`); `labels[split]` the folder
    of its txt or xml labels and `annotations[split]` its COCO json, where given. `lines[key]` is `file:line` of a
    key, for messages. `long_rows` is what txt rows of more than five numbers are. `channels` are the planes of every
    picture, `mm_per_px` the size of a pixel where it is known. Of a `world` the files are its first pictures.
    """

    source: Path
    root: Path
    classes: dict[str, ClassMap]
    splits: dict[str, tuple[Path, ...]]
    labels: dict[str, Path]
    annotations: dict[str, Path]
    lines: dict[str, str]
    long_rows: LongRows = LongRows()
    channels: Channels = Channels()
    mm_per_px: float | None = None
    world: DrawnWorld | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The trained classes: those of train, else of the first split."""
        return next(iter(self.classes.values())).names

    def names_of(self, split: str) -> tuple[str, ...]:
        """The classes of a split, which may differ from those of train."""
        return self.classes[split].names

    @property
    def synonyms(self) -> dict[str, Names]:
        """Of each split the names of each class, the one of `names_of` first."""
        return {split: classes.synonyms for split, classes in self.classes.items()}

    def single_class(self) -> DataDescription:
        """The same data with all classes as one, `defect`."""
        world = replace(self.world, single=True) if self.world else None
        classes = {split: classes.single() for split, classes in self.classes.items()}
        return replace(self, classes=classes, world=world)


def read_description(
    path: str | Path, require: Sequence[str] = ("train", "val"), root: str | Path = ""
) -> tuple[DataDescription, tuple[str, ...]]:
    """Read a data YAML, the data.yaml of a folder, or a folder's layout; returns it with notices for the user.

    `path` is looked up as given, in cfg/data, then by its file name alone in cfg/data; `.yaml` may be left
    off. `require` names the splits that must be given and present. `root` stands in for the YAML's `path:`. Raises
    ConfigError for what is written wrongly and DataError for what is not there.
    """
    notices: list[str] = []
    description = describe(open_source(path, notices), require, root, notices)
    return description, tuple(notices)


def describe(source: Document | Path, require: Sequence[str], root: str | Path, notices: list[str]) -> DataDescription:
    """What a data YAML that `open_source` parsed, or a folder without one, says; see `read_description`."""
    if isinstance(source, Document):
        description = _of_yaml(source, require, root, notices)
    else:
        description = _of_folder(source, root, notices)
    for split in require:
        check_present(description, split)
    return description


def _of_yaml(document: Document, require: Sequence[str], root: str | Path, notices: list[str]) -> DataDescription:
    if not isinstance(document.data, dict):
        raise ConfigError(f"{document.where()}: holds no keys; {EXAMPLE}")
    if "world" in document.data:
        return _of_world(document, root)
    _check_keys(document, require, notices)
    given = [split for split in SPLITS if document.data.get(split) is not None]
    named = document.data.get("names") is not None
    classes = read_classes(document, read_names(document, given)) if named else {}
    places = YamlPaths(document, notices, root)
    splits = {split: places.entries(split) for split in given}
    description = DataDescription(
        source=document.path,
        root=places.root,
        classes=classes,
        splits=splits,
        labels=places.per_split("labels"),
        annotations={
            split: json_in(place, split, splits.get(split, ())) or place
            for split, place in places.per_split("annotations").items()
        },
        lines={str(key): document.where(key) for key in document.data},
        long_rows=_long_rows(document),
        channels=read_channels(document),
        mm_per_px=_pixel_size(document),
    )
    if not named:
        description = _named_by_jsons(description, document, require, notices)
    for changes in dict.fromkeys(classes.words() for classes in description.classes.values()):
        if changes:
            notices.append(f"{document.where('remap')}: {changes}")
    return description


def _of_world(document: Document, root: str | Path) -> DataDescription:
    """Of a world, whose first pictures lie in the user's cache."""
    if root:
        raise ConfigError(f"data.root {printable(str(root))}: replaces the path of a data YAML, but a world has none")
    world = read_world(document)
    folder = sample_folder(world)
    return DataDescription(
        source=document.path,
        root=folder,
        classes={split: ClassMap.plain(world.names) for split in WORLD_SPLITS},
        splits={split: (folder / "images" / split,) for split in WORLD_SPLITS},
        labels={},
        annotations={},
        lines={split: document.where("world") for split in WORLD_SPLITS},
        world=world,
    )


def _pixel_size(document: Document) -> float | None:
    value = document.data.get("mm_per_px")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= LARGEST_PIXEL:
        what = f"is the side of a pixel in mm, a number above 0, up to {LARGEST_PIXEL:,}, not {shown(value)}"
        raise document.error(f"'mm_per_px' {what}", "mm_per_px")
    return float(value)


def _long_rows(document: Document) -> LongRows:
    """What `rows` and `kpt_shape` say."""
    kind, shape = document.data.get("rows"), document.data.get("kpt_shape")
    if kind not in (None, "boxes", "polygons"):
        words = "says what txt rows of more than five numbers are: 'boxes' (with more columns) or 'polygons'"
        raise document.error(f"'rows' {words}, not {printable(repr(kind))[:60]}", "rows")
    if shape is None:
        return LongRows(kind or "unsaid")
    if not (isinstance(shape, list) and [type(n) for n in shape] == [int, int] and 0 < shape[0] and shape[1] in (2, 3)):
        raise document.error("'kpt_shape' is [points, 2 or 3], e.g. [17, 3]; the points are not read", "kpt_shape")
    if kind == "polygons":
        raise document.error("'rows: polygons' and 'kpt_shape' exclude each other; remove one", "rows")
    return LongRows("boxes", shape[0] * shape[1])


def _named_by_jsons(
    description: DataDescription, document: Document, require: Sequence[str], notices: list[str]
) -> DataDescription:
    """With the categories of the COCO jsons as classes."""
    for split in require:
        check_present(description, split)
    names, said = of_categories(
        {
            split: all_jsons(description.root, split, entries, description.annotations.get(split))
            for split, entries in description.splits.items()
        }
    )
    if not names:
        forms = (
            "'names: [knot, crack]', 'names: FILE.txt' (one per line) or 'annotations: {train: annotations/train.json}'"
        )
        raise document.error(f"'names' is missing, and no COCO json is there; add e.g. {forms}", "names")
    check_count(document, names)
    notices += said
    return replace(description, classes=read_classes(document, names))


def _of_folder(folder: Path, root: str | Path, notices: list[str]) -> DataDescription:
    """A folder without data.yaml, read by its layout."""
    if root:
        raise ConfigError(f"data.root {printable(str(root))}: replaces the path of a data YAML, but --data is a folder")
    folder = folder.absolute()
    layout = read_layout(folder)
    notices += layout.notices
    return DataDescription(
        source=folder,
        root=folder,
        classes={split: ClassMap.plain(names) for split, names in layout.names.items()},
        splits={split: (place,) for split, place in layout.splits.items()},
        labels={},
        annotations={},
        lines={split: printable(str(place)) for split, place in layout.splits.items()},
    )


def check_present(description: DataDescription, split: str) -> None:
    """Raise when something named for `split` does not exist: DataError, or ConfigError for a folder without it."""
    if split not in description.splits:
        raise ConfigError(f"{printable(str(description.source))}: {no_split(split)}")
    for entry in description.splits[split]:
        if not os.path.exists(entry) and next(expand_glob(entry), None) is None:
            raise missing(description.lines[split], split, entry)
    for key, folders in (("labels", description.labels), ("annotations", description.annotations)):
        if split in folders and not os.path.exists(folders[split]):
            raise missing(description.lines[key], f"{key} of {split}", folders[split])
    if os.path.isdir(folder := description.annotations.get(split, "")):
        where, shown = f"{description.lines['annotations']}: annotations of {split}", printable(str(folder))
        raise DataError(f"{where}: {shown} holds no json, or several; put {split}.json (COCO) there, or name the file")


def open_source(path: str | Path, notices: list[str]) -> Document | Path:
    """The data YAML meant by `path`, parsed, or the folder when it has none; see `read_description`."""
    place = _find(path, notices)
    return place if os.path.isdir(place) else read_yaml(place)


def _find(path: str | Path, notices: list[str]) -> Path:
    given = Path(path)
    if os.path.isdir(given):
        for name in ("data.yaml", "data.yml"):
            if os.path.isfile(given / name):
                return given / name
        return given
    yamls = [given] if given.suffix in (".yaml", ".yml") else [given, given.with_name(given.name + ".yaml")]
    folders = [Path(), SHIPPED]
    for candidate in (folder / name for folder in folders for name in yamls):
        if os.path.isfile(candidate):
            return candidate
    for candidate in (SHIPPED / name.name for name in yamls):
        if os.path.isfile(candidate):
            notices.append(f"{printable(str(path))} does not exist; taking {candidate.name} of cfg/data")
            return candidate
    near = did_you_mean(yamls[-1].name, [p.name for p in siblings(given)] + [p.name for p in siblings(SHIPPED / "x")])
    raise ConfigError(f"{printable(str(path))}: data YAML not found, neither as given nor in cfg/data{near}")


def _check_keys(document: Document, require: Sequence[str], notices: list[str]) -> None:
    for key in document.data:
        if key in IGNORED:
            notices.append(f"{document.where(key)}: '{key}' {IGNORED[key]}")
        elif key not in KEYS:
            near = did_you_mean(str(key), KEYS)
            raise document.error(
                f"unknown key '{printable(str(key)[:60])}'{near or '; known are ' + ', '.join(KEYS)}", key
            )
    for key in require:
        if document.data.get(key) is None:
            raise document.error(f"'{key}' is missing: where are its pictures? {EXAMPLE}", key)
