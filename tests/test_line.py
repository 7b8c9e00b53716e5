"""detect.py --watch: killed and started again, each picture exactly once; what has no meaning there is refused."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import detect
from tests.test_resume import ROOT


def start(trained, folder, project, *words):
    weights = trained / "weights" / "best.pt"
    given = ["--watch", str(folder), "--weights", str(weights), "--project", str(project), "--device", "cpu", *words]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(ROOT / "detect.py"), *given],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def table(project):
    path = project / "watch-in" / "summary.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def wait_for(rows, project, process):
    until = time.monotonic() + 60
    while len(table(project)) < rows and time.monotonic() < until:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    assert len(table(project)) >= rows


def test_killed_and_started_again(trained, glass, tmp_path):
    folder, project, moved = tmp_path / "in", tmp_path / "runs", tmp_path / "judged"
    pictures = sorted((glass.parent / "images").rglob("*.png"))
    folder.mkdir()
    for number, path in enumerate(pictures[:9]):
        shutil.copy(path, folder / f"{number}.png")
    (folder / "bad.jpg").write_text("no picture")
    words = ["--json-lines", "--move-to", str(moved), "--cycle-time", "1"]
    first = start(trained, folder, project, *words)
    wait_for(3, project, first)
    first.kill()
    first.communicate()
    for number, path in enumerate(pictures[9:12], 9):
        shutil.copy(path, folder / f"{number}.png")
    second = start(trained, folder, project, *words)
    wait_for(13, project, second)
    second.send_signal(signal.SIGTERM)
    out, err = second.communicate(timeout=30)
    assert second.returncode == 128 + signal.SIGTERM and "the same command goes on" in err and "Traceback" not in err
    expected = {f"{number}.png" for number in range(12)} | {"bad.jpg"}
    assert Counter(row["image"] for row in table(project)) == Counter(expected)
    lines = [json.loads(line) for line in (project / "watch-in" / "verdicts.jsonl").read_text().splitlines()]
    assert [line["key"] for line in lines] == [row["key"] for row in table(project)]
    assert not list(folder.iterdir())
    places = {path.name: path.parent.name for path in moved.rglob("*") if path.is_file()}
    assert places == {row["image"]: row["verdict"] for row in table(project)}
    assert places["bad.jpg"] == "UNREADABLE" and "UNREADABLE  bad.jpg" in out
    overlays = {path.name.removesuffix(".jpg") for path in (project / "watch-in").glob("*.jpg")}
    assert overlays == expected - {"bad.jpg"}
    assert "rows so far in" in out and "later than 1 ms" in err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--watch", "nowhere"], 3, "--watch nowhere: no such folder"),
        (["--watch", "in", "--source", "in"], 2, "--source: --watch names the folder"),
        (["--watch", "in", "--save-json"], 2, "--save-json: has no effect here"),
        (["--watch", "in", "--batch", "2"], 2, "--batch-size: has no effect here"),
        (["--watch", "in", "--json-lines", "../x"], 2, "--json-lines ../x: is written into the run folder"),
        (["--watch", "in", "--move-to", "in"], 3, "--move-to in: lies in the folder that is watched"),
        (["--watch", "judged/NG", "--move-to", "judged"], 3, "--move-to judged: lies in the folder that is watched"),
        (["--watch", "judged", "--move-to", "judged/NG", "--recursive"], 3, "--move-to judged/NG: lies in the folder"),
        (["--watch", "in", "--project", "in"], 2, "lies in the inputs"),
        (["--source", "in", "--keep", "5"], 2, "--keep: has no effect here"),
        (["--source", "in", "--move-to", "out"], 2, "--move-to: has no effect here"),
        (["--serve", "--save-txt"], 2, "--save-txt: has no effect here: --serve writes no files"),
        (["--serve", "--ask", "is there a crack?"], 2, "--ask: has no effect here: questions are typed on the page"),
        (["--serve", "nowhere:port"], 2, "--serve nowhere:port: must be HOST:PORT"),
        (["--token-file", "in"], 2, "--token-file: has no effect here"),
        (["--watch", "in", "--explain", "--nosave"], 2, "--explain: has no effect here"),
        (["--source", "screen"], 2, "screens and other addresses are not read"),
    ],
)
def test_mistakes(trained, tmp_path, monkeypatch, capsys, words, code, said):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("judged/NG").mkdir(parents=True)
    assert detect.main([*words, "--weights", str(trained / "weights" / "best.pt")]) == code
    assert said in capsys.readouterr().err
    assert not list(Path("in").iterdir())
