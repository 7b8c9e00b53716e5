from pathlib import Path

import cv2
import numpy as np
import pytest

from utils.drawing import overlay_files as overlays
from utils.drawing.overlay_files import OverlayVideos, drawable, kept
from utils.values.frame import Clip
from utils.words.errors import ResourceError


def frames_of(path):
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    rate, frames = capture.get(cv2.CAP_PROP_FPS), []
    while (got := capture.read())[0]:
        frames.append(got[1][..., ::-1])
    capture.release()
    return rate, frames


def grey(level, height=33, width=47):
    return np.full((height, width, 3), level, np.uint8)


def test_one_file_per_clip_of_even_size_with_its_rate(tmp_path):
    videos = OverlayVideos(tmp_path)
    for level in (50, 100, 200):
        videos.add(Clip(Path("sub/one"), 12.5), grey(level))
    videos.add(Clip(Path("two 图"), float("nan")), np.full((32, 32, 3), (250, 20, 20), np.uint8))
    videos.close()
    rate, frames = frames_of(tmp_path / "sub" / "one.mp4")
    assert rate == 12.5 and [f.shape for f in frames] == [(34, 48, 3)] * 3
    assert [abs(float(f.mean()) - level) < 6 for f, level in zip(frames, (50, 100, 200), strict=True)] == [True] * 3
    rate, (red,) = frames_of(tmp_path / "two 图.mp4")
    assert rate == 25 and np.abs(red.mean((0, 1)) - (250, 20, 20)).max() < 10


def test_a_frame_of_another_size_is_fitted(tmp_path):
    videos = OverlayVideos(tmp_path)
    for image in (grey(80), grey(80, 66, 94)):
        videos.add(Clip(Path("one"), 25.0), image)
    videos.close()
    assert len(frames_of(tmp_path / "one.mp4")[1]) == 2


def test_the_second_codec_and_none_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(overlays, "CODECS", overlays.CODECS[1:])
    videos = OverlayVideos(tmp_path)
    videos.add(Clip(Path("one"), 25.0), grey(80))
    videos.close()
    assert len(frames_of(tmp_path / "one.avi")[1]) == 1
    monkeypatch.setattr(overlays, "CODECS", ())
    with pytest.raises(ResourceError, match="--nosave"):
        videos.add(Clip(Path("two"), 25.0), grey(80))


def test_a_large_picture_is_averaged_and_equal_planes_are_looked_at_once(monkeypatch):
    image = np.random.default_rng(0).integers(0, 256, (60, 90), np.uint8)
    view = np.broadcast_to(image[..., None], (60, 90, 3))
    assert drawable(view) is view
    monkeypatch.setattr(overlays, "MOST_DRAWN", 5000)
    monkeypatch.setattr(overlays, "SHRUNK", 600)
    small = drawable(view)
    assert small.shape == (20, 30, 3) and small.flags.c_contiguous
    assert np.array_equal(small, drawable(np.ascontiguousarray(view)))
    assert np.abs(small[..., 0] - image.reshape(20, 3, 30, 3).mean((1, 3))).max() < 1
    assert drawable(np.zeros((1, 60_000, 3), np.uint8)).shape == (1, 6000, 3)


def test_what_is_kept_holds_nothing_of_the_picture():
    image = np.arange(60, dtype=np.uint8).reshape(6, 10)
    view = np.broadcast_to(image[..., None], (6, 10, 3))
    for whole in (view, np.ascontiguousarray(view)):
        part = kept(whole[1:4, 2:5])
        assert np.array_equal(part, whole[1:4, 2:5]) and not np.shares_memory(part, whole)
