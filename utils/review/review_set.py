"""The reviews of people as a data set that train.py reads, kept whole while it grows.

images/NAME.jpg     the picture's own bytes
labels/NAME.txt     its boxes, as YOLO txt; empty: a good picture
train.txt, val.txt  which pictures are in which split
data.yaml
"""

from __future__ import annotations

import hashlib
import math
import re
import shlex
import threading
from collections.abc import Sequence
from pathlib import Path

import yaml

from utils.files.output_files import make_folder, remove_result, write_bytes, write_text
from utils.words.errors import DataError, printable

VAL_SHARE = 0.2
EPOCHS = 30
LONGEST_STEM = 60  # characters of a picture's name that its file keeps
ROUNDING = 0.01  # px over the edge that come from counting in float32
SMALLEST = 1e-5  # of a side of the picture: the readers of labels call less no box

Box = tuple[float, float, float, float]
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}")


class ReviewSet:
    """Reviews of pictures below `folder`; `names` are the classes by label. Several threads may use one.

    Whenever the process ends, each picture that is there has the label file of its latest review.
    """

    def __init__(self, folder: Path, names: tuple[str, ...]) -> None:
        self.folder, self.names = folder, names
        self._lock = threading.Lock()

    def save(
        self, name: str, picture: bytes | Path, suffix: str, size: tuple[int, int], boxes: Sequence[tuple[int, Box]]
    ) -> None:
        """Keep a review in the place of an earlier one of that `name`, which may be any text.

        `picture` is its bytes or its file, `suffix` what the file's name ends with, `size` (height, width) px of the
        upright picture, `boxes` (label, xyxy px) what is wrong in it. Raises DataError or ResourceError; then, and
        until it returns, the earlier review may be gone, but none is there that is wrong.
        """
        if not _SUFFIX.fullmatch(suffix):
            raise DataError(f"{_shown(name)}: '{_shown(suffix)}' is no ending of a picture's name; use e.g. .png")
        rows = "".join(self._row(name, size, label, box) for label, box in boxes)
        content = picture if isinstance(picture, bytes) else _content(picture)
        stem = _file_stem(name)
        with self._lock:
            images, labels = (make_folder(self.folder / part) for part in ("images", "labels"))
            place = images / f"{stem}{suffix.lower()}"
            there = _same(place, content)
            for old in self._pictures_of(stem):
                if old != place or not there:
                    remove_result(old)  # before the labels change, which are not those of other pixels
            write_text(labels / f"{stem}.txt", rows)
            if not there:
                write_bytes(place, content)

    def forget(self, name: str) -> None:
        """Take a review back; none of that name is as well. Raises ResourceError."""
        stem = _file_stem(name)
        with self._lock:
            for picture in self._pictures_of(stem):
                remove_result(picture)
            remove_result(self.folder / "labels" / f"{stem}.txt")

    def finish(self, weights: str, flags: Sequence[str] = ()) -> tuple[int, int, str]:
        """Write data.yaml and its lists; how many pictures and boxes there are, and the command that trains the
        checkpoint `weights` on them, with these further flags.

        A picture stays in its split however many join, but of very few. A single one is in both. Raises DataError
        where nothing was reviewed, ResourceError.
        """
        with self._lock:
            pictures = self._pictures()
            if not pictures:
                raise DataError(f"{_shown(str(self.folder))}: no picture was reviewed yet; review one first")
            boxes = sum(len(self._label_of(path).read_bytes().splitlines()) for path in pictures)
            for split, chosen in zip(("train", "val"), _split(pictures), strict=True):
                write_text(self.folder / f"{split}.txt", "".join(f"images/{path.name}\n" for path in chosen))
            keys = {"path": ".", "train": "train.txt", "val": "val.txt", "names": list(self.names)}
            text = yaml.safe_dump(keys, sort_keys=False, allow_unicode=True)
            write_text(self.folder / "data.yaml", f"# reviews of pictures, written by detect.py\n{text}")
        data = str(self.folder / "data.yaml")
        words = ["python", "train.py", "--data", data, "--weights", weights, *flags]
        return len(pictures), boxes, shlex.join([*words, "--epochs", str(EPOCHS), "--name", "reviewed"])

    def _pictures(self) -> list[Path]:
        """The pictures that are part of the set, in the order of their names."""
        images = self.folder / "images"
        found = images.iterdir() if images.is_dir() else ()
        return sorted(path for path in found if not path.name.startswith(".") and self._label_of(path).is_file())

    def _pictures_of(self, stem: str) -> list[Path]:
        # the stem has no character that means something to glob
        return sorted((self.folder / "images").glob(f"{stem}.*"))

    def _label_of(self, picture: Path) -> Path:
        return self.folder / "labels" / f"{picture.stem}.txt"

    def _row(self, name: str, size: tuple[int, int], label: int, box: Box) -> str:
        """A line of the label file. Raises DataError."""
        height, width = size
        if not 0 <= label < len(self.names):
            known = f"there are {len(self.names)} classes, from 0"
            raise DataError(f"{_shown(name)}: a box has the unknown class {label}; {known}")
        x1, y1, x2, y2 = box
        if not math.isfinite(x1 + y1 + x2 + y2):
            raise DataError(f"{_shown(name)}: a box has an edge that is no number; draw it anew")
        shown = f"the box {x1:g} {y1:g} {x2:g} {y2:g}"
        if min(x1, y1) < -ROUNDING or x2 > width + ROUNDING or y2 > height + ROUNDING:
            raise DataError(
                f"{_shown(name)}: {shown} reaches out of the picture, {width} x {height} px; move it inside"
            )
        x1, y1, x2, y2 = max(x1, 0.0), max(y1, 0.0), min(x2, float(width)), min(y2, float(height))
        if not (x2 - x1 > SMALLEST * width and y2 - y1 > SMALLEST * height):
            raise DataError(f"{_shown(name)}: {shown} has no area; draw it larger or remove it")
        values = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
        return " ".join([str(label), *(f"{value:.8f}" for value in values)]) + "\n"


def _split(pictures: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Training and validation: by a hash of the name, the same at every export; neither is empty.

    Chance could give most of a few pictures to validation, so it gets a third at most.
    """
    ranked = sorted(pictures, key=_rank)
    held = sum(_rank(path) < VAL_SHARE for path in ranked)
    held = max(min(held, len(ranked) // 3), 1)
    return sorted(ranked[held:] or ranked), sorted(ranked[:held])


def _rank(picture: Path) -> float:
    """0..1, evenly spread."""
    return int.from_bytes(hashlib.sha256(picture.stem.encode()).digest()[:8]) / 2**64


def _file_stem(name: str) -> str:
    """A file name without suffix that is safe everywhere and each `name` has to itself."""
    raw = name.encode("utf-8", "surrogatepass")
    stem = name.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or name
    plain = re.sub(r"[^A-Za-z0-9_-]+", "_", stem)[:LONGEST_STEM].strip("_-") or "picture"
    return f"{plain}-{hashlib.sha256(raw).hexdigest()[:12]}"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{_shown(str(path))}: cannot be read: {reason}; is the picture still there?") from error


def _same(path: Path, content: bytes) -> bool:
    """Whether a file holds just that, and is no link."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size != len(content):
        return False
    return path.read_bytes() == content


def _shown(text: str) -> str:
    return printable(text)[:200]
