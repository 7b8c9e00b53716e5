"""Importing torchvision beside a CPU-only torch, for which its compiled operators do not load."""

from __future__ import annotations

import functools
import importlib

from torch.library import Library


def prepare_torchvision() -> None:
    """Make `import torchvision` work where its compiled part does not fit this torch.

    Afterwards everything written in Python works; torchvision's own nms and roi_align still raise.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::nms does not exist" not in str(error):
            raise
        _declare_operators()
        importlib.import_module("torchvision")


@functools.cache  # torch forgets the operators with the Library that declared them
def _declare_operators() -> Library:
    library = Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library
