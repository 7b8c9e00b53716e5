"""Text vectors averaged over templates."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import normalize

from models.text.cache import VectorCache
from models.text.encoder import TextEncoder
from utils.words.errors import ConfigError


def average_templates(
    encoder: TextEncoder, cache: VectorCache, texts: Sequence[str], templates: Sequence[str]
) -> Tensor:
    """(N, D) unit rows: the mean of a text's unit vectors over the templates, scaled to norm 1 again.

    Raises ConfigError when the templates of a text cancel each other out.
    """
    vectors = [cache.encode(encoder, texts, template) for template in templates]
    if len(vectors) == 1:
        return vectors[0]
    mean = torch.stack(vectors).mean(0)
    if (mean.norm(dim=1) < 1e-4).any():
        raise ConfigError(f"templates {', '.join(templates)}: their vectors cancel out; take fewer templates")
    return normalize(mean, dim=1)
