"""Rows of a network that training leaves as they are."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import torch
from torch.nn import Parameter

from models.graph.graph import Graph
from models.rows.model_spec import ModelSpec
from utils.values.step_info import StepInfo
from utils.words.errors import ConfigError
from utils.words.text import counted, did_you_mean

MOST_ROWS = 5  # in a message


def frozen_rows(spec: ModelSpec, wanted: Sequence[int | str]) -> tuple[int, ...]:
    """The rows that `--freeze` means: one number N is the first N rows (as in YOLOv5), several numbers or names are
    those rows, in order. Raises ConfigError for rows that the network does not have.
    """
    count = len(spec.rows)
    if len(wanted) == 1 and isinstance(wanted[0], int):
        if not 0 <= wanted[0] <= count:
            raise ConfigError(
                f"--freeze {wanted[0]}: {spec.path.name} has {count} rows; freeze 0 to {count - 1} of them"
            )
        rows = set(range(wanted[0]))
    else:
        rows = {_row(spec, word) for word in wanted}
    if len(rows) == count:
        raise ConfigError(f"--freeze: all {count} rows of {spec.path.name} are frozen, nothing is left to train")
    return tuple(sorted(rows))


def _row(spec: ModelSpec, word: int | str) -> int:
    names = {row.name: row.index for row in spec.rows if row.name}
    if isinstance(word, int) and 0 <= word < len(spec.rows):
        return word
    if word in names:
        return names[str(word)]
    if isinstance(word, int):
        raise ConfigError(f"--freeze {word}: {spec.path.name} has the rows 0 to {len(spec.rows) - 1}")
    near = did_you_mean(word, names) or (f"; named are {', '.join(names)}" if names else "; give row numbers")
    raise ConfigError(f"--freeze {word}: {spec.path.name} has no row of that name{near}")


def check_frozen(graph: Graph, wanted: Sequence[int | str], filled: Collection[str]) -> None:
    """Raise ConfigError for rows of `frozen_rows` that start random, as all rows above them would learn from noise:
    those with parameters that are not among `filled`, the tensors of the network that a checkpoint gave.
    """
    random = [
        f"{row} ({graph.spec.rows[row].module})"
        for row in frozen_rows(graph.spec, wanted)
        if any(f"layers.{row}.{name}" not in filled for name, _ in graph.layers[row].named_parameters())
    ]
    if random:
        which = f"row{'s' if len(random) > 1 else ''} {', '.join(random[:MOST_ROWS])}"
        more = f" and {len(random) - MOST_ROWS} more" if len(random) > MOST_ROWS else ""
        raise ConfigError(
            f"--freeze: {which}{more} would stay as random as they start; give --weights that fill them, or train them"
        )


def freeze(graph: Graph, wanted: Sequence[int | str]) -> str:
    """Freeze the rows that `frozen_rows` finds; returns one line saying what stays."""
    rows = frozen_rows(graph.spec, wanted)
    graph.freeze(rows)
    total = sum(p.numel() for p in graph.parameters())
    stays = sum(p.numel() for p in graph.parameters() if not p.requires_grad)
    which = f"the first {len(rows)} rows" if rows == tuple(range(len(rows))) else f"rows {', '.join(map(str, rows))}"
    return f"frozen: {which} of {len(graph.spec.rows)}, {stays:,} of {total:,} parameters"


def freeze_idle(graph: Graph) -> str:
    """Freeze the parameters that nothing the network says hangs on, such as those of a row that no other reads: they
    never get a gradient, for which several processes would wait, and an optimizer keeps nothing of them. Returns one
    line saying which, "" where there are none.
    """
    idle = _idle(graph)
    for parameter in idle:
        parameter.requires_grad_(False)
    graph.train(graph.training)  # a backbone's norms keep their statistics, too
    if not idle:
        return ""
    numbers = set(map(id, idle))
    rows = [k for k, layer in enumerate(graph.layers) if any(id(p) in numbers for p in layer.parameters())]
    which = ", ".join(f"{row} ({graph.spec.rows[row].module})" for row in rows[:MOST_ROWS])
    more = f" and {len(rows) - MOST_ROWS} more" if len(rows) > MOST_ROWS else ""
    count = counted(sum(p.numel() for p in idle), "parameter")
    return f"row{'s' if len(rows) > 1 else ''} {which}{more}: nothing found hangs on {count} there, which learn nothing"


def _idle(graph: Graph) -> list[Parameter]:
    """See freeze_idle; found on a small picture, in eval mode, so that no statistics change."""
    learning, training = [p for p in graph.parameters() if p.requires_grad], graph.training
    picture = torch.zeros(1, len(graph.channels.names), 2 * graph.stride, 2 * graph.stride, device=graph.device)
    said = graph.eval()(picture, None, StepInfo(seed=0, step=0, progress=0.0))
    graph.train(training)
    parts = [said.code.values, said.class_logits, said.objectness, *said.energies, *said.reconstructions]
    total = torch.stack([part.float().sum() for part in parts if part is not None]).sum()
    if not learning or not total.requires_grad:
        return learning
    gradients = torch.autograd.grad(total, learning, allow_unused=True)
    return [parameter for parameter, gradient in zip(learning, gradients, strict=True) if gradient is None]
