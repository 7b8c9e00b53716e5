"""Training from the command line: files, exact resume, mistakes of the user, learning itself."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest
import torch
from PIL import Image

import train
from models.ready.load import load_model
from models.rows.model_spec import read_spec
from tests.conftest import QUICK
from tests.test_resume import assert_same
from utils.config.paths import CFG
from utils.console.signals import Stopped
from utils.files import checkpoint
from utils.files.runs import ResultsCsv

FILES = (
    "weights/last.pt weights/last.prev.pt weights/best.pt results.csv results.png labels.jpg train_batch0.jpg "
    "val_batch0_labels.jpg val_batch0_pred.jpg opt.yaml hyp.yaml run.json data_report.json train.log results.json "
    "per_class.csv per_image.csv thresholds.yaml report.html report.json "
    "FROC.png recall_by_size.png overkill_escape.png calibration.png "
    "predictions.json truth.json PR_curve.png P_curve.png R_curve.png F1_curve.png confusion_matrix.png"
).split()


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    return {p.as_posix(): (p.stat().st_mtime_ns, p.stat().st_size) for p in sorted(folder.rglob("*"))}


def test_files_of_a_run(trained):
    missing = [name for name in FILES if not (trained / name).is_file()]
    assert missing == []
    rows = ResultsCsv(trained / "results.csv").rows()
    assert [row["epoch"] for row in rows] == ["0", "1"]
    assert all(row[c] for row in rows for c in ("train/box_loss", "train/obj_loss", "train/cls_loss", "x/lr2"))
    assert all(row[c] for row in rows for c in ("metrics/mAP_0.5", "val/box_loss", "val/obj_loss", "val/cls_loss"))
    data_report = json.loads((trained / "data_report.json").read_text())
    assert data_report["train"]["found"] == 12 == data_report["train"]["used"]


def test_checkpoints_are_plain(trained):
    content = checkpoint.load(trained / "weights" / "last.pt")
    assert content["names"][0] == "bubble" and content["epoch"] == 1
    assert "optimizer" not in checkpoint.load(trained / "weights" / "best.pt")


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_killed_and_resumed_equals_never_killed(trained, glass, tmp_path, monkeypatch, workers):
    """One epoch, Ctrl-C in the second, --resume: all equals the unbroken run bit for bit."""
    monkeypatch.chdir(tmp_path)
    whole, calls = train.train_one_epoch, []

    def interrupted(*args):
        calls.append(1)
        if len(calls) == 2:
            raise Stopped(signal.SIGINT)
        return whole(*args)

    monkeypatch.setattr(train, "train_one_epoch", interrupted)
    assert train.main([*QUICK, "--workers", str(workers), "--data", str(glass), "--epochs", "2"]) == 130
    monkeypatch.setattr(train, "train_one_epoch", whole)
    assert train.main(["--resume"]) == 0
    run = tmp_path / "runs" / "train" / "exp"
    assert_same(run, trained)
    assert train.main(["--resume"]) == 0  # finished: says so


def test_training_data_options(glass, tmp_path, monkeypatch):
    """All at once: the run ends well, says what cannot act, keeps pictures in the cache folder, none in the data's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    before = snapshot(glass.parent)
    words = "--epochs 1 --noplots --cache disk --rect --multi-scale --image-weights --close-mosaic 0".split()
    words += "--set augment.mixup=0.5 --set augment.copy_paste=0.5 --set augment.perspective=0.001".split()
    assert train.main([*QUICK, "--data", str(glass), *words]) == 0
    log = (tmp_path / "runs" / "train" / "exp" / "train.log").read_text()
    assert "WARNING --rect: mosaic is off" in log and log.count("WARNING") == 1
    assert len(list((tmp_path / "cache").rglob("*.rgb"))) == 18 and snapshot(glass.parent) == before


def test_some_of_the_pictures(glass, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    shown: list[int] = []
    whole = train.forward_backward
    monkeypatch.setattr(
        train, "forward_backward", lambda s, c, batch, *a: shown.append(len(batch.images)) or whole(s, c, batch, *a)
    )
    words = ["--noplots", "--noval", "--epochs", "1", "--set", "data.pictures=5", "--repeat", "2"]
    assert train.main([*QUICK, "--data", str(glass), *words]) == 0
    said = capsys.readouterr().out
    assert "data.pictures: 5 of 12 training pictures" in said and shown == [4, 4, 2]
    assert "--repeat 2: 5 pictures make 10 samples in every epoch" in said
    assert "5 pictures, 1 update of the weights in all: fifty pictures taught more in 480, which --repeat" in said


SLOW = [pytest.param(one, marks=pytest.mark.slow) for one in ("idfe-net-n", "idfe-net-basic-n", "idfe-net-free-n")]


@pytest.mark.parametrize("model", [*SLOW, "rtvpnet-n"])
def test_eight_pictures_are_learnt_by_heart(tmp_path, monkeypatch, capsys, model):
    from data.drawn.glass_set import write_glass

    monkeypatch.chdir(tmp_path)
    data = write_glass(tmp_path / "set", train=8, val=1, size=96)
    text = data.read_text().replace("val: images/val", "val: images/train")
    data.write_text(text)
    words = ["--cfg", f"{model}.yaml", "--data", str(data), "--img", "96", "--batch", "8", "--workers", "0"]
    words += ["--epochs", "120", "--noval", "--noplots", "--optimizer", "AdamW", "--device", "cpu"]
    words += ["--text-encoder", "ngram"] if model == "rtvpnet-n" else []
    knobs = "optim.lr0=0.004 optim.nominal_batch=8 model.bn_momentum=0.1 augment.mosaic=0 augment.scale=0 "
    knobs += "augment.translate=0 augment.fliplr=0 augment.hsv_h=0 augment.hsv_s=0 augment.hsv_v=0"
    assert train.main([*words, *(w for k in knobs.split() for w in ("--set", k)), "--nosave"]) == 0
    report = json.loads((tmp_path / "runs/train/exp/results.json").read_text())
    assert report["coco"]["AP50"] > 0.9, report["coco"]
    row = ResultsCsv(tmp_path / "runs/train/exp/results.csv").rows()[-1]
    anchors = model in ("idfe-net-n", "idfe-net-basic-n")
    present = {"obj": anchors, "dfl": not anchors}
    assert {part: bool(row[f"train/{part}_loss"]) for part in present} == present
    assert {part: bool(row[f"val/{part}_loss"]) for part in present} == present


@pytest.fixture
def small(glass, tmp_path, monkeypatch):
    """A copy of the glass set that a test may spoil, in its own working directory."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(glass.parent, tmp_path / "set")
    return tmp_path / "set"


def first(folder: Path, pattern: str) -> Path:
    return sorted(folder.glob(pattern))[0]


def labelled(small: Path, split: str = "train") -> Path:
    return next(p for p in sorted((small / "labels" / split).glob("*.txt")) if p.read_text())


def replace_row(small, row, split="train"):
    path = labelled(small, split)
    path.write_text("\n".join([row, *path.read_text().splitlines()[1:]]) + "\n")
    return path


SPOIL = {
    "missing folder": (lambda s: shutil.rmtree(s / "images/train"), 3, ["data.yaml:", "images/train"]),
    "empty split": (lambda s: [p.unlink() for p in (s / "images/val").iterdir()], 3, ["val", "no pictures"]),
    "class id too high": (lambda s: replace_row(s, "5 .5 .5 .1 .1"), 3, [".txt:1", "class 5", "names 5"]),
    "class id too high in val": (lambda s: replace_row(s, "9 .5 .5 .1 .1", "val"), 3, [".txt:1", "class 9"]),
    "four numbers in val": (lambda s: replace_row(s, "0 .5 .5 .1", "val"), 3, [".txt:1", "4 numbers"]),
    "six numbers in val": (lambda s: replace_row(s, "0 .5 .5 .1 .1 .9", "val"), 3, [".txt:1", "confidence"]),
    "outside in val": (lambda s: replace_row(s, "0 60 40 10 10", "val"), 3, [".txt:1", "pixels"]),
    "NaN in val": (lambda s: replace_row(s, "0 nan .5 .1 .1", "val"), 3, [".txt:1", "NaN"]),
    "unreadable picture in val": (
        lambda s: first(s / "images/val", "*.png").write_bytes(b"\x89PNG no"),
        3,
        ["glass_0001.png"],
    ),
    "wrong YAML key": (
        lambda s: (s / "data.yaml").write_text((s / "data.yaml").read_text().replace("names:", "nams:")),
        2,
        ["names"],
    ),
    "no labels at all": (
        lambda s: [shutil.rmtree(s / name) for name in ("labels", "annotations")],
        3,
        ["--allow-empty"],
    ),
}


@pytest.mark.parametrize("name", SPOIL)
def test_spoiled_data_is_one_line_and_an_exit_code(small, capsys, name):
    spoil, code, words = SPOIL[name]
    spoil(small)
    before = snapshot(small)
    assert train.main([*QUICK, "--data", str(small / "data.yaml"), "--epochs", "1"]) == code
    error = capsys.readouterr().err
    assert error.startswith("error[") and error.count("\n") == 1 and all(w in error for w in words), error
    assert snapshot(small) == before and not Path("runs").exists()


def test_bad_training_rows_are_left_out_and_reported(small):
    label = replace_row(small, "0 .5 .5 .1")
    for path in (label, small / "images/train" / f"{label.stem}.png"):
        path.rename(path.with_name(f"坏 row 1{path.suffix}"))
    broken = first(small / "images/train", "glass*.png")
    broken.write_bytes(broken.read_bytes()[:500])
    before = snapshot(small)
    assert train.main([*QUICK, "--data", str(small / "data.yaml"), "--epochs", "1", "--noplots"]) == 0
    report = json.loads(Path("runs/train/exp/data_report.json").read_text())["train"]
    assert report["found"] == 12 and report["used"] == 11 and sum(report["skipped"].values()) == 1
    assert sum(report["rows_dropped"].values()) == 1
    assert any(".txt:1" in p["where"] for p in report["problems"])
    assert snapshot(small) == before


@pytest.mark.parametrize("mode", ["L", "RGBA", "I;16", "P"])
def test_grey_rgba_16_bit_and_palette_pictures_train(small, mode):
    for path in (small / "images/train").glob("*.png"):
        grey = Image.open(path).convert("L")
        picture = grey.point(lambda v: v * 256, "I").convert("I;16") if mode == "I;16" else grey.convert(mode)
        picture.save(path)
    assert train.main([*QUICK, "--data", str(small / "data.yaml"), "--epochs", "1", "--noplots"]) == 0


WRONG = {
    "no data": ([], 2, ["--data", "--demo"]),
    "data that is not there": (["--data", "nowhere.yaml"], 2, ["nowhere.yaml"]),
    "cfg that is not there": (["--cfg", "idfe-net-m5.yaml"], 2, ["--cfg", "did you mean"]),
    "weights that are not there": (["--weights", "nowhere.pt"], 4, ["nowhere.pt"]),
    "unknown key": (["--set", "optim.lr=1"], 2, ["did you mean 'lr0'"]),
    "resume without a run": (["--resume", "nowhere.pt"], 4, ["nowhere.pt"]),
    "GPU that is not there": (["--device", "17"], 2, ["--device 17"]),
    "name that climbs out": (["--name", "../x"], 2, ["--name"]),
    "unknown flag": (["--epoch", "1"], 2, ["--epochs"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_command_lines(glass, tmp_path, monkeypatch, capsys, name):
    monkeypatch.chdir(tmp_path)
    words, code, expected = WRONG[name]
    base = [] if name == "no data" else [*QUICK, "--data", str(glass), "--epochs", "1"]
    assert train.main([*base, *words] if "resume" not in name else words) == code
    error = capsys.readouterr().err
    assert error.startswith("error[") and error.count("\n") == 1 and all(w in error for w in expected), error


def test_a_checkpoint_of_other_classes_gives_what_fits(trained, small, capsys):
    for split in ("train", "val"):
        for path in (small / "labels" / split).glob("*.txt"):
            path.write_text("".join(f"0{line[1:]}\n" for line in path.read_text().splitlines()))
    data = small / "one.yaml"
    data.write_text("path: .\ntrain: images/train\nval: images/val\nnames: [defect]\n")
    start = str(trained / "weights" / "best.pt")
    assert train.main([*QUICK, "--data", str(data), "--weights", start, "--epochs", "1", "--noplots"]) == 0
    assert "tensors taken" in capsys.readouterr().out


@pytest.fixture
def odd(small):
    """The data YAML of pictures whose boxes are far thinner than the anchors reach: 86x2.9 px at --img 96."""
    for path in (small / "labels").rglob("*.txt"):
        rows = [
            f"{line.split()[0]} .5 {0.3 + 0.1 * i} .9 .03\n" for i, line in enumerate(path.read_text().splitlines())
        ]
        path.write_text("".join(rows))
    return small / "data.yaml"


def anchors_after(words, name):
    path = Path(f"runs/train/{name}/weights/last.pt")
    assert train.main([*words, "--epochs", "1", "--noplots", "--noval", "--name", name]) == 0
    anchors = checkpoint.load(path)["model_spec"]["anchors"]
    assert torch.tensor(anchors).flatten().tolist() == load_model(path).model.head.anchors.flatten().tolist()
    return anchors


def test_anchors_are_fitted_to_the_boxes(odd, capsys):
    """From scratch only, unless forbidden; the checkpoint's network has the new ones and goes on with them."""
    words, published = [*QUICK, "--data", str(odd)], read_spec(CFG / "models" / "idfe-net-n.yaml").data["anchors"]
    assert anchors_after([*words, "--noautoanchor"], "kept") == published
    assert "anchors:" not in capsys.readouterr().out
    fitted = anchors_after(words, "fitted")
    assert "anchors: 0.0%" in capsys.readouterr().out and len(fitted) == 3 and fitted != published
    assert all(width > 43 and height < 6 for row in fitted for width, height in zip(row[::2], row[1::2], strict=True))
    assert anchors_after(words, "again") == fitted


def test_anchors_of_given_weights_stay(odd, trained, capsys):
    words = [*QUICK, "--data", str(odd), "--weights", str(trained / "weights" / "best.pt")]
    assert train.main([*words, "--epochs", "1", "--noplots", "--noval"]) == 0
    assert "anchors:" not in capsys.readouterr().out


def test_divergence_is_named(glass, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--set", "optim.lr0=1e5", "--set", "schedule.warmup_epochs=0", "--set", "optim.nominal_batch=1"]
    code = train.main([*QUICK, "--data", str(glass), "--epochs", "20", "--noplots", "--noval", *words])
    assert code == 5 and "optim.lr0" in capsys.readouterr().err
    for path in Path("runs/train/exp/weights").glob("*.pt"):
        tensors = checkpoint.load(path)["ema"]["module"].values()
        assert all(t.isfinite().all() for t in tensors if t.is_floating_point())


def test_paths_may_hold_blanks_and_chinese(glass, tmp_path, monkeypatch):
    home = tmp_path / "数据 set 1"
    shutil.copytree(glass.parent, home)
    for path in [*(home / "images").rglob("*.png"), *(home / "labels").rglob("*.txt")]:
        path.rename(path.with_name(f"缺陷 {path.name}"))
    shutil.rmtree(home / "annotations")
    monkeypatch.chdir(tmp_path)
    assert train.main([*QUICK, "--data", os.fspath(home / "data.yaml"), "--epochs", "1"]) == 0
