"""The newest pictures, those of the page and those of the line."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from utils.page.entry import Entry, Review
from utils.page.refusal import Refused
from utils.page.store import Store

MOST = 500  # pictures
MOST_REVIEWED = 400  # whose reviews are in no data set yet, so that they cannot be dropped
GONE = "there is no such picture any more; the newest are kept"


class Gallery:
    """At most `most` pictures; older ones go, last those whose review nobody has written to a data set. Several threads
    may use it.
    """

    def __init__(self, store: Store, most: int = MOST, first: int = 1) -> None:
        """`first`: the number of the first picture."""
        self.store, self.most = store, most
        self._entries: dict[int, Entry] = {}  # in the order of their numbers
        self._next, self._newest, self._lock = first, 0, threading.Lock()
        store.spare = self._spare

    @property
    def newest(self) -> int:
        """The number of the newest picture; 0: there was none."""
        return self._newest

    def add(self, entry: Entry) -> Entry:
        """Keep a picture, under the next number."""
        with self._lock:
            entry = replace(entry, number=self._next)
            self._next, self._newest = self._next + 1, self._next
            self._entries[entry.number] = entry
            dropped = self._drop()
        for old in dropped:
            self._remove_files(old)
        return entry

    def _drop(self) -> list[Entry]:
        """Take out what is too much; the oldest that nobody needs, else the oldest."""
        dropped = []
        while len(self._entries) > self.most:
            old = next((one for one in self._entries.values() if not one.precious), None)
            dropped.append(self._entries.pop(old.number if old else next(iter(self._entries))))
        return dropped

    def _remove_files(self, entry: Entry) -> None:
        self.store.remove(entry.file)  # which leaves files of the user's alone
        self.store.remove(entry.shown)

    def _spare(self) -> bool:
        """Do without the file of the oldest picture that nobody needs; it can still be seen."""
        with self._lock:
            rows = (one for one in self._entries.values() if not one.precious and self.store.holds(one.file))
            if (old := next(rows, None)) is None:
                return False
            self._entries[old.number] = replace(old, file=None)
        self.store.remove(old.file)
        return True

    def change(self, number: int, **changes: Any) -> Entry | None:
        """Note more about a picture; None: it is gone."""
        with self._lock:
            if number not in self._entries:
                return None
            self._entries[number] = changed = replace(self._entries[number], **changes)
            return changed

    def get(self, number: int) -> Entry:
        """The picture of that number. Raises Refused with 404."""
        with self._lock:
            entry = self._entries.get(number)
        if entry is None:
            raise Refused(404, GONE)
        return entry

    def remove(self, number: int) -> None:
        """Forget a picture."""
        with self._lock:
            entry = self._entries.pop(number, None)
        if entry is not None:
            self._remove_files(entry)

    def before(self, number: int, limit: int) -> list[Entry]:
        """The newest pictures with a lower number, newest first."""
        return self._chosen(lambda one: one.number < number)[::-1][:limit]

    def reviewed(self) -> list[Entry]:
        """Those that somebody said something about, oldest first."""
        return self._chosen(lambda one: one.review is not None)

    def teaching(self, limit: int) -> list[Entry]:
        """Those whose review would teach most, first, of those that have none."""
        open_ones = self._chosen(lambda one: one.review is None and one.state == "done")
        return sorted(open_ones, key=lambda one: (-one.lesson[0], -one.number))[:limit]

    def _chosen(self, wanted: Callable[[Entry], bool]) -> list[Entry]:
        with self._lock:
            return [one for one in self._entries.values() if wanted(one)]

    def review(self, number: int, review: Review | None) -> int:
        """Note a review, or take it back (None); how many pictures have one. Raises Refused."""
        entry = self.get(number)
        if review is not None and entry.state != "done":
            raise Refused(409, "there is nothing to review yet; wait until the picture was looked at")
        unkept = self._chosen(lambda one: one.review is not None and not one.kept and one.number != number)
        if review is not None and len(unkept) >= MOST_REVIEWED:
            raise Refused(409, f"{MOST_REVIEWED} reviews are in no data set yet; export them, then go on")
        if self.change(number, review=review, kept=False) is None:
            raise Refused(404, GONE)
        return len(self.reviewed())
