"""A picture that a Python program hands over -> the planes that reading its file would give, or one sentence why not.

| given | taken as |
|---|---|
| path | read as detect.py reads it |
| PIL image | turned upright by its EXIF; as RGB; alpha dropped, nothing composited; I;16 as 16 bit |
| array (H, W), (H, W, 1) | grey: three equal planes |
| array (H, W, 3), (H, W, 4) | RGB, RGBA; BGR, BGRA where `bgr` is said; alpha dropped |
| torch tensor | the same, and with the planes first: (3, H, W); on any device |
| uint8 | 0..255 |
| bool | black and white |
| uint16 | 0..65535, the low byte dropped, as of a 16-bit file |
| float16, float32, float64 | 0..1, rounded to 8 bit |

A range that does not fit its type would find nothing and is refused: floats above 1, uint8 of 0 and 1, uint16 of 8 or
12 bits, other integers, NaN. A network of other planes takes paths, and arrays or tensors of just its planes, in their
order and type, as `PlaneReader` gives them; they are refused as well where they cannot be that.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from data.pictures.picture_decoder import MAX_PIXELS
from data.pictures.plane_reader import PlaneReader
from utils.values.channels import FLOAT, Channels
from utils.words.errors import DataError

Picture = str | os.PathLike[str] | Image.Image | np.ndarray | torch.Tensor
KINDS = "give a path, a PIL image, a numpy array (H, W, 3) or a torch tensor (3, H, W)"
GREY_MODES = ("1", "L", "LA")
RGB_MODES = ("P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")
DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
TYPES = "give uint8 (0..255), uint16 (0..65535) or floats (0..1)"
TENSORS = (torch.uint8, torch.uint16, torch.bool, torch.float16, torch.bfloat16, torch.float32, torch.float64)
PLANES = (1, 3, 4)
LEAST_SHADES = 2  # the largest number of an 8-bit picture that is more than black and 1


def planes_of(picture: Picture, channels: Channels, bgr: bool = False, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """(H, W, C) planes as `PlaneReader` gives them, by the table above; `bgr`: the order of arrays.

    Raises DataError saying what is wrong with the picture.
    """
    if isinstance(picture, str | os.PathLike):
        if not str(picture).strip():
            raise _error("is a blank path", KINDS)
        return PlaneReader(channels, max_pixels)(Path(os.fsdecode(picture)))
    if isinstance(picture, Image.Image):
        array = _of_pil(picture, channels)
    elif isinstance(picture, torch.Tensor):
        array = _of_tensor(picture, channels)
    elif np.ma.is_masked(picture):
        raise _error("is an array with masked values", "say what they are: picture.filled(0)")
    elif isinstance(picture, np.ndarray):
        array = np.asarray(picture, picture.dtype.newbyteorder("="))
    else:
        raise _error(f"is a {type(picture).__name__}", KINDS)
    array = array[..., None] if array.ndim == 2 else array
    if array.ndim != 3 or array.size == 0:
        raise _error(f"has the shape {tuple(array.shape)}", f"one picture at a time, with pixels: {KINDS}")
    if array.shape[0] * array.shape[1] > max_pixels:
        raise _error(f"has {array.shape[0]} x {array.shape[1]} pixels", f"at most {max_pixels:,} are taken; cut it up")
    if not channels.plain_rgb:
        return _as_stored(array, channels)
    return _as_rgb(_eight_bit(array), bgr and not isinstance(picture, Image.Image))


def _of_pil(picture: Image.Image, channels: Channels) -> np.ndarray:
    if not channels.plain_rgb:
        raise _error(
            "is a PIL image", f"this network reads the planes {', '.join(channels.held)}: give a path or an array"
        )
    try:
        upright = ImageOps.exif_transpose(picture)
        if upright.mode in DEEP_MODES:
            return np.asarray(upright).astype(np.uint16)
        if upright.mode in GREY_MODES:
            return np.asarray(upright.convert("L"))
        if upright.mode in RGB_MODES:
            return np.asarray(upright.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise _error("cannot be decoded, its content is damaged", "replace it") from error
    raise _error(f"is a PIL image of the mode {upright.mode}", 'convert it with .convert("RGB")')


def _of_tensor(picture: torch.Tensor, channels: Channels) -> np.ndarray:
    """Planes last. Raises DataError where first and last could both be the planes."""
    if picture.is_nested or picture.layout != torch.strided or picture.is_meta or picture.is_quantized:
        raise _error("is a tensor without plain values", KINDS)
    if picture.dtype not in TENSORS:
        raise _error(f"is a tensor of {picture.dtype}", TYPES)
    tensor = picture.detach().cpu()
    tensor = tensor.float() if tensor.dtype == torch.bfloat16 else tensor
    if tensor.ndim == 3:
        counts = PLANES if channels.plain_rgb else (len(channels.held),)
        first, last = tensor.shape[0] in counts, tensor.shape[2] in counts
        if first and last:
            both = f"has the shape {tuple(tensor.shape)}: its planes may be first or last"
            raise _error(both, "give an array (H, W, C)")
        tensor = tensor.movedim(0, 2) if first else tensor
    return np.asarray(tensor.resolve_neg().numpy())


def _eight_bit(array: np.ndarray) -> np.ndarray:
    """uint8 of the same shape."""
    _check_planes(array)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    top = array.max() if array.dtype in (np.uint8, np.uint16) else 0
    if array.dtype == np.uint8:
        if 0 < top < LEAST_SHADES:
            raise _error("has no other values than 0 and 1", "uint8 goes up to 255: multiply it by 255, or give floats")
        return array
    if array.dtype == np.uint16:
        if 0 < top < 1 << 12:
            advice = "16 bits go up to 65535: .astype(numpy.uint8) where it is 8 bits, << 4 where it is 12"
            raise _error(f"is uint16 with values up to {top}", advice)
        return np.right_shift(array, 8, dtype=np.uint16).astype(np.uint8)
    if array.dtype.kind != "f":
        raise _error(f"has the type {array.dtype}", TYPES)
    _check_fractions(array)
    scaled = array.astype(np.float64) * 255
    if 0 < scaled.max() <= 1:
        raise _error(
            f"is {array.dtype} with values up to {float(array.max()):.4g}", "floats go up to 1: divide only once"
        )
    return scaled.round().astype(np.uint8)


def _check_planes(array: np.ndarray) -> None:
    if array.shape[2] not in PLANES:
        advice = "planes come last: picture.transpose(1, 2, 0)" if array.shape[0] in PLANES else KINDS
        raise _error(f"has the shape {tuple(array.shape)}", advice)


def _check_fractions(array: np.ndarray) -> None:
    low, high = float(array.min()), float(array.max())
    if not (0 <= low and high <= 1):  # nan neither
        raise _error(f"is {array.dtype} with values from {low:.4g} to {high:.4g}", "floats go from 0 to 1")


def _as_rgb(array: np.ndarray, bgr: bool) -> np.ndarray:
    if array.shape[2] == 1:
        return np.repeat(array, 3, axis=2)
    return np.ascontiguousarray(array[..., 2::-1] if bgr else array[..., :3])


def _as_stored(array: np.ndarray, channels: Channels) -> np.ndarray:
    """The planes of another network, checked: their number, type and range."""
    if array.shape[2] != len(channels.held):
        wanted = f"(H, W, {len(channels.held)}): {', '.join(channels.held)}"
        raise _error(f"has the shape {tuple(array.shape)}", f"this network reads {wanted}")
    fractions = channels.fractions
    dtype = np.dtype(np.float32 if fractions else np.uint8 if channels.bits == 8 else np.uint16)
    if array.dtype != dtype:
        raise _error(f"has the type {array.dtype}", f"this network reads {dtype}, as Detector.read gives it")
    if fractions:
        _check_fractions(array)
    elif channels.bits < FLOAT and int(array.max()) >= 1 << channels.bits:
        raise _error(f"holds {int(array.max())}", f"this network reads {channels.bits} bits")
    return np.ascontiguousarray(array)


def _error(what: str, advice: str) -> DataError:
    return DataError(f"the given picture {what}; {advice}")
