"""Which planes a picture has, by name: what a data YAML says, what a network reads, what a checkpoint keeps.

| name | plane |
|---|---|
| r, g, b; gray; any other | light, in 0..1 |
| i0, i45, i90, i135 | light behind an analyser at that angle |
| s0, s1, s2 | Stokes parameters: s0 / 2, (1 + s1) / 2, (1 + s2) / 2 |
| dolp | degree of linear polarization |
| aolp_sin2, aolp_cos2 | (1 + sin 2 theta) / 2 and (1 + cos 2 theta) / 2 of its angle theta |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from utils.words.errors import CheckpointError, DamagedError

RGB = ("r", "g", "b")
ANGLES = ("i0", "i45", "i90", "i135")
FLOAT = 32  # a bit depth
PAIRS = (("aolp_sin2", "aolp_cos2"), ("s2", "s1"))  # sine and cosine of 2 theta, the second pair times s0 * dolp
DERIVED = ("s0", "s1", "s2", "dolp", "aolp_sin2", "aolp_cos2")


@dataclass(frozen=True, kw_only=True)
class Channels:
    """The planes of a sample: `image` first, then `polar`, which are two inputs of a network; and where they lie.

    `bits` and `polar_bits` is how many of a file's bits are used: its white is 2 ** bits - 1; FLOAT: its planes are
    floating point in 0..1. `files`: the pattern of
    one file per plane of `image`, "" for one file of all. `polar_dir` stands in for the folder `images` in a picture's
    path; "": its own file holds the planes of `polar`, too. `polar_files`: the pattern there, "" for one file of the
    same name. `angles`: those files hold i0, i45, i90, i135, of which `polar` is derived. `wanted`: what a network is
    given of all these planes, in its order; () for all.
    """

    image: tuple[str, ...] = RGB
    polar: tuple[str, ...] = ()
    bits: int = 8
    polar_bits: int = 8
    files: str = ""
    polar_dir: str = ""
    polar_files: str = ""
    angles: bool = False
    wanted: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The planes as a network is given them."""
        return self.wanted or self.made

    @property
    def made(self) -> tuple[str, ...]:
        """All planes that can be given."""
        return self.image + self.polar

    @property
    def held(self) -> tuple[str, ...]:
        """All planes as the files hold them."""
        return self.image + (ANGLES if self.angles else self.polar)

    @property
    def plain_rgb(self) -> bool:
        """Whether pictures are the ordinary ones: 8-bit RGB, one file each."""
        return self == Channels()

    @property
    def with_angles(self) -> bool:
        """Whether some plane turns when its picture does."""
        return any(set(group) <= set(self.held) for group in (ANGLES, *PAIRS))

    @property
    def fractions(self) -> bool:
        """Whether samples are float32 in 0..1 from the start: planes turn, or are not of one depth."""
        return self.with_angles or self.bits == FLOAT or (bool(self.polar_dir) and self.bits != self.polar_bits)

    @property
    def dtype(self) -> str:
        """The type of the planes of a sample."""
        return "float32" if self.fractions else "uint8" if self.bits == 8 else "uint16"

    @property
    def bytes_per_pixel(self) -> int:
        """Of a network input before it becomes fractions: planes of 8 or 16 bits, or floating point ones."""
        deep = 2 if max(self.bits, self.polar_bits) > 8 else 1
        return len(self.names) * (4 if self.fractions else deep)

    def image_only(self) -> Channels:
        """Without the planes of `polar`, and without their files where they have their own."""
        if not self.polar:
            return self
        if not self.polar_dir:
            return replace(self, wanted=self.image)
        return Channels(image=self.image, bits=self.bits, files=self.files)

    def plain(self) -> list[str] | dict[str, Any]:
        """What a checkpoint stores: a list of names where nothing else is to be said."""
        if self == Channels(image=self.image):
            return list(self.image)
        return {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}


RGB_CHANNELS = Channels()


def channels_of_plain(plain: Any, where: str) -> Channels:
    """Read what `Channels.plain` wrote into the checkpoint `where`. Raises DamagedError."""
    given = {"image": plain} if isinstance(plain, list) else plain
    sound = isinstance(given, Mapping) and set(given) <= {field.name for field in fields(Channels)}
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()} if sound else {}
    if sound and all(_like(value, getattr(Channels(), key)) for key, value in values.items()):
        channels = Channels(**values)
        planes, depths = channels.made, (channels.bits, channels.polar_bits)
        distinct = channels.image and len(set(planes)) == len(planes)
        if distinct and set(channels.wanted) <= set(planes) and all(1 <= bits <= FLOAT for bits in depths):
            return channels
    raise DamagedError(Path(where), "its channels are not known here; train it anew with this version")


def _like(value: Any, default: Any) -> bool:
    if type(value) is not type(default):
        return False
    return not isinstance(value, tuple) or all(isinstance(name, str) for name in value)


def check_order(needed: Sequence[str], offered: Sequence[str], where: str, source: str) -> None:
    """Raise CheckpointError when planes that both name come in another order: one of the two is likely a mistake."""
    theirs = [name for name in offered if name in needed]
    ours = [name for name in needed if name in offered]
    if theirs != ours:
        first = next(one for one, other in zip(theirs, ours, strict=True) if one != other)
        raise CheckpointError(
            f"{where}: reads the planes in the order {', '.join(ours)}, but {source} has {', '.join(theirs)}: "
            f"{first} is out of place; mend channels: of the data YAML, or store the pictures in that order"
        )


def serve(offered: Channels, needed: Channels, where: str, source: str) -> Channels:
    """`offered` by a data set, reduced to what a network `needed` in its training.

    Raises CheckpointError naming both when a plane is missing, or the order is another; `where` is the checkpoint,
    `source` the data.
    """
    missing = [name for name in needed.names if name not in offered.made]
    if missing:
        raise CheckpointError(
            f"{where}: reads the planes {', '.join(needed.names)}, but {source} has {', '.join(offered.made)}: no "
            f"{missing[0]}; name it in channels: of the data YAML, or take another checkpoint"
        )
    check_order(needed.names, offered.made, where, source)
    if not set(offered.polar) & set(needed.names):
        offered = offered.image_only()
    return offered if offered.made == needed.names else replace(offered, wanted=needed.names)
