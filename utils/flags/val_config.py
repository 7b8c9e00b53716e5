"""The configuration of an evaluation: that of the checkpoint, with val.py's flags on top."""

from __future__ import annotations

from dataclasses import replace

from utils.config.config import Config, DataConfig, ValConfig
from utils.config.settings import Setting, build_config, settings_of_assignments
from utils.flags.val_flags import ValFlags
from utils.words.errors import ConfigError
from utils.words.private_paths import is_reduced

# what --set may change: the rest has a flag, or no effect on an evaluation
SETTABLE = (
    *("data.data", "data.root", "data.single_cls", "data.index"),
    *("model.sam", "model.static", "val.chance", "run.full_paths"),
)


def assigned_config(flags: ValFlags) -> Config:
    """The values given with --set, defaults for the rest. Raises ConfigError for keys that evaluation does not use."""
    settings = settings_of_assignments(list(flags.assignments))
    config, _ = build_config(settings)  # complains of keys that do not exist at all
    for setting in settings:
        if setting.key not in SETTABLE:
            raise ConfigError(f"{setting.origin}: has no effect on an evaluation; --set takes {', '.join(SETTABLE)}")
    return config


def data_config(flags: ValFlags, stored: DataConfig, origin: str) -> DataConfig:
    """The data section as `stored` in the checkpoint `origin`, with the flags on top. Raises ConfigError."""
    settings = [Setting(f"data.{key}", value, origin) for key, value in vars(stored).items()]
    if flags.data:  # the stored root belongs to the training data
        settings += [Setting("data.data", flags.data, "--data"), Setting("data.root", "", "--data")]
    data = build_config([*settings, *settings_of_assignments(list(flags.assignments))])[0].data
    if lost := next(filter(is_reduced, (data.data, data.root)), ""):
        raise ConfigError(
            f"--data: {origin} says {lost} without its folders, as the run's opt.yaml is not there; give it"
        )
    return replace(
        flags.tiled(data, flags.imgsz),
        single_cls=data.single_cls or flags.single_cls,
        bad_data="skip" if flags.bad_data == "skip" else "error",
        allow_empty=flags.allow_empty,
        max_pixels=flags.max_pixels,
        workers=0
        if flags.task == "speed"
        else flags.workers,  # so that the time to read is spent, and measured, in this process
        cache="none",  # every picture is read once
    )


def val_config(flags: ValFlags, stored: ValConfig) -> ValConfig:
    """The training run's conf, IoU and max_det (0.001, 0.6 and 300 unless changed) where no flag overrides them:
    val.py then reproduces the numbers in its log.
    """
    return replace(
        stored,
        conf=stored.conf if flags.conf_thres is None else flags.conf_thres,
        iou=stored.iou if flags.iou_thres is None else flags.iou_thres,
        max_det=stored.max_det if flags.max_det is None else flags.max_det,
    )


def flag_notices(flags: ValFlags) -> list[str]:
    """Notices about flags that do not do what one might expect."""
    return ["--save-json: predictions.json is always written"] if flags.save_json else []


def check_predictions(flags: ValFlags) -> None:
    """--from-preds needs to know which pictures were looked at. Raises ConfigError."""
    if not flags.data:
        raise ConfigError("--from-preds: needs --data, the data YAML or folder whose pictures were looked at")
    if flags.task == "speed":
        raise ConfigError(
            "--task speed: has no meaning with --from-preds, whose detections are ready made; leave it out"
        )
