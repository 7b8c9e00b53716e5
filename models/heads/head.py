"""What makes a row a head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol, runtime_checkable

from torch import Tensor

from models.losses.terms import Criterion
from utils.config.config import Config


@dataclass(frozen=True)
class ClassRows:
    """Where a tensor has a row for each class: its first axis is `groups` parts, each of `shared` rows that belong to
    no class and then one row of each class in order.
    """

    groups: int = 1
    shared: int = 0

    def filled(self, own: Tensor, other: Tensor, classes: int, order: Sequence[int | None]) -> Tensor | None:
        """`own` with the rows of `other`, the same tensor of a network of `classes` classes: the shared ones, and for
        our class k those of its class `order[k]`, where that is None our own. None when `other` has another layout, or
        no row that is wanted.
        """
        ours = [k for k, place in enumerate(order) if place is not None]
        if own.dtype != other.dtype or other.shape[1:] != own.shape[1:] or not (ours or self.shared):
            return None
        if len(other) != self.groups * (self.shared + classes):
            return None
        theirs = [place for place in order if place is not None]
        filled, given = own.clone().unflatten(0, (self.groups, -1)), other.unflatten(0, (self.groups, -1))
        filled[:, : self.shared] = given[:, : self.shared]
        filled[:, [self.shared + k for k in ours]] = given[:, [self.shared + k for k in theirs]]
        return filled.flatten(0, 1)


@runtime_checkable
class Head(Protocol):
    """The last row of a network that can learn. It turns maps into Predictions and says how these are judged.

    `sections` are those of the configuration that its criterion is made from.
    """

    sections: ClassVar[tuple[str, ...]]

    def criterion(self, cfg: Config) -> Criterion:
        """The criterion it learns by."""
        ...

    def class_rows(self) -> Mapping[str, ClassRows]:
        """Which tensors of its state dict have rows of single classes; none where classes are texts."""
        ...
