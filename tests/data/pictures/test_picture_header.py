"""Headers of the kinds that Pillow and OpenCV write, of cut ones, and what they say that a user may not expect."""

import io
import struct

import cv2
import numpy as np
import pytest
from PIL import Image

from data.pictures.picture_header import UnusablePicture, read_header

RNG = np.random.default_rng(0)
COLOURS = RNG.integers(0, 256, (40, 50, 3)).astype(np.uint8)


def pillow(image, kind, **how):
    file = io.BytesIO()
    image.save(file, kind, **how)
    return file.getvalue()


def opencv(image, suffix):
    return cv2.imencode(suffix, image)[1].tobytes()


def exif(orientation):
    block = Image.Exif()
    block[274] = orientation
    return block


RGB, GREY = Image.fromarray(COLOURS), Image.fromarray(COLOURS[..., 0])
ALPHA = RGB.convert("RGBA")
ALPHA.putalpha(7)
DEEP = COLOURS.astype(np.uint16) * 257
ODD = {
    "jpeg": (pillow(RGB, "JPEG"), ()),
    "jpeg turned": (pillow(RGB, "JPEG", exif=exif(6)), ("turned",)),
    "jpeg upright": (pillow(RGB, "JPEG", exif=exif(1)), ()),
    "jpeg cmyk": (pillow(RGB.convert("CMYK"), "JPEG"), ("cmyk",)),
    "png": (pillow(RGB, "PNG"), ()),
    "png alpha": (pillow(ALPHA, "PNG"), ("alpha",)),
    "png transparent": (pillow(GREY, "PNG", transparency=3), ("alpha",)),
    "png deep": (opencv(DEEP, ".png"), ("deep",)),
    "png frames": (pillow(RGB, "PNG", save_all=True, append_images=[RGB.rotate(90)]), ("pages",)),
    "tiff": (pillow(RGB, "TIFF"), ()),
    "tiff deep": (opencv(DEEP, ".tiff"), ("deep",)),
    "tiff pages": (cv2.imencodemulti(".tiff", [COLOURS, COLOURS])[1].tobytes(), ("pages",)),
    "tiff cmyk": (pillow(RGB.convert("CMYK"), "TIFF"), ("cmyk",)),
    "tiff alpha": (pillow(ALPHA, "TIFF"), ("alpha",)),
    "webp": (pillow(RGB, "WEBP"), ()),
    "webp turned": (pillow(RGB, "WEBP", exif=exif(8)), ("turned",)),
    "webp frames": (pillow(RGB, "WEBP", save_all=True, append_images=[RGB.rotate(90)]), ("pages",)),
    "webp alpha": (pillow(ALPHA, "WEBP", exif=exif(1)), ("alpha",)),
    "webp lossless alpha": (pillow(ALPHA, "WEBP", lossless=True), ("alpha",)),
    "bmp": (pillow(RGB, "BMP"), ()),
    "ppm": (opencv(COLOURS, ".ppm"), ()),
    "pgm": (opencv(COLOURS[..., 0], ".pgm"), ()),
    "pgm deep": (opencv(DEEP[..., 0], ".pgm"), ("deep",)),
    "jp2": (opencv(COLOURS, ".jp2"), ()),
    "jp2 grey": (opencv(COLOURS[..., 0], ".jp2"), ()),
    "jp2 deep": (opencv(DEEP, ".jp2"), ("deep",)),
    "jp2 alpha": (opencv(np.dstack([COLOURS, COLOURS[..., 0]]), ".jp2"), ("alpha",)),
}


@pytest.mark.parametrize("name", ODD)
def test_size_and_oddities(name):
    raw, oddities = ODD[name]
    header = read_header(raw)
    assert (header.height, header.width) == (40, 50) and header.oddities == oddities


@pytest.mark.parametrize("name", ["ppm", "pgm", "pgm deep", "jp2", "jp2 deep"])
def test_a_cut_file_is_refused_at_every_byte(name):
    raw = ODD[name][0]
    for length in range(1, len(raw), 7):
        with pytest.raises((UnusablePicture, struct.error, IndexError)):
            read_header(raw[:length])


@pytest.mark.parametrize("name", ["ppm", "jp2"])
def test_bytes_behind_the_end_are_harmless(name):
    assert read_header(ODD[name][0] + b"\0" * 100).width == 50


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"P5\n# made by hand\n4 2\n#white\n255\n12345678", ""),
        (b"P5 4 2 15\n12345678", "white is 15"),
        (b"P5 4 2 65536\n" + b"0" * 16, "white is 65536"),
        (b"P5 4 2 255\n1234567", "truncated"),
        (b"P6 4 2 255\n" + b"0" * 23, "truncated"),
        (b"P5 4 2 4095\n" + b"0" * 15, "truncated"),
        (b"P2 4 2 255\n1 2 3 4 5 6 7 8", "no binary"),
        (b"P4 8 2\n12", "no binary"),
        (b"P5 -4 2 255\n12345678", "no binary"),
        (b"P5 99999999999 2 255\n", "no binary"),
        (b"P5" + b" " * 10_000 + b"4 2 255\n12345678", "no binary"),
    ],
)
def test_portable_maps(raw, words):
    if words:
        with pytest.raises(UnusablePicture, match=words):
            read_header(raw)
    else:
        assert (read_header(raw).height, read_header(raw).width) == (2, 4)


@pytest.mark.parametrize(
    ("at", "value", "words"),
    [
        (40, b"\0\2", "1, 3 or 4"),
        (40, b"\0\5", "1, 3 or 4"),
        (40, b"\xff\xff", "1, 3 or 4"),
        (42, b"\x87", "full ones"),
        (42, b"\x0b", "8 or 16 bit"),
        (43, b"\2", "full ones"),
    ],
)
def test_jpeg_2000_of_other_planes(at, value, words):
    raw = bytearray(ODD["jp2"][0])
    start = raw.find(b"\xff\x4f\xff\x51")
    raw[start + at : start + at + len(value)] = value
    with pytest.raises(UnusablePicture, match=words):
        read_header(bytes(raw))


@pytest.mark.parametrize(
    ("order", "bits", "fine"), [("<", 8, True), (">", 8, True), ("<", 16, False), (">", 16, False)]
)
def test_separate_planes_of_16_bit_are_refused(order, bits, fine):
    """OpenCV 4.14 decodes them into other pixels."""
    mark = b"II*\0" if order == "<" else b"MM\0*"
    tags = [(256, 4, 1), (257, 2, 1), (258, bits, 1), (262, 2, 1), (277, 3, 1), (284, 2, 1)]
    rows = b"".join(struct.pack(f"{order}HHIHH", tag, 3, count, value, 0) for tag, value, count in tags)
    raw = mark + struct.pack(f"{order}IH", 8, len(tags)) + rows + bytes(400)
    if fine:
        assert read_header(raw).width == 4
    else:
        with pytest.raises(UnusablePicture, match="separate planes"):
            read_header(raw)
