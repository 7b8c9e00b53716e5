"""The pictures of a watched folder as they come, read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from data.live.arrivals import Arrival, Arrivals
from data.pictures.plane_reader import PlaneReader
from utils.values.arrived import Arrived
from utils.values.frame import Frame
from utils.words.errors import DataError

PATIENCE = 3.0  # seconds without a change after which a file that cannot be read is taken for damaged
RETRY = 0.3


def watched_pictures(arrivals: Arrivals, reader: PlaneReader, going: Callable[[], bool]) -> Iterator[Arrived]:
    """Each complete picture that comes, until `going` says no. One that cannot be read, or lacks its second picture, is
    tried again for PATIENCE seconds: its rest may be on its way. Then it comes as a Frame with a reason.
    """
    for ready in arrivals.batches(going):
        for left, arrival in enumerate(ready, 1 - len(ready)):
            if not going():
                return
            one = _read(arrival, reader, -left)
            if one.frame.reason and arrivals.clock() - arrival.since < PATIENCE:
                arrivals.put_back(arrival, RETRY)
                continue
            yield one
            del one  # the next one may be as large


def _read(arrival: Arrival, reader: PlaneReader, waiting: int) -> Arrived:
    # with its suffix: a.png and a.jpg may both come one day
    place = Path(arrival.name)
    try:
        image = reader(arrival.path)
        frame = Frame(arrival.name, place, image, reader.lacking(arrival.path), path=arrival.path)
    except DataError as error:
        frame = Frame(arrival.name, place, None, str(error))
    return Arrived(frame, arrival.stamp, arrival.since, waiting=waiting)
