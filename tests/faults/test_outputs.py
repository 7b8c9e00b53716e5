"""One guard for outputs: never into the data, never through a link, and no file of an earlier run passes as new."""

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

import detect
import train
import val
from data.folds import main as folds
from data.pack import main as pack
from tests.conftest import QUICK
from utils.benchmark import main as evaluator_benchmark

ROOT = Path(__file__).resolve().parents[2]


def contents(folder: Path) -> dict[str, str]:
    """Every entry below a folder, with what it holds."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        for path in sorted(folder.rglob("*"))
    }


@pytest.fixture
def home(tmp_path, glass) -> Path:
    """A folder to work in, with a data set beside it and links to that."""
    shutil.copytree(glass.parent, tmp_path / "data")
    work = tmp_path / "work"
    work.mkdir()
    (work / "link").symlink_to(tmp_path / "data")
    (work / "deep").symlink_to(tmp_path / "data" / "images" / "train")
    with contextlib.chdir(work):
        yield work


def words_of(script, trained: Path, data: Path) -> list[str]:
    weights = ["--weights", f"{trained}/weights/best.pt", "--device", "cpu"]
    return {
        train: [*QUICK, "--data", str(data / "data.yaml"), "--epochs", "1", "--noplots"],
        val: [*weights, "--data", str(data / "data.yaml"), "--workers", "0", "--noplots"],
        detect: [*weights, "--source", str(data / "images" / "val")],
    }[script]


SCRIPTS = [train, val, detect]
INSIDE = {
    "pictures": ["--project", "../data/images/val"],
    "sub-folder to be made": ["--project", "../data/images/val/a/b"],
    "by dots": ["--project", "../work/../data/images/val"],
    "by name": ["--project", "../data/images", "--name", "val", "--exist-ok"],
    "its parent": ["--project", "../data", "--name", "images", "--exist-ok"],
    "its root": ["--project", "..", "--name", "data", "--exist-ok"],
    "link": ["--project", "link/images/val/x"],
    "labels": ["--project", "../data/labels/train"],
    "other split": ["--project", "../data/images/train"],
    "annotations": ["--project", "../data/annotations"],
    "link to pictures": ["--project", "deep"],
}
NOT_OF_DETECT = {"root from elsewhere": ["--project", "../data/runs"]}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.__name__)
@pytest.mark.parametrize("flags", [*INSIDE, *NOT_OF_DETECT])
def test_results_stay_out_of_the_data(home, trained, script, flags, capsys):
    if script is detect and flags in NOT_OF_DETECT:
        pytest.skip("detect.py is told its inputs, not a data set")
    before = contents(home.parent / "data")
    words = {**INSIDE, **NOT_OF_DETECT}[flags]
    assert script.main([*words_of(script, trained, home.parent / "data"), *words]) == 2
    assert capsys.readouterr().err.startswith("error[CONFIG]: --project, --name")
    assert contents(home.parent / "data") == before


def test_commands_that_know_no_data_stay_out_of_its_folders(home, trained, capsys):
    """Pictures and labels lie side by side: that tells them, whatever a command reads."""
    before = contents(home.parent / "data")
    sized = ["--images", "20", "--classes", "2", "--detections", "50"]
    picture = next((home.parent / "data" / "images" / "val").iterdir())
    with contextlib.chdir(picture.parent):  # where detect.py would begin runs/
        weights = ["--weights", f"{trained}/weights/best.pt", "--device", "cpu"]
        assert detect.main([*weights, "--source", picture.name]) == 2
    assert evaluator_benchmark([*sized, "--out", "../data/labels/x"]) == 2
    assert val.main(["--compare", str(trained), str(trained), "--project", "deep"]) == 2
    assert capsys.readouterr().err.count("lies in a data set's folder") == 3
    assert contents(home.parent / "data") == before


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.__name__)
def test_only_a_run_is_taken_again(home, trained, script, capsys):
    """A copy of a data set has labels/*.txt, as a run has."""
    shutil.copytree(home.parent / "data", home / "copy")
    before = contents(home / "copy")
    words = ["--project", ".", "--name", "copy", "--exist-ok"]
    assert script.main([*words_of(script, trained, home.parent / "data"), *words]) == 2
    assert "--exist-ok: copy is no earlier run, it holds " in capsys.readouterr().err
    assert contents(home / "copy") == before
    (home / "empty").mkdir()
    words[3] = "empty"
    assert script.main([*words_of(script, trained, home.parent / "data"), *words]) == 0
    assert script.main([*words_of(script, trained, home.parent / "data"), *words]) == 0


def test_what_stands_where_files_of_a_run_go_is_replaced(home, trained, capsys):
    """Pipes, which would be waited for, and links, which would be written through."""
    words = [*words_of(train, trained, home.parent / "data"), "--project", ".", "--name", "r"]
    (home / "victim").write_text("keep")
    (home / "r").mkdir()
    for name in ("results.csv", "run.json", "data_report.json", "train.log", "opt.yaml", "results.json"):
        os.mkfifo(home / "r" / name)
    assert train.main([*words, "--epochs", "2", "--max-time", "0.01s", "--exist-ok"]) == 0
    (home / "r/report.json").unlink(missing_ok=True)
    for name in (".last.pt.tmp", ".best.pt.tmp", ".last.prev.pt.tmp"):
        (home / "r/weights" / name).symlink_to(home / "victim")
    assert train.main(["--resume", "r/weights/last.pt", "--max-time", "1h"]) == 0
    assert (home / "victim").read_text() == "keep" and not (home / "r/weights/last.pt").is_symlink()


@pytest.mark.parametrize("place", ["../data/images/train/out", "link/labels/val/out", "deep/out", "../data/out"])
@pytest.mark.parametrize("command", [pack, folds], ids=["pack", "folds"])
def test_packed_sets_and_folds_stay_out_of_the_data(home, command, place, capsys):
    before = contents(home.parent / "data")
    assert command(["--data", "../data/data.yaml", "--out", place]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("error[CONFIG]: --out")
    assert contents(home.parent / "data") == before
    assert command(["--data", "../data/data.yaml", "--out", "out"]) == 0


def yaml_of(home: Path, **keys: str) -> Path:
    path = home / "own.yaml"
    lines = [f"{key}: {value}" for key, value in keys.items()]
    path.write_text("\n".join([*lines, "names: [bubble, oil, plastering thread, black spot, quenched grain]"]))
    return path


@pytest.mark.faults
def test_a_split_that_is_the_root_is_no_place_for_runs(home, capsys):
    """A scan of the pictures would find the plots of the run."""
    (home / "own").mkdir()
    for picture in (home.parent / "data" / "images" / "val").iterdir():
        shutil.copy(picture, home / "own")
        shutil.copy(home.parent / "data" / "labels" / "val" / f"{picture.stem}.txt", home / "own")
    with contextlib.chdir(home / "own"):
        path = yaml_of(home / "own", train=".", val=".")
        before = contents(home / "own")
        assert train.main([*QUICK, "--data", str(path), "--epochs", "1"]) == 2
        assert contents(home / "own") == before
        assert train.main([*QUICK, "--data", str(path), "--epochs", "1", "--project", str(home / "runs")]) == 0
    assert contents(home / "own") == before


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["folders", "lists", "coco"])
def test_a_project_with_its_runs_beside_its_pictures_works(home, kind):
    """What YOLO users have: data.yaml in the working directory, `path: .`, and runs/ beside images/."""
    project = home.parent / "data"
    with contextlib.chdir(project):
        names = {split: sorted(Path("images", split).glob("*.png")) for split in ("train", "val")}
        for split, paths in names.items():
            Path(f"{split}.txt").write_text("".join(f"./{path}\n" for path in paths))
        entries = {
            "folders": {"train": "images/train", "val": "images/val"},
            "lists": {"train": "train.txt", "val": "val.txt"},
            "coco": {"train": "annotations/train.json", "val": "annotations/val.json"},
        }
        path = yaml_of(project, path=".", **entries[kind])
        assert train.main([*QUICK, "--data", str(path), "--epochs", "1", "--noplots"]) == 0
        assert val.main(["--data", path.name, "--device", "cpu", "--workers", "0", "--noplots"]) == 0
    with contextlib.chdir(home):  # and goes on from anywhere
        last = project / "runs/train/exp/weights/last.pt"
        (project / "runs/train/exp/report.json").unlink()
        assert train.main(["--resume", str(last)]) == 0


def test_a_flat_project_with_lists_works(home):
    """Pictures, labels, lists and runs in one folder: nothing is scanned, so nothing can be taken for a picture."""
    for folder in ("images/val", "labels/val"):
        for file in (home.parent / "data" / folder).iterdir():
            shutil.copy(file, home)
    (home / "all.txt").write_text("".join(f"{path.name}\n" for path in sorted(home.glob("*.png"))))
    path = yaml_of(home, train="all.txt", val="all.txt")
    assert train.main([*QUICK, "--data", path.name, "--epochs", "1", "--noplots"]) == 0
    assert (
        train.main([*QUICK, "--data", path.name, "--epochs", "1", "--project", "..", "--name", "work", "--exist-ok"])
        == 2
    )


SOURCES = {
    "picture": ("pictures/a.png", "pictures", [], 0),
    "picture from outside": ("pictures/a.png", ".", ["--project", "pictures"], 2),
    "picture among its like": (
        "pictures/a.png",
        "pictures",
        ["--project", "..", "--name", "pictures", "--exist-ok"],
        2,
    ),
    "list": ("pictures/list.txt", "pictures", [], 0),
    "folder": ("pictures", "pictures", [], 2),
    "folder from outside": ("pictures", ".", [], 0),
    "glob": ("pictures/*.png", "pictures", [], 2),
    "glob from outside": ("pictures/*.png", ".", [], 0),
    "linked folder": ("linked", "pictures", [], 2),
    "elsewhere": ("pictures", "pictures", ["--project", "../found"], 0),
}


@pytest.mark.parametrize("case", SOURCES)
def test_what_detect_looks_at_stays_as_it_is(home, trained, case, capsys):
    source, place, flags, code = SOURCES[case]
    (home / "pictures").mkdir()
    (home / "linked").symlink_to("pictures")
    shutil.copy(next((home.parent / "data/images/val").iterdir()), home / "pictures/a.png")
    (home / "pictures/list.txt").write_text("a.png\n")
    before = contents(home)
    words = ["--weights", f"{trained}/weights/best.pt", "--device", "cpu", "--source", str(home / source)]
    with contextlib.chdir(home / place):
        assert detect.main([*words, *flags]) == code, capsys.readouterr().err
    now = contents(home)
    assert code == 0 or now == before
    assert {name: now.get(name) for name in before} == before


PLANTED = ["results.csv", "results.json", "train.log", "weights/last.pt", "weights/best.pt", "run.json", "report.html"]
PLANTED += [".results.json.tmp", "weights/.last.pt.tmp", "opt.yaml", "predictions.json"]


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["link", "hard link"])
def test_no_planted_link_is_written_through(home, kind):
    folder, outside = home / "runs/train/exp", home / "outside"
    (folder / "weights").mkdir(parents=True)
    outside.mkdir()
    for number, name in enumerate(PLANTED):
        (outside / str(number)).write_text("mine")
        make = (folder / name).symlink_to if kind == "link" else (folder / name).hardlink_to
        make(outside / str(number))
    words = [*QUICK, "--data", "../data/data.yaml", "--epochs", "1", "--noplots", "--exist-ok"]
    assert train.main(words) == 0
    assert {path.read_text() for path in outside.iterdir()} == {"mine"}
    assert len((folder / "results.csv").read_text().splitlines()) == 2
    assert not any((folder / name).is_symlink() for name in PLANTED)


@pytest.mark.parametrize("folder", ["weights", "labels", "crops", "crops/oil"])
@pytest.mark.parametrize("script", [train, detect], ids=["train", "detect"])
def test_no_planted_folder_is_written_behind(home, trained, script, folder, capsys):
    outside, place = home / "outside", home / "runs/exp" / folder
    outside.mkdir()
    place.parent.mkdir(parents=True)
    place.symlink_to(outside)
    words = [*words_of(script, trained, home.parent / "data"), "--project", "runs", "--exist-ok"]
    assert script.main(words) == 2
    assert "is a link to" in capsys.readouterr().err and not list(outside.iterdir())


def test_an_earlier_run_leaves_nothing_that_passes_for_this_one(home, capsys):
    folder = home / "runs/train/exp"
    (folder / "weights").mkdir(parents=True)
    stale = ["weights/best.pt", "weights/last.prev.pt", "weights/epoch7.pt", "report.html", "PR_curve.png", "train.log"]
    mine = ["notes.txt", "weights/mine.pt", "weights/best.onnx", "my.jpg"]
    for name in (*stale, *mine):
        (folder / name).write_text("old")
    words = [*QUICK, "--data", "../data/data.yaml", "--epochs", "1", "--noplots", "--exist-ok", "--noval"]
    assert train.main(words) == 0
    said = capsys.readouterr().out
    assert "removed 6 files of an earlier run" in said
    for name in stale:
        assert not (folder / name).exists() or (folder / name).read_bytes() != b"old", name
    assert [(folder / name).read_text() for name in mine] == ["old"] * len(mine)
    announced = said.rpartition("done: ")[2].split()[0].rstrip(",")
    assert Path(announced).exists() and Path(announced).read_bytes() != b"old"


def test_the_weights_that_a_run_begins_with_are_not_removed(home, trained, capsys):
    shutil.copytree(trained, home / "runs/train/exp")
    best = home / "runs/train/exp/weights/best.pt"
    before = best.read_bytes()
    words = [*QUICK, "--data", "../data/data.yaml", "--epochs", "1", "--exist-ok", "--weights", str(best)]
    assert train.main(words) == 2 and best.read_bytes() == before
    assert "which this run reads and would replace" in capsys.readouterr().err


def test_no_overlay_of_an_earlier_look_remains(home, trained):
    source = home / "pictures"
    shutil.copytree(home.parent / "data/images/val", source)
    words = ["--weights", f"{trained}/weights/best.pt", "--device", "cpu", "--source", str(source), "--exist-ok"]
    words += ["--save-txt", "--save-crop", "--conf", "0.01", "--max-det", "2"]
    assert detect.main(words) == 0
    first = sorted(source.iterdir())[0]
    first.write_bytes(b"damaged since")
    folder = home / "runs/detect/exp"
    (folder / "keep.txt").write_text("mine")
    assert (folder / f"{first.stem}.jpg").exists() and (folder / f"labels/{first.stem}.txt").exists()
    assert detect.main(words) == 3
    assert not list(folder.rglob(f"{first.stem}*")) and (folder / "keep.txt").read_text() == "mine"
    assert len(list(folder.glob("*.jpg"))) == 5


@pytest.mark.faults
@pytest.mark.parametrize("seconds", [0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 1.2])
def test_a_kill_loses_the_picture_at_hand_only(home, trained, seconds):
    """Each row is on the disk before the next picture; predictions.json is whole or absent."""
    source = home / "pictures"
    source.mkdir()
    picture = next((home.parent / "data/images/val").iterdir())
    for number in range(200):
        os.link(picture, source / f"{number:04}.png")
    words = [f"{ROOT}/detect.py", "--weights", f"{trained}/weights/best.pt", "--device", "cpu", "--source", str(source)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, *words, "--save-json", "--nosave"], env=environment)
    table = home / "runs/detect/exp/summary.csv"
    while not table.exists() and process.poll() is None:
        time.sleep(0.01)
    time.sleep(seconds)
    process.kill()
    process.wait()
    lines = table.read_text().splitlines()
    assert all(line.count(",") == lines[0].count(",") for line in lines)
    assert [line.split(",")[0] for line in lines[1:]] == [f"{number:04}.png" for number in range(len(lines) - 1)]
    predictions = table.with_name("predictions.json")
    assert not predictions.exists() or isinstance(json.loads(predictions.read_text()), list)
