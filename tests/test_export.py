"""The export command: what it writes does as val.py and detect.py do with the checkpoint, or nothing is written."""

import csv
import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import detect
from detect import Detector
from models import benchmark, export
from models.exported.opened import open_exported
from models.exporting.candidate import OnnxCandidate
from models.ready.load import load_model
from tests.models.exporting.test_gate import boxes_moved, classes_swapped, nms_limited
from tests.models.exporting.test_onnx_writer import pictures_of
from tests.test_detect import rows, run_detect
from tests.test_val import run_val
from utils.files import checkpoint

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

KINDS = {
    "onnx": ["--format", "onnx"],
    "nms": ["--format", "onnx", "--nms", "--out", "OUT/nms.onnx"],
    "static": ["--format", "onnx", "--static", "--batch-size", "2", "--out", "OUT/static.onnx"],
    "openvino": ["--format", "openvino"],
}
RUNNING = list(KINDS)


@pytest.fixture(scope="module")
def run(trained, tmp_path_factory) -> Path:
    """A copy of the run, in a working directory of its own: exported files lie beside its weights. What two epochs
    teach does not depend on the picture: statistics of pictures make it so, a steeper head makes it find much.
    """
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(trained, home / "runs" / "train" / "exp")
    weights = home / "runs" / "train" / "exp" / "weights" / "best.pt"
    content = checkpoint.load(weights)
    content["ema"]["module"] = with_contrast(load_model(weights).model).state_dict()
    checkpoint.save(weights, content)
    return home / "runs" / "train" / "exp"


@torch.no_grad()
def with_contrast(model):
    model.train()
    for norm in model.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.momentum = 1.0
    model(pictures_of(model, 3, 4, 4, torch.Generator().manual_seed(0)))
    for conv in model.layers[-1].convs:
        conv.bias += 1.0
    return model.eval()


def run_export(run, *words, weights="best.pt"):
    words = [word.replace("OUT", str(run / "weights")) for word in words]
    return export.main(["--weights", str(run / "weights" / weights), "--pictures", "3", *words])


@pytest.fixture(scope="module")
def files(run):
    """Every file by the kind; OpenVINO where it is installed."""
    found = {}
    for kind, words in KINDS.items():
        if kind == "openvino" and not installed("openvino"):
            continue
        assert run_export(run, *words) == 0
        found[kind] = run / "weights" / {"onnx": "best.onnx", "openvino": "best_openvino"}.get(kind, f"{kind}.onnx")
        assert found[kind].exists()
    return found


def installed(name):
    try:
        __import__(name)
    except ImportError:
        return False
    return sys.modules.get(name) is not None


def of(files, kind):
    if kind not in files:
        pytest.skip(f"{kind} is not installed")
    return str(files[kind])


def one_line(capsys, code, expected, words):
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error[")]
    assert code == expected and len(lines) == 1 and words in lines[0], lines


# --- what is written ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def right(run):
    """What val.py says of the checkpoint."""
    code, folder = run_val(run, "--weights", str(run / "weights" / "best.pt"), "--noplots", "--batch", "2")
    assert code == 0
    return {name: json.loads((folder / f"{name}.json").read_text()) for name in ("results", "predictions")}


@pytest.mark.parametrize("kind", RUNNING)
def test_val_gives_the_numbers_of_the_checkpoint(files, run, right, kind):
    words = ["--noplots", "--batch", "2"]
    code, folder = run_val(run, "--weights", of(files, kind), *words)
    results, found = (json.loads((folder / f"{name}.json").read_text()) for name in ("results", "predictions"))
    assert code == 0
    for name, value in right["results"]["coco"].items():
        assert results["coco"][name] == (value if value is None else pytest.approx(value, abs=1e-4)), name
    wanted = right["predictions"]
    assert wanted and abs(len(found) - len(wanted)) <= 0.01 * len(wanted)
    table = {}
    for row in found:
        table.setdefault((row["image_id"], row["category_id"]), []).append(row)
    apart = 0
    for row in wanted:
        near = table.get((row["image_id"], row["category_id"]), [])
        apart += not any(
            abs(one["score"] - row["score"]) < 1e-3 and one["bbox"] == pytest.approx(row["bbox"], abs=0.5)
            for one in near
        )
    assert apart <= 0.01 * len(wanted)
    assert json.loads((folder / "run.json").read_text())["computed_in"] == "fp32"


def test_a_run_says_which_file_it_evaluated(files, run):
    code, folder = run_val(run, "--weights", of(files, "onnx"), "--noplots")
    about = json.loads((folder / "run.json").read_text())
    assert code == 0 and about["weights"] == "best.onnx"
    assert about["weights_sha256"] == hashlib.sha256(files["onnx"].read_bytes()).hexdigest()


@pytest.mark.parametrize("kind", RUNNING)
def test_every_verdict_is_the_same(files, run, glass, kind, tmp_path):
    verdicts, words = [], ["--source", str(glass.parent / "images" / "val"), "--device", "cpu", "--nosave"]
    words += ["--thresholds", str(run / "thresholds.yaml"), "--project", str(tmp_path)]
    for name, weights in (("pt", str(run / "weights" / "best.pt")), ("file", of(files, kind))):
        assert detect.main([*words, "--weights", weights, "--name", name]) == 0
        verdicts.append([(row["image"], row["verdict"]) for row in rows(tmp_path / name)])
    assert verdicts[0] == verdicts[1] and len(verdicts[0]) == 6


@pytest.mark.parametrize("kind", ["onnx", "nms"])
def test_from_python_and_timed(files, run, glass, kind):
    picture = next((glass.parent / "images" / "val").glob("*.png"))
    one, other = (Detector(weights)(picture, conf=0.001) for weights in (run / "weights" / "best.pt", of(files, kind)))
    assert len(one) and abs(len(one) - len(other)) <= 3
    count = min(len(one), len(other), 5)
    torch.testing.assert_close(other.scores[:count], one.scores[:count], atol=1e-4, rtol=0)
    code, folder = run_val(run, "--weights", of(files, kind), "--task", "speed", "--img", "64", "--noplots")
    report = json.loads((folder / "speed.json").read_text())
    assert code == 0 and report["precision"] == "fp32" and report["device"] == "cpu"
    assert all(row["p50"] > 0 for row in report["ms_per_picture"].values())


def test_questions_are_read_by_the_thresholds_of_the_run(files, run, glass, tmp_path, capsys):
    answers = []
    for number, weights in enumerate((str(run / "weights" / "best.pt"), of(files, "onnx"))):
        words = ["--source", str(glass.parent / "images" / "val"), "--weights", weights, "--device", "cpu", "--nosave"]
        asked = ["--ask", "is there a bubble?", "--ask", "is the part good?"]
        assert detect.main([*words, *asked, "--project", str(tmp_path), "--name", f"{number}"]) == 0
        assert str(run / "thresholds.yaml") in capsys.readouterr().out
        with (tmp_path / f"{number}" / "answers.csv").open(encoding="utf-8") as file:
            answers.append([(row["image"], row["question"], row["answer"]) for row in csv.DictReader(file)])
    assert answers[0] == answers[1] and len(answers[0]) == 12


def test_what_a_file_says(files, run):
    about = open_exported(files["onnx"]).about
    assert about.names == tuple(checkpoint.load(run / "weights" / "best.pt")["names"]) and about.imgsz == 96
    assert about.gate["batches"] == [1, 3] and len(about.gate["sizes"]) >= 3 and about.gate["boxes"] > 0
    assert about.thresholds == (run / "thresholds.yaml").read_text(encoding="utf-8") and about.stride == 32
    assert open_exported(files["static"]).about.shape == (2, 96, 96)
    assert json.loads(files["onnx"].with_name("best.onnx.export.json").read_text())["detector"]["gate"] == about.gate


def test_torchscript_is_written_and_never_run(run, capsys):
    assert run_export(run, "--format", "torchscript") == 0
    path = run / "weights" / "best.torchscript"
    extra = {"detector": ""}
    module = torch.jit.load(str(path), _extra_files=extra)
    assert json.loads(extra["detector"])["names"] and module(torch.rand(2, 3, 96, 64)).shape[::2] == (2, 9)
    capsys.readouterr()
    code, _ = run_val(run, "--weights", str(path))
    one_line(capsys, code, 4, "TorchScript is a program")


def test_written_again_in_the_place_of_the_old_one(files, run):
    if "openvino" not in files:
        pytest.skip("openvino is not installed")
    (files["openvino"] / "model.bin").write_bytes(b"old")
    assert run_export(run, "--format", "openvino") == 0
    open_exported(files["openvino"])
    assert not [p for p in (run / "weights").iterdir() if p.name.endswith(".tmp")]


# --- what an exported file cannot do --------------------------------------------------------------------------------


def test_half_is_said_to_do_nothing(files, run, capsys):
    code, _ = run_val(run, "--weights", of(files, "onnx"), "--half", "--noplots")
    assert code == 0 and "--half: has no effect on an ONNX file" in capsys.readouterr().out


CANNOT = {
    "larger than static": ("static", ["--img", "128"], 2, "--img: "),
    "chance": ("onnx", ["--set", "val.chance=1"], 2, "val.chance"),
    "prompts": ("onnx", ["--prompts", "bubble"], 2, "prompts"),
    "sam": ("onnx", ["--set", "model.sam=none"], 2, "model.sam"),
}


@pytest.mark.parametrize("name", CANNOT)
def test_val_says_what_a_file_cannot_do(files, run, capsys, name):
    kind, words, code, said = CANNOT[name]
    got, _ = run_val(run, "--weights", of(files, kind), "--noplots", *words)
    one_line(capsys, got, code, said)


DETECT = {
    "agnostic": ("nms", ["--agnostic-nms"], "--agnostic-nms: "),
    "save prompts": ("onnx", ["--save-prompts", "OUT/new.pt"], "prompts"),
    "examples": ("onnx", ["--examples", "GLASS"], "prompts"),
    "unknown": ("onnx", ["--unknown"], "prompts need a model that reads text"),
}


@pytest.mark.parametrize("name", DETECT)
def test_detect_says_what_a_file_cannot_do(files, run, glass, tmp_path, capsys, name):
    kind, words, said = DETECT[name]
    words = [word.replace("OUT", str(tmp_path)).replace("GLASS", str(glass)) for word in words]
    code, _ = run_detect(run, "--weights", of(files, kind), "--source", str(glass.parent / "images" / "val"), *words)
    one_line(capsys, code, 2, said)
    assert not (tmp_path / "new.pt").exists()


def test_an_exported_file_is_not_exported_again(files, run, capsys):
    one_line(capsys, run_export(run, weights="best.onnx"), 2, "is an exported file; name the checkpoint")


# --- what is refused ------------------------------------------------------------------------------------------------

MISTAKES = {
    "int8 and half": (["--int8", "--half"], 2, "--int8, --half"),
    "int8 and text": (["--int8", "--text-input"], 2, "--int8, --text-input"),
    "int8 of tensorrt": (["--format", "tensorrt", "--int8"], 2, "--int8: "),
    "weights that ship": (["--weights", "rtvpnet-lite0-n"], 2, "--out: rtvpnet-lite0-n.pt ships"),
    "nms of openvino": (["--format", "openvino", "--nms"], 2, "--nms: "),
    "half of torchscript": (["--format", "torchscript", "--half"], 2, "--half: "),
    "batch of any": (["--batch-size", "2"], 2, "--batch-size: "),
    "bundle of openvino": (["--format", "openvino", "--bundle", "OUT/b"], 2, "--bundle: "),
    "text of a closed network": (["--text-input"], 2, "reads no text"),
    "other ending": (["--out", "OUT/x.pt"], 2, "must end with .onnx"),
    "missing folder": (["--out", "OUT/nowhere/x.onnx"], 2, "its folder does not exist"),
    "data that is not there": (["--data", "nowhere.yaml"], 2, "nowhere.yaml"),
    "thresholds that are not there": (["--thresholds", "nowhere.yaml"], 2, "nowhere.yaml"),
    "format": (["--format", "coreml"], 2, "coreml"),
    "pictures": (["--pictures", "0"], 2, "--pictures"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes(run, capsys, name):
    words, code, said = MISTAKES[name]
    before = sorted(run.rglob("*"))
    one_line(capsys, run_export(run, *words), code, said)
    assert sorted(run.rglob("*")) == before


def test_a_folder_that_is_no_export_is_left_alone(run, tmp_path, capsys):
    for name in ("mine_openvino", "mine.onnx"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine.txt").write_text("mine")
        words = ["--format", "openvino"] if "openvino" in name else []
        code = run_export(run, *words, "--out", str(tmp_path / name))
        one_line(capsys, code, 2, "is no exported folder")
        assert (tmp_path / name / "mine.txt").read_text() == "mine"


def test_a_folder_that_cannot_be_written(run, tmp_path, capsys):
    (tmp_path / "locked").mkdir(mode=0o500)
    try:
        (tmp_path / "locked" / "probe").touch()
    except PermissionError:
        one_line(capsys, run_export(run, "--out", str(tmp_path / "locked" / "x.onnx")), 6, "locked")
    else:
        pytest.skip("whoever runs the tests may write everywhere")


def test_damaged_checkpoint(run, tmp_path, capsys):
    path = tmp_path / "best.pt"
    path.write_bytes((run / "weights" / "best.pt").read_bytes()[:-1000])
    one_line(capsys, export.main(["--weights", str(path)]), 4, str(path))
    one_line(capsys, export.main(["--weights", str(tmp_path / "none.pt")]), 4, "none.pt")
    assert list(tmp_path.iterdir()) == [path]


def row_changed(model):
    """The second convolution with the other sign."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    node = [node for node in copy.graph.node if node.op_type == "Conv"][1]
    (one,) = (tensor for tensor in copy.graph.initializer if tensor.name == node.input[1])
    one.CopyFrom(onnx.numpy_helper.from_array(-onnx.numpy_helper.to_array(one), one.name))
    return copy


@pytest.mark.parametrize("plant", [row_changed, boxes_moved, nms_limited], ids=lambda plant: plant.__name__)
def test_a_file_that_is_not_equal_is_not_written(run, tmp_path, monkeypatch, capsys, plant):
    true = export.Writer.__call__
    monkeypatch.setattr(export.Writer, "__call__", lambda self, *a: planted(true(self, *a), plant))
    words = ["--nms"] if plant is nms_limited else []
    code = run_export(run, "--out", str(tmp_path / "x.onnx"), *words)
    line = next(line for line in capsys.readouterr().err.splitlines() if line.startswith("error["))
    assert code == 5 and line.startswith("error[NUMERIC]: gate: ") and line.endswith("nothing is written")
    assert ("the first row that departs is row 1 (Conv, " in line) == (plant is row_changed)
    assert not list(tmp_path.iterdir())


def test_a_class_in_the_place_of_another_is_not_written(run, tmp_path, monkeypatch):
    true = export.Writer.__call__
    monkeypatch.setattr(export.Writer, "__call__", lambda self, *a: planted(true(self, *a), classes_swapped))
    assert run_export(run, "--out", str(tmp_path / "x.onnx")) == 5


def planted(candidate, plant):
    assert isinstance(candidate, OnnxCandidate)
    if plant is not nms_limited:
        return replace(candidate, model=plant(candidate.model))
    for node in candidate.model.graph.node:  # NMS is behind it already
        node.input[:] = ["limit" if one == "max_det" else one for one in node.input]
    candidate.model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(20), "limit"))
    return candidate


# --- other numbers, text, the folder for a line, the table of all --------------------------------------------------


def test_8_bits_hold_the_scores_and_keep_the_list(files, run, glass, capsys, monkeypatch):
    """The small set has 12 training pictures, with few boxes: half of all may be lost."""
    of(files, "onnx")
    assert run_export(run, "--int8", "--tolerance", "0.5") == 0
    about = open_exported(run / "weights" / "best-int8.onnx").about
    said = capsys.readouterr().out
    assert (
        about.number == "int8" and f"gate passed: in 8 bits but for {', '.join(about.float_parts) or 'nothing'}" in said
    )
    proof = about.gate
    assert proof["calibrated_on"] == 12
    assert all((proof["float"][name] or 0) - (proof["int8"][name] or 0) <= 0.5 for name in proof["float"])
    monkeypatch.setattr(export, "FEWEST", 13)
    assert run_export(run, "--int8", "--out", "OUT/other.onnx") == 3
    assert "--int8: 12 training pictures; to calibrate takes 13 at least" in capsys.readouterr().err
    assert not (run / "weights" / "other.onnx").exists()


def test_other_names_are_looked_for_by_a_file_that_takes_text(glass, tmp_path, capsys):
    """By the checkpoint that ships: its glossary's names need no encoder. Scores equal those of the checkpoint."""
    file = tmp_path / "open.onnx"
    words = ["--weights", "rtvpnet-lite0-n", "--text-input", "--img", "96", "--pictures", "2", "--out", str(file)]
    assert export.main(words) == 0
    picture = next((glass.parent / "images" / "val").glob("*.png"))
    looks = dict(prompts="scratch, bubble", imgsz=96, device="cpu")
    one, other = Detector("rtvpnet-lite0-n", static=True, **looks), Detector(file, **looks)
    found, again = one(picture, conf=0.001), other(picture, conf=0.001)
    assert other.names == ("scratch", "bubble") and len(found) > 3
    torch.testing.assert_close(again.scores, found.scores, atol=1e-5, rtol=0)
    torch.testing.assert_close(again.boxes, found.boxes, atol=1e-2, rtol=0)
    asked = other.ask(picture, "is there a bubble?")
    assert asked.refusal == ""
    for words, said in (
        (["--save-prompts", str(tmp_path / "x.pt")], "--save-prompts: "),
        (["--examples", str(glass)], "--examples: "),
    ):
        prompts = ["--prompts", "scratch"] if "--save-prompts" in words else []
        code = detect.main(["--weights", str(file), "--source", str(picture), "--device", "cpu", *prompts, *words])
        one_line(capsys, code, 2, f"{said}{file} is an exported file")


def test_a_folder_for_the_line(run, tmp_path, capsys):
    line = tmp_path / "line"
    thresholds = ["--thresholds", str(run / "thresholds.yaml")]
    assert run_export(run, *thresholds, "--out", "OUT/line.onnx", "--bundle", str(line)) == 0
    told = json.loads((line / "expected.json").read_text())["pictures"]
    assert len(told) == 3 == len(list((line / "pictures").iterdir()))
    moved = line.rename(tmp_path / "moved")
    done = subprocess.run(
        [sys.executable, moved / "infer.py", "--selftest"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "selftest passed: 3 pictures" in done.stdout, done.stderr
    capsys.readouterr()
    assert run_export(run, *thresholds, "--out", "OUT/line2.onnx", "--bundle", str(moved)) == 2
    one_line(capsys, 2, 2, "holds files already")
    assert not (run / "weights" / "line2.onnx").exists()


def test_all_files_in_one_table(files, run, capsys):
    of(files, "onnx")
    assert benchmark.main(["--exports", str(run / "weights"), "--repeats", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [line for line in lines if line.startswith(("torch", "best", "nms", "static"))]
    names = [row.split(",")[0].split("  ")[0] for row in rows]
    assert names[0].startswith("torch fp32") and {"best.onnx", "nms.onnx", "static.onnx"} <= set(names)
    scores = {name: row.split()[-3:] for name, row in zip(names, rows, strict=True)}
    assert scores["best.onnx"][:2] == scores["torch fp32"][:2] and float(scores["best.onnx"][2]) < 1e-2
    assert benchmark.main(["--exports", str(run)]) == 2
    assert "give --weights" in capsys.readouterr().err
