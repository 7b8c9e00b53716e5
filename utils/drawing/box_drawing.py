"""Detections and truth drawn on pictures: boxes just outside the defect, captions beside the box.

Pictures are (H, W, 3) uint8 RGB, boxes (N, 4) xyxy pixels of the picture they are drawn on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

from utils.drawing.colours import Colour, class_colour
from utils.drawing.fonts import draw_text, shortened, text_height, text_width
from utils.values.boxes import clip_boxes
from utils.values.masks import Rle, fill_masks, shrunk_mask


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

    def shrunk(self, before: tuple[int, int], after: tuple[int, int]) -> Marks:
        """What to draw on the same picture of another, smaller size; both (height, width) px."""
        masks = tuple(shrunk_mask(mask, *after) for mask in self.masks)
        return replace(self, boxes=scaled_boxes(self.boxes, before, after), masks=masks)


def scaled_boxes(boxes: np.ndarray, before: tuple[int, int], after: tuple[int, int]) -> np.ndarray:
    """(N, 4) xyxy px of a picture of the size `before` as those of the same one of `after`, (height, width)."""
    return boxes * np.tile(np.divide(after, before)[::-1], 2).astype(boxes.dtype)


def box_caption(name: str, score: float | None, style: BoxStyle) -> str:
    """`scratch 0.87`, or what `style` leaves of it; `score` is None for truth."""
    if style.hide_labels:
        return ""
    return name if score is None or style.hide_scores else f"{name} {score:.2f}"


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
    picture = Image.fromarray(image)  # a copy: Pillow keeps three planes as four
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
    # captions not placed yet: one pixel outside the picture, which overlaps nothing and has an area to divide by
    taken = np.concatenate((inner, np.tile([-1, -1, 0, 0], (len(inner), 1))))  # boxes, then captions placed
    for i, (text, colour) in enumerate(zip(texts, colours, strict=True)):
        short = shortened(text, size, width - 2 * pad)
        if not short:
            continue
        w, h = math.ceil(text_width(short, size)) + 2 * pad, text_height(size)
        left, top = _caption_place(i, outer[i], (w, h), taken, (width, height))
        taken[len(inner) + i] = left, top, left + w, top + h
        draw.rectangle((left, top, left + w - 1, top + h - 1), fill=colour)
        draw_text(draw, (left + pad, top), short, size, _contrast(colour))


def _caption_place(
    box: int, outer: np.ndarray, size: tuple[int, int], taken: np.ndarray, picture: tuple[int, int]
) -> tuple[int, int]:
    """Left, top of a caption (width, height) in a picture (width, height): where it covers least."""
    (w, h), (left, top, right, bottom) = size, outer
    # above and below, beside, then inside the box: of equally good places the first is taken
    rows = [(left, top - h), (left, bottom), (right - w, top - h), (right - w, bottom)]
    rows += [(right, top), (left - w, top), (right, bottom - h), (left - w, bottom - h)]
    rows += [(left, top), (left, bottom - h), (right - w, top), (right - w, bottom - h)]
    places = np.clip(np.array(rows), 0, np.maximum(np.array(picture) - size, 0))
    rects = np.concatenate((places, places + size), 1)
    # by share of what is hidden: a corner of a large box is nothing, a small defect or a caption is lost
    weights = np.repeat((1.0, 3.0), len(taken) // 2) / (taken[:, 2:] - taken[:, :2]).prod(1)
    weights[box] *= 3
    # what none of the places can reach is left out of the pairwise overlaps
    near = ((taken[:, :2] < rects[:, 2:].max(0)) & (taken[:, 2:] > rects[:, :2].min(0))).all(1)
    common = np.minimum(rects[:, None, 2:], taken[near, 2:]) - np.maximum(rects[:, None, :2], taken[near, :2])
    x, y = places[int((common.clip(min=0).prod(-1) @ weights[near]).argmin())]
    return int(x), int(y)


def _contrast(colour: Colour) -> Colour:
    """Black or white, whichever reads better on `colour` (WCAG luminance; they are equal at 0.18)."""
    linear = (np.array(colour) / 255) ** 2.2
    return (0, 0, 0) if linear @ np.array([0.2126, 0.7152, 0.0722]) > 0.18 else (255, 255, 255)
