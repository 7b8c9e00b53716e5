"""Every knob, as frozen dataclasses. Precedence: default here < cfg/train YAML < flag < --set. The origin of each value
is recorded.
"""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from utils.config.ranges import Range

InforcedName = Literal["inforced", "inforced_basic", "inforced_norm"]
LaterName = Literal["inner-iou", "inner-ciou", "shape-iou", "wise-iou"]
IouName = Literal["iou", "giou", "diou", "ciou", "eiou", "siou", "mpdiou", "nwd", LaterName, InforcedName]
CocoMetric = Literal["AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl"]
MetricName = Literal["fitness", "map50", "map50_95", "precision", "recall", CocoMetric]
LogTool = Literal["csv", "tensorboard", "mlflow"]
T = TypeVar("T")


def knob(default: T, low: float, high: float, also: float | None = None, above: bool = False) -> T:
    """A dataclass field with its range, see Range; of a list, the range of its numbers."""
    return typing.cast(T, field(default=default, metadata={"range": Range(low, high, also, above)}))


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What is read and how batches are made."""

    data: str = ""
    root: str = ""
    pictures: int = knob(0, 0, 10**9)
    single_cls: bool = False
    imgsz: int = knob(640, 32, 16_384)
    batch_size: int = knob(16, 1, 65_536, also=-1)
    workers: int = knob(-1, 0, 256, also=-1)
    bad_data: Literal["skip", "error"] = "skip"
    allow_empty: bool = False
    max_pixels: int = knob(178_956_970, 1, 10**10)  # twice Pillow's MAX_IMAGE_PIXELS, where Pillow refuses by default
    cache: Literal["none", "ram", "disk"] = "none"
    index: Literal["auto", "always", "never"] = "auto"
    rect: bool = False
    multi_scale: bool = False
    balance: Literal["none", "repeat"] = "none"
    balance_threshold: float = knob(0.0, 0, 1)
    repeat: int = knob(1, 1, 100_000)
    as_defect: float = knob(0.0, 0, 0.9)
    tile: int = knob(0, 0, 16_384, also=-1)
    tile_overlap: float = knob(0.2, 0, 0.9)
    tile_full: bool = False
    tile_min_visible: float = knob(0.4, 0, 1, above=True)
    tile_empty: float = knob(0.1, 0, 1000)


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The network and where its weights start."""

    cfg: str = ""
    weights: str = ""
    text_encoder: str = ""
    glossary: str = ""
    sam: str = ""
    backbone: str = ""
    backbone_norm: Literal["train", "frozen"] = "train"
    backbone_frozen_to: int = knob(4, 0, 1024)
    static: bool = False
    freeze: tuple[int | str, ...] = knob((), 0, 1000)
    bn_momentum: float = knob(0.03, 0, 1, above=True)


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """The optimizer and the average of the weights."""

    name: Literal["SGD", "Adam", "AdamW"] = "SGD"
    lr0: float = knob(0.01, 0, 1e6, above=True)
    backbone_lr: float = knob(1.0, 0, 100, above=True)
    momentum: float = knob(0.937, 0, 0.9999)
    weight_decay: float = knob(0.0005, 0, 1)
    nominal_batch: int = knob(64, 1, 65_536)
    accumulate: int = knob(0, 0, 10_000)
    clip_norm: float = knob(1.0, 0, 1e6)
    ema_decay: float = knob(0.9999, 0, 0.999999)
    ema_tau: float = knob(2000.0, 1, 1e6)


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig:
    """What changes over the epochs."""

    epochs: int = knob(300, 1, 1_000_000)
    lrf: float = knob(0.01, 0, 1)
    cosine: bool = False
    warmup_epochs: float = knob(3.0, 0, 1e6)
    warmup_steps: int = knob(100, 0, 1_000_000)
    warmup_momentum: float = knob(0.8, 0, 0.9999)
    warmup_bias_lr: float = knob(0.1, 0, 1e6)
    freeze_backbone: float = knob(0.0, 0, 1e6)
    close_mosaic: int = knob(10, 0, 1_000_000)
    patience: int = knob(100, 0, 1_000_000)


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """Random changes to training pictures."""

    mosaic: float = knob(1.0, 0, 1)
    mixup: float = knob(0.0, 0, 1)
    copy_paste: float = knob(0.0, 0, 1)
    degrees: float = knob(0.0, 0, 180)
    translate: float = knob(0.1, 0, 1)
    scale: float = knob(0.5, 0, 0.95)
    shear: float = knob(0.0, 0, 60)
    perspective: float = knob(0.0, 0, 0.01)
    flipud: float = knob(0.0, 0, 1)
    fliplr: float = knob(0.5, 0, 1)
    hsv_h: float = knob(0.015, 0, 0.5)
    hsv_s: float = knob(0.7, 0, 1)
    hsv_v: float = knob(0.4, 0, 1)
    min_box_px: float = knob(1.0, 0, 16_384)
    min_box_visible: float = knob(0.1, 0, 1)
    max_box_aspect: float = knob(100.0, 1, 1e6)


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """What the losses of all heads share."""

    iou: IouName = "inforced"
    inner_ratio: float = knob(0.75, 0.01, 10)
    nwd_constant: float = knob(12.8, 0.01, 1e6)
    shape_scale: float = knob(1.0, 0, 10)
    reconstruction: float = knob(0.0104, 0, 1e6)
    energy: float = knob(0.2, 0, 1e6)


@dataclass(frozen=True, kw_only=True)
class AnchorLossConfig:
    """The terms of an anchor head's loss and their weights."""

    box: float = knob(0.05, 0, 1e6)
    obj: float = knob(1.0, 0, 1e6)
    cls: float = knob(0.5, 0, 1e6)
    obj_target: Literal["overlap", "iou"] = "overlap"
    balance: tuple[float, ...] = knob((4.0, 1.0, 0.4), 0, 1e6)
    obj_pw: float = knob(1.0, 0, 1e6, above=True)
    cls_pw: float = knob(1.0, 0, 1e6, above=True)
    label_smoothing: float = knob(0.0, 0, 1)
    focal_gamma: float = knob(0.0, 0, 10)


@dataclass(frozen=True, kw_only=True)
class AnchorAssignConfig:
    """Which predictions of an anchor head are assigned to which targets."""

    max_ratio: float = knob(4.0, 1, 1000, above=True)
    noautoanchor: bool = False


@dataclass(frozen=True, kw_only=True)
class FreeLossConfig:
    """The terms of an anchor-free head's loss and their weights."""

    box: float = knob(7.5, 0, 1e6)
    cls: float = knob(0.5, 0, 1e6)
    dfl: float = knob(1.5, 0, 1e6)


@dataclass(frozen=True, kw_only=True)
class FreeAssignConfig:
    """Which predictions of an anchor-free head are assigned to which targets."""

    topk: int = knob(10, 1, 1000)
    alpha: float = knob(0.5, 0, 100)
    beta: float = knob(6.0, 0, 100)
    iou: Literal["iou", "giou", "diou", "ciou"] = "iou"
    floor: float = knob(0.3, 0, 1)


@dataclass(frozen=True, kw_only=True)
class ValConfig:
    """How predictions become detections when they are scored."""

    conf: float = knob(0.001, 0, 1)
    iou: float = knob(0.6, 0, 1)
    max_det: int = knob(300, 1, 100_000)
    chance: int = knob(0, 0, 1000)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Where and how the run happens."""

    seed: int = knob(0, 0, 2**31 - 1)
    device: str = ""
    amp: bool = True
    bf16: bool = False
    cuda_graph: bool = False
    sync_bn: bool = False
    sync_bn_below: int = knob(16, 0, 65_536)
    nproc: int = knob(1, 1, 128)
    timeout: float = knob(120.0, 1, 86_400)
    best_metric: MetricName = "fitness"
    max_time: float = knob(0.0, 0, 1e6)
    project: str = "runs/train"
    name: str = "exp"
    exist_ok: bool = False
    save_period: int = knob(-1, -1, 1_000_000)
    save_steps: int = knob(0, 0, 1_000_000_000)
    nosave: bool = False
    noval: bool = False
    noplots: bool = False
    log: tuple[LogTool, ...] = ()
    full_paths: bool = False


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything a training run depends on."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    optim: OptimConfig = OptimConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    augment: AugmentConfig = AugmentConfig()
    loss: LossConfig = LossConfig()
    anchor_loss: AnchorLossConfig = AnchorLossConfig()
    anchor_assign: AnchorAssignConfig = AnchorAssignConfig()
    free_loss: FreeLossConfig = FreeLossConfig()
    free_assign: FreeAssignConfig = FreeAssignConfig()
    val: ValConfig = ValConfig()
    run: RunConfig = RunConfig()

    def plain(self) -> dict[str, dict[str, Any]]:
        """Nested plain values, as YAML and checkpoints store them."""
        return {
            section: {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
            for section, values in dataclasses.asdict(self).items()
        }
