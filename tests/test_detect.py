"""Detection: what is written for each picture, the Python Detector, unreadable pictures, agreement with val."""

import contextlib
import csv
import gc
import json
import shutil
import tracemalloc

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

import detect
import val
from data.augment.polarization import Optics
from data.batches.looking import Looking
from data.pictures.picture_decoder import read_image
from data.pictures.sources import find_sources
from data.pictures.video import read_frames
from detect import Detector, look
from models.inference.nms import NMSConfig
from tests.data.pictures.test_video import write_video
from utils.console.signals import Stop
from utils.detecting.output_options import DetectionOutput
from utils.drawing.box_drawing import BoxStyle
from utils.processes.distributed import ALONE
from utils.report.detection_run import write_run
from utils.scoring import coco
from utils.values.channels import RGB_CHANNELS
from utils.values.detections import Detections
from utils.values.verdict import Verdict


@pytest.fixture
def pictures(glass, tmp_path):
    folder = tmp_path / "in 图"
    shutil.copytree(glass.parent / "images" / "val", folder)
    return folder


def run_detect(trained, *words):
    with contextlib.chdir(trained.parents[2]):
        code = detect.main(["--device", "cpu", "--conf", "0.001", *words])
        runs = [p for p in (trained.parents[1] / "detect").glob("*")]
        return code, max(runs, key=lambda p: p.stat().st_mtime_ns, default=None)


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


def test_only_the_classes_that_are_wanted(trained, pictures):
    _, run = run_detect(trained, "--source", str(pictures), "--classes", "black spot", "--save-json")
    assert {row["category"] for row in json.loads((run / "predictions.json").read_text())} <= {"black spot"}


def test_video_gives_a_row_per_frame_and_an_overlay_video(trained, tmp_path):
    write_video(tmp_path / "v.mp4", 7)
    flags = ["--save-txt", "--save-json", "--max-det", "2", "--vid-stride", "3", "--batch", "2"]
    code, run = run_detect(trained, "--source", str(tmp_path / "v.mp4"), *flags)
    names = ["v.mp4#000001", "v.mp4#000004", "v.mp4#000007"]
    assert code == 0 and [row["image"] for row in rows(run)] == names
    assert sorted(p.stem for p in (run / "labels").iterdir()) == ["v_000001", "v_000004", "v_000007"]
    assert {row["file_name"] for row in json.loads((run / "predictions.json").read_text())} <= set(names)
    overlay = cv2.VideoCapture(str(run / "v.mp4"))
    assert [overlay.get(p) for p in (cv2.CAP_PROP_FRAME_COUNT, cv2.CAP_PROP_FRAME_WIDTH)] == [3, 64]
    _, bare = run_detect(trained, "--source", str(tmp_path / "v.mp4"), "--nosave")
    assert not list(bare.glob("*.mp4"))


def test_list_with_a_gap_a_cut_video_and_a_good_part(trained, pictures, tmp_path, capsys):
    raw = write_video(tmp_path / "cut.avi", 60, "MJPG").read_bytes()
    (tmp_path / "cut.avi").write_bytes(raw[: len(raw) // 2])
    first = sorted(pictures.iterdir())[0]
    (tmp_path / "list.txt").write_text(f"gone.png\ncut.avi\n{first.name}\n{first}\n", encoding="utf-8")
    code, run = run_detect(trained, "--source", str(tmp_path / "list.txt"), "--vid-stride", "20", "--conf", "0.999")
    table = [(row["image"].rpartition("/")[2], row["status"]) for row in rows(run)]
    assert (
        code == 3
        and table[0] == ("gone.png", "unreadable")
        and table[-2:]
        == [
            (first.name, "unreadable"),  # relative to the list it is not there
            (first.name, "nothing found"),
        ]
    )
    assert table[1] == ("cut.avi#000001", "nothing found") and table[-3] == ("cut.avi", "unreadable")
    assert "3 inputs could not be read" in capsys.readouterr().err


def test_csv_of_predictions(trained, pictures):
    (pictures / "=cmd.png").write_bytes(sorted(pictures.iterdir())[0].read_bytes())
    code, run = run_detect(trained, "--source", str(pictures), "--save-csv", "--save-json", "--max-det", "3")
    with (run / "predictions.csv").open(newline="", encoding="utf-8") as file:
        table = list(csv.DictReader(file))
    found = json.loads((run / "predictions.json").read_text())
    assert code == 0 and len(table) == len(found) > 0
    assert list(table[0]) == ["image", "class", "confidence", "x1", "y1", "x2", "y2"]
    for row, one in zip(table, found, strict=True):
        x, y, w, h = one["bbox"]
        assert [float(row[k]) for k in ("x1", "y1", "x2", "y2")] == pytest.approx([x, y, x + w, y + h], abs=2e-3)
        assert (row["class"], float(row["confidence"])) == (one["category"], pytest.approx(one["score"], abs=1e-6))
        assert row["image"].removeprefix("'") == one["file_name"]
    assert {row["image"][0] for row in table if "cmd" in row["image"]} == {"'"}


def test_scoring_the_json_gives_vals_numbers(trained, glass):
    """Files are told by name and classes by word; the rows are then those of val's predictions.json."""
    words = ["--device", "cpu", "--workers", "0", "--batch", "1", "--noplots", "--name", "scored"]
    with contextlib.chdir(trained.parents[2]):
        assert val.main(words) == 0
    scored = max((trained.parents[1] / "val").glob("scored*"), key=lambda p: p.stat().st_mtime_ns)
    theirs, truth = (json.loads((scored / f"{name}.json").read_text()) for name in ("predictions", "truth"))
    flags = ["--iou", "0.6", "--max-det", "300", "--save-json", "--nosave", "--recursive"]
    code, run = run_detect(trained, "--source", str(glass.parent / "images" / "val"), *flags)
    images = {image["file_name"]: image["id"] for image in truth["images"]}
    categories = {category["name"]: category["id"] for category in truth["categories"]}
    mine = [
        {
            "image_id": images[row["file_name"]],
            "category_id": categories[row["category"]],
            "bbox": row["bbox"],
            "score": row["score"],
        }
        for row in json.loads((run / "predictions.json").read_text())
    ]
    ours = json.loads((scored / "results.json").read_text())["coco"]
    ids = [category["id"] for category in truth["categories"]]
    assert code == 0 and len(mine) > 50 and mine == theirs and coco.score(truth, mine, ids).stats == ours


def test_names_of_the_data_are_used_when_given(trained, glass, pictures, tmp_path, capsys):
    """--data with another order of classes: the same words, that order's numbers; --classes follows it."""
    order = ["oil", "quenched grain", "bubble", "black spot", "plastering thread"]
    (tmp_path / "own.yaml").write_text(json.dumps({"train": "x", "val": "x", "names": order}))
    flags = ["--source", str(pictures), "--save-json", "--save-txt", "--max-det", "5", "--nosave"]
    _, plain = run_detect(trained, *flags)
    code, run = run_detect(trained, *flags, "--data", str(tmp_path / "own.yaml"))
    one, two = (json.loads((r / "predictions.json").read_text()) for r in (plain, run))
    assert code == 0 and [r["category"] for r in one] == [r["category"] for r in two] and len(one) > 0
    assert [r["category_id"] for r in two] == [order.index(r["category"]) + 1 for r in one]
    labels = {int(line.split()[0]) for path in (run / "labels").iterdir() for line in path.read_text().splitlines()}
    assert labels == {r["category_id"] - 1 for r in two}
    assert "numbered as in the data" in capsys.readouterr().out
    word = one[0]["category"]
    flags += ["--data", str(tmp_path / "own.yaml"), "--classes", str(order.index(word))]
    _, run = run_detect(trained, *flags)
    assert {r["category"] for r in json.loads((run / "predictions.json").read_text())} == {word}
    (tmp_path / "own.yaml").write_text(json.dumps({"train": "x", "val": "x", "names": [*order[1:], "crack"]}))
    assert run_detect(trained, *flags)[0] == 4
    assert "only in the checkpoint: oil" in capsys.readouterr().err


def test_results_never_overwrite_the_inputs(trained, tmp_path, capsys):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    write_video(tmp_path / "in" / "sub" / "v.mp4", 3)
    before = (tmp_path / "in" / "sub" / "v.mp4").read_bytes()
    words = ["--project", str(tmp_path), "--name", "in", "--exist-ok"]
    with contextlib.chdir(trained.parents[2]):
        assert detect.main(["--device", "cpu", "--source", str(tmp_path / "in" / "sub"), *words]) == 2
    assert "holds the inputs" in capsys.readouterr().err
    assert (tmp_path / "in" / "sub" / "v.mp4").read_bytes() == before and len(list((tmp_path / "in").iterdir())) == 1


def test_what_has_no_effect_is_said(trained, pictures, capsys):
    code, run = run_detect(trained, "--source", str(pictures), "--half", "--view-img")
    said = capsys.readouterr().out
    assert code == 0 and "--half: has no effect on the CPU" in said
    assert f"--view-img: this OpenCV opens no windows; the pictures are in runs/detect/{run.name}" in said


def test_fail_on_defect(trained, pictures):
    assert run_detect(trained, "--source", str(pictures), "--nosave", "--fail-on-defect")[0] == 10
    assert run_detect(trained, "--source", str(pictures), "--nosave", "--fail-on-defect", "--conf", "0.999")[0] == 0
    (pictures / "bad.png").write_bytes(b"x")
    assert run_detect(trained, "--source", str(pictures), "--nosave", "--fail-on-defect")[0] == 3


def test_verdict_of_a_picture(trained, pictures, tmp_path):
    """As detect.py says it, by a confidence and by a thresholds file."""
    path = sorted(pictures.iterdir())[0]
    detector = Detector(trained / "weights" / "best.pt", device="cpu")
    best = float(detector(path, conf=0.001).scores[0])
    assert detector.verdict(path, conf=best * 1.1) is Verdict.OK
    assert detector.verdict(read_image(path), conf=best * 0.9) is Verdict.NG
    file, given = tmp_path / "thresholds.yaml", Detector(detector.path, device="cpu", imgsz=detector.imgsz)
    for threshold, verdict in ((best * 0.9, "NG"), (best * 1.1, "OK")):
        rows = "".join(f'  "{name}": {threshold}\n' for name in detector.names)
        file.write_text(f"nms: {{imgsz: 64}}\nthresholds:\n{rows}")
        given.use_thresholds(str(file))
        assert given.imgsz == detector.imgsz and given.verdict(path) == verdict
    detector.use_thresholds(str(file))
    assert detector.imgsz == 64 and detector.nms(iou=0.3) == NMSConfig(conf=threshold - 2e-6, iou=0.3, max_det=1000)


class QuickDetector(Detector):
    """Finds the same three boxes in everything, at once."""

    names, own, limits, mm_per_px, optics = ("a", "b"), 2, None, None, Optics(RGB_CHANNELS)
    looking = Looking(32, 32)

    def __init__(self):
        pass

    def shape(self, image):
        return (32, 32)

    def detect(self, images, nms):
        boxes = torch.tensor([[1.0, 2, 9, 9], [12, 3, 20, 12], [3, 14, 12, 28]])
        return [Detections(boxes, torch.tensor([0.9, 0.8, 0.7]), torch.tensor([0, 1, 0]), self.names) for _ in images]


def test_memory_does_not_grow_with_the_number_of_frames(tmp_path):
    """Everything that writes is on; a list of rows would grow by megabytes over these frames."""
    write_video(tmp_path / "v.mp4", 2000, size=(32, 32))
    output = DetectionOutput(labels=True, table=True, json=True, style=BoxStyle(hide_labels=True))
    frames = read_frames(find_sources(str(tmp_path / "v.mp4")))
    held, run = {}, tmp_path / "run"
    run.mkdir()

    def watched(results):
        for number, result in enumerate(results, 1):
            if number in (200, 1100, 2000):
                gc.collect()
                held[number] = tracemalloc.get_traced_memory()[0]
            yield result

    tracemalloc.start()
    try:
        results = look(QuickDetector(), frames, NMSConfig(), 4, Stop())
        totals = write_run(run, watched(results), ("a", "b"), output, ALONE, Stop())
    finally:
        tracemalloc.stop()
    grown = (held[1100] - held[200], held[2000] - held[1100])
    assert min(grown) < 100_000, grown  # the interpreter's table of strings may double once, rows would grow twice
    assert totals.looked == totals.bad == 2000
    assert len(json.loads((run / "predictions.json").read_text())) == 6000


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--source", "nowhere"], 3, "--source nowhere"),
        (["--weights", "nowhere.pt"], 4, "nowhere.pt"),
        (["--classes", "crack"], 2, "crack"),
        (["--vid-stride", "0"], 2, "--vid-stride"),
        (["--source", "screen"], 2, "screens and other addresses"),
        (["--data", "nowhere.yaml"], 2, "nowhere.yaml"),
    ],
)
def test_mistakes(trained, capsys, words, code, expected):
    assert run_detect(trained, *words)[0] == code
    error = capsys.readouterr().err
    assert error.startswith("error[") and error.count("\n") == 1 and expected in error
