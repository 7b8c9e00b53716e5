"""Read one picture: the header first, then the pixels; one rule for train, val, detect and export.

| stored as | becomes |
|---|---|
| grey, 1-bit, palette | three planes (grey: equal ones, of a huge picture one that is seen as three) |
| RGBA, LA, palette with transparency | the alpha plane is dropped, nothing is composited |
| 16 bit per plane (PNG, TIFF, PGM, JPEG 2000) | 8 bit by dropping the low byte (v >> 8), whatever the content |
| CMYK JPEG and TIFF | RGB by OpenCV's plain conversion, without ICC |
| EXIF or TIFF orientation 2..8 | turned upright; any other value means upright already |
| several pages or frames | the first one |
| float, signed or 32-bit TIFF, 16-bit TIFF in separate planes, 12-bit JPEG, BigTIFF, others | refused with a reason |

The format is recognised by the content, not from the suffix. ICC profiles are ignored.
"""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import cv2
import numpy as np

from data.files.shards import is_member, read_member
from data.pictures.huge_pictures import as_three, check_held, eight_bit, is_grey, is_huge, upright
from data.pictures.picture_header import PictureHeader, UnusablePicture, read_header
from data.pictures.png_bands import SIGNATURE, decode_in_bands
from data.pictures.tiff_decoder import decode_tiff
from utils.words.errors import DataError, ResourceError, printable
from utils.words.regular_file import UnreadableFile, read_regular

IMAGE_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pnm", ".jp2"}
)
# Pictures that nothing here reads, by what their names end with: they are counted, never passed over in silence.
UNREAD_SUFFIXES = frozenset(
    (
        ".3fr .ai .apng .arw .avif .avifs .bpg .cr2 .cr3 .cur .dcm .dds .djvu .dng .emf .eps .erf .exr .fits .fts .gif "
        ".hdr .heic .heics .heif .hif .ico .icns .iiq .j2c .j2k .jls .jng .jp2k .jpc .jpf .jpm .jpx .jxl .jxr .kdc "
        ".mng .mrw .nef .nrw .orf .pam .pbm .pcd .pcx .pef .pfm .pic .pict .psb .psd .qoi .raf .ras .raw .rw2 .rwl "
        ".sgi .sr .sr2 .srf .srw .svg .svgz .tga .wbmp .wdp .wmf .x3f .xbm .xcf .xpm"
    ).split()
)
MAX_PIXELS = 178_956_970
REDUCED = {
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
}
DAMAGED = "its content is damaged"
READ_FLAGS = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION


def is_picture(name: str) -> bool:
    """Whether a file name ends like a picture we read; case does not matter."""
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES


def is_unread_picture(name: str) -> bool:
    """Whether a file name ends like a picture of a kind that is not read; case does not matter."""
    return os.path.splitext(name)[1].lower() in UNREAD_SUFFIXES


def read_image(path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Decode a picture to (H, W, 3) uint8 RGB, upright; the table above says how other modes are converted. The array
    is contiguous, but of a huge grey picture: its three planes are one in memory and not to be written to, `as_three`.

    Raises DataError naming file and reason: not a regular file, unreadable, not a picture, incomplete, of
    a mode that is not accepted, or larger than `max_pixels` (checked before any decoding). Sets OpenCV's
    log level to silent, because its decoders would otherwise write about each bad file to stderr.
    """
    return _read(path, max_pixels, deep=False)


def read_grey(path: str | Path, max_pixels: int, least: int) -> tuple[np.ndarray, PictureHeader]:
    """The brightness (H, W) uint8 or uint16 of a picture, upright, and its header, for looking at many pictures.

    A large JPEG is decoded at a half to an eighth of its size, as long as its shorter side has `least` px. Of 16 bit
    it is the largest plane, so that its values say how many bits are used. Raises DataError as `read_image` does.
    """
    raw, header = load_picture(path, max_pixels)
    if header.tiff or header.deep:
        return read_stored(path, max_pixels).max(2), header
    side = min(header.height, header.width) if raw.startswith(b"\xff\xd8") else 0
    flag = next((flag for factor, flag in REDUCED.items() if side >= factor * least), cv2.IMREAD_GRAYSCALE)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        image = cv2.imdecode(np.frombuffer(raw, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        image = None
    if image is None:
        raise image_error(path, f"cannot be decoded, {DAMAGED}")
    return upright(image, header.orientation), header


def read_stored(path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """As `read_image`, but of 16 bits per plane, uint16, where the file has so many."""
    return _read(path, max_pixels, deep=True)


def _read(path: str | Path, max_pixels: int, deep: bool) -> np.ndarray:
    raw, header = load_picture(path, max_pixels)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        # both libraries turn TIFFs by themselves
        image = decode_tiff(raw, header, deep) if header.tiff else _decode(raw, header, deep)
    except (cv2.error, OSError, ValueError) as error:
        raise decode_error(path, error) from error
    del raw  # what follows may take as much again
    if not header.tiff:
        image = upright(image if deep else eight_bit(image), header.orientation)
    image = as_three(image) if image.ndim == 2 else image
    if image.shape[:2] != header.upright:
        raise image_error(path, f"is {image.shape[1]} x {image.shape[0]} although its header says otherwise")
    return image


def picture_size(path: str | Path, max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """(height, width) px of the upright picture, from its header; the pixels are not decoded.

    Raises DataError as `read_image` does, except for damage that only a decoder sees.
    """
    return load_picture(path, max_pixels)[1].upright


def read_file(path: str | Path, max_bytes: int) -> bytes:
    """The content of a regular file; pipes, devices, folders are refused without waiting (DataError).

    Raises ResourceError when this process may open no further file: that is no fault of the picture's.
    """
    try:
        return read_regular(path, max_bytes)
    except UnreadableFile as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and cause.errno in (errno.EMFILE, errno.ENFILE):
            raise ResourceError(f"{printable(str(path))}: {cause.strerror}; raise ulimit -n") from error
        raise image_error(path, str(error)) from error


def decode_error(path: str | Path, error: Exception) -> DataError:
    """Why a decoder gave nothing: memory, or what the file holds."""
    starved = isinstance(error, cv2.error) and error.code == cv2.Error.StsNoMem
    return image_error(path, "cannot be decoded, " + ("there is no memory for it" if starved else DAMAGED))


def image_error(path: str | Path, reason: str, advice: str = "replace or remove it") -> DataError:
    """A DataError that names the file, what is wrong with it and what to do."""
    return DataError(f"{printable(str(path))}: {reason}; {advice}")


def more_pixels(count: int) -> str:
    """What to do about a picture of so many pixels where fewer are allowed."""
    return f"if it is meant, allow it with --max-pixels {count}"


def picture_bytes(path: str | Path, max_pixels: int) -> bytes:
    """The content of a picture's file, on its own or in a shard. Raises DataError."""
    most = max_pixels * 8 + (64 << 20)
    return read_member(path, most) if is_member(path) else read_file(path, most)


def load_picture(path: str | Path, max_pixels: int) -> tuple[bytes, PictureHeader]:
    """Bytes and header of a picture that is complete and small enough. Raises DataError."""
    raw = picture_bytes(path, max_pixels)
    try:
        header = read_header(raw)
        if header.height * header.width <= max_pixels:
            check_held(raw, header)
    except UnusablePicture as error:
        raise image_error(path, str(error)) from error
    except (struct.error, IndexError) as error:
        raise image_error(path, "is cut off inside its header") from error
    if header.height < 1 or header.width < 1:
        raise image_error(path, "has no area according to its header")
    if header.height * header.width > max_pixels:
        reason = f"has {header.width} x {header.height} pixels, more than the {max_pixels:,} allowed"
        raise image_error(path, reason, more_pixels(header.height * header.width))
    return raw, header


def _decode(raw: bytes, header: PictureHeader, deep: bool) -> np.ndarray:
    """(H, W, 3) RGB, or a huge grey picture (H, W), as it is stored, of the depth it was stored with; of a huge one
    only where `deep`. Raises ValueError when nothing comes out.
    """
    grey = is_huge(header) and is_grey(raw)
    if grey and raw.startswith(SIGNATURE) and (image := decode_in_bands(raw, deep)) is not None:
        return image
    kind = cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB
    # without ANYDEPTH OpenCV drops the low byte as it decodes, and there are never 16 bits of a huge picture
    flags = kind | (cv2.IMREAD_IGNORE_ORIENTATION if grey and not deep else READ_FLAGS)
    image = cv2.imdecode(np.frombuffer(raw, np.uint8), flags)
    if image is None or image.ndim != 3 - grey or image.dtype not in (np.uint8, np.uint16):
        raise ValueError("nothing usable decoded")
    return image
