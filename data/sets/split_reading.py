"""A split of a data set as Records: pictures listed, truth read, every loss entered in the data report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from data.files.data_report import DataReport, Finding
from data.files.stamps import Stamp, Watch, no_watch, take_stamps
from data.pictures.picture_decoder import MAX_PIXELS
from data.pictures.plane_reader import PlaneReader, missing_words, second_folder
from data.sets.data_report_builder import DataReportBuilder
from data.sets.data_yaml import DataDescription, check_present
from data.sets.disagreements import Disagreements
from data.sets.label_finder import LabelFinder
from data.sets.picture_lists import Listing
from data.sets.record_reader import RecordReader
from data.world.drawn_world import DrawnWorld
from utils.console.log import LOG
from utils.values.channels import Channels, serve
from utils.values.record import Record
from utils.values.zones_identity import ZonesIdentity
from utils.words.errors import ConfigError, DataError, printable
from utils.zones.zone_file import read_zones
from utils.zones.zones import Zones, judged, set_aside

CHUNK = 1024  # pictures handed to the threads at a time: a large set queues no large backlog
QUIET_UP_TO = 500  # pictures


@dataclass(frozen=True, kw_only=True)
class ReadPolicy:
    """What bad data leads to.

    `bad_data`: "error" stops at any problem; "skip" leaves out bad rows and bad pictures up to a limit, "count" all.
    `allow_empty` accepts a set in which most label files are missing. `drop_duplicates` removes repeated rows
    (they are counted anyway). `workers` threads read files.
    """

    bad_data: Literal["skip", "error", "count"]
    drop_duplicates: bool
    allow_empty: bool = False
    max_pixels: int = MAX_PIXELS
    workers: int = 8


@dataclass(frozen=True, eq=False)
class RecordSet:
    """The pictures of a split, sorted by path, the COCO category id of each name, what else each is called, the
    planes of the pictures, and the side of a pixel in mm where it is known.

    `synonyms[i]` begins with `names[i]`. The training pictures of a `world` are drawn when they are needed; `records`
    are the first of them, by which it is known. In an evaluation `zones` may say where in the pictures defects count.
    """

    records: Sequence[Record]
    names: tuple[str, ...]
    category_ids: tuple[int, ...]
    data_report: DataReport
    synonyms: tuple[tuple[str, ...], ...]
    channels: Channels = Channels()
    mm_per_px: float | None = None
    world: DrawnWorld | None = None
    zones: Zones | None = None

    @cached_property
    def judged(self) -> Sequence[Record]:
        """The records as they are scored: what lies where it does not count need not be found. Raises DataError for a
        picture that the zones do not fit.
        """
        return self.records if self.zones is None else [judged(record, self.zones) for record in self.records]

    def in_zones(self, path: str, more: Sequence[str] = ()) -> RecordSet:
        """The same pictures, in which defects count where the file of zones `path` says so; everywhere for "". `more`
        are classes that are looked for besides. Raises ConfigError, DataError for a picture that it does not fit.
        """
        if not path:
            return self
        truth = replace(self, zones=read_zones(path, (*self.names, *more)))
        assert truth.judged, "worked out at once, so that a picture that does not fit is told before the network looks"
        return truth

    @property
    def counted_in(self) -> ZonesIdentity | None:
        """What tells the zones apart; None: defects count everywhere."""
        return self.zones.identity if self.zones else None

    def lines(self) -> list[str]:
        """What the data report says, and what the zones leave out."""
        lines = self.data_report.lines()
        return [*lines, f"{self.zones.identity.words()}: {set_aside(self.judged)}"] if self.zones else lines

    @property
    def pictures(self) -> int:
        """How many an epoch has."""
        return self.world.count if self.world else len(self.records)

    def path_of(self, index: int) -> Path:
        """Of a picture; a word for one that is drawn when it is needed."""
        return Path(f"picture {index} of the world") if self.world else self.records[index].path

    def with_findings(self, findings: tuple[Finding, ...]) -> RecordSet:
        """The same set, with more findings in its report."""
        known = self.data_report.findings
        return replace(self, data_report=replace(self.data_report, findings=(*known, *findings)))

    def serving(self, needed: Channels, where: str, source: str) -> RecordSet:
        """The same pictures as a network needs them; see utils.values.channels.serve. A world's are drawn as RGB."""
        channels = serve(self.channels, needed, where, source)
        if self.world and channels != self.channels:
            raise ConfigError(f"{where}: reads the planes {', '.join(needed.names)}; a world's pictures are r, g, b")
        return replace(self, channels=channels)


def read_records(description: DataDescription, split: str, policy: ReadPolicy) -> RecordSet:
    """List, read and check the pictures of `split`.

    Truth comes from where `LabelFinder` finds it. A COCO file that names every picture gives the ids, else they are
    1..N.
    Raises ConfigError for a split that is not described, DataError for what `policy` does not tolerate, for
    a class id beyond the names, for no pictures, and for more than half of the labels missing.
    """
    return SplitReader(description, split, policy).in_memory()


@dataclass(frozen=True, eq=False)
class SplitFacts:
    """What is known when all pictures are read: the id of each, and all of a RecordSet but its records.

    `warning` is a sentence for the user or empty.
    """

    image_ids: Sequence[int]
    names: tuple[str, ...]
    category_ids: tuple[int, ...]
    data_report: DataReport
    synonyms: tuple[tuple[str, ...], ...]
    warning: str

    def record_set(self, records: Sequence[Record], description: DataDescription) -> RecordSet:
        """Together with the records; the warning is logged."""
        if self.warning:
            LOG.warning(self.warning)
        known = (self.names, self.category_ids, self.data_report, self.synonyms)
        world = description.world if self.data_report.split == "train" else None
        if world and world.count > len(records):
            what = f"{world.count:,} pictures of the world are drawn when they are needed"
            LOG.info("%s: %s; what is said of them is of the first %d", description.source.name, what, len(records))
        return RecordSet(records, *known, description.channels, description.mm_per_px, world)


class SplitReader:
    """One pass over the pictures of a split, which are listed at once and read by `chunks`. See `read_records`.

    `watch` is told of the folders and files that decide what there is, before they are looked at.
    """

    def __init__(self, description: DataDescription, split: str, policy: ReadPolicy, watch: Watch = no_watch) -> None:
        if split not in description.splits:
            raise ConfigError(f"{printable(str(description.source))}: has no '{split}' split; add the key")
        check_present(description, split)
        self.description, self.split, self.policy = description, split, policy
        self.listing = Listing(description, split, watch)
        self.pictures = sorted(self.listing.pictures, key=Path.as_posix)
        self.finder = LabelFinder(description, self.listing, self.pictures, watch)
        self.planes = PlaneReader(description.channels, policy.max_pixels)
        if description.channels.polar_dir:
            for folder in {second_folder(picture, description.channels.polar_dir) for picture in self.pictures}:
                watch(folder)
        self.used: list[Path] = []
        self.report_builder, self.disagreements = (
            DataReportBuilder(description, self.listing, self.finder),
            Disagreements(self.finder),
        )

    def in_memory(self) -> RecordSet:
        """Everything as Records."""
        records = [record for chunk, _ in self.chunks(stamped=False) for record in chunk]
        facts = self.finish()
        numbered = zip(records, facts.image_ids, strict=True)
        whole = tuple(replace(record, image_id=number) for record, number in numbered)
        return facts.record_set(whole, self.description)

    def chunks(self, stamped: bool) -> Iterator[tuple[list[Record], list[Stamp]]]:
        """The usable pictures in order, their ids still 0; a progress bar on a terminal when there are many.

        With stamps, taken beforehand, of every file that was read for them.
        """
        reader = RecordReader(self.finder, self.planes, self.policy.drop_duplicates)
        quiet = True if len(self.pictures) <= QUIET_UP_TO else None
        with (
            ThreadPoolExecutor(max(self.policy.workers, 1)) as pool,
            tqdm(total=len(self.pictures), desc=f"reading {self.split}", unit="picture", disable=quiet) as bar,
        ):
            for start in range(0, len(self.pictures), CHUNK):
                paths = self.pictures[start : start + CHUNK]
                stamps = list(take_stamps(file for path in paths for file in self._files(path))) if stamped else []
                records = []
                for reading in pool.map(reader, paths):
                    self.report_builder.add(reading)
                    if reading.record is not None:
                        self.disagreements.add(reading)
                        records.append(reading.record)
                        self.used.append(reading.path)
                bar.update(len(paths))
                yield records, stamps

    def _files(self, path: Path) -> Iterator[Path]:
        """What is read for a picture."""
        yield path
        yield from self.finder.files_of(path)
        if not self.description.channels.plain_rgb:
            try:
                files = self.planes.files(path)
            except DataError:  # said when the picture is read; the missing file's folder is watched
                files = []
            yield from (file for file, _, _ in files if file is not None and file != path)

    def finish(self) -> SplitFacts:
        """What follows from all pictures, after the last chunk. Raises DataError; see `read_records`."""
        ids, category_ids = self.finder.identities(self.used)
        notices = (*self.finder.notices, *self.disagreements.notices())
        findings = self.report_builder.findings(self.policy.max_pixels)
        data_report = self.report_builder.data_report(self.policy.drop_duplicates, notices, findings)
        self.report_builder.judge(self.policy.bad_data, self.policy.allow_empty, data_report)
        channels, split = self.description.channels, self.split
        warning = missing_words(self.used, channels, self.description.lines[split])
        names, synonyms = self.description.names_of(split), self.description.synonyms[split]
        return SplitFacts(ids, names, category_ids, data_report, synonyms, warning)
