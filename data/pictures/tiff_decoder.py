"""The pixels of a TIFF: of 8 bit by Pillow, of 16 bit by OpenCV.

Both rest on libtiff and give the same pixels, but OpenCV passes over what libtiff says of damaged strips of 8 bit, and
Pillow knows no colours of 16 bit. Damage is found where libtiff notices it: codes that cannot be, rows that are
missing. The checksums of deflate, which libtiff does not come to, are compared here; LZW, JPEG and fax have none.
"""

from __future__ import annotations

import ctypes
import io
import struct
import warnings
import zlib
from contextlib import suppress

import cv2
import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from data.pictures.picture_header import PictureHeader

COLOUR = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
OPENCV_CODES = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
COMPRESSION, DEFLATE = 259, (8, 32946)  # tags, and values, of TIFF 6.0 and its supplements
OFFSETS, COUNTS = (273, 324), (279, 325)  # of strips, of tiles
MOST_BYTES, SLACK = 8, 1 << 20  # of a pixel; and of tiles that reach beyond the picture
NOT_OPENED = (SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, OSError, struct.error)


def decode_tiff(raw: bytes, header: PictureHeader) -> np.ndarray:
    """The first page as (H, W, 3) RGB, upright, uint8 or uint16. Raises ValueError, OSError, cv2.error on damage."""
    file = _opened(raw)
    image = None if file is None else _page(raw, file, header)
    if image is None:
        image = _stored(cv2.imdecode(np.frombuffer(raw, np.uint8), COLOUR), header, 0)
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else np.ascontiguousarray(image[..., :3])


def decode_pages(raw: bytes, header: PictureHeader) -> list[np.ndarray]:
    """Every page as it is stored, upright: (H, W), or (H, W, C) in the order r, g, b, alpha; uint8 or uint16.

    Raises ValueError, OSError, cv2.error on damage.
    """
    file, count = _opened(raw), len(header.white_is_zero)
    pages = [] if file is None else [_page(raw, file, header, number) for number in range(count)]
    if known := [page for page in pages if page is not None]:
        if len(known) == count:
            return known
    _, images = cv2.imdecodemulti(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED)
    return [_stored(image, header, number) for number, image in enumerate(images)]


def _opened(raw: bytes) -> TiffImageFile | None:
    """Nothing where Pillow does not know the layout. Its own limit on pixels is `Image.open`'s: ours went before."""
    _keep_quiet()
    try:
        return TiffImageFile(io.BytesIO(raw))
    except NOT_OPENED:
        return None


def _page(raw: bytes, file: TiffImageFile, header: PictureHeader, number: int = 0) -> np.ndarray | None:
    """A page of 8 bit; nothing of 16 bit, and of colours that OpenCV converts otherwise, like Lab, but checked for
    damage. Raises ValueError.
    """
    try:
        file.seek(number)
        if sorted(file.size) != sorted(header.upright):  # before there is memory for it
            raise ValueError("a page of another size than the first")
        _check_deflate(raw, file)
        if header.deep:
            return None
        file.load()
    except NOT_OPENED as error:
        raise ValueError("libtiff or a checksum says that it is damaged") from error
    if file.mode in ("1", "L"):
        return np.asarray(file.convert("L"))
    if file.mode in ("LA", "La"):
        return np.asarray(file)[..., 0]
    if file.mode in ("P", "PA"):
        return np.asarray(file.convert("RGB"))
    if file.mode == "CMYK":  # as OpenCV does, which cuts off where Pillow rounds
        ink = 255 - np.asarray(file).astype(np.uint16)
        return (ink[..., :3] * ink[..., 3:] // 255).astype(np.uint8)
    return np.asarray(file) if file.mode in ("RGB", "RGBA", "RGBX") else None


def _stored(image: np.ndarray | None, header: PictureHeader, page: int) -> np.ndarray:
    """What OpenCV decoded, in the order r, g, b. Raises ValueError if it is nothing."""
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise ValueError("nothing usable decoded")
    if image.dtype == np.uint16 and header.white_is_zero[page]:  # of 8 bit OpenCV sees to it by itself
        image = ~image
    return image if image.ndim == 2 else cv2.cvtColor(image, OPENCV_CODES[image.shape[2]])


def _check_deflate(raw: bytes, file: TiffImageFile) -> None:
    """Inflate each strip or tile of the page at hand to its end, where its checksum stands. Raises ValueError."""
    tags = file.tag_v2
    if tags.get(COMPRESSION) not in DEFLATE:
        return
    offsets, counts = (tags.get(strips) or tags.get(tiles) or () for strips, tiles in (OFFSETS, COUNTS))
    most = file.width * file.height * MOST_BYTES + SLACK  # what claims to be more is a bomb
    for offset, count in zip(offsets, counts, strict=True):
        inflating = zlib.decompressobj()
        try:
            inflating.decompress(memoryview(raw)[offset : offset + count], most)
        except zlib.error as error:
            raise ValueError(f"deflate: {error}") from error
        if not inflating.eof:
            raise ValueError("deflate: its end is missing")


def _keep_quiet() -> None:
    """Pillow warns of odd tags, and its libtiff writes to stderr of each damaged file, which our errors say better."""
    warnings.filterwarnings("ignore", module=r"PIL\.TiffImagePlugin")
    with suppress(OSError, AttributeError):  # a Pillow that was built otherwise stays loud
        ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler(None)
