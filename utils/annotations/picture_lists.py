"""A data YAML for pictures that stay where they are, with the lists of them that it names."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from utils.annotations.labelled_picture import LabelledPicture, LabelRun
from utils.files.output_files import write_bytes, write_text

UNLISTABLE = "their names end in blanks or hold line breaks, which no list of pictures can say; rename them"
HEAD = "# found by detect.py: correct it, then python train.py --data with this file\n"
EVERY = 5  # every fifth picture is for validation


class PictureLists:
    """train.txt, val.txt and data.yaml; of each picture its name is kept in memory, where the inputs are anyway."""

    def __init__(self, run: LabelRun) -> None:
        self.run, self.root = run, Path()
        self.names: list[str] = []

    def add(self, picture: LabelledPicture) -> None:
        """One more picture, whose name is `listable`."""
        if not self.names:
            self.root = picture.root
        # all names are relative to one folder; whatever is not is named whole
        self.names.append(picture.name if picture.root == self.root else str(picture.path))

    def keep(self, wanted: Callable[[Path, str], bool]) -> None:
        """Keep those pictures, by path and name, that are `wanted`."""
        self.names = [name for name in self.names if wanted(self.root / name, name)]

    @property
    def distinct(self) -> bool:
        """Whether the pictures' names differ without their folders, by which a COCO json may be matched."""
        return len({name.rpartition("/")[2].casefold() for name in self.names}) == len(self.names)

    def write(self, keys: Mapping[str, Any]) -> None:
        """Write the lists and the YAML, with these `keys` beside path, train, val and names. Raises ResourceError."""
        folder = Path(os.path.abspath(self.run.folder))
        lists = {"train": [name for k, name in enumerate(self.names) if k % EVERY != 1], "val": self.names[1::EVERY]}
        known: dict[str, Any] = {"path": str(self.root)}
        for split, names in lists.items():
            if names:
                write_bytes(folder / f"{split}.txt", b"".join(os.fsencode(name) + b"\n" for name in names))
                known[split] = str(folder / f"{split}.txt")  # absolute: below `path` may be one of the same name
        tables = {
            key: {split: place for split, place in table.items() if split in known} for key, table in keys.items()
        }
        self._write_yaml({**known, "names": list(self.run.names), **tables})

    def write_without(self, train: Path) -> None:
        """Write the YAML alone, with one file that names all pictures. Raises ResourceError."""
        known = {"path": str(self.root), "train": os.path.abspath(train), "names": list(self.run.names)}
        self._write_yaml(known)

    def _write_yaml(self, known: Mapping[str, Any]) -> None:
        if self.names:
            text = yaml.safe_dump(dict(known), sort_keys=False, allow_unicode=True, width=10**9)
            write_text(self.run.folder / "data.yaml", HEAD + text)


def listable(name: str) -> bool:
    """Whether a list of pictures, one on each line, can hold this name."""
    raw = os.fsencode(name)
    return raw == raw.strip() and len(raw.splitlines()) == 1
