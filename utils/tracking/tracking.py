"""The course of a training, in results.csv always, and in the tools that --log names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from utils.config.config import Config
from utils.console.signals import behind
from utils.files.output_files import Extra
from utils.files.runs import ResultsCsv
from utils.tracking.background import Background
from utils.tracking.tracker import Beginning, Status, Tracker, flat
from utils.words.private_paths import without_folders

START_WAIT, END_WAIT = 30.0, 30.0  # seconds, at most: a new MLflow store takes five
AT_START = ("labels.jpg", "train_batch[0-9].jpg", "polarization_preview.png")
AT_END = ("val_batch[0-9]_labels.jpg", "val_batch[0-9]_pred.jpg", "results.png")


class Tracking:
    """results.csv of a run folder, and the `trackers` beside it, each in a thread of its own. Around the work of the
    first process: at the end of the block the trackers learn how it ended.
    """

    def __init__(self, folder: Path, cfg: Config, trackers: Iterable[Tracker]) -> None:
        self.folder, self.cfg, self.table = folder, cfg, ResultsCsv(folder / "results.csv")
        self.about: dict[str, str] = {}
        self._kept = [(tracker, Background(f"--log {tracker.label}")) for tracker in trackers]
        self._started = False

    def start(self, first: int) -> None:
        """Begin, or go on, with epoch `first`, counted from 0. Raises ResourceError for results.csv only."""
        self.table.start(first)
        if not self._kept:
            return
        self._started = True
        run = Beginning(self.folder, self._handed_on(self.cfg.plain()), _about(self.folder), first)
        for tracker, background in self._kept:
            background.do(partial(tracker.start, run))
        if first == 0:
            self._pictures(AT_START)
        self._wait(START_WAIT)  # before the training, not in it: processes of loaders are to be made in peace

    def epoch(self, row: Mapping[str, Any]) -> None:
        """Keep a row of results.csv. Raises ResourceError for results.csv only."""
        self.table.append(row)
        values = {key: float(value) for key, value in row.items() if key != "epoch" and value is not None}
        for tracker, background in self._kept:
            background.do(partial(tracker.epoch, row["epoch"], values))

    def results(self, about: Mapping[str, Any]) -> None:
        """The pictures of the results, which lie in the run folder now, and what is to be said `about` them."""
        self.about |= flat(self._handed_on(about))
        self._pictures(AT_END)

    def _handed_on(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return dict(values if self.cfg.run.full_paths else without_folders(dict(values)))

    def _pictures(self, patterns: Iterable[str]) -> None:
        for tracker, background in self._kept:
            for path in (path for pattern in patterns for path in sorted(self.folder.glob(pattern))):
                background.do(partial(tracker.picture, path.stem, path))

    def _wait(self, seconds: float) -> None:
        for _, background in self._kept:
            background.wait(seconds)

    def __enter__(self) -> Tracking:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._started:
            return
        stopped = isinstance(error, KeyboardInterrupt) or behind(error) is not None
        status: Status = "FINISHED" if error is None else "KILLED" if stopped else "FAILED"
        for tracker, background in self._kept:
            background.do(partial(tracker.end, status, dict(self.about)))
        self._wait(END_WAIT)


def _about(folder: Path) -> dict[str, str]:
    """What run.json says, where folders of this machine are left out already."""
    with Extra("run.json"):
        about = flat(json.loads((folder / "run.json").read_text(encoding="utf-8")))
        return {key: text for key, text in about.items() if text}
    return {}
