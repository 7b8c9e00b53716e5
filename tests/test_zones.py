"""val.py --roi: what lies where it does not count is neither a hit, nor an escape, nor a false alarm."""

import contextlib
import json
import shutil
from pathlib import Path

import pytest

import detect
import val
from tests.test_inspection import read
from tests.test_predictions import FOUND, plain_rows, score, six, write_predictions
from tests.utils.scoring.test_coco import oracle
from utils.deciding.threshold_file import read_limits
from utils.zones.zone_file import read_zones

assert six, "a fixture"
ZONES = """
size: [100, 100]
zones:
  - {name: label, use: out, polygon: [[0, 0], [15, 0], [15, 15], [0, 15]]}
  - {name: rim, use: out, polygon: [[50, 50], [100, 50], [100, 100], [50, 100]], classes: [bubble]}
  - {name: seal, use: in, polygon: [[60, 60], [100, 60], [100, 100], [60, 100]], classes: oil}
"""
THRESHOLDS = "thresholds: {bubble: 0.5, oil: 0.5}\n"
# Pictures and their boxes, xywh: on the label lie the bubble of picture 4 (numbers of COCO) and the false alarm of 5,
# on the rim the bubble of 3, but not the oil that is found in its place; beside the seal all the oil of 2.
TRUTH = [
    (1, 1, [10, 10, 20, 20], 0),
    (2, 2, [40, 40, 8, 8], 1),
    (3, 1, [50, 50, 40, 40], 1),
    (4, 1, [0, 0, 20, 20], 1),
    (4, 2, [60, 60, 10, 10], 0),
]
COUNTING = [0, 1, 3]  # of FOUND: both of picture 1, and the oil in picture 3


def scored_in(text, *words, name="zones.yaml"):
    Path(name).write_text(text)
    return score(write_predictions(plain_rows()), "--roi", name, *words)


def test_six_pictures_by_hand(six, capsys):
    """Two defects are left to find: the bubble of picture 1, found, and the oil of 4, missed. 2, 3, 5 and 6 are good by
    now, and the oil in 3 a false alarm: an escape in two pictures, overkill in one of four.
    """
    Path("thresholds.yaml").write_text(THRESHOLDS)
    code, run = scored_in(ZONES, "--thresholds", "thresholds.yaml")
    said = capsys.readouterr()
    assert code == 0, said.err
    assert "): 3 of 5 labelled defects lie where none counts; good without them: 2 pictures" in said.out
    results = read(run / "results.json")
    section = results["inspection"]
    assert section["pictures"] == {"all": 6, "good": 4, "bad": 2, "unlabelled": 1}
    decisions = section["operating_point"]["decisions"]
    assert [decisions["escape"][key] for key in ("events", "total")] == [1, 2]
    assert [decisions["overkill"][key] for key in ("events", "total")] == [1, 4]
    assert [section["errors"][key] for key in ("hit", "missed")] == [1, 1]
    assert [row["ap"] for row in results["classes"]] == pytest.approx([1, 0])
    assert results["coco"]["AP"] == pytest.approx(0.5)
    assert results["instances"] == 2 and results["good_images"] == 4
    sheet = [line.split(",")[:5] for line in (run / "per_image.csv").read_text().splitlines()[1:]]
    assert sorted((row[0], *map(int, row[3:])) for row in sheet) == [
        *(("p0.png", 1, 1), ("p1.png", 0, 0), ("p2.png", 0, 1), ("p3.png", 1, 0), ("p4.png", 0, 0), ("p5.png", 0, 0)),
    ]


def test_cocos_numbers_are_those_of_pycocotools_with_truth_to_ignore(six):
    """From rows that are marked here by hand, and from the files of the run."""
    _, run = scored_in(ZONES)
    numbers = read(run / "results.json")["coco"]
    rows = [
        {"id": n, "image_id": p, "category_id": c, "bbox": b, "area": b[2] * b[3], "iscrowd": crowd}
        for n, (p, c, b, crowd) in enumerate(TRUTH, 1)
    ]
    images = [{"id": n, "width": 100, "height": 100, "file_name": f"p{n - 1}.png"} for n in range(1, 7)]
    truth = {"images": images, "annotations": rows, "categories": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]}
    found = [plain_rows()[k] for k in COUNTING]
    assert len(FOUND) == 6 and len(read(run / "predictions.json")) == 3
    for one in (oracle(truth, found), oracle(read(run / "truth.json"), read(run / "predictions.json"))):
        theirs = [None if value == -1 else pytest.approx(value, abs=1e-12) for value in one.stats.tolist()]
        assert list(numbers.values()) == theirs
    marked = [row for row in read(run / "truth.json")["annotations"] if "outside_zones" in row]
    assert len(marked) == 3 and all(row["iscrowd"] for row in marked)


def test_a_zone_over_everything_changes_no_figure(six):
    _, plain = score(write_predictions(plain_rows()))
    _, run = scored_in("zones: [{name: all, use: in, polygon: [[0, 0], [1, 0], [1, 1], [0, 1]]}]\n")
    results = read(run / "results.json")
    assert results.pop("zones")["count"] == 1 and results == read(plain / "results.json")
    for name in ("truth.json", "predictions.json", "per_image.csv", "per_class.csv"):
        assert (run / name).read_bytes() == (plain / name).read_bytes()


def test_runs_in_other_zones_are_not_compared(six, capsys):
    _, plain = score(write_predictions(plain_rows()))
    _, run = scored_in(ZONES)
    _, again = scored_in(ZONES)
    capsys.readouterr()
    assert val.main(["--compare", str(plain), str(run)]) == 3
    said = capsys.readouterr().err
    assert "one counts defects in the whole picture, the other in zones.yaml (3 zones, sha256 " in said
    assert val.main(["--compare", str(run), str(again)]) == 0
    assert "overkill: 0.0000 -> 0.0000" in capsys.readouterr().out, "its good pictures are read back as such"


def test_thresholds_say_where_they_were_chosen(six, capsys):
    _, run = scored_in(ZONES)
    limits, zones = (
        read_limits(str(run / "thresholds.yaml"), ("bubble", "oil")),
        read_zones("zones.yaml", ("bubble", "oil")),
    )
    assert limits.zones == zones.identity
    assert "give --roi zones.yaml, or choose anew" in limits.warnings()[0] and not limits.warnings(zones=zones.identity)
    shutil.copy(run / "thresholds.yaml", "in_zones.yaml")
    capsys.readouterr()
    code, plain = score("found.json", "--thresholds", "in_zones.yaml")
    said = capsys.readouterr().err
    assert code == 0 and "in_zones.yaml: chosen in zones.yaml (3 zones, sha256 " in said and "the whole picture" in said
    assert read_limits(str(plain / "thresholds.yaml"), ("bubble", "oil")).zones == zones.identity, "who chose them"
    _, anew = score("found.json")
    lines = read_limits(str(anew / "thresholds.yaml"), ("bubble", "oil")).warnings(zones=zones.identity)
    assert len(lines) == 1 and "chosen in the whole picture, used in zones.yaml" in lines[0]
    Path("hand.yaml").write_text(THRESHOLDS)
    assert not read_limits("hand.yaml", ("bubble", "oil")).warnings(zones=zones.identity), "nobody knows of which"


@pytest.mark.parametrize(
    "given", ["5", "{file: zones.yaml, count: 3}", "{file: zones.yaml, count: true, digest: a}", "{a: 1}"]
)
def test_thresholds_with_other_words_about_zones(tmp_path, given):
    path = tmp_path / "t.yaml"
    path.write_text(f"zones: {given}\n{THRESHOLDS}")
    with pytest.raises(val.ConfigError, match=r"t\.yaml:1: 'zones' must read like"):
        read_limits(str(path), ("bubble", "oil"))


def test_mistakes_are_one_line(six, capsys):
    said = {}
    for name, text in {
        "class": ZONES.replace("oil", "oill"),
        "shape": ZONES.replace("[100, 100]\n", "[100, 120]\n", 1),
    }.items():
        code, _ = scored_in(text)
        said[name] = code, capsys.readouterr().err
    assert said["class"][0] == 2 and "zones.yaml:6: unknown class 'oill'; did you mean 'oil'?" in said["class"][1]
    assert said["shape"][0] == 3
    assert "p0.png: 100 x 100 px is of another shape than the 100 x 120 px of zones.yaml; leave it" in said["shape"][1]
    assert all(line.count("error[") == 1 and line.count("\n") == 2 for _, line in said.values())  # and a warning
    assert not Path("runs").exists(), "before anything is written"


def test_the_report_names_the_zones(six):
    Path("zones.yaml").write_text(ZONES)
    words = ["--data", "data.yaml", "--roi", "zones.yaml"]
    assert val.main(["--from-preds", write_predictions(plain_rows()), *words]) == 0
    (run,) = Path("runs/val").iterdir()
    assert "): 3 of 5 labelled defects lie where none counts" in (run / "report.html").read_text()
    assert read(run / "report.json")["results"]["zones"]["file"] == "zones.yaml"


def test_detect_decides_as_val_does(trained, glass, tmp_path):
    """The same rows, so the same verdict of every picture at any threshold: at the best score and just above it."""
    weights, zone_file, limit_file = trained / "weights" / "best.pt", tmp_path / "zones.yaml", tmp_path / "t.yaml"
    zone_file.write_text("zones: [{name: a, use: in, polygon: [[0, 0], [0.6, 0], [0.5, 1], [0, 1]]}]\n")
    detector = detect.Detector(str(weights), "cpu")
    zones, nms = read_zones(zone_file, detector.names), detector.nms(0.001, 0.6, 300)
    seen = {
        path.name: detector.detect([detector.read(path)], nms)[0]
        for path in sorted((glass.parent / "images" / "val").iterdir())
    }
    counting = {name: zones.counting(one, (128, 128)) for name, one in seen.items()}
    assert sum(map(len, counting.values())) < sum(map(len, seen.values())), "something lies outside"
    with contextlib.chdir(trained.parents[2]):
        words = ["--roi", str(zone_file), "--workers", "0", "--device", "cpu", "--noplots", "--project", str(tmp_path)]
        assert val.main(["--weights", str(weights), "--data", str(glass), *words]) == 0
    files = {row["id"]: row["file_name"] for row in read(tmp_path / "exp" / "truth.json")["images"]}
    rows = {name: [] for name in seen}
    for row in read(tmp_path / "exp" / "predictions.json"):
        rows[files[row["image_id"]]].append(row["score"])
    scores = {name: [round(score, 6) for score in one.scores.tolist()] for name, one in counting.items()}
    assert rows == scores
    best = max(map(max, scores.values()))
    for threshold, some in ((best, True), (best + 1e-6, False)):
        limit_file.write_text(f"thresholds: {json.dumps(dict.fromkeys(detector.names, threshold))}\n")
        limits = read_limits(str(limit_file), detector.names)
        verdicts = {name: len(limits.passing(one)) > 0 for name, one in counting.items()}
        assert verdicts == {name: max(mine) >= threshold for name, mine in rows.items()}
        assert any(verdicts.values()) == some
