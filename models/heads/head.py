"""What makes a row a head."""

from __future__ import annotations

from typing import Any, Protocol, cast, runtime_checkable

from models.losses.terms import Criterion
from utils.config.config import Config


@runtime_checkable
class Head(Protocol):
    """The last row of a network that can learn. It turns maps into Predictions and says how these are judged."""

    def criterion(self, cfg: Config) -> Criterion:
        """The criterion it learns by, made from the sections of the configuration that are this kind of head's."""
        ...


class _Watched:
    """A configuration that notes which of its sections are asked for."""

    def __init__(self, cfg: Config) -> None:
        self._cfg, self.asked = cfg, set[str]()

    def __getattr__(self, section: str) -> Any:
        self.asked.add(section)
        return getattr(self._cfg, section)


def sections_of(head: Head, cfg: Config) -> frozenset[str]:
    """The sections of the configuration that this head's criterion is made from."""
    watched = _Watched(cfg)
    head.criterion(cast(Config, watched))
    return frozenset(watched.asked)
