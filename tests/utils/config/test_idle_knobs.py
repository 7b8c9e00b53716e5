"""Every knob of the losses against every kind of head: it acts, or it is known not to."""

import dataclasses

import pytest
import torch

from models.graph.builder import build_graph
from models.ready.new_model import traits_of
from models.rows.model_spec import read_spec
from utils.config.config import Config
from utils.config.idle_knobs import DEFAULTS, NetworkTraits, check_knobs, idle_knobs
from utils.config.paths import CFG
from utils.values.batch import Targets
from utils.values.step_info import StepInfo
from utils.words.errors import ConfigError

OTHER = {  # another value of each knob of a loss, and what else it needs to act
    "loss.iou": ("giou", {}),
    "loss.inner_ratio": (1.3, {"loss.iou": "inner-iou"}),
    "loss.nwd_constant": (50.0, {"loss.iou": "nwd"}),
    "loss.shape_scale": (3.0, {"loss.iou": "shape-iou"}),
    "loss.reconstruction": (0.5, {}),
    "loss.energy": (0.7, {}),
    "anchor_loss.obj_target": ("iou", {}),
    "anchor_loss.balance": ((1.0, 2.0, 3.0), {}),
    "anchor_loss.label_smoothing": (0.2, {}),
    "anchor_loss.focal_gamma": (2.0, {}),
    "anchor_assign.max_ratio": (1.5, {}),
    "free_assign.topk": (2, {}),
    "free_assign.alpha": (3.0, {}),
    "free_assign.beta": (1.0, {}),
    "free_assign.iou": ("giou", {}),
    "free_assign.floor": (0.9, {}),
}
SECTIONS = ("loss", "anchor_loss", "anchor_assign", "free_loss", "free_assign")
KNOBS = [f"{s}.{name}" for s in SECTIONS for name in DEFAULTS[s] if name != "noautoanchor"]  # that is read before
NETWORKS = ("idfe-net-n", "idfe-net-free-n", "rtvpnet-plain-n", "rtvpnet-projection-n")


def changed(knobs):
    """The default configuration with other values: {"loss.iou": "ciou"}."""
    cfg = Config()
    for key, value in knobs.items():
        section, _, name = key.partition(".")
        cfg = dataclasses.replace(cfg, **{section: dataclasses.replace(getattr(cfg, section), **{name: value})})
    return cfg


@pytest.fixture(scope="module", params=NETWORKS)
def network(request):
    """Graph, its predictions for two pictures in training, and targets."""
    torch.manual_seed(0)
    spec = read_spec(f"cfg/models/{request.param}.yaml")
    graph = build_graph(spec.with_values(sam="random-frozen") if "sam" in spec.data else spec)
    predictions = graph(torch.rand(2, 3, 128, 128), step_info=StepInfo(0, step=0, progress=0.5))
    boxes = torch.tensor([[10.0, 10, 40, 50], [60, 60, 90, 80], [5, 70, 30, 120]])
    return graph, predictions, Targets(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 2]), boxes)


@pytest.mark.parametrize("key", KNOBS)
def test_a_knob_of_the_loss_acts_or_is_known_not_to(network, key):
    graph, predictions, targets = network
    old = DEFAULTS[key.partition(".")[0]][key.partition(".")[2]]
    value, beside = OTHER.get(key) or (old * 2, {})
    sums = []
    for cfg in (changed(beside), changed({**beside, key: value})):
        terms = graph.head.criterion(cfg)(predictions, targets)
        sums.append(torch.cat([v.detach() for v in (*terms.sums.values(), *terms.counts.values())]).double())
    acts = sums[0].shape != sums[1].shape or not torch.equal(*sums)
    assert acts == (key not in idle_knobs(changed({**beside, key: value}), traits_of(graph, 5, "")))
    if beside:  # and without what it needs it never acts
        assert key in idle_knobs(changed({key: value}), traits_of(graph, 5, ""))


def test_every_knob_is_known():
    """Those of the other sections act whatever the head is, but for these."""
    heads = ("loss", "anchor_loss", "anchor_assign", "free_loss", "free_assign")
    network = NetworkTraits("n.yaml", 5, heads, backbone=True, reads_text=True)
    elsewhere = {key for key in idle_knobs(Config(), network) if key.partition(".")[0] not in SECTIONS}
    tiles = {f"data.tile_{name}" for name in ("overlap", "full", "min_visible", "empty")}
    assert elsewhere == {"data.balance_threshold", "model.static", "val.chance", *tiles}
    known = {f"{section}.{name}" for section, values in DEFAULTS.items() for name in values}
    assert set(idle_knobs(changed({"optim.name": "Adam", "schedule.warmup_epochs": 0.0}), network)) <= known


ANCHOR = NetworkTraits("a.yaml", 5, ("loss", "anchor_loss", "anchor_assign"))
FREE = NetworkTraits("f.yaml", 5, ("loss", "free_loss", "free_assign"))


TEXT = dataclasses.replace(FREE, reads_text=True)


@pytest.mark.parametrize(
    ("knobs", "network", "words"),
    [
        ({"anchor_loss.label_smoothing": 0.1}, FREE, "the head of f.yaml reads free_loss, free_assign"),
        ({"free_assign.topk": 5}, ANCHOR, "the head of a.yaml reads anchor_loss, anchor_assign"),
        ({"loss.inner_ratio": 0.5}, ANCHOR, "loss.iou is inforced"),
        ({"loss.energy": 0.5}, FREE, "no row of f.yaml has such a loss"),
        ({"anchor_loss.cls_pw": 2.0}, dataclasses.replace(ANCHOR, classes=1), "with one class"),
        ({"anchor_assign.noautoanchor": True}, dataclasses.replace(ANCHOR, fresh=False), "given weights keep"),
        ({"optim.name": "AdamW", "schedule.warmup_bias_lr": 0.2}, ANCHOR, "optim.name is AdamW"),
        ({"schedule.warmup_epochs": 0.0, "schedule.warmup_steps": 7}, ANCHOR, "schedule.warmup_epochs is 0"),
        ({"augment.mosaic": 0.0, "schedule.close_mosaic": 3}, ANCHOR, "mixup and copy_paste are 0"),
        ({"data.balance_threshold": 0.2}, ANCHOR, "data.balance is none"),
        ({"model.static": True}, ANCHOR, "for val.py and detect.py"),
        ({"optim.backbone_lr": 0.1}, FREE, "f.yaml has no row TimmBackbone"),
        ({"data.single_cls": True, "data.as_defect": 0.2}, TEXT, "data.single_cls calls every class"),
        ({"data.as_defect": 0.2}, FREE, "f.yaml reads no text"),
        ({"val.chance": 3}, FREE, "for val.py and detect.py"),
    ],
)
def test_what_cannot_act_is_refused_on_the_command_line_and_named_in_a_file(knobs, network, words):
    cfg, key = changed(knobs), list(knobs)[-1]
    with pytest.raises(ConfigError, match=f"--set x: {key} has no effect: .*{words}"):
        check_knobs(cfg, {key: "--set x"}, network)
    (sentence,) = check_knobs(cfg, {key: "my.yaml:3"}, network)
    assert f"{key} of my.yaml:3 (" in sentence and words in sentence
    assert check_knobs(Config(), {key: "my.yaml:3"}, network) == []  # as it is by default
    assert check_knobs(cfg, {key: f"{CFG / 'train' / 'idfe-net.yaml'}:3"}, network) == []  # a file for many networks


def test_a_mosaic_that_never_is_may_be_closed_never():
    cfg = changed({"augment.mosaic": 0.0, "schedule.close_mosaic": 0})
    assert check_knobs(cfg, {"schedule.close_mosaic": "--close-mosaic"}, ANCHOR) == []
