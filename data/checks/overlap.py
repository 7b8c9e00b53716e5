"""Findings about pictures that are in a data set more than once: in two splits, or twice in one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from data.checks.same_pictures import Listed, Same
from data.files.data_report import Finding
from utils.words.errors import printable
from utils.words.text import counted

SPLITS = ("train", "val", "test")
EVALUATED = ("val", "test")
FLATTERS = "its numbers flatter: take them out of one of the splits"
HOW = {"file": "the same files", "bytes": "the same bytes"}


def overlap_findings(groups: Sequence[Same], sizes: dict[str, int], most: int | None = None) -> Iterator[Finding]:
    """Of every two splits the pictures of the later that the earlier has, too.

    `sizes`: how many pictures each split has; `most`: names in a finding.
    """
    for later in SPLITS:
        for earlier in SPLITS[: SPLITS.index(later)]:
            yield from _between(groups, earlier, later, sizes, most)


def _between(
    groups: Sequence[Same], earlier: str, later: str, sizes: dict[str, int], most: int | None
) -> Iterator[Finding]:
    names, ways = [], Counter[str]()
    for group in groups:
        first = next((one for one in group.pictures if one.split == earlier), None)
        for one in group.pictures:
            if first is not None and one.split == later:
                names.append(pair_words(one, first))
                ways[HOW[group.how]] += 1
    if names:
        how = " and ".join(ways)
        yield Finding(
            kind="in_two_splits",
            count=len(names),
            said=f"{later}: {len(names):,} of {counted(sizes[later], 'picture')} are in {earlier}, too ({how})",
            advice=FLATTERS,
            names=tuple(names[:most]),
            severity="wrong",
        )


def repeat_findings(groups: Sequence[Same], split: str, most: int | None = None) -> Iterator[Finding]:
    """What a split has more than once: in training it may be meant; `most`: names in the finding."""
    names = []
    for group in groups:
        mine = [one for one in group.pictures if one.split == split]
        names += [pair_words(one, mine[0]) for one in mine[1:]]
    if names:
        yield Finding(
            kind="repeated",
            count=len(names),
            said=f"{split}: {counted(len(names), 'picture')} more than once (the same file or bytes)",
            advice="they count twice: keep one of each",
            names=tuple(names[:most]),
            severity="wrong" if split in EVALUATED else "odd",
        )


def pair_words(one: Listed, other: Listed) -> str:
    """Two pictures that are the same, or look it."""
    return f"{printable(one.path)} = {printable(other.path)}"
