"""Predictions of any tool in COCO's results format: a JSON list of {image_id, category_id, bbox, score}, xywh px.

Pictures are known by `file_name` where a row has one, else by `image_id` (a number, or the name of the file without its
suffix, as some tools write); classes by `category` where a row has one, else by `category_id`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any

from utils.words.class_names import name_key
from utils.words.errors import DataError, printable
from utils.words.regular_file import UnreadableFile, read_regular
from utils.words.text import did_you_mean

MAX_BYTES = 4 << 30
SHOWN = 8  # ids or names in a message
LONGEST = 18  # digits of a file's name that may be a number


class Known:
    """The pictures and classes of the data, as a file of predictions may call them; `one_class`: all mean the same.
    `doubt`, once rows were read: a sentence where a number may be meant as a name instead.
    """

    def __init__(self, truth: Mapping[str, Any], one_class: bool = False) -> None:
        self.images = {image["id"]: image["file_name"] for image in truth["images"]}
        self.categories = {category["id"]: category["name"] for category in truth["categories"]}
        self.by_key = {name_key(name): category for category, name in self.categories.items()}
        self.one_class = next(iter(self.categories)) if one_class else None
        self.doubt = ""
        self.files: dict[str, list[int]] = {}
        self.numbers: dict[int, list[int]] = {}  # of the files whose name is a number
        for image_id, name in self.images.items():
            path = PurePosixPath(name)
            if path.stem.isdecimal() and len(path.stem) <= LONGEST:
                self.numbers.setdefault(int(path.stem), []).append(image_id)
            for alias in {name, path.name, path.stem}:
                self.files.setdefault(alias, []).append(image_id)
            self.files[name] = [image_id]  # a full name is never ambiguous, even if it is also another's short name

    def image(self, row: Mapping[str, Any]) -> int:
        """The id of a row's picture. Raises ValueError with the reason."""
        given = row.get("file_name", row.get("image_id"))
        if isinstance(given, int) and not isinstance(given, bool):  # True is an int to Python, and would mean id 1
            if given not in self.images:
                raise ValueError(f"image_id {given} is none of the data's; it has {_some(self.images)}")
            if not self.doubt and self.numbers.get(given, [given]) != [given]:
                taken = f"{given} is {printable(self.images[given])}, not the file of that name"
                self.doubt = f"image_id is taken for the data's number: {taken}; give file_name where names are meant"
            return given
        if not isinstance(given, str):
            raise ValueError(f"image_id must be a number or a name, not {_shown(given)}")
        name = PurePosixPath(given.replace("\\", "/"))
        short = self.files.get(name.name, [])
        ids = self.files.get(given) or [one for one in short if _same_folder(name, PurePosixPath(self.images[one]))]
        if len(ids) != 1:
            wrong = "several pictures of the data are called that" if ids else "is no picture of the data"
            raise ValueError(f"'{printable(given)}': {wrong}; it has {_some(self.images.values())}")
        return ids[0]

    def category(self, row: Mapping[str, Any]) -> int:
        """The id of a row's class. Raises ValueError with the reason."""
        if self.one_class is not None:
            return int(self.one_class)
        name = row.get("category")
        if isinstance(name, str):
            if name_key(name) not in self.by_key:
                near = did_you_mean(name, self.categories.values())
                raise ValueError(f"class '{printable(name)}' is none of the data's{near or self._classes()}")
            return int(self.by_key[name_key(name)])
        number = row.get("category_id")
        if not isinstance(number, int) or isinstance(number, bool) or number not in self.categories:
            raise ValueError(f"category_id {_shown(number)} is none of the data's{self._classes()}")
        return number

    def _classes(self) -> str:
        return f"; it has {_some([f'{i} = {printable(name)}' for i, name in self.categories.items()])}"


def read_predictions(path: str | Path, known: Known) -> list[dict[str, Any]]:
    """The rows of a results file, checked, with the data's own ids. An empty list is sound: nothing was found.

    Raises DataError naming the file and the first bad row.
    """
    shown = printable(str(path))
    content = read_json(path)
    if not isinstance(content, list):
        data_set = isinstance(content, dict) and {"images", "annotations"} & content.keys()
        what = "a data set, not what was found in one" if data_set else "no list"
        raise DataError(f"{shown}: is {what}; COCO results are a list of image_id, category_id, bbox, score")
    rows = []
    for number, row in enumerate(content, 1):
        try:
            rows.append(_checked(row, known))
        except ValueError as error:
            raise DataError(f"{shown}: detection {number:,}: {error}") from error
    return rows


def read_parts(paths: Sequence[str], known: Known) -> list[dict[str, Any]]:
    """The rows of several results files, such as those of folds. Raises DataError, also when two show one picture."""
    rows: list[dict[str, Any]] = []
    owners: dict[int, str] = {}
    if twice := next((path for n, path in enumerate(paths) if path in paths[:n]), ""):
        raise DataError(f"{printable(twice)}: named twice; name it once, else each detection would count twice")
    for path in paths:
        part = read_predictions(path, known)
        for image in {row["image_id"] for row in part}:
            if owners.setdefault(image, path) != path:
                both = f"{printable(owners[image])} and {printable(path)}"
                raise DataError(f"{both}: both have detections of {printable(known.images[image])}; give one of them")
        rows += part
    return rows


def read_json(path: str | Path) -> Any:
    """The content of a JSON file. Raises DataError when it cannot be read or is no JSON."""
    shown = printable(str(path))
    try:
        return json.loads(read_regular(path, MAX_BYTES))
    except UnreadableFile as error:
        raise DataError(f"{shown}: {error}; name a JSON file") from error
    except (ValueError, RecursionError) as error:  # bytes that are no UTF-8 among them
        reason = printable(" ".join(str(error).split()))[:120]
        raise DataError(f"{shown}: is no JSON: {reason}; write the file again") from error


def _same_folder(one: PurePosixPath, other: PurePosixPath) -> bool:
    """Whether two paths may lie in the same folder: as far up as both go, they have the same ones."""
    folders = zip(reversed(one.parts[:-1]), reversed(other.parts[:-1]), strict=False)
    return all(mine == theirs for mine, theirs in folders)


def _checked(row: Any, known: Known) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise ValueError(f"must be an object with image_id, category_id, bbox and score, not {_shown(row)}")
    for key, other in (("image_id", "file_name"), ("category_id", "category"), ("bbox", ""), ("score", "")):
        if key not in row and other not in row:
            raise ValueError(f"has no {key}; COCO results have image_id, category_id, bbox and score")
    box, score = row["bbox"], row["score"]
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        raise ValueError(f"bbox must be four finite numbers (x, y, width, height in px), not {_shown(box)}")
    if box[2] < 0 or box[3] < 0:
        raise ValueError(f"bbox {_shown(box)} has a negative size; COCO's boxes are x, y, width, height")
    if not _is_number(score) or not 0 <= score <= 1:
        raise ValueError(f"score must be a number from 0 to 1, not {_shown(score)}")
    return {"image_id": known.image(row), "category_id": known.category(row), "bbox": box, "score": score}


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e9 and isfinite(value)


def _shown(value: Any) -> str:
    return printable(repr(value))[:60]


def _some(values: Any) -> str:
    words = [printable(str(value)) for value in values]
    return ", ".join(words[:SHOWN]) + (f" and {len(words) - SHOWN:,} more" if len(words) > SHOWN else "")
