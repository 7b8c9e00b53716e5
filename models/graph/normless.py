"""A network for inference: every BatchNorm that follows a convolution has become part of it."""

from __future__ import annotations

import copy
from typing import Protocol, runtime_checkable

from models.graph.graph import Graph


@runtime_checkable
class Normed(Protocol):
    """A layer that can do without its BatchNorm."""

    def fold_norm(self) -> None:
        """Make the norm part of the convolutions before it, in place: in eval mode it gives what it gave before."""
        ...


def without_norms(graph: Graph) -> Graph:
    """A copy for inference, in eval mode; it can neither be trained nor take a checkpoint's weights. On its device."""
    graph = copy.deepcopy(graph).eval().requires_grad_(False)
    for layer in list(graph.modules()):
        if isinstance(layer, Normed):
            layer.fold_norm()
    return graph
