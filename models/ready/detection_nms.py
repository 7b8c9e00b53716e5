"""How detect.py tells apart and counts what it finds."""

from __future__ import annotations

from models.inference.nms import NMSConfig
from utils.config.config import ValConfig
from utils.config.ranges import in_range
from utils.deciding.threshold_file import DetectionSettings, Limits


def nms_for(limits: Limits | None, conf: float | None, iou: float | None, max_det: int | None) -> NMSConfig:
    """NMS with the given values, else those that `limits` were chosen with, else detect.py's defaults. Raises
    ConfigError for a value out of its range.
    """
    lowest, made = (limits.lowest, limits.made) if limits else (None, DetectionSettings())
    conf = next(value for value in (conf, lowest, 0.25) if value is not None)
    iou = next(value for value in (iou, made.iou, 0.45) if value is not None)
    most = next(value for value in (max_det, made.max_det, 1000) if value is not None)
    return NMSConfig(
        conf=in_range(ValConfig, "conf", conf),
        iou=in_range(ValConfig, "iou", iou),
        max_det=in_range(ValConfig, "max_det", most),
    )
