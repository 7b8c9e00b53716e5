"""python -m data.world: a data set like any other, the same from any number of processes."""

from pathlib import Path

import pytest

import train
from data.world.__main__ import main

QUICK = ["--count", "10", "--val", "4", "--img", "96", "--seed", "5"]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_set_that_trains(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["--out", "one", *QUICK, "--workers", "0"]) == main(["--out", "two", *QUICK, "--workers", "2"]) == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert "done: python train.py --data" in capsys.readouterr().out
    assert len(list((tmp_path / "one" / "images").rglob("*.jpg"))) == 14
    words = ["--cfg", "idfe-net-n.yaml", "--img", "64", "--device", "cpu", "--dry-run"]
    assert train.main(["--data", "one/data.yaml", *words]) == 0
    out = capsys.readouterr().out
    assert "train: 10 pictures found = 10 used" in out and "val: 4 pictures found = 4 used" in out


def test_sheets(tmp_path, monkeypatch):
    monkeypatch.setattr("data.world.sheet.SIDE", 64)
    monkeypatch.setattr("data.world.sheet.COLUMNS", 2)
    assert main(["--out", str(tmp_path / "look"), "--sheet"]) == 0
    assert [path.name for path in sorted((tmp_path / "look").iterdir())] == [f"sheet{k}.jpg" for k in range(1, 9)]


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--count", "0"], "--count"), (["--img", "50"], "--img"), (["--seed", "-1"], "--seed"), ([], "is there already")],
)
def test_mistakes_are_one_line(tmp_path, capsys, words, said):
    (tmp_path / "there").mkdir()
    assert main(["--out", str(tmp_path / "there"), *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
