"""The frames of a video file, as they come: one is in memory at a time."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import cv2

from data.pictures.ffmpeg import FILES, may_open
from data.pictures.picture_decoder import MAX_PIXELS, more_pixels
from data.pictures.plane_reader import PlaneReader
from data.pictures.sources import Source
from utils.values.channels import RGB, RGB_CHANNELS, Channels
from utils.values.frame import Clip, Frame
from utils.words.errors import DataError, printable


def read_frames(
    sources: list[Source],
    stride: int = 1,
    max_pixels: int = MAX_PIXELS,
    strict: bool = False,
    channels: Channels = RGB_CHANNELS,
) -> Iterator[Frame]:
    """Every picture, and every `stride`-th frame of every video, in order; see `video_frames` for their names.

    Pictures are read with their `channels`, see `PlaneReader`; a video has no others than RGB. A picture without its
    second one is a Frame with its image and a reason.

    What cannot be read is a Frame without an image and with a reason; `strict`: raises DataError instead. A video
    that breaks off gives the frames before that, and then such a Frame in its own name.
    """
    reader = PlaneReader(channels, max_pixels)
    for source in sources:
        try:
            if source.problem:
                raise DataError(source.problem)
            if source.video and not channels.plain_rgb:
                reason = f"is a video, which has the planes {', '.join(RGB)}; {', '.join(channels.held)} are needed"
                raise _error(source.path, f"{reason}; give pictures")
            if source.video:
                yield from video_frames(source, stride, max_pixels)
            else:
                image = reader(source.path)
                yield Frame(source.name, source.output, image, reader.lacking(source.path), path=source.path)
                del image  # the next one may be as large
        except DataError as error:
            if strict:
                raise
            yield Frame(source.name, source.output, None, str(error))


def video_frames(source: Source, stride: int = 1, max_pixels: int = MAX_PIXELS) -> Iterator[Frame]:
    """Frames 1, 1 + stride, 1 + 2 stride, ... of a video, named `video.mp4#000001`, filed under `video_000001`.

    Raises DataError when it cannot be opened, holds no frame, has too large ones, or breaks off before its end.
    """
    capture = _open(source.path)
    try:
        size = [int(capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)]
        if size[0] * size[1] > max_pixels:
            reason = f"has frames of {size[0]} x {size[1]} pixels, more than the {max_pixels:,} allowed"
            raise _error(source.path, f"{reason}; {more_pixels(size[0] * size[1])}")
        clip = Clip(source.output, capture.get(cv2.CAP_PROP_FPS) / stride)
        number, seconds = 0, 0.0
        while capture.grab():
            number, seconds = number + 1, capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if (number - 1) % stride:
                continue
            done, image = capture.retrieve()
            if not done:
                raise _error(source.path, f"frame {number} cannot be decoded; replace or remove it")
            place = source.output.with_name(f"{source.output.name}_{number:06d}")
            rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            yield Frame(f"{source.name}#{number:06d}", place, rgb, clip=clip)
        _check_end(capture, source.path, number, seconds)
    finally:
        capture.release()


def _open(path: Path) -> cv2.VideoCapture:
    """Open a regular file with FFmpeg, which is kept quiet and away from the network."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        raise _error(path, f"cannot be read: {getattr(error, 'strerror', None) or error}") from error
    if not stat.S_ISREG(mode):
        raise _error(path, "is not a regular file; replace or remove it")
    try:
        with may_open(FILES):
            capture = cv2.VideoCapture(os.path.abspath(path), cv2.CAP_FFMPEG)
    except (cv2.error, UnicodeError) as error:
        raise _error(path, "cannot be opened as a video; rename it in plain letters") from error
    if not capture.isOpened():
        raise _error(path, "cannot be opened as a video: damaged, cut off or of an unknown codec; replace or remove it")
    return capture


def _check_end(capture: cv2.VideoCapture, path: Path, frames: int, seconds: float) -> None:
    """Whether that was all. Headers of videos with a changing rate miscount frames, so their length counts too."""
    if not frames:
        raise _error(path, "no frame can be decoded; replace or remove it")
    expected, rate = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
    short = expected - frames > max(2, expected * 0.02)
    if short and rate > 0 and seconds < expected / rate * 0.98 - 2 / rate:
        raise _error(path, f"breaks off after {frames:,} of about {expected:,.0f} frames; replace it")


def _error(path: Path, reason: str) -> DataError:
    return DataError(f"{printable(str(path))}: {reason}")
