"""Huge grey pictures: the same pixels as otherwise, of one plane in memory, in bands of a TIFF, and for few bytes."""

import io
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from data.augment.transforms import letterbox, resize, warp_into
from data.pictures import huge_pictures, png_bands, tiff_bands, tiff_decoder
from data.pictures.huge_pictures import as_three, is_grey
from data.pictures.picture_decoder import picture_size, read_grey, read_image, read_stored
from data.pictures.plane_files import read_planes
from tests.data.pictures.test_tiff_decoder import tiff
from utils.words.errors import DataError

RNG = np.random.default_rng(0)
DEEP = RNG.integers(0, 65536, (75, 90)).astype(np.uint16)
GREY = (DEEP >> 8).astype(np.uint8)
SIZE = 20_000


def saved(image, kind="TIFF", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png_chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width, height, pixels, bits=8):
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")


def tiled(across=16, down=32):
    """A TIFF of tiles, raw, written by hand."""
    height, width = GREY.shape
    rows, columns = -(-height // down), -(-width // across)
    padded = np.zeros((rows * down, columns * across), np.uint8)
    padded[:height, :width] = GREY
    tiles = padded.reshape(rows, down, columns, across).swapaxes(1, 2).reshape(-1, down * across)
    count, start = len(tiles), 8 + 2 + 10 * 12 + 4
    places = [start + 8 * count + k * down * across for k in range(count)]
    entries = [(256, 1, width), (257, 1, height), (258, 1, 8), (259, 1, 1), (262, 1, 1), (277, 1, 1), (322, 1, across)]
    entries += [(323, 1, down), (324, count, start), (325, count, start + 4 * count)]
    body = b"".join(struct.pack("<HHII", tag, 4, many, value) for tag, many, value in entries)
    lists = struct.pack(f"<{2 * count}I", *places, *[down * across] * count)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4) + lists + tiles.tobytes()


def turned(kind, orientation):
    exif = Image.Exif()
    exif[274] = orientation
    return saved(Image.fromarray(GREY), kind, exif=exif)


def interlaced():
    """An interlaced PNG (Adam7) without filters, written by hand."""
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    parts = [GREY[y::down, x::right] for y, x, down, right in passes]
    rows = b"".join(b"\0" + row.tobytes() for part in parts for row in part)
    raw = png(90, 75, zlib.compress(rows))
    return raw.replace(raw[8:33], png_chunk(b"IHDR", struct.pack(">IIBBBBB", 90, 75, 8, 0, 0, 0, 1)))


INTERLACED = interlaced()
FILES = {
    "png": saved(Image.fromarray(GREY), "PNG"),
    "png 16": cv2.imencode(".png", DEEP)[1].tobytes(),
    **{f"png filter {k}": cv2.imencode(".png", GREY, [cv2.IMWRITE_PNG_FILTER, 8 << k])[1].tobytes() for k in range(5)},
    "png smooth": saved(Image.fromarray(np.add.outer(np.arange(75), np.arange(90)).astype(np.uint8)), "PNG"),
    "png deep filters": cv2.imencode(".png", DEEP, [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_ALL_FILTERS])[1].tobytes(),
    "png interlaced": INTERLACED,
    "png 1": saved(Image.fromarray(GREY).convert("1"), "PNG"),
    "png alpha": saved(Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(~GREY)]), "PNG"),
    "png clear": saved(Image.fromarray(GREY), "PNG", transparency=7),
    "jpeg": saved(Image.fromarray(GREY), "JPEG"),
    "pgm": saved(Image.fromarray(GREY), "PPM"),
    "pgm 16": cv2.imencode(".pgm", DEEP)[1].tobytes(),
    "jp2": cv2.imencode(".jp2", GREY)[1].tobytes(),
    "jp2 16": cv2.imencode(".jp2", DEEP)[1].tobytes(),
    **{f"tiff {kind}": saved(Image.fromarray(GREY), compression=kind) for kind in ("raw", "tiff_lzw", "packbits")},
    "tiff strips": saved(Image.fromarray(GREY), compression="tiff_adobe_deflate", tiffinfo={278: 4, 317: 2}),
    "tiff strip": tiff(GREY, 1),
    "tiff strip raw 16": tiff(DEEP, 1, 16),
    "tiff strip deflate 16": tiff(DEEP, 0, 16, ">", deflate=True),
    "tiff 16": saved(Image.fromarray(DEEP)),
    "tiff 16 lzw": cv2.imencode(".tif", DEEP)[1].tobytes(),
    "tiff negative": tiff(GREY, 0, order=">"),
    "tiff negative 16": tiff(DEEP, 0, 16, ">"),
    "tiff 1": saved(Image.fromarray(GREY).convert("1"), compression="group4"),
    "tiff 1 raw": saved(Image.fromarray(GREY).convert("1"), compression="raw"),
    "tiff 1 packed": saved(Image.fromarray(GREY).convert("1"), compression="packbits"),
    "tiff jpeg": saved(Image.fromarray(GREY), compression="jpeg"),
    "tiff tiles": tiled(),
    **{f"png turned {k}": turned("PNG", k) for k in range(2, 9)},
    **{f"tiff turned {k}": turned("TIFF", k) for k in range(2, 9)},
}
COLOURS = {
    "png": saved(Image.fromarray(np.dstack([GREY, GREY, ~GREY])), "PNG"),
    "png palette": saved(Image.fromarray(GREY).convert("P"), "PNG"),
    "tiff": saved(Image.fromarray(np.dstack([GREY, GREY, ~GREY]))),
    "tiff palette": saved(Image.fromarray(GREY).convert("P")),
    "tiff alpha": saved(Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(~GREY)])),
}


@pytest.fixture
def huge(monkeypatch):
    """Makes every picture a huge one, of bands of some rows."""

    def set_limits():
        monkeypatch.setattr(huge_pictures, "HUGE", 0)
        for module in (png_bands, tiff_bands, tiff_decoder):
            monkeypatch.setattr(module, "BAND", 1300)

    return set_limits


@pytest.mark.parametrize("kind", FILES)
def test_a_huge_grey_picture_has_the_same_pixels_and_one_plane(tmp_path, huge, kind):
    (path := tmp_path / "p").write_bytes(FILES[kind])
    before, stored, size = read_image(path), read_stored(path), picture_size(path)
    assert before.flags.c_contiguous and before.flags.writeable
    look, planes = read_grey(path, 10**6, 32)[0], read_planes(path, ("a",), 8, 10**6) if "alpha" not in kind else None
    huge()
    after = read_image(path)
    assert after.strides[2] == 0 and not after.flags.writeable and after[..., 0].flags.c_contiguous
    assert after.dtype == np.uint8 and after.shape[:2] == size == picture_size(path)
    assert np.array_equal(after, before)
    deep = read_stored(path)
    assert deep.dtype == stored.dtype and np.array_equal(deep, stored) and np.array_equal(deep >> 8, stored >> 8)
    assert np.array_equal(read_grey(path, 10**6, 32)[0], look)
    if planes is not None:
        assert np.array_equal(read_planes(path, ("a",), 8, 10**6), planes)


@pytest.mark.parametrize("kind", COLOURS)
def test_huge_colours_stay_as_they_are(tmp_path, huge, kind):
    (path := tmp_path / "p").write_bytes(COLOURS[kind])
    before = read_image(path)
    huge()
    after = read_image(path)
    assert np.array_equal(after, before)
    assert kind == "tiff alpha" or after.flags.c_contiguous


def test_bands_are_small(monkeypatch):
    monkeypatch.setattr(tiff_bands, "BAND", 1000)  # 11 rows of 90 px
    raw = FILES["tiff strips"]
    parts = list(tiff_bands.bands(raw, tiff_decoder._tags(raw)))
    assert [part.top for part in parts] == list(range(0, 75, 8)) and {part.rows for part in parts} == {8, 3}
    raw = FILES["tiff strip"]  # one strip, cut by its rows
    assert [part.rows for part in tiff_bands.bands(raw, tiff_decoder._tags(raw))] == [11] * 6 + [9]


@pytest.mark.parametrize("kind", ["tiff strips", "tiff strip", "tiff tiff_lzw", "png", "png 16", "tiff 16"])
def test_half_a_huge_picture_is_one_line(tmp_path, capfd, huge, kind):
    huge()
    (path := tmp_path / "p").write_bytes(FILES[kind][: len(FILES[kind]) // 2])
    with pytest.raises(DataError, match=r"p: .*(truncated|cut off)") as caught:
        read_image(path)
    assert "\n" not in str(caught.value) and capfd.readouterr().err == ""


@pytest.mark.parametrize(("deflate", "words"), [(True, "damaged"), (False, "damaged|truncated")])
@pytest.mark.parametrize("planes", [GREY, DEEP], ids=["8", "16"])
def test_missing_rows(tmp_path, capfd, huge, planes, deflate, words):
    huge()
    bits = planes.itemsize * 8
    (path := tmp_path / "p").write_bytes(tiff(planes, 1, bits, "<", deflate, cut=planes.nbytes // 2))
    with pytest.raises(DataError, match=words):
        read_image(path)
    assert capfd.readouterr().err == ""


def test_damage_in_the_pixels_of_a_png(tmp_path, huge):
    rows = b"".join(b"\0" + row.tobytes() for row in GREY)
    whole, path = zlib.compress(rows), tmp_path / "p"
    path.write_bytes(png(90, 75, whole) + b"more")
    huge()
    assert np.array_equal(read_image(path)[..., 0], GREY)
    path.write_bytes(png(90, 75, zlib.compress(rows + bytes(5000))))
    assert np.array_equal(read_image(path)[..., 0], GREY)  # more than there are rows
    flipped = bytearray(png(90, 75, whole))
    flipped[200] ^= 255
    short, sum_off = png(90, 75, zlib.compress(rows[:-50])), png(90, 75, whole[:-1] + bytes([whole[-1] ^ 1]))
    for raw in (bytes(flipped), short, sum_off, png(90, 75, whole[:-4]), png(90, 75, b"")):
        path.write_bytes(raw)
        with pytest.raises(DataError, match="damaged|truncated"):
            read_image(path)


ANNOUNCED = {
    "png": png(SIZE, SIZE, zlib.compress(bytes(1000))),
    "png 16": png(SIZE, SIZE, zlib.compress(bytes(1000)), 16),
    "tiff": tiff(GREY, 1).replace(*(struct.pack("<HHIHH", 256, 3, 1, w, 0) for w in (90, SIZE))).replace(
        *(struct.pack("<HHIHH", 257, 3, 1, h, 0) for h in (75, SIZE))).replace(
        *(struct.pack("<HHIHH", 278, 3, 1, h, 0) for h in (75, SIZE))),
    "tiff deflate": tiff(GREY, 1, deflate=True).replace(*(struct.pack("<HHIHH", 256, 3, 1, w, 0) for w in (90, SIZE)))
    .replace(*(struct.pack("<HHIHH", 257, 3, 1, h, 0) for h in (75, SIZE)))
    .replace(*(struct.pack("<HHIHH", 278, 3, 1, h, 0) for h in (75, SIZE))),
}  # fmt: skip
PEAK = """
import resource, sys
from data.pictures.picture_decoder import read_image
from utils.words.errors import DataError
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[2:]:
    try:
        print(read_image(path, int(sys.argv[1])).shape)
    except DataError as error:
        print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used)
"""


def peak(*paths, code=PEAK, most=SIZE * SIZE):
    """Lines said, and kilobytes that reading took at most, beside the libraries."""
    root = Path(__file__).parents[3]
    words = [sys.executable, "-c", code, str(most), *map(str, paths)]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=60)
    assert not done.stderr
    *lines, used = done.stdout.splitlines()
    return lines, int(used)


def test_what_a_header_announces_and_the_bytes_cannot_hold_takes_no_memory(tmp_path):
    for kind, raw in ANNOUNCED.items():
        (tmp_path / kind).write_bytes(raw)
    lines, used = peak(*(tmp_path / kind for kind in ANNOUNCED))
    assert used < 60_000  # one plane would be 400,000
    for line, kind in zip(lines, ANNOUNCED, strict=True):
        assert f"{kind}: " in line and ("truncated" in line or "damaged" in line)


def test_reading_takes_the_bytes_and_one_plane(tmp_path):
    grey = RNG.integers(0, 256, (5000, 5000), np.uint8)
    Image.fromarray(grey).save(tmp_path / "p.tif")
    Image.fromarray(grey.astype(np.uint16) << 8).save(tmp_path / "deep.tif")
    Image.fromarray(grey).save(tmp_path / "p.png", compress_level=1)
    rooms = "from data.pictures import huge_pictures, png_bands, tiff_bands"
    lower = f"{rooms}\nhuge_pictures.HUGE = png_bands.BAND = tiff_bands.BAND = 10**6\n{PEAK}"
    # 25 MB each, of the file's bytes and of the picture
    for name, planes in (("p.tif", 2), ("deep.tif", 3), ("p.png", 2)):
        (shape,), used = peak(tmp_path / name, code=lower)
        assert shape == "(5000, 5000, 3)" and used < planes * 25_000 + 20_000


def test_too_many_pixels_say_which_flag_allows_them(tmp_path):
    (tmp_path / "p.png").write_bytes(ANNOUNCED["png"])
    with pytest.raises(DataError, match=r"20000 x 20000 pixels.* allow it with --max-pixels 400000000$"):
        read_image(tmp_path / "p.png")


def test_what_is_grey():
    assert [is_grey(FILES[kind]) for kind in ("png", "png alpha", "jpeg", "pgm", "jp2")] == [True] * 5
    assert not any(is_grey(COLOURS[kind]) for kind in ("png", "png palette"))
    colour = Image.fromarray(np.dstack([GREY, GREY, ~GREY]))
    assert not any(is_grey(saved(colour, kind)) for kind in ("JPEG", "PPM", "JPEG2000", "BMP", "WEBP"))
    assert not is_grey(b"\xff\xd8\xff" + bytes(20))


def test_geometry_sees_three_planes():
    view = as_three(GREY)
    whole = np.ascontiguousarray(view)
    for kind in (cv2.INTER_AREA, cv2.INTER_LINEAR):
        small = resize(view, (40, 31), kind)
        assert np.array_equal(small, resize(whole, (40, 31), kind)) and small.flags.c_contiguous
    assert np.array_equal(letterbox(view, (64, 64))[0], letterbox(whole, (64, 64))[0])
    for matrix in (np.diag([0.3, 0.4, 1]), np.array([[1, 0.2, 3], [0.1, 1, -4], [0, 0, 1]])):
        one, two = (np.zeros((64, 64, 3), np.uint8) for _ in range(2))
        warp_into(one, view, matrix)
        warp_into(two, whole, matrix)
        assert np.array_equal(one, two)
