"""Looks for defects in a picture with the network in model.onnx; infer.py does so with a folder of pictures.

A program of your own takes `Detector(folder)(picture)`. A picture is looked at as a whole or, where thresholds.yaml or
the network's training says so, in tiles: tiles.py knows where they lie, and merging.py makes one list of what is found
in them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
import yaml
from onnxruntime.capi import onnxruntime_pybind11_state as refusals

from utils.tiling.merging import SURE, Pieces, merge_tiles
from utils.tiling.tiles import Tiling

FORMAT = 1  # of what model.onnx says of itself
LEAST = 0.001  # a score below which nothing is looked at for its own sake
CANDIDATES = 30_000  # boxes that suppression looks at, the surest ones
UNKNOWN, SAME = "unknown defect", 0.5  # a class that gives way to any other that shows the same thing, by IoU
FAILURES = tuple(kind for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, Exception))
# What `nms` of thresholds.yaml may say: from, to, and a step if not every number between is one.
RANGES: dict[str, tuple[float, float, int]] = {"iou": (0, 1, 0), "max_det": (1, 100_000, 1), "imgsz": (32, 16_384, 1)}
RANGES |= {"tile": (0, 16_384, 1), "tile_overlap": (0, 0.9, 0), "tile_full": (0, 1, 1)}


class Mistake(Exception):
    """Something to be mended by whoever started this: `where: what is wrong; what to do`."""


class Unreadable(Exception):
    """Why a picture could not be looked at."""


@dataclass(frozen=True)
class Found:
    """What is found in a picture, the surest first: boxes (N, 4) x1, y1, x2, y2 px, scores (N,), classes (N,)."""

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray

    def only(self, which: Any) -> Found:
        """Those at these places, or where it is true."""
        return Found(self.boxes[which], self.scores[which], self.labels[which])

    @property
    def verdict(self) -> str:
        """Of the part in the picture."""
        return "NG" if len(self.boxes) else "OK"


def open_model(path: Path, threads: int) -> tuple[onnxruntime.InferenceSession, dict[str, Any]]:
    """The network, and what it says of itself. Raises Mistake."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 4
    content = path.read_bytes()  # given as bytes, it is all that is read
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        about = json.loads(session.get_modelmeta().custom_metadata_map.get("detector", "{}"))
    except (ValueError, *FAILURES) as error:  # type: ignore[misc]
        raise Mistake(f"{path}: onnxruntime refuses it: {error}; take the bundle anew") from error
    reason, inputs = "", sorted(one.name for one in session.get_inputs())
    if "format" not in about:
        reason = "was not made by python -m models.export; take that of the bundle"
    elif about["format"] != FORMAT:
        reason = "is of another version than this infer.py; take both from one bundle"
    elif about.get("channels") != ["r", "g", "b"]:
        reason = "looks at other planes than r, g, b; run it by detect.py --weights"
    elif inputs != (["conf", "images", "iou", "max_det"] if about.get("nms") else ["images"]):
        reason = f"has inputs that are not known here, {', '.join(inputs)}; run it by detect.py --weights"
    if reason:
        raise Mistake(f"{path}: {reason}")
    return session, about


def read_limits(path: Path, names: Sequence[str], stride: int) -> tuple[list[float], dict[str, float], str]:
    """The threshold of each class of these names, what `nms` says, see RANGES, for a network of `stride` px, and the
    file of the zones in which alone defects counted when they were chosen ("": everywhere). Raises Mistake.
    """
    try:
        top = entries(yaml.compose(path.read_bytes().decode("utf-8-sig"), Loader=yaml.SafeLoader))
        given = {name: float(node.value) for name, node in entries(top.pop("thresholds", None)).items()}
        made = {name: number(node.value) for name, node in entries(top.pop("nms")).items()} if "nms" in top else {}
        zones = str(entries(top.pop("zones"))["file"].value) if "zones" in top else ""
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise Mistake(f"{path}: cannot be understood: {error}; mend it, or take that of the bundle") from error
    lacking, unknown = ([name for name in one if name not in other] for one, other in ((names, given), (given, names)))
    if lacking or set(unknown) - {UNKNOWN}:
        reason = f"no threshold for {', '.join(lacking)}" if lacking else f"unknown class {', '.join(unknown)}"
        raise Mistake(f"{path}: {reason}; the network knows {', '.join(names)}")
    wrong = [name for name, score in given.items() if not (0 <= score <= 1 or score == 2)]  # 2: never
    wrong += sorted(top.keys() - {"weights", "pictures", "answers"})
    if wrong:
        raise Mistake(f"{path}: {', '.join(wrong)}: not known here, or not from 0 to 1 as a threshold is; mend it")
    if fault := fault_in(made, stride):
        raise Mistake(f"{path}: nms: {fault}; mend it, or take that of the bundle")
    return [given[name] for name in names], made, zones


def number(text: str) -> float:
    """A value of `nms`: a number, or true or false as 1 or 0. Raises ValueError."""
    return float({"true": 1, "false": 0}.get(text.lower(), text))


def fault_in(made: Mapping[str, float], stride: int) -> str:
    """What is wrong with the values of `nms`; "" if nothing is."""
    for name, value in made.items():
        if name not in RANGES:
            return f"{name}: not known here; known are {', '.join(RANGES)}"
        low, high, step = RANGES[name]
        if not low <= value <= high or (step and value % step):
            return f"{name} {value:g}: must be a {'whole ' * bool(step)}number from {low} to {high}"
    side, parts = int(made.get("tile", 0)), made.keys() & {"tile", "tile_overlap", "tile_full"}
    if side % stride:
        return f"tile {side}: must be a multiple of the network's stride {stride}, as {-(-side // stride) * stride} is"
    if parts and "imgsz" not in made:
        return f"{', '.join(sorted(parts))}: also needs imgsz, px of the network's input"
    if not side and ("tile_overlap" in parts or made.get("tile_full")):
        return "tile_overlap, tile_full: pictures are looked at as a whole; add tile, or leave them out"
    return ""


def tiling_for(made: Mapping[str, float], trained: Mapping[str, Any]) -> Tiling | None:
    """How pictures are cut, None: not at all. As the thresholds were chosen where that is known, else, and in what is
    not said of it, as the network was `trained`.
    """
    side = made.get("tile", 0) if "imgsz" in made else trained.get("tile", 0)
    overlap = made.get("tile_overlap", trained.get("tile_overlap", 0.2))
    whole = made.get("tile_full", trained.get("tile_full", False))
    return Tiling(int(side), float(overlap), bool(whole)) if side else None


def entries(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """The values of a YAML map by their keys as they are written, so that a class may be called 1.10 or yes."""
    named = {str(key.value): value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}
    if not isinstance(node, yaml.MappingNode) or len(named) < len(node.value):
        raise ValueError("expected are thresholds, and below it lines like `name: 0.5`, each name once")
    return named


def letterbox(image: np.ndarray, imgsz: int, stride: int, padding: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The picture (H, W, 3) resized to `imgsz` amid grey, its sides multiples of `stride`; the scale and shift of boxes
    (4,) float64, from px of the picture to px of the input.
    """
    height, width = image.shape[:2]
    scale = imgsz / max(height, width)
    canvas = [max(math.ceil(round(side * scale, 6) / stride), 1) * stride for side in (height, width)]
    scale = min(canvas[0] / height, canvas[1] / width)
    high = min(max(round(height * scale), 1), canvas[0])
    wide = min(max(round(width * scale), 1), canvas[1])
    top, left = (canvas[0] - high) // 2, (canvas[1] - wide) // 2
    if (high, wide) != (height, width):
        image = cv2.resize(image, (wide, high), interpolation=cv2.INTER_AREA if high < height else cv2.INTER_LINEAR)
    padded = np.full((*canvas, 3), padding, np.uint8)
    padded[top : top + high, left : left + wide] = image
    return padded, np.array([wide / width, high / height] * 2), np.array([left, top] * 2, np.float64)


class Detector:
    """The network in a folder, with its thresholds: picture (H, W, 3) uint8 RGB -> what counts as a defect in it."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        """Raises Mistake. `threads` 0: as many as onnxruntime thinks best."""
        self.session, about = open_model(folder / "model.onnx", threads)
        self.names, self.stride, self.padding = about["names"], about["stride"], about["letterbox"]["padding"]
        self.full, self.shape, self.suppresses = np.float32(about["scale"]), about["shape"], about["nms"]
        self.limits, made, self.zones = read_limits(folder / "thresholds.yaml", self.names, self.stride)
        lowest = min(max(min(self.limits) - 2e-6, 0.0), 1.0)  # a hair below the least threshold
        self.iou, self.most = made.get("iou", 0.45), int(made.get("max_det", 1000))
        self.imgsz = int(made.get("imgsz", about["imgsz"]))
        self.tiling = tiling_for(made, about["config"].get("data", {}))
        # in tiles also what is faint, which has a say in how far a thing reaches
        self.lowest = np.float32(min(lowest, max(lowest * SURE, LEAST)) if self.tiling else lowest)

    def areas(self, image: np.ndarray) -> np.ndarray:
        """(T, 4) int32 x1, y1, x2, y2 px: the parts of a picture that are looked at, one after the other."""
        height, width = image.shape[:2]
        if self.tiling is None:
            return np.array([[0, 0, width, height]], np.int32)
        return self.tiling.areas((height, width))

    def __call__(self, image: np.ndarray) -> Found:
        """Raises Unreadable."""
        areas = self.areas(image)
        tiles = [self.in_area(image, area) for area in areas]
        found = tiles[0] if len(tiles) == 1 else self.joined(tiles, areas, image)
        rounded = zip(found.scores.tolist(), found.labels, strict=True)
        counts = [round(score, 6) >= self.limits[label] for score, label in rounded]
        found = found.only(np.array(counts, bool))
        new = np.array([self.names[label] == UNKNOWN for label in found.labels], bool)
        twice = [(overlaps(box, found.boxes[~new]) >= SAME).any() for box in found.boxes]
        return found.only(~(new & np.array(twice, bool)))

    def in_area(self, image: np.ndarray, area: np.ndarray) -> Found:
        """What the network finds in the part `area` (4,) of a picture, in px of the picture. Raises Unreadable."""
        left, top, right, bottom = area.tolist()
        padded, scale, shift = letterbox(image[top:bottom, left:right], self.imgsz, self.stride, self.padding)
        try:
            found = self.candidates(self.inputs(padded))
        except FAILURES as error:
            raise Unreadable(f"the network fails on it: {error}") from error
        found = found.only(np.isfinite(found.boxes).all(1))
        found = found.only(np.argsort(-found.scores, kind="stable")[:CANDIDATES])
        found = found.only(suppress(found, self.iou, self.most))
        shift -= scale * [left, top, left, top]
        boxes = (found.boxes - shift.astype(np.float32)) / scale.astype(np.float32)
        edges = np.array([left, top, right, bottom], np.float32)
        found = Found(np.clip(boxes, np.tile(edges[:2], 2), np.tile(edges[2:], 2)), found.scores, found.labels)
        return found.only((found.boxes[:, 2:] > found.boxes[:, :2]).all(1))  # not what lies in the grey

    def joined(self, tiles: Sequence[Found], areas: np.ndarray, image: np.ndarray) -> Found:
        """What was found in each of the `areas` (T, 4) of a picture, as one list."""
        boxes = np.concatenate([one.boxes for one in tiles])
        scores, labels = np.concatenate([one.scores for one in tiles]), np.concatenate([one.labels for one in tiles])
        pieces = Pieces(boxes, scores, labels, np.repeat(areas, [len(one.scores) for one in tiles], 0))
        pieces = pieces.at(np.argsort(-scores, kind="stable")[:CANDIDATES])
        return Found(*merge_tiles(pieces, (image.shape[0], image.shape[1]), self.iou, self.most))

    def inputs(self, padded: np.ndarray) -> np.ndarray:
        """A letterboxed picture as the network takes it, (B, 3, H, W) float32 in 0..1."""
        batch, height, width = self.shape or (1, *padded.shape[:2])
        if padded.shape[0] > height or padded.shape[1] > width:
            said = f"makes {padded.shape[1]} x {padded.shape[0]} px, model.onnx takes {width} x {height}"
            raise Unreadable(f"{said}; export it without --static, or for this size")
        images = np.full((batch, 3, height, width), self.padding / self.full, np.float32)
        images[:, :, : padded.shape[0], : padded.shape[1]] = padded.transpose(2, 0, 1).astype(np.float32) / self.full
        return images

    def candidates(self, images: np.ndarray) -> Found:
        """What scores above the least threshold, in px of the input, whether the file has suppressed or not."""
        if self.suppresses:
            making = {"iou": np.array(self.iou, np.float32), "max_det": np.array(self.most, np.int64)}
            conf = np.full(len(self.names), self.lowest)
            rows, count = self.session.run(["detections", "count"], {"images": images, "conf": conf, **making})
            boxes, scores, labels = np.split(rows[0, : count[0]], [4, 5], 1)
            return Found(boxes, scores[:, 0], labels[:, 0].astype(np.int64))
        (predictions,) = self.session.run(["predictions"], {"images": images})
        table = predictions[0, :, 4:]
        if np.isnan(table).any():
            raise Unreadable("the network fails on it: its scores are no numbers")
        place, label = np.nonzero(table > self.lowest)
        return Found(predictions[0, place, :4], table[place, label], label)


def suppress(found: Found, limit: float, most: int) -> list[int]:
    """The places of those to keep: the surest, then the surest that overlaps none of its class by more, and so on."""
    kept, left = list[int](), np.arange(len(found.boxes))
    while len(left) and len(kept) < most:
        best, left = left[0], left[1:]
        kept.append(int(best))
        rival = found.labels[left] == found.labels[best]
        rival[rival] = overlaps(found.boxes[best], found.boxes[left[rival]]) > limit
        left = left[~rival]
    return kept


def overlaps(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(4,) and (N, 4) boxes -> (N,) IoU."""
    width, height = (np.minimum(one[k + 2], others[:, k + 2]) - np.maximum(one[k], others[:, k]) for k in (0, 1))
    inner = np.maximum(width, 0) * np.maximum(height, 0)
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    return inner / np.maximum((one[2] - one[0]) * (one[3] - one[1]) + areas - inner, np.float32(1e-12))
