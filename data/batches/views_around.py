"""The views of a picture that show one box of it."""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from data.augment.polarization import Optics
from data.augment.scene import Scene
from data.batches.collate import collate
from data.batches.looking import Looking
from utils.tiling.fullest import fullest
from utils.values.batch import Batch


def views_around(looking: Looking, scene: Scene, box: Tensor, optics: Optics) -> Iterator[Batch]:
    """Of the plain look, neither mirrored nor enlarged, each view that shows most of a box (4,) xyxy px of the picture,
    as a batch of its own.
    """
    planned = [view for view in looking.views(scene.size) if view.number == 0]
    for number in fullest([view.area for view in planned], box.tolist()):
        yield collate([looking.sample(scene, planned[number], 0, optics)])
