"""A huge grey PNG decoded by some rows at a time, since OpenCV holds the whole of one twice.

The rows of a PNG are differences to the rows above. Each band is decoded as a PNG of its own that begins with the last
row of the band before it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import cv2
import numpy as np

from data.pictures.huge_pictures import BAND, eight_bit

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = struct.Struct(">IIBBBBB")  # width, height, bits, type of colour, compression, filters, interlacing
STEP = 1 << 14  # bytes of deflate that are inflated at a time
FLAGS = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION


def decode_in_bands(raw: bytes, deep: bool) -> np.ndarray | None:
    """(H, W) as stored, uint8, or of 16 bit where `deep` uint16; None for anything but grey of 8 or 16 bit in the order
    of its rows. Raises ValueError, cv2.error on damage.
    """
    width, height, bits, colours, *_, interlaced = HEADER.unpack_from(raw, 16)
    if colours != 0 or bits not in (8, 16) or interlaced:
        return None
    picture = np.empty((height, width), np.uint16 if deep and bits == 16 else np.uint8)
    above, top = np.zeros((1, width), np.uint8 if bits == 8 else np.uint16), 0
    length = 1 + width * bits // 8  # the first byte of a row says what its differences are to
    for rows in _inflated(raw, length, height, max(BAND // width, 1)):
        first = b"\0" + above.astype(above.dtype.newbyteorder(">")).tobytes()
        band = cv2.imdecode(np.frombuffer(_small(width, bits, first + rows), np.uint8), FLAGS)
        if band is None or band.shape != (1 + len(rows) // length, width) or band.dtype != above.dtype:
            raise ValueError("nothing usable decoded")
        picture[top : top + len(band) - 1] = band[1:] if deep else eight_bit(band[1:])
        above, top = band[-1:].copy(), top + len(band) - 1
    return picture


def _inflated(raw: bytes, length: int, height: int, most: int) -> Iterator[bytes]:
    """Up to `most` whole rows of `length` bytes at a time, `height` in all. Raises ValueError on damage."""
    inflating, waiting, left = zlib.decompressobj(), bytearray(), height
    for piece in _pieces(raw):
        try:
            waiting += inflating.decompress(piece)
        except zlib.error as error:
            raise ValueError(f"deflate: {error}") from error
        while left and len(waiting) >= min(most, left) * length:
            rows = min(most, left)
            yield bytes(memoryview(waiting)[: rows * length])
            del waiting[: rows * length]
            left -= rows
        if not left and inflating.eof:
            return
        if not left:
            waiting.clear()  # more than there are rows, which every decoder passes over
    raise ValueError("rows are missing, or their end")


def _pieces(raw: bytes) -> Iterator[memoryview]:
    """What the chunks of pixels hold, bit by bit. Raises ValueError where a checksum is not that of its chunk."""
    view, at = memoryview(raw), len(SIGNATURE)
    while at + 12 <= len(raw):
        count, kind = struct.unpack_from(">I4s", raw, at)
        start, end = at + 8, at + 8 + count
        if kind == b"IDAT":
            if zlib.crc32(view[at + 4 : end]) != struct.unpack_from(">I", raw, end)[0]:
                raise ValueError("a checksum differs")
            for place in range(start, end, STEP):
                yield view[place : min(place + STEP, end)]
        at = end + 4


def _small(width: int, bits: int, rows: bytes) -> bytes:
    """A grey PNG of these rows, which are filtered already."""
    height = len(rows) // (1 + width * bits // 8)
    head = HEADER.pack(width, height, bits, 0, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b"")
    return SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(content, zlib.crc32(kind)))
