"""A network made ready for inference: what is known beforehand becomes part of its convolutions.

`without_norms` does so with BatchNorm, `static_graph` with the text of one vocabulary (spec: RTVPNet section 7); layers
say how in models.rows.folding. What comes back can neither be trained nor take a checkpoint's weights.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
from torch import Tensor

from models.graph.graph import Graph, Step, plan, takes_context
from models.rows.folding import Foldable, Normed, StaticRow
from models.rows.model_spec import Source
from models.rows.text_reader import TextReader

TEXT = Source("text")
Known = dict[int | str, Tensor | tuple[Tensor, ...]]


def without_norms(graph: Graph) -> Graph:
    """A copy in eval mode, on its device, in which every BatchNorm behind a convolution has become part of it."""
    graph = copy.deepcopy(graph).eval().requires_grad_(False)
    for layer in list(graph.modules()):  # a list: folding replaces modules on the way
        if isinstance(layer, Normed):
            layer.fold_norm()
    return graph


@torch.no_grad()
def static_graph(graph: Graph, text_input: bool = False) -> Graph:
    """A copy in eval mode for the classes that `graph` looks for, without Mobile-SAM.

    It neither reads text nor runs a helper; its rows are those of `graph` that are still needed. A network that reads
    no text and has no helper comes back unchanged, as a copy. `text_input`: its head still reads what to look for, so
    that other names are a matter of a tensor; the classes that `graph` looks for guide it then.
    """
    graph = copy.deepcopy(graph).eval()
    known: Known = {}
    if graph.text is not None:
        known["text"] = graph.text()
    rows: dict[int, StaticRow] = {}
    sources: dict[int, tuple[Source, ...]] = {}
    for step, layer in zip(graph.steps, graph.layers, strict=True):
        folded = None
        if text_input and step is graph.steps[-1] and isinstance(layer, TextReader):
            layer.asked = 0  # of the texts that it is given all are looked for
            step = replace(step, sources=tuple(TEXT if source.origin in known else source for source in step.sources))
        elif isinstance(layer, Foldable):
            folded = layer.static([_constant(known, s) for s in step.sources])
        if isinstance(folded, tuple):  # the row depends on the text alone: its outputs are constants, it goes
            known[step.index] = folded
            continue
        row = folded or StaticRow(layer, tuple(range(len(step.sources))), step.takes_list)
        rows[step.index], sources[step.index] = row, tuple(step.sources[place] for place in row.sources)
    needed = _needed(sources, graph.steps[-1].index)
    steps = [Step(index, sources[index], rows[index].takes_list, takes_context(rows[index].layer)) for index in needed]
    layers = [rows[index].layer for index in needed]
    return Graph(graph.spec, layers, plan(steps), list(graph.strides), graph.channels, graph.stride).eval()


def _constant(known: Known, source: Source) -> Tensor | None:
    value = known.get(source.origin)
    if isinstance(value, tuple):
        assert source.output is not None, "a row of several outputs is read by their numbers"
        return value[source.output]
    return value


def _needed(sources: dict[int, tuple[Source, ...]], last: int) -> list[int]:
    """Rows that the last one needs, in order."""
    needed, waiting = {last}, [last]
    while waiting:
        for source in sources[waiting.pop()]:
            if isinstance(source.origin, int) and source.origin not in needed:
                assert source.origin in sources, "a row still reads a constant; its layer must fold it"
                needed.add(source.origin)
                waiting.append(source.origin)
    return sorted(needed)
