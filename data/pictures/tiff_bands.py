"""A huge grey TIFF as small ones, of some of its strips or rows of tiles each: whoever decodes these one by one needs
no memory beside the file's bytes and the picture.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from data.pictures.huge_pictures import BAND

WIDTH, HEIGHT, BITS, COMPRESSION, COLOURS, PLANES, STRIP_ROWS = 256, 257, 258, 259, 262, 277, 278
TILE_WIDTH, TILE_HEIGHT = 322, 323
STRIPS, TILES = (273, 279), (324, 325)  # tags of offsets and counts
RAW = 1
ALONE = (RAW, 5, 8, 32946, 32773)  # raw, LZW, deflate, PackBits: each strip is decoded without the others
COPIED = (BITS, COMPRESSION, COLOURS, 266, PLANES, 317, TILE_WIDTH, TILE_HEIGHT)  # with FillOrder and Predictor
GREY = (0, 1)
SHORT, LONG = 3, 4


@dataclass(frozen=True)
class Band:
    """`rows` of a picture from `top` on, and a TIFF `raw` of just these, not turned."""

    top: int
    rows: int
    raw: bytes


def is_plain_grey(tags: Mapping[int, Any]) -> bool:
    """Whether a page is nothing but brightness."""
    return _first(tags.get(PLANES, 1)) == 1 and _first(tags.get(COLOURS, 1)) in GREY


def bands(raw: bytes, tags: Mapping[int, Any]) -> Iterator[Band] | None:
    """The first page, which is grey, from top to bottom; None where it cannot be taken apart.

    `tags` of the page, as Pillow has them. Raises ValueError where a strip is shorter than its rows.
    """
    packed = _first(tags.get(COMPRESSION, RAW))
    if packed not in ALONE:
        return None
    tiled = TILES[0] in tags
    offsets, counts = (tags.get(tag, ()) for tag in (TILES if tiled else STRIPS))
    width, height = tags[WIDTH], tags[HEIGHT]
    tall = tags.get(TILE_HEIGHT if tiled else STRIP_ROWS) or height
    across = math.ceil(width / (tags.get(TILE_WIDTH) or width)) if tiled else 1
    tall, count = tall if tiled else min(tall, height), across * math.ceil(height / tall)
    if len(offsets) != count or len(counts) != count or not all(counts):
        return None  # whatever libtiff makes of it
    parts = list(zip(offsets, counts, strict=True))
    if not tiled and packed == RAW:
        row = (width * _first(tags.get(BITS, 1)) + 7) // 8
        parts, tall = _cut(parts, tall, height, row, max(BAND // width, 1))
    return _bands(raw, tags, parts, (tall, across))


def _cut(
    parts: Sequence[tuple[int, int]], tall: int, height: int, row: int, most: int
) -> tuple[list[tuple[int, int]], int]:
    """Raw strips (offset, count) of `tall` rows of `row` bytes cut to the largest divisor of `tall` up to `most` rows,
    if they have more, and their new height.
    """
    for place, (_, count) in enumerate(parts):
        if count < min(tall, height - place * tall) * row:
            raise ValueError("a strip is shorter than its rows")
    if tall <= most:
        return list(parts), tall
    # a divisor: only the last strip of a TIFF may be lower than the others
    step = next(rows for rows in range(most, 0, -1) if tall % rows == 0) if len(parts) > 1 else most
    tops = range(0, height, step)
    starts = [parts[top // tall][0] + top % tall * row for top in tops]
    return [(start, min(step, height - top) * row) for start, top in zip(starts, tops, strict=True)], step


def _bands(
    raw: bytes, tags: Mapping[int, Any], parts: Sequence[tuple[int, int]], size: tuple[int, int]
) -> Iterator[Band]:
    """`size`: rows of a strip or tile, and how many of them lie side by side."""
    tall, across = size
    together = max(BAND // (tall * tags[WIDTH]), 1)
    view = memoryview(raw)
    for first in range(0, len(parts) // across, together):
        top = first * tall
        rows = min(together * tall, tags[HEIGHT] - top)
        chosen = parts[first * across : (first + together) * across]
        pieces = [view[offset : offset + count] for offset, count in chosen]
        if any(len(piece) != count for piece, (_, count) in zip(pieces, chosen, strict=True)):
            raise ValueError("a strip lies beyond the end of the file")
        yield Band(top, rows, _small(tags, rows, tall, pieces, "<" if raw[:2] == b"II" else ">"))


def _small(tags: Mapping[int, Any], rows: int, tall: int, pieces: Sequence[memoryview], order: str) -> bytes:
    """A TIFF of `rows` in strips or tiles (`pieces`) of `tall` rows, in the byte order of the whole one."""
    kept = {tag: _first(tags[tag]) for tag in COPIED if tag in tags}
    tiled = TILES[0] in tags
    kept |= {WIDTH: tags[WIDTH], HEIGHT: rows} | ({} if tiled else {STRIP_ROWS: min(tall, rows)})
    count, places = len(pieces), TILES if tiled else STRIPS
    arrays = 8 + 2 + 12 * (len(kept) + 2) + 4  # header and directory lie before the two arrays, and these before pixels
    start = arrays + (8 * count if count > 1 else 0)
    offsets = [start]
    for piece in pieces[:-1]:
        offsets.append(offsets[-1] + len(piece))
    lengths = [len(piece) for piece in pieces]
    values = (arrays, arrays + 4 * count) if count > 1 else (offsets[0], lengths[0])
    entries = [(tag, LONG if value > 0xFFFF else SHORT, 1, value) for tag, value in kept.items()]
    entries += [(tag, LONG, count, value) for tag, value in zip(places, values, strict=True)]
    directory = b"".join(_entry(order, *entry) for entry in sorted(entries))
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(entries))
    listed = struct.pack(f"{order}{2 * count}I", *offsets, *lengths) if count > 1 else b""
    return b"".join((head, directory, bytes(4), listed, *pieces))


def _entry(order: str, tag: int, kind: int, count: int, value: int) -> bytes:
    held = struct.pack(f"{order}HH", value, 0) if kind == SHORT else struct.pack(f"{order}I", value)
    return struct.pack(f"{order}HHI", tag, kind, count) + held


def _first(value: Any) -> int:
    return int(value[0] if isinstance(value, tuple) else value)
