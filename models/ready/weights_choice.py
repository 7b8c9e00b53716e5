"""Which checkpoint runs where none is named."""

from __future__ import annotations

from pathlib import Path

from models.pretrained import shipped
from utils.console.log import LOG
from utils.files import checkpoint


def chosen_weights(named: str, words: bool, asked: bool = False) -> Path:
    """The checkpoint `named`, else that of the newest run; to look for `words`, where that run reads none, the one that
    ships; to answer what is `asked`, where there is no run, too. Raises CheckpointError.
    """
    newest = None if named or not (words or asked) else checkpoint.newest_weights()
    fits = newest is not None and (not words or "vocabulary" in checkpoint.load(newest))
    if named or not (words or asked) or fits:
        return checkpoint.find_weights(named)
    LOG.info("%s, which ships: it saw drawn pictures alone (models/pretrained/README.md)", shipped.OPEN)
    return shipped.find(shipped.OPEN)
