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
from data.drawn.polar_glass import write_polar_glass
from models.ready.load import load_model
from tests.conftest import QUICK
from utils.files import checkpoint
from utils.values.channels import ANGLES

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
    marked = {name for name, row in rows.items() if "no second picture gaps/polar/val/glass_" in row["reason"]}
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


def test_swapped_channels_are_refused(run, trained, glass, tmp_path, monkeypatch, capsys):
    """By val.py, by detect.py with --data, and by train.py that starts from the weights."""
    monkeypatch.chdir(tmp_path)
    text = glass.read_text(encoding="utf-8").replace("path: .", f"path: {glass.parent}")
    Path("swapped.yaml").write_text(text + "channels: [b, g, r]\n", encoding="utf-8")
    weights, device = ["--weights", str(trained / "weights" / "last.pt")], ["--device", "cpu"]
    source = ["--source", str(glass.parent / "images" / "val")]
    calls = (
        (val.main, [*weights, "--workers", "0", *device]),
        (detect.main, [*weights, *source, *device]),
        (train.main, [*QUICK, *weights, "--epochs", "1"]),
    )
    for main, words in calls:
        assert main([*words, "--data", "swapped.yaml"]) == 4
        line = capsys.readouterr().err.strip().splitlines()[-1]
        assert line.startswith("error[CKPT]") and "last.pt: reads the planes in the order r, g, b, but" in line
        assert "has b, g, r: b is out of place" in line
    assert detect.main(["--weights", str(run / "weights" / "last.pt"), *source, *device, "--data", str(glass)]) == 4
    assert "has r, g, b: no dolp; name it in channels" in capsys.readouterr().err


def test_a_network_without_fusion_trains_on_the_image_alone(bottles, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert train.main([*QUICK, "--data", str(bottles), "--epochs", "1", "--noplots", "--noval"]) == 0
    said = "idfe-net-n.yaml reads no polar: trained on r, g, b alone; --cfg idfe-net-polar-lite0-n.yaml reads both"
    assert said in capsys.readouterr().out
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


def noise(planes: int = 1, top: int = 255, side: int = 64) -> np.ndarray:
    kind = np.uint8 if top < 256 else np.uint16
    return np.random.default_rng(planes).integers(0, top + 1, (side, side, planes), dtype=kind)


SETS = {  # name -> the YAML's keys, the files of a sample with their content
    "second": ("polar: {dir: second}", {"images/@/#.png": noise(3), "second/@/#.png": noise()}),
    "angles": (
        'polar: {dir: polar, pattern: "{stem}_{channel}.png", from: angles}',
        {"images/@/#.png": noise(3), **{f"polar/@/#_{name}.png": noise(top=200) for name in ANGLES}},
    ),
    "grey": ("channels: [gray]", {"images/@/#.png": noise()}),
    "deep": ("channels: [gray]\nbit_depth: 16", {"images/@/#.png": noise(top=65535)}),
    "files": ('channels: [x, y]\nfiles: "{stem}_{channel}.png"', {f"images/@/#_{k}.png": noise() for k in "xy"}),
}
SPOILED = {  # set, file -> its content (None: it is missing), what is said of it
    "other size": ("second", "second/val/1.png", noise(side=32), "second/val/1.png: polar: is 32 x 32, but 1.png is"),
    "angle of other size": ("angles", "polar/val/1_i45.png", noise(side=8), "1_i45.png: i45: is 8 x 8, but 1.png is"),
    "angle missing": ("angles", "polar/val/1_i45.png", None, "1_i45.png: the angle i45 of 1.png is missing; add it"),
    "plane missing": ("files", "images/val/1_y.png", None, "1_y.png: the plane y of 1_x.png is missing; add it"),
    "first plane missing": ("files", "images/val/1_x.png", None, "1_x.png: the plane x of 1_x.png is missing; add it"),
    "colour where grey is named": (
        "grey",
        "images/val/1.png",
        noise(3),
        "1.png: holds 3 planes, but 1 is named (gray)",
    ),
    "colour angle": ("angles", "polar/val/1_i90.png", noise(3), "1_i90.png: holds 3 planes, but 1 is named (i90)"),
    "8 bit, not 16": ("deep", "images/val/1.png", noise(), "1.png: gray: is 8 bit, but bit_depth says 16"),
}
# only when its pixels are read: a training goes on without it
SEEN_LATE = ("colour where grey is named", "colour angle", "8 bit, not 16")


def make_set(root: Path, name: str) -> Path:
    """The data YAML of a small set of noise."""
    keys, files = SETS[name]
    for split, count in (("train", 4), ("val", 3)):
        for number in range(count):
            for file, content in files.items():
                path = root / file.replace("@", split).replace("#", str(number))
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), content)
            label = root / next(iter(files)).replace("images", "labels").replace("@", split).replace("#", str(number))
            label.parent.mkdir(parents=True, exist_ok=True)
            label.with_suffix(".txt").write_text("0 .5 .5 .3 .3\n")
    text = f"path: .\ntrain: images/train\nval: images/val\nnames: [flaw]\n{keys}\n"
    (root / "data.yaml").write_text(text, encoding="utf-8")
    return root / "data.yaml"


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, tuple[Path, list[str]]]:
    """Of each set its folder and the words that evaluate what was trained on it."""
    home = tmp_path_factory.mktemp("sets")
    made = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        for name in SETS:
            data = make_set(home / name, name)
            assert train.main([*words_for(name), "--data", str(data), "--name", name]) == 0
            weights = home / "runs" / "train" / name / "weights" / "last.pt"
            made[name] = (data.parent, ["--weights", str(weights), "--device", "cpu"])
    return made


def words_for(name: str) -> list[str]:
    cfg = "idfe-net-polar-n.yaml" if "polar" in SETS[name][0] else "idfe-net-n.yaml"
    return ["--cfg", cfg, *QUICK[2:], "--img", "64", "--epochs", "1", "--noplots"]


@pytest.mark.parametrize("case", SPOILED)
def test_bad_planes_are_one_line_and_exit_3(runs, case, tmp_path, monkeypatch, capsys):
    """By train.py, val.py and detect.py, the first two also from a loader process."""
    monkeypatch.chdir(tmp_path)
    name, file, content, said = SPOILED[case]
    good, weights = runs[name]
    shutil.copytree(good, tmp_path / "bad")
    if content is None:
        (tmp_path / "bad" / file).unlink()
    else:
        cv2.imwrite(str(tmp_path / "bad" / file), content)
    data = ["--data", str(tmp_path / "bad" / "data.yaml")]
    source = ["--source", str(tmp_path / "bad" / "images" / "val"), "--nosave"]
    calls = [
        (train.main, [*words_for(name), *data]),
        (val.main, [*weights, *data, "--workers", "0"]),
        (val.main, [*weights, *data, "--workers", "1", "--noplots"]),
        (detect.main, [*weights, *source, "--bad-data", "error"]),
    ]
    for main, words in calls:
        late = main is train.main and case in SEEN_LATE
        assert main(words) == (0 if late else 3)
        lines = capsys.readouterr().err.strip().splitlines()
        assert (
            any(said in line for line in lines) if late else lines[-1].startswith("error[DATA]") and said in lines[-1]
        )
        assert not any("Traceback" in line for line in lines)
    assert detect.main([*weights, *source]) == 3
    with open(max(Path("runs/detect").glob("exp*/summary.csv")), newline="", encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table) if row["status"] == "unreadable"]
    assert len(rows) == 1 and said in rows[0]["reason"]


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
