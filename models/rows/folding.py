"""How layers declare what inference can do without: their BatchNorm, a text known in advance, Mobile-SAM.

These are only the protocols; models.graph.folded builds the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor, nn

Constants = tuple[Tensor, ...]  # the outputs of a row that depends on nothing but the text


@dataclass(frozen=True, eq=False)
class StaticRow:
    """The layer that replaces a row's, and which of the row's sources it still takes, by place."""

    layer: nn.Module
    sources: tuple[int, ...]
    takes_list: bool = False


@runtime_checkable
class Normed(Protocol):
    """A layer that can do without its BatchNorm."""

    def fold_norm(self) -> None:
        """Make the norm part of the convolutions before it, in place: in eval mode it gives what it gave before."""
        ...


@runtime_checkable
class Foldable(Protocol):
    """A row that reads text, or that Mobile-SAM feeds."""

    def static(self, inputs: Sequence[Tensor | None]) -> StaticRow | Constants:
        """The row for inputs known in advance; None stands for what comes from the picture."""
        ...
