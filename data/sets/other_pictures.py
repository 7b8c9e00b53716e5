"""The pictures of the other splits of a data set."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from data.files.stamps import Watch
from data.labels.coco_places import all_jsons
from data.sets.data_yaml import DataDescription
from data.sets.picture_lists import Listing
from utils.words.errors import UserError


class OtherPictures:
    """They are listed when they are asked for: where a label belongs to no picture of its own split."""

    def __init__(self, description: DataDescription, listing: Listing, watch: Watch) -> None:
        self.description, self.listing, self.watch = description, listing, watch

    def pictures(self) -> list[Path]:
        """Those of all other splits, without those of this one, and without a split that cannot be listed."""
        return list(dict.fromkeys(path for pictures in self.by_split.values() for path in pictures))

    @cached_property
    def by_split(self) -> dict[str, list[Path]]:
        """Split -> its pictures, as `pictures`."""
        found: dict[str, list[Path]] = {}
        for split in self.description.splits:
            if split != self.listing.split:
                try:
                    listed = Listing(self.description, split, self.watch).pictures
                except UserError:  # said when that split is read
                    continue
                found[split] = [path for path in listed if path not in self.listing.pictures]
        return found

    def jsons(self, split: str) -> list[Path]:
        """The COCO jsons that speak about another split."""
        said = self.description
        return all_jsons(said.root, split, said.splits[split], said.annotations.get(split))
