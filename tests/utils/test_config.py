import dataclasses
from pathlib import Path

import pytest
import yaml

from utils.config import Config
from utils.errors import ConfigError
from utils.settings import (
    Setting,
    as_yaml,
    build_config,
    config_from_plain,
    settings_of_assignments,
    settings_of_document,
)
from utils.yamlio import parse_yaml, read_yaml


def from_yaml(text):
    return build_config(settings_of_document(parse_yaml(text, "t.yaml")))[0]


def test_default_yaml_names_every_knob_with_its_default():
    assert yaml.safe_load(Path("cfg/train/default.yaml").read_text()) == Config().plain()


@pytest.mark.parametrize("path", sorted(Path("cfg/train").glob("*.yaml")), ids=lambda p: p.name)
def test_training_yamls_load(path):
    build_config(settings_of_document(read_yaml(path)))


def test_precedence_and_origins():
    settings = settings_of_document(parse_yaml("optim:\n  lr0: 1e-2\n", "t.yaml"))
    settings += [Setting("optim.lr0", 0.5, "--lr"), *settings_of_assignments(["optim.lr0=2e-3", "loss.iou=ciou"])]
    cfg, origins = build_config(settings)
    assert cfg.optim.lr0 == 0.002 and cfg.loss.iou == "ciou"
    assert origins["optim.lr0"] == "--set optim.lr0=2e-3"
    assert "lr0: 0.002  # --set optim.lr0=2e-3" in as_yaml(cfg, origins)


def test_scientific_notation_that_yaml_reads_as_a_word():
    assert from_yaml("optim: {lr0: 1e-2}").optim.lr0 == 0.01


def test_yolov5_hyp_file():
    text = "lr0: 0.02\nbox: 0.1\nanchor_t: 3.0\niou_t: 0.2\nfl_gamma: 1.5\nmixup: 0.1\ncopy_paste: 0.3\n"
    cfg = from_yaml(text + "perspective: 1e-3\n")
    assert (cfg.optim.lr0, cfg.loss.box, cfg.assign.anchor_t, cfg.loss.focal_gamma) == (0.02, 0.1, 3.0, 1.5)
    assert (cfg.augment.mixup, cfg.augment.copy_paste, cfg.augment.perspective) == (0.1, 0.3, 0.001)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("optim: {lr: 0.1}", "t.yaml:1: unknown key 'optim.lr'; did you mean 'lr0'"),
        ("optm: {lr0: 0.1}", "t.yaml:1: no section 'optm'; did you mean 'optim'"),
        ("\nlr00: 0.1", "t.yaml:2: unknown key 'lr00'; did you mean 'lr0'"),
        ("data: {imgsz: 640.5}", "must be int"),
        ("data: {imgsz: true}", "must be int"),
        ("optim: {lr0: fast}", "must be float, got 'fast'"),
        ("optim: {lr0: .nan}", "must be at least 0"),
        ("optim: {momentum: 1.5}", "at least 0 and at most 1"),
        ("loss: {iou: cious}", "'ciou'"),
        ("loss: {iou: wise_iou}", "'wise-iou'"),
        ("loss: {nwd_constant: 0}", "at least 0.01"),
        ("loss: {balance: [1, x]}", "list of float"),
        ("mixup: 1.5", "t.yaml:1: augment.mixup must be at least 0 and at most 1"),
        ("- 1", "is a map of sections"),
    ],
)
def test_mistakes(text, words):
    with pytest.raises(ConfigError) as caught:
        from_yaml(text)
    assert words in str(caught.value)


def test_assignment_without_value():
    with pytest.raises(ConfigError, match="section.name=value"):
        settings_of_assignments(["optim.lr0"])


def test_plain_round_trip():
    cfg, _ = build_config(settings_of_assignments(["loss.balance=[1.0, 2.0]", "run.seed=3", "run.name=x"]))
    again = config_from_plain(cfg.plain(), "checkpoint")
    assert dataclasses.asdict(again) == dataclasses.asdict(cfg)
