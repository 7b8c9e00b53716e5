"""Which exported file a path names, opened."""

from __future__ import annotations

import os
from pathlib import Path

from models.exported.exported_network import ExportedNetwork
from models.exported.onnx_file import open_onnx
from models.exported.openvino_folder import XML, open_openvino
from utils.words.errors import CheckpointError

PROGRAM, ENGINE = ".torchscript", ".engine"


def is_exported(path: Path) -> bool:
    """Whether the path names a file that was exported, by its name."""
    # os.path: a name that no system takes, or with a NUL, is none; pathlib raises
    return path.suffix in (".onnx", ".xml", PROGRAM, ENGINE) or os.path.exists(path / XML)


def open_exported(path: Path) -> ExportedNetwork:
    """The network of an exported file or folder, to be made ready. Raises UserError."""
    if path.suffix in (PROGRAM, ENGINE):
        what = "TorchScript is a program, for C++" if path.suffix == PROGRAM else "an engine is a program for one GPU"
        advice = "name the checkpoint, or export it as onnx or openvino"
        raise CheckpointError(f"{path}: {what}; val.py and detect.py run no programs out of files: {advice}")
    if not os.path.exists(path):
        raise CheckpointError(f"{path}: no such file; make it: python -m models.export --weights best.pt")
    return open_onnx(path) if path.suffix == ".onnx" else open_openvino(path)
