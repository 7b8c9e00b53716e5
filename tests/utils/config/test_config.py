import dataclasses
import typing
from pathlib import Path

import pytest
import yaml

from utils.config.config import Config, MetricName
from utils.config.settings import (
    Setting,
    as_yaml,
    build_config,
    config_from_plain,
    hyp_yaml,
    settings_of_assignments,
    settings_of_document,
)
from utils.scoring.coco import STATS
from utils.values.report import Report
from utils.words.errors import ConfigError
from utils.words.yamlio import parse_yaml, read_yaml


def from_yaml(text):
    return build_config(settings_of_document(parse_yaml(text, "t.yaml")))[0]


def test_default_yaml_names_every_knob_with_its_default():
    assert yaml.safe_load(Path("cfg/train/default.yaml").read_text()) == Config().plain()


@pytest.mark.parametrize("path", sorted(Path("cfg/train").glob("*.yaml")), ids=lambda p: p.name)
def test_training_yamls_load(path):
    settings = settings_of_document(read_yaml(path))
    cfg, origins = build_config(settings)
    assert settings and {setting.key: setting.origin for setting in settings} == origins
    for setting in settings:
        section, name = setting.key.split(".")
        assert cfg.plain()[section][name] == setting.value


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
    assert (cfg.optim.lr0, cfg.anchor_loss.box, cfg.free_loss.box) == (0.02, 0.1, 7.5)
    assert (cfg.anchor_assign.max_ratio, cfg.anchor_loss.focal_gamma) == (3.0, 1.5)
    assert (cfg.augment.mixup, cfg.augment.copy_paste, cfg.augment.perspective) == (0.1, 0.3, 0.001)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("optim: {lr: 0.1}", "t.yaml:1: unknown key 'optim.lr'; did you mean 'lr0'"),
        ("optm: {lr0: 0.1}", "t.yaml:1: no section 'optm'; did you mean 'optim.lr0'"),
        ("optm: {lr: 0.1}", "t.yaml:1: no section 'optm'; did you mean 'optim.lr0'"),
        ("runs: {sed: 1}", "t.yaml:1: no section 'runs'; did you mean 'run.seed'"),
        ("\nlr00: 0.1", "t.yaml:2: unknown key 'lr00'; did you mean 'lr0'"),
        ("data: {imgsz: 640.5}", "must be int"),
        ("data: {imgsz: true}", "must be int"),
        ("optim: {lr0: fast}", "must be float, got 'fast'"),
        ("optim: {lr0: .nan}", "must be above 0, up to 1,000,000, got nan"),
        ("optim: {momentum: 1.5}", "from 0 to 0.9999, got 1.5"),
        ("loss: {iou: cious}", "'ciou'"),
        ("loss: {iou: wise_iou}", "'wise-iou'"),
        ("loss: {nwd_constant: 0}", "from 0.01 to 1,000,000"),
        ("anchor_loss: {balance: [1, x]}", "list of float"),
        ("anchor_loss: {balance: []}", "anchor_loss.balance is empty; give at least one value"),
        ("mixup: 1.5", "t.yaml:1: augment.mixup must be from 0 to 1, got 1.5"),
        ("data: {batch_size: 0}", "data.batch_size must be from 1 to 65,536 (or -1), got 0"),
        ("data: {batch_size: -2}", "(or -1)"),
        ("model: {freeze: 3}", "list of int or str"),
        ("run: {best_metric: aps}", "got 'aps'; did you mean 'APs'?"),
        ("run: {max_time: 30m}", "must be float"),
        ("- 1", "is a map of sections"),
    ],
)
def test_mistakes(text, words):
    with pytest.raises(ConfigError) as caught:
        from_yaml(text)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("loss.box", "'anchor_loss.box' or 'free_loss.box'?"),
        ("loss.obj_target", "'anchor_loss.obj_target'?"),
        ("loss.fl_gamma", "'anchor_loss.focal_gamma'?"),
        ("loss.free_box", "'free_loss.box'?"),
        ("loss.free_cls", "'free_loss.cls'?"),
        ("loss.free_dfl", "'free_loss.dfl'?"),
        ("assign.anchor_t", "'anchor_assign.max_ratio'?"),
        ("assign.noautoanchor", "'anchor_assign.noautoanchor'?"),
        ("assign.align_topk", "'free_assign.topk'?"),
        ("assign.align_alpha", "'free_assign.alpha'?"),
        ("assign.align_beta", "'free_assign.beta'?"),
        ("assign.align_iou", "'free_assign.iou'?"),
        ("assign.align_floor", "'free_assign.floor'?"),
        ("anchor_loss.bal", "'balance'?"),
        ("qqq.zzz", ""),
    ],
)
def test_a_key_of_another_section_is_found(key, meant):
    """The keys that the losses of all heads once shared, YOLOv5's names, and misspelt ones."""
    with pytest.raises(ConfigError) as caught:
        build_config([Setting(key, 1, "t.yaml:1")])
    wrong, _, right = str(caught.value).partition("; did you mean ")
    assert wrong.startswith("t.yaml:1: ") and right == meant


def test_assignment_without_value():
    with pytest.raises(ConfigError, match="section.name=value"):
        settings_of_assignments(["optim.lr0"])


def test_plain_round_trip():
    cfg, _ = build_config(settings_of_assignments(["anchor_loss.balance=[1.0, 2.0]", "run.seed=3", "run.name=x"]))
    again = config_from_plain(cfg.plain(), "checkpoint")
    assert dataclasses.asdict(again) == dataclasses.asdict(cfg)


def test_the_same_key_set_twice():
    with pytest.raises(ConfigError, match="optim.lr0 is set twice, first by --set optim.lr0=1"):
        settings_of_assignments(["optim.lr0=1", "optim.momentum=0", "optim.lr0 = 2"])


def test_hyper_parameters_are_read_again():
    cfg, origins = build_config(settings_of_assignments(["loss.iou=wise-iou", "optim.lr0=2e-5", "run.seed=3"]))
    text = hyp_yaml(cfg, origins)
    losses = ["loss", "anchor_loss", "anchor_assign", "free_loss", "free_assign"]
    assert list(yaml.safe_load(text)) == ["optim", "schedule", "augment", *losses]
    again = from_yaml(text)
    assert dataclasses.replace(again, run=cfg.run) == cfg and again.run.seed == 0


def test_every_metric_is_one_of_the_report():
    names = set(typing.get_args(MetricName))
    report = Report({name: 0.5 for name in STATS}, 0.1, 0.2, 0.3, (), 1, 0, 1)
    assert set(STATS) < names and {name: report.metric(name) for name in names} == {
        **dict.fromkeys([*STATS, "fitness", "map50", "map50_95"], 0.5),
        **{"precision": 0.1, "recall": 0.2},
    }
