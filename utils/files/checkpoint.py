"""Checkpoints: a state dict and plain metadata, only ever read with `weights_only=True` and only if every bit and every
entry is right; written so that a crash at any moment leaves a complete file behind.
"""

from __future__ import annotations

import errno
import hashlib
import os
import pickle
import shutil
import stat
import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor, nn

from utils.config.config import Config
from utils.config.settings import config_from_plain, known_part
from utils.console.log import LOG
from utils.console.signals import uninterrupted
from utils.files.content import flaw, not_finite
from utils.files.output_files import new_file
from utils.files.torch_zip import load_zip
from utils.words.errors import CheckpointError, ConfigError, DamagedError, NumericError, ResourceError, printable

FORMAT = 2  # 1 had the losses of all heads in one section of the configuration
# what zipfile and torch raise for files that make no sense
UNREADABLE = (
    *(RuntimeError, OSError, EOFError, LookupError, ValueError, TypeError, AttributeError, AssertionError),
    *(ArithmeticError, MemoryError, struct.error, zipfile.BadZipFile),
)
NO_FILE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)  # there is none, or none can be
TRAINED = Path("runs/train")  # where a checkpoint is looked for when none is named


@uninterrupted()
def save(path: Path, content: dict[str, Any], keep_previous: bool = False) -> None:
    """Write `content` (tensors and plain values) to `path`: temporary file, fsync, read back, rename, fsync of the
    folder. There is a complete file of that name at any moment, and a signal waits until all is done.

    `keep_previous` leaves the file before as `one_before` of it. Raises ResourceError when the disk refuses, and
    NumericError for values that are not finite: what was saved before stays.
    """
    if found := not_finite(content):
        raise NumericError(f"{path}: not written: {found}; lower --set optim.lr0, or try --no-amp")
    try:
        with new_file(path) as file:
            torch.save({"format": FORMAT, **content}, file)
            file.flush()
            os.fsync(file.fileno())
            _verify(Path(file.name))
            if keep_previous and path.exists():
                _keep(path, one_before(path))
        _sync_folder(path.parent)
    except (OSError, RuntimeError, zipfile.BadZipFile) as error:  # torch turns a failed write into RuntimeError
        raise ResourceError(f"{path}: cannot be written: {error}; free some space and --resume") from error


def one_before(path: Path) -> Path:
    """Where the checkpoint is kept that `path` was before."""
    return path.parent / f"{path.stem}.prev{path.suffix}"


def _verify(path: Path) -> None:
    """Read every byte back and compare checksums. Raises OSError for a disk that did not keep them."""
    with zipfile.ZipFile(path) as file:
        bad = file.testzip()
    if bad is not None:
        raise OSError(f"what was written reads back otherwise ({bad})")


def _keep(path: Path, previous: Path) -> None:
    """`previous` becomes what `path` is, which stays in its place meanwhile."""
    spare = previous.with_name(f".{previous.name}.tmp")
    spare.unlink(missing_ok=True)
    try:
        try:
            os.link(path, spare)
        except OSError:  # a file system without hard links
            shutil.copyfile(path, spare)
        os.replace(spare, previous)
    finally:  # still there where that failed, or where both are one file already
        spare.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path, remedy: str) -> Any:
    """What torch wrote to `path`, ours or not, on the CPU, every byte of it compared with its checksum.

    Raises CheckpointError when there is no such file, with `remedy` as advice, or when it may not be read, and
    DamagedError for one that is damaged, foreign or unsafe.
    """
    file = _opened(path, remedy)
    try:  # is_zipfile, too, raises for some damage
        with file:
            if not zipfile.is_zipfile(file):
                raise zipfile.BadZipFile(
                    "incomplete, or no torch checkpoint (old pickle formats are refused as unsafe)"
                )
            return load_zip(file)
    except pickle.UnpicklingError as error:
        reason = next((line for line in str(error).splitlines() if "GLOBAL" in line or "Unsupported" in line), "")
        reason = reason.strip() or str(error).splitlines()[0]
        raise DamagedError(path, f"refused as unsafe, it wants to run code: {reason}") from error
    except UNREADABLE as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise DamagedError(path, f"damaged or not a checkpoint: {printable(reason)}") from error


def _opened(path: Path, remedy: str) -> BinaryIO:
    """A file that cannot be opened may be good: only one that is no regular file counts as damaged."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # a folder, a pipe, a device: opening may wait for ever
            raise DamagedError(path, "no regular file")
        return path.open("rb")
    except (OSError, ValueError) as error:
        if isinstance(error, ValueError) or error.errno in NO_FILE:
            raise CheckpointError(f"{path}: no such checkpoint; {remedy}") from None
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}; mend it, or name another") from error


def load(path: str | Path, resumable: bool = False) -> dict[str, Any]:
    """Read a checkpoint of ours onto the CPU: each entry is there and of its type, each number finite (see Content).

    `resumable`: everything that a training needs must be in it. Raises CheckpointError, DamagedError.
    """
    path = Path(path)
    content = read(path, "train one with python train.py --data YOUR.yaml")
    if not isinstance(content, dict) or not {"format", "model_spec"} <= set(content):
        raise DamagedError(path, "not a checkpoint of this project")
    if isinstance(content["format"], int) and content["format"] != FORMAT:
        version = f"of another version: its format is {content['format']}, this program reads format {FORMAT}"
        raise DamagedError(path, f"{version}; train it again")
    if resumable and "optimizer" not in content and "model" not in content:
        raise DamagedError(path, "holds averaged weights only; continue from its last.pt")
    if found := flaw(content, resumable):
        advice = "start a new run with --weights" if resumable else "train it again"
        raise DamagedError(path, f"damaged, or of another version: {found}; {advice}")
    return content


def config_of(content: Mapping[str, Any], path: Path) -> Config:
    """The configuration that a checkpoint keeps: all sections, with the values that its version knew; those that this
    one does not know any more are left out, with a warning. Raises DamagedError.
    """
    if missing := [field.name for field in fields(Config) if field.name not in content["config"]]:
        raise DamagedError(path, f"damaged, or of another version: config.{missing[0]} is missing")
    kept, lost = known_part(content["config"])
    if lost:
        names = ", ".join(printable(name[:80]) for name in lost[:5])
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        LOG.warning("%s: of another version: %s%s has no meaning any more and is left out", path, names, more)
    with stored_in(path):
        return config_from_plain(kept, "config")


@contextmanager
def stored_in(path: Path) -> Iterator[None]:
    """Around what is made of stored values: a ConfigError, which a user can mend, becomes a DamagedError of `path`."""
    try:
        yield
    except ConfigError as error:
        raise DamagedError(path, f"damaged, or of another version: {error}") from error


def restore(module: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Load every tensor of `state`, none missing, none left over, none of another type. Raises DamagedError."""
    for key, own in module.state_dict().items():
        if key in state and state[key].dtype != own.dtype:
            raise DamagedError(path, f"{key} holds {state[key].dtype} instead of {own.dtype}")
    try:
        module.load_state_dict(state)
    except (RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise DamagedError(path, f"its weights do not fit its network: {reason}") from error


def newest(project: Path, *files: str) -> Path | None:
    """The most recently written `<project>/*/weights/<file>` of these `files`, or None."""
    found = [p for file in files for p in project.glob(f"*/weights/{file}") if os.path.isfile(p)]
    return max(found, key=lambda p: (p.stat().st_mtime_ns, p.as_posix()), default=None)


def weights_about(path: Path) -> dict[str, str]:
    """What tells these weights apart from others: name and SHA-256; of an exported folder that of its description."""
    file = path / "export.json" if path.is_dir() else path
    return {"weights": path.name, "weights_sha256": hashlib.sha256(file.read_bytes()).hexdigest()}


def newest_weights() -> Path | None:
    """best.pt (else last.pt) of the newest training run, if there is one."""
    return newest(TRAINED, "best.pt") or newest(TRAINED, "last.pt")


def find_weights(weights: str) -> Path:
    """The checkpoint named, or best.pt (else last.pt) of the newest training run. Raises CheckpointError."""
    if weights:
        return Path(weights)
    path = newest_weights()
    if path is None:
        raise CheckpointError(
            "no checkpoint under runs/train; train one with: python train.py --demo, "
            "or: python train.py --data YOUR.yaml --cfg idfe-net-lite0-n.yaml"
        )
    return path
