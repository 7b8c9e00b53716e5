"""The thread that looks at the pictures of the page, one by one, from a line of bounded length."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from utils.console.failure import Explained
from utils.console.log import LOG
from utils.drawing.heat_drawing import heat_png
from utils.page.coding import as_jpeg, shown_size
from utils.page.desk import FAINT, Desk, Eye, counting, explained, explains, thresholds_of
from utils.page.entry import Entry
from utils.page.gallery import Gallery
from utils.page.refusal import Refused
from utils.page.store import Store
from utils.page.tally import Tally, now
from utils.page.worker import Worker
from utils.review.teaching import teaches
from utils.values.answer import Answer
from utils.values.detections import Detections
from utils.values.verdict import Verdict, verdict_of
from utils.words.errors import DataError, UnexpectedError, UserError, printable

MOST_WAITING = 64  # pictures
MOST_BOXES = 300  # of a picture
MOST_TURNS = 4  # requests that wait for the network at once
NOT_KEPT = "the picture itself is not kept any more; look at it again"


class Judge(Worker[Entry]):
    """Looks at pictures as they come, and again for a question or to show where the network looked."""

    def __init__(self, desk: Desk, gallery: Gallery, store: Store, tally: Tally) -> None:
        self.desk, self.gallery, self.store, self.tally = desk, gallery, store, tally
        super().__init__("pictures of the page")
        self._turns = threading.BoundedSemaphore(MOST_TURNS)
        self._made: tuple[str, Eye] | None = None  # the last words, and what looks for them

    def waiting(self) -> int:
        """How many pictures wait."""
        return len(self._waiting)

    def room(self) -> int:
        """How many more may come."""
        return MOST_WAITING - len(self._waiting)

    def take(self, entries: Sequence[Entry]) -> tuple[list[Entry], list[Entry]]:
        """Let these wait for their turn: those for which there is room, under their numbers, and the others."""
        with self._changed:
            room = max(self.room(), 0)
            taken = [self.gallery.add(entry) for entry in entries[:room]]
            self._waiting.extend(taken)
            self._changed.notify_all()
        return taken, list(entries[room:])

    def _work(self, entry: Entry) -> None:
        """Look at one picture; whatever goes wrong is its reason, and the thread goes on."""
        try:
            with Explained():
                seen = self._seen(entry)
        except UserError as error:
            if isinstance(error, UnexpectedError):
                LOG.error("%s: %s", printable(entry.name), error, exc_info=error)
            reason = reason_of(error, entry)
            seen = replace(entry, state="failed", verdict=Verdict.UNREADABLE, reason=reason)
        assert seen.verdict is not None, "it was looked at"
        self.tally.add(seen.verdict, now())
        known = {key: value for key, value in vars(seen).items() if key not in ("number", "review", "kept")}
        if self.gallery.change(entry.number, **known) is None:
            self.store.remove(seen.shown)

    def _seen(self, entry: Entry) -> Entry:
        """The picture with everything that a look gives. Raises UserError, and what Explained explains."""
        assert entry.file is not None, "it waits for a look"
        eye = self._eye(entry.prompts)
        image = eye.read(entry.file)
        with self.desk.lock:
            started = time.perf_counter()
            found = eye.faint(image, FAINT)
            took = (time.perf_counter() - started) * 1000
        found, thresholds = own_boxes(found, eye.own), thresholds_of(eye, self.desk.conf)
        answers = []
        for question in entry.questions:
            with self.desk.lock:  # given back in between, for the line
                answers.append(eye.ask(image, question, self.desk.conf))
        size = image.shape[0], image.shape[1]
        known = with_found(entry, found, thresholds)
        return replace(
            known,
            state="done",
            size=size,
            milliseconds=took,
            answers=tuple(answers),
            shown=self.store.write(as_jpeg(eye.optics.show(image))),
        )

    def _eye(self, prompts: str) -> Eye:
        """What looks for these words. Raises UserError, and what Explained explains."""
        if not prompts or self.desk.make is None:
            return self.desk.detector
        with self.desk.lock:
            if self._made is None or self._made[0] != prompts:
                self._made = None  # before the next one takes as much memory again
                self._made = (prompts, self.desk.make(prompts))
            return self._made[1]

    def ask(self, entry: Entry, question: str) -> Answer:
        """The answer to a question about a picture. Raises Refused and UserError."""
        with self._turn():
            image, eye = self._again(entry)
            with Explained(), self.desk.lock:
                return eye.ask(image, question, self.desk.conf)

    def heat(self, entry: Entry, number: int) -> bytes:
        """A PNG that shows what a box was found by. Raises Refused and UserError."""
        if entry.found is None or not 0 <= number < len(entry.found):
            raise Refused(404, "there is no box of that number; load the picture again")
        with self._turn():
            image, eye = self._again(entry)
            if not explains(eye):
                raise Refused(501, "this network cannot show where it looked")
            with Explained(), self.desk.lock:
                return heat_png(explained(eye, image, entry.found, number), shown_size(entry.size))

    def _again(self, entry: Entry) -> tuple[np.ndarray, Eye]:
        if entry.file is None:
            raise Refused(409, NOT_KEPT)
        try:
            with Explained():
                eye = self._eye(entry.prompts)
                return eye.read(entry.file), eye
        except DataError as error:
            raise Refused(409, reason_of(error, entry)) from error

    def _turn(self) -> _Turn:
        return _Turn(self._turns)


class _Turn:
    """A request that waits for the network, of which there may be few at once. Raises Refused."""

    def __init__(self, turns: threading.BoundedSemaphore) -> None:
        self.turns = turns

    def __enter__(self) -> None:
        if not self.turns.acquire(blocking=False):
            raise Refused(429, f"{MOST_TURNS} questions are being answered already; ask again in a moment")

    def __exit__(self, *_: object) -> None:
        self.turns.release()


def own_boxes(found: Detections, own: int) -> Detections:
    """The best boxes, best first, of the classes that decide about a part, without masks."""
    kept = replace(found, masks=()).keep(found.labels < own)
    return kept.keep(kept.scores.argsort(descending=True, stable=True)[:MOST_BOXES])


def with_found(
    entry: Entry, found: Detections, thresholds: Sequence[float], defects: Detections | None = None
) -> Entry:
    """A picture with what was found in it, however faint, and what follows from that. `defects`: what of it counts;
    None: as the thresholds say.
    """
    defects = counting(found, thresholds) if defects is None else defects
    rows = set(_rows(defects))
    names = [found.names[label] for label in defects.labels.tolist()]
    return replace(
        entry,
        found=found,
        thresholds=tuple(thresholds),
        defects=frozenset(number for number, row in enumerate(_rows(found)) if row in rows),
        verdict=verdict_of(len(defects)),
        words="; ".join(f"{name} {names.count(name)}" for name in dict.fromkeys(names)),
        lesson=teaches(found, thresholds),
    )


def _rows(found: Detections) -> list[tuple[float, ...]]:
    """Label, score and box of each: what tells one from the others."""
    values = zip(found.labels.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
    return [(label, score, *box) for label, score, box in values]


def reason_of(error: UserError, entry: Entry) -> str:
    """What went wrong, with the picture's name in place of where the server keeps it."""
    place = printable(str(entry.file or Path()))
    return printable(str(error).replace(place, entry.name))
