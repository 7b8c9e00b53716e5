"""The paths of a data YAML made absolute, and what to say when nothing is there."""

from __future__ import annotations

import glob
import os
from itertools import islice
from pathlib import Path
from typing import Any

from utils.words.errors import DataError, printable
from utils.words.text import did_you_mean
from utils.words.yamlio import Document

MOST_SIBLINGS = 1000
SPLITS = ("train", "val", "test")
EXAMPLE = "a data YAML needs e.g. 'path: ../wood', 'train: images/train', 'val: images/val', 'names: [knot, crack]'"


class YamlPaths:
    """Turns the paths of one data YAML into absolute ones."""

    def __init__(self, document: Document, notices: list[str], root: str | Path) -> None:
        self.document, self.notices = document, notices
        self.home = document.path.absolute().parent
        self.root = self._replaced(root) if root else self._root()

    def _replaced(self, root: str | Path) -> Path:
        """The root that the user names in place of `path:`."""
        if os.path.isdir(root):
            return tidy(Path.cwd() / root)
        raise missing("data.root", "stands in for the data YAML's path", tidy(Path.cwd() / root), self._expected())

    def _root(self) -> Path:
        value = self.document.data.get("path")
        if value is None:
            return self.home
        text = self._text(value, "path")
        beside, here = tidy(self.home / text), tidy(Path.cwd() / text)
        if os.path.isdir(beside):
            return beside
        if os.path.isdir(here):
            self.notices.append(
                f"{self.document.where('path')}: taken relative to the working directory: {printable(str(here))}"
            )
            return here
        shown = printable(str(beside))
        advice = "mend path, fetch the data, or say where it is with --set data.root=FOLDER"
        raise DataError(f"{self.document.where('path')}: path: {shown} does not exist; {advice}{self._expected()}")

    def _expected(self) -> str:
        """What the YAML looks for below its root, to be said when that is not there."""
        values = [self.document.data.get(split) for split in SPLITS]
        for key, inside in (("labels", ""), ("annotations", "/*.json")):
            table = self.document.data.get(key)
            for value in table.values() if isinstance(table, dict) else ():
                values.append(value if str(value).lower().endswith(".json") else f"{value}{inside}")
        texts = [text for value in values for text in (value if isinstance(value, list) else [value])]
        below = [text for text in texts if isinstance(text, str) and not os.path.exists(self.home / text)]
        return f"; it should hold {printable(', '.join(dict.fromkeys(below))[:300])}" if below else ""

    def entries(self, split: str) -> tuple[Path, ...]:
        """What the key of a split names."""
        value = self.document.data[split]
        values = value if isinstance(value, list) else [value]
        if not values:
            raise self.document.error(f"'{split}' is an empty list; {EXAMPLE}", split)
        return tuple(self._place(self._text(text, split), split) for text in values)

    def per_split(self, key: str) -> dict[str, Path]:
        """The path of each split under `labels` or `annotations`; empty when the key is absent."""
        value = self.document.data.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise self.document.error(f"'{key}' must say it per split, e.g. {key}: {{train: {key}/train}}", key)
        for split in value:
            if split not in SPLITS:
                near = did_you_mean(str(split), SPLITS)
                raise self.document.error(f"'{printable(str(split))}' is not a split{near}", key, split)
        return {split: self._place(self._text(text, key, split), key) for split, text in value.items()}

    def _text(self, value: Any, *keys: str) -> str:
        if isinstance(value, str) and value.strip():
            return value
        raise self.document.error(f"'{keys[-1]}' must be a path, not {printable(repr(value))[:60]}", *keys)

    def _place(self, text: str, key: str) -> Path:
        """Below the root; a list file also beside the YAML; without `path:` also below the working directory; `../x`
        also as `x` (Roboflow).
        """
        first, beside = tidy(self.root / text), tidy(self.home / text)
        if text.endswith(".txt") and not os.path.exists(first) and os.path.isfile(beside):
            return beside
        others = [] if self.document.data.get("path") is not None else [tidy(Path.cwd() / text)]
        if text.startswith("../"):
            others.append(tidy(self.root / text[3:]))
        if os.path.exists(first) or glob.has_magic(text):
            return first
        for other in others:
            if os.path.exists(other):
                self.notices.append(f"{self.document.where(key)}: '{printable(text)}' taken as {printable(str(other))}")
                return other
        return first


def tidy(path: Path) -> Path:
    """Without `..` where that means the same place (behind a symbolic link it may not)."""
    short = Path(os.path.normpath(path))
    if os.path.exists(path) and not (os.path.exists(short) and short.samefile(path)):
        return path
    return short


def missing(where: str, what: str, path: Path, more: str = "") -> DataError:
    """Names the whole path, and what is there instead at the first folder that fails; `more` ends the message."""
    gap = path
    while not os.path.exists(gap.parent):
        gap = gap.parent
    near = did_you_mean(gap.name, [p.name for p in siblings(gap)])
    shown = printable(str(path))
    return DataError(f"{where}: {what}: {shown} does not exist{near or '; mend the path or fetch the data'}{more}")


def siblings(path: Path) -> list[Path]:
    """What lies beside a path, for `did_you_mean`; nothing where that cannot be known, or is too much to compare."""
    try:
        return sorted(islice(path.parent.iterdir(), MOST_SIBLINGS))
    except (OSError, ValueError):
        return []
