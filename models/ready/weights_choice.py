"""Which checkpoint runs where none is named."""

from __future__ import annotations

from pathlib import Path

from models.pretrained import shipped
from utils.console.log import LOG
from utils.files import checkpoint


def chosen_weights(named: str, words: bool) -> Path:
    """The checkpoint `named`, else that of the newest run; to look for `words`, where that run reads none, the one that
    ships. Raises CheckpointError.
    """
    newest = None if named or not words else checkpoint.newest_weights()
    if named or not words or (newest and "vocabulary" in checkpoint.load(newest)):
        return checkpoint.find_weights(named)
    LOG.info("%s, which ships: it saw drawn pictures alone (models/pretrained/README.md)", shipped.OPEN)
    return shipped.find(shipped.OPEN)
