"""What a network consists of: rows, shapes, parameters, GFLOPs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from models.graph.builder import build_graph
from models.graph.graph import Graph
from models.rows.model_spec import read_spec
from utils.config.paths import find_yaml
from utils.values.predictions import Predictions
from utils.words.errors import ConfigError


@dataclass(frozen=True)
class RowSummary:
    """One row: its output as words, its parameters, its cost in FLOPs (2 per multiply-add).

    `attention` is the part of `flops` spent in batched matrix products, which older counters do not see.
    """

    index: int
    name: str
    module: str
    shape: str
    parameters: int
    flops: int
    attention: int


@torch.no_grad()
def summarise(graph: Graph, image_size: int) -> list[RowSummary]:
    """Run one picture of `image_size` px through `graph` and describe each row."""
    rows = [graph.spec.rows[step.index] for step in graph.steps]
    shapes: dict[int, str] = {}
    hooks = [
        layer.register_forward_hook(lambda _, __, out, i=i: shapes.update({i: _shape_words(out)}))
        for i, layer in enumerate(graph.layers)
    ]
    training = graph.training
    graph.eval()
    counter = FlopCounterMode(display=False)
    with counter:
        graph(torch.zeros(1, len(graph.channels.names), image_size, image_size, device=next(graph.parameters()).device))
    graph.train(training)
    for hook in hooks:
        hook.remove()
    counts = counter.get_flop_counts()
    # the counter names modules by the root's class and the path; those without operations are missing
    per_row = [counts.get(f"Graph.layers.{place}", {}) for place in range(len(graph.layers))]
    return [
        RowSummary(
            index=row.index,
            name=row.name or "",
            module=f"{row.module} x {len(layer)}" if isinstance(layer, nn.Sequential) else row.module,
            shape=shapes[place],
            parameters=sum(p.numel() for p in layer.parameters()),
            flops=sum(per_row[place].values()),
            attention=per_row[place].get(torch.ops.aten.bmm, 0),
        )
        for place, (row, layer) in enumerate(zip(rows, graph.layers, strict=True))
    ]


def _shape_words(output: Tensor | tuple[Tensor, ...] | Predictions) -> str:
    if isinstance(output, Predictions):
        return f"{output.class_logits.shape[1]:,} predictions"
    if isinstance(output, tuple):
        return ", ".join(_shape_words(part) for part in output)
    return " x ".join(str(n) for n in output.shape[1:])


def model_table(name: str, image_size: int) -> str:
    """val.py --summary: the rows of a model YAML, looked up in cfg/models too. Raises ConfigError."""
    if not name:
        raise ConfigError("--summary: needs a model, for example --cfg idfe-net.yaml")
    path = find_yaml(name, "models", "--cfg")
    graph = build_graph(read_spec(path))
    if image_size % graph.stride:
        raise ConfigError(f"--imgsz {image_size}: must be a multiple of {graph.stride}")
    title = f"{path.name} at {image_size} x {image_size} px, {graph.spec.classes} classes"
    return as_table(summarise(graph, image_size), title)


def as_table(rows: list[RowSummary], title: str) -> str:
    """The rows as aligned text with a last line of totals."""
    wide, long = (max(18, *(len(getattr(r, field)) for r in rows)) for field in ("module", "shape"))
    lines = [title, f"{'row':>3}  {'name':10} {'layer':{wide}} {'output':{long}} {'parameters':>12} {'GFLOPs':>8}"]
    for r in rows:
        words = f"{r.index:>3}  {r.name:10} {r.module:{wide}} {r.shape:{long}}"
        lines.append(f"{words} {r.parameters:>12,} {r.flops / 1e9:>8.3f}")
    parameters, flops, attention = (sum(getattr(r, n) for r in rows) for n in ("parameters", "flops", "attention"))
    convolutions = f"{(flops - attention) / 1e9:.3f} in convolutions and linears, {attention / 1e9:.3f} in attention"
    lines.append(f"{len(rows)} rows, {parameters:,} parameters, {flops / 1e9:.3f} GFLOPs ({convolutions})")
    return "\n".join(lines)
