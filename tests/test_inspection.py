"""Inspection from the command line: what val.py says, what detect.py does with it, to the picture."""

import contextlib
import csv
import json
import shutil

import numpy as np
import pytest

import detect
import val
from tests.conftest import QUICK
from utils.deciding.threshold_file import DetectionSettings, Limits, read_limits, read_making, read_thresholds
from utils.files.checkpoint import weights_about
from utils.scoring import coco
from utils.values.detections import Detections
from utils.values.score_thresholds import ScoreThresholds

FIGURES = ("FROC.png", "recall_by_size.png", "overkill_escape.png", "calibration.png", "thresholds.yaml")


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    """A run that has learnt its pictures by heart well enough to find some defects; every third is a good one."""
    import train
    from data.drawn.glass_set import write_glass

    home = tmp_path_factory.mktemp("learnt")
    data = write_glass(home / "set", train=12, val=12, size=128)
    data.write_text(data.read_text().replace("val: images/val", "val: images/train"))
    shutil.rmtree(data.parent / "annotations")
    for number, path in enumerate(sorted((data.parent / "labels" / "train").glob("*.txt"))):
        if number % 3 == 0:
            path.write_text("")
    words = "--epochs 60 --noval --nosave --optimizer AdamW".split()
    knobs = "optim.lr0=0.004 optim.nominal_batch=4 model.bn_momentum=0.1 augment.mosaic=0 augment.scale=0 "
    knobs += "augment.translate=0 augment.fliplr=0 augment.hsv_h=0 augment.hsv_s=0 augment.hsv_v=0"
    words += [word for knob in knobs.split() for word in ("--set", knob)]
    with contextlib.chdir(home):
        assert train.main([*QUICK, "--data", str(data), *words]) == 0
    return home


@pytest.fixture(scope="module")
def relabelled(learnt):
    """The same pictures, but one shows a defect where nothing is, and one of the bad ones counts as good."""
    data = learnt / "other"
    shutil.copytree(learnt / "set", data)
    bad = [path for path in sorted((data / "labels" / "train").glob("*.txt")) if path.read_text()]
    bad[0].write_text("0 0.02 0.02 0.03 0.03\n")
    bad[1].write_text("")
    return data / "data.yaml"


def run(home, script, kind, *words):
    with contextlib.chdir(home):
        code = script.main(["--device", "cpu", *words])
    return code, max((home / "runs" / kind).glob("*"), key=lambda p: p.stat().st_mtime_ns, default=None)


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def overlap(a, b):
    """IoU of two xywh boxes."""
    size = [max(min(a[k] + a[k + 2], b[k] + b[k + 2]) - max(a[k], b[k]), 0) for k in (0, 1)]
    common = size[0] * size[1]
    return common / (a[2] * a[3] + b[2] * b[3] - common)


@pytest.mark.parametrize(
    "aim",
    [["--fa-per-image", "0.25"], ["--cost", "escape=1,overkill=1"], ["--max-overkill", "0.4"], ["--max-escape", "0.3"]],
)
def test_detect_with_thresholds_reproduces_escape_and_overkill(learnt, relabelled, aim, capsys):
    """Which pictures escape and which are rejected is worked out from detect.py's files and the truth alone."""
    words = ["--data", str(relabelled), "--workers", "0", "--batch", "4", "--weights", last(learnt)]
    code, scored = run(learnt, val, "val", *words, *aim)
    assert code == 0 and all((scored / name).is_file() for name in FIGURES)
    said = capsys.readouterr().out
    point = read(scored / "results.json")["inspection"]["operating_point"]
    truth = read(scored / "truth.json")
    pictures = str(learnt / "set" / "images" / "train")
    flags = ["--thresholds", str(scored / "thresholds.yaml"), "--save-json", "--nosave", "--weights", last(learnt)]
    code, found = run(learnt, detect, "detect", "--source", pictures, *flags, "--fail-on-defect", "--batch", "3")
    assert code == 10
    with (found / "summary.csv").open(newline="", encoding="utf-8") as file:
        verdicts = {row["image"]: row["verdict"] for row in csv.DictReader(file)}
    rows, names = read(found / "predictions.json"), {c["id"]: c["name"] for c in truth["categories"]}
    escapes, overkills, silent, bad, good = [], [], [], 0, 0
    for image in truth["images"]:
        name = image["file_name"]
        boxes = [a for a in truth["annotations"] if a["image_id"] == image["id"]]
        mine = [r for r in rows if r["file_name"] == name]
        assert verdicts[name] == ("NG" if mine else "OK")
        if not boxes:
            good += 1
            overkills += [name] if mine else []
            continue
        bad += 1
        hits = [
            1
            for r in mine
            for a in boxes
            if names[a["category_id"]] == r["category"] and overlap(a["bbox"], r["bbox"]) >= 0.5
        ]
        escapes += [] if hits else [name]
        silent += [] if mine else [name]
    assert (bad, good) == (6, 6) and len(rows) > 0
    decisions = point["decisions"]
    assert (decisions["escape"]["events"], decisions["escape"]["total"]) == (len(escapes), bad)
    assert (decisions["overkill"]["events"], decisions["overkill"]["total"]) == (len(overkills), good)
    assert decisions["silent"]["events"] == len(silent) and 0 < len(escapes) < bad, "a case that shows something"
    assert f"escape {len(escapes)} of 6" in said and f"overkill {len(overkills)} of 6" in said
    shown = capsys.readouterr().out
    assert f"{list(verdicts.values()).count('OK')} OK, {list(verdicts.values()).count('NG')} NG" in shown
    assert all(f"{verdict}  {name}" in shown for name, verdict in verdicts.items())


def last(home):
    return str(home / "runs" / "train" / "exp" / "weights" / "last.pt")


def test_thresholds_that_are_given_are_scored_and_none_are_chosen(learnt, relabelled, capsys):
    """Chosen on one set, scored on another: what is said is what happens there, with intervals for any pictures."""
    words = ["--workers", "0", "--batch", "4", "--weights", last(learnt), "--noplots"]
    _, chosen = run(learnt, val, "val", *words, "--iou", "0.5", "--max-det", "50")
    limits = chosen / "thresholds.yaml"
    capsys.readouterr()
    code, scored = run(learnt, val, "val", *words, "--data", str(relabelled), "--thresholds", str(limits))
    said, found = capsys.readouterr().out, read(scored / "results.json")["inspection"]
    assert code == 0 and "expected on other pictures" not in said and "chosen on these" not in said
    assert (
        "thresholds given by thresholds.yaml; hit" in said and "on these pictures, taken for others than those" in said
    )
    names = [c["name"] for c in read(scored / "truth.json")["categories"]]
    given = read_thresholds(limits, names)
    assert read_thresholds(scored / "thresholds.yaml", names) == given
    assert found["operating_point"] == found["expected"] | {"thresholds": found["operating_point"]["thresholds"]}
    assert not found["chosen"] and read(chosen / "results.json")["inspection"]["chosen"]
    above = {name: value for name, value in zip(names, given, strict=True)}
    rows = [r for r in read(scored / "predictions.json") if r["score"] >= above[names[r["category_id"] - 1]]]
    point = found["operating_point"]["pooled"]
    assert point["recall"]["events"] + point["false_alarms"] == len(rows) > 0
    made = read_making(scored / "thresholds.yaml")
    assert made == read_making(limits) == DetectionSettings(iou=0.5, max_det=50, imgsz=96), "as they were chosen"
    again = str(scored / "thresholds.yaml")  # it still names the pictures and the weights that chose it
    run(learnt, val, "val", *words, "--thresholds", again)
    assert "chosen on these 12 pictures, so that their rates flatter" in capsys.readouterr().err
    code, ready = run(learnt, val, "val", "--from-preds", str(scored / "predictions.json"), "--thresholds", str(limits))
    assert code == 2
    words = ["--from-preds", str(scored / "predictions.json"), "--data", str(relabelled), "--task", "val", "--noplots"]
    code, ready = run(learnt, val, "val", *words, "--thresholds", str(limits))
    assert code == 0 and read(ready / "results.json")["inspection"]["operating_point"] == found["operating_point"]


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (["--cost", "escape=1,overkill=1"], 2, "--cost: has no effect here: --thresholds names the thresholds"),
        (["--fa-per-image", "0.2"], 2, "--fa-per-image: has no effect here: --thresholds names"),
        (["--conf-thres", "0.9"], 2, "--conf-thres 0.9: above the least threshold of"),
        (["--iou", "0.3"], 0, "chosen with other settings (--iou 0.3, not 0.6); its rates do not hold"),
        (["--task", "speed"], 2, "--thresholds: has no effect here: --task speed"),
    ],
)
def test_flags_beside_given_thresholds(learnt, capsys, flags, code, said):
    limits = learnt / "runs" / "train" / "exp" / "thresholds.yaml"
    words = ["--workers", "0", "--weights", last(learnt), "--noplots", "--thresholds", str(limits)]
    assert run(learnt, val, "val", *words, *flags)[0] == code
    shown = capsys.readouterr()
    assert said in shown.out + shown.err


def test_given_thresholds_of_other_weights_are_noticed(learnt, tmp_path, capsys):
    limits = tmp_path / "old.yaml"
    text = (learnt / "runs" / "train" / "exp" / "thresholds.yaml").read_text()
    limits.write_text(text.replace('digest: "', 'digest: "0'))
    words = ["--workers", "0", "--weights", last(learnt), "--noplots", "--thresholds", str(limits)]
    assert run(learnt, val, "val", *words)[0] == 0
    assert "old.yaml: chosen with other weights" in capsys.readouterr().err
    limits.write_text("thresholds: {bubble: 0.5}\n")
    assert run(learnt, val, "val", *words)[0] == 2
    assert "old.yaml:1: no threshold for" in capsys.readouterr().err


def test_train_says_the_same_as_val(learnt):
    _, scored = run(learnt, val, "val", "--workers", "0", "--batch", "8", "--weights", last(learnt), "--noplots")
    trained = learnt / "runs" / "train" / "exp"
    assert read(scored / "results.json")["inspection"] == read(trained / "results.json")["inspection"]
    assert all((trained / name).is_file() for name in FIGURES)
    assert not (scored / "FROC.png").exists()
    made = read_making(scored / "thresholds.yaml")
    assert made == DetectionSettings(iou=0.6, max_det=300, imgsz=96) == read_making(trained / "thresholds.yaml")
    names = [c["name"] for c in read(scored / "truth.json")["categories"]]
    thresholds = read(scored / "results.json")["inspection"]["operating_point"]["thresholds"]
    assert read_thresholds(scored / "thresholds.yaml", names) == tuple(thresholds[name] for name in names)


def test_scores_are_parted_as_they_are_written():
    """0.5000004 is written as 0.5 and passes 0.5; 0.4999994 is written as 0.499999 and does not."""
    import torch

    scores = torch.tensor([0.5000004, 0.4999996, 0.4999994], dtype=torch.float64)
    found = Detections(torch.zeros(3, 4), scores, torch.zeros(3, dtype=torch.long))

    def limits(*values):
        return Limits(ScoreThresholds(values, "thresholds.yaml"), DetectionSettings())

    assert len(limits(0.5).passing(found)) == 2
    rows = coco.result_rows(found, 1, (1,))
    assert sum(row["score"] >= 0.5 for row in rows) == 2
    assert limits(0.5, 0.2).lowest < 0.2 and limits(2.0).lowest == 1.0


def test_sizes_in_mm(learnt):
    """The same boxes and bins; a pixel of 0.5 mm halves the edges."""
    data = learnt / "set" / "mm.yaml"
    data.write_text((learnt / "set" / "data.yaml").read_text() + "\nmm_per_px: 0.5\n")
    words = ["--workers", "0", "--weights", last(learnt), "--noplots"]
    _, px = run(learnt, val, "val", *words)
    code, mm = run(learnt, val, "val", *words, "--data", str(data))
    one, two = (read(folder / "results.json")["inspection"]["sizes"] for folder in (px, mm))
    assert code == 0 and [b["low"] for b in two] == [0, 4, 8, 16, 48] and {b["unit"] for b in two} == {"mm"}
    assert [b["recall"] for b in one] == [b["recall"] for b in two]
    _, own = run(learnt, val, "val", *words, "--data", str(data), "--bins", "0,10")
    assert sum(b["recall"]["total"] for b in read(own / "results.json")["inspection"]["sizes"]) == sum(
        b["recall"]["total"] for b in one if b["recall"]
    )


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--cost", "escape=50"], 2, "must give both"),
        (["--cost", "escape=5,overkill=1", "--fa-per-image", "0.1"], 2, "give one of them"),
        (["--max-overkill", "0.1", "--fa-per-image", "0"], 2, "--max-overkill and --fa-per-image: each chooses"),
        (["--max-overkill", "0.1", "--max-escape", "0.1"], 2, "--max-overkill and --max-escape: each chooses"),
        (["--max-escape", "1.5"], 2, "a number from 0 to 1"),
        (["--match", "center", "--match-iou", "0.3"], 2, "leave one out"),
        (["--match-iou", "0"], 2, "must be a number above 0"),
        (["--fa-per-image", "-1"], 2, "a number from 0"),
        (["--fa-per-image", "nan"], 2, "a number from 0"),
        (["--bins", "8,16"], 2, "rising numbers from 0"),
    ],
)
def test_mistakes(learnt, capsys, words, code, expected):
    assert run(learnt, val, "val", "--weights", last(learnt), *words)[0] == code
    *before, error = capsys.readouterr().err.splitlines()
    assert error.startswith("error[") and expected in error
    assert all("pictures are in train, too" in line for line in before), "the set is validated on what it learnt"


def test_cost_without_good_pictures_is_said_before_the_work(learnt, tmp_path, capsys):
    shutil.copytree(learnt / "set", tmp_path / "set")
    for path in (tmp_path / "set" / "labels" / "train").glob("*.txt"):
        if not path.read_text():
            path.write_text("0 0.5 0.5 0.2 0.2\n")
    words = ["--workers", "0", "--weights", last(learnt), "--data", str(tmp_path / "set" / "data.yaml")]
    assert run(learnt, val, "val", *words, "--cost", "escape=5,overkill=1")[0] == 3
    assert "no good pictures" in capsys.readouterr().err
    code, folder = run(learnt, val, "val", *words)
    assert code == 0 and "overkill not measurable: no good pictures" in capsys.readouterr().out
    assert read(folder / "results.json")["inspection"]["operating_point"]["decisions"]["overkill"] is None


@pytest.mark.parametrize(
    ("text", "words", "expected"),
    [
        ("thresholds: {bubble: 0.5}\n", [], "no threshold for oil"),
        ("nms: {iou: 2}\nthresholds: {}\n", [], "no threshold"),
        (None, ["--conf", "0.3"], "leave one out"),
        ("x", [], "not a thresholds file"),
    ],
)
def test_mistakes_of_thresholds(learnt, tmp_path, capsys, text, words, expected):
    path = learnt / "runs" / "train" / "exp" / "thresholds.yaml"
    if text is not None:
        path = tmp_path / "t.yaml"
        path.write_text(text)
    flags = ["--source", str(learnt / "set" / "images" / "train"), "--weights", last(learnt), "--nosave"]
    assert run(learnt, detect, "detect", *flags, "--thresholds", str(path), *words)[0] == 2
    error = capsys.readouterr().err
    assert error.startswith("error[") and error.count("\n") == 1 and expected in error


def test_departures_from_how_thresholds_were_chosen_are_said(learnt, capsys):
    path = str(learnt / "runs" / "train" / "exp" / "thresholds.yaml")
    flags = ["--source", str(learnt / "set" / "images" / "train"), "--weights", last(learnt), "--nosave"]
    assert run(learnt, detect, "detect", *flags, "--thresholds", path, "--iou", "0.3")[0] == 0
    assert "--iou 0.3, not 0.6" in capsys.readouterr().out


def test_what_a_thresholds_file_says_of_its_choice(tmp_path):
    from utils.words.errors import ConfigError

    for text, expected in (
        ("nms: {iou: 2}", "iou must be a number from 0 to 1"),
        ("nms: {max_det: 0.5}", "max_det must be a whole number"),
        ("nms: {conf: 1}", "unknown key 'conf'"),
        ("nms: 3", "must read like"),
        ("pictures: 3", "must read like {count: 297"),
        ("pictures: {count: yes, digest: 5f}", "must read like {count: 297"),
    ):
        (tmp_path / "t.yaml").write_text(f"{text}\nthresholds: {{a: 0.5}}\n")
        with pytest.raises(ConfigError, match=expected):
            read_limits(str(tmp_path / "t.yaml"), ["a"])
    assert np.isfinite(read_thresholds(tmp_path / "t.yaml", ["a"])).all()


def test_the_report_has_the_numbers_of_results_json_and_of_the_console(learnt, capsys):
    # in batches of training's size: some CPUs add up in another order for another size
    words = ["--workers", "0", "--batch", "8", "--weights", last(learnt), "--name", "reported"]
    code, scored = run(learnt, val, "val", *words)
    said = capsys.readouterr().out
    report, results = read(scored / "report.json"), read(scored / "results.json")
    assert code == 0 and report["results"] == results and report["kind"] == "val"
    page = (scored / "report.html").read_text(encoding="utf-8").replace("&nbsp;", " ").replace("&gt;", ">")
    shares = [line.strip() for line in said.splitlines() if line.strip().startswith(("escape ", "overkill "))]
    assert len(shares) == 2
    for line in shares:
        share = line.split(" ", 1)[1]
        assert share.split(" (")[0] in page and share.split("(")[1].rstrip(")") in page
    assert len(report["provenance"]["weights_sha256"]) == 64 and "unavailable" in report["speed"]
    trained = read(learnt / "runs" / "train" / "exp" / "report.json")
    assert trained["kind"] == "train" and len(trained["training"]) == 60
    best = learnt / "runs" / "train" / "exp" / "weights" / "best.pt"  # the same weights, without the optimizer
    assert trained["provenance"].items() >= weights_about(best).items()
    assert trained["results"]["inspection"] == results["inspection"]
    assert trained["provenance"]["data sha256"] == report["provenance"]["data sha256"]


def test_detect_reports_its_verdicts(learnt):
    flags = ["--source", str(learnt / "set" / "images" / "train"), "--weights", last(learnt), "--conf", "0.3"]
    code, found = run(learnt, detect, "detect", *flags)
    report = read(found / "report.json")
    with (found / "summary.csv").open(newline="", encoding="utf-8") as file:
        verdicts = [row["verdict"] for row in csv.DictReader(file)]
    assert code == 0 and report["pictures"] == {"looked_at": 12, "OK": verdicts.count("OK"), "NG": verdicts.count("NG")}
    assert (found / "report.html").is_file() and report["speed"]["ms_per_picture"]["total"]["p99"] > 0
    _, bare = run(learnt, detect, "detect", *flags, "--nosave")
    assert (bare / "report.json").is_file() and not (bare / "report.html").exists()


@pytest.mark.parametrize("value", ["0", "-1", "true", ".inf", "fine"])
def test_mm_per_px_is_a_number_above_0(learnt, tmp_path, capsys, value):
    (tmp_path / "x.yaml").write_text((learnt / "set" / "data.yaml").read_text() + f"\nmm_per_px: {value}\n")
    assert run(learnt, val, "val", "--weights", last(learnt), "--data", str(tmp_path / "x.yaml"))[0] == 2
    assert "'mm_per_px' is the side of a pixel in mm" in capsys.readouterr().err
