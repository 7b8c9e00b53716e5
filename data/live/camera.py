"""Frames of a camera: a device by its number, or an address such as rtsp://.

A thread takes every frame as it comes, so that the newest is never old; what the network is too slow for is dropped,
the oldest first, and counted. A camera that is lost is tried again, for as long as it takes.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np

from data.pictures.ffmpeg import CAMERAS, may_open
from data.pictures.sources import is_video
from utils.console.log import LOG
from utils.values.arrived import Arrived
from utils.values.frame import Frame
from utils.words.errors import DataError, printable

ADDRESS = re.compile(r"(rtsp|rtsps|http|https)://.+", re.IGNORECASE)
WAITING = 4  # frames that wait for the network, at most
OPEN_MS = READ_MS = 5000  # until an address that says nothing counts as lost
LONGEST_PAUSE = 10.0  # seconds between two tries
POLL = 0.1


def is_camera(source: str) -> bool:
    """Whether --source names a camera rather than files, here or on a server."""
    if source.isdecimal():
        return not os.path.lexists(source)
    film = source.lower().startswith("http") and is_video(source.partition("?")[0])
    return ADDRESS.fullmatch(source) is not None and not film


def camera_name(source: str) -> str:
    """What it is called in tables and messages: an address without its user, password and query."""
    if source.isdecimal():
        return f"camera {source}"
    parts = urlsplit(source)
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return printable(f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}")


class Camera:
    """A camera that is read while the block is open. `dropped`: frames that the network was too slow for.

    Raises DataError, at the start of the block, where it cannot be opened.
    """

    def __init__(self, source: str, stride: int = 1) -> None:
        self.source, self.stride, self.name = source, stride, camera_name(source)
        self.dropped = self.count = 0
        self.frames: deque[tuple[float, datetime, int, np.ndarray]] = deque()
        self.came, self.ended = threading.Condition(), threading.Event()
        self.capture: cv2.VideoCapture | None = None
        self.thread = threading.Thread(target=self._take, name="camera", daemon=True)

    def __enter__(self) -> Camera:
        self.capture = _open(self.source)
        if self.capture is None:
            raise DataError(f"--source {self.name}: cannot be opened; is it connected, and used by no other program?")
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join(2 * POLL)  # a read that hangs is left behind: the thread is a daemon

    def arrived(self, going: Callable[[], bool]) -> Iterator[Arrived]:
        """The frames that wait, the oldest first, until `going` says no."""
        while going():
            with self.came:
                if not self.frames and not self.came.wait(POLL):
                    continue
                if not self.frames:
                    continue
                since, at, number, image = self.frames.popleft()
                dropped, waiting = self.dropped, len(self.frames)
            rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            place = Path(f"{at:%Y%m%d}", f"{at:%H%M%S}-{at.microsecond // 1000:03d}_{number:06d}")
            yield Arrived(Frame(place.as_posix(), place, rgb), f"{at.isoformat()} {number}", since, dropped, waiting)

    def _take(self) -> None:
        """The thread: every frame, and the camera again when it is lost."""
        while not self.ended.is_set():
            if self.capture is None:
                self.capture = self._again()
                continue
            done, image = self.capture.read()
            if not done:
                LOG.warning("%s: gives no picture any more; trying again until it does", self.name)
                self.capture.release()
                self.capture = None
                continue
            self.count += 1
            if (self.count - 1) % self.stride == 0:
                self._keep(image)
        if self.capture is not None:
            self.capture.release()

    def _keep(self, image: np.ndarray) -> None:
        with self.came:
            if len(self.frames) == WAITING:
                self.frames.popleft()
                self.dropped += 1
            self.frames.append((time.monotonic(), datetime.now().astimezone(), self.count, image))
            self.came.notify()

    def _again(self) -> cv2.VideoCapture | None:
        """The camera once it can be opened; None when nobody waits any more."""
        started, pause = time.monotonic(), 0.5
        while not self.ended.wait(pause):
            if (capture := _open(self.source)) is not None:
                LOG.info("%s: is back after %.0f s", self.name, time.monotonic() - started)
                return capture
            pause = min(2 * pause, LONGEST_PAUSE)
        return None


def _open(source: str) -> cv2.VideoCapture | None:
    with may_open(CAMERAS):
        if source.isdecimal():
            capture = cv2.VideoCapture(int(source))
        else:
            limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
            capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, limits)
    if capture.isOpened():
        return capture
    capture.release()
    return None
