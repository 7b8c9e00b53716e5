"""No folder of the machine that trained is in what people hand on."""

import json
import shutil
from pathlib import Path

import detect
import train
import val
from tests.faults.trained_runs import QUICK, last_of, one_line
from utils.files import checkpoint

SHARED = ("report.html", "report.json", "run.json")


def handed_on(folder: Path) -> dict[str, bytes]:
    """The files of a run that people pass on."""
    return {str(p): p.read_bytes() for p in folder.rglob("*") if p.name in SHARED or p.suffix == ".pt"}


def trained_by_absolute_paths(home: Path, folder: Path, *more: str) -> Path:
    (folder / "my hyp.yaml").write_text("optim: {lr0: 0.02}\n")
    words = [*QUICK, "--cfg", str(home / "tiny.yaml"), "--data", str(home / "glass" / "data.yaml"), *more]
    words += ["--project", str(folder / "my runs"), "--hyp", str(folder / "my hyp.yaml")]
    words = [word for word in words if word != "--noplots"]
    assert train.main([*words, "--weights", str(last_of(home, "tiny"))]) == 0
    return folder / "my runs" / "exp"


def test_no_folder_of_this_machine_is_handed_on(home, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = trained_by_absolute_paths(home, tmp_path)
    weights = str(run / "weights" / "best.pt")
    assert val.main(["--weights", weights, "--project", str(tmp_path / "val"), "--workers", "0"]) == 0
    pictures = str(home / "glass" / "images" / "val")
    assert detect.main(["--weights", weights, "--source", pictures, "--project", str(tmp_path / "detect")]) == 0
    files = handed_on(tmp_path)
    assert {Path(name).name for name in files} == {*SHARED, "last.pt", "last.prev.pt", "best.pt"} and len(files) == 12
    secrets = {str(tmp_path), str(home), str(Path.home()), str(Path(train.__file__).parent), "my runs/"}
    for name, data in files.items():
        assert not [secret for secret in secrets if secret.encode() in data and len(secret) > 4], name
    kept = (run / "opt.yaml").read_text()
    assert str(home / "glass" / "data.yaml") in kept  # so that the run itself can go on


def test_whole_paths_where_they_are_asked_for(home, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = trained_by_absolute_paths(home, tmp_path, "--set", "run.full_paths=true")
    weights = str(run / "weights" / "best.pt")
    words = ["--weights", weights, "--set", "run.full_paths=true"]
    assert val.main([*words, "--workers", "0", "--name", "v"]) == 0
    assert detect.main([*words, "--source", str(home / "glass" / "images" / "val"), "--name", "d"]) == 0
    assert str(home / "glass" / "data.yaml") in json.loads((run / "report.json").read_text())["provenance"]["command"]
    assert checkpoint.load(weights)["config"]["data"]["data"] == str(home / "glass" / "data.yaml")
    for name in ("val/v", "detect/d"):
        assert weights in json.loads((tmp_path / "runs" / name / "run.json").read_text())["command"]


def test_without_its_folder_a_checkpoint_asks_for_the_data(home, tmp_path, monkeypatch, capsys):
    """Never another file of the same name, such as one of cfg/data."""
    monkeypatch.chdir(tmp_path)
    (home / "GCD.yaml").write_text((home / "glass" / "data.yaml").read_text().replace("path: .", f"path: {home}/glass"))
    run = trained_by_absolute_paths(home, tmp_path, "--data", str(home / "GCD.yaml"))
    moved = Path(shutil.move(run / "weights" / "best.pt", tmp_path / "best.pt"))
    assert val.main(["--weights", str(moved)]) == 2
    assert "GCD.yaml" in (line := one_line(capsys, 2)) and "--data" in line
    (run / "opt.yaml").unlink()
    assert train.main(["--resume", str(run / "weights" / "last.pt")]) == 4
    assert "opt.yaml" in one_line(capsys, 4)
