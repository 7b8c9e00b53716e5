"""Overlays on pictures: boxes just outside the defect, captions beside the box, contact sheets.

Pictures are (H, W, 3) uint8 RGB, boxes (N, 4) xyxy pixels of the picture they are drawn on. Text is DejaVu
Sans; an installed CJK font helps out with what it lacks, else the Unicode escape is shown, never blank boxes.
"""

from __future__ import annotations

import colorsys
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from utils.values.boxes import Letterbox, clip_boxes
from utils.values.masks import Rle, fill_masks
from utils.words.errors import printable

Colour = tuple[int, int, int]

# Distinct in hue and in lightness: they stay apart for the colour blind, and on grey metal and brown wood.
_PALETTE: tuple[Colour, ...] = (
    (255, 89, 48),
    (35, 160, 255),
    (255, 214, 10),
    (0, 201, 147),
    (222, 108, 224),
    (40, 84, 222),
    (255, 157, 31),
    (146, 234, 255),
    (255, 160, 190),
    (150, 222, 60),
)
_WIDE_FONTS = re.compile(
    r"cjk|wqy|hans|hant|simhei|simsun|msyh|deng|pingfang|heiti|hiragino|uming|ukai|fallback|malgun|nanum|gothic"
    r"|meiryo|unifont|arial.?unicode"
)
_SHEET, _SHEET_TEXT = (24, 26, 29), (214, 218, 222)


@dataclass(frozen=True, kw_only=True)
class BoxStyle:
    """How boxes look: `line_width` px (None: by the size of the picture), no captions, no scores."""

    line_width: int | None = None
    hide_labels: bool = False
    hide_scores: bool = False


@dataclass(frozen=True, eq=False)
class Marks:
    """What to draw on a picture: `boxes` (n, 4) xyxy px, `labels` (n,), `scores` (n,) or None for truth; `masks`, n or
    none, of the picture's size.
    """

    boxes: np.ndarray
    labels: np.ndarray
    scores: np.ndarray | None = None
    masks: Sequence[Rle] = ()


def class_colour(label: int) -> Colour:
    """The RGB colour of a class, the same in every picture and plot: ten chosen ones, then generated ones."""
    if 0 <= label < len(_PALETTE):
        return _PALETTE[label]
    # Steps of the golden ratio spread the hues, lightness alternates as a second cue; the start is the one whose
    # first twenty colours lie farthest apart and from the ten chosen ones (CIELAB).
    lightness, saturation = ((0.58, 0.9), (0.8, 0.75), (0.38, 0.75))[label % 3]
    red, green, blue = colorsys.hls_to_rgb((label * 0.618034 + 0.28) % 1, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)


def box_caption(name: str, score: float | None, style: BoxStyle) -> str:
    """`scratch 0.87`, or what `style` leaves of it; `score` is None for truth."""
    if style.hide_labels:
        return ""
    return name if score is None or style.hide_scores else f"{name} {score:.2f}"


def displayable(text: str) -> str:
    """`text` on one line, with a Unicode escape for each character that no font at hand can show."""
    return "".join(c if _font_of(c) else c.encode("unicode_escape").decode() for c in printable(text))


def special_font(text: str) -> str | None:
    """The font file that shows the characters of `text` DejaVu Sans lacks; None when it lacks none."""
    special = (file for file in map(_font_of, text) if file and file != _default_font())
    return next(special, None)


def draw_boxes(
    image: np.ndarray,
    boxes: np.ndarray,
    captions: Sequence[str],
    colours: Sequence[Colour],
    style: BoxStyle,
) -> np.ndarray:
    """A new (H, W, 3) uint8 RGB picture: `image` with a rectangle and a caption per box.

    `boxes` (N, 4) xyxy px; parts outside the picture are cut off, boxes outside it or not finite are skipped.
    The line runs around the box, so that a defect of 4 px stays visible; only at the edge of the picture does
    it enter a box, when that is large. A caption lies inside the picture, off its box where there is room.
    """
    assert image.shape[2:] == (3,) and image.dtype == np.uint8, f"not (H, W, 3) uint8: {image.shape}"
    assert len(boxes) == len(captions) == len(colours), "one caption and one colour per box"
    height, width = image.shape[:2]
    line = style.line_width or max(1, round(math.sqrt(height + width) / 16))
    picture = Image.fromarray(image).copy()
    draw = ImageDraw.Draw(picture)
    kept, inner = _whole_pixels(boxes, height, width)
    outer = _line_edges(inner, line, height, width)
    areas = (inner[:, 2:] - inner[:, :2]).prod(1)
    for i in np.argsort(-areas, kind="stable"):  # the small ones last, on top
        left, top, right, bottom = (int(v) for v in outer[i])
        draw.rectangle((left, top, right - 1, bottom - 1), outline=colours[kept[i]], width=line)
    if not style.hide_labels:
        texts = [captions[k] for k in kept]
        _draw_captions(draw, texts, [colours[k] for k in kept], inner, outer)
    return np.array(picture)


def draw_marks(image: np.ndarray, marks: Marks, names: Sequence[str], style: BoxStyle) -> np.ndarray:
    """`draw_boxes` with the names, scores, colours and masks of `marks`; a label without a name shows its number."""
    words = [names[k] if k < len(names) else str(k) for k in marks.labels]
    scores = [None] * len(words) if marks.scores is None else marks.scores
    captions = [box_caption(word, score, style) for word, score in zip(words, scores, strict=True)]
    colours = [class_colour(int(k)) for k in marks.labels]
    return draw_boxes(
        fill_masks(image, marks.masks, colours) if marks.masks else image, marks.boxes, captions, colours, style
    )


def fitted(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """`image` (H, W, 3) resized to that size in px: averaged when it shrinks, interpolated when it grows."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = height * width < image.shape[0] * image.shape[1]
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def picture_grid(images: Sequence[np.ndarray], captions: Sequence[str], columns: int, cell: int) -> np.ndarray:
    """A contact sheet (H, W, 3) uint8 RGB: pictures row by row, each fitted into a cell below its caption.

    Cells are `cell` px on the longer side; the other side shrinks to the pictures: wide ones waste no paper.
    """
    assert images and len(images) == len(captions), "one caption per picture, and one picture at least"
    fits = [Letterbox.fit(image.shape[:2], (cell, cell)).inner for image in images]
    high, wide = max(h for h, _ in fits), max(w for _, w in fits)
    gap, size = 8, min(max(round(cell / 32), 11), 16)
    strip = _text_height(size) + 4
    rows = math.ceil(len(images) / columns)
    shape = (rows * (high + strip + gap) + gap, min(columns, len(images)) * (wide + gap) + gap, 3)
    sheet = np.full(shape, _SHEET, np.uint8)
    corners = []
    for i, (image, (h, w)) in enumerate(zip(images, fits, strict=True)):
        left, top = gap + i % columns * (wide + gap), gap + i // columns * (high + strip + gap)
        y, x = top + strip + (high - h) // 2, left + (wide - w) // 2
        sheet[y : y + h, x : x + w] = fitted(image, h, w)
        corners.append((left, top))
    picture = Image.fromarray(sheet)
    draw = ImageDraw.Draw(picture)
    for (left, top), caption in zip(corners, captions, strict=True):
        _write(draw, (left + 1, top + 2), shortened(caption, size, wide - 2), size, _SHEET_TEXT)
    return np.array(picture)


def shortened(text: str, size: int, width: float) -> str:
    """`text` displayable and, if wider than `width` px at font `size` px, cut in the middle."""
    text = displayable(text)
    if _text_width(text, size) <= width:
        return text
    for length in range(len(text) - 1, 0, -1):
        tail = min(6, length // 2)
        short = f"{text[: length - tail]}…{text[len(text) - tail :]}"
        if _text_width(short, size) <= width:
            return short
    return ""


def _whole_pixels(boxes: np.ndarray, height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the drawable boxes, and the (M, 4) whole pixels they touch, right and bottom exclusive."""
    exact = np.asarray(boxes, np.float64).reshape(-1, 4)
    with np.errstate(invalid="ignore"):
        seen = np.isfinite(exact).all(1) & (exact[:, 2:] >= exact[:, :2]).all(1)
        seen &= (exact[:, 2:] > 0).all(1) & (exact[:, 0] < width) & (exact[:, 1] < height)
    kept = np.flatnonzero(seen)
    exact = clip_boxes(exact[kept], height, width)
    # float32 coordinates miss a whole pixel by a hair; that hair must not cost a pixel of gap
    start = np.floor(exact[:, :2] + 1e-3).clip(max=np.array([width - 1, height - 1]))
    end = np.maximum(np.ceil(exact[:, 2:] - 1e-3), start + 1)
    return kept, np.concatenate((start, end), 1).astype(np.int64)


def _line_edges(inner: np.ndarray, line: int, height: int, width: int) -> np.ndarray:
    """(M, 4) outer edges of `line` px lines around `inner`; kept in the picture where a box can spare it."""
    outer = inner + np.array([-line, -line, line, line])
    spare = np.tile(inner[:, 2:] - inner[:, :2] >= 16 * line, (1, 2))
    return np.where(spare, clip_boxes(outer, height, width), outer)


def _draw_captions(
    draw: ImageDraw.ImageDraw, texts: list[str], colours: list[Colour], inner: np.ndarray, outer: np.ndarray
) -> None:
    width, height = draw.im.size
    size = max(9, round(7 + (height + width) * 0.0046))
    pad = max(1, size // 6)
    taken = np.concatenate((inner, np.tile([-1, -1, 0, 0], (len(inner), 1))))  # boxes, then captions placed
    for i, (text, colour) in enumerate(zip(texts, colours, strict=True)):
        short = shortened(text, size, width - 2 * pad)
        if not short:
            continue
        w, h = math.ceil(_text_width(short, size)) + 2 * pad, _text_height(size)
        left, top = _caption_place(i, outer[i], (w, h), taken, (width, height))
        taken[len(inner) + i] = left, top, left + w, top + h
        draw.rectangle((left, top, left + w - 1, top + h - 1), fill=colour)
        _write(draw, (left + pad, top), short, size, _contrast(colour))


def _caption_place(
    box: int, outer: np.ndarray, size: tuple[int, int], taken: np.ndarray, picture: tuple[int, int]
) -> tuple[int, int]:
    """Left, top of a caption (width, height) in a picture (width, height): where it covers least."""
    (w, h), (left, top, right, bottom) = size, outer
    rows = [(left, top - h), (left, bottom), (right - w, top - h), (right - w, bottom)]
    rows += [(right, top), (left - w, top), (right, bottom - h), (left - w, bottom - h)]
    rows += [(left, top), (left, bottom - h), (right - w, top), (right - w, bottom - h)]
    places = np.clip(np.array(rows), 0, np.maximum(np.array(picture) - size, 0))
    rects = np.concatenate((places, places + size), 1)
    # by share of what is hidden: a corner of a large box is nothing, a small defect or a caption is lost
    weights = np.repeat((1.0, 3.0), len(taken) // 2) / (taken[:, 2:] - taken[:, :2]).prod(1)
    weights[box] *= 3
    near = ((taken[:, :2] < rects[:, 2:].max(0)) & (taken[:, 2:] > rects[:, :2].min(0))).all(1)
    common = np.minimum(rects[:, None, 2:], taken[near, 2:]) - np.maximum(rects[:, None, :2], taken[near, :2])
    x, y = places[int((common.clip(min=0).prod(-1) @ weights[near]).argmin())]
    return int(x), int(y)


def _contrast(colour: Colour) -> Colour:
    """Black or white, whichever reads better on `colour` (WCAG luminance; they are equal at 0.18)."""
    linear = (np.array(colour) / 255) ** 2.2
    return (0, 0, 0) if linear @ np.array([0.2126, 0.7152, 0.0722]) > 0.18 else (255, 255, 255)


def _write(draw: ImageDraw.ImageDraw, corner: tuple[int, int], text: str, size: int, colour: Colour) -> None:
    x, y = float(corner[0]), corner[1] + _font(_default_font(), size).getmetrics()[0]
    for file, characters in groupby(text, _font_of):
        font, run = _font(file or _default_font(), size), "".join(characters)
        draw.text((x, y), run, fill=colour, font=font, anchor="ls")
        x += font.getlength(run)


def _text_width(text: str, size: int) -> float:
    runs = groupby(text, _font_of)
    return sum(_font(file or _default_font(), size).getlength("".join(run)) for file, run in runs)


def _text_height(size: int) -> int:
    return sum(_font(_default_font(), size).getmetrics())


@lru_cache(maxsize=128)
def _font(file: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, size)


@lru_cache(maxsize=4096)
def _font_of(character: str) -> str | None:
    """The first font file that has `character`; system fonts are searched only for what DejaVu Sans lacks."""
    if ord(character) in _coverage(_default_font()):
        return _default_font()
    return next((file for file in _wide_fonts() if ord(character) in _coverage(file)), None)


@lru_cache(maxsize=1)
def _default_font() -> str:
    return str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"))


@lru_cache(maxsize=1)
def _wide_fonts() -> tuple[str, ...]:
    from matplotlib.font_manager import findSystemFonts  # here: importing it builds a font cache on disk

    found = [f for f in findSystemFonts() if _WIDE_FONTS.search(Path(f).name.lower())]
    return tuple(sorted(found, key=lambda f: ("regular" not in f.lower(), Path(f).name)))


@lru_cache(maxsize=32)
def _coverage(file: str) -> frozenset[int]:
    try:
        return frozenset(FT2Font(file).get_charmap())
    except (OSError, RuntimeError):  # a damaged system font is no reason to stop
        return frozenset()
