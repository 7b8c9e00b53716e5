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
from dataclasses import replace

import cv2
import numpy as np
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from data.pictures.huge_pictures import BAND, as_stored, as_three, eight_bit, is_huge
from data.pictures.picture_header import PictureHeader
from data.pictures.tiff_bands import bands, is_plain_grey

BRIGHTNESS = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
COLOUR = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
OPENCV_CODES = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
COMPRESSION, DEFLATE = 259, (8, 32946)  # tags, and values, of TIFF 6.0 and its supplements
OFFSETS, COUNTS = (273, 324), (279, 325)  # of strips, of tiles
MOST_BYTES, SLACK = 8, 1 << 20  # of a pixel; and of tiles that reach beyond the picture
STEP = 1 << 14  # bytes of deflate that are inflated at a time
NOT_OPENED = (SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, OSError, struct.error)


def decode_tiff(raw: bytes, header: PictureHeader, deep: bool = True) -> np.ndarray:
    """The first page as (H, W, 3) RGB, upright, uint8, or of 16 bit where `deep` uint16. A huge grey one is one
    plane in memory, see `as_three`. Raises ValueError, OSError, cv2.error on damage.
    """
    image = _huge_grey(raw, header, deep) if is_huge(header) else None
    if image is not None:
        return as_three(image)
    image = _whole(raw, header, COLOUR)
    image = image if deep else eight_bit(image)
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else np.ascontiguousarray(image[..., :3])


def _whole(raw: bytes, header: PictureHeader, flags: int) -> np.ndarray:
    """The first page (H, W), or (H, W, C) in the order r, g, b, alpha; `flags` for OpenCV, where Pillow does not do.

    Raises ValueError, OSError, cv2.error.
    """
    file = _opened(raw)
    image = None if file is None else _page(raw, file, header)
    return _stored(cv2.imdecode(np.frombuffer(raw, np.uint8), flags), header, 0) if image is None else image


def _huge_grey(raw: bytes, header: PictureHeader, deep: bool) -> np.ndarray | None:
    """The first page (H, W), upright, where it is grey; in bands if it can be, which takes no memory beside it.

    Raises ValueError, OSError, cv2.error on damage.
    """
    try:
        tags = _tags(raw)
        if not is_plain_grey(tags):
            return None
        parts = bands(raw, tags)
    except NOT_OPENED as error:
        raise ValueError("its parts are not those of its size") from error
    if parts is None:
        image = _whole(raw, header, BRIGHTNESS)
        return image if deep else eight_bit(image)
    picture = np.empty(header.upright, np.uint16 if deep and header.deep else np.uint8)
    rows = as_stored(picture, header.orientation)
    for part in parts:
        band = _whole(part.raw, replace(header, height=part.rows, orientation=1), BRIGHTNESS)
        rows[part.top : part.top + part.rows] = band if deep else eight_bit(band)
    return picture


def decode_pages(raw: bytes, header: PictureHeader) -> list[np.ndarray]:
    """Every page as it is stored, upright: (H, W), or (H, W, C) in the order r, g, b, alpha; uint8 or uint16.

    Raises ValueError, OSError, cv2.error on damage.
    """
    file, count = _opened(raw), len(header.white_is_zero)
    if count == 1 and is_huge(header) and (grey := _huge_grey(raw, header, deep=True)) is not None:
        return [grey]
    pages = [] if file is None else [_page(raw, file, header, number) for number in range(count)]
    if known := [page for page in pages if page is not None]:
        if len(known) == count:
            return known
    _, images = cv2.imdecodemulti(np.frombuffer(raw, np.uint8), cv2.IMREAD_UNCHANGED)
    return [_stored(image, header, number) for number, image in enumerate(images)]


class _TiffFile(TiffImageFile):
    """Without Pillow's own limit on pixels, ours went before: `Image.open` has one, and so does what makes the room."""

    def load_prepare(self) -> None:
        if self._im is None:
            self.im = Image.core.new(self.mode, self._tile_size)  # of the whole picture, as it is stored
        super().load_prepare()


def _opened(raw: bytes) -> TiffImageFile | None:
    """Nothing where Pillow does not know the layout."""
    _keep_quiet()
    try:
        return _TiffFile(io.BytesIO(raw))
    except NOT_OPENED:
        return None


def _tags(raw: bytes) -> ImageFileDirectory_v2:
    """The tags of the first page, whether Pillow knows its layout or not. Raises what NOT_OPENED holds."""
    _keep_quiet()
    file, tags = io.BytesIO(raw), ImageFileDirectory_v2(raw[:8])
    file.seek(tags.next)
    tags.load(file)
    return tags


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
        return _grey(file)
    if file.mode in ("LA", "La"):
        return np.asarray(file)[..., 0]
    if file.mode in ("P", "PA"):
        return np.asarray(file.convert("RGB"))
    if file.mode == "CMYK":  # as OpenCV does, which cuts off where Pillow rounds
        ink = 255 - np.asarray(file).astype(np.uint16)
        return (ink[..., :3] * ink[..., 3:] // 255).astype(np.uint8)
    return np.asarray(file) if file.mode in ("RGB", "RGBA", "RGBX") else None


def _grey(file: TiffImageFile) -> np.ndarray:
    """(H, W) of a loaded page of mode 1 or L; in bands, since NumPy asks Pillow for all of it three times over."""
    step = max(BAND // file.width, 1)
    if step >= file.height:
        return np.asarray(file.convert("L"))
    grey = np.empty((file.height, file.width), np.uint8)
    for top in range(0, file.height, step):
        rows = file.crop((0, top, file.width, min(top + step, file.height)))
        grey[top : top + step] = np.asarray(rows.convert("L"))
    return grey


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
        inflating, inflated = zlib.decompressobj(), 0
        for start in range(offset, offset + count, STEP):  # what comes out isn't kept: a strip may be the whole picture
            try:
                inflated += len(inflating.decompress(memoryview(raw)[start : min(start + STEP, offset + count)]))
            except zlib.error as error:
                raise ValueError(f"deflate: {error}") from error
            if inflating.eof or inflated > most:
                break
        if not inflating.eof:
            raise ValueError("deflate: its end is missing")


def _keep_quiet() -> None:
    """Pillow warns of odd tags, and its libtiff writes to stderr of each damaged file, which our errors say better."""
    warnings.filterwarnings("ignore", module=r"PIL\.TiffImagePlugin")
    with suppress(OSError, AttributeError):  # a Pillow that was built otherwise stays loud
        ctypes.CDLL(Image.core.__file__).TIFFSetErrorHandler(None)
