"""Text vectors kept on disk, so that a vocabulary is encoded once; and their mean over templates."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import torch
from filelock import FileLock
from safetensors import SafetensorError
from torch import Tensor
from torch.nn.functional import normalize

from models.text.encoder import TextEncoder
from models.text.vectors import read_vectors, write_vectors
from utils.config.paths import user_cache
from utils.console.log import LOG
from utils.words.errors import CheckpointError, ConfigError
from utils.words.text import counted

PATIENCE = 60  # seconds to wait for other processes that write


class VectorCache:
    """Vectors by (encoder's name, template, exact string): one file per encoder and template.

    Several processes may use one folder: reading never waits, writing adds to what others wrote meanwhile and replaces
    the file as a whole. A damaged file is rebuilt, a folder that cannot be written is not used; both are logged.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` instead of the user's cache folder."""
        self.folder = user_cache("text") if folder is None else folder

    def encode(self, encoder: TextEncoder, texts: Sequence[str], template: str = "{}") -> Tensor:
        """(N, dim) float32 unit rows of `template` with each text in the place of {}. Encodes what is not kept yet."""
        path = self.path(encoder.name, template)
        kept = self._read(path, encoder, template)
        new = [text for text in dict.fromkeys(texts) if text not in kept]
        if new:
            LOG.info("%s to encode with %s", counted(len(new), "text"), encoder.name)
            vectors = encoder.encode([template.replace("{}", text) for text in new])
            fresh = dict(zip(new, vectors, strict=True))
            self._add(path, encoder, template, fresh)
            kept |= fresh
        return torch.stack([kept[text] for text in texts]) if texts else torch.empty(0, encoder.dim)

    def path(self, name: str, template: str) -> Path:
        """The file of an encoder's name and a template."""
        # hashed, as a template may hold characters that a file name may not
        key = hashlib.sha256(f"{name}\n{template}".encode()).hexdigest()
        return self.folder / f"{key[:32]}.safetensors"

    def _read(self, path: Path, encoder: TextEncoder, template: str) -> dict[str, Tensor]:
        """What the file holds; nothing, with a notice, when it is damaged."""
        if not path.exists():
            return {}
        try:
            names, vectors, metadata = read_vectors(path)
            if {key: metadata.get(key) for key in ("encoder", "template", "sha256")} != _stamp(
                encoder.name, template, names, vectors
            ) or vectors.shape[1] != encoder.dim:
                raise CheckpointError(f"{path}: its content is not what was written")
        except CheckpointError as error:
            LOG.warning("text vectors are encoded anew, their cache is damaged: %s", error)
            return {}
        return dict(zip(names, vectors, strict=True))

    def _add(self, path: Path, encoder: TextEncoder, template: str, fresh: dict[str, Tensor]) -> None:
        """Add to what the file holds now."""
        temporary = path.with_suffix(".tmp")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(path.with_suffix(".lock"), timeout=PATIENCE):
                # read again under the lock: another process may have added its own meanwhile
                rows = self._read(path, encoder, template) | fresh
                names, vectors = list(rows), torch.stack(list(rows.values()))
                write_vectors(temporary, names, vectors, _stamp(encoder.name, template, names, vectors))
                os.replace(temporary, path)
        except (OSError, NotImplementedError, SafetensorError) as error:
            LOG.warning("text vectors are not kept for the next start: %s", error)


def average_templates(
    encoder: TextEncoder, cache: VectorCache, texts: Sequence[str], templates: Sequence[str]
) -> Tensor:
    """(N, D) unit rows: the mean of a text's unit vectors over the templates, scaled to norm 1 again.

    Raises ConfigError when the templates of a text cancel each other out.
    """
    vectors = torch.stack([cache.encode(encoder, texts, template) for template in templates])
    return unit_mean(vectors, templates)


def unit_mean(vectors: Tensor, of: Sequence[str]) -> Tensor:
    """(K, N, D) unit rows of K texts -> (N, D): their mean, scaled to norm 1 again; what is alone stays as it is.

    Raises ConfigError when the rows of the texts `of` cancel each other out.
    """
    if len(vectors) == 1:
        return vectors[0]
    mean = vectors.mean(0)
    if (mean.norm(dim=1) < 1e-4).any():
        raise ConfigError(f"the vectors of {', '.join(of)} cancel out; take fewer of these texts")
    return normalize(mean, dim=1)


def _stamp(encoder: str, template: str, names: Sequence[str], vectors: Tensor) -> dict[str, str]:
    """The metadata of a cache file: what its vectors are of, and a hash over names and vectors."""
    digest = hashlib.sha256("\0".join(names).encode())
    digest.update(vectors.contiguous().numpy().tobytes())
    return {"encoder": encoder, "template": template, "sha256": digest.hexdigest()}
