"""The pixels of a TIFF: of 8 bit by Pillow, of 16 bit by OpenCV.

Both rest on libtiff and give the same pixels, but OpenCV passes over what libtiff says of damaged strips of 8 bit, and
Pillow knows no colours of 16 bit. Damage is found where libtiff notices it: codes that cannot be, rows that are
missing, and the checksum of deflate where it gets so far; JPEG and fax inside a TIFF are decoded whatever they hold.
"""

from __future__ import annotations

import ctypes
import io
import struct
import warnings
from contextlib import suppress

import cv2
import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from data.pictures.picture_header import PictureHeader

COLOUR = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
OPENCV_CODES = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
NOT_OPENED = (SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, OSError, struct.error)


def decode_tiff(raw: bytes, header: PictureHeader) -> np.ndarray:
    """The first page as (H, W, 3) RGB, upright, uint8 or uint16. Raises ValueError, OSError, cv2.error on damage."""
    file = None if header.deep else _opened(raw)
    image = None if file is None else _page(file, header)
    if image is None:
        image = _stored(cv2.imdecode(np.frombuffer(raw, np.uint8), COLOUR), header, 0)
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else np.ascontiguousarray(image[..., :3])


def decode_pages(raw: bytes, header: PictureHeader) -> list[np.ndarray]:
    """Every page as it is stored, upright: (H, W), or (H, W, C) in the order r, g, b, alpha; uint8 or uint16.

    Raises ValueError, OSError, cv2.error on damage.
    """
    file, count = None if header.deep else _opened(raw), len(header.white_is_zero)
    pages = [_page(file, header, number) for number in range(count)] if file is not None else [None]
    if all(page is not None for page in pages):
        return [page for page in pages if page is not None]
    _, images = cv2.imdecodemulti(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED)
    return [_stored(image, header, number) for number, image in enumerate(images)]


def _opened(raw: bytes) -> TiffImageFile | None:
    """Nothing where Pillow does not know the layout. Its own limit on pixels is `Image.open`'s: ours went before."""
    _keep_quiet()
    try:
        return TiffImageFile(io.BytesIO(raw))
    except NOT_OPENED:
        return None


def _page(file: TiffImageFile, header: PictureHeader, number: int = 0) -> np.ndarray | None:
    """A page of 8 bit; nothing of colours that OpenCV converts otherwise, like Lab, but checked for damage."""
    try:
        file.seek(number)
        if sorted(file.size) != sorted(header.upright):  # before there is memory for it
            raise ValueError("a page of another size than the first")
        file.load()
    except NOT_OPENED as error:
        raise ValueError("libtiff says that it is damaged") from error
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
    if image.dtype == np.uint16 and header.white_is_zero[page : page + 1] == (
        True,
    ):  # of 8 bit OpenCV sees to it by itself
        image = ~image
    return image if image.ndim == 2 else cv2.cvtColor(image, OPENCV_CODES[image.shape[2]])


def _keep_quiet() -> None:
    """Pillow warns of odd tags, and its libtiff writes to stderr of each damaged file, which our errors say better."""
    warnings.filterwarnings("ignore", module=r"PIL\.TiffImagePlugin")
    with suppress(OSError, AttributeError):  # a Pillow that was built otherwise stays loud
        ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler(None)
