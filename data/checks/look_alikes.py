"""Pictures that look alike: one stored anew, or frames of one series.

A 64-bit hash of brightness differences finds candidates; their fine structure, what is left of a thumbnail without its
light and shade, decides: pictures of even surfaces have the same light and other structure. Those that look the same
are compared once more, larger: one part of a fixed scene may show a defect and the other none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import cv2
import numpy as np

from data.checks.looks import SIDE, THREADS, Look
from data.checks.overlap import SPLITS, pair_words
from data.checks.same_pictures import Same
from data.files.data_report import Finding
from data.pictures.picture_decoder import read_grey
from utils.words.errors import DataError
from utils.words.text import counted

RADIUS = 10  # bits of 64 by which hashes may differ
CHUNK = 16384  # pairs in hand
BLOCK = 512  # rows of hashes that are compared at a time
MOST = 100_000  # pictures: the comparison of all pairs takes some ten seconds then
MOST_PAIRS = 50_000_000
FLAT = 0.3  # grey levels: below, the structure of a thumbnail is rounding
SHADE = 9  # px of a thumbnail over which light and shade are taken away
SERIES = 0.85  # correlation of structure from which pictures are frames of one series
ANEW = ((0.90, 3.0), (0.70, 0.75))  # from which they are the same, with at most so many grey levels between thumbnails
SIGNS = 0.28  # share of the structure's signs that may differ before it is correlated

LARGE, MOST_LARGE = 256, 2_000  # px of the comparison of pictures that look the same, and how many pairs it is made of
SPOT = 16.0  # grey levels by which a spot of 3 x 3 px of it may differ


class Alike:
    """Pairs of pictures (first, second, the same) as rows of the looks they come from."""

    def __init__(self, looks: Sequence[Look], repeated: Sequence[Same], max_pixels: int) -> None:
        """`repeated`: pictures of equal bytes, of which one of each split stands for all."""
        self.looks, self.max_pixels = looks, max_pixels
        left_out = set()
        for group in repeated:
            stands: dict[str, object] = {}
            left_out |= {one for one in group.pictures if stands.setdefault(one.split, one) is not one}
        rows = [i for i, look in enumerate(looks) if not look.problem and look.picture not in left_out]
        self.partner: Mapping[object, int] = {one: n for n, group in enumerate(repeated) for one in group.pictures}
        self.complete = len(rows) <= MOST
        self.pairs = self._confirmed(self._compare(np.array(rows[:MOST], np.int64)))

    def _compare(self, rows: np.ndarray) -> list[tuple[int, int, bool]]:
        if len(rows) < 2:
            return []
        thumbnails = np.stack([self.looks[i].thumbnail for i in rows.tolist()])
        hashes = np.array([_hash(one) for one in thumbnails], np.uint64)
        signs = np.stack([_signs(one) for one in thumbnails])
        found, seen = [], 0
        for start in range(0, len(rows), BLOCK):
            distance = np.bitwise_count(hashes[start : start + BLOCK, None] ^ hashes[None, start:])
            one, other = np.nonzero(distance <= RADIUS)
            keep = other > one
            one, other = one[keep] + start, other[keep] + start
            seen += len(one)
            if seen > MOST_PAIRS:
                self.complete = False
                break
            for part in range(0, len(one), CHUNK):
                a, b = one[part : part + CHUNK], other[part : part + CHUNK]
                near = np.bitwise_count(signs[a] ^ signs[b]).sum(1) <= SIGNS * SIDE * SIDE
                judged = _judge(thumbnails, a[near], b[near])
                found += [(int(rows[i]), int(rows[j]), same) for i, j, same in judged]
        return [pair for pair in found if not self._of_equal_bytes(pair)]

    def _confirmed(self, pairs: list[tuple[int, int, bool]]) -> list[tuple[int, int, bool]]:
        """The pairs, those that look the same compared again at LARGE px; beyond MOST_LARGE they are only alike."""
        larger = [pair for pair in pairs if pair[2]][:MOST_LARGE]
        paths = [(self.looks[a].picture.path, self.looks[b].picture.path) for a, b, _ in larger]
        with ThreadPoolExecutor(THREADS) as pool:
            same = dict(zip(larger, pool.map(partial(_same_large, max_pixels=self.max_pixels), paths), strict=True))
        return [(a, b, same.get((a, b, anew), False)) for a, b, anew in pairs]

    def _of_equal_bytes(self, pair: tuple[int, int, bool]) -> bool:
        one, other = (self.partner.get(self.looks[i].picture, -1 - i) for i in pair[:2])
        return one == other

    def findings(self, sizes: Mapping[str, int]) -> Iterator[Finding]:
        """Of every two splits the pictures of the later that look like one of the earlier; and within a split."""
        for later in SPLITS:
            for earlier in SPLITS[: SPLITS.index(later) + 1]:
                for same in (True, False):
                    yield from self._between(earlier, later, same, sizes)
        if not self.complete:
            said = (
                "more pictures, or more that look alike, than are compared with each other: some pairs are not listed"
            )
            yield Finding(kind="not_compared", count=1, said=said, severity="note")

    def _between(self, earlier: str, later: str, same: bool, sizes: Mapping[str, int]) -> Iterator[Finding]:
        names: dict[int, str] = {}
        for a, b, anew in self.pairs:
            first, second = (a, b) if self.looks[a].picture.split == earlier else (b, a)
            splits = self.looks[first].picture.split, self.looks[second].picture.split
            if anew == same and splits == (earlier, later):
                names.setdefault(second, pair_words(self.looks[second].picture, self.looks[first].picture))
        if not names:
            return
        alike = f"{len(names):,} of {counted(sizes[later], 'picture')} {'look' if len(names) != 1 else 'looks'}"
        what = "the same as one" if same else "very like one, as frames of a series are,"
        across = earlier != later
        yield Finding(
            kind=("stored_anew" if same else "alike") + ("_in_two_splits" if across else ""),
            count=len(names),
            said=f"{later}: {alike} {what} of {earlier if across else 'its own'}",
            advice="split by part or series: python -m data.folds --group keeps those together" if across else "",
            names=tuple(names.values()),
            severity=("wrong" if same else "odd") if across else "note",
        )

    def groups(self) -> list[int]:
        """Of each picture the number of its group: those that are the same or alike, directly or through others."""
        parent = list(range(len(self.looks)))

        def root(i: int) -> int:
            while parent[i] != i:
                parent[i] = parent[parent[i]]
                i = parent[i]
            return i

        equal: dict[int, list[int]] = defaultdict(list)
        for i, look in enumerate(self.looks):
            if look.picture in self.partner:
                equal[self.partner[look.picture]].append(i)
        links = [(a, b) for a, b, _ in self.pairs] + [(m[0], other) for m in equal.values() for other in m[1:]]
        for a, b in links:
            parent[root(a)] = root(b)
        return [root(i) for i in range(len(parent))]


def _hash(thumbnail: np.ndarray) -> int:
    """Where the brightness of 8 x 9 fields rises to the right, as 64 bits."""
    fields = cv2.resize(thumbnail, (9, 8), interpolation=cv2.INTER_AREA).astype(np.int16)
    return int.from_bytes(np.packbits(fields[:, 1:] > fields[:, :-1]).tobytes(), "big")


def _judge(thumbnails: np.ndarray, one: np.ndarray, other: np.ndarray) -> Iterator[tuple[int, int, bool]]:
    """The candidates (rows of thumbnails) that look alike, and whether they look the same."""
    used = np.unique(np.concatenate([one, other])).tolist()
    structure = {i: _structure(thumbnails[i]) for i in used}
    for i, j in zip(one.tolist(), other.tolist(), strict=True):
        likeness = float(np.dot(structure[i], structure[j]))
        apart = float(np.abs(thumbnails[i].astype(np.int16) - thumbnails[j]).mean())
        anew = any(likeness >= least and apart <= most for least, most in ANEW)
        if anew or likeness >= SERIES:
            yield i, j, anew


def _same_large(paths: tuple[str, str], max_pixels: int) -> bool:
    """Whether two pictures are the same in every spot."""
    try:
        both = [read_grey(path, max_pixels, LARGE)[0] for path in paths]
    except DataError:
        return False
    one, other = (cv2.resize(grey, (LARGE, LARGE), interpolation=cv2.INTER_AREA) for grey in map(_in_8_bit, both))
    return float(np.abs(cv2.blur(one.astype(np.float32) - other, (3, 3))).max()) <= SPOT


def _in_8_bit(grey: np.ndarray) -> np.ndarray:
    return grey if grey.dtype == np.uint8 else (grey >> 8).astype(np.uint8)


def _signs(thumbnail: np.ndarray) -> np.ndarray:
    """(SIDE * SIDE / 64,) uint64: where a thumbnail is brighter than around."""
    return np.packbits(_structure(thumbnail) > 0).view(np.uint64)


def _structure(thumbnail: np.ndarray) -> np.ndarray:
    """(SIDE * SIDE,) a thumbnail without light and shade, of length 1; zeros where nothing is left."""
    values = thumbnail.astype(np.float32)
    values -= cv2.blur(values, (SHADE, SHADE))
    spread = float(max(np.median(np.abs(values)), np.abs(values).mean() / 4))
    if spread < FLAT:
        return np.zeros(SIDE * SIDE, np.float32)
    values /= np.abs(values) + np.float32(spread)  # few strong edges, such as a part's outline, must not decide alone
    return (values / np.float32(np.linalg.norm(values))).ravel()
