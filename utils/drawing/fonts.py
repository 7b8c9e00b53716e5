"""Text on pictures: DejaVu Sans, helped out by an installed CJK font; never blank boxes."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import groupby
from pathlib import Path

from PIL import ImageDraw, ImageFont

from utils.drawing.colours import Colour
from utils.words.errors import printable

# Parts of the file names of fonts that have Chinese, Japanese or Korean characters.
_WIDE_FONTS = re.compile(
    r"cjk|wqy|hans|hant|simhei|simsun|msyh|deng|pingfang|heiti|hiragino|uming|ukai|fallback|malgun|nanum|gothic"
    r"|meiryo|unifont|arial.?unicode"
)


def displayable(text: str) -> str:
    """`text` on one line, with a Unicode escape for each character that no font at hand can show."""
    return "".join(c if _font_of(c) else c.encode("unicode_escape").decode() for c in printable(text))


def special_font(text: str) -> str | None:
    """The font file that shows the characters of `text` DejaVu Sans lacks; None when it lacks none."""
    special = (file for file in map(_font_of, text) if file and file != _default_font())
    return next(special, None)


def shortened(text: str, size: int, width: float) -> str:
    """`text` displayable and, if wider than `width` px at font `size` px, cut in the middle."""
    text = displayable(text)
    if text_width(text, size) <= width:
        return text
    for length in range(len(text) - 1, 0, -1):
        tail = min(6, length // 2)
        short = f"{text[: length - tail]}…{text[len(text) - tail :]}"
        if text_width(short, size) <= width:
            return short
    return ""


def draw_text(draw: ImageDraw.ImageDraw, corner: tuple[int, int], text: str, size: int, colour: Colour) -> None:
    """Write `text` with its top left `corner` px."""
    x, y = float(corner[0]), corner[1] + _font(_default_font(), size).getmetrics()[0]
    for file, characters in groupby(text, _font_of):
        font, run = _font(file or _default_font(), size), "".join(characters)
        draw.text((x, y), run, fill=colour, font=font, anchor="ls")  # all fonts on one baseline
        x += font.getlength(run)


def text_width(text: str, size: int) -> float:
    """Px."""
    runs = groupby(text, _font_of)
    return sum(_font(file or _default_font(), size).getlength("".join(run)) for file, run in runs)


def text_height(size: int) -> int:
    """Px of a line."""
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
    import matplotlib

    return str(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"))


@lru_cache(maxsize=1)
def _wide_fonts() -> tuple[str, ...]:
    from matplotlib.font_manager import findSystemFonts  # here: importing it builds a font cache on disk

    found = [f for f in findSystemFonts() if _WIDE_FONTS.search(Path(f).name.lower())]
    return tuple(sorted(found, key=lambda f: ("regular" not in f.lower(), Path(f).name)))


@lru_cache(maxsize=32)
def _coverage(file: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(file).get_charmap())
    except (OSError, RuntimeError):  # a damaged system font is no reason to stop
        return frozenset()
