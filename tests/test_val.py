"""Evaluation: train, val and pycocotools on the written files give one number; classes by name; summaries; mistakes."""

import contextlib
import io
import json
import shutil

import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import val
from tests.goldens.fill import load


def run_val(trained, *words):
    with contextlib.chdir(trained.parents[2]):
        code = val.main(["--device", "cpu", "--workers", "0", "--batch", "8", *words])
        return code, max((trained.parents[1] / "val").glob("*"), key=lambda p: p.stat().st_mtime_ns)


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


def test_other_class_names_are_refused(trained, glass, tmp_path, capsys):
    shutil.copytree(glass.parent, tmp_path / "set")
    data = tmp_path / "set" / "data.yaml"
    data.write_text(data.read_text().replace("bubble", "scratch"))
    shutil.rmtree(tmp_path / "set" / "annotations")
    assert run_val(trained, "--data", str(data))[0] == 4
    error = capsys.readouterr().err
    assert "only in the checkpoint: bubble" in error and "only in the data: scratch" in error


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
        ([], 4, "python train.py --demo"),
    ],
)
def test_mistakes(tmp_path, monkeypatch, capsys, words, code, expected):
    monkeypatch.chdir(tmp_path)
    assert val.main(words) == code
    error = capsys.readouterr().err
    assert error.startswith("error[") and error.count("\n") == 1 and expected in error
