"""A network in training whose GPU kernels are recorded once and then replayed, instead of started one by one.

A step of a narrow network on small pictures has thousands of short kernels; starting them takes the CPU longer than
running them takes a GPU. CUDA graphs (pytorch.org/docs/stable/notes/cuda.html) start them all at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn

from models.graph.graph import Graph
from utils.config.config import Config
from utils.processes.distributed import World
from utils.values.predictions import Predictions
from utils.values.step_info import StepInfo
from utils.words.errors import ConfigError

Tensors = tuple[Tensor, ...]
Record = Callable[[nn.Module, Tensor], Callable[[Tensor], Tensors]]


class TensorGraph(nn.Module):
    """`graph` with tensors in and tensors out, as CUDA graphs need it."""

    def __init__(self, graph: Graph) -> None:
        super().__init__()
        self.graph = graph
        self.last: Predictions | None = None

    def forward(self, image: Tensor) -> Tensors:
        """(B, C, H, W) -> what gradients flow back through: box values, class logits, objectness if there is one."""
        predictions = self.graph(image)
        learnt = (predictions.code.values, predictions.class_logits, predictions.objectness)
        tensors = tuple(x for x in learnt if x is not None)
        # what is not a tensor of the graph's, such as the grid, is the same for every batch of this shape: kept once
        self.last = _with(predictions, tuple(x.detach() for x in tensors))
        return tensors

    def predictions(self, tensors: Tensors) -> Predictions:
        """The inverse of `forward`, whose last call had pictures of the same shape."""
        assert self.last is not None, "forward comes first"
        return _with(self.last, tensors)


class Replayed(nn.Module):
    """`graph` in training: batches of the first shape seen are replayed, others run as usual.

    The numbers are those of a network that was never recorded. Gradients lie in the recording's own memory, which the
    next replay overwrites: a batch whose gradients are to be added to earlier ones runs as usual.
    """

    def __init__(self, graph: Graph, record: Record) -> None:
        super().__init__()
        self.flat, self.record = TensorGraph(graph), record
        self.shape: torch.Size | None = None
        self.replay: Callable[[Tensor], Tensors] | None = None

    def forward(self, image: Tensor, phrases: Tensor | None = None, step_info: StepInfo | None = None) -> Predictions:
        """As the graph's own."""
        if self.replay is None:
            self.shape, self.replay = image.shape, self._recorded(image)
        if image.shape != self.shape or any(p.grad is not None for p in self.flat.parameters()):
            predictions: Predictions = self.flat.graph(image, phrases, step_info)
            return predictions
        return self.flat.predictions(self.replay(image))

    def _recorded(self, image: Tensor) -> Callable[[Tensor], Tensors]:
        """Recording runs the network a few times, which BatchNorm's statistics must not remember."""
        before = [buffer.clone() for buffer in self.flat.buffers()]
        replay = self.record(self.flat, image)
        for buffer, value in zip(self.flat.buffers(), before, strict=True):
            buffer.copy_(value)
        return replay


def replayed(graph: Graph, cfg: Config, world: World, network: nn.Module) -> nn.Module:
    """What is called in training: `network`, or `graph` replayed where --cuda-graph asks for it.

    Raises ConfigError for what cannot be recorded.
    """
    if not cfg.run.cuda_graph:
        return network
    obstacles = {
        "it is for GPUs; leave it out on the CPU": not next(graph.parameters()).is_cuda,
        "it is for one process": world.size > 1,
        "a network that reads text sees other phrases in every step": graph.text is not None,
        "some rows draw random numbers in every step": any(step.takes_context for step in graph.steps),
        "--multi-scale and --rect change the size of the pictures": cfg.data.multi_scale or cfg.data.rect,
    }
    for reason, there in obstacles.items():
        if there:
            raise ConfigError(f"--cuda-graph: {reason}")
    return Replayed(graph, record_cuda)


def record_cuda(flat: nn.Module, image: Tensor) -> Callable[[Tensor], Tensors]:
    """Record `flat`, forward and backward, in the number format of the autocast around it."""
    torch.autograd.graph.set_warn_on_accumulate_grad_stream_mismatch(False)  # recording uses a stream of its own
    dtype, enabled = torch.get_autocast_dtype("cuda"), torch.is_autocast_enabled("cuda")
    with torch.autocast("cuda", dtype=dtype, enabled=enabled, cache_enabled=False):  # a recording keeps no casts
        recorded = torch.cuda.make_graphed_callables(flat, (torch.zeros_like(image),), allow_unused_input=True)
    return cast(Callable[[Tensor], Tensors], recorded)


def _with(predictions: Predictions, tensors: Tensors) -> Predictions:
    """The same with other box values, class logits and objectness."""
    values, logits, *objectness = tensors
    code = replace(predictions.code, values=values)
    return replace(predictions, code=code, class_logits=logits, objectness=objectness[0] if objectness else None)
