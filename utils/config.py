"""Every knob, as frozen dataclasses. Precedence: default here < cfg/train YAML < flag < --set; the origin of each
value is kept.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import yaml

from utils.errors import ConfigError
from utils.schema import fits, type_words
from utils.text import did_you_mean
from utils.yamlio import Document, parse_yaml

InforcedName = Literal["inforced", "inforced_basic", "inforced_norm"]
LaterName = Literal["inner-iou", "inner-ciou", "shape-iou", "wise-iou"]
IouName = Literal["iou", "giou", "diou", "ciou", "eiou", "siou", "mpdiou", "nwd", LaterName, InforcedName]
T = TypeVar("T")


def knob(default: T, low: float = -math.inf, high: float = math.inf) -> T:
    """A dataclass field with an inclusive range."""
    return typing.cast(T, field(default=default, metadata={"low": low, "high": high}))


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """What is read and how batches are made."""

    data: str = ""
    root: str = ""
    single_cls: bool = False
    imgsz: int = knob(640, 32, 16_384)
    batch_size: int = knob(16, 1, 65_536)
    workers: int = knob(-1, -1, 256)
    bad_data: Literal["skip", "error"] = "skip"
    allow_empty: bool = False
    max_pixels: int = knob(178_956_970, 1)


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The network and where its weights start."""

    cfg: str = "idfe-net.yaml"
    weights: str = ""
    bn_momentum: float = knob(0.03, 0, 1)


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """The optimizer and the average of the weights."""

    name: Literal["SGD", "Adam", "AdamW"] = "SGD"
    lr0: float = knob(0.01, 0, 1e6)
    momentum: float = knob(0.937, 0, 1)
    weight_decay: float = knob(0.0005, 0, 1)
    nominal_batch: int = knob(64, 1)
    accumulate: int = knob(0, 0, 10_000)
    clip_norm: float = knob(10.0, 0)
    ema_decay: float = knob(0.9999, 0, 1)
    ema_tau: float = knob(2000.0, 1)


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig:
    """What changes over the epochs."""

    epochs: int = knob(300, 1, 1_000_000)
    lrf: float = knob(0.01, 0, 1)
    cosine: bool = False
    warmup_epochs: float = knob(3.0, 0)
    warmup_steps: int = knob(100, 0)
    warmup_momentum: float = knob(0.8, 0, 1)
    warmup_bias_lr: float = knob(0.1, 0, 1e6)
    close_mosaic: int = knob(10, 0)
    patience: int = knob(100, 0)


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """Random changes to training pictures."""

    mosaic: float = knob(1.0, 0, 1)
    degrees: float = knob(0.0, 0, 180)
    translate: float = knob(0.1, 0, 1)
    scale: float = knob(0.5, 0, 0.95)
    shear: float = knob(0.0, 0, 60)
    flipud: float = knob(0.0, 0, 1)
    fliplr: float = knob(0.5, 0, 1)
    hsv_h: float = knob(0.015, 0, 0.5)
    hsv_s: float = knob(0.7, 0, 1)
    hsv_v: float = knob(0.4, 0, 1)
    min_box_px: float = knob(1.0, 0)
    min_box_visible: float = knob(0.1, 0, 1)
    max_box_aspect: float = knob(100.0, 1)


@dataclass(frozen=True, kw_only=True)
class LossConfig:
    """Parts of the loss and their weights."""

    iou: IouName = "inforced"
    inner_ratio: float = knob(0.75, 0.01, 10)
    nwd_constant: float = knob(12.8, 0.01)
    shape_scale: float = knob(1.0, 0, 10)
    box: float = knob(0.05, 0)
    obj: float = knob(1.0, 0)
    cls: float = knob(0.5, 0)
    obj_target: Literal["overlap", "iou"] = "overlap"
    balance: tuple[float, ...] = (4.0, 1.0, 0.4)
    obj_pw: float = knob(1.0, 0)
    cls_pw: float = knob(1.0, 0)
    label_smoothing: float = knob(0.0, 0, 1)
    focal_gamma: float = knob(0.0, 0, 10)
    free_box: float = knob(7.5, 0)
    free_cls: float = knob(0.5, 0)
    free_dfl: float = knob(1.5, 0)


@dataclass(frozen=True, kw_only=True)
class AssignConfig:
    """Which predictions answer for which targets."""

    anchor_t: float = knob(4.0, 1)
    noautoanchor: bool = False
    align_topk: int = knob(10, 1, 1000)
    align_alpha: float = knob(0.5, 0, 100)
    align_beta: float = knob(6.0, 0, 100)
    align_iou: Literal["iou", "giou", "diou", "ciou"] = "iou"
    align_floor: float = knob(0.3, 0, 1)


@dataclass(frozen=True, kw_only=True)
class ValConfig:
    """How predictions become detections when they are scored."""

    conf: float = knob(0.001, 0, 1)
    iou: float = knob(0.6, 0, 1)
    max_det: int = knob(300, 1, 100_000)


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Where and how the run happens."""

    seed: int = knob(0, 0, 2**31 - 1)
    device: str = ""
    amp: bool = True
    project: str = "runs/train"
    name: str = "exp"
    exist_ok: bool = False
    save_period: int = knob(-1, -1)
    nosave: bool = False
    noval: bool = False
    noplots: bool = False


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything a training run depends on."""

    data: DataConfig = DataConfig()
    model: ModelConfig = ModelConfig()
    optim: OptimConfig = OptimConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    augment: AugmentConfig = AugmentConfig()
    loss: LossConfig = LossConfig()
    assign: AssignConfig = AssignConfig()
    val: ValConfig = ValConfig()
    run: RunConfig = RunConfig()

    def plain(self) -> dict[str, dict[str, Any]]:
        """Nested plain values, as YAML and checkpoints store them."""
        return {
            section: {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}
            for section, values in dataclasses.asdict(self).items()
        }


# Keys of a YOLOv5 hyper-parameter file that have another name or place here.
YOLOV5_KEYS = {
    **{key: f"optim.{key}" for key in ("lr0", "momentum", "weight_decay")},
    **{key: f"schedule.{key}" for key in ("lrf", "warmup_epochs", "warmup_momentum", "warmup_bias_lr")},
    **{key: f"loss.{key}" for key in ("box", "cls", "cls_pw", "obj", "obj_pw", "label_smoothing")},
    **{key: f"augment.{key}" for key in ("hsv_h", "hsv_s", "hsv_v", "degrees", "translate", "scale", "shear")},
    **{key: f"augment.{key}" for key in ("flipud", "fliplr", "mosaic")},
    "anchor_t": "assign.anchor_t",
    "fl_gamma": "loss.focal_gamma",
}
# Keys of such a file that change nothing here, and the value at which leaving them out is right.
YOLOV5_NEUTRAL = {
    "iou_t": None,
    "perspective": 0,
    "mixup": 0,
    "copy_paste": 0,
    "anchors": None,
}


@dataclass(frozen=True)
class Setting:
    """One value on its way into the configuration: `key` is `section.name`, `origin` says who set it."""

    key: str
    value: Any
    origin: str


def settings_of_document(document: Document) -> list[Setting]:
    """Settings of a cfg/train YAML (sections) or of a YOLOv5 hyper-parameter file (flat keys)."""
    data = document.data if document.data is not None else {}
    if not isinstance(data, dict):
        raise document.error("a training configuration is a map of sections or of YOLOv5 hyper-parameters")
    settings = []
    for key, value in data.items():
        where = document.where(key)
        if isinstance(value, dict):
            settings += [Setting(f"{key}.{k}", v, document.where(key, k)) for k, v in value.items()]
        elif key in YOLOV5_KEYS:
            settings.append(Setting(YOLOV5_KEYS[key], value, where))
        elif key in YOLOV5_NEUTRAL:
            if YOLOV5_NEUTRAL[key] is not None and value != YOLOV5_NEUTRAL[key]:
                raise ConfigError(f"{where}: '{key}: {value}' has no counterpart yet; set it to 0 or remove it")
        else:
            sections = [f.name for f in dataclasses.fields(Config)]
            raise ConfigError(f"{where}: unknown key '{key}'{did_you_mean(str(key), [*sections, *YOLOV5_KEYS])}")
    return settings


def settings_of_assignments(assignments: list[str]) -> list[Setting]:
    """Settings of `--set optim.lr0=0.02` arguments."""
    settings = []
    for text in assignments:
        key, equals, raw = text.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"--set {text}: must read section.name=value, for example --set optim.lr0=0.02")
        settings.append(Setting(key.strip(), parse_yaml(raw, f"--set {text}").data, f"--set {text}"))
    return settings


def build_config(settings: list[Setting]) -> tuple[Config, dict[str, str]]:
    """The configuration after `settings` in order (later ones win), and the origin of every value that was set."""
    values: dict[str, dict[str, Any]] = {}
    origins: dict[str, str] = {}
    for setting in settings:
        section, name, converted = _convert(setting)
        values.setdefault(section, {})[name] = converted
        origins[setting.key] = setting.origin
    classes = typing.get_type_hints(Config)
    return Config(**{section: classes[section](**known) for section, known in values.items()}), origins


def config_from_plain(plain: Mapping[str, Mapping[str, Any]], origin: str) -> Config:
    """The configuration that `Config.plain()` gave, for example from a checkpoint."""
    settings = [Setting(f"{s}.{k}", v, origin) for s, values in plain.items() for k, v in values.items()]
    return build_config(settings)[0]


def _convert(setting: Setting) -> tuple[str, str, Any]:
    section, _, name = setting.key.partition(".")
    classes = typing.get_type_hints(Config)
    if section not in classes:
        raise ConfigError(f"{setting.origin}: no section '{section}'{did_you_mean(section, classes)}")
    hints = typing.get_type_hints(classes[section])
    if name not in hints:
        every = [f"{s}.{n}" for s, c in classes.items() for n in typing.get_type_hints(c)]
        near = did_you_mean(name, hints) or did_you_mean(setting.key, every)
        raise ConfigError(f"{setting.origin}: unknown key '{setting.key}'{near}")
    value, annotation = setting.value, hints[name]
    if annotation is float and isinstance(value, str):
        value = _number(value)  # PyYAML reads 1e-2 as a string
    if annotation is str and value is None:
        value = ""
    if not fits(value, annotation):
        raise ConfigError(f"{setting.origin}: {setting.key} must be {type_words(annotation)}, got {setting.value!r}")
    if annotation is float:
        value = float(value)
    _check_range(setting, classes[section], name, value)
    return section, name, tuple(value) if isinstance(value, list) else value


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _check_range(setting: Setting, section: type, name: str, value: Any) -> None:
    metadata = next(f for f in dataclasses.fields(section) if f.name == name).metadata
    low, high = metadata.get("low", -math.inf), metadata.get("high", math.inf)
    numbers = value if isinstance(value, list) else [value]
    for number in numbers:
        if isinstance(number, float | int) and not (low <= number <= high and math.isfinite(number)):
            top = "" if high == math.inf else f" and at most {high:g}"
            least = "finite" if low == -math.inf else f"at least {low:g}"
            raise ConfigError(f"{setting.origin}: {setting.key} must be {least}{top}, got {number!r}")


def as_yaml(config: Config, origins: Mapping[str, str]) -> str:
    """The resolved configuration as YAML, each changed value with its origin as a comment."""
    lines = []
    for section, values in config.plain().items():
        lines.append(f"{section}:")
        for name, value in values.items():
            origin = origins.get(f"{section}.{name}")
            text = yaml.safe_dump(value, default_flow_style=True, width=10_000).split("\n")[0]
            lines.append(f"  {name}: {text}" + (f"  # {origin}" if origin else ""))
    return "\n".join(lines) + "\n"
