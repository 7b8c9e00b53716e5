"""When names say the same."""

import pytest

from utils.words.spelling import normalize, respell, word_key


@pytest.mark.parametrize(
    ("name", "normal"),
    [
        ("LiveKnot", "live knot"),
        (" Live_Knot ", "live knot"),
        ("live--knot", "live knot"),
        ("Wood\u00a0 Live\tknot", "wood live knot"),
        ("PCBDefect", "pcb defect"),
        ("LEDs", "leds"),
        ("D0w0", "d0w0"),
        ("PCB", "pcb"),
        ("rolled-in_scale", "rolled in scale"),
        ("裂纹", "裂纹"),
        ("--", ""),
        ("", ""),
    ],
)
def test_normalize(name, normal):
    assert normalize(name) == normal
    assert normalize(normal) == normal


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("Polyme Dirty", "polymer dirty"),
        ("damged", "damaged"),
        ("LignumCrack", "wood crack"),
        ("Polymer Fouling", "polymer fouling"),  # whole words only
        ("undamged", "undamged"),
    ],
)
def test_respell(name, better):
    assert respell(name) == better


@pytest.mark.parametrize(
    "names",
    [
        ("mousebite", "Mouse bites", "mouse-bite", "MouseBite", "MOUSE_BITES"),
        ("colour", "Colors", "ｃｏｌｏｕｒ"),
        ("cavity", "cavities"),
        ("scratch", "scratches", "Scratche s".replace(" ", "")),
        ("glass", "Glass"),
        ("craze", "crazes"),
        ("gray fibre", "grey fibers"),
        ("裂纹", " 裂 纹 "),
    ],
)
def test_word_key_is_the_same(names):
    assert len(set(map(word_key, names))) == 1 and word_key(names[0])


def test_word_key_tells_apart():
    words = ["glass", "gas", "pit", "pits of glass", "void", "avoid", "裂纹", "裂缝", "crack", "track"]
    assert len(set(map(word_key, words))) == len(words)
    assert word_key("--") == word_key("") == ""
