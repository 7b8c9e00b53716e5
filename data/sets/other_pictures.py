"""The pictures of the other splits of a data set."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from data.files.stamps import Watch
from data.sets.data_yaml import DataDescription
from data.sets.picture_lists import Listing
from utils.words.errors import UserError


class OtherPictures:
    """They are listed when they are asked for: where a label belongs to no picture of its own split."""

    def __init__(self, description: DataDescription, listing: Listing, watch: Watch) -> None:
        self.description, self.listing, self.watch = description, listing, watch

    def __call__(self) -> list[Path]:
        """Without those of this split, and without a split that cannot be listed."""
        return self._pictures

    @cached_property
    def _pictures(self) -> list[Path]:
        found: dict[Path, None] = {}
        for split in self.description.splits:
            if split != self.listing.split:
                try:
                    found |= dict.fromkeys(Listing(self.description, split, self.watch).pictures)
                except UserError:  # said when that split is read
                    continue
        return [path for path in found if path not in self.listing.pictures]
