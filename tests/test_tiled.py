"""Tiles, looks and ensembles from end to end: cut by hand or by the flags, in any batches, stopped and resumed."""

import contextlib
import csv
import json
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import detect
import train
import val
from detect import Detector
from models.inference.nms import NMSConfig, suppress
from tests.faults.trained_runs import TINY
from tests.test_resume import assert_same, interrupting
from utils.files import checkpoint
from utils.scoring import coco
from utils.tiling.merging import SURE, Pieces, merge_tiles
from utils.tiling.tiles import Tiling
from utils.words.errors import ConfigError
from utils.words.yamlio import read_yaml

TILED = ["--tile", "64", "--tile-overlap", "0.25"]
CONF = "0.15"
MANY = {"conf": 0.15, "iou": 0.6, "max_det": 300}
SAME = ["--iou", "0.6", "--max-det", "300"]  # as val.py has them
SIZES = {"a": (128, 128), "b": (90, 256), "c": (50, 60), "d": (128, 70)}


def command(home: Path, glass: Path, *words: str) -> list[str]:
    """A training of two epochs on tiles, every step of which is saved."""
    (home / "tiny.yaml").write_text(TINY)
    quick = ["--cfg", "tiny.yaml", "--batch", "16", "--workers", "0", "--device", "cpu", "--noplots", "--no-amp"]
    exact = ["--close-mosaic", "1", "--save-steps", "1", "--set", "optim.nominal_batch=32"]
    return [*quick, *exact, "--data", str(glass), "--epochs", "2", *TILED, *words]


@pytest.fixture(scope="module")
def tiled(glass, tmp_path_factory):
    """The run folder of two epochs on tiles of the glass set."""
    home = tmp_path_factory.mktemp("tiled")
    with contextlib.chdir(home):
        assert train.main(command(home, glass)) == 0
    return home / "runs" / "train" / "exp"


def lively(content, seed):
    """The checkpoint with weights that find many boxes of all sizes and scores, as two epochs do not teach it."""
    generator = torch.Generator().manual_seed(seed)
    for name, value in content["ema"]["module"].items():
        if value.ndim == 4:
            value.copy_(torch.randn(value.shape, generator=generator) * (2 / value[0].numel()) ** 0.5)
        if value.ndim == 4 and value.shape[-1] > 1:
            value -= value.mean((1, 2, 3), keepdim=True)
        if name.endswith("running_mean"):
            value.zero_()
        if name.endswith("running_var"):
            value.fill_(0.3)
        if name.endswith("convs.0.bias"):  # of x, y, width, height, objectness and classes
            value.copy_(torch.tensor([0, 0, -0.6, -0.6, -1, 0, 0, 0, 0, 0]).repeat(3))
    return content


@pytest.fixture(scope="module")
def run(tiled, tmp_path_factory):
    """A run folder whose best.pt finds a lot; plain.pt is the same, trained without tiles, other.pt another one."""
    run = tmp_path_factory.mktemp("lively") / "runs" / "train" / "exp"
    shutil.copytree(tiled, run)
    content, folder = checkpoint.load(tiled / "weights" / "best.pt"), run / "weights"
    checkpoint.save(folder / "other.pt", lively(content, 1))
    checkpoint.save(folder / "best.pt", lively(content, 0))
    content["config"]["data"] |= {"tile": 0, "tile_overlap": 0.2}
    checkpoint.save(folder / "plain.pt", content)
    content["names"] = [f"{name} 2" for name in content["names"]]
    checkpoint.save(folder / "named.pt", content)
    return run


@pytest.fixture(scope="module")
def plain(run):
    return run / "weights" / "plain.pt"


@pytest.fixture(scope="module")
def pictures(glass, tmp_path_factory):
    """A folder of noisy pictures that are larger than a tile, longer, and smaller than one."""
    folder, rng = tmp_path_factory.mktemp("pictures"), np.random.default_rng(0)
    shown = [np.asarray(Image.open(path)) for path in sorted((glass.parent / "images" / "val").iterdir())]
    for name, (height, width) in SIZES.items():
        image = np.concatenate(shown[:2], 1)[:height, :width]
        noisy = np.clip(image + rng.normal(0, 20, image.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(folder / f"{name}.png")
    return folder


def newest(runs):
    return max(runs.glob("*"), key=lambda path: path.stat().st_mtime_ns, default=None)


def run_detect(run, *words):
    with contextlib.chdir(run.parents[2]):
        code = detect.main(["--device", "cpu", "--nosave", "--save-json", *words])
    return code, newest(run.parents[1] / "detect")


def run_val(run, *words):
    with contextlib.chdir(run.parents[2]):
        code = val.main(["--device", "cpu", "--workers", "0", "--noplots", *words])
    return code, newest(run.parents[1] / "val")


def found_in(run):
    """By the name of the file its rows (class, box, score) of predictions.json, the best first."""
    rows = {}
    for row in json.loads((run / "predictions.json").read_text()):
        rows.setdefault(Path(row["file_name"]).name, []).append((row["category"], row["bbox"], row["score"]))
    return rows


def alike(one, two, boxes=0.02, scores=1e-4):
    """The same detections; those of nearly the same score may have changed places."""
    assert one.keys() == two.keys() == {f"{name}.png" for name in SIZES}
    for name in one:
        assert len(one[name]) == len(two[name]) > 10
        kinds = [np.array([row[0] for row in rows[name]]) for rows in (one, two)]
        values = [np.array([[*row[1], row[2]] for row in rows[name]]) for rows in (one, two)]
        apart = np.abs(values[0][:, None] - values[1]) / ([boxes] * 4 + [scores])
        same = (apart.max(2) <= 1) & (kinds[0][:, None] == kinds[1])
        assert same.any(0).all() and same.any(1).all(), name
        assert np.abs(values[0][:, 4] - values[1][:, 4]).max() <= scores


@pytest.mark.parametrize("tiling", [Tiling(64, 0.25), Tiling(32, 0.0), Tiling(96, 0.5, whole=True)], ids=str)
def test_a_picture_cut_by_hand_gives_what_the_tiles_give(plain, pictures, tiling):
    """Every tile detected by itself, its boxes moved to where it was cut, and all merged."""
    how = {"tile": tiling.side, "tile_overlap": tiling.overlap, "tile_full": tiling.whole}
    tiled, alone = Detector(plain, device="cpu", **how), Detector(plain, device="cpu", imgsz=tiling.side)
    faint = {**MANY, "conf": MANY["conf"] * SURE}  # of a thing in several tiles, which has a say in where it ends
    for path in sorted(pictures.iterdir()):
        image = np.asarray(Image.open(path))
        parts, areas = [], tiling.areas(image.shape[:2])
        for left, top, right, bottom in areas.tolist():
            found = alone.detect([np.ascontiguousarray(image[top:bottom, left:right])], alone.nms(**faint))[0]
            parts.append((found.boxes.numpy() + np.array([left, top] * 2, np.float32), found.scores, found.labels))
        boxes, scores, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
        owners = np.repeat(np.arange(len(areas)), [len(part[1]) for part in parts])
        want = boxes, scores, labels
        if len(areas) > 1:
            want = merge_tiles(Pieces(boxes, scores, labels, areas[owners]), image.shape[:2], 0.6, 300)
            assert len(want[1]) < len(scores), "some of them are one"
        want = [column[want[1] > MANY["conf"]] for column in want]
        found = tiled.detect([image], tiled.nms(**MANY))[0]
        assert found.labels.tolist() == want[2].tolist() and len(found) > 20
        np.testing.assert_allclose(found.boxes.numpy(), want[0], atol=1e-4)
        np.testing.assert_allclose(found.scores.numpy(), want[1], atol=1e-4)


def test_neither_batch_size_nor_order_of_the_pictures_matters(run, plain, pictures, tmp_path):
    order, files, tables = tmp_path / "backwards.txt", [], []
    order.write_text("".join(f"{path}\n" for path in sorted(pictures.iterdir(), reverse=True)))
    flags = ["--weights", str(plain), *TILED, "--tile-full", "--conf", CONF]
    for source, size in ((pictures, "1"), (pictures, "5"), (order, "3")):
        code, done = run_detect(run, "--source", str(source), *flags, "--batch-size", size)
        assert code == 0
        files.append(found_in(done))
        with (done / "summary.csv").open(newline="", encoding="utf-8") as file:
            rows = {Path(row["image"]).name: row for row in csv.DictReader(file)}
        tables.append({name: (row["status"], row["defects"], int(row["tiles"])) for name, row in rows.items()})
    alike(files[0], files[1])
    alike(files[0], files[2])
    assert tables[0] == tables[1] == tables[2]
    want = {f"{name}.png": len(Tiling(64, 0.25, True).areas(size)) for name, size in SIZES.items()}
    assert {name: row[2] for name, row in tables[0].items()} == want


LOOKS = [[*TILED, "--tile-full"], ["--augment"], [*TILED, "--augment", "--merge", "wbf"]]


@pytest.mark.parametrize("flags", LOOKS, ids=" ".join)
def test_val_scores_what_detect_finds(run, plain, glass, flags):
    # looks that are fused are less sure than the surest of them
    flags = ["--weights", str(plain), *flags, "--conf", "0.1" if "--augment" in flags else CONF]
    code, scored = run_val(run, "--batch", "1", *flags)
    assert code == 0
    theirs, truth = (json.loads((scored / f"{name}.json").read_text()) for name in ("predictions", "truth"))
    code, done = run_detect(run, "--source", str(glass.parent / "images" / "val"), *SAME, *flags)
    images = {image["file_name"]: image["id"] for image in truth["images"]}
    categories = {category["name"]: category["id"] for category in truth["categories"]}
    mine = [
        {"image_id": images[name], "category_id": categories[word], "bbox": box, "score": score}
        for name, rows in found_in(done).items()
        for word, box, score in rows
    ]
    ids = [category["id"] for category in truth["categories"]]
    ours = json.loads((scored / "results.json").read_text())["coco"]
    assert code == 0 and len(mine) > 50 and mine == theirs and coco.score(truth, mine, ids).stats == ours


def test_val_gives_the_same_for_any_batch_size(run, plain):
    flags = ["--weights", str(plain), *TILED, "--tile-full", "--augment", "--conf", CONF]
    runs = [run_val(run, "--batch", size, *flags)[1] for size in ("1", "7")]
    one, two = (json.loads((done / "results.json").read_text())["coco"] for done in runs)
    assert one == {key: value if value is None else pytest.approx(value, abs=1e-3) for key, value in two.items()}


@pytest.mark.parametrize(("moment", "workers"), [(2, "0"), (7, "2")])
def test_training_on_tiles_stopped_and_resumed_is_as_if_it_had_not_been(
    tiled, glass, tmp_path, monkeypatch, moment, workers
):
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        interrupting(patch, "forward_backward", moment, signal.SIGTERM)
        assert train.main(command(tmp_path, glass, "--workers", workers)) == 128 + signal.SIGTERM
    assert train.main(["--resume"]) == 0
    assert_same(tiled, tmp_path / "runs" / "train" / "exp")


def test_a_training_on_tiles_says_what_it_makes_of_the_pictures(tiled):
    """A pixel of a tile is one of the network's input, unless --img says otherwise."""
    log = (tiled / "train.log").read_text(encoding="utf-8")
    assert "train: 12 pictures make 108 tiles of 64 px" in log
    data = checkpoint.load(tiled / "weights" / "best.pt")["config"]["data"]
    assert (data["imgsz"], data["tile"], data["tile_overlap"], data["tile_full"]) == (64, 64, 0.25, False)


def nms_of(run):
    return read_yaml(run / "thresholds.yaml").data["nms"]


MADE = {"iou": 0.6, "max_det": 300, "imgsz": 64}


def test_val_looks_at_tiles_as_the_training_did(tiled, run):
    code, done = run_val(tiled)
    results = [json.loads((one / "results.json").read_text())["coco"] for one in (done, tiled)]
    assert code == 0 and results[0] == results[1]
    assert nms_of(done) == nms_of(tiled) == {**MADE, "tile": 64, "tile_overlap": 0.25, "tile_full": False}
    flags = ["--weights", str(run / "weights" / "best.pt"), "--conf", CONF]
    bare, given = (run_val(run, *flags, *more)[1] for more in ([], TILED))
    assert (bare / "predictions.json").read_bytes() == (given / "predictions.json").read_bytes()


OTHERS = {
    "other tiles": (
        ["--tile", "96", "--tile-full"],
        {"imgsz": 96, "tile": 96, "tile_overlap": 0.25, "tile_full": True},
    ),
    "no tiles": (["--tile", "0"], {}),
    "enlarged": (["--imgsz", "128"], {"imgsz": 128, "tile": 64, "tile_overlap": 0.25, "tile_full": False}),
}


@pytest.mark.parametrize("name", OTHERS)
def test_the_tiles_of_the_thresholds_are_those_of_who_uses_them(run, pictures, tmp_path, name):
    """... and not those of the checkpoint."""
    flags, more = OTHERS[name]
    code, chosen = run_val(run, *flags)
    assert code == 0 and nms_of(chosen) == {**MADE, **more}
    file = tmp_path / "low.yaml"  # the same, with thresholds that something reaches
    said = read_yaml(chosen / "thresholds.yaml").data
    low = {word: 0.15 for word in said["thresholds"]}
    file.write_text(json.dumps({"nms": said["nms"], "thresholds": low}))
    code, one = run_detect(run, "--source", str(pictures), "--thresholds", str(file))
    _, two = run_detect(run, "--source", str(pictures), *flags, *SAME, "--conf", CONF)
    assert code == 0
    alike(found_in(one), found_in(two), boxes=1e-6, scores=1e-6)
    code, again = run_val(run, "--thresholds", str(file))
    assert code == 0 and nms_of(again) == nms_of(chosen)
    assert (again / "predictions.json").read_bytes() == (chosen / "predictions.json").read_bytes()
    detector = Detector(run / "weights" / "best.pt", device="cpu")
    detector.use_thresholds(file)
    tiling = Tiling(more["tile"], more["tile_overlap"], more.get("tile_full", False)) if more.get("tile") else None
    assert detector.looking.tiling == tiling and detector.imgsz == {**MADE, **more}["imgsz"]


def test_tiles_that_are_given_beat_those_of_the_thresholds(run, pictures, capsys):
    _, chosen = run_val(run, "--conf", CONF)
    flags = ["--tile", "32", "--thresholds", str(chosen / "thresholds.yaml")]
    capsys.readouterr()
    code, _ = run_detect(run, "--source", str(pictures), *flags)
    said = capsys.readouterr().out
    assert code == 0 and "tiles of 32 px" in said and "chosen with other settings (--tile 32, not 64" in said


@pytest.mark.parametrize(("merge", "augment"), [("nms", False), ("nms", True), ("wbf", False)])
def test_an_ensemble_of_twice_the_same_finds_the_same(plain, pictures, merge, augment):
    """But for boxes that reach out of the picture, and which NMS takes for one when they end with it."""
    how = {"device": "cpu", "tile": 64, "tile_overlap": 0.25, "augment": augment}
    once, twice = (Detector(weights, **how, merge=merge) for weights in (plain, [plain, plain]))
    for path in sorted(pictures.iterdir())[1:]:
        one, two = once(path, **MANY), twice(path, **MANY)
        if merge == "nms":
            one = one.keep(suppress(one.boxes, one.labels, NMSConfig(**MANY)))
        assert one.labels.tolist() == two.labels.tolist() and one.names == two.names and len(one) > 20
        np.testing.assert_allclose(two.boxes, one.boxes, atol=1e-3 if merge == "wbf" else 0)
        np.testing.assert_allclose(two.scores, one.scores, atol=1e-5 if merge == "wbf" else 0)


def test_an_ensemble_of_two_finds_what_either_finds(run, pictures):
    """Both look at the same tiles; what is written names both."""
    files = [str(run / "weights" / name) for name in ("best.pt", "other.pt")]
    source = ["--source", str(pictures), "--conf", CONF]
    code, done = run_detect(run, *source, "--weights", *files, "--merge", "nms")
    assert code == 0 and [one["file"] for one in json.loads((done / "run.json").read_text())["ensemble"]] == [
        "other.pt"
    ]
    alone = [found_in(run_detect(run, *source, "--weights", file)[1]) for file in files]
    for name, rows in found_in(done).items():
        every = [row for one in alone for row in one.get(name, [])]
        assert all(row in every for row in rows) and rows[0][2] == max(row[2] for row in every)
    code, scored = run_val(run, "--weights", *files, "--conf", CONF)
    assert code == 0 and read_yaml(scored / "thresholds.yaml").data["weights"]["file"] == "best.pt + other.pt"


MISTAKES = {
    "a tile that is no multiple of the stride": (["--tile", "50"], "--tile 50: must be a multiple of the network's"),
    "an overlap of the whole tile": (["--tile", "64", "--tile-overlap", "1"], "--tile-overlap"),
    "an overlap of nothing": (["--tile-overlap", "0.3"], "--tile-overlap: pictures are looked at as a whole"),
    "an overlap of what is switched off": (["--tile", "0", "--tile-overlap", "0.3"], "--tile-overlap: pictures are"),
    "the whole picture beside no tiles": (["--tile-full"], "--tile-full: pictures are looked at as a whole"),
    "nothing to merge": (["--merge", "wbf"], "--merge: there is one look at each picture"),
    "tiles that only a training chooses": (["--tile", "auto"], "--tile auto: is chosen in training"),
    "a tile of less than nothing": (["--tile", "-64"], "--tile"),
    "a tile of words": (["--tile", "large"], "--tile"),
}


@pytest.mark.parametrize("script", ["val", "detect"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(run, plain, pictures, capsys, script, mistake):
    flags, words = MISTAKES[mistake]
    start = run_val if script == "val" else run_detect
    before = newest(run.parents[1] / script)
    capsys.readouterr()
    source = ["--source", str(pictures)] if script == "detect" else []
    code, after = start(run, "--weights", str(plain), *flags, *source)
    said = capsys.readouterr().err.strip()
    assert code == 2 and words in said and len(said.splitlines()) == 1, said
    assert after == before, "nothing is left behind"


@pytest.mark.parametrize("script", ["val", "detect"])
def test_an_ensemble_of_other_classes_is_refused(run, plain, pictures, capsys, script):
    start, source = (run_val, []) if script == "val" else (run_detect, ["--source", str(pictures)])
    capsys.readouterr()
    code, _ = start(run, "--weights", str(plain), str(plain.parent / "named.pt"), *source)
    said = capsys.readouterr().err.strip()
    assert code == 2 and len(said.splitlines()) == 1
    assert "named.pt: has other classes (bubble 2, oil 2" in said and "the same classes in the same order" in said


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--tile", "50"], "--tile 50: must be a multiple of the network's stride"),
        (["--tile-overlap", "1"], "tile"),
        (["--tile", "-2"], "tile"),
    ],
)
def test_a_mistake_in_training_is_one_line_and_exit_code_2(glass, tmp_path, monkeypatch, capsys, flags, words):
    monkeypatch.chdir(tmp_path)
    code = train.main(command(tmp_path, glass, *flags))
    said = capsys.readouterr().err.strip()
    assert code == 2 and words in said and len(said.splitlines()) == 1, said
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"tile": 50}, "multiple of the network's stride"),
        ({"tile": -1}, "--tile auto"),
        ({"tile": 64, "tile_overlap": 1.0}, "tile_overlap"),
        ({"tile_overlap": 0.5}, "--tile-overlap"),
        ({"tile_full": 3}, "tile_full"),
        ({"merge": "mean"}, "merge must be"),
    ],
    ids=str,
)
def test_a_detector_refuses_what_the_flags_refuse(plain, how, words):
    with pytest.raises(ConfigError, match=words):
        Detector(plain, device="cpu", **how)


def test_the_time_per_picture_is_measured_with_tiles_too(run, plain):
    code, done = run_val(run, "--weights", str(plain), *TILED, "--task", "speed", "--conf", CONF)
    assert code == 0 and (done / "speed.json").is_file()


def test_thresholds_that_do_not_say_how_they_were_chosen_contradict_no_tiles(run, pictures, tmp_path, capsys):
    file = tmp_path / "bare.yaml"
    names = checkpoint.load(run / "weights" / "best.pt")["names"]
    file.write_text(json.dumps({"thresholds": {name: 0.15 for name in names}}))
    capsys.readouterr()
    code, _ = run_detect(run, "--source", str(pictures), *TILED, "--thresholds", str(file))
    said = capsys.readouterr()
    assert code == 0 and "chosen with other settings" not in said.out + said.err
