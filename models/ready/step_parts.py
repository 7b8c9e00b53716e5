"""Where the time of a training step goes, by kind of operation."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch.profiler import ProfilerActivity, profile, record_function

WARM_UP = 2  # steps before, which are not counted
STEP = "training step"
# The first kind of which a part is in an operation's name has it. Depthwise ones are convolutions, too.
KINDS = {
    "convolutions": ("conv",),
    "norms": ("batch_norm", "group_norm", "layer_norm"),
    "activations": ("silu", "sigmoid", "relu", "gelu", "hardswish", "softmax", "softplus"),
    "products of matrices": ("addmm", "matmul", "bmm", "::mm", "::linear"),
    "copies and casts": ("copy", "contiguous", "clone", "::cat"),
    "Python and what it calls": (STEP,),
}
OTHER = "other operations"


def step_parts(work: Callable[[], object], repeats: int) -> dict[str, float]:
    """The share of each kind of operation in the time that `work` takes on the CPU, backward pass included; they add up
    to 1, the largest first. Measuring slows small operations and Python down, so their shares are upper bounds.
    """
    for _ in range(WARM_UP):
        work()
    with _quiet(), profile(activities=[ProfilerActivity.CPU]) as measured:
        for _ in range(repeats):
            with record_function(STEP):
                work()
    times: Counter[str] = Counter()
    for event in measured.key_averages():
        times[kind_of(event.key)] += event.self_cpu_time_total
    total = sum(times.values())
    return {kind: time / total for kind, time in times.most_common()}


def kind_of(operation: str) -> str:
    """Of an operation as PyTorch calls it, such as `aten::convolution_backward`."""
    name = operation.lower() if operation != STEP else STEP
    return next((kind for kind, parts in KINDS.items() if any(part in name for part in parts)), OTHER)


def parts_line(parts: dict[str, float]) -> str:
    """`convolutions 61 %, norms 13 %, ...`"""
    return ", ".join(f"{kind} {share:.0%}".replace("%", " %") for kind, share in parts.items())


@contextmanager
def _quiet() -> Iterator[None]:
    """PyTorch's profiler writes two lines of its own to stderr, past Python."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        for handle in (kept, nowhere):
            os.close(handle)
