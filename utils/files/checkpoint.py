"""Checkpoints: a state dict and plain metadata, only ever read with `weights_only=True`, and written so that a crash at
any moment leaves a complete file behind.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from utils.words.errors import CheckpointError, ResourceError

FORMAT = 2  # 1 had the losses of all heads in one section of the configuration
TRAINED = Path("runs/train")  # where a checkpoint is looked for when none is named


def save(path: Path, content: dict[str, Any], keep_previous: bool = False) -> None:
    """Write `content` (tensors and plain values) to `path`: temporary file, fsync, read back, rename, fsync of the
    folder. There is a complete file of that name at any moment.

    `keep_previous` leaves the file before as `<stem>.prev.pt`. Raises ResourceError when the disk refuses.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        with temporary.open("wb") as file:
            torch.save({"format": FORMAT, **content}, file)
            file.flush()
            os.fsync(file.fileno())
        _verify(temporary)
        if keep_previous and path.exists():
            _keep(path, path.with_suffix(".prev.pt"))
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except (OSError, RuntimeError, zipfile.BadZipFile) as error:  # torch turns a failed write into RuntimeError
        temporary.unlink(missing_ok=True)
        raise ResourceError(f"{path}: cannot be written: {error}; free some space and --resume") from error


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
        os.link(path, spare)
    except OSError:  # a file system without hard links
        shutil.copyfile(path, spare)
    os.replace(spare, previous)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path, remedy: str) -> Any:
    """What torch wrote to `path`, ours or not, on the CPU. Raises CheckpointError: missing, damaged or unsafe.

    `remedy`: what to do when there is no such file.
    """
    if not os.path.isfile(path):  # False, not an error, for names that no file can have
        raise CheckpointError(f"{path}: no such checkpoint; {remedy}")
    if not zipfile.is_zipfile(path):
        raise CheckpointError(f"{path}: incomplete, or no torch checkpoint (old pickle formats are refused as unsafe)")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = next((line for line in str(error).splitlines() if "GLOBAL" in line or "Unsupported" in line), "")
        reason = reason.strip() or str(error).splitlines()[0]
        raise CheckpointError(f"{path}: refused as unsafe, it wants to run code: {reason}") from error
    except (RuntimeError, OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path}: damaged or not a checkpoint: {str(error).splitlines()[0]}") from error


def load(path: str | Path) -> dict[str, Any]:
    """Read a checkpoint of ours onto the CPU. Raises CheckpointError: missing, not ours, damaged or unsafe."""
    path = Path(path)
    content = read(path, "train one with python train.py --data YOUR.yaml")
    if not isinstance(content, dict) or not {"format", "model_spec"} <= set(content):
        raise CheckpointError(f"{path}: not a checkpoint of this project")
    if content["format"] != FORMAT:
        version = f"of another version: its format is {content['format']}, this program reads format {FORMAT}"
        raise CheckpointError(f"{path}: {version}; train it again")
    return content


def restore(module: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Load every tensor of `state`, none missing, none left over. Raises CheckpointError."""
    try:
        module.load_state_dict(state)
    except (RuntimeError, KeyError) as error:
        reason = " ".join(str(error).split())[:200]
        raise CheckpointError(f"{path}: its weights do not fit its network: {reason}") from error


def newest(project: Path, file: str) -> Path | None:
    """The most recently written `<project>/*/weights/<file>`, or None."""
    found = [p for p in project.glob(f"*/weights/{file}") if p.is_file()]
    return max(found, key=lambda p: (p.stat().st_mtime_ns, p.as_posix()), default=None)


def weights_about(path: Path) -> dict[str, str]:
    """What tells these weights apart from others: name and SHA-256."""
    return {"weights": path.name, "weights_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def find_weights(weights: str) -> Path:
    """The checkpoint named, or best.pt (else last.pt) of the newest training run. Raises CheckpointError."""
    if weights:
        return Path(weights)
    path = newest(TRAINED, "best.pt") or newest(TRAINED, "last.pt")
    if path is None:
        raise CheckpointError(
            "no checkpoint under runs/train; train one with: python train.py --demo, "
            "or: python train.py --data YOUR.yaml --cfg idfe-net-n.yaml"
        )
    return path
