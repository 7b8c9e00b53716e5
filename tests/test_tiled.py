"""Tiles, looks and ensembles from end to end: cut by hand or by the flags, in any batches, stopped and resumed."""

import contextlib
import csv
import json
import os
import signal
import time

import numpy as np
import pytest
from PIL import Image

import detect
import train
import val
from detect import Detector
from tests.conftest import QUICK
from tests.test_resume import assert_same, interrupting
from utils.files import checkpoint
from utils.scoring import coco
from utils.tiling.merging import Pieces, merge_tiles
from utils.tiling.tiles import Tiling
from utils.words.errors import ConfigError
from utils.words.yamlio import read_yaml

TILED = ["--tile", "64", "--tile-overlap", "0.25"]
MANY = {"conf": 0.001, "iou": 0.6, "max_det": 300}
SMALL = ["--cfg", "idfe-net-n.yaml", "--batch", "16", "--workers", "0", "--device", "cpu", "--noplots"]


@pytest.fixture(scope="module")
def pictures(glass, tmp_path_factory):
    """A folder of pictures that are larger than a tile, smaller, and long."""
    folder = tmp_path_factory.mktemp("pictures")
    shown = [np.asarray(Image.open(path)) for path in sorted((glass.parent / "images" / "val").iterdir())]
    long, small = np.concatenate(shown[:2], 1), shown[2][20:70, 30:90]
    for name, image in (("a", shown[0]), ("b", long[:90]), ("c", small), ("d", shown[3]), ("e", shown[4][:, :70])):
        Image.fromarray(image).save(folder / f"{name}.png")
    return folder


def newest(runs):
    return max(runs.glob("*"), key=lambda path: path.stat().st_mtime_ns)


def run_detect(run, *words):
    with contextlib.chdir(run.parents[2]):
        code = detect.main(["--device", "cpu", "--nosave", "--save-json", "--conf", "0.001", *words])
    return code, newest(run.parents[1] / "detect")


def run_val(run, *words):
    with contextlib.chdir(run.parents[2]):
        code = val.main(["--device", "cpu", "--workers", "0", "--noplots", *words])
    return code, newest(run.parents[1] / "val")


def found_in(run):
    """By file the (class, box, score) rows of predictions.json, in the order of their scores."""
    rows = {}
    for row in json.loads((run / "predictions.json").read_text()):
        rows.setdefault(row["file_name"], []).append((row["category"], row["bbox"], row["score"]))
    return rows


def alike(one, two, boxes=0.02, scores=1e-4):
    assert one.keys() == two.keys() and one
    for name in one:
        assert [row[0] for row in one[name]] == [row[0] for row in two[name]]
        np.testing.assert_allclose([row[1] for row in one[name]], [row[1] for row in two[name]], atol=boxes)
        np.testing.assert_allclose([row[2] for row in one[name]], [row[2] for row in two[name]], atol=scores)


@pytest.fixture(scope="module")
def weights(trained):
    return trained / "weights" / "best.pt"


@pytest.mark.parametrize("tiling", [Tiling(64, 0.25), Tiling(32, 0.0), Tiling(96, 0.5, whole=True)], ids=str)
def test_a_picture_cut_by_hand_gives_what_the_tiles_give(weights, pictures, tiling):
    """Every tile detected by itself, its boxes moved to where it was cut, and all merged."""
    tiled = Detector(
        weights, device="cpu", tile=tiling.side, tile_overlap=tiling.overlap, tile_full=tiling.whole or None
    )
    plain, several = Detector(weights, device="cpu", imgsz=tiling.side), 0
    for path in sorted(pictures.iterdir()):
        image = np.asarray(Image.open(path))
        parts, areas = [], tiling.areas(image.shape[:2])
        for left, top, right, bottom in areas.tolist():
            found = plain.detect([np.ascontiguousarray(image[top:bottom, left:right])], plain.nms(**MANY))[0]
            parts.append((found.boxes.numpy() + np.array([left, top] * 2, np.float32), found.scores, found.labels))
        boxes, scores, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
        owners = np.repeat(np.arange(len(areas)), [len(part[1]) for part in parts])
        want = boxes, scores, labels
        if len(areas) > 1:
            want = merge_tiles(Pieces(boxes, scores, labels, areas[owners]), image.shape[:2], 0.6, 300)
        found = tiled.detect([image], tiled.nms(**MANY))[0]
        np.testing.assert_allclose(found.boxes.numpy(), want[0], atol=1e-4)
        np.testing.assert_allclose(found.scores.numpy(), want[1], atol=1e-4)
        assert found.labels.tolist() == want[2].tolist() and len(found) > 5
        several += len(areas) > 1
    assert several >= 3


def test_neither_batch_size_nor_order_of_the_pictures_matters(trained, pictures, tmp_path):
    order = tmp_path / "backwards.txt"
    order.write_text("".join(f"{path}\n" for path in sorted(pictures.iterdir(), reverse=True)))
    runs = []
    for source, size in ((pictures, "1"), (pictures, "5"), (order, "3")):
        code, run = run_detect(trained, "--source", str(source), *TILED, "--tile-full", "--batch-size", size)
        assert code == 0
        runs.append(run)
    one, *others = map(found_in, runs)
    one = {os.path.basename(name): rows for name, rows in one.items()}
    for other in others:
        alike(one, {os.path.basename(name): rows for name, rows in other.items()})
    tables = []
    for run in runs:
        with (run / "summary.csv").open(newline="", encoding="utf-8") as file:
            table = {os.path.basename(row["image"]): row for row in csv.DictReader(file)}
        tables.append({k: (row["status"], row["defects"], row["tiles"]) for k, row in table.items()})
    want = {f"{k}.png": Tiling(64, 0.25, True).areas(size) for k, size in zip("abcde", SIZES, strict=True)}
    assert tables[0] == tables[1] == tables[2]
    assert {name: int(row[2]) for name, row in tables[0].items()} == {name: len(areas) for name, areas in want.items()}


SIZES = [(128, 128), (90, 256), (50, 60), (128, 128), (128, 70)]


@pytest.mark.parametrize("flags", [[*TILED, "--tile-full"], ["--augment"], [*TILED, "--augment", "--merge", "wbf"]])
def test_val_scores_what_detect_finds(trained, glass, flags):
    code, scored = run_val(trained, "--batch", "1", *flags)
    assert code == 0
    theirs, truth = (json.loads((scored / f"{name}.json").read_text()) for name in ("predictions", "truth"))
    source = ["--source", str(glass.parent / "images" / "val"), "--iou", "0.6", "--max-det", "300"]
    code, run = run_detect(trained, *source, *flags)
    images = {image["file_name"]: image["id"] for image in truth["images"]}
    categories = {category["name"]: category["id"] for category in truth["categories"]}
    mine = [
        {"image_id": images[name], "category_id": categories[word], "bbox": box, "score": score}
        for name, rows in found_in(run).items()
        for word, box, score in rows
    ]
    ids = [category["id"] for category in truth["categories"]]
    ours = json.loads((scored / "results.json").read_text())["coco"]
    assert code == 0 and len(mine) > 50 and mine == theirs and coco.score(truth, mine, ids).stats == ours


def test_val_gives_the_same_for_any_batch_size(trained):
    flags = [*TILED, "--tile-full", "--augment"]
    runs = [run_val(trained, "--batch", size, *flags)[1] for size in ("1", "7")]
    one, two = (json.loads((run / "results.json").read_text())["coco"] for run in runs)
    assert one == {key: value if value is None else pytest.approx(value, abs=1e-3) for key, value in two.items()}


@pytest.fixture(scope="module")
def tiled(glass, tmp_path_factory):
    """The run folder of two epochs on tiles of the glass set."""
    home = tmp_path_factory.mktemp("tiled")
    with contextlib.chdir(home):
        assert train.main([*SMALL, "--data", str(glass), "--epochs", "2", *TILED, *EXACT]) == 0
    return home / "runs" / "train" / "exp"


EXACT = ["--close-mosaic", "1", "--save-steps", "1", "--set", "optim.nominal_batch=32"]


@pytest.mark.parametrize(("moment", "workers"), [(2, "0"), (7, "2")])
def test_training_on_tiles_stopped_and_resumed_is_as_if_it_had_not_been(
    tiled, glass, tmp_path, monkeypatch, moment, workers
):
    monkeypatch.chdir(tmp_path)
    command = [*SMALL, "--data", str(glass), "--epochs", "2", *TILED, *EXACT, "--workers", workers]
    with monkeypatch.context() as patch:
        interrupting(patch, "forward_backward", moment, signal.SIGTERM)
        assert train.main(command) == 128 + signal.SIGTERM
    assert train.main(["--resume"]) == 0
    assert_same(tiled, tmp_path / "runs" / "train" / "exp")


def test_a_training_on_tiles_says_what_it_makes_of_the_pictures(tiled):
    log = (tiled / "train.log").read_text(encoding="utf-8")
    assert "train: 12 pictures make 108 tiles of 64 px" in log
    assert checkpoint.load(tiled / "weights" / "best.pt")["config"]["data"]["imgsz"] == 64


def nms_of(run):
    return read_yaml(run / "thresholds.yaml").data["nms"]


def test_the_tiles_of_the_checkpoint_are_those_of_val_and_detect_of_its_thresholds(tiled, pictures, capsys):
    source = ["--source", str(pictures)]
    code, plain = run_val(tiled)
    assert code == 0
    made = {"iou": 0.6, "max_det": 300, "imgsz": 64}
    assert nms_of(plain) == nms_of(tiled) == {**made, "tile": 64, "tile_overlap": 0.25}
    ours = json.loads((plain / "results.json").read_text())["coco"]
    assert ours == json.loads((tiled / "results.json").read_text())["coco"]
    # other tiles, and none: what the thresholds were chosen with counts, not what the checkpoint was trained with
    for flags, more, words in (
        (["--tile", "96", "--tile-full"], {"imgsz": 96, "tile": 96, "tile_overlap": 0.25, "tile_full": True}, "96 px"),
        (["--tile", "0"], {}, ""),
    ):
        code, chosen = run_val(tiled, *flags)
        assert code == 0 and nms_of(chosen) == {**made, **more}
        same = ["--iou", "0.6", "--max-det", "300"]
        file = str(chosen / "thresholds.yaml")
        capsys.readouterr()
        code, one = run_detect(tiled, *source, "--thresholds", file, "--conf", "0.001")
        said = capsys.readouterr().out
        assert code == 0 and (f"tiles of {words}" in said if words else "in tiles" not in said)
        _, two = run_detect(tiled, *source, *same, *flags)
        alike(found_in(one), found_in(two), boxes=1e-6, scores=1e-6)
        code, again = run_val(tiled, "--thresholds", file)
        assert code == 0 and nms_of(again) == nms_of(chosen)
        assert (again / "predictions.json").read_bytes() == (chosen / "predictions.json").read_bytes()


def test_tiles_that_are_given_beat_those_of_the_thresholds(tiled, pictures, capsys):
    _, chosen = run_val(tiled)
    flags = ["--tile", "32", "--thresholds", str(chosen / "thresholds.yaml")]
    code, _ = run_detect(tiled, "--source", str(pictures), *flags)
    said = capsys.readouterr().out
    assert (
        code == 0 and "tiles of 32 px, overlap 0.25" in said and "chosen with other settings (--tile 32, not 64" in said
    )


@pytest.mark.parametrize("augment", [False, True])
def test_an_ensemble_of_twice_the_same_finds_the_same(weights, pictures, augment):
    """With weighted fusion the same where no two boxes of one network are joined: those lie apart."""
    how = {"device": "cpu", "tile": 64, "tile_overlap": 0.25, "augment": augment}
    alone = Detector(weights, **how)
    for merge in ("nms", "wbf"):
        both, once = Detector([weights, weights], **how, merge=merge), alone
        if augment and merge == "wbf":
            once = Detector(weights, **how, merge=merge)
        for path in sorted(pictures.iterdir()):
            one, two = once(path, **MANY), both(path, **MANY)
            assert len(one) == len(two) > 5 and one.names == two.names
            assert one.labels.tolist() == two.labels.tolist()
            np.testing.assert_allclose(two.boxes, one.boxes, atol=1e-3 if merge == "wbf" else 0)
            np.testing.assert_allclose(two.scores, one.scores, atol=1e-5 if merge == "wbf" else 0)


def test_an_ensemble_of_two_finds_what_either_finds(trained, tiled, pictures):
    """Both are looked at by the same tiles; what is written names both."""
    words = ["--weights", str(trained / "weights" / "best.pt"), str(tiled / "weights" / "best.pt"), *TILED]
    code, run = run_detect(trained, "--source", str(pictures), *words)
    assert code == 0
    about = json.loads((run / "run.json").read_text())
    assert [one["file"] for one in about["ensemble"]] == ["best.pt"]
    alone = []
    for member in (trained, tiled):
        only = ["--weights", str(member / "weights" / "best.pt"), *TILED]
        alone.append(found_in(run_detect(trained, "--source", str(pictures), *only)[1]))
    for name, rows in found_in(run).items():
        every = [row for one in alone for row in one.get(name, [])]
        assert all(row in every for row in rows) and rows[0][2] == max(row[2] for row in every)
    code, scored = run_val(trained, *words)
    assert code == 0 and " + " in read_yaml(scored / "thresholds.yaml").data["weights"]["file"]


@pytest.fixture(scope="module")
def other_classes(weights, tmp_path_factory):
    """The same network, whose classes are called otherwise."""
    content = checkpoint.load(weights)
    content["names"] = [f"{name} 2" for name in content["names"]]
    path = tmp_path_factory.mktemp("other") / "other.pt"
    checkpoint.save(path, content)
    return path


MISTAKES = {
    "a tile that is no multiple of the stride": (["--tile", "50"], "--tile 50: must be a multiple of"),
    "an overlap of the whole tile": (["--tile", "64", "--tile-overlap", "1"], "--tile-overlap"),
    "an overlap of nothing": (["--tile-overlap", "0.3"], "--tile-overlap: pictures are looked at as a whole"),
    "the whole picture beside no tiles": (["--tile-full"], "--tile-full: pictures are looked at as a whole"),
    "nothing to merge": (["--merge", "wbf"], "--merge: there is one look at each picture"),
    "tiles that only a training chooses": (["--tile", "auto"], "--tile auto: is chosen in training"),
    "a tile of no size": (["--tile", "-64"], "--tile"),
    "a tile of words": (["--tile", "large"], "--tile"),
}


@pytest.mark.parametrize("script", ["val", "detect"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(trained, pictures, capsys, script, mistake):
    flags, words = MISTAKES[mistake]
    run = run_val if script == "val" else run_detect
    before, capture = time.time_ns(), capsys.readouterr
    capture()
    code, newest_run = run(trained, *flags, *(["--source", str(pictures)] if script == "detect" else []))
    said = capture().err.strip()
    assert code == 2 and words in said and len(said.splitlines()) == 1, said
    assert newest_run.stat().st_mtime_ns < before, "nothing is left behind"


@pytest.mark.parametrize("script", ["val", "detect"])
def test_an_ensemble_of_other_classes_is_refused(trained, weights, other_classes, pictures, capsys, script):
    run, source = (run_val, []) if script == "val" else (run_detect, ["--source", str(pictures)])
    capsys.readouterr()
    code, _ = run(trained, "--weights", str(weights), str(other_classes), *source)
    said = capsys.readouterr().err.strip()
    assert code == 2 and len(said.splitlines()) == 1
    assert "other.pt: has other classes (bubble 2" in said and "the same classes in the same order" in said


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--tile", "50"], "--tile 50: must be a multiple of the network's stride"),
        (["--tile", "64", "--tile-overlap", "1"], "--tile-overlap"),
    ],
)
def test_a_mistake_in_training_is_one_line_and_exit_code_2(glass, tmp_path, monkeypatch, capsys, flags, words):
    monkeypatch.chdir(tmp_path)
    code = train.main([*QUICK, "--data", str(glass), "--epochs", "1", *flags])
    said = capsys.readouterr().err.strip()
    assert code == 2 and words in said and len(said.splitlines()) == 1
    assert not (tmp_path / "runs").exists()


def test_a_detector_refuses_what_the_flags_refuse(weights):
    for how, words in (
        ({"tile": 50}, "multiple of the network's stride"),
        ({"tile": -1}, "--tile auto"),
        ({"tile": 64, "tile_overlap": 1.0}, "tile_overlap"),
        ({"tile_overlap": 0.5}, "--tile-overlap"),
        ({"merge": "mean"}, "merge must be nms or wbf"),
    ):
        with pytest.raises(ConfigError, match=words):
            Detector(weights, device="cpu", **how)
