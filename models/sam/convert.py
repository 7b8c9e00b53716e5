"""The published `mobile_sam.pt` into our networks: every tensor named, none missing, none of another shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from utils.files import checkpoint
from utils.words.errors import CheckpointError, printable
from utils.words.text import counted

WHERE = "mobile_sam.pt (40 MB, Apache-2.0) from the folder weights of the MobileSAM git repository"
IGNORED = ("image_encoder.norm_head.", "image_encoder.head.")  # the classifier that the encoder was trained with


def read_reference(path: str | Path) -> dict[str, Any]:
    """The published file's state dict, still to be compared with our networks.

    Raises CheckpointError: missing, damaged, unsafe, no state dict.
    """
    content = checkpoint.read(Path(path), f"Mobile-SAM needs {WHERE}")
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise CheckpointError(f"{path}: not a state dict; Mobile-SAM needs {WHERE}")
    return content


def load_reference(networks: nn.Module, reference: Mapping[str, Any], path: str | Path) -> None:
    """Fill `networks` (`encoder`, `prompt_encoder`, `mask_decoder`) with what `read_reference` read from `path`.

    Raises CheckpointError: another network's.
    """
    path = Path(path)
    checkpoint.restore(networks, convert(reference, networks.state_dict(), path), path)
    networks.train()  # and back to eval: drops the attention biases cached from the old weights
    networks.eval()


def convert(reference: Mapping[str, Any], own: Mapping[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors of the published file under our names. `own` says which are wanted, and their shapes.

    Raises CheckpointError naming what is missing, left over, of another shape or not finite.
    """
    names = {reference_name(key): key for key in own}
    missing = [key for key in names if key not in reference]
    unknown = [key for key in reference if key not in names and not key.startswith(IGNORED)]
    if missing or unknown:
        words = "; ".join(filter(None, (_listed(missing, "missing"), _listed(unknown, "unknown"))))
        raise CheckpointError(f"{path}: not Mobile-SAM's weights: {words}; expected {WHERE}")
    for theirs, ours in names.items():
        if complaint := _complaint(reference[theirs], own[ours]):
            raise CheckpointError(f"{path}: {theirs} {complaint}; expected {WHERE}")
    return {ours: reference[theirs] for theirs, ours in names.items()}


def reference_name(own: str) -> str:
    """The name that one of our tensors has in the published file."""
    name = own.replace("encoder.body.patch_embed.conv1.", "image_encoder.patch_embed.seq.0.")
    name = name.replace("encoder.body.patch_embed.conv2.", "image_encoder.patch_embed.seq.2.")
    name = re.sub(
        r"^encoder\.body\.stages\.(\d)\.downsample\.",  # theirs ends a stage, timm's begins the next
        lambda match: f"image_encoder.layers.{int(match[1]) - 1}.downsample.",
        name,
    )
    # after the downsamples, which it would match too
    name = re.sub(r"^encoder\.body\.stages\.", "image_encoder.layers.", name)
    name = re.sub(r"^encoder\.neck\.", "image_encoder.neck.", name)
    return name.replace(".conv.weight", ".c.weight")


def _listed(names: list[str], what: str) -> str:
    """`3 tensors missing (a, b, ...)`, or nothing."""
    if not names:
        return ""
    shown = ", ".join(printable(name)[:80] for name in names[:2]) + (", ..." if len(names) > 2 else "")
    return f"{counted(len(names), 'tensor')} {what} ({shown})"


def _complaint(value: Any, own: Tensor) -> str:
    """What keeps `value` from taking the place of `own`, or nothing."""
    if not isinstance(value, Tensor) or value.layout != torch.strided:
        return "is no dense tensor"
    if value.shape != own.shape:
        return f"has shape {list(value.shape)} instead of {list(own.shape)}"
    if value.is_floating_point() != own.is_floating_point():
        return f"holds {value.dtype} instead of {own.dtype}"
    return "" if torch.isfinite(value).all() else "holds values that are not finite"
