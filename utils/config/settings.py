"""Where the values of a configuration come from: YAML files, flags and --set, converted and checked one by one."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from utils.config.config import Config
from utils.config.ranges import field_range
from utils.words.errors import ConfigError, printable
from utils.words.schema import choices, fits, type_words
from utils.words.text import did_you_mean, shown
from utils.words.yamlio import Document, parse_yaml

# Keys of a YOLOv5 hyper-parameter file that have another name or place here.
YOLOV5_KEYS = {
    **{key: f"optim.{key}" for key in ("lr0", "momentum", "weight_decay")},
    **{key: f"schedule.{key}" for key in ("lrf", "warmup_epochs", "warmup_momentum", "warmup_bias_lr")},
    **{key: f"anchor_loss.{key}" for key in ("box", "cls", "cls_pw", "obj", "obj_pw", "label_smoothing")},
    **{key: f"augment.{key}" for key in ("hsv_h", "hsv_s", "hsv_v", "degrees", "translate", "scale", "shear")},
    **{key: f"augment.{key}" for key in ("flipud", "fliplr", "mosaic", "mixup", "copy_paste", "perspective")},
    "anchor_t": "anchor_assign.max_ratio",
    "fl_gamma": "anchor_loss.focal_gamma",
}
# Keys of such a file that have no effect, neither in YOLOv5 nor here.
YOLOV5_NEUTRAL = frozenset({"iou_t", "anchors"})
LONGEST_TEXT, LONGEST_LIST, LONGEST_ORIGIN = 4096, 1000, 120
# Sections that decide what a network learns: the content of hyp.yaml.
HYPER_PARAMETERS = ("optim", "schedule", "augment", "loss", "anchor_loss", "anchor_assign", "free_loss", "free_assign")


@dataclass(frozen=True)
class Setting:
    """One value on its way into the configuration: `key` is `section.name`, `origin` says who set it."""

    key: str
    value: Any
    origin: str
    text: str | None = None  # as it is written, where it is the text of a file or of a --set


def settings_of_document(document: Document) -> list[Setting]:
    """Settings of a cfg/train YAML (sections) or of a YOLOv5 hyper-parameter file (flat keys)."""
    data = document.data if document.data is not None else {}
    if not isinstance(data, dict):
        raise document.error("a training configuration is a map of sections or of YOLOv5 hyper-parameters")
    settings = []
    for key, value in data.items():
        where = document.where(key)
        if isinstance(value, dict):
            settings += [
                Setting(f"{key}.{k}", v, document.where(key, k), document.text(key, k)) for k, v in value.items()
            ]
        elif key in YOLOV5_KEYS:
            settings.append(Setting(YOLOV5_KEYS[key], value, where, document.text(key)))
        elif key not in YOLOV5_NEUTRAL:
            sections = [f.name for f in dataclasses.fields(Config)]
            near = did_you_mean(str(key), [*sections, *YOLOV5_KEYS])
            raise ConfigError(f"{where}: unknown key {shown(str(key))}{near}")
    return settings


def settings_of_assignments(assignments: list[str]) -> list[Setting]:
    """Settings of `--set optim.lr0=0.02` arguments. Raises ConfigError."""
    settings: list[Setting] = []
    for text in assignments:
        origin = f"--set {printable(text[:LONGEST_ORIGIN])}"
        key, equals, raw = text.partition("=")
        if not equals or not key.strip():
            raise ConfigError(f"{origin}: must read section.name=value, for example --set optim.lr0=0.02")
        twice = next((s.origin for s in settings if s.key == key.strip()), "")
        if twice:
            raise ConfigError(f"{origin}: {key.strip()} is set twice, first by {twice}; leave one out")
        document = parse_yaml(raw, origin)
        settings.append(Setting(key.strip(), document.data, origin, document.text()))
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


def known_part(plain: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What this version knows of values that another may have written, and the keys of the rest."""
    ours = Config().plain()
    kept = {s: {k: v for k, v in values.items() if k in ours[s]} for s, values in plain.items() if s in ours}
    return kept, [f"{s}.{k}" for s, values in plain.items() for k in values if k not in kept.get(s, {})]


def config_from_plain(plain: Mapping[str, Mapping[str, Any]], origin: str) -> Config:
    """The reverse of `Config.plain()`, for example for the values in a checkpoint. Raises ConfigError."""
    settings = [Setting(f"{s}.{k}", v, origin) for s, values in plain.items() for k, v in values.items()]
    return build_config(settings)[0]


def _convert(setting: Setting) -> tuple[str, str, Any]:
    section, _, name = setting.key.partition(".")
    classes = _types_of(Config)
    if section not in classes:
        raise ConfigError(f"{setting.origin}: no section {shown(section)}{_meant(setting.key, classes)}")
    hints = _types_of(classes[section])
    if name not in hints:
        raise ConfigError(f"{setting.origin}: unknown key {shown(setting.key)}{_meant(setting.key, classes)}")
    value, annotation = setting.value, hints[name]
    if annotation is float and isinstance(value, str):
        value = _parse_float(value)  # PyYAML reads 1e-2 as a string
    if annotation is str:
        # YAML reads `--set model.weights=` as null, and a name such as 007 or 1.10 as a number
        value = "" if value is None else value if setting.text is None else setting.text
    if not fits(value, annotation):
        near = did_you_mean(value, choices(annotation)) if isinstance(value, str) else ""
        wanted = type_words(annotation)
        raise ConfigError(f"{setting.origin}: {setting.key} must be {wanted}, got {shown(setting.value)}{near}")
    if annotation is float:
        value = float(value)
    _check_range(setting, classes[section], name, value)
    return section, name, tuple(value) if isinstance(value, list) else value


@lru_cache(maxsize=32)
def _types_of(section: type) -> dict[str, Any]:
    """The types of its fields, evaluated once: a checkpoint brings a hundred values."""
    return typing.get_type_hints(section)


def _meant(key: str, classes: Mapping[str, type]) -> str:
    """`did_you_mean` for a `section.name` that does not exist.

    A name that another section has, or that YOLOv5 has, is in the wrong section; any other name is misspelt.
    """
    section, _, name = key.partition(".")
    names = {s: list(typing.get_type_hints(c)) for s, c in classes.items()}
    keys = [f"{s}.{n}" for s, known in names.items() for n in known]
    same = [k for k in keys if k.endswith(f".{name}")] or [YOLOV5_KEYS[k] for k in YOLOV5_KEYS if k == name]
    same = same or _reordered(key, keys)
    if same:
        return f"; did you mean {' or '.join(repr(k) for k in same)}?"
    near = did_you_mean(name, names.get(section, [])) or did_you_mean(key, keys)
    return near or ("" if section in names else did_you_mean(section, names))


def _reordered(key: str, keys: Sequence[str]) -> list[str]:
    """The key of the same last word that shares another, too: free_loss.box for loss.free_box."""
    *given, last = key.replace(".", "_").split("_")
    common = {k: len(set(given) & set(k.split(".")[0].split("_"))) for k in keys if k.endswith(f".{last}")}
    return [k for k, words in common.items() if words and words == max(common.values())]


def _parse_float(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _check_range(setting: Setting, section: type, name: str, value: Any) -> None:
    """Numbers within the range of their knob, lists and texts that are not endless. Raises ConfigError."""
    most = LONGEST_TEXT if isinstance(value, str) else LONGEST_LIST
    if isinstance(value, str | list | tuple) and len(value) > most:
        what = f"{len(value):,} {'letters' if isinstance(value, str) else 'values'}"
        raise ConfigError(f"{setting.origin}: {setting.key} has {what}, at most {most:,} are possible")
    if isinstance(value, str) and "\0" in value:
        raise ConfigError(f"{setting.origin}: {setting.key} holds a NUL character; take it out")
    if value in ([], ()) and getattr(section, name):  # where the default is not empty either
        raise ConfigError(f"{setting.origin}: {setting.key} is empty; give at least one value, or leave it out")
    taken = field_range(section, name)
    for number in value if isinstance(value, list | tuple) else [value]:
        if taken is not None and isinstance(number, float | int) and not taken.holds(number):
            raise ConfigError(f"{setting.origin}: {setting.key} must be {taken}, got {shown(number)}")


def as_yaml(config: Config, origins: Mapping[str, str]) -> str:
    """The complete configuration as YAML, each value that was set with its origin as a comment."""
    return _sections_as_yaml(config.plain(), origins)


def hyp_yaml(config: Config, origins: Mapping[str, str]) -> str:
    """The hyper-parameters alone, as --hyp takes them."""
    plain = config.plain()
    return _sections_as_yaml({section: plain[section] for section in HYPER_PARAMETERS}, origins)


def _sections_as_yaml(sections: Mapping[str, Mapping[str, Any]], origins: Mapping[str, str]) -> str:
    lines = []
    for section, values in sections.items():
        lines.append(f"{section}:")
        for name, value in values.items():
            origin = origins.get(f"{section}.{name}")
            # after a bare scalar PyYAML adds a line "..."; the width keeps the value itself on one line
            text = yaml.safe_dump(value, default_flow_style=True, width=10_000).split("\n")[0]
            lines.append(f"  {name}: {text}" + (f"  # {origin}" if origin else ""))
    return "\n".join(lines) + "\n"
