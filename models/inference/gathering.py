"""From what the views of a picture show to one list of detections: tiles, mirrored looks, several networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Literal

import numpy as np
import torch

from models.inference.box_fusion import fuse
from models.inference.found import Found
from models.inference.nms import NMSConfig, suppress
from utils.tiling.merging import Pieces, merge_tiles
from utils.values.detections import Detections

Merge = Literal["nms", "wbf"]


class Gathering:
    """Detections of pictures whose views may come in several batches; a picture is ready with its last view.

    Tiles of one look are joined first (utils/tiling/merging.py), then the looks, by NMS or by weighted box fusion. A
    picture with one view, the usual case, stays as found.
    """

    def __init__(self, nms: NMSConfig, names: tuple[str, ...], merge: Merge) -> None:
        self.nms, self.names, self.merge = nms, names, merge
        self.waiting: dict[int, list[Found]] = {}

    def add(self, founds: Iterable[Found]) -> dict[int, Detections]:
        """Enter more; returns the detections of the pictures that are complete now, by number."""
        ready = {}
        for found in founds:
            picture, parts = found.view.picture, found.view.parts * found.networks
            mine = self.waiting.setdefault(picture, [])
            mine.append(found)
            if len(mine) == parts:
                joined = self._joined(self.waiting.pop(picture))
                # of several views also what is too faint was taken, and what only some of them see has less in the end
                ready[picture] = joined.keep(joined.scores > self.nms.conf) if parts > 1 else joined
        return ready

    def _joined(self, founds: Sequence[Found]) -> Detections:
        """One list from all views of a picture, in whatever order they came."""
        ordered = sorted(founds, key=lambda found: (found.look, found.view.part))
        looks = [self._of_look(list(tiles)) for _, tiles in groupby(ordered, key=lambda found: found.look)]
        if len(looks) == 1:
            return looks[0]
        columns = [one.boxes for one in looks], [one.scores for one in looks], [one.labels for one in looks]
        boxes, scores, labels = map(torch.cat, columns)
        if self.merge == "wbf":
            owners = torch.arange(len(looks)).repeat_interleave(torch.tensor([len(one) for one in looks]))
            boxes, scores, labels = fuse(boxes, scores, labels, owners, len(looks), self.nms)
        else:
            order = scores.argsort(descending=True, stable=True)[: self.nms.max_candidates]
            keep = order[suppress(boxes[order], labels[order], self.nms)]
            boxes, scores, labels = boxes[keep], scores[keep], labels[keep]
        return Detections(boxes, scores, labels, self.names)

    def _of_look(self, tiles: Sequence[Found]) -> Detections:
        if len(tiles) == 1:
            return Detections(tiles[0].boxes, tiles[0].scores, tiles[0].labels, self.names)
        found = Pieces(
            np.concatenate([one.boxes.numpy() for one in tiles]),
            np.concatenate([one.scores.numpy() for one in tiles]),
            np.concatenate([one.labels.numpy() for one in tiles]),
            np.repeat(np.array([one.view.shown for one in tiles]), [len(one.scores) for one in tiles], 0),
        )
        best = np.argsort(-found.scores, kind="stable")[: self.nms.max_candidates]
        size, cfg = tiles[0].view.size, self.nms
        merged = merge_tiles(found.at(best), size, cfg.iou, cfg.max_det, cfg.agnostic)
        boxes, scores, labels = map(torch.from_numpy, merged)
        return Detections(boxes, scores, labels, self.names)
