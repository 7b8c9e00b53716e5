"""What an earlier run left in a folder that --exist-ok takes again: it must not be taken for this run's."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from utils.console.log import LOG
from utils.words.errors import ConfigError, printable
from utils.words.text import counted

# What each script writes, as patterns below its run folder; other files stay.
OF_EVALUATION = (
    *("run.json", "val.log", "compare.json", "results.json", "predictions.json", "truth.json", "thresholds.yaml"),
    *("per_class.csv", "per_image.csv", "report.html", "report.json", "speed.json", "speed.png"),
    *("confusion_matrix.png", "P_curve.png", "R_curve.png", "PR_curve.png", "F1_curve.png", "FROC.png"),
    *("recall_by_size.png", "overkill_escape.png", "calibration.png", "vqa.json", "vqa.csv", "vqa_calibration.png"),
    *("val_batch[0-9]_labels.jpg", "val_batch[0-9]_pred.jpg", "labels/**/*.txt", ".*.tmp"),
)
OF_TRAINING = (
    *(name for name in OF_EVALUATION if not name.startswith(("val.log", "compare", "speed", "vqa", "labels/"))),
    *("train.log", "opt.yaml", "hyp.yaml", "data_report.json", "results.csv", "results.png", "labels.jpg"),
    *("train_batch[0-9].jpg", "polarization_preview.png", "mlflow.json", "tensorboard/events.out.tfevents.*"),
    *("weights/last.pt", "weights/last.prev.pt", "weights/best.pt", "weights/epoch[0-9]*.pt", "weights/.*.tmp"),
)
OF_DETECTION = (
    *("run.json", "detect.log", "summary.csv", "predictions.csv", "predictions.json", "report.html", "report.json"),
    *("answers.csv", "answers.json", "labels/**/*.txt", "crops/**/*.jpg", ".*.tmp"),
)

OVERLAYS = (".jpg", ".mp4", ".avi")  # what detect.py adds to the place of an input
# A folder that holds one of these is a run; data sets have folders called labels, too.
KNOWN_BY = "run.json train.log val.log detect.log results.csv results.json summary.csv weights/*.pt".split()


def take_over(run: Path, patterns: Sequence[str], inputs: Sequence[str] = ()) -> None:
    """Remove from `run` what `patterns` match, and say so.

    Raises ConfigError where `run` holds anything but an earlier run, where a folder in it is a link, as results would
    be written behind it, and where one of the `inputs` of this run would go; and OSError.
    """
    _check_run(run)
    earlier = list(chain.from_iterable(run.glob(pattern) for pattern in patterns))
    for name in filter(os.path.exists, inputs):
        if any(os.path.exists(path) and path.samefile(name) for path in earlier):
            shown = f"--exist-ok: {printable(str(run))} holds {printable(name)}, which this run reads and would replace"
            raise ConfigError(f"{shown}; copy it elsewhere, or take another --name")
    remove(run, earlier)


def _check_run(run: Path) -> None:
    for home, folders, _ in os.walk(run):  # a link to a file is no danger: files are replaced, not written to
        for folder in folders:
            if os.path.islink(place := os.path.join(home, folder)):
                shown = f"--exist-ok: {printable(place)} is a link to {printable(os.path.realpath(place))}"
                raise ConfigError(f"{shown}, where results would land; remove it, or take another --name")
    if others := sorted(os.listdir(run)):
        if not any(chain.from_iterable(run.glob(pattern) for pattern in KNOWN_BY)):
            shown = f"--exist-ok: {printable(str(run))} is no earlier run, it holds {printable(', '.join(others[:3]))}"
            raise ConfigError(f"{shown}{', ...' if len(others) > 3 else ''}; take another --name")


def remove(run: Path, paths: Iterable[Path]) -> None:
    """Remove those `paths` in `run` that are there, no folders, and say so. Raises OSError."""
    gone = []
    for path in paths:
        if os.path.islink(path) or (os.path.exists(path) and not os.path.isdir(path)):  # pipes, too
            path.unlink()
            gone.append(path)
    if gone:
        shown = ", ".join(str(path.relative_to(run)) for path in gone[:4]) + (", ..." if len(gone) > 4 else "")
        LOG.info("--exist-ok: removed %s of an earlier run from %s: %s", counted(len(gone), "file"), run, shown)
