"""What FFmpeg, which OpenCV reads videos and cameras with, may open, and how much it says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import cv2

FILES = "file"
CAMERAS = "rtsp,rtp,srtp,udp,tcp,tls,http,https,httpproxy"
_OPTIONS, _LEVEL = "OPENCV_FFMPEG_CAPTURE_OPTIONS", "OPENCV_FFMPEG_LOGLEVEL"


@contextmanager
def may_open(protocols: str) -> Iterator[None]:
    """While a video is opened: with these protocols alone, beside the options that the user's environment names, and
    without words on the console. OpenCV takes this from the environment, at each opening.
    """
    before = os.environ.get(_OPTIONS)
    os.environ.setdefault(_LEVEL, "-8")
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ[_OPTIONS] = f"protocol_whitelist;{protocols}{'' if before is None else f'|{before}'}"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_OPTIONS]
        else:
            os.environ[_OPTIONS] = before
