import os
import socket

import pytest

from utils.words.regular_file import UnreadableFile, read_regular


def test_the_content_of_a_regular_file_and_of_a_link_to_one(tmp_path):
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "b").symlink_to("a")
    assert read_regular(tmp_path / "a", 5) == read_regular(tmp_path / "b", 5) == b"12345"
    with pytest.raises(UnreadableFile, match="5 bytes, more than the 4"):
        read_regular(tmp_path / "a", 4)


@pytest.fixture
def odd(tmp_path):
    """By its kind the path of what is no regular file."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "loop").symlink_to("loop")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "socket"))
        names = ("pipe", "folder", "loop", "socket", "nothing", "a\0b", "x" * 300, "folder/")
        yield {name: tmp_path / name for name in names} | {"device": "/dev/zero"}


@pytest.mark.parametrize(
    "kind", ["pipe", "folder", "loop", "socket", "nothing", "a\0b", "x" * 300, "folder/", "device"]
)
def test_anything_else_is_refused_without_waiting(odd, kind):
    with pytest.raises(UnreadableFile):
        read_regular(odd[kind], 100)
