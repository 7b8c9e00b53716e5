"""A network of rows: a short loop over (sources, layer)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor, nn

from models.graph.inputs import TextInput, planes_of
from models.heads.head import Head
from models.rows.model_spec import ModelSpec, Source
from models.rows.row_context import Context
from utils.values.channels import Channels
from utils.values.predictions import Predictions
from utils.values.step_info import StepInfo

Value = Any  # what flows between rows: a Tensor, a tuple of Tensors, or the head's Predictions


@dataclass(frozen=True)
class Step:
    """Row `index` made ready to run: its sources, whether it takes a list and the Context, and which values nobody
    needs afterwards.
    """

    index: int
    sources: tuple[Source, ...]
    takes_list: bool
    takes_context: bool
    frees: tuple[int | str, ...] = ()


class Graph(nn.Module):
    """A network of rows. `steps[i]` runs `layers[i]`; `strides` are those of the head's maps; the sides of a picture
    must be multiples of `stride`, that of the coarsest map of all (None: of the head).

    `channels` are the planes of its pictures: the first ones are what rows read as `image`, the rest `polar`. `text` is
    what rows read under that name, None where no row does.
    """

    def __init__(
        self,
        spec: ModelSpec,
        layers: Sequence[nn.Module],
        steps: tuple[Step, ...],
        strides: Sequence[int],
        channels: Channels,
        stride: int | None = None,
    ) -> None:
        super().__init__()
        self.spec, self.strides, self.channels = spec, tuple(strides), channels
        self.stride = stride or max(strides)
        self.layers = nn.ModuleList(layers)
        self.steps = steps
        reads_text = any(source.origin == "text" for step in steps for source in step.sources)
        self.text = TextInput(spec.classes, spec.text_dim) if reads_text and spec.text_dim else None
        self.frozen: tuple[int, ...] = ()

    def freeze(self, rows: Sequence[int]) -> None:
        """Keep these rows as they are: no gradients, and eval mode (BatchNorm's statistics too) whatever `train`
        says.
        """
        self.frozen = tuple(rows)
        for index in rows:
            self.layers[index].requires_grad_(False)
        self.train(self.training)  # puts the frozen rows into eval mode now, not only at the next change of mode

    def train(self, mode: bool = True) -> Self:
        """As nn.Module's, but frozen rows stay in eval mode."""
        super().train(mode)
        for index in self.frozen:
            self.layers[index].eval()
        return self

    @property
    def device(self) -> torch.device:
        """Where its parameters are."""
        return next(self.parameters()).device

    @property
    def head(self) -> Head:
        """The last row, of a network that can learn."""
        head = self.layers[-1]
        assert isinstance(head, Head), f"{type(head).__name__} has no criterion"
        return head

    @property
    def row_losses(self) -> frozenset[str]:
        """The losses that its rows add to the head's, by the knob of section `loss` that weighs them."""
        return frozenset(name for layer in self.layers for name in getattr(layer, "row_losses", ()))

    def to_device(self, device: torch.device | str) -> Self:
        """Move to `device`, in channels-last order, in which convolutions are faster."""
        return self.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch's stub lacks it

    def forward(self, image: Tensor, phrases: Tensor | None = None, step_info: StepInfo | None = None) -> Predictions:
        """`image` (B, C, H, W) in 0..1, H and W multiples of `stride` -> Predictions.

        `phrases` (N,) int64 numbers of the text vectors to look for, None: the classes in order. `step_info`: in
        training.
        """
        return self.run(image, None if self.text is None else self.text(phrases), Context(step_info))

    def run(self, image: Tensor, text: Tensor | None, context: Context) -> Predictions:
        """See `forward`; looking for `text` (N, D), None where no row reads any."""
        values: dict[int | str, Value] = planes_of(image, self.channels)
        if text is not None:
            values["text"] = text
        for step, layer in zip(self.steps, self.layers, strict=True):
            given = gather(values, step.sources)
            values[step.index] = run_layer(layer, step.takes_list, given, context if step.takes_context else None)
            for key in step.frees:
                del values[key]
        return context.attach(values[self.steps[-1].index])


def plan(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps with what each may free: a value goes after its last use; one that nobody reads goes at once."""
    last_use: dict[int | str, int] = {}
    for step in steps:
        last_use.update({source.origin: step.index for source in step.sources})
        last_use.setdefault(step.index, step.index)
    last_use.pop(steps[-1].index)  # the network's result, which `forward` still returns
    frees = defaultdict(list)
    for key, index in last_use.items():
        frees[index].append(key)
    return tuple(replace(step, frees=tuple(frees[step.index])) for step in steps)


def takes_context(layer: nn.Module) -> bool:
    """Whether the layer's forward wants the Context after its sources: it says so by `takes_context = True`."""
    return bool(getattr(layer, "takes_context", False))


def gather(values: dict[int | str, Value], sources: Sequence[Source]) -> list[Value]:
    """What a row reads, out of the values by row or input."""
    found = (values[s.origin] for s in sources)
    return [v if s.output is None else v[s.output] for v, s in zip(found, sources, strict=True)]


def run_layer(layer: nn.Module, takes_list: bool, sources: list[Value], context: Context | None) -> Value:
    """One row's output."""
    given = sources if takes_list else sources[0]
    return layer(given) if context is None else layer(given, context)
