"""What a network costs and reaches in each of its forms: the checkpoint, and the files made from it."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.exported.exported_network import ExportedNetwork
from models.exported.opened import open_exported
from models.exported.openvino_folder import OpenVINOEngine
from models.graph.graph import Graph
from models.ready.load import Loaded, for_inference
from utils.processes.mixed_precision import cpu_has_bf16, mixed_precision
from utils.values.predictions import BoxPredictions, Candidates, ScoredBoxes

HEAD = f"{'form':34} {'MB':>6} {'p50 ms':>8} {'p95 ms':>8} {'per s':>7} {'speed':>6} {'AP50':>7} {'AP':>7} {'score':>8}"


@dataclass(frozen=True, eq=False)
class Form:
    """A `network` ready to run under a `name`, of `size` bytes; `dtype` is the format it computes in under torch."""

    name: str
    network: Graph | ExportedNetwork
    size: int
    dtype: torch.dtype | None = None

    def numbers(self) -> AbstractContextManager[object]:
        """Around its forward pass."""
        return mixed_precision(torch.device("cpu"), self.dtype)

    def work(self, images: Tensor) -> Callable[[], object]:
        """A forward pass."""

        def run() -> object:
            with torch.inference_mode(), self.numbers():
                return self.network(images)

        return run

    def scores(self, images: Tensor) -> Tensor | None:
        """(B, A, K) of all boxes before NMS; None of a file that suppresses, or whose boxes are others."""
        if isinstance(self.network, ExportedNetwork) and (self.network.about.nms or self.network.about.shape):
            return None
        with torch.inference_mode(), self.numbers():
            return _scores(self.network(images))


def _scores(said: Candidates) -> Tensor:
    """(B, A, K)."""
    if isinstance(said, ScoredBoxes):
        return said.scores
    assert isinstance(said, BoxPredictions), "of a network"
    scores = said.class_logits.float().sigmoid()
    return scores if said.objectness is None else scores * said.objectness.float().sigmoid()[..., None]


def forms(loaded: Loaded, paths: Sequence[Path]) -> list[Form]:
    """The checkpoint as val.py runs it, with names folded in, in float32 and where this CPU has it bfloat16; then the
    files, OpenVINO's in both, too.
    """
    graph = for_inference(loaded.graph("--weights"), static=True)
    size = loaded.path.stat().st_size
    found = [Form("torch fp32", graph, size)]
    bf16 = cpu_has_bf16()
    found += [Form("torch bf16", graph, size, torch.bfloat16)] if bf16 else []
    for path in paths:
        file = open_exported(path)
        if file.about.words is not None and loaded.words is not None:
            file.look_for(loaded.words)
        size = sum(one.stat().st_size for one in path.iterdir()) if path.is_dir() else path.stat().st_size
        found.append(Form(f"{path.name}, {file.about.number}", file.ready(), size))
        if bf16 and isinstance(file.engine, OpenVINOEngine):
            found.append(Form(f"{path.name}, {file.about.number}, bf16", file.ready(half=True), size))
    return found


def form_line(
    form: Form, times: Sequence[float], torchs: Sequence[float], scores: Sequence[float | None], apart: float | None
) -> str:
    """A row under HEAD: `times` ms of the form and of torch in float32, AP50 and AP, and the largest difference of a
    score from torch's. The speed is torch's median time over that of the form.
    """
    p50, p95 = (float(np.percentile(times, p)) for p in (50, 95))
    faster = statistics.median(torchs) / p50
    ap50, ap = ("-" if one is None else f"{one:.4f}" for one in scores)
    score = "-" if apart is None else f"{apart:.1e}"
    cost = f"{form.size / 1e6:6.1f} {p50:8.2f} {p95:8.2f} {1000 / p50:7.1f} {faster:6.2f}"
    return f"{form.name:34} {cost} {ap50:>7} {ap:>7} {score:>8}"
