"""train.py's command line: what the flags do to a run, and planted mistakes with exit code and the place named."""

import csv
from pathlib import Path

import pytest
import torch

import train
from models.ready.load import load_model
from tests.conftest import QUICK
from utils.config.paths import CFG
from utils.files import checkpoint
from utils.files.runs import ResultsCsv


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_freeze_bf16_best_metric_and_max_time_over_a_resume(trained, glass, here, capsys):
    """A run that its time limit ends after one of two epochs is whole, goes on, and leaves its frozen rows alone."""
    words = [*QUICK, "--data", str(glass), "--epochs", "2", "--noval", "--noplots", "--bf16"]
    words += ["--weights", str(trained / "weights" / "best.pt"), "--freeze", "8", "--best-metric", "recall"]
    assert train.main([*words, "--max-time", "0.01s"]) == 0
    run = here / "runs" / "train" / "exp"
    assert "frozen: the first 8 rows of 31" in (run / "train.log").read_text() + capsys.readouterr().out
    assert [row["epoch"] for row in ResultsCsv(run / "results.csv").rows()] == ["0"]
    assert (run / "results.json").is_file() and (run / "weights" / "best.pt").is_file()
    assert train.main(["--resume", "--max-time", "0"]) == 0
    content = checkpoint.load(run / "weights" / "last.pt")
    rows = ResultsCsv(run / "results.csv").rows()
    assert [row["epoch"] for row in rows] == ["0", "1"] and content["config"]["run"]["best_metric"] == "recall"
    assert content["best"] == pytest.approx(max(float(row["metrics/recall"]) for row in rows), rel=1e-5)
    start = load_model(trained / "weights" / "best.pt").model.state_dict()
    frozen = [name for name in start if name.split(".")[1] in map(str, range(8))]
    for weights in (content["model"], content["ema"]["module"]):
        assert all(torch.equal(weights[name], start[name]) for name in frozen)
    assert not torch.equal(content["model"]["layers.8.0.cv1.conv.weight"], start["layers.8.0.cv1.conv.weight"])
    assert "bf16: true  # --bf16" in (run / "opt.yaml").read_text()


def test_dry_run_says_all_and_writes_nothing(trained, glass, here, capsys):
    words = [*QUICK, "--batch", "-1", "--data", str(glass), "--hyp", str(trained / "hyp.yaml"), "--dry-run"]
    assert train.main(words) == 0
    said = capsys.readouterr().out
    for expected in (
        "on the CPU a larger batch gains nothing: using 16",
        "bubble ",
        "train: 12 pictures, ",
        "batch 16 = 16 x 1 process",
        "steps: 1 an epoch, 2 in 2 epochs",  # the epochs of hyp.yaml
        "optimizer: AdamW, lr 0.002",
        "2,863,639 parameters, 0.1 GFLOPs at 96 px",
        "expected: ",
        " GiB at the peak",
        "would go to runs/train/exp",
    ):
        assert expected in said, expected
    assert list(here.iterdir()) == []


def test_results_csv_as_a_yolov5_notebook_reads_it(trained):
    with (trained / "results.csv").open(encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    columns = [name.strip() for name in header]
    assert columns == header and columns[:14] == (
        "epoch,train/box_loss,train/obj_loss,train/cls_loss,metrics/precision,metrics/recall,metrics/mAP_0.5,"
        "metrics/mAP_0.5:0.95,val/box_loss,val/obj_loss,val/cls_loss,x/lr0,x/lr1,x/lr2"
    ).split(",")
    values = {name: [float(row[i]) for row in rows] for i, name in enumerate(columns[:14])}
    assert values["epoch"] == [0, 1] and all(len(v) == 2 for v in values.values())
    fitness = [
        0.1 * a + 0.9 * b for a, b in zip(values["metrics/mAP_0.5"], values["metrics/mAP_0.5:0.95"], strict=True)
    ]
    assert max(fitness) == pytest.approx(checkpoint.load(trained / "weights" / "last.pt")["best"], rel=1e-4, abs=1e-6)


def hyp(text):
    Path("my-hyp.yaml").write_text(text)
    return ["--hyp", "my-hyp.yaml"]


def model(old, new):
    """A model YAML of the user's with one mistake."""
    text = (CFG / "models" / "idfe-net-n.yaml").read_text()
    assert text.count(old) == 1
    Path("my-net.yaml").write_text(text.replace(old, new))
    return ["--cfg", "my-net.yaml"]


def place(text):
    """Where `text` stands in idfe-net-n.yaml, and so in a copy of as many lines."""
    rows = (CFG / "models" / "idfe-net-n.yaml").read_text().splitlines()
    return f"my-net.yaml:{next(i for i, row in enumerate(rows, 1) if text in row)}: "


P5 = "  - [116, 90, 156, 198, 373, 326]"  # anchors
HEAD = "AnchorDetect, [$nc, $anchors]"
# words (or a function that writes files and gives them), exit code, words of the message
MISTAKES = {
    "near miss of a flag": (["--batchsize", "4"], 2, ["train.py: ", "--batchsize", "did you mean --batch-size?"]),
    "word without a flag": (["version2.yaml"], 2, ["version2.yaml", "needs quotes"]),
    "flag without its value": (["--optimizer"], 2, ["--optimizer", "expected one argument"]),
    "word for a number": (["--epochs", "many"], 2, ["--epochs", "invalid int value: 'many'"]),
    "batch of nothing": (["--batch", "0"], 2, ["--batch-size: data.batch_size", "from 1 to 65,536 (or -1), got 0"]),
    "negative epochs": (["--epochs", "-3"], 2, ["--epochs: schedule.epochs", "from 1 to 1,000,000, got -3"]),
    "label smoothing above one": (
        ["--label-smoothing", "2"],
        2,
        ["--label-smoothing: anchor_loss.label_smoothing", "got 2"],
    ),
    "optimizer that is not there": (["--optimizer", "adamw"], 2, ["--optimizer: optim.name", "did you mean 'AdamW'?"]),
    "metric that is not there": (["--best-metric", "map95"], 2, ["--best-metric: run.best_metric", "'map50"]),
    "time without sense": (["--max-time", "soon"], 2, ["--max-time soon", "30m"]),
    "same knob twice": (["--set", "optim.lr0=1", "--set", "optim.lr0=2"], 2, ["--set optim.lr0=2", "set twice"]),
    "list for a number": (["--set", "optim.lr0=[1]"], 2, ["--set optim.lr0=[1]: optim.lr0 must be float"]),
    "formats that contradict": (["--bf16", "--no-amp"], 2, ["--bf16: contradicts --no-amp"]),
    "more rows than there are": (["--freeze", "99"], 2, ["--freeze 99: idfe-net-n.yaml has 31 rows"]),
    "row of no such name": (["--freeze", "edge3", "edg4"], 2, ["--freeze edg4", "did you mean 'edge4'?"]),
    "nothing left to train": (["--freeze", "31"], 2, ["--freeze: all 31 rows"]),
    "evolve": (["--evolve", "300"], 2, ["train.py: --evolve: "]),
    "weights without a file": (["--weights", "yolov5s.pt"], 4, ["yolov5s.pt: no such checkpoint"]),
    "resume and cfg": (["--resume"], 4, ["--resume: no runs/train"]),
    "demo and hyp": (["--demo", "--hyp", "default.yaml"], 2, ["--demo", "leave out --hyp"]),
    "hyp with a wrong key": (lambda: hyp("lr0: 0.01\n\nmosaik: 1.0\n"), 2, ["my-hyp.yaml:3", "did you mean 'mosaic'?"]),
    "hyp with a value beyond": (
        lambda: hyp("free_loss:\n  box: -1\n"),
        2,
        ["my-hyp.yaml:2: free_loss.box", "from 0 to"],
    ),
    "hyp with a key twice": (lambda: hyp("lr0: 1\nlr0: 2\n"), 2, ["my-hyp.yaml:2: key 'lr0' appears twice"]),
    "hyp that is no YAML": (lambda: hyp("lr0: [1,\n"), 2, ["my-hyp.yaml:2: not valid YAML"]),
    "hyp that is not there": (["--hyp", "hyp.scratch.yaml"], 2, ["--hyp hyp.scratch.yaml", "cfg/train has"]),
    "anchors of too few levels": (lambda: model(P5, ""), 2, [place(HEAD), "2 rows of anchors for 3 levels"]),
    "anchors of odd length": (lambda: model("[10, 13, 16,", "[10, 16,"), 2, [place(HEAD), "width, height pairs"]),
    "unknown layer": (lambda: model("SPPF,", "SPPFF,"), 2, [place("SPPF,"), "did you mean 'SPPF'?"]),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_name_their_place(glass, here, capsys, name):
    words, code, expected = MISTAKES[name]
    words = words if isinstance(words, list) else words()
    base = [] if {"--demo", "--resume"} & set(words) else [*QUICK, "--data", str(glass)]
    assert train.main([*base, *words]) == code
    error = capsys.readouterr().err
    assert error.startswith("error[") and error.count("\n") == 1 and all(w in error for w in expected), error
    assert not Path("runs").exists()


def test_resume_takes_no_other_network(trained, here, capsys):
    last = str(trained / "weights" / "last.pt")
    assert train.main(["--resume", last, "--cfg", "idfe-net-m.yaml", "--freeze", "3"]) == 2
    error = capsys.readouterr().err
    assert "--resume: continues with the run's own configuration; leave out --cfg, --freeze" in error
