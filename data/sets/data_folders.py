"""The folders that a data set lies in: results stay out of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from data.files.folders import expand_glob
from data.files.text_lines import text_lines
from data.labels.coco_places import OWN
from data.labels.label_places import label_candidates
from data.labels.voc_labels import xml_places
from data.pictures.picture_decoder import read_file
from data.pictures.plane_reader import second_folder
from data.sets.data_yaml import DataDescription
from data.sets.picture_lists import TEXT_BYTES
from utils.files.output_paths import keep_out
from utils.words.errors import DataError


def keep_results_out(run: Path, members: Iterable[DataDescription], flag: str = "--project, --name") -> None:
    """Raise ConfigError where results in the folder `run`, which may not exist yet, would land among the data."""
    for member in members:
        keep_out(run, set(scanned_folders(member)), {member.root, *listed_folders(member)}, flag)


def keep_resumed_out(run: Path, members: Iterable[DataDescription]) -> None:
    """The same for a run that exists, which may lie below the root of its data: that was accepted when it began."""
    for member in members:
        scanned = set(scanned_folders(member))
        for place in (run, run / "weights"):
            keep_out(place, scanned, flag="--resume")


def scanned_folders(description: DataDescription) -> Iterator[Path]:
    """Folders whose pictures and labels belong to the set whatever they are called, of all splits that are named."""
    for split, entries in description.splits.items():
        labels = description.labels.get(split)
        for folder in (place for place in _places(entries) if os.path.isdir(place)):
            yield folder
            yield from (path.parent for path in label_candidates(folder / "x.png", labels))
            yield from xml_places(folder, labels)
            if description.channels.polar_dir:
                yield second_folder(folder / "x.png", description.channels.polar_dir)
    yield from (place for place in description.labels.values())
    yield from (place for place in description.annotations.values() if os.path.isdir(place))
    yield from (description.root / name for name in OWN)


def listed_folders(description: DataDescription) -> Iterator[Path]:
    """Folders of files that the set names one by one."""
    for entries in description.splits.values():
        for place in _places(entries):
            if place.suffix.lower() == ".txt":
                yield from _of_list(place, description.root)
            elif not os.path.isdir(place):
                yield place.parent
    yield from (place.parent for place in description.annotations.values())


def _places(entries: Iterable[Path]) -> Iterator[Path]:
    for entry in entries:
        yield from (entry,) if os.path.lexists(entry) else expand_glob(entry)


def _of_list(path: Path, root: Path) -> set[Path]:
    try:
        lines = text_lines(read_file(path, TEXT_BYTES))
    except DataError:  # said when the pictures are read
        return set()
    homes = {os.path.dirname(os.fsdecode(line.strip())) for line in lines}
    return {base / home for home in homes for base in (path.parent, root)}
