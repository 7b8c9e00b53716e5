"""What is odd about pictures that read well: kinds that are not read, turned ones, further pages, dark depths."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

from data.files.data_report import Finding
from data.pictures.picture_decoder import read_stored
from utils.words.errors import DataError, printable
from utils.words.text import counted

SHOWN = 5  # names of a finding at the start of a run
LOOKED_AT = 16  # pictures of 16 bit per split that are decoded at the start of a run
BRIGHT = 1 << 14  # a picture of 16 bit that reaches it is no camera's 10, 12 or 14 bit

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


def dark(split: str, odd: Mapping[str, Sequence[Path]], max_pixels: int) -> Iterator[Finding]:
    """Whether pictures of 16 bit hold fewer, by some of them: read as 16 bit they would be nearly black."""
    deep = odd.get("deep", ())
    top = 0
    for path in deep[:: max(len(deep) // LOOKED_AT, 1)][:LOOKED_AT]:
        try:
            top = max(top, int(read_stored(path, max_pixels).max()))
        except DataError:  # said when the picture is to be used
            continue
        if top >= BRIGHT:
            return
    if top:
        yield dark_finding(split, deep, top)


def dark_finding(split: str, paths: Sequence[Path], top: int, most: int = SHOWN) -> Finding:
    """Pictures of 16 bit whose largest value is `top`, below BRIGHT."""
    bits = max(top.bit_length() + top.bit_length() % 2, 8)
    advice = f"say bit_depth: {bits} in the data YAML" if bits > 8 else "save them with 8 bits"
    levels = (top >> 8) + 1
    return Finding(
        kind="dark",
        count=len(paths),
        said=f"{split}: {counted(len(paths), 'picture')} of 16 bit with values up to {top:,} only: read by their high "
        f"byte, {counted(levels, 'grey level')} of 256 {'is' if levels == 1 else 'are'} left",
        advice=advice,
        names=tuple(printable(str(path)) for path in paths[:most]),
        severity="wrong",
    )
