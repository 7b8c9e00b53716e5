"""The materials of the world, by name."""

from __future__ import annotations

from data.surfaces import electronics, metals, minerals, organics
from data.surfaces.surface import Painter

MATERIALS: dict[str, Painter] = {
    "brushed steel": metals.brushed,
    "rolled steel": metals.rolled,
    "cast iron": metals.cast,
    "machined metal": metals.machined,
    "galvanised sheet": metals.galvanised,
    "painted metal": metals.painted,
    "moulded plastic": organics.plastic,
    "rubber": organics.rubber,
    "concrete": minerals.concrete,
    "asphalt": minerals.asphalt,
    "stone": minerals.stone,
    "wood": organics.wood,
    "cloth": organics.woven,
    "leather": organics.leather,
    "ceramic tile": minerals.tile,
    "glass": minerals.glass,
    "circuit board": electronics.board,
    "solar cell": electronics.solar,
    "paper": organics.paper,
    "foil": organics.film,
    "brick wall": minerals.brick,
    "turned metal": metals.lathed,
    "weld seam": metals.welded,
    "perforated sheet": metals.perforated,
    "anodised aluminium": metals.anodised,
    "knitted fabric": organics.knitted,
    "carpet": organics.carpet,
    "carbon fibre": organics.carbon,
    "particle board": organics.particles,
    "wafer": electronics.wafer,
    "display": electronics.display,
}
