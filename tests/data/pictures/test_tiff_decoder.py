"""TIFFs of every usual kind give the pixels that were stored; damaged ones, nothing and no noise."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from data.pictures.picture_decoder import read_image
from data.pictures.plane_files import read_planes
from utils.words.errors import DataError

RNG = np.random.default_rng(0)
SMOOTH = np.add.outer(np.arange(90) * 2, np.arange(80)).astype(np.uint8)
COLOUR = np.dstack([SMOOTH, SMOOTH[::-1], SMOOTH + RNG.integers(0, 20, SMOOTH.shape, np.uint8)])
ALPHA = np.dstack([COLOUR, SMOOTH])


def tiff(planes, colours, bits=8, order="<", deflate=False, strips=1, cut=0):
    """A TIFF of (H, W) or (H, W, C), written by hand; `cut` bytes of the pixels are left away."""
    height, width = planes.shape[:2]
    count = planes.shape[2] if planes.ndim == 3 else 1
    raw = planes.astype(planes.dtype.newbyteorder(order)).tobytes()
    raw = zlib.compress(raw[: len(raw) - cut]) if deflate else raw[: len(raw) - cut]
    entries = [(256, width), (257, height), (258, bits), (259, 8 if deflate else 1), (262, colours), (273, 8)]
    entries += [(277, count), (278, -(-height // strips)), (279, len(raw))]
    body = b"".join(
        struct.pack(f"{order}HHII", tag, 4, 1, value)
        if tag in (273, 279)
        else struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)
        for tag, value in entries
    )
    place = 8 + len(raw) + len(raw) % 2
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", place)
    pixels = (head + raw).ljust(place, b"\0")
    return pixels + struct.pack(f"{order}H", len(entries)) + body + bytes(4)


def saved(array, mode=None, **options):
    buffer = io.BytesIO()
    Image.fromarray(array, mode).save(buffer, "TIFF", **options)
    return buffer.getvalue()


def read(folder, raw):
    (folder / "t.tif").write_bytes(raw)
    return read_image(folder / "t.tif")


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("bits", [2, 4, 8, 16])
def test_white_as_0_is_white(tmp_path, order, deflate, bits):
    if bits < 8:
        levels = SMOOTH >> 8 - bits
        each = 8 // bits
        stored = sum((levels[:, k::each].astype(int) << 8 - bits * (k + 1)) for k in range(each)).astype(np.uint8)
        expected = levels * (255 // ((1 << bits) - 1))
        files = {k: tiff(stored, k, bits, order, deflate) for k in (0, 1)}
        files = {k: raw.replace(*(struct.pack(f"{order}HHIHH", 256, 3, 1, w, 0) for w in (80 // each, 80)))
                 for k, raw in files.items()}  # fmt: skip
    else:
        stored = SMOOTH if bits == 8 else SMOOTH.astype(np.uint16) * 257
        expected, files = SMOOTH, {k: tiff(stored, k, bits, order, deflate) for k in (0, 1)}
    assert np.array_equal(read(tmp_path, files[1])[..., 0], expected)
    assert np.array_equal(read(tmp_path, files[0])[..., 1], 255 - expected)
    if bits == 16:
        planes = read_planes(tmp_path / "t.tif", ("a",), 16, 10**6)
        assert np.array_equal(planes[..., 0], 65535 - stored)


@pytest.mark.parametrize("compression", ["raw", "tiff_deflate", "tiff_lzw", "packbits"])
def test_planes_come_as_they_are_stored(tmp_path, compression):
    """A fourth plane is a plane: OpenCV would multiply the others by it."""
    (tmp_path / "t.tif").write_bytes(saved(ALPHA, compression=compression))
    assert np.array_equal(read_planes(tmp_path / "t.tif", ("a", "b", "c", "d"), 8, 10**6), ALPHA)
    assert np.array_equal(read(tmp_path, saved(COLOUR, compression=compression)), COLOUR)


def test_inks_become_what_opencv_makes_of_them(tmp_path):
    raw = saved(RNG.integers(0, 256, (90, 80, 4), np.uint8), "CMYK", compression="tiff_lzw")
    expected = cv2.imdecode(np.frombuffer(raw, np.uint8), cv2.IMREAD_COLOR_RGB)
    assert np.array_equal(read(tmp_path, raw), expected)


def test_pages_of_both_kinds_of_grey(tmp_path):
    pages = [Image.fromarray(SMOOTH), Image.fromarray(255 - SMOOTH)]
    pages[0].save(tmp_path / "t.tif", save_all=True, append_images=pages[1:], compression="tiff_lzw")
    planes = read_planes(tmp_path / "t.tif", ("a", "b"), 8, 10**6)
    assert np.array_equal(planes, np.dstack([SMOOTH, 255 - SMOOTH]))
    deep = [(SMOOTH.astype(np.uint16) * 257), SMOOTH.astype(np.uint16)]
    (tmp_path / "t.tif").write_bytes(cv2.imencodemulti(".tif", deep)[1].tobytes())
    assert np.array_equal(read_planes(tmp_path / "t.tif", ("a", "b"), 16, 10**6), np.dstack(deep))


@pytest.mark.parametrize("planes", [SMOOTH, COLOUR, SMOOTH.astype(np.uint16) * 99], ids=["grey", "colour", "deep"])
@pytest.mark.parametrize(("deflate", "words"), [(True, "damaged"), (False, "damaged|truncated")])
def test_missing_rows(tmp_path, capfd, planes, deflate, words):
    colours, bits = (2 if planes.ndim == 3 else 1), planes.itemsize * 8
    with pytest.raises(DataError, match=words):
        read(tmp_path, tiff(planes, colours, bits, "<", deflate, cut=planes.nbytes // 2))
    with pytest.raises(DataError, match="fewer strips"):
        read(tmp_path, tiff(planes, colours, bits, "<", deflate, strips=3))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("colours", [4, 9, 32803, 32844, 34892])
def test_colours_that_are_not_read_are_said(tmp_path, colours):
    with pytest.raises(DataError, match=f"photometric {colours}"):
        read(tmp_path, tiff(SMOOTH, colours))
