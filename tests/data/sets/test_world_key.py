"""The key `world`: training pictures that are drawn when they are needed, and what is known of them beforehand."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import train
import val
from data.sets.data_yaml import read_description
from data.world.drawn_world import DrawnWorld
from utils.config.paths import CFG

SMALL = {"count": 24, "val": 4, "size": 96}
QUICK = ["--cfg", "idfe-net-n.yaml", "--img", "64", "--batch", "8", "--device", "cpu", "--epochs", "1", "--noplots"]
QUICK += ["--set", "augment.mosaic=0"]
SHOWN = [flag for flag in QUICK if flag != "--noplots"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def written(home: Path, world: object, **more: object) -> str:
    """A data YAML; JSON is YAML."""
    (home / "world.yaml").write_text(json.dumps({"world": world, **more}))
    return "world.yaml"


def good_pictures(folder: Path, count: int = 3) -> Path:
    folder.mkdir()
    for number in range(count):
        noise = np.random.default_rng(number).normal(120, 10, (150, 200 + number, 3))
        assert cv2.imwrite(str(folder / f"part {number}.png"), noise.clip(0, 255).astype(np.uint8))
    return folder


def scores(name: str) -> list[str]:
    return Path("runs/train", name, "results.csv").read_text().splitlines()


@pytest.mark.parametrize("more", [{}, {"backgrounds": "good"}, {"mix": "closed"}])
def test_a_training_is_the_same_with_any_number_of_workers(tmp_path, capsys, monkeypatch, more):
    monkeypatch.setattr("data.world.sample_folder.SAMPLE", 6)
    good_pictures(tmp_path / "good")
    data = written(tmp_path, {**SMALL, **more})
    for workers in ("0", "2"):
        assert train.main(["--data", data, *QUICK, "--workers", workers, "--name", workers]) == 0
    assert scores("0") == scores("2")
    said = capsys.readouterr().out
    assert "24 pictures of the world are drawn when they are needed" in said
    assert said.count("are drawn, once, into") == 1 and "train: 6 pictures found = 6 used" in said
    report = json.loads(Path("runs/train/0/results.json").read_text())
    assert report["images"] == 4


def test_a_network_that_reads_text_is_told_of_its_defects_in_many_ways(tmp_path, monkeypatch, capsys):
    """... and knows them all when it goes on, without their encoder."""
    monkeypatch.setattr("data.world.sample_folder.SAMPLE", 6)
    data = written(tmp_path, {**SMALL, "mix": "open"})
    flags = ["--data", data, *SHOWN[2:], "--cfg", "rtvpnet-n.yaml", "--text-encoder", "ngram", "--workers", "0"]
    assert train.main(flags) == 0
    assert "left out" not in capsys.readouterr().err and Path("runs/train/exp/train_batch0.jpg").is_file()
    content = torch.load("runs/train/exp/weights/last.pt", weights_only=True)
    said = content["vocabulary"]["further"]
    assert len(content["names"]) == 56 and {"defect", "dark scratch"} <= set(said)
    assert sum(text.startswith("black scratch on ") for text in said) > 20
    assert len(content["vocabulary"]["vectors"]) == len({*said, *sum(content["synonyms"], [])}) > 5000
    weights = ["--weights", "runs/train/exp/weights/last.pt"]
    assert train.main(["--data", data, *QUICK[2:], *weights, "--workers", "0", "--epochs", "1"]) == 0
    assert val.main(["--data", data, *weights, "--device", "cpu"]) == 0


def test_its_single_class_and_an_evaluation(tmp_path, capsys):
    data = written(tmp_path, SMALL)
    assert train.main(["--data", data, *QUICK, "--workers", "0", "--single-cls"]) == 0
    assert val.main(["--data", data, "--weights", "runs/train/exp/weights/last.pt", "--device", "cpu"]) == 0
    assert "defect" in capsys.readouterr().out


def test_what_is_drawn_for_validation_depends_on_no_count(tmp_path):
    few, many = DrawnWorld(count=3, val=2, size=96), DrawnWorld(count=5, val=2, size=96)
    assert few.numbers("val") == many.numbers("val") and not set(many.numbers("train")) & set(many.numbers("val"))


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ({"count": 0}, "'count' is a whole number from 1"),
        ({"count": True}, "'count' is a whole number"),
        ({"size": 5000}, "'size' is a whole number from 96 to 2,048"),
        ({"seed": "a"}, "'seed' is a whole number"),
        ({"mix": "close"}, "did you mean 'closed'?"),
        ({"cuont": 5}, "did you mean 'count'?"),
        ({"backgrounds": 3}, "'backgrounds' is a folder"),
        ("large", "'world' holds keys"),
        ([], "'world' holds keys"),
    ],
)
def test_mistakes_name_file_and_line(tmp_path, capsys, world, said):
    assert train.main(["--data", written(tmp_path, world), *QUICK]) == 2
    error = capsys.readouterr().err
    assert "world.yaml:1: " in error and said in error and error.count("\n") == 1


def test_what_does_not_go_with_a_world_is_refused(tmp_path, capsys):
    good_pictures(tmp_path / "good")
    (tmp_path / "empty").mkdir()
    for world, code, said in (
        ({"backgrounds": "empty"}, 3, "holds no pictures"),
        ({"backgrounds": "nowhere"}, 3, "no such folder"),
        ({"backgrounds": "good", "mix": "closed"}, 2, "backgrounds go with 'kinds'"),
    ):
        assert train.main(["--data", written(tmp_path, world), *QUICK]) == code
        error = capsys.readouterr().err
        assert "world.yaml:1: " in error and said in error and error.count("\n") == 1
    assert train.main(["--data", written(tmp_path, SMALL, names=["knot"]), *QUICK]) == 2
    assert "no meaning beside 'world'" in capsys.readouterr().err
    data = written(tmp_path, SMALL)
    for flags in (
        ["--balance", "repeat"],
        ["--repeat", "2"],
        ["--set", "data.pictures=3"],
        ["--cache", "ram"],
        ["--set", "data.root=good"],
    ):
        assert train.main(["--data", data, *QUICK, *flags]) == 2
        assert "world" in capsys.readouterr().err
    Path("both.yaml").write_text("union: [world.yaml, world.yaml]\n")
    assert train.main(["--data", "both.yaml", *QUICK]) == 2
    assert "is a world, which stands alone" in capsys.readouterr().err


def test_a_background_that_is_damaged_later_is_left_out_and_named(tmp_path, capsys, monkeypatch, messages):
    monkeypatch.setattr("data.world.sample_folder.SAMPLE", 1)
    folder = good_pictures(tmp_path / "good", count=40)
    data = written(tmp_path, {**SMALL, "val": 1, "backgrounds": "good", "count": 80})
    assert train.main(["--data", data, *QUICK, "--dry-run"]) == 0  # what is known beforehand is drawn
    victim = folder / "part 7.png"
    stat = victim.stat()
    victim.write_bytes(bytes(stat.st_size))
    os.utime(victim, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert train.main(["--data", data, *QUICK, "--workers", "0"]) == 0
    said = capsys.readouterr()
    assert "left out: " in said.err and str(victim) in said.err
    lost = json.loads(Path("runs/train/exp/data_report.json").read_text())["train"]["lost_while_reading"]
    assert lost and all(name.startswith("picture ") for name in lost)


@pytest.mark.parametrize("name", ["world-kinds.yaml", "world-open.yaml", "world-closed.yaml"])
def test_the_worlds_of_cfg_data_are_described(name, monkeypatch):
    monkeypatch.setattr("data.sets.data_yaml.sample_folder", lambda world: Path())
    description, _ = read_description(CFG / "data" / name, require=())
    assert len(description.names) == {"world-kinds.yaml": 64, "world-open.yaml": 56, "world-closed.yaml": 351}[name]
