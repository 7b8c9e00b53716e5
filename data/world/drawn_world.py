"""A world that training pictures come from, each drawn when it is needed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from data.surfaces.backgrounds import Backgrounds
from data.world.mixes import Mix, mix_of
from data.world.picture import WorldPicture, draw_picture
from data.world.wordings import classes_of, wordings
from utils.words.errors import ConfigError
from utils.words.wording import Wording

FIRST_VAL = 1_000_000_000  # the number of the first validation picture: no training picture is one, however many


@dataclass(frozen=True)
class DrawnWorld:
    """`count` pictures of `size` px to train on and `val` to validate on, of the mix `mix` (see mix_of), drawn by
    `seed`; on the pictures in the folder `backgrounds`, where one is given, instead of drawn surfaces. `single`: all
    classes are learnt as one.
    """

    count: int = 100_000
    val: int = 500
    size: int = 320
    seed: int = 0
    mix: str = "kinds"
    backgrounds: Path | None = None
    single: bool = False

    @property
    def names(self) -> tuple[tuple[str, ...], ...]:
        """Of each class its name, then its synonyms."""
        return self._mix.names

    @property
    def wordings(self) -> tuple[Wording, ...]:
        """How its defects may be spoken of by their `codes`; () for classes of one name each."""
        return () if self.single else wordings(self._mix_name)

    def classes(self, codes: np.ndarray) -> np.ndarray:
        """(D,) int64: of defects by their codes."""
        return classes_of(self._mix_name)[codes]

    @property
    def _mix_name(self) -> str:
        return "backgrounds" if self.backgrounds else self.mix

    @property
    def _mix(self) -> Mix:
        return mix_of(self._mix_name)

    @cached_property
    def _surfaces(self) -> Backgrounds | None:
        return Backgrounds(self.backgrounds) if self.backgrounds else None

    def numbers(self, split: str) -> range:
        """Of the pictures of `train` or `val`."""
        return range(self.count) if split == "train" else range(FIRST_VAL, FIRST_VAL + self.val)

    def picture(self, number: int) -> WorldPicture:
        """The same bytes wherever it is drawn. Raises DataError for a background that cannot be read."""
        return draw_picture(self.seed, number, self.size, self._mix, self._surfaces)

    def check(self) -> None:
        """Raise ConfigError for a mix that does not go with backgrounds, DataError where these are not there."""
        if self._surfaces:
            if self.mix != "kinds":
                raise ConfigError(
                    f"mix {self.mix}: its classes are those of drawn surfaces; backgrounds go with 'kinds'"
                )
            self._surfaces.files  # noqa: B018  # looks for them
