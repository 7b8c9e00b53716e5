"""What is odd about pictures that read well: kinds that are not read, turned ones, further pages, dark depths."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from data.files.data_report import Finding
from data.pictures.picture_decoder import read_stored
from utils.words.errors import DataError, printable
from utils.words.text import counted

SHOWN = 5  # names of a finding at the start of a run
LOOKED_AT = 16  # pictures of 16 bit per split that are decoded at the start of a run
BRIGHT = 1 << 14  # a picture of 16 bit that reaches it is no camera's 10, 12 or 14 bit
RARE = 1000  # of so many values one may be brighter than the others

# of each oddity of PictureHeader: what to say of its pictures, what to do, how bad it is
SAYINGS: dict[str, tuple[str, str, Literal["odd", "note"]]] = {
    "turned": (
        "{} stored turned (EXIF) and read upright",
        "boxes count in the upright picture: if they were drawn on the unturned one they lie elsewhere "
        "(python -m data.audit compares both)",
        "odd",
    ),
    "pages": ("{} with further pages or frames, of which the first is read", "save the others as files", "odd"),
    "alpha": ("{} with transparency, which is dropped", "", "note"),
    "cmyk": ("{} in CMYK, read without its colour profile", "", "note"),
    "deep": ("{} of 16 bit", "", "note"),
}


def kinds_not_read(split: str, names: Sequence[str]) -> Iterator[Finding]:
    """Pictures in the folders of a split that nothing here reads; `names` are printable."""
    if names:
        kinds = Counter(os.path.splitext(name)[1].lower() for name in names)
        words = ", ".join(f"{kind} {n:,}" for kind, n in sorted(kinds.items()))
        said = f"{split}: {counted(len(names), 'picture')} of kinds that are not read ({words}) left out"
        advice = "convert them to PNG or JPEG, or move them elsewhere"
        yield Finding(
            kind="kind_not_read", count=len(names), said=said, advice=advice, names=tuple(names), severity="wrong"
        )


def header_findings(split: str, odd: Mapping[str, Sequence[Path]], most: int | None = SHOWN) -> Iterator[Finding]:
    """What the headers of the pictures that are used say; `odd` has the pictures of each oddity of PictureHeader."""
    for kind, (said, advice, severity) in SAYINGS.items():
        if paths := odd.get(kind):
            names = tuple(printable(str(path)) for path in paths[:most])
            words = f"{split}: {said.format(counted(len(paths), 'picture'))}"
            yield Finding(kind=kind, count=len(paths), said=words, advice=advice, names=names, severity=severity)


@dataclass(frozen=True, slots=True)
class Depth:
    """How far the values of a picture of 16 bit go: all of them, and the usual ones, a thousandth left out, since a hot
    pixel or a glint tells nothing of the others.
    """

    top: int
    usual: int

    @classmethod
    def of(cls, values: np.ndarray) -> Depth:
        """Of all planes of a picture, uint16."""
        top, few = int(values.max()), values.size // RARE
        if top < BRIGHT or np.count_nonzero(values >= BRIGHT) > few:
            return cls(top, top)
        place = values.size - 1 - few
        return cls(top, int(np.partition(values, place, axis=None)[place]))

    @property
    def dark(self) -> bool:
        """Whether it holds fewer bits: read as one of 16 it would be nearly black."""
        return 0 < self.usual < BRIGHT


def dark(split: str, odd: Mapping[str, Sequence[Path]], max_pixels: int) -> Iterator[Finding]:
    """Whether pictures of 16 bit are dark, by some of them."""
    deep = odd.get("deep", ())
    depths: dict[Path, Depth] = {}
    for path in deep[:: max(len(deep) // LOOKED_AT, 1)][:LOOKED_AT]:
        with suppress(DataError):  # said when the picture is to be used
            image = read_stored(path, max_pixels)
            if image.dtype == np.uint16:
                depths[path] = Depth.of(image)
    yield from dark_findings(split, depths, "" if len(depths) == len(deep) else "looked at ")


def dark_findings(
    split: str, depths: Mapping[Path, Depth], how: str = "", most: int | None = SHOWN
) -> Iterator[Finding]:
    """The dark ones among pictures of 16 bit."""
    dark = {path: depth for path, depth in depths.items() if depth.dark}
    if not dark:
        return
    top = max(depth.top if depth.top < BRIGHT else depth.usual for depth in dark.values())
    bits = max(top.bit_length() + top.bit_length() % 2, 8)
    fits = all(depth.top < 1 << bits for depth in depths.values())
    advice = "save them with 8 bits"
    if bits > 8:
        advice = f"say bit_depth: {bits} in the data YAML" if fits else "scale them to 16 bits, or save them with 8"
    whole = len(dark) == len(depths)
    of = (
        counted(len(dark), "picture")
        if whole and not how
        else f"{len(dark):,} of {len(depths):,} pictures {how}".rstrip()
    )
    brighter = "" if max(depth.top for depth in dark.values()) == top else f", but for less than one in {RARE:,},"
    levels = (top >> 8) + 1
    yield Finding(
        kind="dark",
        count=len(dark),
        said=f"{split}: {of} of 16 bit with values up to {top:,} only{brighter}: read by their high byte, "
        f"{counted(levels, 'grey level')} of 256 {'is' if levels == 1 else 'are'} left",
        advice=advice,
        names=tuple(printable(str(path)) for path in list(dark)[:most]),
        severity="wrong" if 2 * len(dark) >= len(depths) else "odd",
    )
