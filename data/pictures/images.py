"""Read one picture: the header first, then the pixels; one rule for train, val, detect and export.

| stored as | becomes |
|---|---|
| grey, 1-bit, palette | three planes (grey: equal ones) |
| RGBA, LA, palette with transparency | the alpha plane is dropped, nothing is composited |
| 16 bit per plane (PNG, TIFF) | 8 bit by dropping the low byte (v >> 8), whatever the content |
| CMYK JPEG and TIFF | RGB by OpenCV's plain conversion, without ICC |
| EXIF or TIFF orientation 2..8 | turned upright; any other value means upright already |
| several pages or frames | the first one |
| float, signed or 32-bit TIFF, 12-bit JPEG, BigTIFF, other formats | refused with a reason |

The format is told from the content, not from the suffix. ICC profiles are ignored.
"""

from __future__ import annotations

import io
import os
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from data.files.shards import is_member, read_member
from utils.words.errors import DataError, printable

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"})
MAX_PIXELS = 178_956_970
MAX_SEGMENTS = 1_000_000
READ_FLAGS = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
# orientation -> (swap the axes first, reverse the rows, reverse the columns)
TURNS = {2: (0, 0, 1), 3: (0, 1, 1), 4: (0, 1, 0), 5: (1, 0, 0), 6: (1, 0, 1), 7: (1, 1, 1), 8: (1, 1, 0)}


class _Unusable(Exception):
    """Why these bytes are no picture for us, in words."""


@dataclass(frozen=True, slots=True)
class _Header:
    """Size as stored (before turning), orientation, and what OpenCV would do to a TIFF by itself."""

    height: int
    width: int
    orientation: int = 1
    tiff: bool = False
    tiff_alpha: bool = False

    @property
    def upright(self) -> tuple[int, int]:
        return (self.width, self.height) if self.orientation in (5, 6, 7, 8) else (self.height, self.width)


def is_picture(name: str) -> bool:
    """Whether a file name ends like a picture we read; case does not matter."""
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def read_image(path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode a picture to (H, W, 3) uint8 RGB, upright; the table above says how other modes are converted.

    Raises DataError naming file and reason: not a regular file, unreadable, not a picture, incomplete, of
    a mode that is not accepted, or larger than `max_pixels` (checked before any decoding). Sets OpenCV's
    log level to silent, because its decoders would otherwise write about each bad file to stderr.
    """
    raw, header = load_picture(path, max_pixels)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        image = _decode(raw, header)
    except (cv2.error, OSError, ValueError, Image.DecompressionBombError) as error:
        raise image_error(path, "cannot be decoded, its content is damaged") from error
    if image.dtype == np.uint16:
        image = np.right_shift(image, 8, dtype=np.uint16).astype(np.uint8)
    if image.shape[:2] != header.upright:
        raise image_error(path, f"is {image.shape[1]} x {image.shape[0]} although its header says otherwise")
    return image


def picture_size(path: str | Path, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """(height, width) px of the upright picture, from its header; the pixels are not decoded.

    Raises DataError as `read_image` does, except for damage that only a decoder sees.
    """
    return load_picture(path, max_pixels)[1].upright


def read_file(path: str | Path, max_bytes: int) -> bytes:
    """The content of a regular file; pipes, devices, folders are refused without waiting (DataError)."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
        try:
            info = os.fstat(descriptor)
            if not stat.S_ISREG(info.st_mode):
                raise image_error(path, "is not a regular file")
            if info.st_size > max_bytes:
                raise image_error(path, f"has {info.st_size:,} bytes, more than the {max_bytes:,} allowed")
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(info.st_size)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise image_error(path, f"cannot be read: {reason}") from error


def image_error(path: str | Path, reason: str, advice: str = "replace or remove it") -> DataError:
    """A DataError that names the file, what is wrong with it and what to do."""
    return DataError(f"{printable(str(path))}: {reason}; {advice}")


def picture_bytes(path: str | Path, max_pixels: int) -> bytes:
    """The content of a picture's file, on its own or in a shard. Raises DataError."""
    most = max_pixels * 8 + (64 << 20)
    return read_member(path, most) if is_member(path) else read_file(path, most)


def load_picture(path: str | Path, max_pixels: int) -> tuple[bytes, _Header]:
    """Bytes and header of a picture that is complete and small enough. Raises DataError."""
    raw = picture_bytes(path, max_pixels)
    try:
        header = _parser(raw)(raw)
    except _Unusable as error:
        raise image_error(path, str(error)) from error
    except (struct.error, IndexError) as error:
        raise image_error(path, "is cut off inside its header") from error
    if header.height < 1 or header.width < 1:
        raise image_error(path, "has no area according to its header")
    if header.height * header.width > max_pixels:
        reason = f"has {header.width} x {header.height} pixels, more than the {max_pixels:,} allowed"
        raise image_error(path, reason, "raise --max-pixels if it is meant")
    return raw, header


def _parser(raw: bytes) -> Callable[[bytes], _Header]:
    """The header parser for these bytes, told from their first ones."""
    if raw[:3] == b"\xff\xd8\xff":
        return _jpeg
    if raw[:8] == b"\x89PNG\r\n\x1a\n":
        return _png
    if raw[:4] in (b"II*\0", b"MM\0*"):
        return _tiff
    if raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        return _webp
    if raw[:2] == b"BM":
        return _bmp
    if not raw:
        raise _Unusable("is an empty file")
    head = raw[:256].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.isascii() and b"\0" not in head:
        raise _Unusable(f"is {'HTML or XML' if head[:1] == b'<' else 'text'}, not a picture")
    raise _Unusable("is none of the accepted picture formats (JPEG, PNG, BMP, TIFF, WebP)")


def _jpeg(raw: bytes) -> _Header:
    """Walk the segments up to the first scan, so that the EOI of an EXIF thumbnail is not taken for ours."""
    header, orientation, at = None, 1, 2
    for _ in range(MAX_SEGMENTS):
        at = raw.find(b"\xff", at)
        marker = raw[at + 1] if at >= 0 else 0xD9
        if marker == 0xFF or marker == 0x01 or 0xD0 <= marker <= 0xD8:  # padding and markers without content
            at += 1 if marker == 0xFF else 2
            continue
        if marker in (0xD9, 0xDA):
            break
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            header = struct.unpack_from(">BHH", raw, at + 4)
        length = struct.unpack_from(">H", raw, at + 2)[0]
        if marker == 0xE1 and raw[at + 4 : at + 10] == b"Exif\0\0":
            orientation = _orientation(raw[at + 10 : at + 2 + length])
        at += 2 + length
    if header is None or marker != 0xDA:
        raise _Unusable("is a JPEG cut off before its picture")
    if header[0] != 8:
        raise _Unusable(f"is a JPEG with {header[0]} bits per plane, only 8 are accepted")
    if raw.rfind(b"\xff\xd9", at) < 0:  # bytes after the end marker are fine, phones write them
        raise _Unusable("is a truncated JPEG (no end marker)")
    return _Header(header[1], header[2], orientation)


def _png(raw: bytes) -> _Header:
    """Walk the chunks up to IEND; libpng would fill the missing part of a truncated file in silence."""
    if raw[12:16] != b"IHDR":
        raise _Unusable("is a PNG without a header")
    width, height = struct.unpack_from(">II", raw, 16)
    orientation, at = 1, 8
    for _ in range(MAX_SEGMENTS):
        length, kind = struct.unpack_from(">I4s", raw, at) if at + 8 <= len(raw) else (len(raw), b"")
        if at + 12 + length > len(raw):
            raise _Unusable("is a truncated PNG (no end chunk)")
        if kind == b"eXIf":
            orientation = _orientation(raw[at + 8 : at + 8 + length])
        if kind == b"IEND":
            return _Header(height, width, orientation)
        at += 12 + length
    raise _Unusable("is a PNG of too many chunks")


def _bmp(raw: bytes) -> _Header:
    offset, size = struct.unpack_from("<II", raw, 10)
    if size == 12:  # the OS/2 header
        width, height, _, bits = struct.unpack_from("<HHHH", raw, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", raw, 18)
    if compression == 0 and offset + (width * bits + 31) // 32 * 4 * abs(height) > len(raw):
        raise _Unusable("is a truncated BMP")
    return _Header(abs(height), width)


def _webp(raw: bytes) -> _Header:
    if struct.unpack_from("<I", raw, 4)[0] + 8 > len(raw) + 1:  # a missing padding byte is harmless
        raise _Unusable("is a truncated WebP")
    kind = raw[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", raw, 26)
        return _Header(height & 0x3FFF, width & 0x3FFF)
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", raw, 21)[0]
        return _Header((bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1)
    if kind != b"VP8X":
        raise _Unusable("is a WebP of an unknown kind")
    width, height = (int.from_bytes(raw[at : at + 3], "little") + 1 for at in (24, 27))
    return _Header(height, width, _webp_orientation(raw))


def _webp_orientation(raw: bytes) -> int:
    at = 12
    for _ in range(MAX_SEGMENTS):
        if at + 8 > len(raw):
            break
        kind, length = struct.unpack_from("<4sI", raw, at)
        if kind == b"EXIF":
            return _orientation(raw[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0"))
        at += 8 + length + length % 2
    return 1


def _tiff(raw: bytes) -> _Header:
    tags = _tags(raw, (256, 257, 258, 262, 273, 274, 277, 279, 324, 325, 339))
    if 256 not in tags or 257 not in tags:
        raise _Unusable("is a TIFF without a size")
    bits, planes = max(tags.get(258, (1,))), tags.get(277, (1,))[0]
    if set(tags.get(339, (1,))) - {1, 4} or bits not in (1, 2, 4, 8, 16):
        raise _Unusable("is a float, signed or 32-bit TIFF; accepted are unsigned 8 and 16 bit")
    if planes > 4:
        raise _Unusable(f"is a TIFF of {planes} planes; accepted are 1 to 4")
    for offsets, counts in ((273, 279), (324, 325)):
        ends = map(sum, zip(tags.get(offsets, ()), tags.get(counts, ()), strict=False))
        if max(ends, default=0) > len(raw):
            raise _Unusable("is a truncated TIFF")
    alpha = planes == 4 and bits == 8 and tags.get(262, (1,))[0] == 2
    return _Header(tags[257][0], tags[256][0], _valid(tags.get(274, (1,))[0]), tiff=True, tiff_alpha=alpha)


def _tags(data: bytes, wanted: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """The wanted whole-number entries of a TIFF's first directory; an EXIF block is one, too."""
    order = "<" if data[:2] == b"II" else ">"
    start = struct.unpack_from(f"{order}I", data, 4)[0]
    tags: dict[int, tuple[int, ...]] = {}
    for entry in range(struct.unpack_from(f"{order}H", data, start)[0]):
        at = start + 2 + 12 * entry
        tag, kind, count = struct.unpack_from(f"{order}HHI", data, at)
        code = {1: "B", 3: "H", 4: "I"}.get(kind)
        if tag not in wanted or code is None or count == 0:
            continue
        inside = count * struct.calcsize(f"={code}") <= 4
        place = at + 8 if inside else struct.unpack_from(f"{order}I", data, at + 8)[0]
        tags[tag] = struct.unpack_from(f"{order}{count}{code}", data, place)
    return tags


def _orientation(exif: bytes) -> int:
    """1..8 from an EXIF block; a block that makes no sense means upright."""
    try:
        return _valid(_tags(exif, (274,)).get(274, (1,))[0])
    except struct.error:
        return 1


def _valid(orientation: int) -> int:
    return orientation if orientation in TURNS else 1


def _decode(raw: bytes, header: _Header) -> np.ndarray:
    """(H, W, 3) RGB, upright, of the depth it was stored with. Raises ValueError when nothing comes out."""
    image: np.ndarray | None
    if header.tiff_alpha:  # OpenCV would multiply the colours of an 8-bit TIFF by its alpha
        with Image.open(io.BytesIO(raw), formats=["TIFF"]) as picture:
            return np.array(picture)[..., :3]
    if header.tiff:  # asked for RGB, OpenCV 4.14 returns noise for 16-bit TIFFs of three planes
        image = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR | READ_FLAGS)
        image = None if image is None else image[..., ::-1].copy()
    else:
        image = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR_RGB | READ_FLAGS)
    if image is None or image.ndim != 3 or image.dtype not in (np.uint8, np.uint16):
        raise ValueError("nothing usable decoded")
    if header.orientation == 1 or header.tiff:  # both libraries turn TIFFs by themselves
        return image
    swap, rows, columns = TURNS[header.orientation]
    image = image.transpose(1, 0, 2) if swap else image
    return np.ascontiguousarray(image[:: -1 if rows else 1, :: -1 if columns else 1])
