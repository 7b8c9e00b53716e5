"""The header of a picture's file: size, orientation, and whether the file is complete. No pixel is decoded."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass

MAX_SEGMENTS = 1_000_000
MAX_PAGES = 1000
TIFF_TAGS = (256, 257, 258, 262, 273, 274, 277, 278, 279, 284, 322, 323, 324, 325, 339)
CMYK = 5
TIFF_COLOURS = (0, 1, 2, 3, CMYK, 6, 8)  # grey (white or black is 0), RGB, palette, CMYK, YCbCr, Lab
JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
PNM = re.compile(rb"P[56](?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,9})(?:\s|#[^\n]*\n)+(\d{1,5})\s")
# orientation -> (swap the axes first, reverse the rows, reverse the columns)
TURNS = {2: (0, 0, 1), 3: (0, 1, 1), 4: (0, 1, 0), 5: (1, 0, 0), 6: (1, 0, 1), 7: (1, 1, 1), 8: (1, 1, 0)}


class UnusablePicture(Exception):
    """Why these bytes are no picture for us, in words."""


@dataclass(frozen=True, slots=True)
class PictureHeader:
    """Size as stored (before turning), and orientation.

    `deep`: 16 bits are stored for each value. `pages`: there is more than one page or frame, and the first is read.
    `white_is_zero`: of each page of a TIFF, whether it is stored as a negative.
    """

    height: int
    width: int
    orientation: int = 1
    tiff: bool = False
    deep: bool = False
    alpha: bool = False
    cmyk: bool = False
    pages: bool = False
    white_is_zero: tuple[bool, ...] = ()

    @property
    def oddities(self) -> tuple[str, ...]:
        """What a user may not expect of a picture: turned, deep, alpha, cmyk, pages."""
        odd = {"turned": self.orientation in TURNS, "deep": self.deep, "alpha": self.alpha, "cmyk": self.cmyk}
        return tuple(name for name, there in {**odd, "pages": self.pages}.items() if there)

    @property
    def upright(self) -> tuple[int, int]:
        """(height, width) px after turning."""
        return (self.width, self.height) if self.orientation in (5, 6, 7, 8) else (self.height, self.width)


def read_header(raw: bytes) -> PictureHeader:
    """The header in a picture's bytes. Raises UnusablePicture; struct.error, IndexError where they end inside it."""
    return _parser(raw)(raw)


def _parser(raw: bytes) -> Callable[[bytes], PictureHeader]:
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
    if raw[:1] == b"P" and raw[1:2].isdigit() and raw[2:3].isspace():
        return _pnm
    if raw[:12] == JP2:
        return _jp2
    if not raw:
        raise UnusablePicture("is an empty file")
    head = raw[:256].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.isascii() and b"\0" not in head:
        raise UnusablePicture(f"is {'HTML or XML' if head[:1] == b'<' else 'text'}, not a picture")
    raise UnusablePicture("is none of the accepted picture formats (JPEG, PNG, BMP, TIFF, WebP, PGM, PPM, JPEG 2000)")


def _jpeg(raw: bytes) -> PictureHeader:
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
            header = struct.unpack_from(">BHHB", raw, at + 4)
        length = struct.unpack_from(">H", raw, at + 2)[0]
        if marker == 0xE1 and raw[at + 4 : at + 10] == b"Exif\0\0":
            orientation = _orientation(raw[at + 10 : at + 2 + length])
        at += 2 + length
    if header is None or marker != 0xDA:
        raise UnusablePicture("is a JPEG cut off before its picture")
    if header[0] != 8:
        raise UnusablePicture(f"is a JPEG with {header[0]} bits per plane, only 8 are accepted")
    if raw.rfind(b"\xff\xd9", at) < 0:  # bytes after the end marker are fine, phones write them
        raise UnusablePicture("is a truncated JPEG (no end marker)")
    return PictureHeader(header[1], header[2], orientation, cmyk=header[3] == 4)


def _png(raw: bytes) -> PictureHeader:
    """Walk the chunks up to IEND; libpng would fill the missing part of a truncated file in silence."""
    if raw[12:16] != b"IHDR":
        raise UnusablePicture("is a PNG without a header")
    width, height, bits, colours = struct.unpack_from(">IIBB", raw, 16)
    orientation, alpha, pages, at = 1, colours in (4, 6), False, 8
    for _ in range(MAX_SEGMENTS):
        length, kind = struct.unpack_from(">I4s", raw, at) if at + 8 <= len(raw) else (len(raw), b"")
        if at + 12 + length > len(raw):
            raise UnusablePicture("is a truncated PNG (no end chunk)")
        if kind == b"eXIf":
            orientation = _orientation(raw[at + 8 : at + 8 + length])
        alpha, pages = alpha or kind == b"tRNS", pages or kind == b"acTL"
        if kind == b"IEND":
            return PictureHeader(height, width, orientation, deep=bits == 16, alpha=alpha, pages=pages)
        at += 12 + length
    raise UnusablePicture("is a PNG of too many chunks")


def _bmp(raw: bytes) -> PictureHeader:
    offset, size = struct.unpack_from("<II", raw, 10)
    if size == 12:  # the OS/2 header
        width, height, _, bits = struct.unpack_from("<HHHH", raw, 18)
        compression = 0
    else:
        width, height, _, bits, compression = struct.unpack_from("<iiHHI", raw, 18)
    if compression == 0 and offset + (width * bits + 31) // 32 * 4 * abs(height) > len(raw):
        raise UnusablePicture("is a truncated BMP")
    return PictureHeader(abs(height), width)


def _webp(raw: bytes) -> PictureHeader:
    if struct.unpack_from("<I", raw, 4)[0] + 8 > len(raw) + 1:  # a missing padding byte is harmless
        raise UnusablePicture("is a truncated WebP")
    kind = raw[12:16]
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", raw, 26)
        return PictureHeader(height & 0x3FFF, width & 0x3FFF)
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", raw, 21)[0]
        return PictureHeader((bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1, alpha=bool(bits >> 28 & 1))
    if kind != b"VP8X":
        raise UnusablePicture("is a WebP of an unknown kind")
    width, height = (int.from_bytes(raw[at : at + 3], "little") + 1 for at in (24, 27))
    alpha, frames = bool(raw[20] & 0x10), bool(raw[20] & 0x02)
    return PictureHeader(height, width, _webp_orientation(raw), alpha=alpha, pages=frames)


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


def _pnm(raw: bytes) -> PictureHeader:
    """Portable grey and colour maps, binary; OpenCV does not scale values whose white is below 255."""
    found = PNM.match(raw[:4096])
    if not found:
        raise UnusablePicture("is no binary PGM or PPM")
    width, height, white = map(int, found.groups())
    if not 255 <= white <= 65535:
        raise UnusablePicture(f"is a PGM or PPM whose white is {white}; accepted are 255 to 65535")
    deep = white > 255
    if found.end() + width * height * (3 if raw[1:2] == b"6" else 1) * (1 + deep) > len(raw):
        raise UnusablePicture("is a truncated PGM or PPM")
    return PictureHeader(height, width, deep=deep)


def _jp2(raw: bytes) -> PictureHeader:
    """JPEG 2000: walk the boxes to the codestream, whose own header is what a decoder goes by."""
    at, start, end = 0, 0, 0
    for _ in range(MAX_SEGMENTS):
        if at + 8 > len(raw):
            break
        length, kind = struct.unpack_from(">I4s", raw, at)
        body = at + (16 if length == 1 else 8)
        length = struct.unpack_from(">Q", raw, at + 8)[0] if length == 1 else length or len(raw) - at
        if length < body - at or at + length > len(raw):
            raise UnusablePicture("is a truncated JPEG 2000")
        if kind == b"jp2h" and b"pclr" in raw[body : at + length]:
            raise UnusablePicture("is a JPEG 2000 with a palette")
        if kind == b"jp2c":
            start, end = body, at + length
            break
        at += length
    if raw[start : start + 4] != b"\xff\x4f\xff\x51" or raw.rfind(b"\xff\xd9", start, end) < 0:
        raise UnusablePicture("is a JPEG 2000 cut off before its end")
    right, bottom, left, top = struct.unpack_from(">IIII", raw, start + 8)
    planes = struct.unpack_from(">H", raw, start + 40)[0]
    kinds = {raw[at : at + 3] for at in range(start + 42, start + 42 + 3 * min(planes, 5), 3)}
    if planes not in (1, 3, 4) or len(kinds) > 1 or not kinds <= {b"\x07\1\1", b"\x0f\1\1"}:
        raise UnusablePicture("is a JPEG 2000 of other planes than 1, 3 or 4 full ones of 8 or 16 bit")
    deep = kinds == {b"\x0f\1\1"}
    return PictureHeader(bottom - top, right - left, deep=deep, alpha=planes == 4)


def _tiff(raw: bytes) -> PictureHeader:
    at = _directory(raw)
    tags = _tags(raw, TIFF_TAGS, at)
    if 256 not in tags or 257 not in tags:
        raise UnusablePicture("is a TIFF without a size")
    height, width = tags[257][0], tags[256][0]
    bits, planes, colours = max(tags.get(258, (1,))), tags.get(277, (1,))[0], tags.get(262, (1,))[0]
    if set(tags.get(339, (1,))) - {1, 4} or bits not in (1, 2, 4, 8, 16):
        raise UnusablePicture("is a float, signed or 32-bit TIFF; accepted are unsigned 8 and 16 bit")
    if planes > 4:
        raise UnusablePicture(f"is a TIFF of {planes} planes; accepted are 1 to 4")
    if colours not in TIFF_COLOURS or colours == CMYK and bits > 8:
        raise UnusablePicture(f"is a TIFF of {bits} bit in colours that are not read (photometric {colours})")
    apart = tags.get(284, (1,))[0] == 2 and planes > 1
    if apart and bits > 8:  # OpenCV 4.14 decodes it into other pixels
        raise UnusablePicture(f"is a TIFF of {bits} bit with separate planes; store them interleaved, pixel by pixel")
    _check_strips(tags, height, width, planes if apart else 1, len(raw))
    pages = _later_pages(raw, at)
    return PictureHeader(
        height,
        width,
        _valid(tags.get(274, (1,))[0]),
        tiff=True,
        deep=bits == 16,
        alpha=planes in (2, 4) and colours != CMYK,
        cmyk=colours == CMYK,
        pages=bool(pages),
        white_is_zero=(tags.get(262) == (0,), *pages),
    )


def _check_strips(tags: dict[int, tuple[int, ...]], height: int, width: int, layers: int, length: int) -> None:
    """Whether the strips or tiles of a TIFF lie inside its `length` bytes, and are as many as its rows need."""
    for offsets, counts in ((273, 279), (324, 325)):
        ends = map(sum, zip(tags.get(offsets, ()), tags.get(counts, ()), strict=False))
        if max(ends, default=0) > length:
            raise UnusablePicture("is a truncated TIFF")
    tiled = 324 in tags
    tall, wide = (tags.get(tag, (0,))[0] for tag in ((323, 322) if tiled else (278, 256)))
    needed = layers * math.ceil(height / (tall or height or 1)) * math.ceil(width / (wide or width or 1))
    if 0 < len(tags.get(324 if tiled else 273, ())) < needed:
        raise UnusablePicture(f"is a TIFF with fewer {'tiles' if tiled else 'strips'} than its size needs")


def _directory(data: bytes) -> int:
    """Where the first directory of a TIFF, or of an EXIF block, lies."""
    return int(struct.unpack_from(f"{_order(data)}I", data, 4)[0])


def _order(data: bytes) -> str:
    return "<" if data[:2] == b"II" else ">"


def _later_pages(raw: bytes, at: int) -> list[bool]:
    """Of each further page of a TIFF whether white is stored as 0; `at`: its first directory."""
    pages: dict[int, bool] = {}
    for _ in range(MAX_PAGES):
        at += 2 + 12 * struct.unpack_from(f"{_order(raw)}H", raw, at)[0]
        at = struct.unpack_from(f"{_order(raw)}I", raw, at)[0] if at + 4 <= len(raw) else 0
        if at == 0 or at in pages:
            break
        pages[at] = _tags(raw, (262,), at).get(262) == (0,)
    return [*pages.values()]


def _tags(data: bytes, wanted: tuple[int, ...], start: int) -> dict[int, tuple[int, ...]]:
    """The wanted whole-number entries of the directory at `start` of a TIFF; an EXIF block is one, too."""
    order = _order(data)
    tags: dict[int, tuple[int, ...]] = {}
    for entry in range(struct.unpack_from(f"{order}H", data, start)[0]):
        at = start + 2 + 12 * entry
        tag, kind, count = struct.unpack_from(f"{order}HHI", data, at)
        code = {1: "B", 3: "H", 4: "I"}.get(kind)
        if tag not in wanted or code is None or count == 0:
            continue
        inside = count * struct.calcsize(f"={code}") <= 4
        value_at = at + 8 if inside else struct.unpack_from(f"{order}I", data, at + 8)[0]
        tags[tag] = struct.unpack_from(f"{order}{count}{code}", data, value_at)
    return tags


def _orientation(exif: bytes) -> int:
    """1..8 from an EXIF block; a block that makes no sense means upright."""
    try:
        return _valid(_tags(exif, (274,), _directory(exif)).get(274, (1,))[0])
    except struct.error:
        return 1


def _valid(orientation: int) -> int:
    return orientation if orientation in TURNS else 1
