import contextlib
import io
import os
import socket
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from data.pictures.picture_decoder import picture_size, read_image
from utils.words.errors import DataError

COLOURS = np.zeros((30, 40, 3), np.uint8)
COLOURS[:15, :20], COLOURS[15:, 20:] = (200, 100, 20), (10, 60, 250)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def stored(folder: Path, raw: bytes, name: str = "a.png") -> Path:
    path = folder / name
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize(
    "name", ["plain.jpg", "with blank #%[1].png", "玻璃瓶 气泡.png", "e\u0301ßμ.webp", "x" * 240 + ".bmp"]
)
def test_any_name_and_format(tmp_path: Path, name: str) -> None:
    kind = {".jpg": "JPEG", ".png": "PNG", ".webp": "WEBP", ".bmp": "BMP"}[Path(name).suffix]
    path = stored(tmp_path, encoded(Image.fromarray(COLOURS), kind), name)
    image = read_image(path)
    assert image.shape == (30, 40, 3) and image.dtype == np.uint8 and picture_size(path) == (30, 40)
    assert np.abs(image[3, 3].astype(int) - COLOURS[3, 3]).max() < 12


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["L", "1", "LA", "RGBA", "P"])
def test_modes_lose_alpha_and_gain_planes(tmp_path: Path, kind: str, mode: str) -> None:
    picture = Image.fromarray(COLOURS).convert("RGB" if mode == "RGBA" else "L" if mode == "LA" else mode)
    if mode in ("RGBA", "LA"):
        picture.putalpha(7)
    expected = np.asarray(picture.convert("RGB"))
    if mode == "LA":
        expected = np.asarray(Image.fromarray(COLOURS).convert("L").convert("RGB"))
    assert np.array_equal(read_image(stored(tmp_path, encoded(picture, kind))), expected)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("planes", [1, 3, 4])
def test_sixteen_bit_loses_its_low_byte(tmp_path: Path, suffix: str, planes: int) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (8, 9, planes)).astype(np.uint16)
    image = read_image(stored(tmp_path, cv2.imencode(suffix, deep)[1].tobytes()))
    expected = np.repeat(deep, 3, 2) if planes == 1 else deep[..., 2::-1]
    assert np.array_equal(image, expected >> 8)


def test_palette_with_transparency_and_cmyk(tmp_path: Path) -> None:
    palette = Image.fromarray(COLOURS).convert("P")
    expected = np.asarray(palette.convert("RGB"))
    assert np.array_equal(read_image(stored(tmp_path, encoded(palette, "PNG", transparency=0))), expected)
    cmyk = read_image(stored(tmp_path, encoded(Image.fromarray(COLOURS).convert("CMYK"), "JPEG")))
    assert np.abs(cmyk[3, 3].astype(int) - COLOURS[3, 3]).max() < 12


@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_other_depths_say_what_is_accepted(tmp_path: Path, dtype: type) -> None:
    path = stored(tmp_path, encoded(Image.fromarray(np.zeros((6, 8), dtype)), "TIFF"), "f.tif")
    with pytest.raises(DataError, match="unsigned 8 and 16 bit"):
        read_image(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "RGBA TIFF"])
@pytest.mark.parametrize("orientation", [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 60000])
def test_orientation_is_applied(tmp_path: Path, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    picture = Image.fromarray(COLOURS)
    if kind == "RGBA TIFF":
        picture.putalpha(9)
    options = {"lossless": True} if kind == "WEBP" else {"quality": 100} if kind == "JPEG" else {}
    raw = encoded(picture, kind.split()[-1], exif=exif, **options)
    path = stored(tmp_path, raw)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(raw))).convert("RGB"))
    image = read_image(path)
    assert image.shape == expected.shape and picture_size(path) == expected.shape[:2]
    if kind != "RGBA TIFF":
        assert np.abs(image.astype(int) - expected).mean() < 2


def test_senseless_exif_means_upright(tmp_path: Path) -> None:
    raw = encoded(Image.fromarray(COLOURS), "JPEG")
    block = b"Exif\0\0II*\0" + struct.pack("<IHHHII", 0xFFFFFF, 900, 274, 3, 1, 6)
    raw = raw[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + raw[2:]
    assert read_image(stored(tmp_path, raw)).shape == (30, 40, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_truncated_files_are_refused_without_decoding(tmp_path: Path, kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (90, 80, 3)).astype(np.uint8)
    raw = encoded(Image.fromarray(noise), kind)
    for length in (3, 9, 20, 40, len(raw) // 2, len(raw) - 30):
        path = stored(tmp_path, raw[:length], "half [1].jpg")
        for read in (read_image, picture_size):
            with pytest.raises(DataError, match=r"half \[1\]\.jpg: .*; ") as caught:
                read(path)
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_trailing_bytes_are_fine(tmp_path: Path, kind: str) -> None:
    raw = encoded(Image.fromarray(COLOURS), kind) + b"\0\xffmore\xd9" * 50
    assert read_image(stored(tmp_path, raw)).shape == (30, 40, 3)


def test_thumbnail_does_not_hide_truncation(tmp_path: Path) -> None:
    raw = encoded(Image.fromarray(COLOURS), "JPEG", progressive=True)
    block = b"Exif\0\0" + raw
    raw = raw[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + raw[2:]
    assert picture_size(stored(tmp_path, raw)) == (30, 40)
    with pytest.raises(DataError, match="truncated JPEG"):
        picture_size(stored(tmp_path, raw[:-40]))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "empty file"),
        (b"hello", "is text"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", "HTML"),
        (b"GIF89a\x01\0\x01\0\0", "none of the accepted"),
        (b"\xff\xd8\xff" + b"\xff" * 90, "cut off"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), "without a header"),
        (b"II*\0" + b"\x08\0\0\0" + b"\0\0", "without a size"),
        (b"BM" + bytes(60), "no area"),
    ],
)
def test_not_a_picture(tmp_path: Path, raw: bytes, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read_image(stored(tmp_path, raw, "x.jpg"))


def test_format_comes_from_content(tmp_path: Path) -> None:
    path = stored(tmp_path, encoded(Image.fromarray(COLOURS), "PNG"), "really.jpg")
    assert np.array_equal(read_image(path), COLOURS)


def test_damaged_content_is_one_line_and_quiet(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    raw = bytearray(encoded(Image.fromarray(COLOURS), "TIFF", compression="tiff_lzw"))
    raw[-60:] = bytes(60)
    refused = bytearray(encoded(Image.fromarray(COLOURS), "WEBP"))
    refused[30:60] = b"\xff" * 30
    with pytest.raises(DataError, match="damaged"):
        read_image(stored(tmp_path, bytes(refused)))
    for at in range(8, 60, 4):  # OpenCV decodes some of these; either way it must not write to stderr
        bad = raw[:at] + b"\xff\xff" + raw[at + 2 :]
        with contextlib.suppress(DataError):
            read_image(stored(tmp_path, bytes(bad)))
    assert capfd.readouterr().err == ""


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nothing")
    with socket.socket(socket.AF_UNIX) as server:
        home = os.getcwd()
        os.chdir(tmp_path)  # socket paths are short
        server.bind("socket.jpg")
        os.chdir(home)
        for name in ("pipe.jpg", "folder.jpg", "loop.jpg", "dangling.jpg", "socket.jpg", "nul\0.jpg"):
            with pytest.raises(DataError, match=name.replace("\0", r"\\x00")):
                read_image(tmp_path / name)
    with pytest.raises(DataError, match="regular"):
        picture_size("/dev/zero")


def test_bombs_stop_at_the_header(tmp_path: Path) -> None:
    raw = bytearray(encoded(Image.fromarray(COLOURS), "PNG"))
    raw[16:24] = struct.pack(">II", 60000, 60000)
    with pytest.raises(DataError, match="60000 x 60000 pixels.*--max-pixels"):
        read_image(stored(tmp_path, bytes(raw)))
    path = stored(tmp_path, encoded(Image.fromarray(COLOURS), "PNG"))
    assert read_image(path, max_pixels=1200).shape == (30, 40, 3)
    with pytest.raises(DataError):
        read_image(path, max_pixels=1199)


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (5, 5)])
def test_tiny_pictures_work(tmp_path: Path, size: tuple[int, int]) -> None:
    path = stored(tmp_path, encoded(Image.new("RGB", size), "JPEG"))
    assert read_image(path).shape == (size[1], size[0], 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_random_damage_never_crashes(tmp_path: Path, kind: str) -> None:
    rng = np.random.default_rng(1)
    raw = encoded(Image.fromarray(COLOURS), kind)
    for _ in range(120):
        bad = bytearray(raw)
        for at in rng.integers(0, min(len(raw), 200), 4):
            bad[at] = rng.integers(256)
        try:
            image = read_image(stored(tmp_path, bytes(bad)), max_pixels=1_000_000)
            assert image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3
        except DataError as error:
            assert "\n" not in str(error)
