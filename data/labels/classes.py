"""Which classes the label files name and which are trained: the key `remap` of a data YAML on top of `names`.

    names: {0: scratch_light, 1: scratch, 2: dust}    # what the numbers in the label files mean
    remap: {scratch_light: scratch, dust: ignore}     # trained: scratch; dust becomes ignore regions

`remap` says by name what becomes of a class: another name (merged when several share it) or `ignore`. Chains are
followed. The trained classes are numbered in the order of their first appearance in `names`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from utils.values.record import EVERY_CLASS
from utils.words.class_names import name_key
from utils.words.errors import ConfigError, printable
from utils.words.text import did_you_mean
from utils.words.yamlio import Document

Names = tuple[tuple[str, ...], ...]  # of each class its name, then its synonyms
IGNORE = "ignore"
SINGLE = "defect"  # the one class of --single-cls


@dataclass(frozen=True)
class ClassMap:
    """From the classes of the label files to those that are trained.

    `wordings[i]` are the name and the synonyms of source i, in the order of the ids in the label files, `names` the
    trained classes; `targets[i]` is the trained label of source i, or EVERY_CLASS when its boxes are ignore regions.
    """

    wordings: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    targets: tuple[int, ...]

    @classmethod
    def plain(cls, wordings: Sequence[Sequence[str]]) -> ClassMap:
        """Every class trained as it is."""
        return cls(tuple(map(tuple, wordings)), tuple(row[0] for row in wordings), tuple(range(len(wordings))))

    @property
    def sources(self) -> tuple[str, ...]:
        """The names of the label files' classes."""
        return tuple(row[0] for row in self.wordings)

    @property
    def synonyms(self) -> tuple[tuple[str, ...], ...]:
        """Each trained class by its name, then by the further wordings of the source of that name."""
        further = {name_key(row[0]): row[1:] for row in self.wordings}
        return tuple((name, *further.get(name_key(name), ())) for name in self.names)

    def numbers(self) -> dict[str, int]:
        """Source label by the `name_key` of its name and of each synonym."""
        return {name_key(name): label for label, row in enumerate(self.wordings) for name in row}

    def single(self) -> ClassMap:
        """All trained classes as the one class `defect`; ignore regions stay."""
        return ClassMap(self.wordings, (SINGLE,), tuple(0 if t != EVERY_CLASS else t for t in self.targets))

    def relabel(self, labels: np.ndarray, crowd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Trained labels (N,) int64 of source labels (N,), and crowd (N,) bool with the ignore regions added."""
        moved = np.array(self.targets, np.int64)[labels]
        return moved, crowd | (moved == EVERY_CLASS)

    def category_ids(self, of_sources: Sequence[int]) -> tuple[int, ...]:
        """The COCO category id of each trained class: that of the source of its name, else of its first source."""
        ids: dict[int, int] = {}
        for source, target, number in zip(self.sources, self.targets, of_sources, strict=True):
            if target not in ids or name_key(source) == name_key(self.names[target]):
                ids[target] = number
        return tuple(ids[target] for target in range(len(self.names)))

    def words(self) -> str:
        """What is merged and ignored, for a notice."""
        parts = []
        for target in (*range(len(self.names)), EVERY_CLASS):
            mine = [s for s, t in zip(self.sources, self.targets, strict=True) if t == target]
            name = IGNORE if target == EVERY_CLASS else self.names[target]
            if mine and (len(mine) > 1 or mine[0] != name):
                parts.append(f"{' + '.join(map(printable, mine))} -> {printable(name)}")
        return ", ".join(parts)


def read_classes(document: Document, names: Mapping[str, Names]) -> dict[str, ClassMap]:
    """The classes of each split of a data YAML, given its names. Raises ConfigError with file and line.

    A name that only some splits have is remapped there.
    """
    table = document.data.get("remap")
    if table is None:
        return {split: ClassMap.plain(rows) for split, rows in names.items()}
    if not isinstance(table, dict):
        raise document.error(
            "'remap' must map names to names, e.g. remap: {scratch_light: scratch, dust: ignore}", "remap"
        )
    remap = _Remap(document, tuple(dict.fromkeys(row for rows in names.values() for row in rows)), table)
    return {split: remap.classes(rows) for split, rows in names.items()}


class _Remap:
    """The table `remap` of one data YAML, checked entry by entry against the names of all splits."""

    def __init__(self, document: Document, wordings: Names, table: dict[Any, Any]) -> None:
        self.document, self.names = document, tuple(dict.fromkeys(row[0] for row in wordings))
        self.known = {name_key(name): name for name in self.names}
        self.further = {name_key(name): row[0] for row in wordings for name in row[1:]}
        self.keys: dict[str, Any] = {}  # name_key -> the key as written, for lines
        self.step: dict[str, str] = {}  # name_key -> the name it becomes
        for key in table:
            self._add(key)
        for source, name in self.step.items():
            meant = self.further.get(name_key(name), "")
            if (
                meant
                and name_key(name) not in self.known
                and name_key(self.step.get(name_key(meant), meant)) == name_key(meant)
            ):
                message = f"'{printable(name)}' is another name of '{printable(meant)}'; write that one"
                raise self._error(message, self.keys[source])
        if IGNORE in self.known and IGNORE not in self.step and IGNORE in map(name_key, self.step.values()):
            key = next(self.keys[k] for k, value in self.step.items() if name_key(value) == IGNORE)
            message = "names has a class called 'ignore', so it is unclear what this becomes"
            raise self._error(f"{message}; add 'ignore: ignore' or rename that class", key)

    def classes(self, wordings: Names) -> ClassMap:
        """Follow every name of a split to its end."""
        names: list[str] = []
        number: dict[str, int] = {}
        targets = []
        for source, *_ in wordings:
            end = self._end(source)
            if end is None:
                targets.append(EVERY_CLASS)
                continue
            if name_key(end) not in number:
                number[name_key(end)] = len(names)
                names.append(end)
            targets.append(number[name_key(end)])
        if not names:
            raise self._error("every class is ignored, nothing is left to train; keep at least one")
        return ClassMap(wordings, tuple(names), tuple(targets))

    def _error(self, message: str, *keys: Any) -> ConfigError:
        return self.document.error(message, "remap", *keys)

    def _add(self, key: Any) -> None:
        name = (self.document.text("remap", key) or "").strip()
        if name in ("", "~"):
            raise self._error(f"'{printable(str(key))}' becomes no name; write a class name or 'ignore'", key)
        source = name_key(str(key))
        if source not in self.known:
            near = did_you_mean(str(key), self.names)
            shown = printable(", ".join(self.names)[:200])
            raise self._error(f"'{printable(str(key))}' is not in names{near or f'; names has {shown}'}", key)
        if source in self.keys:
            raise self._error(f"'{printable(str(key))}' appears twice (case does not count); remove one", key)
        self.keys[source] = key
        self.step[source] = self.known.get(name_key(name), name)

    def _end(self, source: str) -> str | None:
        """What a name becomes in the end; None when it is ignored."""
        path = [source]
        while (now := name_key(path[-1])) in self.step:
            following = self.step[now]
            if name_key(following) == IGNORE:
                return None
            if name_key(following) == now:
                break
            if name_key(following) in map(name_key, path):
                shown = printable(" -> ".join([*path, following]))
                raise self._error(f"goes in a circle: {shown}; end it with a name that is not remapped", self.keys[now])
            path.append(following)
        return path[-1]
