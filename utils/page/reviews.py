"""From what people said about pictures to a data set that train.py reads."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from utils.console.log import LOG
from utils.files.runs import new_run
from utils.page.coding import shown_size
from utils.page.desk import Desk
from utils.page.entry import Entry
from utils.page.gallery import Gallery
from utils.page.refusal import Refused
from utils.review.review_set import ReviewSet
from utils.words.errors import DataError, UserError, printable
from utils.words.regular_file import UnreadableFile, read_regular
from utils.words.text import counted

MOST_BYTES = 1 << 30  # of a picture
FALLBACK = ".png"  # of a name that ends like no picture: readers go by the content


class Reviews:
    """Writes the reviews of a session, each time to a new folder beside the runs of detect.py."""

    def __init__(self, desk: Desk, gallery: Gallery) -> None:
        self.desk, self.gallery = desk, gallery
        self._lock = threading.Lock()

    def write(self) -> dict[str, Any]:
        """Write the reviews there are: the folder, what is in it, and how to train on it.

        Raises Refused where there are none, or a set is being written; UserError.
        """
        if not self._lock.acquire(blocking=False):
            raise Refused(409, "reviews are being written already; wait for it")
        try:
            reviewed = self.gallery.reviewed()
            if not reviewed:
                raise Refused(409, "nothing was reviewed yet; review a picture first")
            folder = new_run(str(self.desk.project.parent / "review"), "exp", False)
            reviews = ReviewSet(folder, self._names(reviewed))
            done = [entry for entry in reviewed if self._save(reviews, entry)]
            pictures, boxes, command = reviews.finish(self.desk.weights, self.desk.training)
            for entry in done:
                self._is_kept(entry)
            return {"folder": str(folder), "pictures": pictures, "boxes": boxes, "command": command}
        finally:
            self._lock.release()

    def _is_kept(self, entry: Entry) -> None:
        try:
            now = self.gallery.get(entry.number)
        except Refused:
            return
        if now.review is entry.review:  # else it was changed while the set was written
            self.gallery.change(entry.number, kept=True)

    def _names(self, reviewed: Sequence[Entry]) -> tuple[str, ...]:
        """The classes of the network, then those of a user's words, in the order of their pictures."""
        own = self.desk.detector.names[: self.desk.detector.own]
        words = (name for entry in reviewed if entry.review for name, _ in entry.review.boxes)
        return tuple(dict.fromkeys((*own, *words)))

    def _save(self, reviews: ReviewSet, entry: Entry) -> bool:
        """Add a picture, unless it cannot be read any more, which is said."""
        assert entry.review is not None, "it was reviewed"
        boxes = [(reviews.names.index(name), box) for name, box in entry.review.boxes]
        try:
            content, size = _content(entry)
            scaled = [(label, _scaled(box, entry.size, size)) for label, box in boxes]
            suffix = Path(entry.name).suffix.lower() if self.desk.is_picture(entry.name) else FALLBACK
            suffix = suffix if entry.file is not None else ".jpg"
            # the same picture twice would end up in training and in validation: its later review replaces the earlier
            name = f"{Path(entry.name).stem} {hashlib.sha256(content).hexdigest()[:12]}{suffix}"
            reviews.save(name, content, suffix, size, scaled)
        except DataError as error:
            LOG.warning("left out of the reviews: %s", error)
            return False
        return True

    def rescue(self) -> None:
        """Write what was reviewed and is in no data set yet, at the end of the session."""
        if not any(not entry.kept for entry in self.gallery.reviewed()):
            return
        try:
            told = self.write()
        except (UserError, Refused) as error:
            LOG.warning("reviews of this session could not be written: %s", error)
            return
        LOG.info("%s written to %s: %s", counted(told["pictures"], "review"), told["folder"], told["command"])


def _content(entry: Entry) -> tuple[bytes, tuple[int, int]]:
    """The picture as it came, else as it was shown, and the (height, width) of that. Raises DataError."""
    path, size = (entry.file, entry.size) if entry.file is not None else (entry.shown, shown_size(entry.size))
    if path is None:
        raise DataError(f"{printable(entry.name)}: is not kept any more; look at it again")
    try:
        return read_regular(path, MOST_BYTES), size
    except UnreadableFile as error:
        raise DataError(f"{printable(entry.name)}: {error}; look at it again") from error


def _scaled(
    box: tuple[float, float, float, float], size: tuple[int, int], to: tuple[int, int]
) -> tuple[float, float, float, float]:
    """A box of a picture of `size` (height, width) in one of size `to`."""
    down, across = to[0] / max(size[0], 1), to[1] / max(size[1], 1)
    return box[0] * across, box[1] * down, box[2] * across, box[3] * down
