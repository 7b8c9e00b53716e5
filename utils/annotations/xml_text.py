"""Names in XML."""

from __future__ import annotations

import re

from utils.drawing.colours import class_colour

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def without_illegal(text: str) -> str:
    """`text` with a mark in the place of each character that XML 1.0 cannot hold, not even escaped."""
    return _ILLEGAL.sub("\ufffd", text)


def hex_colour(label: int) -> str:
    """The colour of a class as `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*class_colour(label))
