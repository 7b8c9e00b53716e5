"""Vectors kept in a file: a safetensors file with one tensor `vectors` (N, D), float32 unit rows, and in its metadata
`names`, a JSON list: what each row stands for, as exact strings. Encoders read such files, and caches are such files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from models.text.encoder import flaw
from utils.words.errors import CheckpointError, ConfigError
from utils.words.text import counted, did_you_mean, shorten

WAYS = "make the file anew with them, or encode with open_clip:MODEL:FILE or ngram (a stand-in)"


class VectorsEncoder:
    """`vectors:FILE`: looks strings up, exactly as written. Raises CheckpointError when the file is unusable."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        names, self._vectors, _ = read_vectors(self.path)
        self._rows = {name: row for row, name in enumerate(names)}
        self.dim = self._vectors.shape[1]
        self.name = f"vectors:{self.dim}:{weights_id(self.path)}"

    def encode(self, texts: Sequence[str]) -> Tensor:
        """(N, dim) float32 unit rows. Raises ConfigError naming the texts that the file lacks."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._rows]
        if missing:
            shown = ", ".join(f"'{shorten(text)}'" for text in missing[:10]) + (", ..." if len(missing) > 10 else "")
            near = did_you_mean(missing[0], self._rows) if len(missing) == 1 else ""
            raise ConfigError(f"{self.path}: no vector for {counted(len(missing), 'name')}: {shown}{near}; {WAYS}")
        return self._vectors[[self._rows[text] for text in texts]]


def read_vectors(path: Path) -> tuple[list[str], Tensor, dict[str, str]]:
    """Names (N), vectors (N, D) float32 unit rows, and all metadata. Raises CheckpointError: missing, damaged, not such
    a file, wrong type or shape, rows that are not unit vectors, a name twice.
    """
    if not os.path.isfile(path):  # False, not an error, for names that no file can have
        raise CheckpointError(f"{path}: no such file of text vectors; give a .safetensors file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            vectors = file.get_tensor("vectors").clone()  # not a view of a file that may be replaced
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path}: not a readable safetensors file with a tensor 'vectors': {error}") from error
    names = _names(path, metadata)
    problem = flaw(vectors)
    if not problem and len(names) != len(vectors):
        problem = f"{counted(len(vectors), 'row')} for {counted(len(names), 'name')}"
    if problem:
        raise CheckpointError(f"{path}: vectors have {problem}; write float32 rows of norm 1, one per name")
    return names, vectors, metadata


def write_vectors(path: Path, names: Sequence[str], vectors: Tensor, metadata: Mapping[str, str]) -> None:
    """Write such a file (not atomically). Raises OSError or SafetensorError."""
    assert len(names) == len(vectors) and not flaw(vectors), "checked before"
    content = {**metadata, "names": json.dumps(list(names), ensure_ascii=False)}
    save_file({"vectors": vectors.contiguous()}, path, content)


def weights_id(path: Path) -> str:
    """Size and sha256 of a file: what its vectors depend on, wherever it lies. Raises CheckpointError."""
    try:
        with path.open("rb") as file:
            return f"{path.stat().st_size}-{hashlib.file_digest(file, 'sha256').hexdigest()}"
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from error


def _names(path: Path, metadata: Mapping[str, str]) -> list[str]:
    try:
        names = json.loads(metadata.get("names", ""))
    except (json.JSONDecodeError, RecursionError) as error:
        raise CheckpointError(f"{path}: its metadata has no JSON list 'names' that says what each row is") from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise CheckpointError(f"{path}: 'names' in its metadata must be a list of strings")
    if len(set(names)) != len(names):
        twin = next(name for number, name in enumerate(names) if name in names[:number])
        raise CheckpointError(f"{path}: '{shorten(twin)}' has several vectors; keep one")
    return names
