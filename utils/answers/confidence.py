"""How likely an answer is right, from how likely each detection is."""

from __future__ import annotations

import numpy as np


def count_odds(chances: np.ndarray) -> np.ndarray:
    """(N,) chances that each thing is really there -> (N + 1,) those that 0..N of them are, as if they did not hang
    together (a Poisson binomial distribution).
    """
    odds = np.ones(1)
    for p in chances:
        odds = np.append(odds * (1 - p), 0) + np.append(0, odds * p)
    return odds


def more_odds(one: np.ndarray, other: np.ndarray) -> tuple[float, float, float]:
    """Of two count distributions: how likely the first count is more, less, equal."""
    both = one[:, None] * other[None]
    return float(np.tril(both, -1).sum()), float(np.triu(both, 1).sum()), float(np.trace(both))
