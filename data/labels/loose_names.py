"""Names that are the same but for how a tool or a file system wrote them: letter case, %20, Unicode form."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

from data.pictures.picture_decoder import is_picture

T = TypeVar("T")
Spelling = Callable[[str], str]


def loose_name(name: str) -> str:
    """What two spellings of one file name have in common."""
    plain = unquote(name) if "%" in name else name
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", plain).casefold())


def once(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    """Key -> value, without the keys that come with several values."""
    found: dict[str, T] = {}
    several = set()
    for key, value in pairs:
        if found.setdefault(key, value) != value:
            several.add(key)
    return {key: value for key, value in found.items() if key not in several} if several else found


def names_in(folder: str | Path) -> list[str]:
    """What a folder holds; nothing when it cannot be read."""
    try:
        return os.listdir(folder)
    except (OSError, ValueError):
        return []


class LooseFiles:
    """Files below a folder by a name that may be spelled otherwise; each folder is listed once."""

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, str]] = {}

    def find(self, folder: Path, name: str) -> Path | None:
        """The only file below `folder` that `name`, with slashes, can mean."""
        place = folder
        for part in name.split("/"):
            if place not in self._names:
                self._names[place] = once((loose_name(one), one) for one in names_in(place))
            if (found := self._names[place].get(loose_name(part))) is None:
                return None
            place = place / found
        return place


class LooseLabels:
    """Label files whose names differ from their pictures' in spelling only, where that leaves no choice.

    A file that bears the name of another picture exactly is not taken, nor one that could be meant by two pictures.
    """

    def __init__(self) -> None:
        self._tables: dict[tuple[str, str, str], dict[str, str]] = {}

    def find(self, home: str, stem: str, folders: Sequence[str], suffix: str) -> str | None:
        """The label file of the picture `stem` in the folder `home`: of `suffix` in any letter case, in `folders`."""
        for folder in folders:
            key = home, folder, suffix
            if key not in self._tables:
                self._tables[key] = _spelled_otherwise(home, folder, suffix)
            if (found := self._tables[key].get(loose_name(stem))) is not None:
                return os.path.join(folder, found)
        return None


def _spelled_otherwise(home: str, folder: str, suffix: str) -> dict[str, str]:
    """Loose stem of a picture in `home` -> label file in `folder`."""
    stems = {os.path.splitext(name)[0] for name in names_in(home) if is_picture(name)}
    pictures = Counter(map(loose_name, stems))
    labels = once(
        (loose_name(os.path.splitext(name)[0]), name)
        for name in names_in(folder)
        if name.lower().endswith(suffix) and not (name.endswith(suffix) and name[: -len(suffix)] in stems)
    )
    return {key: name for key, name in labels.items() if pictures[key] == 1}


def match_names(names: Mapping[int, str], pictures: Sequence[Path]) -> tuple[dict[Path, int], list[Path]]:
    """Which of `names`, relative or absolute with slashes, names which picture, where that leaves no choice; and which
    pictures are named by another spelling only.

    First a name that ends the picture's path, the longest; then the only one of its base name. What is left over is
    compared by `loose_name` alike, at last by the longest tail of two or more folders and name: the path of another
    machine. Nothing that two pictures or two names could mean is taken.
    """
    matching = _Matching(names, pictures)
    matching.by_suffix(str)
    matching.by_base(str)
    exact = set(matching.found)
    if matching.names and matching.pictures:
        matching.by_suffix(loose_name)
        matching.by_base(loose_name)
        matching.by_tail()
    return matching.found, [picture for picture in matching.found if picture not in exact]


class _Matching:
    """Names and pictures that are left, and what was found."""

    def __init__(self, names: Mapping[int, str], pictures: Sequence[Path]) -> None:
        self.all_names, self.all_pictures = names, pictures
        self.names, self.pictures = dict(names), dict.fromkeys(pictures)
        self.found: dict[Path, int] = {}

    def by_suffix(self, spelled: Spelling) -> None:
        """Names that end the path of a picture, the longest first."""
        table = once((spelled(name).lstrip("/"), index) for index, name in self.names.items())
        most = 1 + max((name.count("/") for name in table), default=0)
        pairs = []
        for picture in self.pictures:
            parts = spelled(picture.as_posix()).split("/")
            tails = ("/".join(parts[start:]) for start in range(max(len(parts) - most, 0), len(parts)))
            index = next((table[tail] for tail in tails if tail in table), None)
            if index is not None:
                pairs.append((picture, index))
        self._take(pairs)

    def by_base(self, spelled: Spelling) -> None:
        """The only picture and the only name, of all, that end alike."""
        if not self.names or not self.pictures:
            return
        pictures = once((spelled(picture.name), picture) for picture in self.all_pictures)
        names = once((spelled(name.rpartition("/")[2]), index) for index, name in self.all_names.items())
        pairs = [(picture, names[base]) for base, picture in pictures.items() if base in names]
        self._take([(p, index) for p, index in pairs if p in self.pictures and index in self.names])

    def by_tail(self) -> None:
        """The longest common end of two or more parts."""
        names = {index: loose_name(name).split("/") for index, name in self.names.items()}
        bases = {parts[-1] for parts in names.values()}
        pictures = {p: loose_name(p.as_posix()).split("/") for p in self.pictures}
        pictures = {p: parts for p, parts in pictures.items() if parts[-1] in bases}
        for depth in range(max(map(len, names.values()), default=0), 1, -1):
            mine = once(("/".join(parts[-depth:]), p) for p, parts in pictures.items() if p in self.pictures)
            table = once(("/".join(parts[-depth:]), i) for i, parts in names.items() if i in self.names)
            self._take([(picture, table[tail]) for tail, picture in mine.items() if tail in table])

    def _take(self, pairs: Sequence[tuple[Path, int]]) -> None:
        uses = Counter(index for _, index in pairs)
        for picture, index in pairs:
            if uses[index] == 1:
                self.found[picture] = index
                del self.pictures[picture], self.names[index]
