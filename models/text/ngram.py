"""A stand-in for a text encoder without weights: similar spelling gives similar vectors, meaning does not count.

Good for tests and closed-set training only. Every feature (word or character 3-5-gram) is hashed to a fixed row of a
Gaussian projection; the hash is SHAKE-256 and the sums are of integers, so vectors are the same bit for bit on every
machine, in every Python run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from statistics import NormalDist

import numpy as np
import torch
from torch import Tensor

from utils.words.spelling import normalize

SEED = b"defects ngram 1"  # another seed is another encoder: change the name with it
WORD_WEIGHT = 3  # a shared word says more than a shared 3-gram


class NgramEncoder:
    """`ngram` or `ngram:DIM`. Case, underscores, hyphens and camel case do not count."""

    def __init__(self, dim: int = 512) -> None:
        self.dim = dim
        self.name = f"STAND-IN:ngram:1:{dim}"

    def encode(self, texts: Sequence[str]) -> Tensor:
        """(N, dim) float32 unit rows."""
        sums = np.stack([self._sum(text) for text in texts]) if texts else np.empty((0, self.dim), np.int64)
        # integers up to here: float sums would depend on the order of adding
        norms = np.sqrt((sums * sums).sum(1, keepdims=True).astype(np.float64))
        return torch.from_numpy((sums / norms).astype(np.float32))

    def _sum(self, text: str) -> np.ndarray:
        """(dim,) int64: the weighted sum of the projection's rows of the text's features."""
        weights, digests = [], bytearray()
        for feature, weight in _features(text):
            weights.append(weight)
            digests += hashlib.shake_256(SEED + feature.encode()).digest(self.dim)
        rows = self._quantiles[np.frombuffer(digests, np.uint8).reshape(len(weights), self.dim)]
        return np.array(weights, np.int64) @ rows

    @cached_property
    def _quantiles(self) -> np.ndarray:
        """(256,) int64: a byte as a normal deviate in 1/1024; odd or not, never 0, so a sum is hardly ever 0."""
        normal = NormalDist()
        return np.array([round(1024 * normal.inv_cdf((byte + 0.5) / 256)) for byte in range(256)], np.int64)


def _features(text: str) -> Iterator[tuple[str, int]]:
    """Words, and the character 3-5-grams of each word between < and >. A text without words is a feature of its own."""
    words = normalize(text).split(" ")
    for word in words:
        yield f"word {word}", WORD_WEIGHT
        marked = f"<{word}>"  # a gram at a word's beginning or end is not the same inside a word
        for n in (3, 4, 5):
            for start in range(len(marked) - n + 1):
                yield f"gram {marked[start : start + n]}", 1
