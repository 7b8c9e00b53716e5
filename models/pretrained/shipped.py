"""Which weights ship, and where they lie."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from utils.words.errors import CheckpointError, DamagedError, printable
from utils.words.text import did_you_mean

OPEN = "rtvpnet-lite0-n"  # looks for words
SHA256 = {OPEN: "9d118b8cf4d0e47cad117b4ee6589a3e7abea5784def8e16f458ceb2772ba2e3"}
FOLDER = Path(__file__).parent


def is_shipped(weights: str | Path) -> bool:
    """Whether `weights` are among those that ship. Raises what `find` raises."""
    return find(weights).parent == FOLDER


def find(weights: str | Path) -> Path:
    """The file that `weights` names: a user's, or one that ships where there is no file of its name. Raises
    CheckpointError for a name that is nearly one of these, and where ours is missing, DamagedError where it is another.
    """
    path, name = Path(weights), str(weights)
    there = os.path.exists(path)  # False, too, for what can be no name of a file
    if name not in SHA256 or there:
        near = "" if path.suffix or there else did_you_mean(name, SHA256)
        if near:
            raise CheckpointError(f"{printable(name)}: no such checkpoint{near}")
        return path
    path = FOLDER / f"{name}.pt"
    try:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CheckpointError(f"{path}: {error.strerror or error}; git checkout {path.name} brings it back") from None
    if digest != SHA256[name]:
        wanted = f"SHA-256 {digest[:8]}, not {SHA256[name][:8]}"
        raise DamagedError(path, f"not the file that ships ({wanted}); git checkout {path.name} brings it back")
    return path
