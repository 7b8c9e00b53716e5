"""Contact sheets of what an audit suspects, each picture beside what it is to be compared with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from data.checks.audit import Audit
from data.checks.exposure import faint_kind, is_dark
from data.checks.same_pictures import Listed
from data.checks.turned import unturned
from data.pictures.picture_decoder import load_picture, read_image, read_stored
from utils.drawing.box_drawing import BoxStyle, Marks, draw_marks
from utils.drawing.contact_sheet import fitted, picture_grid
from utils.drawing.overlay_files import write_picture
from utils.values.record import Record
from utils.words.errors import DataError

MOST = 16  # pairs, or single pictures, on a sheet
CELL = 320  # px
Cell = tuple[np.ndarray, str]


def write_sheets(out: Path, audit: Audit) -> list[str]:
    """same.jpg, dark.jpg, turned.jpg, faint.jpg in `out`, as far as there is something to show; their names."""
    sheets = {
        "same.jpg": _same(audit),
        "dark.jpg": _dark(audit),
        "turned.jpg": _turned(audit),
        "faint.jpg": _faint(audit),
    }
    written = []
    for name, cells in sheets.items():
        if shown := list(cells):
            images, captions = zip(*shown, strict=True)
            write_picture(out / name, picture_grid(images, captions, min(len(images), 4), CELL))
            written.append(name)
    return written


def _same(audit: Audit) -> Iterator[Cell]:
    """Pairs of pictures that are the same or look it; those of two splits first."""
    pairs = [(one, group.pictures[0], f"same {group.how}") for group in audit.repeated for one in group.pictures[1:]]
    looks = audit.alike.looks
    pairs += [(looks[b].picture, looks[a].picture, "stored anew" if s else "alike") for a, b, s in audit.alike.pairs]
    order = {"same file": 1, "same bytes": 1, "stored anew": 2, "alike": 3}
    pairs.sort(key=lambda pair: (pair[0].split == pair[1].split, order[pair[2]]))
    shown = dict.fromkeys(one for one, _, _ in pairs)  # each picture once, beside the one it is most like
    first = {one: (one, other, how) for one, other, how in reversed(pairs)}
    for one, other, how in [first[one] for one in shown][:MOST]:
        for listed, word in ((other, ""), (one, f"{how}: ")):
            yield from _read(audit, listed.path, f"{word}{_short(listed)}")


def _dark(audit: Audit) -> Iterator[Cell]:
    """Pictures of 16 bit as they are read, and stretched to their usual values."""
    dark = [look for look in audit.looks if is_dark(look)]
    for look in dark[:: max(len(dark) // MOST, 1)][:MOST]:
        image = read_stored(look.picture.path, audit.max_pixels)
        yield (image >> 8).astype(np.uint8), f"as read: {_short(look.picture)}"
        usual = look.depth.usual if look.depth else 0
        stretched = (image / max(usual, 1) * 255).clip(max=255).astype(np.uint8)
        yield stretched, f"up to {usual:,} of 65,535, stretched"


def _turned(audit: Audit) -> Iterator[Cell]:
    """Turned pictures with their boxes, and with the boxes as if they had been drawn on the unturned picture."""
    shown: list[tuple[str, Record]] = []
    for split in audit.sets:
        records = audit.records_of(split, audit.odd(split).get("turned", []))
        shown += [(split, record) for record in records if len(record.boxes)]
    for split, record in shown[:: max(len(shown) // MOST, 1)][:MOST]:
        try:
            image = read_image(record.path, audit.max_pixels)
            header = load_picture(record.path, audit.max_pixels)[1]
        except DataError:  # said elsewhere
            continue
        height, width = image.shape[:2]
        names = audit.sets[split].names
        for boxes, words in (
            (record.boxes, "as read"),
            (unturned(record.boxes, header.orientation), "if drawn unturned"),
        ):
            keep = ~record.crowd
            small, scale = _small(image)
            sides = np.array([width, height, width, height]) * scale
            drawn = draw_marks(small, Marks((boxes * sides)[keep], record.labels[keep]), names, BoxStyle())
            yield drawn, f"{words}: {_short(Listed(split, str(record.path)))}"


def _faint(audit: Audit) -> Iterator[Cell]:
    """Constant, black and white pictures."""
    for look in [look for look in audit.looks if faint_kind(look)][: 2 * MOST]:
        yield from _read(audit, look.picture.path, f"{faint_kind(look)}: {_short(look.picture)}")


def _read(audit: Audit, path: str, caption: str) -> Iterator[Cell]:
    try:
        yield _small(read_image(path, audit.max_pixels))[0], caption
    except DataError:  # said elsewhere
        yield np.zeros((CELL, CELL, 3), np.uint8), f"unreadable: {caption}"


def _small(image: np.ndarray) -> tuple[np.ndarray, float]:
    """A picture as large as a cell, and by what it was scaled; boxes are drawn on it then, all with the same line."""
    scale = CELL / max(image.shape[:2])
    return fitted(image, *(max(round(side * scale), 1) for side in image.shape[:2])), scale


def _short(listed: Listed) -> str:
    """A picture by its split and its name."""
    return f"{listed.split}/{Path(listed.path).name}"
