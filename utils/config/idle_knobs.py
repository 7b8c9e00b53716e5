"""Knobs that cannot act, for the network at hand or beside others: nobody shall wait for what never comes.

What depends on the machine is no mistake, and what depends on the pictures is said by data.batches.advice.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from utils.config.config import Config
from utils.config.paths import CFG
from utils.words.errors import ConfigError

HEAD_SECTIONS = ("anchor_loss", "anchor_assign", "free_loss", "free_assign")  # each for one kind of head
CLASS_TERMS = ("cls", "cls_pw", "label_smoothing")
KEPT = ("model.backbone_norm", "model.backbone_frozen_to", "schedule.freeze_backbone")  # what a backbone knows
BACKBONE = ("model.backbone", *KEPT, "optim.backbone_lr")
DEFAULTS = Config().plain()


@dataclass(frozen=True)
class NetworkTraits:
    """What of a network decides which knobs act: the `sections` of the configuration that its head's criterion reads,
    and the losses of its other rows, by the knob that weighs them. `fresh`: it starts from random weights. `backbone`:
    it has a row TimmBackbone. `reads_text`: it compares with words.
    """

    name: str
    classes: int
    sections: Collection[str]
    row_losses: Collection[str] = ()
    fresh: bool = True
    backbone: bool = False
    reads_text: bool = False


def idle_knobs(cfg: Config, network: NetworkTraits) -> dict[str, str]:
    """Every knob that cannot act, with the reason."""
    return {key: why for why, keys in _reasons(cfg, network) for key in keys}


def _reasons(cfg: Config, network: NetworkTraits) -> Iterator[tuple[str, list[str]]]:
    own = ", ".join(name for name in HEAD_SECTIONS if name in network.sections)
    foreign = [f"{s}.{name}" for s in HEAD_SECTIONS if s not in network.sections for name in DEFAULTS[s]]
    if network.classes == 1 and "anchor_loss" in network.sections:
        yield "with one class there is no class loss", [f"anchor_loss.{name}" for name in CLASS_TERMS]
    if not network.fresh:
        yield "given weights keep their anchors", ["anchor_assign.noautoanchor"]
    yield f"the head of {network.name} reads {own}", foreign
    missing = [f"loss.{name}" for name in ("reconstruction", "energy") if name not in network.row_losses]
    yield f"no row of {network.name} has such a loss", missing
    if not network.backbone:
        yield f"{network.name} has no row TimmBackbone", list(BACKBONE)
    elif cfg.model.backbone == "none":
        yield "model.backbone is none, it has nothing to keep", list(KEPT)
    if not network.reads_text:
        yield f"{network.name} reads no text", ["data.as_defect"]
    elif cfg.data.single_cls:
        yield "data.single_cls calls every class defect already", ["data.as_defect"]
    yield f"loss.iou is {cfg.loss.iou}", _of_other_overlaps(cfg.loss.iou)
    yield from _beside_others(cfg)


def _of_other_overlaps(iou: str) -> list[str]:
    knobs = {"inner_ratio": ("inner-iou", "inner-ciou"), "nwd_constant": ("nwd",), "shape_scale": ("shape-iou",)}
    return [f"loss.{name}" for name, overlaps in knobs.items() if iou not in overlaps]


def _beside_others(cfg: Config) -> Iterator[tuple[str, list[str]]]:
    if not cfg.data.tile:
        yield "data.tile is 0", [f"data.tile_{name}" for name in ("overlap", "full", "min_visible", "empty")]
    if cfg.data.balance == "none":
        yield "data.balance is none", ["data.balance_threshold"]
    if cfg.optim.name != "SGD":
        yield f"optim.name is {cfg.optim.name}", ["schedule.warmup_momentum", "schedule.warmup_bias_lr"]
    if not cfg.schedule.warmup_epochs:
        yield "schedule.warmup_epochs is 0", [f"schedule.warmup_{n}" for n in ("steps", "momentum", "bias_lr")]
    if not (cfg.augment.mosaic or cfg.augment.mixup or cfg.augment.copy_paste):
        yield "augment.mosaic, mixup and copy_paste are 0", ["schedule.close_mosaic"]
    yield "it is for val.py and detect.py", ["model.static", "val.chance"]


def check_knobs(cfg: Config, origins: Mapping[str, str], network: NetworkTraits) -> list[str]:
    """Raise ConfigError for a flag or --set of a knob that cannot act; return a sentence about those that files change,
    if there are any: a file may well be for several networks, as those of cfg/train are, of which nothing is said. Zero
    and false do nothing anywhere. `origins` says of every knob who set it.
    """
    changed: dict[str, list[str]] = {}
    plain = cfg.plain()
    for key, why in idle_knobs(cfg, network).items():
        section, _, name = key.partition(".")
        origin, value = origins.get(key, ""), plain[section][name]
        if not value:  # what is off beside what is off is no mistake
            continue
        if origin.startswith("--"):
            raise ConfigError(f"{origin}: {key} has no effect: {why}; leave it out")
        if origin and not _is_ours(origin) and value != DEFAULTS[section][name]:
            changed.setdefault(why, []).append(f"{key} of {origin}")
    parts = "; ".join(f"{', '.join(keys)} ({why})" for why, keys in changed.items())
    return [f"without effect: {parts}"] if parts else []


def _is_ours(origin: str) -> bool:
    """Whether `file:line` lies in cfg/train."""
    return Path(origin.rpartition(":")[0]).resolve().parent == CFG / "train"
