"""Which entry of a COCO json speaks about which picture of a split, and what is lost where none does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from data.files.data_report import Problem
from data.labels.coco_labels import CocoTruth
from data.labels.loose_names import loose_name, match_names
from data.sets.other_pictures import OtherPictures
from data.sets.picture_lists import Listing
from utils.words.errors import printable
from utils.words.text import counted


class CocoMatches:
    """The `entries` of pictures. Of the jsons that decide about boxes also the books: `rows_read`, of which
    `rows_of_pictures` belong to pictures of this split, `rows_elsewhere` to others, `rows_orphaned` to none, and `lost`
    says which annotations have no entry at all.

    Where entries match no picture and pictures no entry, names are wrong: `problems` names the entries, `unclear` the
    pictures that may be meant, which must not pass as good parts. A json that speaks of more pictures is no mistake.
    """

    def __init__(self, listing: Listing, pictures: Sequence[Path], others: OtherPictures) -> None:
        self.listing, self.pictures, self.others = listing, pictures, others
        self.entries = {path: entry for path, entry in listing.pictures.items() if entry is not None}
        self.rows_read, self.rows_elsewhere, self.rows_orphaned = 0, 0, 0
        self.lost: list[Problem] = []
        self.problems: list[Problem] = []
        self.unclear: dict[Path, str] = {}
        self.notices: list[str] = []
        self.decided = set(self.entries)
        self._say_spelled(listing.spelled)
        for truth in listing.truths:
            self._count(truth)

    @property
    def rows_of_pictures(self) -> int:
        """Annotations of the entries that decide about a picture of this split."""
        return sum(entry.count for path, entry in self.entries.items() if path in self.decided)

    def add(self, truth: CocoTruth, decides: bool) -> None:
        """A json beside the list of pictures; where it does not decide it gives the ids only."""
        entries, loosely = truth.match(self.pictures)
        if decides:
            self._count(truth)
            self._say_spelled([spelled(entries[path].file_name, path) for path in loosely])
            self.problems += truth.columns.bad_images
            superseded = [entry for path, entry in self.entries.items() if path in entries]
            self.rows_elsewhere += sum(entry.count for entry in superseded)
            self.decided.update(entries)
        self.entries.update(entries)
        if decides:
            self._check(truth, {entry.index for entry in entries.values()})

    def _count(self, truth: CocoTruth) -> None:
        self.rows_read += truth.columns.annotation_count
        self.lost += truth.lost

    def _say_spelled(self, found: Sequence[str]) -> None:
        if found:
            words = f"{counted(len(found), 'name')} of another spelling (letter case, %20, Unicode, folders) matched"
            self.notices.append(f"{self.listing.split}: {words}, first {found[0]}")

    def _check(self, truth: CocoTruth, used: set[int]) -> None:
        """The entries with boxes that are not used."""
        rows = {index: truth[index].count for index in truth.names if index not in used}
        left = {index: truth.names[index] for index, count in rows.items() if count}
        elsewhere = (
            self._elsewhere(truth, {i: name for i, name in truth.names.items() if i not in used}) if left else set()
        )
        elsewhere &= set(left)
        lost = {index: name for index, name in left.items() if index not in elsewhere}
        self.rows_elsewhere += sum(rows[index] for index in elsewhere)
        self.rows_orphaned += sum(rows[index] for index in lost)
        if not lost:
            return
        bare = [picture for picture in self.pictures if picture not in self.entries]
        if not bare:
            boxes = counted(sum(rows[index] for index in lost), "box")
            words = f"{counted(len(lost), 'name')} with {boxes} that match no picture of the data set"
            shown = printable(next(iter(lost.values()))[:200])
            self.notices.append(f"{printable(str(truth.path))}: {words}, first '{shown}'")
            return
        for index, name in lost.items():
            words = f"'{printable(name[:200])}' matches no picture, or several, and {counted(len(bare), 'picture')} no"
            message = f"{words} entry; its {counted(rows[index], 'box')} would be lost"
            self.problems.append(Problem(truth[index].where, "unmatched_entry", message))
        alike = {loose_name(name.rpartition("/")[2]): truth[index].where for index, name in lost.items()}
        for picture in bare:
            if (where := alike.get(loose_name(picture.name))) is not None:
                self.unclear[picture] = f"{where} may mean it, or another of this name; write its folder there"

    def _elsewhere(self, truth: CocoTruth, left: Mapping[int, str]) -> set[int]:
        """Which entries speak about pictures of other splits.

        Splits often count their pictures alike, so that a base name alone says little: it counts for the splits whose
        json this is, and for those of which it knows most pictures.
        """
        found: set[int] = set()
        for split, pictures in self.others.by_split.items():
            matched, _ = match_names(left, pictures)
            speaks = truth.path in self.others.jsons(split) or 2 * len(matched) > len(pictures)
            found |= {index for path, index in matched.items() if speaks or _in_its_folder(left[index], path)}
        return found


def _in_its_folder(name: str, picture: Path) -> bool:
    """Whether a name of a json names a picture's folder, too."""
    parts = loose_name(name).split("/")
    return len(parts) > 1 and parts[-2:] == loose_name(picture.as_posix()).split("/")[-2:]


def spelled(name: str, path: Path) -> str:
    """`name` of a json, and the picture that it means."""
    return f"'{printable(name[:200])}' is {printable(str(path))}"
