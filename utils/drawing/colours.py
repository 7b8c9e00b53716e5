"""The colour of a class: the same in every picture and plot."""

from __future__ import annotations

import colorsys

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


def class_colour(label: int) -> Colour:
    """The RGB colour of a class, the same in every picture and plot: ten chosen ones, then generated ones."""
    if 0 <= label < len(_PALETTE):
        return _PALETTE[label]
    # Steps of the golden ratio spread the hues, lightness alternates as a second cue; the start is the one whose
    # first twenty colours lie farthest apart and from the ten chosen ones (CIELAB).
    lightness, saturation = ((0.58, 0.9), (0.8, 0.75), (0.38, 0.75))[label % 3]
    red, green, blue = colorsys.hls_to_rgb((label * 0.618034 + 0.28) % 1, lightness, saturation)
    return round(red * 255), round(green * 255), round(blue * 255)
