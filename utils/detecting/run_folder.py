"""The folder of a detect.py run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from utils.config.detect_flags import DetectFlags
from utils.files.earlier_run import OF_DETECTION, OVERLAYS, remove
from utils.files.runs import new_run


def new_detection_folder(flags: DetectFlags, outputs: Iterable[Path]) -> Path:
    """A new run folder; in an existing one (--exist-ok) without the overlays of an earlier run, which lie where
    `outputs` says, without suffix: an input that is unreadable by now must not seem to have one.
    """
    run = new_run(flags.project, flags.name, flags.exist_ok, OF_DETECTION)
    if flags.exist_ok:
        remove(run, (run / f"{output}{suffix}" for output in outputs for suffix in OVERLAYS))
    return run
