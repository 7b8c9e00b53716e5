import subprocess
import sys

import pytest

from utils.files import locks
from utils.files.locks import is_held, take
from utils.words.errors import ResourceError


def test_one_holder_at_a_time(tmp_path):
    path = tmp_path / "seed0.lock"
    assert not is_held(path) and not path.exists()
    with take(path) as lock:
        assert len(lock.handles) == 1 and is_held(path) and take(path) is None
    assert not is_held(path)
    with take(path, wait=True):
        assert take(path) is None


def test_a_child_holds_it_when_the_parent_is_gone(tmp_path):
    path = tmp_path / "seed0.lock"
    with take(path) as lock:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=lock.handles)
    assert is_held(path) and take(path) is None
    child.kill()
    child.communicate()
    assert not is_held(path)


def test_a_folder_is_locked_through_a_link_and_left_as_it_is(tmp_path):
    folder, link = tmp_path / "pictures", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    with take(folder):
        assert take(link) is None
    assert not list(folder.iterdir())


def test_nothing_is_made(tmp_path):
    with pytest.raises(ResourceError):
        take(tmp_path / "a.lock", make=False)
    assert not list(tmp_path.iterdir())


def test_without_locks_nothing_is_locked(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    with take(tmp_path / "a.lock") as lock, take(tmp_path / "a.lock") as other:
        assert lock.handles == other.handles == () and not is_held(tmp_path / "a.lock")


def test_no_place_for_a_lock(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for place in (tmp_path / "none" / "a.lock", tmp_path / "link"):
        with pytest.raises(ResourceError, match="cannot be written"):
            take(place)
    assert not (tmp_path / "elsewhere").exists()
