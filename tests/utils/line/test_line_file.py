"""Lines appended whole, through kills and full disks."""

import os

import pytest

from utils.line import line_file
from utils.line.line_file import LineFile
from utils.words.errors import ConfigError, ResourceError


def test_it_goes_on(tmp_path):
    path = tmp_path / "a.csv"
    for line in ("one\n", "two\n"):
        file = LineFile(path, "head\n")
        assert file.append(line) and not file.close()
    assert path.read_text() == "head\none\ntwo\n"


@pytest.mark.usefixtures("messages")
@pytest.mark.parametrize("size", [1, 1 << 20])
def test_a_cut_line_is_removed(tmp_path, size, capsys):
    path = tmp_path / "a.csv"
    path.write_text("head\none\n" + "x" * size)
    LineFile(path, "head\n").close()
    assert path.read_text() == "head\none\n"
    assert "cut off" in capsys.readouterr().out


def test_a_cut_header_is_written_anew(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("hea")
    LineFile(path, "head\n").close()
    assert path.read_text() == "head\n"


def test_another_table_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("other\n1\n")
    with pytest.raises(ConfigError, match="another kind of run"):
        LineFile(path, "head\n")
    assert path.read_text() == "other\n1\n"


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_text("")
    (tmp_path / "a.csv").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResourceError):
        LineFile(tmp_path / "a.csv", "head\n")
    assert (tmp_path / "elsewhere").read_text() == ""


@pytest.mark.usefixtures("messages")
def test_a_full_disk_delays_lines(tmp_path, monkeypatch, capsys):
    path, full = tmp_path / "a.csv", True
    real = os.write
    file = LineFile(path, "head\n")

    def write(handle, content):
        if full and handle == file.file:
            real(handle, content[:2])  # some of it fits
            return 2
        return real(handle, content)

    monkeypatch.setattr(line_file.os, "write", write)
    assert not file.append("one\n") and not file.append("two\n")
    assert path.read_text() == "head\n", "no half lines"
    full = False
    assert file.append("three\n") and not file.close()
    assert path.read_text() == "head\none\ntwo\nthree\n"
    assert capsys.readouterr().err.count("lines wait") == 1


def test_lines_that_never_fit_are_counted(tmp_path, monkeypatch):
    file = LineFile(tmp_path / "a.csv", "head\n")
    monkeypatch.setattr(line_file, "MOST_WAITING", 2)

    def write(handle, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(line_file.os, "write", write)
    for line in ("one\n", "two\n", "three\n"):
        file.append(line)
    assert len(file.waiting) == 2 and file.close() == 3


def test_lines_after_the_last_that_is_wanted_are_cut(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text("a\nb\nc\nd\n")
    file = LineFile(path)
    file.cut_after(lambda line: line in (b"a\n", b"b\n"))
    file.append("e\n")
    file.close()
    assert path.read_text() == "a\nb\ne\n"
