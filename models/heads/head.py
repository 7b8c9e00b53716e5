"""What makes a row a head."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from models.losses.terms import Criterion
from utils.config.config import Config


@runtime_checkable
class Head(Protocol):
    """The last row of a network that can learn. It turns maps into Predictions and says how these are judged."""

    def criterion(self, cfg: Config) -> Criterion:
        """The criterion it learns by, made from the sections of the configuration that are this kind of head's."""
        ...
