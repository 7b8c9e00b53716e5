"""A split of a data set as Records: pictures listed, truth read, every loss entered in the books."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from data.books import Books
from data.description import DataDescription, check_present
from data.images import MAX_PIXELS
from data.labels import count_orphans
from data.listing import Listing
from data.planes import PlaneReader, warn_of_missing
from data.reader import Reader, Seen, disagreements
from data.truth import TruthFinder
from utils.channels import Channels, serve
from utils.errors import ConfigError, DataError, printable
from utils.structures import EVERY_CLASS, Record
from utils.text import counted

CHUNK = 1024  # pictures handed to the threads at a time: a large set queues no large backlog
QUIET_UP_TO = 500  # pictures
HARMLESS_SKIPS = frozenset({"listed_twice", "hidden"})


@dataclass(frozen=True, kw_only=True)
class ReadPolicy:
    """What bad data leads to.

    `bad_data`: "error" stops at any problem; "skip" leaves out bad rows and bad pictures up to a limit.
    `allow_empty` accepts a set in which most label files are missing. `drop_duplicates` removes repeated rows
    (they are counted anyway). `workers` threads read files.
    """

    bad_data: Literal["skip", "error"]
    drop_duplicates: bool
    allow_empty: bool = False
    max_pixels: int = MAX_PIXELS
    workers: int = 8


@dataclass(frozen=True, eq=False)
class RecordSet:
    """The pictures of a split, sorted by path, the COCO category id of each name, what else each is called, the
    planes of the pictures, and the side of a pixel in mm where it is known.

    `synonyms[i]` begins with `names[i]`.
    """

    records: tuple[Record, ...]
    names: tuple[str, ...]
    category_ids: tuple[int, ...]
    books: Books
    synonyms: tuple[tuple[str, ...], ...]
    channels: Channels = Channels()
    mm_per_px: float | None = None

    def serving(self, needed: Channels, where: str, source: str) -> RecordSet:
        """The same pictures as a network needs them; see utils.channels.serve."""
        return replace(self, channels=serve(self.channels, needed, where, source))


def read_records(description: DataDescription, split: str, policy: ReadPolicy) -> RecordSet:
    """List, read and check the pictures of `split`.

    Truth comes from where `TruthFinder` finds it. A COCO file that names every picture gives the ids, else they are
    1..N.
    Raises ConfigError for a split that is not described, DataError for what `policy` does not tolerate, for
    a class id beyond the names, for no pictures, and for more than half of the labels missing.
    """
    if split not in description.splits:
        raise ConfigError(f"{printable(str(description.source))}: has no '{split}' split; add the key")
    check_present(description, split)
    listing = Listing(description, split)
    pictures = sorted(listing.pictures, key=Path.as_posix)
    finder = TruthFinder(description, listing, pictures)
    planes = PlaneReader(description.channels, policy.max_pixels)
    seen = _read_all(Reader(finder, planes, policy.drop_duplicates), pictures, policy, split)
    used = [item for item in seen if item.record is not None]
    ids, category_ids = finder.identities([item.path for item in used])
    records = tuple(replace(i.record, image_id=n) for i, n in zip(used, ids, strict=True) if i.record)
    books = _balance(listing, seen, policy, (*finder.notices, *disagreements(used, finder)))
    _judge(description, policy, books, seen)
    warn_of_missing(records, description.channels, description.lines[split])
    names, synonyms = description.names_of(split), description.synonyms[split]
    return RecordSet(records, names, category_ids, books, synonyms, description.channels, description.mm_per_px)


def _read_all(reader: Reader, pictures: list[Path], policy: ReadPolicy, split: str) -> list[Seen]:
    """Every picture in order; a progress bar on a terminal when there are many."""
    seen: list[Seen] = []
    quiet = True if len(pictures) <= QUIET_UP_TO else None
    with (
        ThreadPoolExecutor(max(policy.workers, 1)) as pool,
        tqdm(total=len(pictures), desc=f"reading {split}", unit="picture", disable=quiet) as bar,
    ):
        for start in range(0, len(pictures), CHUNK):
            seen += pool.map(reader, pictures[start : start + CHUNK])
            bar.update(len(seen) - bar.n)
    return seen


def _balance(listing: Listing, seen: list[Seen], policy: ReadPolicy, notices: tuple[str, ...]) -> Books:
    used = [item for item in seen if item.record is not None]
    records = [item.record for item in used if item.record is not None]
    notes: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    for problem in (problem for item in used for problem in item.problems):
        (notes if problem.harmless else rows)[problem.reason] += problem.count
    pairs = [(item.path, item.label) for item in used if item.label is not None]
    duplicates = sum(item.duplicates for item in used)
    skipped = listing.skipped + Counter(item.skipped for item in seen if item.skipped)
    return Books(
        split=listing.split,
        found=len(seen) + listing.skipped.total(),
        used=len(used),
        good=sum(record.good for record in records),
        boxes=sum(int((record.labels != EVERY_CLASS).sum()) for record in records),
        skipped=dict(skipped),
        labels={
            "missing": sum(not record.labelled for record in records),
            "empty": sum(r.labelled and not len(r.boxes) and not i.rows_dropped for i in used if (r := i.record)),
            "ignored": sum(int((record.labels == EVERY_CLASS).sum()) for record in records),
            "difficult": notes["difficult"],
            "clipped": notes["clipped"],
            "polygon": notes["polygon"],
            "duplicate_rows": duplicates,
            "duplicates_dropped": duplicates if policy.drop_duplicates else 0,
            "orphans": count_orphans(pairs, listing.list_files),
        },
        rows_dropped=dict(rows),
        problems=(*listing.problems, *(problem for item in seen for problem in item.problems)),
        notices=notices,
    )


def _judge(description: DataDescription, policy: ReadPolicy, books: Books, seen: list[Seen]) -> None:
    """Raise DataError for what the policy does not tolerate.

    A picture is bad when it was left out, or when a row of its labels was: a set whose rows are all wrong
    must not pass as a set of good parts.
    """
    split, where = books.split, description.lines[books.split]
    harmful = [problem for problem in books.problems if not problem.harmless]
    if harmful and policy.bad_data == "error":
        more = f", and {counted(len(harmful) - 1, 'more problem')}" if len(harmful) > 1 else ""
        raise DataError(f"{harmful[0]}{more}; run with --bad-data skip to leave them out")
    bad = sum(n for reason, n in books.skipped.items() if reason not in HARMLESS_SKIPS)
    bad += sum(item.rows_dropped > 0 for item in seen)
    if bad > max(100, books.found // 100) or bad * 2 > books.found:
        raise DataError(f"{where}: {split}: {bad:,} of {books.found:,} pictures are bad, first {harmful[0]}")
    if not books.used:
        raise DataError(f"{where}: {split}: no pictures found; mend the path")
    missing = books.labels["missing"]
    if missing * 2 > books.used and not policy.allow_empty:
        unlabelled = [item for item in seen if item.record is not None and not item.record.labelled]
        place = unlabelled[0].label or description.annotations.get(split)
        raise DataError(
            f"{where}: {split}: {missing:,} of {books.used:,} pictures have no label, first looked for "
            f"{printable(str(place))}; mend the path (keys labels, annotations) or run with --allow-empty"
        )
