"""Classes are known by name, not by number."""

from __future__ import annotations

from collections.abc import Sequence

from utils.errors import CheckpointError


def class_map(model_names: Sequence[str], data_names: Sequence[str], weights: str) -> tuple[int, ...]:
    """For each class of the model its number in the data, matched by name regardless of case and outer blanks.

    Raises CheckpointError listing the names that have no counterpart.
    """
    theirs = {name_key(name): index for index, name in enumerate(data_names)}
    ours = {name_key(name) for name in model_names}
    unknown = [name for name in model_names if name_key(name) not in theirs]
    untrained = [name for name in data_names if name_key(name) not in ours]
    if unknown or untrained:
        parts = [f"only in the checkpoint: {', '.join(unknown)}"] if unknown else []
        parts += [f"only in the data: {', '.join(untrained)}"] if untrained else []
        raise CheckpointError(f"{weights}: class names differ from the data's; {'; '.join(parts)}")
    return tuple(theirs[name_key(name)] for name in model_names)


def name_key(name: str) -> str:
    """What makes two class names the same: case and the number of blanks do not count."""
    return " ".join(name.casefold().split())
