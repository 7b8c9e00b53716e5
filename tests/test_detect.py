"""Detection: what is written for each picture, the Python Detector, unreadable pictures, agreement with val."""

import contextlib
import csv
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image

import detect
import val
from data.images import read_image
from detect import Detector, wanted_classes
from utils.detect_writer import slug
from utils.errors import ConfigError
from utils.text import safe_cell


@pytest.fixture
def pictures(glass, tmp_path):
    folder = tmp_path / "in 图"
    shutil.copytree(glass.parent / "images" / "val", folder)
    return folder


def run_detect(trained, *words):
    with contextlib.chdir(trained.parents[2]):
        code = detect.main(["--device", "cpu", "--conf", "0.001", *words])
        runs = [p for p in (trained.parents[1] / "detect").glob("*")]
        return code, max(runs, key=lambda p: p.stat().st_mtime_ns)


def rows(run):
    with (run / "summary.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_files_for_every_picture(trained, pictures):
    flags = ["--save-txt", "--save-conf", "--save-json", "--save-crop", "--max-det", "3"]
    code, run = run_detect(trained, "--source", str(pictures), *flags)
    assert code == 0
    table, found = rows(run), json.loads((run / "predictions.json").read_text())
    assert [row["image"] for row in table] == sorted(p.name for p in pictures.iterdir())
    for row in table:
        stem = row["image"].removesuffix(".png")
        assert Image.open(run / f"{stem}.jpg").size == (128, 128)
        lines = (run / "labels" / f"{stem}.txt").read_text().splitlines()
        mine = [f for f in found if f["file_name"] == row["image"]]
        assert len(lines) == int(row["defects"]) == len(mine) <= 3
        for line, one in zip(lines, mine, strict=True):
            label, x, y, w, h, score = map(float, line.split())
            assert label == one["category_id"] - 1 and score == pytest.approx(one["score"], abs=1e-6)
            box = [(x - w / 2) * 128, (y - h / 2) * 128, w * 128, h * 128]
            assert box == pytest.approx(one["bbox"], abs=2e-3)
    assert len(list((run / "crops").rglob("*.jpg"))) == sum(int(row["defects"]) for row in table)


def test_a_part_without_defects_has_its_row_and_empty_txt(trained, pictures):
    code, run = run_detect(trained, "--source", str(pictures), "--conf", "0.999", "--save-txt")
    assert code == 0 and {row["status"] for row in rows(run)} == {"nothing found"}
    assert all(p.read_text() == "" for p in (run / "labels").iterdir()) and len(rows(run)) == 6


def test_unreadable_picture_is_reported_and_the_rest_is_done(trained, pictures, capsys):
    (pictures / "broken.png").write_bytes(b"not a picture")
    code, run = run_detect(trained, "--source", str(pictures), "--batch", "4")
    table = {row["image"]: row for row in rows(run)}
    assert code == 3 and len(table) == 7
    assert table["broken.png"]["status"] == "unreadable" and table["broken.png"]["reason"]
    assert "broken.png" in capsys.readouterr().err
    assert run_detect(trained, "--source", str(pictures), "--bad-data", "error")[0] == 3


def test_batches_change_nothing(trained, pictures):
    Image.new("RGB", (200, 90), "white").save(pictures / "wide.png")
    one, four = (
        json.loads(
            (
                run_detect(trained, "--source", str(pictures), "--save-json", "--batch", n)[1] / "predictions.json"
            ).read_text()
        )
        for n in ("1", "4")
    )
    assert len(one) == len(four) > 0
    for a, b in zip(one, four, strict=True):
        assert a["bbox"] == pytest.approx(b["bbox"], abs=0.02) and a["score"] == pytest.approx(b["score"], abs=1e-4)


def test_detector_equals_val(trained, glass):
    """One preprocessing, one NMS: the Detector's boxes are those in val's predictions.json."""
    with contextlib.chdir(trained.parents[2]):
        assert val.main(["--device", "cpu", "--workers", "0", "--batch", "1", "--noplots", "--name", "same"]) == 0
    run = max((trained.parents[1] / "val").glob("same*"), key=lambda p: p.stat().st_mtime_ns)
    scored = json.loads((run / "predictions.json").read_text())
    ids = {i["file_name"]: i["id"] for i in json.loads((run / "truth.json").read_text())["images"]}
    detector = Detector(trained / "weights" / "best.pt", device="cpu")
    for path in sorted((glass.parent / "images" / "val").iterdir()):
        found = detector(path, conf=0.001, iou=0.6, max_det=300)
        mine = [row for row in scored if row["image_id"] == ids[path.name]]
        assert len(found) == len(mine) and found.names[0] == "bubble"
        xywh = found.boxes.clone()
        xywh[:, 2:] -= xywh[:, :2]
        np.testing.assert_allclose(xywh.numpy(), [row["bbox"] for row in mine], atol=2e-3)
        again = detector(read_image(path), conf=0.001, iou=0.6, max_det=300)
        assert torch.equal(again.boxes, found.boxes)


def test_classes_by_name_or_number(trained, pictures):
    assert wanted_classes(["OIL", "0"], ("bubble", "oil")) == (1, 0) and wanted_classes([], ("a",)) is None
    with pytest.raises(ConfigError, match="bubble, oil"):
        wanted_classes(["crack"], ("bubble", "oil"))
    _, run = run_detect(trained, "--source", str(pictures), "--classes", "black spot", "--save-json")
    assert {row["category"] for row in json.loads((run / "predictions.json").read_text())} <= {"black spot"}


def test_hostile_names_stay_inside_the_run(tmp_path):
    assert slug("../../etc") == "______etc" and slug("") == "class" and "/" not in slug("a/b")
    assert safe_cell("=cmd()") == "'=cmd()" and safe_cell("ok") == "ok"


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--source", "nowhere"], 3, "--source nowhere"),
        (["--weights", "nowhere.pt"], 4, "nowhere.pt"),
        (["--classes", "crack"], 2, "crack"),
    ],
)
def test_mistakes(trained, capsys, words, code, expected):
    assert run_detect(trained, *words)[0] == code
    error = capsys.readouterr().err
    assert error.startswith("error[") and error.count("\n") == 1 and expected in error
