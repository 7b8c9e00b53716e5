"""How a drawn defect is spoken of: by its kind, and by its tone and what it lies on beside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from data.defects.primitives import PRIMITIVES
from data.surfaces.materials import MATERIALS
from data.world.mixes import OPEN, Mix, mix_of
from utils.words.wording import Wording

TONES = (("dark", "black"), ("bright", "light"))
SAID_TONES = {"dark", "black", "bright", "light", "white"}  # a name that has one gets no other
ANY = ("defect", "flaw", "fault", "damage", "anomaly", "imperfection")
PLACES = (*MATERIALS, "")  # "": on a picture of which nothing is known
SPOKEN = ("kinds", "backgrounds", OPEN)  # mixes whose pictures are spoken of in several ways


class _Case(NamedTuple):
    """Defects that all wordings call alike: their class, their material, and the words for their tone."""

    code: int
    label: int
    place: str
    tones: tuple[str, ...]


def codes(kinds: Sequence[int], material: str, brighter: Sequence[bool]) -> np.ndarray:
    """(D,) int64: of defects of these kinds on `material` ("": unknown) what `wordings` tells apart."""
    pairs = zip(kinds, brighter, strict=True)
    return np.array([_code(kind, PLACES.index(material), tone) for kind, tone in pairs], np.int64)


def wordings(mix: str) -> tuple[Wording, ...]:
    """By kind, by tone and kind, by kind and material, by all three, and as defects, whatever they are; () for a mix
    whose classes have one name each.

    No text is of defects that the mix does not draw: to be asked for them in vain would teach what they are called.
    """
    if mix not in SPOKEN:
        return ()
    told_apart = [_wording(mix_of(mix), tone, material) for material in (False, True) for tone in (False, True)]
    return (*told_apart, Wording(np.minimum(told_apart[0].groups, 0), (ANY,)))


def classes_of(mix: str) -> np.ndarray:
    """(C,) int64: the class of each code, -1 where the mix has no such defect."""
    table = np.full(_code(len(PRIMITIVES), 0, 0), -1)
    for case in _cases(mix_of(mix)):
        table[case.code] = case.label
    return table


def _code(kind: int, place: int, tone: int) -> int:
    return (kind * len(PLACES) + place) * len(TONES) + tone


def _cases(mix: Mix) -> Iterator[_Case]:
    """All that there are in `mix`."""
    first = 0 if len(mix.labels) > 1 else PLACES.index("")
    for row, kind in np.argwhere(mix.labels >= 0).tolist():
        for number, tones in enumerate(TONES):
            place = first + row
            yield _Case(_code(kind, place, number), int(mix.labels[row, kind]), PLACES[place], tones)


def _wording(mix: Mix, with_tone: bool, with_material: bool) -> Wording:
    groups = np.full(_code(len(PRIMITIVES), 0, 0), -1)
    texts: dict[tuple[str, ...], int] = {}
    for case in _cases(mix):
        tones, place = case.tones if with_tone else ("",), case.place if with_material else ""
        said = dict.fromkeys(_text(tone, name, place) for tone in tones for name in mix.names[case.label])
        groups[case.code] = texts.setdefault(tuple(said), len(texts))
    return Wording(groups, tuple(texts))


def _text(tone: str, name: str, material: str) -> str:
    """`dark scratch on cloth`."""
    tone = "" if SAID_TONES & set(name.split()) else tone
    return " ".join(filter(None, (tone, name, material and f"on {material}")))
