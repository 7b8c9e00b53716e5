"""A file that is not yet proved: written, opened as a user would open it, and put in its place when it has passed."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch

from models.exported.about import About
from models.exported.exported_network import ExportedNetwork
from models.exported.onnx_file import open_onnx, with_about
from models.exported.openvino_folder import ABOUT, BIN, XML, about_file, folder_files, open_openvino
from models.exporting.torchscript_writer import TorchScriptEngine, torchscript_bytes
from utils.files.output_files import refused, write_bytes, write_text
from utils.words.errors import ConfigError, ResourceError, printable


class Candidate(Protocol):
    """What is to be exported, in memory."""

    suffix: str  # of the file or folder

    def write(self, place: Path, about: About) -> None:
        """Write it to `place`, saying this of itself. Raises ResourceError."""
        ...

    def open(self, place: Path, about: About) -> ExportedNetwork:
        """Open what was written as a user will. Raises UserError."""
        ...


@dataclass(frozen=True, eq=False)
class OnnxCandidate:
    """See Candidate; of an onnx.ModelProto."""

    model: Any
    suffix = ".onnx"

    def write(self, place: Path, about: About) -> None:
        """See Candidate; export.json lies beside it under its name."""
        write_file(place, with_about(self.model, about), about)

    def open(self, place: Path, about: About) -> ExportedNetwork:
        """See Candidate."""
        return open_onnx(place)


@dataclass(frozen=True, eq=False)
class OpenVINOCandidate:
    """See Candidate; of an openvino.Model."""

    model: Any
    suffix = "_openvino"

    def write(self, place: Path, about: About) -> None:
        """See Candidate: a folder, in the place of one of before."""
        staged = place.with_name(f".{place.name}.tmp")
        try:
            shutil.rmtree(staged, ignore_errors=True)
            staged.mkdir()
            folder_files(self.model, about, staged)
            if place.exists():
                shutil.rmtree(place)
            os.replace(staged, place)
        except OSError as error:
            raise refused(place, error) from error
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    def open(self, place: Path, about: About) -> ExportedNetwork:
        """See Candidate."""
        return open_openvino(place)


@dataclass(frozen=True, eq=False)
class TorchScriptCandidate:
    """See Candidate; of a traced module."""

    module: torch.jit.ScriptModule
    suffix = ".torchscript"

    def write(self, place: Path, about: About) -> None:
        """See Candidate; export.json lies beside it under its name."""
        write_file(place, torchscript_bytes(self.module, about), about)

    def open(self, place: Path, about: About) -> ExportedNetwork:
        """See Candidate; val.py and detect.py open no such file."""
        return ExportedNetwork(place, about, TorchScriptEngine(place.read_bytes()))


def write_file(place: Path, content: bytes, about: About) -> None:
    """Write an exported file, and what it says of itself beside it. Raises ResourceError."""
    write_bytes(place, content)
    digests = {place.name: hashlib.sha256(content).hexdigest()}
    write_text(place.with_name(f"{place.name}.{ABOUT}"), about_file(about, digests))


def target(out: str, weights: Path, candidate_suffix: str, extra: str) -> Path:
    """Where the file goes: `out`, else beside the weights. Raises ConfigError for an `out` of another kind, and for a
    folder that is there and was not made by an export. Raises ResourceError for a place that cannot be written to.
    """
    place = Path(out) if out else weights.with_name(f"{weights.stem}{extra}{candidate_suffix}")
    if not place.name.endswith(candidate_suffix):
        raise ConfigError(f"--out {printable(out)}: must end with {candidate_suffix}")
    if place.is_dir() and not (candidate_suffix == OpenVINOCandidate.suffix and _is_exported(place)):
        raise ConfigError(f"--out {printable(str(place))}: is there already, and is no exported folder; name a new one")
    if not place.parent.is_dir():
        raise ConfigError(f"--out {printable(str(place))}: its folder does not exist; make it, or name another")
    if not os.access(place.parent, os.W_OK):  # said now, not after all the work
        raise ResourceError(f"--out {printable(str(place))}: its folder cannot be written to; name another")
    return place


def _is_exported(folder: Path) -> bool:
    """Whether a folder holds what an export wrote there, and nothing else that would be lost with it."""
    return {file.name for file in folder.iterdir()} == {XML, BIN, ABOUT}


@contextmanager
def opened(candidate: Candidate, about: About) -> Iterator[ExportedNetwork]:
    """The candidate as a user will open it, out of a folder that is gone afterwards. Raises UserError."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / f"model{candidate.suffix}"
        candidate.write(place, about)
        yield candidate.open(place, about)
