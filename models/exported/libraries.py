"""The libraries that exported files need, each of which may be missing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from utils.words.errors import CheckpointError, ConfigError, printable

INSTALL = "python -m pip install -r requirements-export.txt"


def library(name: str) -> ModuleType:
    """A library of requirements-export.txt. Raises ConfigError where it is not installed."""
    # OpenVINO and NNCF report what they do to a server by this package, and do without where it is not to be had.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # None: cannot be imported
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(f"{name.partition('.')[0]} cannot be imported ({error}); {INSTALL}") from error


@contextmanager
def refusing(name: str, path: Path) -> Iterator[None]:
    """Around what the library `name` does with a file: what it says against it is a CheckpointError."""
    try:
        yield
    except _refusals(name) as error:
        reason = printable(next(iter(str(error).splitlines()), type(error).__name__)[:300])
        raise CheckpointError(f"{path}: {name} refuses it: {reason}") from error


def _refusals(name: str) -> tuple[type[Exception], ...]:
    """What the library raises; onnxruntime has classes of its own for it."""
    if name != "onnxruntime":
        return (RuntimeError, ValueError)
    state = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    names = "Fail InvalidArgument InvalidGraph InvalidProtobuf NoModel NoSuchFile NotImplemented RuntimeException"
    return (RuntimeError, ValueError, *(getattr(state, one) for one in names.split()))
