"""How well classes are found by how often they were trained: rare, common and frequent ones, as LVIS divides them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from utils.scoring.novelty import mean_scores
from utils.values.report import ClassRow
from utils.words.class_names import name_key
from utils.words.text import counted

# training pictures that show a class, from and to (Gupta, Dollar, Girshick: LVIS, CVPR 2019)
GROUPS = {"rare": (1, 10), "common": (11, 100), "frequent": (101, None)}


def trained_as(
    trained: Mapping[str, int], names: Sequence[str], labels: Sequence[int], data_names: Sequence[str]
) -> Counter[str]:
    """In how many training pictures that was shown which finds each of the classes `data_names`, by name_key.

    `names`: the classes of a checkpoint, `labels` their numbers in the data, `trained` see models.ready.load.Loaded.
    What a network that reads text knows by another name counts as not trained.
    """
    shown: Counter[str] = Counter()
    for name, label in zip(names, labels, strict=True):
        if label < len(data_names):  # else it is what is none of the data's classes
            shown[name_key(data_names[label])] += trained.get(name_key(name), 0)
    return shown


def frequency_scores(rows: Sequence[ClassRow], trained: Mapping[str, int]) -> dict[str, Any]:
    """AP and AP50 of the rare, the common and the frequent classes, under the key "frequency". `trained`: in how many
    training pictures the class of a name_key is shown.

    Classes that were not trained, or have no truth, count nowhere. Nothing unless two groups have classes that count.
    """
    shown = [trained.get(name_key(row.name), 0) for row in rows]
    table = {
        name: mean_scores([row for row, count in zip(rows, shown, strict=True) if low <= count <= (high or count)])
        for name, (low, high) in GROUPS.items()
    }
    return {"frequency": table} if sum(row["classes"] > 0 for row in table.values()) > 1 else {}


def frequency_lines(about: Mapping[str, Any]) -> list[str]:
    """What results.json holds of it, for the console, without groups that have no classes."""
    lines = []
    for name, row in about.get("frequency", {}).items():
        low, high = GROUPS[name]
        if row["classes"]:
            pictures = f"{low} to {high} training pictures" if high else f"more than {low - 1} training pictures"
            scores = f"AP50 {row['AP50']:.3f}, AP {row['AP']:.3f}"
            lines.append(f"{name}, {pictures}, {counted(row['classes'], 'class')}: {scores}")
    return lines
