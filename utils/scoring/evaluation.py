"""Detections against the truth: one way to score, wherever they come from, with each part computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from utils.scoring import coco, metrics
from utils.scoring.box_pairs import NEAREST, Pairs, pair_up
from utils.scoring.matching import Matching, MatchRule, match
from utils.scoring.score_summary import report_of
from utils.values.detections import Detections
from utils.values.record import Record
from utils.values.report import Report

DEFAULT_CONFIDENCE = 0.25  # where there is no best one
COCO_RULE = MatchRule()  # IoU >= 0.5, as in AP50


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Pictures with their truth, and `results`, the rows of predictions.json (COCO's results format).

    Everything else follows from these. It is computed on first use and then kept: nothing is matched twice.
    Detections come from the rows, not from what the rows were made of, so that the file alone gives the same numbers.
    `names` and `category_ids` (K,) are the classes and their ids in COCO's files, `losses` the mean losses if any.
    `unnamed` are detections, by index of the record, of something that is none of the classes, all of label 0; they are
    in no score of the classes. None: nobody looked for such.
    Not among `records` are those `skipped` pictures of the split that were bad from the start, and those `lost` since,
    by their index among the others with the reason.
    """

    records: Sequence[Record]
    names: tuple[str, ...]
    category_ids: tuple[int, ...]
    results: list[dict[str, Any]]
    losses: dict[str, float] = field(default_factory=dict)
    skipped: int = 0
    lost: Mapping[int, str] = field(default_factory=dict)
    unnamed: Mapping[int, Detections] | None = None

    @property
    def notes(self) -> tuple[str, ...]:
        """What must stand beside every number: that they are not of all pictures, where that is so."""
        used, missing = len(self.records), self.skipped + len(self.lost)
        return (f"AP on {used:,} of {used + missing:,} pictures: {missing:,} could not be used",) if missing else ()

    @property
    def detections_in_split(self) -> dict[int, Detections]:
        """`detections` by the index that a picture has together with those that are lost."""
        kept = (index for index in range(len(self.records) + len(self.lost)) if index not in self.lost)
        return dict(zip(kept, self.detections.values(), strict=True))

    @cached_property
    def truth(self) -> dict[str, Any]:
        """truth.json: the truth in COCO's format."""
        return coco.truth_json(self.records, self.names, self.category_ids)

    @cached_property
    def files(self) -> tuple[str, ...]:
        """What each picture is called in the files."""
        return tuple(image["file_name"] for image in self.truth["images"])

    @cached_property
    def detections(self) -> dict[int, Detections]:
        """The detections of each picture, by index of its record, in px of the original picture."""
        image_ids = [record.image_id for record in self.records]
        return coco.detections_of(self.results, image_ids, self.category_ids, self.names)

    @cached_property
    def pairs(self) -> Pairs:
        """Which detections and truth boxes are near each other."""
        return pair_up(self.records, self.detections, len(self.names))

    @cached_property
    def matching(self) -> Matching:
        """What finds what at IoU 0.5."""
        return match(self.pairs, COCO_RULE)

    @cached_property
    def class_blind(self) -> Matching:
        """The same when all classes count as one."""
        return match(self.pairs.class_blind, COCO_RULE)

    def matched_by(self, rule: MatchRule) -> Matching:
        """What finds what under another rule."""
        if rule == COCO_RULE:
            return self.matching
        if rule.iou >= NEAREST:
            return match(self.pairs, rule)
        # the kept pairs leave out what this rule still counts as a hit
        return match(pair_up(self.records, self.detections, len(self.names), rule.iou), rule)

    def unnamed_by(self, rule: MatchRule) -> Matching | None:
        """Which truth boxes, of whatever class, the detections that are none of the classes find."""
        if self.unnamed is None:
            return None
        records = [replace(one, labels=np.minimum(one.labels, 0)) for one in self.records]  # EVERY_CLASS stays
        return match(pair_up(records, self.unnamed, 1, min(rule.iou, NEAREST)), rule)

    @cached_property
    def coco_scores(self) -> coco.CocoScores:
        """COCO's 12 numbers, AP and AP50 per class."""
        return coco.score(self.truth, self.results, self.category_ids)

    @cached_property
    def curves(self) -> metrics.Curves:
        """Precision and recall at IoU 0.5 over the confidence."""
        return metrics.curves(self.matching)

    @cached_property
    def report(self) -> Report:
        """The scores as one value."""
        report = report_of(self.pairs, self.names, self.coco_scores, self.curves, self.losses)
        return replace(report, notes=self.notes)

    @property
    def confidence(self) -> float:
        """The confidence at which tables and confusion matrix judge: that of the best mean F1, if there is one."""
        return DEFAULT_CONFIDENCE if self.report.confidence is None else self.report.confidence

    @cached_property
    def confusion(self) -> np.ndarray:
        """(K + 1, K + 1) counts at `confidence`; see utils.scoring.metrics.confusion."""
        return metrics.confusion(self.pairs, self.class_blind, self.confidence)
