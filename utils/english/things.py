"""What is looked at, as people call it: the part, this picture, the glass surface; and `here` and `on the part`."""

from __future__ import annotations

import re

from utils.questions.marks import THING, Filter, Marks

PICTURES = frozenset(
    "picture image photo photograph photography frame shot scan snapshot view pic pics img screenshot screen".split()
)
PARTS = frozenset(
    "part piece product sample specimen item object component unit material surface workpiece article "
    "assembly device plate sheet strip weld seam joint panel pane board pcb wafer fabric cloth textile tile tube pipe "
    "casting blank lens bottle wood glass steel metal leather carpet cable capsule pill tablet screw nut "
    "bolt transistor zipper hazelnut grid toothbrush bearing gear coating film foil plank veneer lumber "
    "aluminium aluminum ceramic plastic rubber paper rail road pavement concrete wall blade insulator "
    "battery magnet window windshield windscreen vial housing disc disk rod bar wire chain profile billet "
    "slab coil roll mesh tray lid package".split()
)
MATERIALS = PARTS | frozenset(
    "copper plastic work tested inspected finished given current whole entire complete full same metal".split()
)
_PLURAL = "|".join(sorted(f"{word}s?" for word in PICTURES | PARTS))
_MATERIAL = "|".join(sorted(MATERIALS))
_DETERMINER = "the|this|that|these|those|my|our|your|a|an|each|every|all|its"
_THING = re.compile(
    rf"(?<![^ ])(?<!which )(?<!what )(?!pieces? of )(?:(?:{_DETERMINER}) )?(?:(?:{_MATERIAL}) ){{0,3}}(?:{_PLURAL})"
    "(?: number)?(?![^ ])"
)
_WHERE = "in|on|at|inside|within|across|over|from|along|throughout|into|onto|upon|for|with respect to"
_HERE = re.compile(
    rf"(?<![^ ])(?:(?:{_WHERE}) (?:(?:the )?(?:surface|field of view|whole|top|back|front) of )?"
    rf"(?:{THING}|it|here|this(?= ?$| ,))"
    rf"|here|anywhere|somewhere|in view|in sight|overall)(?: here)?(?![^ ])"
)


def mark_things(words: str, marks: Marks) -> str:
    """`words` with a mark for each thing that is looked at, and one that says nothing for `on the part` and `here`."""
    words = _THING.sub(lambda match: marks.add_thing(_bare(match.group())), words)
    return _HERE.sub(lambda match: marks.add_filter(Filter()), words)


def _bare(words: str) -> str:
    return re.sub(rf"^(?:{_DETERMINER}) ", "", words)
