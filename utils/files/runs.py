"""Folders that are new each time, and the small files that explain a run."""

from __future__ import annotations

import csv
import io
import itertools
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from utils.console.log import LOG
from utils.console.signals import saying
from utils.files.earlier_run import take_over
from utils.files.output_files import refused, write_json, write_text
from utils.files.output_paths import keep_out_of_layouts
from utils.words.errors import ConfigError, ResourceError, printable
from utils.words.private_paths import without_folders
from utils.words.regular_file import read_regular
from utils.words.text import counted

LAST_WRITTEN = "report.json"  # of a run: when it is there, the results are complete
MOST, MOST_ROWS = 1 << 24, 1 << 26  # bytes of a run.json, of a results.csv
COLUMNS = (
    "epoch",
    *(f"train/{part}_loss" for part in ("box", "obj", "cls")),
    *(f"metrics/{name}" for name in ("precision", "recall", "mAP_0.5", "mAP_0.5:0.95")),
    *(f"val/{part}_loss" for part in ("box", "obj", "cls")),
    *(f"x/lr{i}" for i in range(3)),
    "boxes_lost",
    "skipped_steps",
    *(f"{split}/dfl_loss" for split in ("train", "val")),  # heads of no objectness have this part instead
    *("train/reconstruction_loss", "train/energy_loss", "val/energy_loss"),  # RTVPNet
)


def new_run(project: str, name: str, exist_ok: bool, earlier: Sequence[str] = (), inputs: Sequence[str] = ()) -> Path:
    """Create `project/name`, or name2, name3, ... when it exists. With `exist_ok` the folder is taken as it is, less
    the files of an `earlier` run; see `take_over`. Raises ConfigError or ResourceError.
    """
    paths = _run_paths(project, name)
    try:
        Path(project).mkdir(parents=True, exist_ok=True)
        for path in paths:
            try:
                path.mkdir()  # not checked first: two runs that start together get two folders
                return path
            except FileExistsError:
                if exist_ok and path.is_dir():
                    take_over(path, earlier, inputs)
                    return path
    except OSError as error:
        raise ResourceError(f"--project {printable(project)}: cannot be written: {error.strerror}") from error
    raise ResourceError(f"--project {printable(project)}: too many runs called {name}")


def planned_run(project: str, name: str, exist_ok: bool) -> Path:
    """The folder that `new_run` would create. Raises ConfigError."""
    return next(path for path in _run_paths(project, name) if exist_ok or not path.exists())


def _run_paths(project: str, name: str) -> Iterator[Path]:
    if not name or Path(name).name != name or name in (".", ".."):
        raise ConfigError(f"--name {printable(name)}: must be one folder name, without slashes or '..'")
    keep_out_of_layouts(Path(project) / name)
    return (Path(project) / (name if number == 1 else f"{name}{number}") for number in range(1, 100_000))


@contextmanager
def new_folder(out: Path) -> Iterator[None]:
    """Make `out` and run the block that fills it. Raises ConfigError if it is there, or would lie among a data set's
    pictures or labels; ResourceError for a full disk.
    """
    keep_out_of_layouts(out, "--out")
    try:
        out.mkdir(parents=True)
        with saying(lambda: f"{printable(str(out))} is not complete: remove it, and start again"):
            yield
    except FileExistsError as error:
        raise ConfigError(f"--out {printable(str(out))}: is there already; name a new folder") from error
    except OSError as error:
        raise ResourceError(f"--out {printable(str(out))}: {error.strerror or error}; make room elsewhere") from error


def find_run(project: str, launch: str) -> Path | None:
    """The newest run that the launcher of this name started."""
    for path in sorted(Path(project).glob("*/run.json"), key=lambda p: p.stat().st_mtime_ns, reverse=True):
        try:
            about = json.loads(read_regular(path, MOST))
        except ValueError:  # somebody else's file
            continue
        if launch and isinstance(about, dict) and about.get("launch") == launch:
            return path.parent
    return None


def write_about(run: Path, about: Mapping[str, Any], full_paths: bool) -> None:
    """Write run.json, which says how a run came about: without the folders of this machine unless `full_paths` are
    asked for, which it says then.
    """
    write_json(run / "run.json", {**about, "full_paths": True} if full_paths else without_folders(about))


class ResultsCsv:
    """results.csv: one row per epoch, YOLOv5's columns first; losses that a model does not have stay blank."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, first_epoch: int) -> None:
        """Write the header, keeping earlier rows below `first_epoch` (a resumed run). What else the file holds is not
        lost: it stays under another name. Says so, and which rows are missing. Raises ResourceError.
        """
        rows, more = self._content()
        earlier = [row for row in rows if int(row["epoch"]) < first_epoch]
        kept = {int(row["epoch"]): row for row in reversed(earlier)}
        if more or len(kept) < len(earlier):
            LOG.warning("%s: holds more than the rows of this run: kept as %s", self.path, self._set_aside())
        if missing := first_epoch - len(kept):
            LOG.warning("%s: has no row of %s before this one", self.path, counted(missing, "epoch"))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(kept[epoch] for epoch in sorted(kept))
        write_text(self.path, text.getvalue())

    def rows(self) -> list[dict[str, str]]:
        """The rows so far."""
        return self._content()[0]

    def _content(self) -> tuple[list[dict[str, str]], bool]:
        """The rows, and whether the file holds anything else, of a person's or another program's."""
        if not os.path.lexists(self.path):
            return [], False
        try:
            text = read_regular(self.path, MOST_ROWS).decode("utf-8-sig")
            reader = csv.DictReader(io.StringIO(text, newline=""))
            found, columns = list(reader), reader.fieldnames or ()
        except (ValueError, csv.Error):  # neither a file that can be read, nor UTF-8, nor a table
            return [], True
        rows = [row for row in found if _is_row(row)]
        return rows, len(rows) < len(found) or len({*columns} & {*COLUMNS}) < len(columns)

    def _set_aside(self) -> str:
        """Give the file a name that is free, and return it. Raises ResourceError."""
        names = (f"{self.path.name}.old{number or ''}" for number in itertools.count())
        free = next(path for path in map(self.path.with_name, names) if not os.path.lexists(path))
        try:
            os.rename(self.path, free)
        except OSError as error:
            raise refused(self.path, error) from error
        return free.name

    def append(self, values: Mapping[str, float | int | None]) -> None:
        """Add one row; undefined values stay blank."""
        cells = {key: "" if value is None else _cell(value) for key, value in values.items()}
        try:
            with self.path.open("a", newline="", encoding="utf-8") as file:
                csv.DictWriter(file, COLUMNS).writerow(cells)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ResourceError(f"{self.path}: cannot be written: {error}; free some space and --resume") from error


def _is_row(row: Mapping[str | None, Any]) -> bool:
    """Whether a row has an epoch, and in each other cell of ours a number or nothing."""
    if None in row or None in row.values() or not 0 < len(row.get("epoch", "")) < 10 or not row["epoch"].isdecimal():
        return False
    try:
        [float(row[column]) for column in COLUMNS if row.get(column)]
    except ValueError:
        return False
    return True


def _cell(value: float | int) -> str:
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def provenance(argv: Sequence[str] | None) -> dict[str, Any]:
    """How a run came about: command, versions, machine, git revision. See `write_about` for what of it is handed on."""
    words = sys.argv[1:] if argv is None else argv
    return {
        "command": [Path(sys.argv[0]).name, *words],
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "opencv": cv2.__version__,
        },
        "machine": {"cores": os.cpu_count(), "threads": torch.get_num_threads(), "system": platform.system()},
        "git": _git_revision(),
    }


def _git_revision() -> str | None:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None  # empty where the program is no git checkout
