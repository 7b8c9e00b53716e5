"""The planes of one sample as its files hold them: grey, 10 to 16 bit, more than three, from one file or several.

| file | planes |
|---|---|
| PNG, JPEG, BMP, TIFF, WebP | its own, in their order: r, g, b, (a fourth); a grey file is one plane |
| TIFF of several pages | one grey plane per page |
| .npy, (H, W) or (H, W, C) | C; uint8, uint16, or floating point in 0..1 |

A bit depth above 8 takes files of 16 bits per plane and refuses others; at 8 the low byte of 16 is dropped.
"""

from __future__ import annotations

import io
import math
import tokenize
from pathlib import Path

import cv2
import numpy as np

from data.pictures.picture_decoder import decode_error, image_error, load_picture, more_pixels
from data.pictures.picture_decoder import read_file as read_bytes
from data.pictures.picture_header import TURNS
from data.pictures.tiff_decoder import OPENCV_CODES, decode_pages
from utils.values.channels import FLOAT, RGB

NPY = ".npy"
JPEG = b"\xff\xd8"
BRIGHTNESS = cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION
NOT_NPY = (ValueError, EOFError, TypeError, KeyError, SyntaxError, RecursionError, tokenize.TokenError)  # of NumPy
NPY_KINDS = ("uint8", "uint16", "float16", "float32", "float64")
SECOND = "polar"  # the second picture's brightness, whether it is stored grey or in colour


def plane_size(path: Path, max_pixels: int) -> tuple[int, int]:
    """(height, width) of a file of planes. Raises DataError."""
    if path.suffix.lower() == NPY:
        array = _read_npy(path, max_pixels)
        return array.shape[0], array.shape[1]
    return load_picture(path, max_pixels)[1].upright


def read_planes(path: Path, names: tuple[str, ...], bits: int, max_pixels: int) -> np.ndarray:
    """(H, W, len(names)) uint8, for more than 8 `bits` uint16, for FLOAT float32 in 0..1.

    Raises DataError naming file and planes: not a picture, another number of planes, another depth, values beyond it.
    """
    stored = (
        _read_npy(path, max_pixels) if path.suffix.lower() == NPY else _decode(path, max_pixels, names == (SECOND,))
    )
    planes = _as_named(path, stored, names)
    words = ", ".join(names)
    if (planes.dtype == np.float32) != (bits == FLOAT):
        raise image_error(
            path, f"{words}: is of {planes.dtype}, but bit_depth says {bits}", "mend bit_depth (32: float)"
        )
    if bits == FLOAT:
        if not np.isfinite(planes).all() or planes.min() < 0 or planes.max() > 1:
            raise image_error(path, f"{words}: floating point planes must lie in 0..1", "scale them")
        return planes
    if bits == 8:
        return planes if planes.dtype == np.uint8 else (planes >> 8).astype(np.uint8)
    if planes.dtype != np.uint16:
        raise image_error(path, f"{words}: is 8 bit, but bit_depth says {bits}", "mend bit_depth, or store 16 bits")
    if (top := int(planes.max(initial=0))) >= 1 << bits:
        raise image_error(path, f"{words}: holds {top}, more than {bits} bits can", "mend bit_depth")
    return planes


def _as_named(path: Path, stored: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """The stored planes as those named; grey serves as colour, and colour of equal planes, or as brightness, as one."""
    found, wanted = stored.shape[2], len(names)
    if found == 4 and names == RGB:
        return stored[..., :3]  # as everywhere: alpha is dropped
    if found == 1 and names == RGB:
        return np.repeat(stored, 3, axis=2)
    if found in (3, 4) and names == (SECOND,) and stored.dtype != np.float32:  # exact where the planes are equal
        return cv2.cvtColor(stored, cv2.COLOR_RGB2GRAY if found == 3 else cv2.COLOR_RGBA2GRAY)[..., None]
    if found in (3, 4) and wanted == 1 and (stored[..., :1] == stored[..., 1:3]).all():
        return stored[..., :1]
    if found != wanted:
        planes = f"holds {found} plane{'s' * (found > 1)}, but {wanted} {'is' if wanted == 1 else 'are'} named"
        raise image_error(path, f"{planes} ({', '.join(names)})", "mend channels, or convert it")
    return stored


def _decode(path: Path, max_pixels: int, grey: bool) -> np.ndarray:
    """(H, W, C) as stored, upright, colours in the order r, g, b, or as their brightness if `grey`."""
    raw, header = load_picture(path, max_pixels)
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        pages = decode_pages(raw, header) if header.tiff else [_decode_page(raw, grey)]
    except (cv2.error, OSError, ValueError) as error:
        raise decode_error(path, error) from error
    image = pages[0] if pages else np.zeros((0, 0), np.uint8)
    if len(pages) > 1:
        if any(page.shape != image.shape or page.ndim != 2 or page.dtype != image.dtype for page in pages):
            raise image_error(path, "its pages are not grey planes of one size and depth")
        image = np.stack(pages, 2)
    elif grey and image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY if image.shape[2] == 3 else cv2.COLOR_RGBA2GRAY)
    image = np.atleast_3d(image)
    if header.orientation in TURNS and not header.tiff:
        swap, rows, columns = TURNS[header.orientation]
        image = (image.transpose(1, 0, 2) if swap else image)[:: -1 if rows else 1, :: -1 if columns else 1]
    if image.shape[:2] != header.upright:
        raise image_error(path, f"is {image.shape[1]} x {image.shape[0]} although its header says otherwise")
    return np.ascontiguousarray(image)


def _decode_page(raw: bytes, grey: bool) -> np.ndarray:
    """(H, W), or (H, W, C) in the order r, g, b, alpha, as stored. Raises ValueError, cv2.error on damage."""
    luma = grey and raw.startswith(JPEG)  # a JPEG stores its brightness: half the work of decoding its colours
    image = cv2.imdecode(np.frombuffer(raw, np.uint8), BRIGHTNESS if luma else cv2.IMREAD_UNCHANGED)
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise ValueError("nothing usable decoded")
    return image if image.ndim == 2 else cv2.cvtColor(image, OPENCV_CODES[image.shape[2]])


def _read_npy(path: Path, max_pixels: int) -> np.ndarray:
    """(H, W, C) uint8, uint16 or float32. The header is checked before anything is allocated."""
    raw = read_bytes(path, max_pixels * 8 + (64 << 20))
    file = io.BytesIO(raw)
    try:
        version = np.lib.format.read_magic(file)
        header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, fortran, kind = header(file)
    except NOT_NPY as error:
        raise image_error(path, f"is no array (.npy): {' '.join(str(error).split())[:100]}") from error
    if len(shape) not in (2, 3) or 0 in shape or kind.newbyteorder("=").name not in NPY_KINDS:
        said = f"is an array {shape} of {kind}, not (H, W) or (H, W, C) of {', '.join(NPY_KINDS)}"
        raise image_error(path, said)
    if shape[0] * shape[1] > max_pixels:
        reason = f"has more than the {max_pixels:,} pixels allowed"
        raise image_error(path, reason, more_pixels(shape[0] * shape[1]))
    if math.prod(shape) * kind.itemsize > len(raw) - file.tell():
        raise image_error(path, "is a truncated array")
    array = np.frombuffer(raw, kind, math.prod(shape), file.tell()).reshape(shape, order="F" if fortran else "C")
    array = array if array.ndim == 3 else array[..., None]
    return np.ascontiguousarray(array, np.float32 if kind.kind == "f" else kind.newbyteorder("="))
