"""The books of pictures that were lost while they were read: the header scan took them for sound, or they were then."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data.files.data_report import too_many
from data.sets.split_reading import RecordSet
from utils.console.log import LOG
from utils.files.output_files import Extra, write_json
from utils.processes.distributed import World
from utils.words.errors import DataError, printable
from utils.words.regular_file import read_regular
from utils.words.text import counted

NAMED = 20  # lost pictures that the console names; data_report.json names them all
KEY = "lost_while_reading"
MOST = 1 << 28  # bytes of a data_report.json


class LostPictures:
    """The pictures of a split that could not be read when they were wanted, each with the reason.

    `reasons` has those of this process by index of the record; they count towards the limit for bad pictures, together
    with those that were left out from the start. `before` has those of a run that is resumed, by name: they may have
    been mended since, and if not they will be lost again.
    """

    def __init__(self, truth: RecordSet, bad_data: str) -> None:
        self.truth, self.bad_data = truth, bad_data
        self.reasons: dict[int, str] = {}
        self.before: dict[str, str] = {}

    def add(self, lost: Mapping[int, str], aloud: bool = True) -> bool:
        """Enter what a batch or an evaluation lost; each picture is named once. Returns whether one is new."""
        new = {index: reason for index, reason in lost.items() if index not in self.reasons}
        for number, reason in enumerate(new.values(), len(self.reasons) + 1):
            if aloud and number <= NAMED:
                more = "; further ones are counted, not named here" if number == NAMED else ""
                LOG.warning("%s: left out: %s%s", self.truth.data_report.split, reason, more)
        self.reasons |= new
        return bool(new)

    def refusal(self) -> DataError | None:
        """Why the policy for bad data ends the run; None while it does not."""
        if not self.reasons:
            return None
        report, first = self.truth.data_report, next(iter(self.reasons.values()))
        if self.bad_data == "error":
            return DataError(f"{first}; or run with --bad-data skip to leave it out")
        bad, found = report.bad + len(self.reasons), max(report.found, self.truth.pictures)
        if self.truth.pictures < report.used:  # data.pictures: what the others are like does not count
            bad, found = len(self.reasons), self.truth.pictures
        if not too_many(bad, found):
            return None
        late = f"{len(self.reasons):,} of them only when they were read"
        return DataError(f"{report.split}: {bad:,} of {found:,} pictures are bad, {late}, first {first}")

    def nothing_left(self) -> DataError:
        """What to say at the end of a training of which no picture of this split is left to judge by."""
        split, first = self.truth.data_report.split, next(iter(self.reasons.values()))
        advice = "the training is complete and saved; python train.py --resume writes its results once they are back"
        return DataError(f"{split}: none of {len(self.reasons):,} pictures can be read, first {first}; {advice}")

    def names(self) -> dict[str, str]:
        """Every lost picture with the reason, those of `before` too."""
        mine = {printable(str(self.truth.path_of(index))): self.reasons[index] for index in self.reasons}
        return dict(sorted({**self.before, **mine}.items()))

    def line(self) -> str:
        """A sentence with the count; empty when nothing was lost."""
        count = len(self.names())
        if not count:
            return ""
        return f"{self.truth.data_report.split}: {counted(count, 'picture')} left out because reading failed ({KEY})"


class DataBook:
    """data_report.json of a training run: what was found at the start, and what was lost since, of both splits."""

    def __init__(self, train: RecordSet, val: RecordSet, bad_data: str) -> None:
        self.train, self.val = LostPictures(train, bad_data), LostPictures(val, bad_data)
        self.file: Path | None = None

    def open(self, file: Path, resumed: bool) -> None:
        """Where the book is kept from now on; `resumed`: it is there, and goes on."""
        self.file = file
        if resumed:
            for split, known in _known(file):
                getattr(self, split).before = known

    def enter(self, part: LostPictures, lost: Mapping[int, str], world: World) -> None:
        """Enter what every process lost. All call it together, so that they agree on what follows."""
        shares = world.gather(dict(lost), short_timeout=True)
        everyone = world.broadcast({index: reason for share in shares for index, reason in share.items()})
        if part.add(everyone, aloud=world.first) and world.first and self.file:
            with Extra(self.file):  # the run's own files matter more than its books
                write_json(self.file, self.plain())

    def plain(self) -> dict[str, Any]:
        """What data_report.json says."""
        parts = {"train": self.train, "val": self.val}
        return {name: {**part.truth.data_report.plain(), KEY: part.names()} for name, part in parts.items()}

    def lines(self) -> list[str]:
        """A sentence for each split that lost a picture."""
        return [line for part in (self.train, self.val) if (line := part.line())]


def _known(file: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """What an earlier part of the run wrote; nothing where that cannot be read."""
    try:
        content = json.loads(read_regular(file, MOST))
    except (ValueError, RecursionError):
        return
    for split in ("train", "val"):
        part = content.get(split) if isinstance(content, dict) else None
        known = part.get(KEY) if isinstance(part, dict) else None
        if isinstance(known, dict):
            yield split, {str(name): str(reason) for name, reason in known.items()}
