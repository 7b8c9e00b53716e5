"""val.py's options of an inspection -> InspectionConfig."""

from __future__ import annotations

from collections.abc import Sequence

from utils.config.flags import ValFlags
from utils.inspection.decisions import parse_cost
from utils.inspection.sizes import BINS, parse_bins
from utils.inspection.summary import InspectionConfig
from utils.scoring.matching import MatchRule
from utils.values.record import Record
from utils.words.errors import ConfigError, DataError


def inspection_config(
    flags: ValFlags | None, lowest: float, mm_per_px: float | None, records: Sequence[Record]
) -> InspectionConfig:
    """How to look, as `flags` say (None: the defaults), at detections gathered from the confidence `lowest` on.

    Raises ConfigError for options that contradict each other, and DataError where a least cost is asked for without
    good or without bad pictures.
    """
    plain = InspectionConfig(bins=default_bins(mm_per_px), mm_per_px=mm_per_px, lowest=lowest)
    if flags is None:
        return plain
    if flags.cost and flags.fa_per_image is not None:
        raise ConfigError("--cost and --fa-per-image: both choose the thresholds; give one of them")
    if flags.match == "center" and flags.match_iou is not None:
        raise ConfigError("--match-iou: has no meaning with --match center; leave one out")
    if flags.match_iou == 0:
        raise ConfigError("--match-iou 0: must be above 0, else every box lies on every other")
    config = InspectionConfig(
        rule=MatchRule(flags.match, 0.5 if flags.match_iou is None else flags.match_iou),
        false_per_picture=0.1 if flags.fa_per_image is None else flags.fa_per_image,
        cost=parse_cost(flags.cost) if flags.cost else None,
        bins=parse_bins(flags.bins) if flags.bins else plain.bins,
        mm_per_px=mm_per_px,
        lowest=lowest,
    )
    if config.cost is not None:
        _check_weighable(records)
    return config


def refuse_with_predictions(flags: ValFlags) -> None:
    """--from-preds needs no network, so what is said to one would be ignored. Raises ConfigError."""
    if not flags.data:
        raise ConfigError("--from-preds: needs --data, the data YAML or folder whose pictures were looked at")
    given = {
        "--weights": flags.weights,
        "--conf": flags.conf_thres is not None,
        "--iou": flags.iou_thres is not None,
        "--max-det": flags.max_det is not None,
        "--imgsz": flags.imgsz is not None,
        "--half": flags.half,
        "--prompts": flags.prompts is not None,
        "--map-classes": flags.map_classes,
        "--save-txt": flags.save_txt,
        "--task speed": flags.task == "speed",
    }
    for option, asked in given.items():
        if asked:
            raise ConfigError(
                f"{option}: has no meaning with --from-preds, whose detections are ready made; leave it out"
            )


def default_bins(mm_per_px: float | None) -> tuple[float, ...]:
    """0, 8, 16, 32, 96 px; as many mm as that is where a pixel's size is known."""
    return BINS if mm_per_px is None else tuple(float(f"{edge * mm_per_px:.3g}") for edge in BINS)


def _check_weighable(records: Sequence[Record]) -> None:
    good = any(record.good for record in records)
    bad = any(not record.crowd.all() for record in records)
    for kind, some in (("good", good), ("bad", bad)):
        if not some:
            raise DataError(f"--cost: there are no {kind} pictures to weigh; use --fa-per-image instead")
