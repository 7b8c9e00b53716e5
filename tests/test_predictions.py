"""val.py --from-preds and --compare: files of anybody's detections, without weights."""

import contextlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

import detect
import val
from tests.test_inspection import read


@pytest.fixture
def six(tmp_path, monkeypatch):
    """The six pictures of tests.utils.glass_cases as files, and what another detector found in them."""
    monkeypatch.chdir(tmp_path)
    truth = [
        "0 0.2 0.2 0.2 0.2",
        "1 0.44 0.44 0.08 0.08",
        "0 0.7 0.7 0.4 0.4",
        "0 0.1 0.1 0.2 0.2\n1 0.65 0.65 0.1 0.1",
    ]
    for folder in ("images", "labels"):
        Path(folder, "val").mkdir(parents=True)
    for number in range(6):
        Image.new("RGB", (100, 100), (90, 90, 90 + number)).save(f"images/val/p{number}.png")
        if number < 5:
            Path(f"labels/val/p{number}.txt").write_text((truth[number] if number < 4 else "") + "\n")
    write_data(["bubble", "oil"])
    return tmp_path


def write_data(names):
    yaml = {"path": ".", "train": "images/val", "val": "images/val", "names": names}
    Path("data.yaml").write_text(json.dumps(yaml))


FOUND = [
    (0, 1, [10, 10, 20, 20], 0.95),
    (0, 1, [10, 10, 20, 18], 0.6),
    (1, 2, [42, 42, 8, 8], 0.5),
    (2, 2, [50, 50, 40, 40], 0.8),
    (3, 1, [0, 0, 20, 20], 0.5),
    (4, 1, [5, 5, 10, 10], 0.5),
]


def write_predictions(rows, name="found.json"):
    Path(name).write_text(json.dumps(rows), encoding="utf-8")
    return name


def plain_rows():
    return [{"image_id": p + 1, "category_id": c, "bbox": b, "score": s} for p, c, b, s in FOUND]


def score(name, *words):
    code = val.main(["--from-preds", *name.split(), "--data", "data.yaml", "--noplots", *words])
    runs = sorted(Path("runs/val").glob("*"), key=lambda p: p.stat().st_mtime_ns)
    return code, runs[-1] if runs else None


def test_parts_of_folds_are_scored_as_one_file(six, capsys):
    _, whole = score(write_predictions(plain_rows()))
    parts = [write_predictions([row for row in plain_rows() if row["image_id"] % 2 == k], f"{k}.json") for k in (0, 1)]
    code, together = score(" ".join(parts))
    assert code == 0 and read(together / "results.json") == read(whole / "results.json")
    assert read(together / "run.json")["predictions"] == "0.json, 1.json"
    capsys.readouterr()
    assert score(f"{parts[0]} found.json")[0] == 3
    assert "0.json and found.json: both have detections of p1.png; give one of them" in capsys.readouterr().err


def test_six_pictures_by_hand(six, capsys):
    """The thresholds 0.8 and 0.9 let one bubble of five pass; by hand in tests/utils/inspection."""
    code, run = score(write_predictions(plain_rows()))
    said = capsys.readouterr().out
    assert code == 0 and "6 detections in 5 of 6 pictures" in said
    assert "report.json" in said and "report.html" not in said and not (run / "report.html").exists()  # --noplots
    assert "escape 3 of 4 (75.0 %, 30.1 % to 95.4 %)" in said and "overkill 0 of 2 (at most 65.8 %)" in said
    section = read(run / "results.json")["inspection"]
    assert section["operating_point"]["thresholds"] == {"bubble": 0.8, "oil": 0.9}
    assert section["pictures"] == {"all": 6, "good": 2, "bad": 4, "unlabelled": 1}
    assert section["misses"][0]["file"] == "p3.png" and section["misses"][0]["class"] == "oil"
    assert "nms" not in (run / "thresholds.yaml").read_text()
    code, run = score("found.json", "--match", "center", "--cost", "escape=50,overkill=1")
    decisions = read(run / "results.json")["inspection"]["operating_point"]["decisions"]
    assert (decisions["escape"]["events"], decisions["overkill"]["events"]) == (1, 1)


def test_every_way_to_name_pictures_and_classes(six):
    """Ids, file names, paths, stems, class names: one set of numbers."""
    _, run = score(write_predictions(plain_rows()))
    want = read(run / "results.json")
    rows = [
        {**row, "image_id": n, "file_name": f"p{p}.png", "category_id": 77, "category": name}
        for row, n, (p, c, _, _) in zip(plain_rows(), range(50, 60), FOUND, strict=False)
        for name in [("Bubble", "OIL")[c - 1]]
    ]
    stems = [{**row, "image_id": f"p{p}"} for row, (p, *_) in zip(plain_rows(), FOUND, strict=True)]
    paths = [
        {**row, "file_name": f"elsewhere\\val\\p{p}.png"} for row, (p, *_) in zip(plain_rows(), FOUND, strict=True)
    ]
    for other in (rows, stems, paths):
        code, run = score(write_predictions(other))
        assert code == 0 and read(run / "results.json") == want


def test_order_of_classes_does_not_matter(six):
    _, run = score(
        write_predictions([{**row, "category": ("bubble", "oil")[row["category_id"] - 1]} for row in plain_rows()])
    )
    one = read(run / "results.json")
    write_data(["oil", "bubble"])
    for path in Path("labels/val").glob("*.txt"):
        path.write_text(path.read_text().translate(str.maketrans("", "")))
        rows = [line.split(" ", 1) for line in path.read_text().split("\n") if line]
        path.write_text("".join(f"{1 - int(k)} {rest}\n" for k, rest in rows))
    _, run = score("found.json")
    two = read(run / "results.json")
    assert one["inspection"] == two["inspection"] and one["coco"] == two["coco"]


def random_detector(seed=0):
    """Another detector: 17 digits, boxes over the edge, ties, several classes."""
    g = np.random.default_rng(seed)
    rows = plain_rows()
    for number in range(200):
        x, y, w, h = (float(v) for v in g.uniform(-5, 60, 2).tolist() + g.uniform(0.5, 50, 2).tolist())
        value = float(g.random()) if number % 3 else 0.25
        rows.append(
            {
                "image_id": int(g.integers(1, 7)),
                "category_id": int(g.integers(1, 3)),
                "bbox": [x, y, w, h],
                "score": value,
            }
        )
    return rows


def test_equal_to_pycocotools_on_another_detector(six):
    rows = random_detector()
    code, run = score(write_predictions(rows))
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(run / "truth.json"))
        evaluation = COCOeval(truth, truth.loadRes("found.json"), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    want = [None if v == -1 else pytest.approx(v, abs=1e-9) for v in evaluation.stats.tolist()]
    assert code == 0 and list(read(run / "results.json")["coco"].values()) == want
    assert len(read(run / "predictions.json")) == len(rows)


def test_detects_json_gives_vals_numbers(trained, glass):
    """N13: all of results.json, not only AP."""
    with contextlib.chdir(trained.parents[2]):
        words = ["--device", "cpu", "--noplots", "--data", str(glass)]
        assert val.main([*words, "--workers", "0", "--batch", "1", "--name", "n13"]) == 0
        flags = "--conf 0.001 --iou 0.6 --max-det 300 --save-json --nosave --name n13 --device cpu".split()
        assert detect.main([*flags, "--source", str(glass.parent / "images" / "val")]) == 0
        assert val.main([*words, "--from-preds", "runs/detect/n13/predictions.json", "--name", "again"]) == 0
        ours, again = (read(Path("runs/val", name, "results.json")) for name in ("n13", "again"))
        made = read(Path("runs/val/n13/predictions.json"))
        assert made == read(Path("runs/val/again/predictions.json")) and len(made) > 50
        assert ours == again
        one, two = (Path("runs/val", name, "per_image.csv").read_text() for name in ("n13", "again"))
        assert one == two


def with_regions(glass, folder):
    """A copy of the glass set whose validation pictures have regions of no class, and crowds of some."""
    shutil.copytree(glass.parent, folder)
    shutil.rmtree(folder / "labels")
    path = folder / "annotations" / "val.json"
    truth = read(path)
    for number, row in enumerate(truth["annotations"]):
        row["iscrowd"] = int(number % 4 == 1)
    truth["categories"].append({"id": 77, "name": "doubtful"})
    region = {"category_id": 77, "bbox": [10, 20, 60, 50], "area": 3000, "iscrowd": 0}
    for image in truth["images"][::2]:
        truth["annotations"].append({**region, "id": 1000 + image["id"], "image_id": image["id"]})
    path.write_text(json.dumps(truth))
    yaml = {"path": ".", "train": "annotations/train.json", "val": "annotations/val.json"}
    (folder / "data.yaml").write_text(json.dumps({**yaml, "remap": {"doubtful": "ignore"}}))
    return folder / "data.yaml"


def test_regions_to_ignore_count_alike_wherever_the_detections_come_from(trained, glass, tmp_path, monkeypatch):
    """val.py, its own predictions.json, and detect.py's: every file has the same numbers."""
    data = with_regions(glass, tmp_path / "set")
    monkeypatch.chdir(tmp_path)
    words, weights = ["--data", str(data), "--device", "cpu"], ["--weights", str(trained / "weights" / "best.pt")]
    assert val.main([*words, *weights, "--workers", "0", "--name", "own"]) == 0
    flags = "--conf 0.001 --iou 0.6 --max-det 300 --save-json --nosave --name d --device cpu".split()
    assert detect.main([*flags, *weights, "--source", str(tmp_path / "set" / "images" / "val")]) == 0
    for name, found in (("again", "runs/val/own/predictions.json"), ("detected", "runs/detect/d/predictions.json")):
        assert val.main([*words, "--from-preds", found, "--name", name]) == 0
        one, other = (Path("runs/val", run) for run in ("own", name))
        for table in ("results.json", "predictions.json", "truth.json"):
            assert read(one / table) == read(other / table), (name, table)
        for table in ("per_image.csv", "per_class.csv"):
            assert (one / table).read_text() == (other / table).read_text()
        reports = [read(folder / "report.json") for folder in (one, other)]
        for part in ("results", "sweep", "curves", "confusion"):
            assert reports[0][part] == reports[1][part], (name, part)
    truth, results = read(Path("runs/val/own/truth.json")), read(Path("runs/val/own/results.json"))
    crowd = [row for row in truth["annotations"] if row["iscrowd"]]
    assert results["instances"] == len(truth["annotations"]) - len(crowd) > 0
    assert any("every_class" in row for row in crowd) and any("every_class" not in row for row in crowd)


def test_nothing_found_is_a_result(six, capsys):
    code, run = score(write_predictions([]))
    captured = capsys.readouterr()
    assert code == 0 and "holds no detections; every defect counts as missed" in captured.err
    report = read(run / "results.json")
    assert report["coco"]["AP"] == 0.0 and report["recall"] == 0.0
    assert report["precision"] is None, "nothing is found: no share of it is right"
    escape = report["inspection"]["operating_point"]["decisions"]["escape"]
    assert (escape["events"], escape["total"], escape["high"]) == (4, 4, 1.0)
    assert escape["low"] == pytest.approx(1 - 3.8415 / 7.8415, abs=1e-4)


def broken(**changes):
    return json.dumps([plain_rows()[0], {**plain_rows()[1], **changes}])


def without(key):
    return json.dumps([{k: v for k, v in plain_rows()[0].items() if k != key}])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (broken(image_id=99), "detection 2: image_id 99 is none of the data's; it has 1, 2, 3, 4, 5, 6"),
        (broken(file_name="<script>.png"), "'<script>.png': is no picture of the data; it has p0.png"),
        (broken(image_id=None), "image_id must be a number or a name, not None"),
        (broken(image_id=True), "image_id must be a number"),
        (broken(category_id=0), "category_id 0 is none of the data's; it has 1 = bubble, 2 = oil"),
        (broken(category="bubbel"), "class 'bubbel' is none of the data's; did you mean 'bubble'?"),
        (broken(category="裂纹"), "class '裂纹' is none of the data's; it has"),
        (broken(bbox=[1, 2, -3, 4]), "detection 2: bbox [1, 2, -3, 4] has a negative size"),
        (broken(bbox=[1, 2, 3]), "bbox must be four finite numbers"),
        (broken(bbox=[1, 2, 3, float("nan")]), "bbox must be four finite numbers"),
        (broken(bbox={"x": 1}), "bbox must be four finite numbers"),
        (broken(score=float("nan")), "score must be a number from 0 to 1, not nan"),
        (broken(score=float("inf")), "score must be a number from 0 to 1, not inf"),
        (broken(score=17.5), "score must be a number from 0 to 1, not 17.5"),
        (broken(score="0.5"), "score must be a number"),
        (without("score"), "detection 1: has no score"),
        (without("bbox"), "has no bbox"),
        (without("image_id"), "has no image_id"),
        (without("category_id"), "has no category_id"),
        ('{"images": [], "annotations": []}', "is a data set, not what was found in one"),
        ("3", "is no list"),
        ('{"detections": []}', "is no list"),
        ("[3]", "detection 1: must be an object"),
        ("[{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("\xff\xfe", "is no JSON"),
    ],
)
def test_bad_files_are_one_line(six, capsys, text, expected):
    Path("found.json").write_bytes(text.encode("latin-1") if text == "\xff\xfe" else text.encode())
    code, run = score("found.json")
    *before, error = capsys.readouterr().err.splitlines()
    assert code == 3 and run is None, "nothing is written"
    assert error.startswith("error[DATA]: found.json") and expected in error
    assert len(before) == 1 and "6 of 6 pictures are in train, too" in before[0]


@pytest.mark.parametrize(
    ("words", "code", "expected"),
    [
        (["--from-preds", "found.json"], 2, "--from-preds: needs --data"),
        (["--from-preds", "nowhere.json", "--data", "data.yaml"], 3, "nowhere.json: cannot be read"),
        (["--from-preds", "found.json", "--data", "data.yaml", "--weights", "best.pt"], 2, "--weights: has no meaning"),
        (["--from-preds", "found.json", "--data", "data.yaml", "--conf", "0.3"], 2, "--conf: has no meaning"),
        (["--from-preds", "found.json", "--data", "data.yaml", "--task", "test"], 2, "test"),
        (["--compare", "runs/a", "runs/b"], 3, "runs/a: no such folder"),
        (["--compare", "images", "images"], 3, "has no truth.json"),
        (["--compare", "images"], 2, "--compare"),
    ],
)
def test_mistakes(six, capsys, words, code, expected):
    write_predictions(plain_rows())
    assert val.main(words) == code
    *before, error = capsys.readouterr().err.splitlines()
    assert error.startswith("error[") and expected in error
    assert all("pictures are in train, too" in line for line in before)


def test_several_pictures_of_one_name(six, capsys):
    for number, folder in enumerate("ab"):
        Path("images/val", folder).mkdir()
        Image.new("RGB", (50, 50 + number)).save(f"images/val/{folder}/same.png")
    assert score(write_predictions([{**plain_rows()[0], "file_name": "same.png"}]))[0] == 3
    assert "several pictures of the data are called that" in capsys.readouterr().err
    assert score(write_predictions([{**plain_rows()[0], "file_name": "b/same.png"}]))[0] == 0


def test_all_classes_as_one(six):
    code, run = score(write_predictions(plain_rows()), "--single-cls")
    report = read(run / "results.json")
    assert code == 0 and [row["name"] for row in report["classes"]] == ["defect"] and report["instances"] == 5
    assert report["inspection"]["errors"]["class"] == 0


def test_compare_with_itself_and_with_a_worse_one(six, capsys):
    """All pictures of the worse one lack what the other finds: every draw agrees, whatever the pictures."""
    boxes = [(p, [int(100 * (float(w) - float(s) / 2)) for w, s in ((x, wide), (y, high))], wide, high, k)
             for p in range(4) for k, x, y, wide, high in
             [line.split() for line in Path(f"labels/val/p{p}.txt").read_text().split("\n") if line]]  # fmt: skip
    perfect = [
        {"image_id": p + 1, "category_id": int(k) + 1, "bbox": [*xy, 100 * float(w), 100 * float(h)], "score": 0.9}
        for p, xy, w, h, k in boxes
    ]
    for name, rows in (("good", perfect), ("none", []), ("half", perfect[:2])):
        assert score(write_predictions(rows), "--name", name)[0] == 0
    capsys.readouterr()
    assert val.main(["--compare", "runs/val/good", "runs/val/good", "--name", "same"]) == 0
    said = capsys.readouterr().out
    assert "AP50: 1.0000 -> 1.0000 (+0.0000, 95 %: +0.0000 to +0.0000); not distinguishable" in said
    assert said.count("not distinguishable") == 5
    assert val.main(["--compare", "runs/val/good", "runs/val/none", "--name", "worse"]) == 0
    rows = {row["name"]: row for row in read(Path("runs/val/worse/compare.json"))["differences"]}
    assert (rows["AP50"]["first"], rows["AP50"]["second"], rows["AP50"]["difference"]) == (1.0, 0.0, -1.0)
    assert rows["AP50"]["distinguishable"] and rows["recall"]["difference"] == -1.0
    assert (rows["escape"]["first"], rows["escape"]["second"]) == (0.0, 1.0)
    overkill = rows["overkill"]
    assert (overkill["pictures"], overkill["low"], overkill["high"], overkill["distinguishable"]) == (
        2,
        None,
        None,
        False,
    )
    assert "2 pictures to tell by, too few for an interval" in Path("runs/val/worse/val.log").read_text("utf-8")


def test_runs_that_cannot_be_compared(six, capsys):
    score(write_predictions(plain_rows()), "--name", "one")
    score("found.json", "--name", "center", "--match", "center")
    assert val.main(["--compare", "runs/val/one", "runs/val/center"]) == 3
    assert "give both the same --match" in capsys.readouterr().err
    Path("labels/val/p4.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    score("found.json", "--name", "two")
    capsys.readouterr()
    assert val.main(["--compare", "runs/val/one", "runs/val/two"]) == 3
    assert "not evaluated on the same pictures and labels" in capsys.readouterr().err
    results = read(Path("runs/val/one/results.json"))
    del results["inspection"]
    Path("runs/val/one/results.json").write_text(json.dumps(results))
    assert val.main(["--compare", "runs/val/one", "runs/val/one"]) == 3
    assert "run val.py anew" in capsys.readouterr().err


@pytest.mark.parametrize("lacking", ["iscrowd", "bbox", "image_id", "annotations", "categories", "threshold"])
def test_a_truth_of_another_program_is_one_line(six, capsys, lacking):
    _, run = score(write_predictions(plain_rows()))
    truth, results = read(run / "truth.json"), read(run / "results.json")
    if lacking in truth:
        del truth[lacking]
    elif lacking == "threshold":
        del results["inspection"]["operating_point"]["thresholds"]["oil"]
    else:
        del truth["annotations"][0][lacking]
    (run / "truth.json").write_text(json.dumps(truth))
    (run / "results.json").write_text(json.dumps(results))
    capsys.readouterr()
    assert val.main(["--compare", str(run), str(run)]) == 3
    error = capsys.readouterr().err
    assert "is of another version; run val.py anew" in error and error.count("\n") == 1


def test_a_file_named_twice_is_told(six, capsys):
    name = write_predictions(plain_rows())
    assert score(f"{name} {name}")[0] == 3
    assert "found.json: named twice; name it once" in capsys.readouterr().err


def test_nothing_is_known_below_the_least_score_of_a_file(six, capsys):
    """A threshold halfway down to 0.001 would let through what another tool left out of its file."""
    code, run = score(write_predictions([row for row in plain_rows() if row["image_id"] != 5]), "--max-overkill", "0")
    assert code == 0 and "nothing below a score of 0.5" in capsys.readouterr().err
    thresholds = read(run / "results.json")["inspection"]["operating_point"]["thresholds"]
    assert min(thresholds.values()) >= 0.5
    faint = [*plain_rows(), {"image_id": 6, "category_id": 1, "bbox": [1, 1, 5, 5], "score": 0.001}]
    assert score(write_predictions(faint))[0] == 0 and "nothing below" not in capsys.readouterr().err


def test_numbers_that_may_be_names_are_told(six, capsys):
    """YOLO's tools write the number in the name of a file as its image_id."""

    def rename(old, new):
        for place, suffix in (("images", "png"), ("labels", "txt")):
            if (path := Path(place, "val", f"{old}.{suffix}")).exists():
                path.rename(path.with_name(f"{new}.{suffix}"))

    for old, new in enumerate((7, 8, 9, 10, 101, 102)):
        rename(f"p{old}", new)
    rows = [{**row, "image_id": 2} for row in plain_rows()]
    assert score(write_predictions(rows))[0] == 0 and "image_id" not in capsys.readouterr().err
    rename(7, "0002")
    assert score(write_predictions(rows))[0] == 0
    assert "2 is 10.png, not the file of that name; give file_name" in capsys.readouterr().err


def test_compare_knows_classes_by_name(six, capsys):
    """The second run numbers its classes the other way round: no difference."""
    rows = [{**row, "category": ("bubble", "oil")[row["category_id"] - 1]} for row in plain_rows()]
    score(write_predictions(rows), "--name", "one")
    write_data(["oil", "bubble"])
    for path in Path("labels/val").glob("*.txt"):
        lines = [line.split(" ", 1) for line in path.read_text().split("\n") if line]
        path.write_text("".join(f"{1 - int(k)} {rest}\n" for k, rest in lines))
    score("found.json", "--name", "two")
    assert val.main(["--compare", "runs/val/one", "runs/val/two", "--name", "both"]) == 0
    assert {row["difference"] for row in read(Path("runs/val/both/compare.json"))["differences"]} == {0.0}
