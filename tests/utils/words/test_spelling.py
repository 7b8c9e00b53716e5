"""When names say the same."""

import pytest

from utils.words.spelling import normalize, respell


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
