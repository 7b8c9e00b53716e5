"""The folder of a detect.py run."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from utils.annotations.labelled_picture import FOLDER
from utils.files.earlier_run import OF_DETECTION, OVERLAYS, remove
from utils.files.runs import new_run, planned_run
from utils.flags.detect_flags import DetectFlags
from utils.words.errors import ConfigError, printable


def new_detection_folder(flags: DetectFlags, outputs: Iterable[Path]) -> Path:
    """A new run folder; in an existing one (--exist-ok) without the overlays of an earlier run, which lie where
    `outputs` says, without suffix: an input that is unreadable by now must not seem to have one. Raises
    ConfigError where pre-labels would replace earlier ones, which somebody may have corrected; see `new_run`.
    """
    if flags.save_labels:
        _keep_corrections(planned_run(flags.project, flags.name, flags.exist_ok) / FOLDER)
    run = new_run(flags.project, flags.name, flags.exist_ok, OF_DETECTION)
    if flags.exist_ok:
        remove(run, (run / f"{output}{suffix}" for output in outputs for suffix in OVERLAYS))
    return run


def _keep_corrections(folder: Path) -> None:
    if os.path.lexists(folder):
        shown = f"--exist-ok: {printable(str(folder))} holds pre-labels, which somebody may have corrected"
        raise ConfigError(f"{shown}; move them away, or take another --name")
