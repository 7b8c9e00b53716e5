"""CLIP's text tower through open_clip, frozen."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn.functional import normalize

from models.text.clip_weights import ClipWeights, find_clip, import_open_clip
from models.text.encoder import checked
from models.text.vectors import weights_id
from utils.console.log import LOG
from utils.console.progress import progress
from utils.words.errors import CheckpointError
from utils.words.text import counted

BATCH = 64  # texts at once
# What open_clip raises for a file that is no state dict, or another model's
UNREADABLE: tuple[type[Exception], ...] = (
    *(RuntimeError, OSError, EOFError, LookupError, ValueError, TypeError, AttributeError, StopIteration),
    *(pickle.UnpicklingError, SafetensorError),
)


class ClipEncoder:
    """`open_clip:MODEL:TAG` or `open_clip:MODEL:FILE`. The weights are read when the first text is encoded, not before.

    Raises ConfigError or CheckpointError, see `find_clip`.
    """

    def __init__(self, model: str, weights: str) -> None:
        self._weights = find_clip(model, weights)
        self.dim = self._weights.dim
        identity = (self._weights.model, self._weights.activation, weights_id(self._weights.path))
        self.name = "open_clip:" + ":".join(identity)

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> Tensor:
        """(N, dim) float32 unit rows. Raises CheckpointError when the weights cannot be used."""
        if not texts:
            return torch.empty(0, self.dim)
        tokens = torch.cat(
            [self._tokenize(list(texts[start : start + BATCH])) for start in range(0, len(texts), BATCH)]
        )
        # shorter texts are padded with 0: a token in the last place means that the text fills the row, or more
        cut = int((tokens[:, -1] != 0).sum())
        if cut:
            LOG.warning(
                "%s as long as CLIP reads (%d tokens) or longer: what follows is not read",
                counted(cut, "text") + (" is" if cut == 1 else " are"),
                tokens.shape[1],
            )
        batches = progress(tokens.split(BATCH), "text vectors")
        features = torch.cat([self._tower.encode_text(batch) for batch in batches])
        return checked(normalize(features.float(), dim=1), self.name)

    @cached_property
    def _tokenize(self) -> Callable[[list[str]], Tensor]:
        tokenizer: Callable[[list[str]], Tensor] = import_open_clip().get_tokenizer(self._weights.model)
        return tokenizer

    @cached_property
    def _tower(self) -> Any:
        """The model without its vision tower; an open_clip.CLIP or CustomTextCLIP, which have no common type."""
        LOG.info("text encoder: open_clip %s (%s)", self._weights.label, self._weights.activation)
        tower = _load(self._weights)
        del tower.visual
        return tower.requires_grad_(False).eval()


def _load(weights: ClipWeights) -> nn.Module:
    """The whole model with its weights, in float32 on the CPU. Raises CheckpointError."""
    open_clip = import_open_clip()
    try:
        # building draws the weights that loading overwrites: the draws must not depend on what a cache holds
        with torch.random.fork_rng(devices=[]):
            model: nn.Module = open_clip.create_model(
                weights.model,
                pretrained=str(weights.path.absolute()),  # not resolved: the ending of a link tells the format
                force_quick_gelu=weights.quick_gelu,
                weights_only=True,
            )
    except UNREADABLE as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{weights.path}: not the weights of open_clip's {weights.model}: {reason}") from error
    return model
