"""detect.py --masks: the files, the order, what is said. Pictures are strips, which Mobile-SAM sees at 1024 x 64 px."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

import detect
from data.pictures.picture_decoder import read_image
from detect import Detector
from tests.data.pictures.test_video import write_video
from utils.drawing.colours import class_colour
from utils.values.masks import decode_mask, fill_masks

RANDOM = ["--masks", "--set", "model.sam=random-frozen"]


@pytest.fixture(scope="module")
def strip(tmp_path_factory):
    path = tmp_path_factory.mktemp("in") / "strip.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 256, 3), np.uint8)).save(path)
    return path


def run_detect(trained, source, folder, *words):
    argv = ["--weights", str(trained / "weights" / "best.pt"), "--source", str(source), "--project", str(folder)]
    argv += ["--device", "cpu", "--conf", "0.0001", "--max-det", "4", "--save-json"]
    return detect.main([*argv, *words]), folder / "exp"


def rows(run):
    return json.loads((run / "predictions.json").read_text())


def test_masks_stand_in_the_json_and_in_the_overlay(trained, strip, tmp_path, capsys, monkeypatch):
    filled = []
    monkeypatch.setattr("utils.drawing.box_drawing.fill_masks", lambda *args: filled.append(args) or fill_masks(*args))
    code, run = run_detect(trained, strip, tmp_path / "with", *RANDOM)
    said = capsys.readouterr().out
    bare_code, bare = run_detect(trained, strip, tmp_path / "without")
    assert code == bare_code == 0 and "random-frozen; the masks mean nothing" in said
    assert [{k: v for k, v in row.items() if k != "segmentation"} for row in rows(run)] == rows(bare)
    masks = [decode_mask(row["segmentation"]) for row in rows(run)]
    assert len(masks) == 4 and all(mask.shape == (16, 256) for mask in masks)
    assert json.loads((run / "run.json").read_text())["masks"] == "random-frozen"
    assert "masks" not in json.loads((bare / "run.json").read_text())
    ((image, marks, colours),) = filled  # one picture, the one with masks
    assert (image == read_image(strip)).all() and list(marks) == [row["segmentation"] for row in rows(run)]
    assert colours == [class_colour(row["category_id"] - 1) for row in rows(run)]
    one, two = (read_image(folder / "strip.jpg") for folder in (run, bare))
    assert (one != two).any(2)[np.any(masks, 0)].mean() > 0.5


def test_every_mask_follows_its_box(trained, strip):
    detector = Detector(trained / "weights" / "best.pt", device="cpu", sam="random-frozen", masks=True)
    found = detector(strip, conf=0.0001, max_det=4)
    image = np.asarray(Image.open(strip))
    for k in range(len(found)):
        assert detector.masker(image, found.boxes[k : k + 1]) == found.masks[k : k + 1]
    assert found.keep(found.scores == found.scores[1]).masks == found.masks[1:2]
    assert not detector(strip, conf=1.0).masks


def test_masks_in_a_video(trained, tmp_path):
    write_video(tmp_path / "v.mp4", 2, size=(256, 16))
    (tmp_path / "films").mkdir()
    film = (tmp_path / "v.mp4").rename(tmp_path / "films" / "v.mp4")
    code, run = run_detect(trained, film, tmp_path / "runs", *RANDOM, "--max-det", "1")
    assert code == 0 and (run / "v.mp4").is_file()
    assert [row["segmentation"]["size"] for row in rows(run)] == [[16, 256]] * 2


@pytest.mark.parametrize("words", [["--masks"], ["--masks", "--set", "model.sam=none"]])
def test_masks_without_weights_are_one_line(trained, strip, tmp_path, capsys, words):
    assert run_detect(trained, strip, tmp_path, *words)[0] == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "--set model.sam=mobile_sam.pt" in error and "git repository" in error


def test_only_masks_may_have_a_helper_that_the_network_lacks(trained, strip, tmp_path, capsys):
    assert run_detect(trained, strip, tmp_path, "--set", "model.sam=random-frozen")[0] == 2
    assert "no row for Mobile-SAM" in capsys.readouterr().err
    assert run_detect(trained, strip, tmp_path, "--masks", "--set", f"model.sam={tmp_path}/gone.pt")[0] == 4
    assert "gone.pt" in capsys.readouterr().err


def test_libraries_are_imported_for_masks_alone(trained, strip, tmp_path, monkeypatch, capsys):
    for name in ("segment_anything.modeling", "timm.layers", "pycocotools.mask"):
        monkeypatch.setitem(sys.modules, name, None)
    assert run_detect(trained, strip, tmp_path)[0] == 0
    capsys.readouterr()
    assert run_detect(trained, strip, tmp_path, *RANDOM)[0] == 2
    assert "pip install -r requirements.txt" in capsys.readouterr().err
