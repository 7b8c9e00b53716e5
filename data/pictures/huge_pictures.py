"""Grey pictures too large for three equal planes: one plane in memory that is seen as three, and only where grey is.

20,000 x 20,000 px are 0.4 GB as one plane, 1.2 GB as three.
"""

from __future__ import annotations

import io
from contextlib import suppress

import numpy as np
from PIL.JpegImagePlugin import JpegImageFile

from data.pictures.picture_header import JP2, TURNS, PictureHeader, UnusablePicture

HUGE = 64_000_000  # px, above which a grey picture is held once; below, three planes are faster, as OpenCV copies views
BAND = 1 << 22  # px that are worked on at a time
DEFLATED = 1032  # bytes, at most, that one byte of deflate stands for
PNG_PLANES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of each type of colour
PNG_GREY = (0, 4)  # without and with alpha


def is_huge(header: PictureHeader) -> bool:
    """Whether three planes of the picture would be too much, if it is grey."""
    return header.height * header.width > HUGE


def as_three(grey: np.ndarray) -> np.ndarray:
    """(H, W) as three equal planes (H, W, 3) that are one in memory, and therefore not to be written to."""
    return np.broadcast_to(grey[..., None], (*grey.shape, 3))


def is_grey(raw: bytes) -> bool:
    """Whether the bytes of a picture, but for TIFF, hold nothing but brightness, by their header; alpha may be there,
    a palette is a colour.
    """
    if raw.startswith(b"\x89PNG"):
        return raw[25] in PNG_GREY
    if raw.startswith(b"\xff\xd8"):
        with suppress(OSError, SyntaxError, ValueError, IndexError, KeyError, TypeError):
            return JpegImageFile(io.BytesIO(raw)).mode == "L"
    if raw.startswith(JP2):
        start = raw.find(b"\xff\x4f\xff\x51")  # the codestream, with the count of planes 40 bytes on
        return raw[start + 40 : start + 42] == b"\0\1"
    return raw.startswith(b"P5")


def check_held(raw: bytes, header: PictureHeader) -> None:
    """Raise UnusablePicture for a PNG of so few bytes that they cannot hold what its header announces: nothing is then
    allocated for it.
    """
    if raw.startswith(b"\x89PNG"):
        bits = raw[24] * PNG_PLANES.get(raw[25], 1)
        if header.height * ((header.width * bits + 7) // 8) > len(raw) * DEFLATED:
            size = f"{header.width} x {header.height}"
            raise UnusablePicture(f"is a truncated PNG: {len(raw):,} bytes cannot hold the {size} pixels of its header")


def eight_bit(image: np.ndarray) -> np.ndarray:
    """uint8 of an array of any shape: of uint16 the high byte, in one copy; uint8 is given back as it is."""
    if image.dtype == np.uint8:
        return image
    high = np.empty(image.shape, np.uint8)
    np.right_shift(image, 8, out=high, casting="unsafe")
    return high


def upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """`image` (H, W) or (H, W, C) turned as its orientation 1..8 says."""
    if orientation == 1:
        return image
    swap, rows, columns = TURNS[orientation]
    image = image.swapaxes(0, 1) if swap else image
    return np.ascontiguousarray(image[:: -1 if rows else 1, :: -1 if columns else 1])


def as_stored(whole: np.ndarray, orientation: int) -> np.ndarray:
    """A view of the upright picture `whole` (H, W) with rows and columns as they are stored, to be filled."""
    if orientation == 1:
        return whole
    swap, rows, columns = TURNS[orientation]
    turned = whole[:: -1 if rows else 1, :: -1 if columns else 1]
    return turned.swapaxes(0, 1) if swap else turned
