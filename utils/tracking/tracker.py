"""What every tool offers that a training is kept in, and what it is told at the start."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

Status = Literal["FINISHED", "FAILED", "KILLED"]


@dataclass(frozen=True)
class Beginning:
    """A run that begins, or goes on: its folder; the configuration, sections of plain values; `about`, texts that say
    how it came about; `first`, the epoch of the first row to come, counted from 0 as in results.csv.

    Nothing of it names a folder of this machine, unless the user asked for that.
    """

    folder: Path
    config: Mapping[str, Mapping[str, Any]]
    about: Mapping[str, str]
    first: int


class Tracker(Protocol):
    """One tool. Its methods are called one after the other, from one thread that is not the training's; whatever they
    raise is a warning, and ends what is kept in this tool, not the run.
    """

    @property
    def label(self) -> str:
        """What messages call it."""

    def start(self, run: Beginning) -> None:
        """Begin, or go on with what an earlier process of this run has begun: steps from `run.first` on come anew."""

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        """The values of a row of results.csv by the names of its columns, without those that are undefined."""

    def picture(self, name: str, path: Path) -> None:
        """A picture, a JPEG or PNG file of the run folder, under a name without suffix."""

    def end(self, status: Status, about: Mapping[str, str]) -> None:
        """The run has ended; `about`: what came out, as texts."""


def flat(values: Mapping[str, Any]) -> dict[str, str]:
    """Nested maps as texts by dotted keys: {"data": {"imgsz": 640}} is {"data.imgsz": "640"}; lists as JSON."""
    found: dict[str, str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= {f"{key}.{name}": text for name, text in flat(value).items()}
        else:
            found[str(key)] = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return found
