"""The vectors of a vocabulary, templates averaged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from models.text.cache import VectorCache
from models.text.encoder import TextEncoder
from utils.errors import ConfigError
from utils.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class EncodedTexts:
    """Unit vectors of texts: `vectors` (N, D) float32, row i of `texts[i]`, made with `templates` by `encoder`.

    `encoder` is the encoder's name, for result files.
    """

    encoder: str
    templates: tuple[str, ...]
    texts: tuple[str, ...]
    vectors: Tensor

    def rows(self, texts: Sequence[str]) -> Tensor:
        """(M, D) of some of the texts, in the order asked for."""
        places = {text: row for row, text in enumerate(self.texts)}
        return self.vectors[[places[text] for text in texts]]


def encode_vocabulary(
    vocabulary: Vocabulary, encoder: TextEncoder, cache: VectorCache, synonyms: bool = False
) -> EncodedTexts:
    """The vectors of a vocabulary's names, or of all its strings (`synonyms`, for training). Raises UserError."""
    texts = vocabulary.strings if synonyms else vocabulary.names
    vectors = average_templates(encoder, cache, texts, vocabulary.templates)
    return EncodedTexts(encoder.name, vocabulary.templates, texts, vectors)


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
