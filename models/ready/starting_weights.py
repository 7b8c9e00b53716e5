"""The checkpoint that a new network starts from (--weights): its network, and what of its weights another one takes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from torch import Tensor

from models.graph.graph import Graph
from models.graph.open_vocabulary import Words
from models.pretrained import shipped
from models.ready.load import stored_network
from models.ready.packed import read_checkpoint
from models.rows.model_spec import ModelSpec
from utils.values.channels import Channels, check_order
from utils.words.class_names import name_key
from utils.words.errors import CheckpointError, printable

MOST_NAMES = 10  # in a message


@dataclass(frozen=True)
class Taken:
    """What a network took of a checkpoint: the tensors that are now filled whole, by name, and a line about it."""

    filled: frozenset[str] = frozenset()
    line: str = ""


@dataclass(frozen=True, eq=False)
class StartingWeights:
    """A checkpoint to start from; `spec` is its network, `names` are its classes, `words` what it looks for if it reads
    text.
    """

    path: Path
    content: Mapping[str, Any]
    spec: ModelSpec
    channels: Channels
    words: Words | None
    names: tuple[str, ...]

    @classmethod
    def read(cls, path: str | Path) -> StartingWeights:
        """Raises CheckpointError."""
        path = shipped.find(path)
        content = read_checkpoint(path)
        spec, channels, words = stored_network(content, path)
        return cls(path, content, spec, channels, words, tuple(content["names"]))

    @property
    def origin(self) -> str:
        """What results call the start of a backbone that is filled from here."""
        first = ", ".join(filter(None, self.content.get("backbones", ())))
        return printable(self.path.name) + (f", which started from {first}" if first else "")

    def fill(self, model: Graph, names: Sequence[str]) -> Taken:
        """Copy into `model`, of the classes `names`, the weights that fit by row, name and shape. Of the tensors in
        which a head has rows of single classes, those of the classes that both have are copied, whatever their number.

        Networks of different numbers of rows are aligned first: an extra row, such as a fusion, shifts those below it.
        Raises CheckpointError when nothing fits.
        """
        check_order(self.channels.names, model.channels.names, str(self.path), "the data")
        state = _aligned(self.content["ema"]["module"], self.spec, model.spec)
        own = model.state_dict()
        by_class, order = self._by_class(model, own, state, names)
        whole = {key: value for key, value in state.items() if key not in by_class and _fits(own.get(key), value)}
        fitting = whole | {key: value for key, value in by_class.items() if value is not None}
        if not any(value.ndim for value in fitting.values()):  # BatchNorm's counters fit everywhere
            raise CheckpointError(f"{self.path}: none of its {len(state)} tensors fits this model; is --cfg the same?")
        model.load_state_dict(fitting, strict=False)  # what does not fit keeps its first weights
        missing = [key for key in own if key not in fitting]
        left = [key for key in state if key not in fitting]
        line = f"{self.path}: {len(fitting)} of {len(own)} tensors taken"
        line += f", {len(missing)} start fresh ({_some(missing, 3)}), {len(left)} left out" if missing else ""
        order = order if len(fitting) > len(whole) else [None] * len(names)  # rows of another layout are not taken
        line += self._class_words(names, order) if by_class else ""
        return Taken(frozenset(whole if None in order else fitting), line)

    def _by_class(
        self, model: Graph, own: Mapping[str, Tensor], state: Mapping[str, Tensor], names: Sequence[str]
    ) -> tuple[dict[str, Tensor | None], list[int | None]]:
        """The tensors of both with rows of single classes, as `model` is to have them (None: of another layout), and
        the place of each of `names` among the checkpoint's classes.
        """
        places = {name_key(name): place for place, name in enumerate(self.names)}
        order = [places.get(name_key(name)) for name in names]
        head = len(model.layers) - 1
        rows = {f"layers.{head}.{key}": rows for key, rows in model.head.class_rows().items()}
        filled = {
            key: kind.filled(own[key], state[key], len(self.names), order) for key, kind in rows.items() if key in state
        }
        return filled, order

    def _class_words(self, names: Sequence[str], order: Sequence[int | None]) -> str:
        """Which classes were known; nothing where they are the same in the same order."""
        if order == list(range(len(self.names))):
            return ""
        known = [name for name, place in zip(names, order, strict=True) if place is not None]
        fresh = [name for name, place in zip(names, order, strict=True) if place is None]
        words = f"; {len(known)} of {len(names)} classes by name" + (f": {_some(known)}" if known else "")
        return words + (f"; fresh: {_some(fresh)}" if fresh else "")


def _fits(own: Tensor | None, other: Tensor) -> bool:
    return own is not None and own.shape == other.shape and own.dtype == other.dtype


def _some(names: Sequence[str], most: int = MOST_NAMES) -> str:
    return printable(", ".join(names[:most])) + (", ..." if len(names) > most else "")


def _aligned(state: dict[str, Tensor], theirs: ModelSpec, ours: ModelSpec) -> dict[str, Tensor]:
    """`state` with its row numbers changed to those in `ours`: the longest runs of the same modules."""
    if len(theirs.rows) == len(ours.rows):
        return state
    before, now = ([row.module for row in spec.rows] for spec in (theirs, ours))
    blocks = SequenceMatcher(a=before, b=now, autojunk=False).get_matching_blocks()
    places = {block.a + k: block.b + k for block in blocks for k in range(block.size)}
    moved = {}
    for key, value in state.items():
        row = re.fullmatch(r"layers\.(\d{1,4})\.(.+)", key)
        place = places.get(int(row[1])) if row else None
        # a row without a partner gets a name that no model has, so that it counts as left out
        moved[f"layers.{place}.{row[2]}" if row and place is not None else f"{key} of theirs"] = value
    return moved
