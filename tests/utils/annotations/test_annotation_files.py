"""Pre-labels: numbers worked out by hand, structure by parsers of other people, and a round trip through our reader."""

import json
import logging
import os
import random
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import torch
import yaml

from data.index.union import open_data
from data.pictures.sources import find_sources
from data.pictures.video import read_frames
from data.sets.split_reading import ReadPolicy
from tests.data.pictures.test_video import write_video
from utils.annotations.annotation_files import FORMATS
from utils.annotations.xml_text import without_illegal
from utils.annotations.yolo_set import label_places
from utils.config.config import DataConfig
from utils.console.signals import Stop
from utils.detecting.output_options import DetectionOutput
from utils.detecting.run_folder import new_detection_folder
from utils.files import output_files
from utils.flags.detect_flags import LABEL_FORMATS, parse_detect
from utils.processes.distributed import ALONE
from utils.report.detection_run import write_run
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.values.masks import decode_mask, encode_mask
from utils.values.picture_result import PictureResult
from utils.values.score_thresholds import ScoreThresholds
from utils.words.errors import ConfigError, ResourceError

NAMES = ("oil", 'a "b", <c> & d', "裂纹")
THRESHOLDS = ScoreThresholds((0.1,) * len(NAMES), "--conf")
SIZE = (100, 200)  # height, width


def picture(path, size=SIZE):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png" if path.suffix != ".jpg" else ".jpg", np.zeros(size, np.uint8))[1].tobytes())
    return path


def found(*rows, masks=()):
    """Rows of (x1, y1, x2, y2, score, label)."""
    table = torch.tensor(rows).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].long(), NAMES, masks)


def looked_at(source, boxes, recursive=True):
    """What detect.py makes of a source, whose pictures show what `boxes` says of a Frame; None: not read."""
    for frame in read_frames(find_sources(str(source), recursive)):
        size = SIZE if frame.image is None else frame.image.shape[:2]
        yield PictureResult(frame, None if frame.image is None else boxes(frame), THRESHOLDS, size=size)


def written(run, results, kind, **more):
    run.mkdir()
    output = DetectionOutput(pictures=False, prelabels=kind, model="best.pt", **more)
    with Stop() as stop:
        write_run(run, results, NAMES, output, ALONE, stop)
    return run / "prelabels"


TWO = found((20.0, 10, 60, 50, 0.75, 1), (0, 0, 200, 100, 0.5, 2))
SEVERAL = {"b": TWO, "none": found()}


def several(tmp_path):
    """Two pictures that can be read, one that cannot."""
    for name in SEVERAL:
        picture(tmp_path / "in" / f"{name}.png")
    (tmp_path / "in" / "broken.png").write_bytes(b"")
    return looked_at(tmp_path / "in", lambda frame: SEVERAL[frame.output.name])


def read_back(yaml_path):
    """Boxes, labels by path, as our own reader finds them in both splits."""
    data, _ = open_data(DataConfig(data=str(yaml_path)), require=())
    policy = ReadPolicy(bad_data="error", drop_duplicates=False, allow_empty=True)
    splits = [split for split in ("train", "val") if split in yaml.safe_load(yaml_path.read_text())]
    records = [record for split in splits for record in data.read(split, policy).records]
    assert data.names == NAMES and len({record.path for record in records}) == len(records)
    return {record.path: record for record in records}


def test_every_choice_has_files():
    assert tuple(FORMATS) == LABEL_FORMATS


def test_yolo_by_hand(tmp_path):
    folder = written(tmp_path / "run", several(tmp_path), "yolo")
    assert (folder / "labels" / "b.txt").read_text().splitlines() == [
        "1 0.200000 0.300000 0.200000 0.400000",
        "2 0.500000 0.500000 1.000000 1.000000",
    ]
    assert (folder / "labels" / "none.txt").read_text() == "" and not (folder / "labels" / "broken.txt").exists()
    assert (folder / "train.txt").read_text() == "b.png\n" and (folder / "val.txt").read_text() == "none.png\n"
    known = yaml.safe_load((folder / "data.yaml").read_text())
    assert known["path"] == str(tmp_path / "in") and known["names"] == list(NAMES)
    assert (folder / "classes.txt").read_text().splitlines() == list(NAMES)
    assert (folder / "labels" / "classes.txt").read_text() == (folder / "classes.txt").read_text()


def test_coco_by_hand(tmp_path):
    folder = written(tmp_path / "run", several(tmp_path), "coco", json=True)
    coco = json.loads((folder / "annotations.json").read_text())
    assert coco["categories"] == [{"id": k, "name": name} for k, name in enumerate(NAMES, 1)]
    assert coco["images"] == [
        {"id": 1, "file_name": "b.png", "height": 100, "width": 200},
        {"id": 3, "file_name": "none.png", "height": 100, "width": 200},
    ]
    first = {"id": 1, "image_id": 1, "category_id": 2, "bbox": [20.0, 10.0, 40.0, 40.0], "score": 0.75}
    assert coco["annotations"][0] == {**first, "area": 1600.0, "iscrowd": 0, "segmentation": []}
    rows = json.loads((tmp_path / "run" / "predictions.json").read_text())  # the same pictures by the same numbers
    same = ("image_id", "category_id", "bbox", "score")
    assert [[row[k] for k in same] for row in rows] == [[row[k] for k in same] for row in coco["annotations"]]
    assert not list(folder.glob(".*"))


def test_coco_has_masks_and_others_say_that_they_have_none(tmp_path):
    inside = np.zeros(SIZE, bool)
    inside[10:50, 20:60] = True
    picture(tmp_path / "in" / "a.png")
    masked = found((20, 10, 60, 50, 0.75, 1), masks=(encode_mask(inside),))
    folder = written(tmp_path / "run", looked_at(tmp_path / "in", lambda _: masked), "coco")
    (row,) = json.loads((folder / "annotations.json").read_text())["annotations"]
    assert np.array_equal(decode_mask(row["segmentation"]), inside)
    assert DetectionOutput(prelabels="coco").notices(tmp_path, "pretrained", False) == []
    (line,) = DetectionOutput(prelabels="cvat").notices(tmp_path, "pretrained", False)
    assert line == "--masks: --save-labels cvat has boxes only; coco has the masks, too"


def test_labelme_by_hand(tmp_path):
    folder = written(tmp_path / "run", several(tmp_path), "labelme")
    value = json.loads((folder / "b.json").read_text())
    box = {"group_id": None, "shape_type": "rectangle", "flags": {}, "mask": None}
    assert value.pop("shapes") == [
        {**box, "label": NAMES[1], "points": [[20, 10], [60, 50]], "description": "score 0.750"},
        {**box, "label": NAMES[2], "points": [[0, 0], [200, 100]], "description": "score 0.500"},
    ]
    place = {"imagePath": "../../in/b.png", "imageData": None, "imageHeight": 100, "imageWidth": 200}
    assert value == {"version": "5.5.0", "flags": {}, **place}
    assert json.loads((folder / "none.json").read_text())["shapes"] == [] and not (folder / "broken.json").exists()
    assert (folder / "labels.txt").read_text().splitlines() == list(NAMES)


def test_labelme_finds_pictures_from_behind_a_link(tmp_path):
    """A path with `..` is followed from where a folder really lies."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "er")
    picture(tmp_path / "in" / "sub" / "a.png")
    folder = written(tmp_path / "link" / "run", looked_at(tmp_path / "in", lambda _: TWO), "labelme")
    value = json.loads((folder / "sub" / "a.json").read_text())
    assert os.path.samefile(folder / "sub" / value["imagePath"], tmp_path / "in" / "sub" / "a.png")


def test_cvat_by_hand(tmp_path):
    folder = written(tmp_path / "run", several(tmp_path), "cvat")
    root = ElementTree.parse(folder / "annotations.xml").getroot()
    assert root.tag == "annotations" and root.findtext("version") == "1.1"
    assert [label.findtext("name") for label in root.iterfind("meta/task/labels/label")] == list(NAMES)
    images = root.findall("image")
    assert [image.attrib for image in images] == [
        {"id": "0", "name": "b.png", "width": "200", "height": "100"},
        {"id": "1", "name": "none.png", "width": "200", "height": "100"},
    ]
    first, second = images[0].findall("box")
    corners = {"xtl": "20.00", "ytl": "10.00", "xbr": "60.00", "ybr": "50.00"}
    assert first.attrib == {"label": NAMES[1], "source": "auto", "occluded": "0", **corners, "z_order": "0"}
    assert [(one.attrib, one.text) for one in first] == [({"name": "score"}, "0.750")] and not list(images[1])
    assert second.get("label") == NAMES[2] and second.get("xbr") == "200.00"
    assert [label["name"] for label in json.loads((folder / "labels.json").read_text())] == list(NAMES)


def test_label_studio_by_hand(tmp_path):
    folder = written(tmp_path / "run", several(tmp_path), "labelstudio")
    first, second = json.loads((folder / "tasks.json").read_text())
    assert first["data"] == {"image": "/data/local-files/?d=in/b.png", "name": "b.png"}
    (prediction,) = first["predictions"]
    assert (prediction["model_version"], prediction["score"]) == ("best.pt", 0.75)
    box = {"x": 10.0, "y": 10.0, "width": 20.0, "height": 40.0, "rotation": 0, "rectanglelabels": [NAMES[1]]}
    about = {"original_width": 200, "original_height": 100, "image_rotation": 0, "score": 0.75, "value": box}
    tags = {"id": "1-1", "type": "rectanglelabels", "from_name": "label", "to_name": "image"}
    assert prediction["result"][0] == {**tags, **about} and len(prediction["result"]) == 2
    assert second["predictions"] == [{"model_version": "best.pt", "score": 0.0, "result": []}]
    config = ElementTree.parse(folder / "labeling_config.xml").getroot()
    labels = config.find("RectangleLabels")
    assert (config.tag, labels.get("name"), labels.get("toName")) == ("View", "label", "image")
    assert config.find("Image").attrib == {"name": "image", "value": "$image", "zoom": "true"}
    assert [label.get("value") for label in labels] == list(NAMES)
    assert all(re.fullmatch("#[0-9a-f]{6}", label.get("background")) for label in labels)


ODD = ["图 1.png", "a,b.png", 'it\'s "q" & <x>.png', "#c.png", "..d.png", "-e.png", "100%.png", "f?g=1.png", "a.b.png"]
LINES = [" blank.png", "two\nlines.png"]
BELL, LATIN = "bell\x07.png", os.fsdecode(b"\xff.png")


@pytest.mark.parametrize("kind", LABEL_FORMATS)
def test_odd_names(tmp_path, caplog, kind):
    home = tmp_path / "in, 图 & 'x'"
    for name in (*ODD, *LINES, BELL, LATIN):
        picture(home / "s u b" / name)
    every = {f"s u b/{name}" for name in (*ODD, *LINES, BELL, LATIN)}
    with caplog.at_level(logging.WARNING):
        folder = written(tmp_path / "run", looked_at(home, lambda _: TWO), kind)
    lost = [line for line in caplog.messages if "left out" in line]
    if kind in ("yolo", "coco"):
        paths = read_back(folder / "data.yaml")
        listed = {path.relative_to(home).as_posix() for path in paths}
        assert listed == every - {f"s u b/{name}" for name in LINES if name[0] != " "}
        assert all(record.labels.tolist() == [1, 2] for record in paths.values())
    if kind == "yolo":
        assert lost == ["--save-labels yolo: 1 picture left out: " + lost[0].partition("left out: ")[2]]
    if kind == "coco":
        assert {one["file_name"] for one in json.loads((folder / "annotations.json").read_text())["images"]} == every
    if kind == "labelme":
        homes = {path: json.loads(path.read_text())["imagePath"] for path in folder.rglob("*.json")}
        assert {os.path.realpath(path.parent / place) for path, place in homes.items()} == {
            os.path.realpath(home / name) for name in every
        }
    if kind == "cvat":
        root = ElementTree.parse(folder / "annotations.xml").getroot()
        assert {one.get("name") for one in root.iterfind("image")} == every - {f"s u b/{BELL}", f"s u b/{LATIN}"}
        assert "2 pictures left out: XML cannot hold" in lost[0]
    if kind == "labelstudio":
        tasks = json.loads((folder / "tasks.json").read_text())
        places = {unquote_to_bytes(one["data"]["image"].partition("?d=")[2]) for one in tasks}
        assert places == {os.fsencode(f"{home.name}/{name}") for name in every}
    assert bool(lost) == (kind in ("yolo", "cvat"))


@pytest.mark.parametrize("kind", LABEL_FORMATS)
def test_videos_have_no_picture_files(tmp_path, caplog, kind):
    picture(tmp_path / "in" / "a.png")
    write_video(tmp_path / "in" / "v.mp4", 3)
    with caplog.at_level(logging.WARNING):
        folder = written(tmp_path / "run", looked_at(tmp_path / "in", lambda _: TWO), kind)
    said = f"--save-labels {kind}: 3 pictures left out: they are frames of videos, which have no picture files"
    assert said in caplog.messages
    assert not any("v_0" in path.name for path in folder.rglob("*"))


def test_boxes_without_area_are_none(tmp_path):
    picture(tmp_path / "in" / "a.png")
    thin = found((5, 5, 5, 50, 0.9, 0), (20, 10, 60, 50, 0.75, 1), (5, 5, 50, 5.002, 0.5, 0))
    folder = written(tmp_path / "run", looked_at(tmp_path / "in", lambda _: thin), "labelme")
    assert [one["label"] for one in json.loads((folder / "a.json").read_text())["shapes"]] == [NAMES[1]]


@pytest.mark.parametrize("kind", ["yolo", "coco"])
@pytest.mark.parametrize("seed", range(8))
def test_our_reader_finds_the_boxes_of_every_picture(tmp_path, caplog, kind, seed):
    """Whatever the folders are called: a picture has its own boxes or, where YOLO's names cannot tell, is left out."""
    draw = random.Random(seed)
    home = tmp_path.joinpath(*draw.choices(("in", "images", "parts"), k=draw.randint(1, 3)))
    boxes = {}
    while len(boxes) < 12:
        below = draw.choices(("in", "images", "parts", "txt"), k=draw.randint(0, 4))
        name = "/".join([*below, draw.choice(("a.png", "a.jpg", "b.png", "classes.png"))])
        x, y = draw.uniform(0, 100), draw.uniform(0, 50)
        boxes[name] = found((x, y, x + draw.uniform(1, 90), y + draw.uniform(1, 50), 0.9, draw.randint(0, 2)))
        picture(home / name)
    with caplog.at_level(logging.WARNING):
        folder = written(tmp_path / "run", looked_at(home, lambda frame: boxes[frame.name]), kind)
    paths = read_back(folder / "data.yaml")
    for path, record in paths.items():
        want = boxes[path.relative_to(home).as_posix()]
        assert record.labels.tolist() == want.labels.tolist()
        assert record.pixel_boxes() == pytest.approx(want.boxes.numpy(), abs=2e-3)
    said = [int(re.search(r": (\d+) pictures? left", line)[1]) for line in caplog.messages if "left out" in line]
    assert sum(said) == len(boxes) - len(paths) and (kind == "yolo" or not said)
    labels = list((folder / "labels").rglob("*.txt")) if kind == "yolo" else []
    assert len([path for path in labels if path.read_text()[0] in "012"]) == (len(paths) if kind == "yolo" else 0)


def test_where_readers_look_for_a_label():
    places = [str(place) for place in label_places(Path("/data/parts/sub/a.png"), "sub/a.png")]
    deeper = ["data/parts/sub/a.txt", "data/parts/sub/txt/a.txt", "parts/sub/a.txt", "parts/sub/txt/a.txt"]
    assert places == [*deeper, "sub/a.txt"]
    assert [*map(str, label_places(Path("/d/images/train/a.png"), "d/images/train/a.png"))] == ["train/a.txt"]


def test_a_picture_that_is_listed_twice_is_labelled_once(tmp_path):
    picture(tmp_path / "in" / "a.png")
    (tmp_path / "list.txt").write_text("in/a.png\nin/a.png\n")
    for kind in ("coco", "cvat"):
        folder = written(tmp_path / kind, looked_at(tmp_path / "list.txt", lambda _: TWO), kind)
        text = next(folder.glob("annotations.*")).read_text()
        assert text.count("a.png") == 1
    assert len(read_back(tmp_path / "coco" / "prelabels" / "data.yaml")) == 1


def test_nothing_that_can_be_read(tmp_path):
    unread = [PictureResult(Frame("a.png", Path("a"), None, "cut off"), None, THRESHOLDS)]
    for kind in LABEL_FORMATS:
        folder = written(tmp_path / kind, unread, kind)
        assert not (folder / "data.yaml").exists()
    assert json.loads((tmp_path / "coco" / "prelabels" / "annotations.json").read_text())["images"] == []
    assert json.loads((tmp_path / "labelstudio" / "prelabels" / "tasks.json").read_text()) == []
    ElementTree.parse(tmp_path / "cvat" / "prelabels" / "annotations.xml")


@pytest.mark.parametrize("kind", ["coco", "cvat", "labelstudio"])
def test_a_full_disk_is_said_and_leaves_no_half_file(tmp_path, monkeypatch, kind):
    class Full:
        def __init__(self, file):
            self.file = file

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, text):
            if "b.png" in text:
                raise OSError(28, "No space left on device")
            return self.file.write(text)

    real = output_files.open_rows
    monkeypatch.setattr("utils.files.growing_file.open_rows", lambda path: Full(real(path)))
    with pytest.raises(ResourceError, match="No space left"):
        written(tmp_path / "run", several(tmp_path), kind)
    folder = tmp_path / "run" / "prelabels"
    assert not [path for path in folder.iterdir() if path.name.startswith((".", "tasks", "annotations"))]
    assert (tmp_path / "run" / "summary.csv").read_text().count("\n") == 4


def test_corrections_are_not_replaced(tmp_path):
    words = ["--project", str(tmp_path), "--name", "e", "--exist-ok"]
    flags = parse_detect([*words, "--save-labels", "coco"])
    run = new_detection_folder(flags, ())
    (run / "prelabels").mkdir()
    (run / "run.json").write_text("{}")
    with pytest.raises(ConfigError, match="prelabels holds pre-labels, which somebody may have corrected; move"):
        new_detection_folder(flags, ())
    assert new_detection_folder(parse_detect(words), ()) == run and (run / "prelabels").is_dir()


def test_masks_beside_nosave_need_a_format_that_has_them():
    with pytest.raises(ConfigError, match="--masks: has no effect here"):
        parse_detect(["--masks", "--nosave", "--save-labels", "yolo"])
    assert parse_detect(["--masks", "--nosave", "--save-labels", "coco"]).save_labels == "coco"


def test_what_xml_cannot_hold():
    assert without_illegal("a\x00b\udcff\ufffe\t\n图😀") == "a\ufffdb\ufffd\ufffd\t\n图😀"


def test_a_label_that_readers_would_take_for_another_picture(tmp_path, caplog):
    """In parts/, a.png would get the label of parts/a.png: readers look for labels/parts/a.txt first."""
    for name in ("a.png", "parts/a.png", "b.png"):
        picture(tmp_path / "parts" / name)
    with caplog.at_level(logging.WARNING):
        folder = written(tmp_path / "run", looked_at(tmp_path / "parts", lambda _: TWO), "yolo")
    assert "1 picture left out: another picture has the same label file" in caplog.text
    assert {path.name for path in (folder / "labels").iterdir()} == {"b.txt", "classes.txt", "parts"}
    assert set(read_back(folder / "data.yaml")) == {
        tmp_path / "parts" / "parts" / "a.png",
        tmp_path / "parts" / "b.png",
    }
