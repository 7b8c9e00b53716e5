"""What the command lines of train.py, val.py and detect.py say, as values, and train.py's flags as a table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from utils.config.parser import hours
from utils.config.settings import Setting


@dataclass(frozen=True, kw_only=True)
class TrainFlags:
    """train.py's command line: `settings` go into the configuration, the rest steers the script."""

    settings: tuple[Setting, ...]
    hyp: str
    assignments: tuple[str, ...]
    resume: str | None
    demo: bool
    dry_run: bool
    debug: bool
    local_rank: int | None


@dataclass(frozen=True, kw_only=True)
class ValFlags:
    """val.py's command line. None: take the checkpoint's value."""

    data: str | None
    weights: str
    cfg: str
    summary: bool
    batch_size: int
    imgsz: int | None
    conf_thres: float | None
    iou_thres: float | None
    max_det: int | None
    task: str
    device: str
    workers: int
    bad_data: str
    allow_empty: bool
    single_cls: bool
    assignments: tuple[str, ...]
    max_pixels: int
    project: str
    name: str
    exist_ok: bool
    noplots: bool
    save_txt: bool
    save_conf: bool
    save_json: bool
    verbose: bool
    half: bool
    map_classes: str
    fa_per_image: float | None
    match: Literal["iou", "center"]
    match_iou: float | None
    bins: str
    cost: str
    from_preds: tuple[str, ...]
    compare: tuple[str, str] | None
    prompts: str | None
    text_encoder: str
    debug: bool

    @property
    def split(self) -> str:
        """Which pictures: the task's, or the validation split when speed is measured."""
        return "val" if self.task == "speed" else self.task


@dataclass(frozen=True, kw_only=True)
class DetectFlags:
    """detect.py's command line. None: take the checkpoint's value."""

    weights: str
    source: str | None
    data: str
    imgsz: int | None
    conf_thres: float | None
    iou_thres: float | None
    max_det: int | None
    thresholds: str
    batch_size: int
    device: str
    save_txt: bool
    save_conf: bool
    save_crop: bool
    save_csv: bool
    save_json: bool
    nosave: bool
    view_img: bool
    recursive: bool
    vid_stride: int
    half: bool
    fail_on_defect: bool
    classes: tuple[str, ...]
    agnostic_nms: bool
    line_thickness: int
    hide_labels: bool
    hide_conf: bool
    bad_data: str
    max_pixels: int
    project: str
    name: str
    exist_ok: bool
    prompts: str | None
    text_encoder: str
    masks: bool
    assignments: tuple[str, ...]
    debug: bool


# flag names, configuration key, type (None: a switch), help
TRAIN_FLAGS: tuple[tuple[tuple[str, ...], str, Callable[[str], Any] | None, str], ...] = (
    (("--weights",), "model.weights", str, "checkpoint to start from (default: from scratch)"),
    (("--cfg",), "model.cfg", str, "model YAML, looked up in cfg/models too"),
    (("--text-encoder",), "model.text_encoder", str, "RTVPNet: open_clip:MODEL:TAG or :FILE, vectors:FILE, or ngram"),
    (("--data",), "data.data", str, "data YAML, looked up in cfg/data too, or a folder"),
    (("--epochs",), "schedule.epochs", int, ""),
    (("--batch-size", "--batch"), "data.batch_size", int, "pictures per step over all processes; -1: as many as fit"),
    (("--imgsz", "--img", "--img-size"), "data.imgsz", int, "longest side of the network input, px"),
    (("--device",), "run.device", str, "cpu, 0, cuda:0; 0,1: two processes (default: the first GPU if there is one)"),
    (("--nproc",), "run.nproc", int, "processes on this machine, with --device cpu or all GPUs"),
    (("--workers",), "data.workers", int, "loader processes"),
    (("--optimizer",), "optim.name", str, "SGD, Adam or AdamW"),
    (("--patience",), "schedule.patience", int, "epochs without improvement before stopping"),
    (("--close-mosaic",), "schedule.close_mosaic", int, "epochs without mosaic, mixup, copy-paste at the end"),
    (("--accumulate",), "optim.accumulate", int, "steps to accumulate gradients over"),
    (("--label-smoothing",), "anchor_loss.label_smoothing", float, ""),
    (("--best-metric",), "run.best_metric", str, "what best.pt goes by: fitness (0.1 AP50 + 0.9 AP), recall, APs, ..."),
    (("--max-time",), "run.max_time", hours, "hours (or 90s, 30m, 2h) after which the run ends, resumable"),
    (("--seed",), "run.seed", int, ""),
    (("--project",), "run.project", str, ""),
    (("--name",), "run.name", str, ""),
    (("--save-period",), "run.save_period", int, "keep a checkpoint every so many epochs"),
    (("--save-steps",), "run.save_steps", int, "write last.pt every so many steps too"),
    (("--bad-data",), "data.bad_data", str, "skip (reported, up to a limit) or error"),
    (("--max-pixels",), "data.max_pixels", int, "refuse larger pictures before decoding them"),
    (("--single-cls",), "data.single_cls", None, "all classes as one, called defect"),
    (("--rect",), "data.rect", None, "batches of pictures of like shape, with little padding and without mosaic"),
    (("--multi-scale",), "data.multi_scale", None, "each batch at its own size, 0.5 to 1.5 of --img"),
    (("--cos-lr",), "schedule.cosine", None, "cosine learning rate"),
    (("--bf16",), "run.bf16", None, "mixed precision in bfloat16, on any device"),
    (
        ("--cuda-graph",),
        "run.cuda_graph",
        None,
        "record the network's kernels on the GPU once, replay them in each step",
    ),
    (("--sync-bn",), "run.sync_bn", None, "BatchNorm over the pictures of all GPUs"),
    (("--exist-ok",), "run.exist_ok", None, "write into an existing run folder"),
    (("--nosave",), "run.nosave", None, "write only the last checkpoint"),
    (("--noval",), "run.noval", None, "evaluate only after the last epoch"),
    (("--noplots",), "run.noplots", None, "write no pictures"),
    (("--noautoanchor",), "anchor_assign.noautoanchor", None, "keep the model YAML's anchors however badly they fit"),
    (("--allow-empty",), "data.allow_empty", None, "accept that most label files are missing"),
)
