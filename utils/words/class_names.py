"""Classes are known by name, not by number."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from utils.words.errors import CheckpointError, ConfigError, printable
from utils.words.text import did_you_mean, shown
from utils.words.yamlio import read_yaml


def class_map(model_names: Sequence[str], data_names: Sequence[str], weights: str) -> tuple[int, ...]:
    """For each class of the model its number in the data, matched by name regardless of case and outer blanks.

    Raises CheckpointError listing the names that have no counterpart.
    """
    theirs = {name_key(name): index for index, name in enumerate(data_names)}
    ours = {name_key(name) for name in model_names}
    unknown = [name for name in model_names if name_key(name) not in theirs]
    untrained = [name for name in data_names if name_key(name) not in ours]
    if unknown or untrained:
        parts = [f"only in the checkpoint: {', '.join(unknown)}"] if unknown else []
        parts += [f"only in the data: {', '.join(untrained)}"] if untrained else []
        raise CheckpointError(f"{weights}: class names differ from the data's; {'; '.join(parts)}")
    return tuple(theirs[name_key(name)] for name in model_names)


def wanted_classes(words: Sequence[str], names: Sequence[str]) -> tuple[int, ...] | None:
    """--classes: names (case does not count) or numbers -> numbers; None for no words. Raises ConfigError."""
    if not words:
        return None
    by_name = {name_key(name): index for index, name in enumerate(names)}
    chosen = []
    for word in words:
        index = by_name.get(name_key(word), int(word) if word.isdecimal() and len(word) < 9 else -1)
        if not 0 <= index < len(names):
            raise ConfigError(
                f"--classes {printable(word[:60])}: the checkpoint knows {printable(', '.join(names)[:400])}"
            )
        chosen.append(index)
    return tuple(chosen)


def name_key(name: str) -> str:
    """What makes two class names the same: case, the number of blanks and the Unicode form do not count."""
    folded = unicodedata.normalize("NFC", name).casefold()
    return " ".join(unicodedata.normalize("NFC", folded).split())


def read_class_mapping(text: str) -> dict[str, str]:
    """--map-classes: `old=new,old=new`, or a YAML file of `old: new` -> names. Raises ConfigError."""
    if text.lower().endswith((".yaml", ".yml")) or os.path.isfile(text):
        document = read_yaml(text)
        if not isinstance(document.data, dict) or not document.data:
            raise document.error("must map names of the checkpoint to names of the data, one `old: new` per line")
        for old, new in document.data.items():
            if not document.text(old):
                raise document.error(f"{shown(str(old))} must be mapped to one class name, got {shown(new)}", old)
        return {str(old): str(document.text(old)) for old in document.data}
    mapping: dict[str, str] = {}
    for pair in text.split(","):
        old, equals, new = (part.strip() for part in pair.partition("="))
        if not (old and equals and new) or old in mapping:
            wrong = "appears twice" if old in mapping else "must read old=new"
            raise ConfigError(f"--map-classes {printable(text)}: '{printable(pair)}' {wrong}; example: bubble=void")
        mapping[old] = new
    return mapping


@dataclass(frozen=True)
class ClassMatch:
    """For each class of a checkpoint its number in the data, and what a user should know about it."""

    labels: tuple[int, ...]
    remarks: tuple[str, ...] = ()


def match_classes(
    model_names: Sequence[str], data_names: Sequence[str], weights: str, single_cls: bool, map_classes: str
) -> ClassMatch:
    """Match by name after --map-classes; with --single-cls all are one. Raises UserError."""
    if single_cls:
        return ClassMatch((0,) * len(model_names), (f"{len(model_names)} classes of the checkpoint scored as one",))
    names = tuple(model_names)
    if map_classes:
        names = mapped_names(names, read_class_mapping(map_classes), data_names)
    labels = class_map(names, data_names, weights)
    changed = [f"{old} = {new}" for old, new in zip(model_names, names, strict=True) if old != new]
    if changed:
        return ClassMatch(labels, (f"classes of the checkpoint mapped: {', '.join(changed)}",))
    if labels != tuple(range(len(labels))):
        return ClassMatch(labels, ("the data orders its classes differently from the checkpoint: matched by name",))
    return ClassMatch(labels)


def mapped_names(model_names: Sequence[str], mapping: Mapping[str, str], data_names: Sequence[str]) -> tuple[str, ...]:
    """The model's names after `mapping`, whose keys and values are matched like all names. Raises ConfigError."""
    to = {name_key(old): new for old, new in mapping.items()}
    for words, known, where in ((mapping, model_names, "checkpoint"), (mapping.values(), data_names, "data")):
        for word in words:
            if name_key(word) not in map(name_key, known):
                near = did_you_mean(word, known) or f"; it has {', '.join(known)}"
                raise ConfigError(f"--map-classes: the {where} has no class '{printable(word)}'{near}")
    return tuple(to.get(name_key(name), name) for name in model_names)
