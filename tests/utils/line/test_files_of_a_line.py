"""Files of the newest pictures, moved pictures, JSON lines, the run folder and its locks."""

import json
import os
from pathlib import Path

import pytest

from tests.utils.line.test_journal import add, result
from utils.line import moved_pictures
from utils.line.journal import Journal, Row
from utils.line.line_folder import line_name, line_run, write_line_about
from utils.line.lock import alone_at, alone_in_run
from utils.line.moved_pictures import MovedPictures
from utils.line.newest_files import NewestFiles
from utils.line.verdict_lines import VerdictLines, verdict_object
from utils.values.arrived import stamp_of
from utils.words.errors import ConfigError


def drawn(run, name, crops=1):
    paths = [run / f"{name}.jpg", run / "labels" / f"{name}.txt"]
    paths += [run / "crops" / "scratch" / f"{name}_{number}.jpg" for number in range(crops)]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return paths


def test_only_the_newest_keep_their_files(tmp_path):
    earlier = drawn(tmp_path, "day/0.png", 2)
    newest = NewestFiles(tmp_path, 3, [Row("day/0.png", "NG", 2, "k0")])
    files = {number: drawn(tmp_path, f"day/{number}.png") for number in range(1, 6)}
    foreign = tmp_path / "day" / "notes.txt"
    foreign.write_text("")
    for number in range(1, 6):
        newest.add(f"day/{number}.png", 1)
    left = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert left == {foreign, *files[3], *files[4], *files[5]} and not any(path.exists() for path in earlier)


def test_a_picture_judged_again_keeps_its_files(tmp_path):
    files = drawn(tmp_path, "a.png")
    newest = NewestFiles(tmp_path, 2, [])
    for name in ("a.png", "b.png", "a.png", "c.png"):
        newest.add(name, 1)
    assert all(path.exists() for path in files)
    newest.add("d.png", 1)
    assert not any(path.exists() for path in files)


def test_nothing_outside_is_removed(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    (tmp_path / "x.jpg").write_text("")
    newest = NewestFiles(run, 1, [Row("../x", "NG", 1, "k")])
    newest.add("b", 1)
    assert (tmp_path / "x.jpg").exists()


def stamp(path):
    return stamp_of(os.stat(path))


def test_moved_by_verdict_and_never_over_another(tmp_path):
    folder, place = tmp_path / "in", tmp_path / "out"
    (folder / "sub").mkdir(parents=True)
    move = MovedPictures(folder, place)
    for content in ("first", "second"):
        (folder / "sub" / "a.png").write_text(content)
        move("sub/a.png", "NG", stamp(folder / "sub" / "a.png"))
    assert (place / "NG/sub/a.png").read_text() == "first"
    assert (place / "NG/sub/a__2.png").read_text() == "second"
    assert not (folder / "sub/a.png").exists()


def test_a_picture_that_was_written_over_since_is_not_moved(tmp_path):
    """Nobody judged what would be moved as good."""
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "latest.png").write_text("a good part")
    judged = stamp(folder / "latest.png")
    (folder / "latest.png").write_text("the next part, with a scratch")
    MovedPictures(folder, tmp_path / "out")("latest.png", "OK", judged)
    assert (folder / "latest.png").exists() and not list((tmp_path / "out").rglob("*.png"))


def test_onto_another_disk(tmp_path, monkeypatch):
    folder, real = tmp_path / "in", os.rename
    folder.mkdir()
    (folder / "a.png").write_text("x")

    def rename(source, target):
        if Path(source).parent != Path(target).parent:
            raise OSError(18, "Invalid cross-device link")
        real(source, target)

    monkeypatch.setattr(moved_pictures.os, "rename", rename)
    MovedPictures(folder, tmp_path / "out")("a.png", "OK", stamp(folder / "a.png"))
    assert [path.name for path in (tmp_path / "out" / "OK").iterdir()] == ["a.png"] and not list(folder.iterdir())


@pytest.mark.usefixtures("messages")
def test_what_cannot_be_moved_stays(tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "out").write_text("a file in the way")
    (tmp_path / "in" / "a.png").write_text("x")
    move = MovedPictures(tmp_path / "in", tmp_path / "out")
    for _ in range(2):
        move("a.png", "OK", stamp(tmp_path / "in" / "a.png"))
    assert (tmp_path / "in" / "a.png").exists() and capsys.readouterr().err.count("it stays") == 1


def line_of(name):
    return verdict_object(result(name, defects=1), "1-1", "2026-01-01T00:00:00", 20.0, late=False)


def test_json_lines_of_pictures_without_a_row_are_written_again(tmp_path):
    journal = Journal(tmp_path)
    lines = VerdictLines("v.jsonl", tmp_path, journal)
    for name in ("a.png", "b.png"):
        lines.add(line_of(name))
        add(journal, name)
    lines.add(line_of("c.png"))  # killed before its row
    lines.close()
    lines = VerdictLines("v.jsonl", tmp_path, journal)
    lines.add(line_of("c.png"))
    lines.close()
    journal.close()
    rows = [json.loads(line) for line in (tmp_path / "v.jsonl").read_text().splitlines()]
    assert [row["image"] for row in rows] == ["a.png", "b.png", "c.png"]
    assert rows[0]["defects"] == [{"class": "scratch", "score": 0.5, "box": [1.0, 2.0, 3.0, 4.0]}]


def test_json_lines_on_stdout(tmp_path, capsys):
    lines = VerdictLines("-", tmp_path, Journal(tmp_path))
    lines.add(line_of("a\udc80.png"))
    assert json.loads(capsys.readouterr().out)["image"] == "a\udc80.png"


def test_the_run_of_a_line(tmp_path):
    folder, other, project = tmp_path / "parts", tmp_path / "b" / "parts", str(tmp_path / "runs")
    folder.mkdir()
    other.mkdir(parents=True)
    run = line_run(project, "exp", str(folder))
    assert run.name == "watch-parts"
    write_line_about(run, str(folder), "parts", {"weights_sha256": "1", "place": str(folder)}, full_paths=False)
    assert str(folder) not in (run / "run.json").read_text()
    assert line_run(project, "exp", str(folder)) == run
    with pytest.raises(ConfigError, match="another folder"):
        line_run(project, "exp", str(other))
    assert line_run(project, "mine", str(other)).name == "mine"
    (tmp_path / "runs" / "full").mkdir()
    (tmp_path / "runs" / "full" / "a").write_text("")
    with pytest.raises(ConfigError, match="something else"):
        line_run(project, "full", str(folder))


def test_a_password_is_kept_nowhere(tmp_path):
    source, name = "rtsp://me:secret@10.0.0.5/1", "rtsp://10.0.0.5/1"
    about = {"command": ["detect.py", f"--source={source}", "--conf", "0.5"]}
    write_line_about(tmp_path, source, name, about, full_paths=True)
    text = (tmp_path / "run.json").read_text()
    assert "secret" not in text and json.loads(text)["command"] == ["detect.py", f"--source={name}", "--conf", "0.5"]


@pytest.mark.usefixtures("messages")
def test_other_weights_are_said(tmp_path, capsys):
    write_line_about(tmp_path, "0", "camera 0", {"weights": "a.pt", "weights_sha256": "1"}, full_paths=False)
    assert not capsys.readouterr().err
    write_line_about(tmp_path, "0", "camera 0", {"weights": "b.pt", "weights_sha256": "2"}, full_paths=False)
    assert "other weights (a.pt)" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "name"),
    [("0", "camera-0"), ("rtsp://me:secret@10.0.0.5:554/a b?key=1", "camera-10.0.0.5-554-a-b")],
)
def test_names_of_cameras(source, name):
    assert line_name("exp", source) == name


def test_one_watcher_for_one_folder(tmp_path):
    with alone_at(tmp_path):
        with pytest.raises(ConfigError, match="another detect.py watches"), alone_at(tmp_path):
            pass
    with alone_at(tmp_path), alone_in_run(tmp_path):
        with pytest.raises(ConfigError, match="writes into"), alone_in_run(tmp_path):
            pass
    assert not [path for path in tmp_path.iterdir() if path.name != ".lock"]
