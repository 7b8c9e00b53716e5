"""Evaluation: train, val and pycocotools on the written files give one number; classes by name; summaries; mistakes."""

import contextlib
import csv
import io
import json
import shutil
from collections import Counter
from dataclasses import replace

import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import train
import val
from tests.conftest import QUICK
from tests.goldens.fill import load
from utils.config.paths import CFG
from utils.scoring import coco, frequency
from utils.scoring.score_summary import as_lines
from utils.values.report import ClassRow, Report
from utils.words.yamlio import read_yaml


def run_val(trained, *words):
    with contextlib.chdir(trained.parents[2]):
        code = val.main(["--device", "cpu", "--workers", "0", "--batch", "8", *words])
        return code, max((trained.parents[1] / "val").glob("*"), key=lambda p: p.stat().st_mtime_ns, default=None)


def test_train_val_and_pycocotools_agree(trained):
    last = str(trained / "weights" / "last.pt")
    code, folder = run_val(trained, "--weights", last)
    assert code == 0
    ours = json.loads((folder / "results.json").read_text())
    assert ours["coco"] == json.loads((trained / "results.json").read_text())["coco"]
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "truth.json"))
        evaluation = COCOeval(truth, truth.loadRes(str(folder / "predictions.json")), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    want = [None if v == -1 else v for v in evaluation.stats.tolist()]
    assert list(ours["coco"].values()) == [None if v is None else pytest.approx(v, abs=1e-9) for v in want]


def test_predictions_fit_the_annotation_file_of_the_data(trained, glass):
    code, folder = run_val(trained)
    annotations = json.loads((glass.parent / "annotations" / "val.json").read_text())
    ids = {image["id"] for image in annotations["images"]}
    rows = json.loads((folder / "predictions.json").read_text())
    assert code == 0 and rows and {row["image_id"] for row in rows} <= ids
    categories = {c["id"] for c in annotations["categories"]}
    assert {row["category_id"] for row in rows} <= categories


def test_bare_val_takes_the_newest_run_and_batch_size_does_not_matter(trained):
    _, one = run_val(trained)
    _, two = run_val(trained, "--batch", "1")
    a, b = (json.loads((folder / "results.json").read_text())["coco"] for folder in (one, two))
    assert a == {k: v if v is None else pytest.approx(v, abs=1e-4) for k, v in b.items()}
    assert (one / "val_batch0_pred.jpg").is_file()


def test_scores_by_how_often_a_class_was_trained(trained, glass, monkeypatch):
    """The checkpoint knows in how many training pictures each class was; here 4 make a class frequent."""
    monkeypatch.setattr(frequency, "GROUPS", {"rare": (1, 3), "common": (4, 4), "frequent": (5, None)})
    names = read_yaml(glass).data["names"]
    files = (glass.parent / "labels" / "train").glob("*.txt")
    shown = Counter(name for f in files for name in {names[int(row.split()[0])] for row in f.read_text().splitlines()})
    code, run = run_val(trained, "--noplots")
    with (run / "per_class.csv").open(encoding="utf-8") as file:
        rows = [(shown[row["class"]], float(row["AP"])) for row in csv.DictReader(file) if row["AP"]]
    assert code == 0 and max(shown.values()) > 4
    table = json.loads((run / "results.json").read_text())["frequency"]
    for name, counts in {"rare": (1, 2, 3), "common": (4,), "frequent": range(5, 13)}.items():
        scores = [ap for count, ap in rows if count in counts]
        assert table[name]["classes"] == len(scores)
        assert not scores or table[name]["AP"] == pytest.approx(sum(scores) / len(scores), rel=1e-5)
    assert sum(row["classes"] for row in table.values()) == len(rows)


def test_classes_are_matched_by_name(trained, glass, tmp_path, capsys):
    """The same data with its names in another order, and labels renumbered to suit, gives the same numbers."""
    shutil.copytree(glass.parent, tmp_path / "set")
    shutil.rmtree(tmp_path / "set" / "annotations")
    order = [3, 0, 4, 1, 2]  # old number of each new class
    names = ["bubble", "oil", "plastering thread", "black spot", "quenched grain"]
    for path in (tmp_path / "set" / "labels").rglob("*.txt"):
        rows = [line.split(" ", 1) for line in path.read_text().splitlines()]
        path.write_text("".join(f"{order.index(int(k))} {rest}\n" for k, rest in rows))
    yaml = "path: .\ntrain: images/train\nval: images/val\nnames: " + json.dumps([names[k].upper() for k in order])
    (tmp_path / "set" / "data.yaml").write_text(yaml)
    _, plain = run_val(trained)
    code, moved = run_val(trained, "--data", str(tmp_path / "set" / "data.yaml"))
    assert code == 0 and "matched by name" in capsys.readouterr().out
    a, b = (json.loads((folder / "results.json").read_text()) for folder in (plain, moved))
    assert a["coco"] == b["coco"]
    by_name = {row["name"].lower(): row["ap"] for row in b["classes"]}
    assert by_name == {row["name"]: row["ap"] for row in a["classes"]}


def gcd_sets(home, glass):
    """The glass pictures as GCD and as GCD-Part-1: two YAMLs with the class orders of the shipped files."""
    order = [1, 3, 0, 2, 4]  # number in GCD of each class of Part-1
    for name in ("GCD", "GCD-Part-1"):
        shutil.copytree(glass.parent, home / name)
        shutil.rmtree(home / name / "annotations")
        names = read_yaml(CFG / "data" / f"{name}.yaml").data["names"]
        yaml = {"path": name, "train": "images/train", "val": "images/val", "names": names}
        (home / f"{name}.yaml").write_text(json.dumps(yaml))
    for path in (home / "GCD-Part-1" / "labels").rglob("*.txt"):
        rows = [line.split(" ", 1) for line in path.read_text().splitlines()]
        path.write_text("".join(f"{order.index(int(k))} {rest}\n" for k, rest in rows))


def test_trained_on_part_1_evaluated_on_gcd(glass, tmp_path, monkeypatch, capsys):
    """The same pictures under the two published class orders: the numbers are equal, class by class by name."""
    gcd_sets(tmp_path, glass)
    monkeypatch.chdir(tmp_path)
    assert train.main([*QUICK, "--data", "GCD-Part-1.yaml", "--epochs", "1", "--noplots"]) == 0
    run = tmp_path / "runs" / "train" / "exp"
    for data in ("GCD.yaml", "GCD-Part-1.yaml"):
        code, _ = run_val(run, "--data", data, "--name", data, "--noplots")
        assert code == 0
    assert "matched by name" in capsys.readouterr().out
    one, two = (
        json.loads((tmp_path / "runs/val" / f"{n}.yaml/results.json").read_text()) for n in ("GCD", "GCD-Part-1")
    )
    assert one["coco"] == two["coco"]
    assert {row["name"]: row["ap"] for row in one["classes"]} == {row["name"]: row["ap"] for row in two["classes"]}
    assert [row["name"] for row in one["classes"]] != [row["name"] for row in two["classes"]]


def test_single_class(trained, glass, tmp_path, monkeypatch, capsys):
    """Five classes scored as one; a model trained so is evaluated so without being told."""
    code, folder = run_val(trained, "--single-cls", "--noplots")
    report = json.loads((folder / "results.json").read_text())
    assert code == 0 and [row["name"] for row in report["classes"]] == ["defect"]
    assert "5 classes of the checkpoint scored as one" in capsys.readouterr().out
    plain = json.loads((trained / "results.json").read_text())
    assert report["instances"] == plain["instances"] and report["good_images"] == plain["good_images"]
    assert {a["category_id"] for a in json.loads((folder / "predictions.json").read_text())} == {1}
    monkeypatch.chdir(tmp_path)
    assert train.main([*QUICK, "--data", str(glass), "--epochs", "1", "--single-cls", "--noplots"]) == 0
    run = tmp_path / "runs" / "train" / "exp"
    code, folder = run_val(run, "--weights", str(run / "weights" / "last.pt"), "--noplots")
    assert code == 0
    ours = json.loads((folder / "results.json").read_text())
    assert ours["coco"] == json.loads((run / "results.json").read_text())["coco"] and len(ours["classes"]) == 1


def test_remapped_data_from_folder_to_truth_json(glass, tmp_path, monkeypatch):
    """Training and evaluation with merged and ignored classes; the written files alone give the number."""
    names = ["bubble", "oil", "plastering thread", "black spot", "quenched grain"]
    remap = {"bubble": "round", "black spot": "round", "plastering thread": "ignore"}
    yaml = {"path": str(glass.parent), "train": "images/train", "val": "images/val", "names": names, "remap": remap}
    (tmp_path / "own.yaml").write_text(json.dumps(yaml))
    monkeypatch.chdir(tmp_path)
    assert train.main([*QUICK, "--data", "own.yaml", "--epochs", "1"]) == 0
    run = tmp_path / "runs" / "train" / "exp"
    report, truth = (json.loads((run / f"{name}.json").read_text()) for name in ("results", "truth"))
    assert [row["name"] for row in report["classes"]] == ["round", "oil", "quenched grain"]
    data_report = json.loads((run / "data_report.json").read_text())["val"]
    assert data_report["labels"]["ignored"] > 0 and report["instances"] == data_report["boxes"]
    crowd = sum(a["iscrowd"] for a in truth["annotations"])
    assert crowd == 3 * data_report["labels"]["ignored"] and len(truth["annotations"]) == crowd + data_report["boxes"]
    code, folder = run_val(run, "--weights", str(run / "weights" / "last.pt"))
    assert code == 0 and json.loads((folder / "results.json").read_text())["coco"] == report["coco"]


def test_classes_can_be_mapped(trained, glass, tmp_path, capsys):
    """Renamed data is scored alike once the renaming is said, in words or in a file."""
    shutil.copytree(glass.parent, tmp_path / "set")
    shutil.rmtree(tmp_path / "set" / "annotations")
    data = tmp_path / "set" / "data.yaml"
    data.write_text(data.read_text().replace("bubble", "void").replace("oil", "stain"))
    (tmp_path / "map.yaml").write_text("bubble: void\nOIL: stain\n")
    _, plain = run_val(trained, "--noplots")
    want = json.loads((plain / "results.json").read_text())["coco"]
    for mapping in ("bubble=void,oil=stain", str(tmp_path / "map.yaml")):
        code, run = run_val(trained, "--data", str(data), "--noplots", "--map-classes", mapping)
        assert code == 0 and json.loads((run / "results.json").read_text())["coco"] == want
        assert "mapped: bubble = void, oil = stain" in capsys.readouterr().out
    assert run_val(trained, "--data", str(data), "--map-classes", "bubbel=void")[0] == 2
    assert "did you mean 'bubble'" in capsys.readouterr().err


def test_speed(trained, capsys):
    code, run = run_val(trained, "--task", "speed", "--img", "64", "--batch", "2")
    said = capsys.readouterr().out
    report = json.loads((run / "speed.json").read_text())
    assert code == 0 and list(report["ms_per_picture"]) == ["read", "forward", "nms", "total"]
    for row in report["ms_per_picture"].values():
        assert 0 < row["p50"] <= row["p95"] <= row["p99"]
    assert (report["batch"], report["pictures"], report["batches"], report["input"]) == (2, 100, 50, "64x64")
    assert (report["device"], report["threads"], report["precision"]) == ("cpu", 1, "fp32")
    assert "pictures/s over 100 pictures" in said and (run / "speed.png").is_file()
    assert not (run / "results.json").exists()


def test_txt_of_predictions(trained, capsys):
    code, run = run_val(trained, "--save-txt", "--save-conf", "--save-json", "--half", "--noplots", "--max-det", "4")
    said = capsys.readouterr().out
    assert code == 0 and "predictions.json is always written" in said and "--half: has no effect on the CPU" in said
    rows, truth = (json.loads((run / f"{name}.json").read_text()) for name in ("predictions", "truth"))
    assert len(list((run / "labels").iterdir())) == len(truth["images"])
    for image in truth["images"]:
        lines = (run / "labels" / image["file_name"]).with_suffix(".txt").read_text().splitlines()
        mine = [row for row in rows if row["image_id"] == image["id"]]
        assert len(lines) == len(mine)
        for line, row in zip(lines, mine, strict=True):
            label, x, y, w, h, score = map(float, line.split())
            box = [(x - w / 2) * image["width"], (y - h / 2) * image["height"], w * image["width"], h * image["height"]]
            assert (label + 1, score) == (row["category_id"], pytest.approx(row["score"], abs=2e-6))
            assert box == pytest.approx(row["bbox"], abs=2e-3)


def test_many_classes_are_listed_on_request_only():
    rows = tuple(ClassRow(f"c{k}", 1, 1, 0.5, 0.5, 0.5, 0.5) for k in range(41))
    report = Report(dict.fromkeys(coco.STATS, 0.5), 0.5, 0.5, 0.3, rows, 41, 0, 41)
    short, full = as_lines(report, verbose=False), as_lines(report)
    assert len(full) == 44 and len(short) == 4 and "41 classes: --verbose" in short[2]
    few = replace(report, classes=rows[:40])
    assert as_lines(few, verbose=False) == as_lines(few)


def test_other_class_names_are_refused(trained, glass, tmp_path, capsys):
    shutil.copytree(glass.parent, tmp_path / "set")
    data = tmp_path / "set" / "data.yaml"
    data.write_text(data.read_text().replace("bubble", "scratch"))
    shutil.rmtree(tmp_path / "set" / "annotations")
    assert run_val(trained, "--data", str(data))[0] == 4
    error = capsys.readouterr().err
    assert "only in the checkpoint: bubble" in error and "only in the data: scratch" in error


def test_set_takes_what_evaluation_uses(trained, tmp_path, capsys):
    assert run_val(trained, "--set", "optim.lr0=1")[0] == 2
    assert "has no effect on an evaluation; --set takes data.data" in capsys.readouterr().err
    assert run_val(trained, "--set", f"data.root={tmp_path / 'gone'}")[0] == 3
    assert "data.root: stands in for the data YAML's path" in capsys.readouterr().err


def test_a_folder_without_names_is_one_line(trained, glass, tmp_path, capsys):
    shutil.copytree(glass.parent / "images", tmp_path / "set" / "images")
    shutil.copytree(glass.parent / "labels", tmp_path / "set" / "labels")
    assert run_val(trained, "--data", str(tmp_path / "set"))[0] == 2
    error = capsys.readouterr().err
    assert error.startswith("error[CONFIG]") and error.count("\n") == 1 and "classes.txt" in error
    (tmp_path / "set" / "classes.txt").write_text("bubble\noil\nplastering thread\nblack spot\nquenched grain\n")
    assert run_val(trained, "--data", str(tmp_path / "set"), "--noplots")[0] == 0


def test_summary(capsys):
    assert val.main(["--cfg", "idfe-net", "--summary"]) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    size = load("networks")["acceptance"]
    assert f"{size['params_live_separate_bn']:,} parameters" in last
    assert f"{size['conv_linear_gflops']['E2 version2']:.3f} in convolutions" in last


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--weights", "nowhere.pt"], 4, "no such checkpoint"),
        (["--summary"], 2, "--cfg"),
        (["--cfg", "nothing.yaml", "--summary"], 2, "no such file"),
        (["--conf", "2"], 2, "from 0 to 1"),
        (["--task", "study"], 2, "--task study"),
        ([], 4, "python train.py --demo"),
    ],
)
def test_mistakes(tmp_path, monkeypatch, capsys, words, code, expected):
    monkeypatch.chdir(tmp_path)
    assert val.main(words) == code
    error = capsys.readouterr().err
    assert error.startswith("error[") and error.count("\n") == 1 and expected in error
