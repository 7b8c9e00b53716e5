"""What val.py's --thresholds names: thresholds, and how the detections were made that they were chosen on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from utils.deciding.threshold_file import DetectionSettings, Limits, read_limits, read_making
from utils.flags.detect_flags import DetectFlags
from utils.flags.looking_flags import LookingFlags
from utils.flags.val_flags import ValFlags
from utils.values.unknown_defect import UNKNOWN

L = TypeVar("L", bound=LookingFlags)


def tiles_as_made(flags: L, made: DetectionSettings) -> L:
    """The flags, where they name no tiles with those that the detections were `made` with, if that is known."""
    if flags.tile is not None or (made.imgsz is None and made.tile is None):
        return flags
    overlap = made.tile_overlap if flags.tile_overlap is None else flags.tile_overlap
    full = made.tile_full if flags.tile_full is None else flags.tile_full
    return replace(flags, tile=made.tile or 0, tile_overlap=overlap, tile_full=full)


def made_as(flags: ValFlags) -> ValFlags:
    """The flags, where they say nothing with the settings that the thresholds of --thresholds were chosen with."""
    if not flags.thresholds:
        return flags
    made = read_making(flags.thresholds)
    flags = tiles_as_made(flags, made)
    iou = made.iou if flags.iou_thres is None else flags.iou_thres
    most = made.max_det if flags.max_det is None else flags.max_det
    return replace(flags, iou_thres=iou, max_det=most, imgsz=flags.imgsz or made.imgsz)


def asked_settings(flags: ValFlags | DetectFlags, stride: int) -> DetectionSettings:
    """What the flags themselves say of how detections are made, for a network of `stride` px."""
    size = flags.imgsz and -(-flags.imgsz // stride) * stride
    tiles = flags.tile, flags.tile_overlap, flags.tile_full
    return DetectionSettings(flags.iou_thres, flags.max_det, size, *tiles)


def given_limits(flags: ValFlags, names: Sequence[str]) -> Limits | None:
    """The limits for the data's classes `names`."""
    names = (*names, UNKNOWN) if flags.unknown else names
    return read_limits(flags.thresholds, names) if flags.thresholds else None
