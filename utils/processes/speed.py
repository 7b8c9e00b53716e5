"""How long each step of looking at a picture takes: measured step by step, summed up as percentiles."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

PERCENTILES = (50, 95, 99)
INCLUDED = {
    "read": "file to letterboxed uint8 batch on the CPU, in this process",
    "forward": "copy to the device, float conversion, network, decoded boxes",
    "nms": "threshold, copy to the CPU, NMS, boxes in the picture's pixels",
}
LEFT_OUT = "loading the checkpoint, warm-up, drawing, writing files"


@dataclass(frozen=True, eq=False)
class Speed:
    """`milliseconds` (N,) per picture for each step of `INCLUDED`, one number per batch; `pictures` measured in all,
    `known` the circumstances: device, threads, batch, sizes.
    """

    milliseconds: dict[str, np.ndarray]
    pictures: int
    known: dict[str, Any]

    def rows(self) -> dict[str, np.ndarray]:
        """The steps, and their sum as `total`."""
        return {**self.milliseconds, "total": np.sum(list(self.milliseconds.values()), 0)}

    @property
    def per_second(self) -> float:
        """Pictures per second, the steps one after the other."""
        return 1000 / float(self.rows()["total"].mean())

    def plain(self) -> dict[str, Any]:
        """JSON-ready values."""
        table = {
            name: {**{f"p{p}": float(np.percentile(ms, p)) for p in PERCENTILES}, "mean": float(ms.mean())}
            for name, ms in self.rows().items()
        }
        counts = {"pictures": self.pictures, "batches": len(self.rows()["total"])}
        words = {"included": INCLUDED, "left_out": LEFT_OUT}
        return {**self.known, **counts, "ms_per_picture": table, "pictures_per_second": self.per_second, **words}

    def lines(self) -> list[str]:
        """A table for the console."""
        lines = [f"{'ms per picture':14} {'p50':>8} {'p95':>8} {'p99':>8} {'mean':>8}"]
        for name, values in self.plain()["ms_per_picture"].items():
            lines.append(f"{name:14} " + " ".join(f"{v:8.2f}" for v in values.values()) + f"  {INCLUDED.get(name, '')}")
        where = ", ".join(f"{key} {value}" for key, value in self.known.items())
        return [
            *lines,
            f"{self.per_second:.1f} pictures/s over {self.pictures:,} pictures; {where}; without {LEFT_OUT}",
        ]


def time_steps(
    starts: Sequence[Any],
    steps: Mapping[str, Callable[[Any], Any]],
    synchronise: Callable[[], None],
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, np.ndarray]:
    """Run every start through all steps, each taking what the one before gave -> (N,) ms per step.

    `synchronise` waits for the device; it is part of the step that started the work.
    """
    spent: dict[str, list[float]] = {name: [] for name in steps}
    for value in starts:
        for name, step in steps.items():
            synchronise()  # before the clock starts too: work still under way belongs to no step
            started = clock()
            value = step(value)
            synchronise()
            spent[name].append((clock() - started) * 1000)
    return {name: np.array(values) for name, values in spent.items()}


def spread(batches: Sequence[Sequence[int]], wanted: int) -> list[Sequence[int]]:
    """`wanted` full batches, evenly from the list, over again where there are fewer; smaller ones would flatter."""
    full = [batch for batch in batches if len(batch) == max(map(len, batches))]
    if len(full) < wanted:
        return [full[i % len(full)] for i in range(wanted)]
    return [full[i] for i in np.linspace(0, len(full) - 1, wanted).round().astype(int)]
