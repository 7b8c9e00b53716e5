"""Which checkpoint a script means."""

from __future__ import annotations

import hashlib
from pathlib import Path

from utils.files.checkpoint import newest
from utils.words.errors import CheckpointError

TRAINED = Path("runs/train")


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
