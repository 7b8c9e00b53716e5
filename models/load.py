"""A model ready to run, from a YAML or a checkpoint; and what of a checkpoint fits another model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.graph import Graph, build_graph
from models.spec import ModelSpec, parse_spec
from utils import checkpoint
from utils.channels import Channels, channels_of_plain
from utils.config import Config
from utils.errors import CheckpointError, ConfigError
from utils.settings import config_from_plain
from utils.yamlio import Document


@dataclass(frozen=True, eq=False)
class Loaded:
    """A checkpoint brought to life: the averaged weights in eval mode, the class names, the configuration it had."""

    model: Graph
    names: tuple[str, ...]
    config: Config
    epoch: int
    path: Path

    @property
    def channels(self) -> Channels:
        """The planes of the pictures it was trained on."""
        return self.model.channels


def model_spec(content: Mapping[str, Any], path: Path) -> ModelSpec:
    """The network a checkpoint was made for. Raises CheckpointError when this version cannot build it."""
    try:
        return parse_spec(Document(path, content["model_spec"], {}))
    except ConfigError as error:
        raise CheckpointError(f"{path}: its network is not known here: {error}") from error


def load_model(path: str | Path, device: torch.device | str = "cpu") -> Loaded:
    """Load a checkpoint for evaluation. Raises CheckpointError."""
    path = Path(path)
    content = checkpoint.load(path)
    spec = model_spec(content, path)
    names = tuple(content["names"])
    if len(names) != spec.classes:
        raise CheckpointError(f"{path}: {len(names)} class names for {spec.classes} classes; the file is inconsistent")
    model = build_graph(spec, channels_of_plain(content["channels"], str(path)))
    checkpoint.restore(model, content["ema"]["module"], path)
    model.eval().requires_grad_(False)
    config = config_from_plain(content["config"], str(path))
    model.to(device, memory_format=torch.channels_last)
    return Loaded(model, names, config, int(content["epoch"]), path)


def load_matching(model: Graph, path: str | Path) -> str:
    """Copy the weights of a checkpoint that fit `model` by row, name and shape; returns one line saying what did and
    did not.

    Networks of different numbers of rows are aligned first: a row more, such as a fusion, moves those below it.
    Raises CheckpointError when nothing fits.
    """
    content = checkpoint.load(path)
    state: dict[str, Tensor] = content["ema"]["module"]
    state = _aligned(state, model_spec(content, Path(path)), model.spec)
    own = model.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape}
    if not fitting:
        raise CheckpointError(f"{path}: none of its {len(state)} tensors fits this model; is --cfg the same?")
    model.load_state_dict(fitting, strict=False)
    missing = [k for k in own if k not in fitting]
    left = [k for k in state if k not in fitting]
    line = f"{path}: {len(fitting)} of {len(own)} tensors taken"
    return line + (f", {len(missing)} start fresh ({_some(missing)}), {len(left)} left out" if missing else "")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _aligned(state: dict[str, Tensor], theirs: ModelSpec, ours: ModelSpec) -> dict[str, Tensor]:
    """`state` with its row numbers changed to those in `ours`: the longest runs of the same modules."""
    if len(theirs.rows) == len(ours.rows):
        return state
    modules = [[row.module for row in spec.rows] for spec in (theirs, ours)]
    blocks = SequenceMatcher(None, *modules, autojunk=False).get_matching_blocks()
    places = {block.a + k: block.b + k for block in blocks for k in range(block.size)}
    moved = {}
    for key, value in state.items():
        room, number, rest = key.split(".", 2)
        assert room == "layers", f"a graph's weights are those of its rows, not {key}"
        place = places.get(int(number))
        moved[f"row {number} of theirs.{rest}" if place is None else f"layers.{place}.{rest}"] = value
    return moved
