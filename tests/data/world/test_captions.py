"""Phrases say what the picture shows."""

import numpy as np
import pytest

from data.world.captions import LEVELS, caption
from data.world.picture import Defect, WorldPicture, draw_picture
from data.world.primitives import PRIMITIVES

SCRATCH = next(number for number, one in enumerate(PRIMITIVES) if one.names[0] == "scratch")
PICTURE = WorldPicture(np.zeros((200, 200, 3), np.uint8), "wood", (), np.zeros(0))


@pytest.mark.parametrize(
    ("box", "brighter", "level", "wanted"),
    [
        ((0, 0, 60, 8), True, 0, {""}),
        ((0, 0, 60, 8), False, 1, {"dark", "black", "dim"}),
        ((0, 0, 60, 8), True, 2, {f"{tone} on wood horizontal" for tone in ("bright", "light", "pale")}),
        ((0, 0, 4, 4), False, 2, {f"{s} {t} on wood" for s in ("tiny", "minute") for t in ("dark", "black", "dim")}),
        (
            (5, 0, 12, 30),
            False,
            2,
            {f"{s} {t} on wood vertical" for s in ("small", "little") for t in ("dark", "black", "dim")},
        ),
    ],
)
def test_words_are_those_of_what_was_drawn(box, brighter, level, wanted):
    defect = Defect(SCRATCH, np.array(box, np.float32), brighter, 0.0)
    for seed in range(20):
        phrase = caption(np.random.default_rng(seed), PICTURE, defect, level)
        (name,) = [one for one in sorted(PRIMITIVES[SCRATCH].names, key=len)[::-1] if one in phrase][:1]
        rest = phrase.replace(name, "").split()
        assert any(sorted(rest) == sorted(words.split()) for words in wanted), phrase


def test_there_are_thousands_of_phrases():
    rng, phrases = np.random.default_rng(0), set()
    for index in range(200):
        picture = draw_picture(0, index, 96)
        phrases |= {caption(rng, picture, defect, level) for defect in picture.defects for level in range(LEVELS)}
    assert len(phrases) > 500 and all(phrase == " ".join(phrase.split()) for phrase in phrases)
