"""Which detection finds which truth box."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from utils.scoring.box_pairs import Pairs

NOTHING, IGNORED = -1, -2  # what a detection takes when it takes no truth box


@dataclass(frozen=True)
class MatchRule:
    """When a detection lies on a truth box: IoU >= `iou`, or `by="center"`: its centre lies in the truth box (tiny
    boxes rarely reach an IoU of 0.5).
    """

    by: Literal["iou", "center"] = "iou"
    iou: float = 0.5

    def on(self, pairs: Pairs) -> np.ndarray:
        """(Q,) bool: the pairs that lie on each other."""
        return pairs.centred if self.by == "center" else pairs.iou >= self.iou

    def forgiven(self, pairs: Pairs) -> np.ndarray:
        """(M,) bool: the detections that lie in a region to ignore."""
        return pairs.share_centred if self.by == "center" else pairs.share >= self.iou

    def __str__(self) -> str:
        return "centre in the truth box" if self.by == "center" else f"IoU >= {self.iou:g}"


@dataclass(frozen=True, eq=False)
class Matching:
    """`taken` (M,) int64: the truth box that each detection of `pairs` takes under `rule`, NOTHING, or IGNORED."""

    pairs: Pairs
    rule: MatchRule
    taken: np.ndarray

    @property
    def hit(self) -> np.ndarray:
        """(M,) bool: the detections that are right."""
        return self.taken >= 0

    @property
    def counts(self) -> np.ndarray:
        """(M,) bool: hits and false alarms; what lies in a region to ignore is neither."""
        return self.taken != IGNORED

    @property
    def false(self) -> np.ndarray:
        """(M,) bool: false alarms, duplicates among them."""
        return self.taken == NOTHING

    def found_at(self) -> np.ndarray:
        """(T,) score of the detection that finds each truth box, -inf where none does."""
        scores = np.full(len(self.pairs.truth), -np.inf)
        scores[self.taken[self.hit]] = self.pairs.scores[self.hit]
        return scores

    def of_pictures(self, chosen: np.ndarray) -> Matching:
        """The same for the pictures `chosen` (P,) bool alone, which are numbered anew."""
        numbers = chosen[self.pairs.truth.picture].cumsum() - 1
        place = np.append(numbers, (IGNORED, NOTHING))  # -2 and -1: what takes no box finds itself there
        taken = self.taken[chosen[self.pairs.detections.picture]]
        return Matching(self.pairs.of_pictures(chosen), self.rule, place[taken])


def match(pairs: Pairs, rule: MatchRule) -> Matching:
    """Each detection of a picture, best score first, takes the free truth box of its class that it overlaps most among
    those it lies on. What takes none and lies in a region to ignore is IGNORED.

    Because of that order, the hits of at least some score are the same whether lower scores are there or not.
    """
    labels, truth_labels = pairs.detections.labels, pairs.truth.labels
    on = rule.on(pairs) & (labels[pairs.detection] == truth_labels[pairs.truth_box])
    # pairs are ordered by detection (best first in its picture), then by falling IoU: one greedy pass is enough
    taken = [NOTHING] * len(pairs.detections)
    free = [True] * len(pairs.truth)
    for one, box in zip(pairs.detection[on].tolist(), pairs.truth_box[on].tolist(), strict=True):
        if free[box] and taken[one] == NOTHING:
            taken[one], free[box] = box, False
    result = np.array(taken, np.int64)
    result[(result == NOTHING) & rule.forgiven(pairs)] = IGNORED
    return Matching(pairs, rule, result)
