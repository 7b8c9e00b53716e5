"""The line's pictures on the page: detect.py hands over each result, and never waits for the page."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from utils.console.failure import Explained
from utils.console.log import LOG
from utils.page.coding import as_jpeg
from utils.page.entry import Entry
from utils.page.gallery import Gallery
from utils.page.judge import own_boxes, with_found
from utils.page.store import Store
from utils.page.tally import Tally, now
from utils.page.worker import Worker
from utils.values.arrived import stamp_of
from utils.values.picture_result import PictureResult
from utils.values.verdict import Verdict
from utils.words.errors import ResourceError, UserError, printable
from utils.words.regular_file import UnreadableFile, read_regular

MOST_WAITING = 4  # pictures with their pixels; of a fast line not every one is shown
MOST_BYTES = 100 << 20  # of a file that is kept for a review


class Live(Worker[tuple[PictureResult, Sequence[Path], str]]):
    """The feed of a line. `what` is looked at ("watching parts"); "": there is no line."""

    def __init__(self, what: str, gallery: Gallery, store: Store, tally: Tally) -> None:
        self.what, self.gallery, self.store, self.tally = what, gallery, store, tally
        self.since = now()
        self._counts: Counter[str] = Counter()
        self._told = {"late": 0, "waiting": 0, "dropped": 0}
        super().__init__("pictures of the line")

    def add(
        self, result: PictureResult, files: Sequence[Path] = (), stamp: str = "", when: datetime | None = None
    ) -> None:
        """Count a result and show it. `files`: where the picture lies as it came, or will be moved to. It is copied for
        reviews and questions; a file without its `stamp` ("": not known) is another picture, and left alone.

        Returns at once. Where pictures come faster than they can be shown, all are counted, and rather the good ones
        are not shown.
        """
        self.tally.add(result.verdict, when or now())
        with self._changed:
            self._counts[result.verdict.value] += 1
            if len(self._waiting) >= MOST_WAITING:
                self._leave_one_out()
            self._waiting.append((result, files, stamp))
            self._changed.notify_all()

    def _leave_one_out(self) -> None:
        good = (place for place, (one, *_) in enumerate(self._waiting) if one.verdict is Verdict.OK)
        del self._waiting[next(good, 0)]

    def tell(self, *, late: int = 0, waiting: int = 0, dropped: int = 0) -> None:
        """What the page is to say of the line: pictures looked at too late, not yet, and not at all."""
        with self._changed:
            self._told = {"late": late, "waiting": waiting, "dropped": dropped}

    def plain(self) -> dict[str, Any] | None:
        """JSON-ready values; None where there is no line."""
        if not self.what:
            return None
        with self._changed:
            counts = {verdict.value: self._counts[verdict.value] for verdict in Verdict}
            return {"what": self.what, "since": self.since.isoformat(), "counts": counts, **self._told}

    def _work(self, one: tuple[PictureResult, Sequence[Path], str]) -> None:
        result, files, stamp = one
        try:
            with Explained():
                self._show(result, files, stamp)
        except UserError as error:  # the line goes on, whatever the page cannot show
            LOG.warning("not shown on the page: %s: %s", printable(result.frame.name), error)

    def _show(self, result: PictureResult, files: Sequence[Path], stamp: str) -> None:
        """Make an entry of it. Raises what Explained explains."""
        frame, found = result.frame, result.detections
        entry = Entry(frame.name, "line", answers=result.answers, milliseconds=result.milliseconds, size=result.size)
        if found is None or frame.image is None:
            reason = printable(frame.reason)
            self.gallery.add(replace(entry, state="failed", verdict=result.verdict, reason=reason))
            return
        thresholds = result.thresholds.values
        defects = own_boxes(found, len(thresholds))  # nothing fainter comes from a line
        known = with_found(entry, defects, thresholds, defects)
        shown = self.store.write(as_jpeg(frame.image))
        kept = self._copy(files, stamp)
        self.gallery.add(replace(known, state="done", verdict=result.verdict, shown=shown, file=kept))

    def _copy(self, files: Sequence[Path], stamp: str) -> Path | None:
        """A copy of the picture as it came, while there is room: its folder may be emptied any time."""
        for file in files:
            try:
                content = read_regular(file, MOST_BYTES)
                if not stamp or stamp_of(os.stat(file)) == stamp:
                    return self.store.write(content)
            except (OSError, UnreadableFile, ResourceError):  # shown it is all the same
                continue
        return None
