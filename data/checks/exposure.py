"""Pictures that show little: constant, black or white ones, and fewer levels than 16 bits promise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from data.checks.looks import BLACK, WHITE, Look
from data.checks.overlap import SPLITS
from data.files.data_report import Finding
from data.pictures.oddities import dark_findings
from utils.words.errors import printable
from utils.words.text import counted

MOSTLY = 0.98  # share of a picture's pixels that are white or black

KINDS = (
    ("constant", "of one value everywhere", "a camera that was covered or off: leave them out"),
    ("black", f"nearly all black ({MOSTLY:.0%} of the pixels at most {BLACK} of 255)", ""),
    ("white", f"nearly all white ({MOSTLY:.0%} of the pixels at least {WHITE} of 255)", ""),
)


def exposure_findings(looks: Sequence[Look]) -> Iterator[Finding]:
    """Of every split the pictures that are constant, black, white, dark, or cannot be decoded."""
    for split in SPLITS:
        mine = [look for look in looks if look.picture.split == split]
        damaged = [look for look in mine if look.problem]
        if damaged:
            yield Finding(
                kind="damaged",
                count=len(damaged),
                said=f"{split}: {counted(len(damaged), 'picture')} cannot be decoded",
                advice="replace or remove them",
                names=tuple(look.problem for look in damaged),
                severity="wrong",
            )
        yield from dark_findings(split, {Path(one.picture.path): one.depth for one in mine if one.depth}, most=None)
        for kind, words, advice in KINDS:
            if found := [look for look in mine if faint_kind(look) == kind]:
                names = tuple(printable(look.picture.path) for look in found)
                said = f"{split}: {counted(len(found), 'picture')} {words}"
                yield Finding(kind=kind, count=len(found), said=said, advice=advice, names=names)


def faint_kind(look: Look) -> str:
    """Which of KINDS a picture is; empty for most."""
    if look.problem or is_dark(look):
        return ""
    if look.constant:
        return "constant"
    return "black" if look.black >= MOSTLY else "white" if look.white >= MOSTLY else ""


def is_dark(look: Look) -> bool:
    """Whether a picture of 16 bit holds fewer."""
    return look.depth is not None and look.depth.dark
