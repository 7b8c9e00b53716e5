"""Polarization from the data YAML to detections: train, val and detect agree on the planes, by name."""

import csv
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

import detect
import train
import val
from data.synthetic_polar import write_polar_glass
from models.load import load_model
from tests.conftest import QUICK
from utils import checkpoint

AGDD = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "agdd-glass"
POLAR = ["--cfg", "idfe-net-polar-n.yaml", *QUICK[2:], "--epochs", "1"]


@pytest.fixture(scope="module")
def bottles(tmp_path_factory) -> Path:
    return write_polar_glass(tmp_path_factory.mktemp("bottles") / "set", train=8, val=4, size=96)


@pytest.fixture(scope="module")
def run(bottles, tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert train.main([*POLAR, "--data", str(bottles)]) == 0
    return home / "runs" / "train" / "exp"


def test_training_writes_the_preview_and_the_channels(run):
    picture = np.asarray(Image.open(run / "polarization_preview.png").convert("RGB"))
    assert picture.shape[0] > 600 and np.ptp(picture.astype(int), axis=2).max() > 200  # AoLP is in colours
    content = checkpoint.load(run / "weights" / "best.pt")
    assert content["channels"]["polar"] == ["dolp", "aolp_sin2", "aolp_cos2"] and content["channels"]["angles"]


def test_val_and_detect_read_the_second_camera(run, bottles, tmp_path, monkeypatch):
    """The detector given a path equals the evaluation, and its second picture counts."""
    monkeypatch.chdir(tmp_path)
    weights = str(run / "weights" / "last.pt")
    assert val.main(["--weights", weights, "--data", str(bottles), "--workers", "0", "--device", "cpu"]) == 0
    pictures = bottles.parent / "images" / "val"
    words = ["--weights", weights, "--source", str(pictures), "--device", "cpu", "--conf", "0.001"]
    assert detect.main(words) == 0 and len(list(Path("runs/detect/exp").glob("*.jpg"))) == 4
    detector = detect.Detector(weights, "cpu")
    image = detector.read(pictures / "glass_0001.png")
    assert image.shape == (96, 96, 7) and image[..., 3:].any()
    torch.nn.init.ones_(detector.model.layers[0].gamma)
    blind = image.copy()
    blind[..., 3:] = 0
    assert not torch.equal(detector(image, conf=0.0).scores, detector(blind, conf=0.0).scores)


def test_detect_says_where_the_second_picture_is_missing(run, bottles, tmp_path, monkeypatch, capsys):
    """It is looked at with zeros, counted in one warning, and marked in summary.csv, whatever the batch."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(bottles.parent, tmp_path / "gaps")
    for stem in ("glass_0001", "glass_0003"):
        for path in (tmp_path / "gaps" / "polar" / "val").glob(f"{stem}*"):
            path.unlink()
    words = ["--weights", str(run / "weights" / "last.pt"), "--source", "gaps", "--recursive", "--device", "cpu"]
    assert detect.main([*words, "--batch", "2", "--nosave"]) == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if "second picture" in line]
    assert len(warnings) == 1 and "2 of 12 pictures looked at with a part missing" in warnings[0]
    with open("runs/detect/exp/summary.csv", newline="", encoding="utf-8") as file:
        rows = {Path(row["image"]).name: row for row in csv.DictReader(file) if "val" in row["image"]}
    assert len(rows) == 4 and {row["verdict"] for row in rows.values()} <= {"OK", "NG"}
    marked = {name for name, row in rows.items() if "no second picture in " in row["reason"]}
    assert marked == {"glass_0001.png", "glass_0003.png"} and "dolp" in rows["glass_0001.png"]["reason"]


def test_masks_are_those_of_the_colours(run, bottles):
    detector = detect.Detector(str(run / "weights" / "last.pt"), "cpu", sam="random-frozen", masks=True)
    detector.masker.longest = 64
    image = detector.read(bottles.parent / "images" / "val" / "glass_0001.png")
    found = detector(image, conf=0.0, max_det=2)
    assert len(found) == len(found.masks) == 2
    assert found.masks == detector.masker((image[..., :3] * 255).round().astype(np.uint8), found.boxes)


def test_other_channels_are_refused_by_name(run, glass, trained, bottles, tmp_path, monkeypatch, capsys):
    """Weights with polarization refuse data without; RGB weights take data with it, and never open its files."""
    monkeypatch.chdir(tmp_path)
    weights = ["--weights", str(run / "weights" / "last.pt"), "--workers", "0", "--device", "cpu"]
    assert val.main([*weights, "--data", str(glass)]) == 4
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert "last.pt: reads the planes r, g, b, dolp, aolp_sin2, aolp_cos2, but" in line and "no dolp" in line
    plain = ["--weights", str(trained / "weights" / "last.pt"), "--workers", "0", "--device", "cpu"]
    assert val.main([*plain, "--data", str(bottles)]) == 0


def test_swapped_channels_are_put_right(trained, glass, tmp_path, monkeypatch):
    """The same pictures stored blue first, and named so, give the same metrics."""
    monkeypatch.chdir(tmp_path)
    home = tmp_path / "swapped"
    shutil.copytree(glass.parent, home)
    for path in (home / "images").rglob("*.png"):
        cv2.imwrite(str(path), cv2.imread(str(path))[..., ::-1])
    (home / "data.yaml").write_text(glass.read_text(encoding="utf-8") + "channels: [b, g, r]\n", encoding="utf-8")
    words = ["--weights", str(trained / "weights" / "last.pt"), "--workers", "0", "--device", "cpu", "--noplots"]
    assert val.main([*words, "--data", str(glass)]) == val.main([*words, "--data", str(home / "data.yaml")]) == 0
    one, other = (Path(f"runs/val/{name}/predictions.json").read_bytes() for name in ("exp", "exp2"))
    assert one == other


def test_a_network_without_fusion_trains_on_the_image_alone(bottles, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert train.main([*QUICK, "--data", str(bottles), "--epochs", "1", "--noplots", "--noval"]) == 0
    content = checkpoint.load(Path("runs/train/exp/weights/last.pt"))
    assert content["channels"] == ["r", "g", "b"]
    log = Path("runs/train/exp/weights")
    assert load_model(log / "last.pt").channels.polar == ()


def test_a_dry_run_measures_all_planes(bottles, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert train.main([*POLAR, "--data", str(bottles), "--dry-run"]) == 0
    assert "idfe-net-polar-n.yaml, 2,864," in capsys.readouterr().out and not Path("runs").exists()


def test_mobile_sam_takes_rgb_only(glass, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    text = glass.read_text(encoding="utf-8").replace("path: .", f"path: {glass.parent}")
    Path("swapped.yaml").write_text(text + "channels: [b, g, r]\n", encoding="utf-8")
    words = ["--cfg", "rtvpnet-n.yaml", "--text-encoder", "ngram:64", "--data", "swapped.yaml", *QUICK[2:]]
    assert train.main([*words, "--set", "model.sam=random-frozen"]) == 2
    assert "Mobile-SAM takes r, g, b, but the pictures have b, g, r" in capsys.readouterr().err


def test_rgb_weights_start_a_polar_network_and_a_run_resumes(trained, bottles, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = [*POLAR, "--data", str(bottles), "--weights", str(trained / "weights" / "best.pt"), "--noplots"]
    assert train.main(words) == 0
    assert ", 0 left out" in capsys.readouterr().out
    assert train.main(["--resume", "runs/train/exp/weights/last.pt"]) == 0


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda p: cv2.imwrite(str(p), np.zeros((8, 8), np.uint8)), ("glass_0001_i45.png: i45: is 8 x 8",)),
        (Path.unlink, ("glass_0001_i45.png: the angle i45 of glass_0001.png is missing",)),
    ],
    ids=["other size", "angle missing"],
)
def test_bad_second_pictures_are_one_line_and_exit_3(run, bottles, tmp_path, monkeypatch, capsys, spoil, words):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(bottles.parent, tmp_path / "bad")
    spoil(tmp_path / "bad" / "polar" / "val" / "glass_0001_i45.png")
    weights = ["--weights", str(run / "weights" / "last.pt"), "--workers", "0", "--device", "cpu"]
    assert val.main([*weights, "--data", str(tmp_path / "bad" / "data.yaml")]) == 3
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert all(word in line for word in words) and line.startswith("error[DATA]")


@pytest.mark.skipif(not AGDD.is_dir(), reason="needs ../shared/data/agdd-glass")
def test_two_lights_of_agdd(tmp_path, monkeypatch):
    """One data YAML, `polar: {dir: images2}`: train, val and detect on a few pictures."""
    monkeypatch.chdir(tmp_path)
    for split, count in (("train", 6), ("val", 3)):
        names = sorted((AGDD / "images" / split).glob("*.jpg"))[:count]
        (tmp_path / f"{split}.txt").write_text("".join(f"{name}\n" for name in names))
    text = f"path: {AGDD}\ntrain: train.txt\nval: val.txt\nnames: [contusion, scratch, crack, spot]\n"
    (tmp_path / "two.yaml").write_text(text + "polar: {dir: images2}\n", encoding="utf-8")
    assert train.main([*POLAR, "--data", "two.yaml", "--noplots"]) == 0
    weights = ["--weights", "runs/train/exp/weights/last.pt", "--device", "cpu"]
    assert val.main([*weights, "--workers", "0", "--noplots"]) == 0
    assert detect.main([*weights, "--source", str(AGDD / "images" / "val" / names[0].name)]) == 0
    channels = load_model("runs/train/exp/weights/last.pt").channels
    assert channels.names == ("r", "g", "b", "polar") and channels.polar_dir == "images2"
