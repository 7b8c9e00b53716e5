"""Several checkpoints that look at pictures together."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path

import torch

from models.ready.load import Loaded, Network, load_model
from utils.values.weights_identity import WeightsIdentity
from utils.words.errors import ConfigError, printable


def load_members(paths: Sequence[Path], device: torch.device, sam: str = "", masks: bool = False) -> list[Loaded]:
    """Every checkpoint; see load_model. Raises UserError, among them ConfigError for one of other classes or planes
    than the first; networks that read text may have been trained on other words.
    """
    members = [load_model(path, device, sam, masks) for path in paths]
    first = members[0]
    for other in members[1:]:
        reads = first.words is not None and other.words is not None
        if not reads and other.names != first.names:
            raise ConfigError(f"--weights {_names(other)}; an ensemble needs the same classes in the same order")
        if other.channels != first.channels:
            raise ConfigError(
                f"--weights {printable(str(other.path))}: reads {', '.join(other.channels.names)}, "
                f"{printable(first.path.name)} reads {', '.join(first.channels.names)}; an ensemble needs the same"
            )
    return members


def _names(other: Loaded) -> str:
    shown = printable(", ".join(other.names[:5])) + (", ..." if len(other.names) > 5 else "")
    return f"{printable(str(other.path))}: has other classes ({shown}) than the first of them"


def shared_stride(networks: Sequence[Network]) -> int:
    """px: what the inputs of all are multiples of."""
    return math.lcm(*(network.stride for network in networks))


def identity_of(members: Sequence[Loaded]) -> WeightsIdentity:
    """Which weights they are together."""
    if len(members) == 1:
        return members[0].weights
    whole = hashlib.sha256(" ".join(one.weights.digest for one in members).encode())
    return WeightsIdentity(" + ".join(one.weights.file for one in members), whole.hexdigest()[:32])


def about_members(members: Sequence[Loaded]) -> dict[str, object]:
    """What results must name beside the first: the file and the digest of each further one."""
    others = [{"file": one.path.name, "digest": one.weights.digest} for one in members[1:]]
    return {"ensemble": others} if others else {}
