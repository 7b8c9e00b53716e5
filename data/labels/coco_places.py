"""Where the COCO json of a split lies."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from data.files.folders import expand_glob

OWN = ("annotations", "Annotations")  # folders of jsons


def find_coco(root: Path, split: str, entries: Iterable[Path]) -> Path | None:
    """A COCO json in a usual place that speaks about `split`, whose pictures lie in `entries`.

    <split>.json or instances_<split>.json in annotations/ below the root, in labels/<split>/annotations/ (the GCD and
    MMIOC trees) or in annotations/ beside the pictures' folder images/; train.json too in the latter two, as MMIOC's
    README has it for both splits; _annotations.coco.json beside the pictures (Roboflow). <split> may also be the name
    of the folder.
    """
    return next((path for path in coco_places(root, split, entries) if os.path.isfile(path)), None)


def coco_places(root: Path, split: str, entries: Iterable[Path]) -> list[Path]:
    """Where `find_coco` looks, likeliest first."""
    entries = list(entries)
    stems = _stems(split, entries)
    names = [f"{prefix}{stem}.json" for prefix in ("", "instances_") for stem in stems]
    own = [root / "labels" / stem / "annotations" for stem in stems]
    own += [entry.parent / name for entry in entries if _is_images(entry) and entry.parent != root for name in OWN]
    homes = [*(root / name for name in OWN), *own]
    paths = [home / name for name in names for home in homes]
    paths += [home / "train.json" for home in own]
    return paths + [entry / "_annotations.coco.json" for entry in entries]


def json_in(folder: Path, split: str, entries: Iterable[Path]) -> Path | None:
    """The json of `split` in a folder that `annotations` names: the only one, else the one called like the split.

    None when there is no such json, or `folder` is none.
    """
    found = sorted(path for path in folder.glob("*.json") if path.is_file())
    if len(found) == 1:
        return found[0]
    names = [f"{prefix}{stem}.json" for prefix in ("", "instances_") for stem in _stems(split, entries)]
    return next((folder / name for name in names if folder / name in found), None)


def all_jsons(root: Path, split: str, entries: Iterable[Path], annotations: Path | None) -> list[Path]:
    """Every COCO json that speaks about `split`: listed as its pictures, under `annotations`, else in a usual place."""
    entries = list(entries)
    listed = [path for entry in entries for path in (entry, *sorted(expand_glob(entry)))]
    found = [path for path in (*listed, *([annotations] if annotations else [])) if path.suffix.lower() == ".json"]
    found = [path for path in found if os.path.isfile(path)]
    if not found and (usual := find_coco(root, split, entries)) is not None:
        found = [usual]
    return list(dict.fromkeys(found))


def _stems(split: str, entries: Iterable[Path]) -> list[str]:
    """What the json may be called: the split, and the folder of its pictures."""
    return list(dict.fromkeys((split, *(e.parent.name if _is_images(e) else e.name for e in entries))))


def _is_images(entry: Path) -> bool:
    return entry.name.lower() == "images"
