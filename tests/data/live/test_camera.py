"""A camera: frames of a stream from this machine, cut and taken up again."""

import os
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from data.live import camera as module
from data.live.camera import Camera, camera_name, is_camera
from data.live.incoming import incoming
from data.pictures.plane_reader import PlaneReader
from data.pictures.sources import find_sources
from data.pictures.video import read_frames
from tests.data.pictures.test_video import write_video
from utils.values.channels import RGB_CHANNELS
from utils.words.errors import DataError


class Stream(BaseHTTPRequestHandler):
    """Motion JPEG: `server.frames` red pictures to a connection, as fast as they are taken."""

    def do_GET(self):  # noqa: N802
        picture = np.zeros((32, 48, 3), np.uint8)
        picture[..., 2] = 250
        content = cv2.imencode(".jpg", picture)[1].tobytes()
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=edge")
        self.end_headers()
        for _ in range(self.server.frames):
            head = f"--edge\r\nContent-Type: image/jpeg\r\nContent-Length: {len(content)}\r\n\r\n"
            self.wfile.write(head.encode() + content + b"\r\n")
            time.sleep(0.002)

    def log_message(self, *_):
        pass


@pytest.fixture
def address():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stream)
    server.frames = 40
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/video.mjpg"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("source", "camera"),
    [
        ("0", True),
        ("rtsp://10.0.0.1/1", True),
        ("HTTP://a/b", True),
        ("http://a/b.MP4?c", False),
        ("a.png", False),
        ("screen", False),
        ("", False),
    ],
)
def test_what_is_a_camera(source, camera):
    assert is_camera(source) == camera


def test_a_file_called_0_is_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "0").write_text("")
    assert not is_camera("0")


def test_its_password_is_not_shown():
    assert camera_name("rtsp://me:secret@10.0.0.1:554/line?token=x") == "rtsp://10.0.0.1:554/line"
    assert camera_name("2") == "camera 2"


@pytest.mark.usefixtures("messages")
def test_frames_and_a_cut_stream(address, capsys):
    """The stream ends after 40 frames; the camera is opened again, and more frames come than one stream has."""
    names, until = [], time.monotonic() + 20
    reader = PlaneReader(RGB_CHANNELS, 10**6)
    camera = Camera(address)

    def going():
        return camera.count < 60 and time.monotonic() < until

    with incoming(camera, reader, lambda *_: False, False, going) as arrived:
        for one in arrived:
            names.append(one.frame.name)
            assert one.frame.image.shape == (32, 48, 3)
            assert one.frame.image[16, 24, 0] > 200 > 60 > one.frame.image[16, 24, 2], "RGB"
    assert camera.count >= 60 and len(set(names)) == len(names)
    said = capsys.readouterr()
    assert "gives no picture any more" in said.err and "is back" in said.out


def test_what_the_network_is_too_slow_for_is_dropped_and_counted(address):
    camera = Camera(address)
    with camera:
        until = time.monotonic() + 10
        while camera.count < 30 and time.monotonic() < until:
            time.sleep(0.01)
        with camera.came:
            kept, numbers = len(camera.frames), [number for _, _, number, _ in camera.frames]
            assert camera.count == camera.dropped + kept == numbers[-1] and kept == module.WAITING


def test_a_video_that_was_read_before_changes_nothing(address, tmp_path):
    """A video may open files alone, a camera no files."""
    path = write_video(tmp_path / "a.mp4", 3)
    for _ in range(2):
        assert len(list(read_frames(find_sources(str(path))))) == 3
        with Camera(address):
            pass
    assert "OPENCV_FFMPEG_CAPTURE_OPTIONS" not in os.environ


def test_no_camera(monkeypatch):
    monkeypatch.setattr(module, "OPEN_MS", 200)
    with (
        pytest.raises(DataError, match=r"--source http://127.0.0.1:9/x: cannot be opened"),
        Camera("http://127.0.0.1:9/x"),
    ):
        pass
