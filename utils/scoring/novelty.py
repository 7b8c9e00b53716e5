"""How new the classes of an evaluation are to a model, and one number for old and new ones together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from utils.values.report import ClassRow, Report
from utils.words.spelling import normalize, respell
from utils.words.vocabulary import Vocabulary

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


def group_scores(rows: Sequence[ClassRow], groups: Sequence[Novelty]) -> dict[str, Any]:
    """AP and AP50 of the classes of each group, of base (identical and synonym) and novel (new) classes, and the
    harmonic means of the two; under the key "novelty". Nothing where every class was trained under its name.

    Classes without truth count nowhere; a group without classes that count has no scores (None).
    """
    if all(group == "identical" for group in groups):
        return {}
    members: dict[str, tuple[Novelty, ...]] = {
        **{"identical": ("identical",), "synonym": ("synonym",), "new": ("new",)},
        **{"base": ("identical", "synonym"), "novel": ("new",)},
    }
    table = {
        name: mean_scores([row for row, group in zip(rows, groups, strict=True) if group in kinds])
        for name, kinds in members.items()
    }
    base, novel = table["base"], table["novel"]
    means = {
        key: None if base[key] is None or novel[key] is None else harmonic_mean(base[key], novel[key])
        for key in ("AP", "AP50")
    }
    return {"novelty": {**table, "harmonic_mean": means}}


def mean_scores(rows: Sequence[ClassRow]) -> dict[str, Any]:
    """AP and AP50, means over the classes that have truth, and how many these are."""
    scores = {
        "AP": [row.ap for row in rows if row.ap is not None],
        "AP50": [row.ap50 for row in rows if row.ap50 is not None],
    }
    return {"classes": len(scores["AP"]), **{key: sum(v) / len(v) if v else None for key, v in scores.items()}}


def chance_scores(reports: Sequence[Report]) -> dict[str, Any]:
    """AP and AP50 of evaluations with the text vectors permuted among the names, which is what is left without their
    meaning; under the key "chance". Nothing without such evaluations.
    """
    if not reports:
        return {}
    scores = {name: [report.metric(key) for report in reports] for name, key in (("AP50", "map50"), ("AP", "map50_95"))}
    return {"chance": {"permutations": len(reports), **scores}}


def group_lines(about: Mapping[str, Any]) -> list[str]:
    """What results.json holds of novelty and chance, for the console, without groups that have no classes."""
    lines = []
    if "novelty" in about:
        for name, row in about["novelty"].items():
            if row["AP"] is not None:
                count = f" of {row['classes']} classes" if "classes" in row else ""
                lines.append(f"{name.replace('_', ' ')}{count}: AP50 {row['AP50']:.3f}, AP {row['AP']:.3f}")
    if "chance" in about:
        found = about["chance"]
        words = [
            f"{key} {sum(v) / len(v):.3f} ({min(v):.3f} to {max(v):.3f})"
            for key in ("AP50", "AP")
            if (v := [value for value in found[key] if value is not None])
        ]
        lines.append(f"chance, {found['permutations']} permutations of the vectors: {', '.join(words) or 'undefined'}")
    return lines


def _wordings(row: tuple[str, ...]) -> set[str]:
    return {wording for name in row for wording in (normalize(name), respell(name)) if wording}
