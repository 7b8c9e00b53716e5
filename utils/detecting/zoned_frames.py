"""The inputs of detect.py, as far as zones can be laid over them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from utils.values.frame import Frame
from utils.words.errors import DataError, printable
from utils.zones.zones import Zones


def fitting_frames(frames: Iterable[Frame], zones: Zones | None, strict: bool = False) -> Iterator[Frame]:
    """Every input in order. A picture of another shape than the zones were drawn for is one that could not be read,
    with the reason: nobody knows where in it a defect counts. `strict`: it raises DataError instead.
    """
    for frame in frames:
        why = zones.misfit((frame.image.shape[0], frame.image.shape[1])) if zones and frame.image is not None else ""
        if why and strict:
            raise DataError(f"{printable(frame.name)}: {why}; leave it out, or take zones that were drawn for it")
        yield replace(frame, image=None, reason=f"{printable(frame.name)}: {why}") if why else frame
        del frame  # the next one may be as large
