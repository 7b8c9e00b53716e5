"""How new the classes of an evaluation are to a model, and one number for old and new ones together."""

from __future__ import annotations

from typing import Literal

from utils.vocabulary import Vocabulary
from utils.wording import normalize, respell

Novelty = Literal["identical", "synonym", "new"]


def group_names(trained: Vocabulary, evaluated: Vocabulary) -> list[Novelty]:
    """For each evaluated class: was its very name trained, another wording of it, or neither?

    Wordings are equal after normalisation (case, blanks, hyphens, camel case, known misspellings); a class matches
    when any of its synonyms matches any of a trained class's. Judged by names alone: a paraphrase that no synonym list
    holds counts as new.
    """
    exact = set(trained.names)
    known = set().union(*map(_wordings, trained.synonyms))
    groups: list[Novelty] = []
    for name, row in zip(evaluated.names, evaluated.synonyms, strict=True):
        groups.append("identical" if name in exact else "synonym" if _wordings(row) & known else "new")
    return groups


def harmonic_mean(base: float, novel: float) -> float:
    """2 base novel / (base + novel) of two AP >= 0; 0 when either is 0; not a number when either is not measured."""
    assert not (base < 0 or novel < 0), "AP of a group without truth must be left out or NaN, not -1"
    return 2 * base * novel / (base + novel) if base + novel != 0 else 0.0


def _wordings(row: tuple[str, ...]) -> set[str]:
    return {wording for name in row for wording in (normalize(name), respell(name)) if wording}
