"""The kinds of defects: what each is called, its outline, what it does to a surface, how large it is and where it lies.

The names are the general words of the trade, not those of any data set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from data.defects import marks, shapes
from data.defects.marks import Mark
from data.defects.shapes import Mask

Rng = np.random.Generator
Outline = Callable[[Rng, float], Mask]
Where = Literal["anywhere", "on a track", "between tracks", "at a track's edge"]

METALS = (
    *("brushed steel", "rolled steel", "cast iron", "machined metal", "galvanised sheet"),
    *("turned metal", "weld seam", "perforated sheet", "anodised aluminium"),
)
COATED = ("painted metal", "moulded plastic", "ceramic tile", "anodised aluminium")
SOFT = ("cloth", "leather", "paper", "foil", "rubber", "knitted fabric", "carpet")
MINERAL = ("concrete", "asphalt", "stone", "brick wall", "ceramic tile")
CLEAR = ("glass", "foil", "ceramic tile", "moulded plastic", "painted metal", "carbon fibre", "display")


@dataclass(frozen=True, eq=False)
class Primitive:
    """`names`: the usual one and others that mean the same. `outline(rng, side)` draws it `side` px long; `looks` are
    the marks that it may make, `sides` its least and most length as parts of the picture. `on`: its materials, ()
    any. `turn`: "any" way round, "grain" along the surface's lines, seldom across, "across" them, "none" as it is
    drawn, "down" hanging.
    """

    names: tuple[str, ...]
    outline: Outline
    looks: tuple[Mark, ...]
    sides: tuple[float, float] = (0.02, 0.3)
    on: tuple[str, ...] = ()
    turn: Literal["any", "grain", "across", "none", "down"] = "any"
    where: Where = "anywhere"


def _line(thin: float, thick: float, bend: float, rough: float = 0.0) -> Outline:
    return lambda rng, side: shapes.stroke(
        rng, side, rng.uniform(thin, thick), rng.uniform(0, bend), rng.uniform(0, rough)
    )


def _crack(thin: float, thick: float, least: int, most: int) -> Outline:
    return lambda rng, side: shapes.crack(rng, side, rng.uniform(thin, thick), int(rng.integers(least, most + 1)))


def _web(least: int, most: int, thick: float = 0.0) -> Outline:
    return lambda rng, side: shapes.web(rng, side, int(rng.integers(least, most)), rng.uniform(0, thick))


def _blob(slim: float, rough: float, round_: float = 1.0) -> Outline:
    return lambda rng, side: shapes.blob(rng, side, rng.uniform(slim, round_), rng.uniform(0.3 * rough, rough))


def _ring(width: float) -> Outline:
    return lambda rng, side: shapes.ring(rng, side, rng.uniform(0.03, width))


def _dots(least: int, most: int, small: float, large: float) -> Outline:
    return lambda rng, side: shapes.dots(rng, side, int(rng.integers(least, most)), small, large)


def _area(least: float, most: float, slim: float = 1.0) -> Outline:
    return lambda rng, side: shapes.area(rng, side, rng.uniform(least, most), rng.uniform(slim, 1))


def _strip(thin: float, thick: float) -> Outline:
    return lambda rng, side: shapes.strip(rng, side, rng.uniform(thin, thick))


def _bars(least: int, most: int) -> Outline:
    return lambda rng, side: shapes.bars(rng, side, int(rng.integers(least, most)))


def _fibre(thin: float, thick: float) -> Outline:
    return lambda rng, side: shapes.fibre(rng, side, rng.uniform(thin, thick))


def _drip(thin: float, thick: float) -> Outline:
    return lambda rng, side: shapes.drip(rng, side, rng.uniform(thin, thick))


def _shard(slim: float) -> Outline:
    return lambda rng, side: shapes.shard(rng, side, rng.uniform(slim, 1))


TONES = (marks.dark, marks.bright)

PRIMITIVES: tuple[Primitive, ...] = (
    # lines
    Primitive(("scratch", "scrape mark", "score"), _line(0.004, 0.02, 0.12), TONES, (0.06, 0.8)),
    Primitive(
        ("gouge", "deep scratch", "groove"),
        _line(0.03, 0.09, 0.15),
        (marks.pressed,),
        (0.06, 0.4),
        (*METALS, *COATED, "wood"),
    ),
    Primitive(("crack", "fracture", "split"), _crack(0.006, 0.02, 0, 1), (marks.dark, marks.opened), (0.06, 0.8)),
    Primitive(("branching crack", "forked crack"), _crack(0.006, 0.02, 2, 6), (marks.dark, marks.opened), (0.1, 0.8)),
    Primitive(("hairline crack", "fine crack"), _crack(0.001, 0.004, 0, 2), (marks.dark,), (0.1, 0.6)),
    Primitive(("alligator cracking", "map cracking"), _web(12, 40, 0.01), (marks.dark,), (0.15, 0.7), MINERAL + COATED),
    Primitive(("crazing", "network of fine cracks"), _web(40, 160), (marks.dark, marks.bright), (0.12, 0.6)),
    Primitive(("tear", "rip", "slit"), _line(0.03, 0.12, 0.2, 0.8), (marks.opened,), (0.05, 0.4), SOFT),
    Primitive(("wrinkle", "pucker"), _line(0.03, 0.09, 0.3), (marks.raised,), (0.1, 0.7), SOFT),
    Primitive(("crease", "fold line"), _line(0.008, 0.03, 0.05), (marks.pressed, marks.raised), (0.15, 0.9), SOFT),
    Primitive(
        ("thread", "loose thread", "string"),
        _fibre(0.01, 0.03),
        (marks.bright, marks.dark, marks.coloured),
        (0.06, 0.4),
    ),
    Primitive(("hair", "fibre", "lint"), _fibre(0.003, 0.01), (marks.dark, marks.bright), (0.05, 0.3)),
    Primitive(
        ("missing thread", "broken pick", "missing yarn"),
        _strip(0.01, 0.03),
        TONES,
        (0.15, 1.0),
        ("cloth", "knitted fabric", "carbon fibre"),
        "grain",
    ),
    Primitive(("chatter marks", "tool marks"), _bars(5, 14), (marks.dark, marks.pressed), (0.1, 0.5), METALS, "grain"),
    Primitive(
        ("streak", "line defect", "stripe"),
        _strip(0.006, 0.04),
        (marks.faded, marks.bright, marks.dark),
        (0.2, 1.0),
        (),
        "grain",
    ),
    Primitive(("seam", "lap"), _line(0.004, 0.012, 0.02, 0.3), (marks.dark,), (0.2, 0.9), METALS, "grain"),
    # holes and pits
    Primitive(("hole", "perforation", "puncture"), _blob(0.6, 0.4), (marks.opened,), (0.015, 0.2)),
    Primitive(("pinhole", "needle hole"), _blob(0.8, 0.1), (marks.opened,), (0.008, 0.025)),
    Primitive(("pit", "cavity"), _blob(0.6, 0.5), (marks.pressed, marks.opened), (0.012, 0.12)),
    Primitive(
        ("pitting", "pitted surface"),
        _dots(12, 60, 0.02, 0.08),
        (marks.pressed, marks.dark),
        (0.1, 0.6),
        METALS + MINERAL,
    ),
    Primitive(
        ("porosity", "cluster of pores", "gas pores"), _dots(4, 20, 0.05, 0.16), (marks.opened, marks.dark), (0.05, 0.3)
    ),
    Primitive(("crater", "fisheye"), _ring(0.3), (marks.raised, marks.pressed), (0.02, 0.12), COATED),
    Primitive(("dent", "indentation", "ding"), _blob(0.5, 0.2), (marks.pressed,), (0.05, 0.35), METALS + COATED),
    # what stands out
    Primitive(("bump", "lump", "nodule"), _blob(0.6, 0.3), (marks.raised,), (0.02, 0.2)),
    Primitive(("blister", "swelling"), _blob(0.7, 0.2), (marks.raised,), (0.03, 0.2), COATED + SOFT),
    Primitive(("blisters", "cluster of blisters"), _dots(4, 16, 0.08, 0.25), (marks.raised,), (0.1, 0.4), COATED),
    Primitive(
        ("burr", "ragged edge"),
        _line(0.04, 0.14, 0.1, 1.0),
        (marks.raised, marks.bright),
        (0.05, 0.35),
        METALS + ("moulded plastic",),
    ),
    Primitive(
        ("spatter", "splatter", "weld beads"),
        _dots(3, 14, 0.04, 0.18),
        (marks.raised, marks.bright),
        (0.06, 0.4),
        METALS,
    ),
    Primitive(
        ("flash", "fin"), _strip(0.03, 0.1), (marks.raised,), (0.1, 0.5), ("moulded plastic", "rubber", "cast iron")
    ),
    Primitive(
        ("foreign body", "embedded particle"), _shard(0.5), (marks.coloured, marks.dark, marks.bright), (0.012, 0.12)
    ),
    Primitive(("bubble", "air bubble", "gas bubble"), _blob(0.55, 0.1), (marks.bubbly,), (0.015, 0.2), CLEAR),
    Primitive(("cluster of bubbles", "seeds", "foam"), _dots(4, 20, 0.05, 0.2), (marks.bubbly,), (0.06, 0.35), CLEAR),
    # stains and layers
    Primitive(("stain", "blotch"), _blob(0.4, 0.8), (marks.stained, marks.dark), (0.04, 0.5)),
    Primitive(("water mark", "dried drop", "ring stain"), _ring(0.1), (marks.stained, marks.whitish), (0.04, 0.25)),
    Primitive(("oil spot", "grease stain", "oil"), _blob(0.5, 0.6), (marks.glossy,), (0.04, 0.4)),
    Primitive(
        ("run", "drip", "sag"),
        _drip(0.1, 0.25),
        (marks.glossy, marks.raised, marks.coloured),
        (0.06, 0.4),
        COATED + ("glass", "brick wall"),
        "down",
    ),
    Primitive(("splash", "ink blot", "paint spot"), _dots(3, 12, 0.05, 0.4), (marks.coloured, marks.dark), (0.04, 0.3)),
    Primitive(("black spot", "dark spot", "black speck"), _blob(0.7, 0.4), (marks.dark,), (0.008, 0.06)),
    Primitive(("white spot", "bright spot"), _blob(0.7, 0.4), (marks.bright, marks.whitish), (0.008, 0.06)),
    Primitive(("discolouration", "colour change", "shade variation"), _blob(0.4, 0.5), (marks.faded,), (0.12, 0.7)),
    Primitive(("haze", "bloom", "efflorescence"), _area(0.3, 0.7), (marks.whitish,), (0.1, 0.6)),
    Primitive(
        ("rust", "iron oxide"), _area(0.2, 0.7), (marks.rusty,), (0.05, 0.6), METALS + ("painted metal", "concrete")
    ),
    Primitive(
        ("corrosion", "verdigris"), _area(0.2, 0.6), (marks.crusted, marks.green, marks.whitish), (0.06, 0.5), METALS
    ),
    Primitive(("dirt", "soiling", "contamination"), _area(0.08, 0.4), (marks.dark, marks.amber), (0.05, 0.5)),
    Primitive(("dust", "fine particles"), _dots(20, 90, 0.008, 0.025), (marks.bright, marks.dark), (0.1, 0.5)),
    Primitive(
        ("mould", "fungus"),
        _area(0.08, 0.3),
        (marks.green, marks.dark),
        (0.08, 0.5),
        ("wood", "paper", "cloth", "brick wall", "concrete", "leather", "carpet", "particle board"),
    ),
    Primitive(
        ("burn mark", "scorch"),
        _blob(0.5, 0.4),
        (marks.amber, marks.faded),
        (0.04, 0.4),
        ("wood", "moulded plastic", "circuit board", "paper", "cloth"),
    ),
    Primitive(("smear", "smudge", "wipe mark"), _line(0.1, 0.35, 0.3), (marks.smeared, marks.faded), (0.08, 0.5)),
    Primitive(("wear", "abrasion", "worn area"), _area(0.4, 0.8), (marks.smeared, marks.bright), (0.1, 0.6)),
    # skins
    Primitive(
        ("scale", "rolled-in oxide", "mill scale"), _area(0.15, 0.5, 0.4), (marks.scaled,), (0.06, 0.5), METALS, "grain"
    ),
    Primitive(
        ("inclusion", "slag streak", "non-metallic inclusion"),
        _blob(0.06, 0.5, 0.3),
        (marks.dark, marks.scaled),
        (0.04, 0.5),
        METALS + ("glass",),
        "grain",
    ),
    Primitive(
        ("patch", "smooth area", "blotchy area"),
        _blob(0.3, 0.6),
        (marks.smeared, marks.bright, marks.dark),
        (0.1, 0.6),
        METALS,
    ),
    Primitive(
        ("peeling", "flaking", "delamination"),
        _area(0.3, 0.7),
        (marks.peeled,),
        (0.05, 0.5),
        COATED + ("brick wall", "concrete", "wood", "carbon fibre", "particle board"),
    ),
    Primitive(
        ("chip", "break-out", "spall"),
        _shard(0.4),
        (marks.broken,),
        (0.02, 0.2),
        MINERAL + COATED + ("glass", "wood", "particle board", "wafer", "carbon fibre"),
    ),
    Primitive(
        ("erosion", "washed-out area"), _area(0.3, 0.6), (marks.crusted, marks.pressed), (0.1, 0.6), MINERAL + METALS
    ),
    # wood, boards, cells
    Primitive(("knot", "branch mark"), _blob(0.6, 0.2), (marks.knotty,), (0.03, 0.25), ("wood",)),
    Primitive(("resin pocket", "pitch streak"), _blob(0.1, 0.3, 0.3), (marks.amber,), (0.05, 0.35), ("wood",), "grain"),
    Primitive(
        ("open circuit", "broken track", "line break"),
        _blob(0.6, 0.3),
        (marks.untracked,),
        (0.03, 0.07),
        ("circuit board",),
        "none",
        "on a track",
    ),
    Primitive(
        ("short circuit", "bridge between tracks", "solder bridge"),
        _strip(0.12, 0.35),
        (marks.tracked,),
        (0.08, 0.18),
        ("circuit board",),
        "across",
        "between tracks",
    ),
    Primitive(
        ("bite out of a track", "nick", "notch"),
        _blob(0.7, 0.3),
        (marks.untracked,),
        (0.015, 0.04),
        ("circuit board",),
        "none",
        "at a track's edge",
    ),
    Primitive(
        ("spur", "protrusion of a track"),
        _blob(0.5, 0.4),
        (marks.tracked,),
        (0.02, 0.05),
        ("circuit board",),
        "any",
        "at a track's edge",
    ),
    Primitive(
        ("extra copper", "island of copper"),
        _blob(0.5, 0.6),
        (marks.tracked,),
        (0.02, 0.07),
        ("circuit board",),
        "any",
        "between tracks",
    ),
    Primitive(("dead cell area", "inactive area"), _shard(0.3), (marks.dark,), (0.1, 0.5), ("solar cell",)),
    Primitive(
        ("finger interruption", "broken finger"),
        _strip(0.02, 0.06),
        (marks.dark,),
        (0.06, 0.4),
        ("solar cell",),
        "none",
    ),
)
