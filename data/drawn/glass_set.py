"""The built-in glass set as files: pictures, labels, annotations, data.yaml."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm  # type: ignore[import-untyped]

from data.augment.scene import Scene
from data.drawn.glass import NAMES, GlassScene, render, sample_scene
from utils.words.errors import DataError, ResourceError, printable

STAMP = "# built-in glass set"  # begins the first line of a data.yaml of ours
VERSION = 1  # raised when the same seed draws other pictures, so that a stale folder is noticed
Planes = dict[str, np.ndarray]  # (S, S) of a second camera, by the last part of their names
Draw = Callable[[np.random.Generator], tuple[Scene, Planes]]  # a square picture, and a second camera's


@dataclass(frozen=True)
class SecondCamera:
    """Another camera on the same bottles: its folder, its lines of data.yaml, what it changes in the scene itself, and
    its pictures (S, S) by the last part of their names.
    """

    folder: str
    lines: str
    prepare: Callable[[GlassScene], GlassScene]
    render: Callable[[GlassScene], Planes]


def draw_picture(rng: np.random.Generator, size: int = 320) -> Scene:
    """A picture (size, size, 3) uint8 RGB of a bottle and its truth; labels are into NAMES."""
    bottle = sample_scene(rng, size)
    return Scene(render(bottle), *_truth(bottle))


def _truth(scene: GlassScene) -> tuple[np.ndarray, np.ndarray]:
    boxes = np.array([defect.box for defect in scene.defects], np.float32).reshape(-1, 4)
    return boxes, np.array([defect.label for defect in scene.defects], np.int64)


def write_glass(
    root: Path,
    train: int = 240,
    val: int = 40,
    size: int = 320,
    seed: int = 0,
    second: SecondCamera | None = None,
) -> Path:
    """The set as YOLO and COCO folder `root`; returns its data.yaml. The same set already there is kept.

    images/{train,val}/glass_0001.png, labels/{train,val}/*.txt (`class xc yc w h`, fractions; empty if good),
    annotations/{train,val}.json (COCO; ids from 1, category_id = class + 1). A `second` camera's pictures lie in its
    folder beside images: {train,val}/glass_0001_NAME.png. Raises DataError if `root` holds
    anything else, ResourceError if the disk refuses.
    """
    known = {"version": VERSION, "train": train, "val": val, "size": size, "seed": seed}

    def draw(rng: np.random.Generator) -> tuple[Scene, Planes]:
        scene = sample_scene(rng, size)
        if not second:
            return Scene(render(scene), *_truth(scene)), {}
        scene = second.prepare(scene)
        return Scene(render(scene), *_truth(scene)), second.render(scene)

    return write_set(root, known | {"second": second.folder} if second else known, draw, second)


def write_set(root: Path, known: Mapping[str, Any], draw: Draw, second: SecondCamera | None = None) -> Path:
    """A set of the layout of `write_glass`, of pictures that `draw` draws; returns its data.yaml.

    `known` is all that decides the pictures: with it a set that is already there is told from another. Its `train` and
    `val` are numbers of pictures, its `seed` makes a generator for each. Raises as `write_glass` does.
    """
    stamp = f"{STAMP} {json.dumps(known)}"
    if _holds(root, stamp):
        return root / "data.yaml"
    unfinished = root.parent / f".{root.name}.{uuid.uuid4().hex}"  # a sibling: renaming is one step
    try:
        for number, split in enumerate(("train", "val")):
            rngs = [np.random.default_rng([known["seed"], number, k]) for k in range(known[split])]
            _write_split(unfinished, split, rngs, draw, second.folder if second else "")
        names = "".join(f"  {k}: {name}\n" for k, name in enumerate(NAMES))
        text = (
            f"{stamp}\npath: .\ntrain: images/train\nval: images/val\nnames:\n{names}{second.lines if second else ''}"
        )
        (unfinished / "data.yaml").write_bytes(text.encode())
        unfinished.rename(root)
    except OSError as error:
        if not _holds(root, stamp):  # it does when another process finished the same set first
            raise ResourceError(f"{root}: cannot be written: {error.strerror or error}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return root / "data.yaml"


def _holds(root: Path, stamp: str) -> bool:
    """Whether `root` holds the set of this `stamp`; DataError when it holds anything else."""
    path = root / "data.yaml"
    found = path.read_text(encoding="utf-8", errors="replace").partition("\n")[0] if path.is_file() else ""
    ours = found.startswith(STAMP)
    if ours and found != stamp:
        raise DataError(f"{root}: holds{printable(found[1:])}, not{stamp[1:]}; delete that folder")
    if not ours and root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise DataError(f"{root}: exists and is no built-in glass set; choose another folder")
    return ours


def _write_split(root: Path, split: str, rngs: list[np.random.Generator], draw: Draw, beside: str) -> None:
    """Pictures, YOLO labels and COCO annotations of a split, one picture per generator; other planes in `beside`."""
    images, labels, annotations = root / "images" / split, root / "labels" / split, root / "annotations"
    for folder in (images, labels, annotations):
        folder.mkdir(parents=True, exist_ok=True)
    categories = [{"id": k + 1, "name": name} for k, name in enumerate(NAMES)]
    coco: dict[str, list[dict[str, Any]]] = {"images": [], "annotations": [], "categories": categories}
    for number, rng in enumerate(tqdm(rngs, desc=f"drawing {split}", disable=None), start=1):
        (scene, planes), stem, lines = draw(rng), f"glass_{number:04d}", ""
        for name, plane in planes.items():
            _write_png(root / beside / split / f"{stem}_{name}.png", plane)
        _write_png(images / f"{stem}.png", scene.planes[..., ::-1])
        height, width = scene.size  # equal
        coco["images"].append({"id": number, "file_name": f"{stem}.png", "width": width, "height": height})
        for label, (x1, y1, x2, y2) in zip(scene.labels.tolist(), scene.boxes.tolist(), strict=True):
            w, h = x2 - x1, y2 - y1
            fractions = (f"{value / width:.8f}" for value in (x1 + w / 2, y1 + h / 2, w, h))
            lines += f"{label} {' '.join(fractions)}\n"
            row = {"id": len(coco["annotations"]) + 1, "image_id": number, "category_id": label + 1}
            coco["annotations"].append(row | {"bbox": [x1, y1, w, h], "area": w * h, "iscrowd": 0})
        (labels / f"{stem}.txt").write_bytes(lines.encode())
    (annotations / f"{split}.json").write_bytes(json.dumps(coco, indent=1).encode())


def _write_png(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
