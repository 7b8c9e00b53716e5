import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from data.pictures.sources import find_sources
from data.pictures.video import read_frames, video_frames
from utils.values.channels import Channels
from utils.words.errors import DataError


def write_video(path: Path, count: int, codec: str = "mp4v", size: tuple[int, int] = (64, 48)) -> Path:
    """Frames whose red rises by 8 from one to the next; `size` width, height px."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 20.0, size)
    assert writer.isOpened()
    for i in range(count):
        writer.write(np.full((size[1], size[0], 3), (30, 60, 8 * (i % 30)), np.uint8))
    writer.release()
    return path


def reds(frames):
    return [round(float(f.image[..., 0].mean()) / 8) for f in frames]


@pytest.mark.parametrize(
    ("name", "codec"), [("v.mp4", "mp4v"), ("V 图.MOV", "mp4v"), ("v.mkv", "mp4v"), ("v.avi", "MJPG")]
)
def test_frames_come_in_order_as_rgb(tmp_path, name, codec):
    path = write_video(tmp_path / name, 12, codec)
    frames = list(read_frames(find_sources(str(path))))
    assert reds(frames) == list(range(12)) and not any(f.reason for f in frames)
    assert [f.name for f in frames[:2]] == [f"{name}#000001", f"{name}#000002"]
    assert frames[1].output == Path(f"{path.stem}_000002") and frames[0].clip.rate == 20
    assert frames[0].image.shape == (48, 64, 3)


def test_stride_keeps_the_numbers_of_the_video(tmp_path):
    write_video(tmp_path / "v.mp4", 12)
    frames = list(read_frames(find_sources(str(tmp_path)), stride=5))
    assert [f.name for f in frames] == ["v.mp4#000001", "v.mp4#000006", "v.mp4#000011"]
    assert reds(frames) == [0, 5, 10] and frames[0].clip.rate == 4


@pytest.mark.parametrize(("suffix", "codec"), [(".avi", "MJPG"), (".mkv", "mp4v")])
def test_a_video_that_breaks_off_gives_what_it_has_and_says_so(tmp_path, suffix, codec):
    raw = write_video(tmp_path / f"v{suffix}", 60, codec).read_bytes()
    (tmp_path / f"v{suffix}").write_bytes(raw[: len(raw) // 2])
    *frames, last = read_frames(find_sources(str(tmp_path)))
    assert 5 < len(frames) < 55 and reds(frames[:5]) == [0, 1, 2, 3, 4]
    assert last.image is None and last.name == f"v{suffix}"
    assert f"breaks off after {len(frames)} of about 60 frames" in last.reason


def broken(path: Path, kind: str) -> None:
    if kind == "half":
        raw = write_video(path, 30).read_bytes()
        path.write_bytes(raw[: len(raw) // 2])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "no frames":
        write_video(path, 0)
    elif kind == "playlist":
        path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n")
    elif kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)


@pytest.mark.parametrize("kind", ["half", "empty", "no frames", "playlist", "folder", "pipe"])
def test_what_is_no_video_is_one_row_with_a_reason(tmp_path, kind):
    broken(tmp_path / "v.mp4", kind)
    write_video(tmp_path / "w.mp4", 2)
    frames = list(read_frames(find_sources(str(tmp_path))))
    assert [f.name for f in frames] == ["v.mp4", "w.mp4#000001", "w.mp4#000002"]
    assert frames[0].image is None and "v.mp4: " in frames[0].reason
    with pytest.raises(DataError, match="v.mp4"):
        list(read_frames(find_sources(str(tmp_path)), strict=True))


def test_ffmpegs_own_words_stay_away_and_it_opens_no_address(tmp_path):
    """In a process of its own: FFmpeg takes its settings when it is first used."""
    (tmp_path / "a.mp4").write_text(
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
    )
    broken(tmp_path / "b.mp4", "half")
    code = (
        "import sys; from data.pictures.sources import find_sources; from data.pictures.video import read_frames; "
        "print(sum(f.image is None for f in read_frames(find_sources(sys.argv[1]))))"
    )
    root = Path(__file__).parents[3]
    words = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr, done.returncode) == ("2\n", "", 0)


def test_a_video_without_frames_is_no_good_part(tmp_path):
    write_video(tmp_path / "v.avi", 0, "MJPG")
    (frame,) = read_frames(find_sources(str(tmp_path)))
    assert frame.image is None and "no frame" in frame.reason


def test_large_frames_are_refused_before_they_are_decoded(tmp_path):
    write_video(tmp_path / "v.mp4", 2)
    (source,) = find_sources(str(tmp_path))
    with pytest.raises(DataError, match=r"64 x 48 pixels.*--max-pixels 3072$"):
        next(video_frames(source, max_pixels=64 * 48 - 1))


def test_pictures_are_read_with_their_planes_and_videos_have_no_others_than_rgb(tmp_path):
    channels = Channels(image=("gray",), bits=12)
    cv2.imwrite(str(tmp_path / "a.png"), np.full((40, 50), 4095, np.uint16))
    write_video(tmp_path / "v.mp4", 2)
    picture, video = read_frames(find_sources(str(tmp_path)), channels=channels)
    assert picture.image.shape == (40, 50, 1) and picture.image.dtype == np.uint16 and picture.image.max() == 4095
    assert video.image is None and "v.mp4: is a video, which has the planes r, g, b; gray are needed" in video.reason
    with pytest.raises(DataError, match="is a video"):
        list(read_frames(find_sources(str(tmp_path)), strict=True, channels=channels))
