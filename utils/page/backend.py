"""Everything behind the page: what it shows, what waits for a look, what was said about it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from utils.page.desk import Desk, explains
from utils.page.entry import Entry
from utils.page.folder import listing
from utils.page.gallery import Gallery
from utils.page.history import History
from utils.page.judge import MOST_WAITING, Judge
from utils.page.live import Live
from utils.page.places import NOT_THERE, below
from utils.page.plain import classes_of, file_name
from utils.page.refusal import Refused
from utils.page.reviews import Reviews
from utils.page.store import Store
from utils.page.tally import Tally

FULL = "{} pictures wait already; send it again in a moment"
PATIENCE_S = 10.0  # for the look at a picture, when the server ends
MOST_BYTES, MOST_FILES = 100 << 20, 100  # of a picture, of a request
NO_WORDS = "prompts: this network has fixed classes and reads no words; leave them out"


class Backend:
    """The parts, and what it takes several of. `close` it, as it has files and threads. Raises ResourceError."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.store, self.tally = desk, Store(), Tally()
        # a page that is still open when the server starts again must not take new pictures for those it knows
        self.gallery = Gallery(self.store, first=int(time.time()) * 1000)
        self.judge = Judge(desk, self.gallery, self.store, self.tally)
        self.live = Live(desk.line, self.gallery, self.store, self.tally)
        self.reviews = Reviews(desk, self.gallery)
        self.history = History(desk.project.parent)
        self.folder = None if desk.folder is None else desk.folder.resolve().name

    def start(self) -> None:
        """Begin to look."""
        self.judge.start()
        self.live.start()

    def close(self) -> None:
        """End, and write what was reviewed."""
        self.judge.stop(PATIENCE_S)
        self.live.stop(PATIENCE_S)
        self.reviews.rescue()
        self.store.close()

    def status(self) -> dict[str, Any]:
        """What the page asks for again and again."""
        desk = self.desk
        return {
            "weights": file_name(desk.weights),
            "classes": classes_of(desk.detector, desk.conf),
            "open_vocabulary": desk.make is not None,
            "explains": explains(desk.detector),
            "folder": self.folder,
            "line": self.live.plain(),
            "queue": {"waiting": self.judge.waiting(), "most": MOST_WAITING},
            "counts": self.tally.counts(),
            "newest": self.gallery.newest,
            "limits": {"bytes": MOST_BYTES, "files": MOST_FILES},
        }

    def check_room(self, prompts: str = "") -> None:
        """Raise Refused where nothing more may wait, or words mean nothing."""
        if prompts and self.desk.make is None:
            raise Refused(400, NO_WORDS)
        if self.judge.room() < 1:
            raise Refused(429, FULL.format(MOST_WAITING))

    def take(self, files: Sequence[tuple[str, Path]], prompts: str, questions: tuple[str, ...]) -> dict[str, Any]:
        """Let these pictures wait, (name, file): which do, and which there is no room for. Raises Refused, where there
        is room for none.
        """
        entries = [Entry(name, file=path, prompts=prompts, questions=questions) for name, path in files]
        taken, left = self.judge.take(entries)
        for entry in left:
            self.store.remove(entry.file)
        if left and not taken:
            raise Refused(429, FULL.format(MOST_WAITING))
        return {
            "pictures": [{"id": entry.number, "name": entry.name} for entry in taken],
            "refused": [{"name": entry.name, "reason": FULL.format(MOST_WAITING)} for entry in left],
        }

    def look_into(self, path: str) -> dict[str, Any]:
        """What lies at `path` below the folder. Raises Refused."""
        return listing(self._folder(), path, self.desk.is_picture)

    def take_from_folder(self, paths: Sequence[str], prompts: str, questions: tuple[str, ...]) -> dict[str, Any]:
        """Let pictures of the folder wait, those that are there; see `take`. Raises Refused."""
        files, refused = [], []
        for relative in paths:
            try:
                path = below(self._folder(), relative)
                if not path.is_file() or not self.desk.is_picture(path.name):
                    raise Refused(404, NOT_THERE)
                files.append((relative, path))
            except Refused as error:
                refused.append({"name": file_name(relative), "reason": error.line})
        if not files:
            raise Refused(404, NOT_THERE)
        told = self.take(files, prompts, questions)
        return {**told, "refused": [*refused, *told["refused"]]}

    def _folder(self) -> Path:
        if self.desk.folder is None:
            raise Refused(404, "no folder was given; start detect.py with --source FOLDER")
        return self.desk.folder
