"""The run folder of a line: the same one after each start."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from utils.console.log import LOG
from utils.files.output_files import make_folder
from utils.files.runs import planned_run, write_about
from utils.line.lock import alone_at, alone_in_run
from utils.words.errors import ConfigError, printable
from utils.words.regular_file import read_regular

USUAL = "exp"  # --name, where none is given
MOST = 1 << 20  # bytes of a run.json of ours


def identity_of(source: str) -> str:
    """What run.json remembers of a watched folder or a camera, which it does not name."""
    place = os.path.realpath(source) if os.path.isdir(source) else source
    return hashlib.sha256(os.fsencode(place)).hexdigest()[:16]


def line_name(name: str, source: str) -> str:
    """The folder's name: the given one, else one made of what is watched: `watch-parts`, `camera-0`."""
    if name != USUAL:
        return name
    kind = "watch" if os.path.isdir(source) else "camera"
    last = (
        os.path.basename(os.path.abspath(source))
        if kind == "watch"
        else source.split("://")[-1].split("@")[-1].split("?")[0]
    )
    return f"{kind}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', last).strip('-.')[-60:] or 'line'}"


def planned_line(project: str, name: str, source: str) -> Path:
    """The run folder of the line at `source`, which may not exist yet. Raises ConfigError."""
    return planned_run(project, line_name(name, source), exist_ok=True)


def line_run(project: str, name: str, source: str) -> Path:
    """The run folder of the line at `source`, made if need be. Raises ConfigError where it holds another kind of run,
    or that of another folder; ResourceError.
    """
    run = planned_line(project, name, source)
    about = _about(run)
    if about is None:
        if run.exists() and any(entry != ".lock" for entry in os.listdir(run)):
            raise ConfigError(f"--name: {printable(str(run))} holds something else; take another --name")
        return make_folder(run)
    if about.get("line") != identity_of(source):
        raise ConfigError(f"--name: {printable(str(run))} is the run of another folder or camera; take another --name")
    return run


@contextmanager
def line_place(project: str, name: str, source: str) -> Iterator[Path]:
    """See `line_run`; while the block runs nobody else writes there, or watches the folder `source`."""
    run = line_run(project, name, source)
    with alone_in_run(run), alone_at(Path(source)) if os.path.isdir(source) else nullcontext():
        yield run


def write_line_about(run: Path, source: str, name: str, about: Mapping[str, Any], full_paths: bool) -> None:
    """Write run.json, and say where an earlier run had other weights. An address is written as its `name`, without the
    user and password in it.
    """
    before = _about(run) or {}
    if before.get("weights_sha256", about.get("weights_sha256")) != about.get("weights_sha256"):
        LOG.warning(
            "%s: the rows so far are of other weights (%s); take another --name to keep them apart",
            run / "summary.csv",
            before.get("weights"),
        )
    command = [word.replace(source, name) if "://" in source else word for word in about.get("command", ())]
    write_about(run, {**about, "command": command, "line": identity_of(source)}, full_paths)


def _about(run: Path) -> dict[str, Any] | None:
    try:
        about = json.loads(read_regular(run / "run.json", MOST))
    except (ValueError, OSError):
        return None
    return about if isinstance(about, dict) else None
