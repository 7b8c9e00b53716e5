"""ModelSpec -> network. Channels and strides are measured by running each row on a small picture as it is built."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor, nn

import models.heads
import models.layers
import models.prompts  # noqa: F401  these three register the layers
from models.rows import registry
from models.rows.registry import Layer, Parameter, Role, find
from models.rows.row_context import Context
from models.rows.spec import ModelSpec, Row, Source
from utils.values.channels import Channels
from utils.values.structures import Moment, Predictions
from utils.words.errors import ConfigError
from utils.words.schema import fits, type_words
from utils.words.text import did_you_mean

MEASURE_PX = 128  # small, yet two cells wide at stride 64
MAX_CHANNELS = 65_536
MEASURE_TEXTS = 3

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
    """A network of rows. `steps[i]` runs `layers[i]`; `strides` are those of the head's maps, `stride` the largest.

    `channels` are the planes of its pictures: the first ones are what rows read as `image`, the rest `polar`.
    A network with steps that read `text` has a `vocabulary` (M, D): one unit vector per phrase, the first `texts` of
    them those of its classes. It is no part of the state dict, and zero until it is set.
    """

    vocabulary: Tensor | None

    def __init__(
        self,
        spec: ModelSpec,
        layers: Sequence[nn.Module],
        steps: tuple[Step, ...],
        strides: Sequence[int],
        channels: Channels,
    ) -> None:
        super().__init__()
        self.spec, self.strides, self.stride, self.channels = spec, tuple(strides), max(strides), channels
        self.layers = nn.ModuleList(layers)
        self.steps = steps
        reads_text = any(source.origin == "text" for step in steps for source in step.sources)
        vectors = torch.zeros(spec.classes, spec.text_dim) if reads_text and spec.text_dim else None
        self.register_buffer("vocabulary", vectors, persistent=False)
        self.texts = spec.classes
        self.frozen: tuple[int, ...] = ()

    def freeze(self, rows: Sequence[int]) -> None:
        """Keep these rows as they are: no gradients, and eval mode (BatchNorm's statistics too) whatever `train`
        says.
        """
        self.frozen = tuple(rows)
        for index in rows:
            self.layers[index].requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As nn.Module's, but frozen rows stay in eval mode."""
        super().train(mode)
        for index in self.frozen:
            self.layers[index].eval()
        return self

    @property
    def head(self) -> nn.Module:
        """The last row."""
        return self.layers[-1]

    def set_vocabulary(self, vectors: Tensor, texts: int | None = None) -> None:
        """Look for (M, D) unit vectors: the first `texts` are the classes (default: all), the others synonyms."""
        assert self.vocabulary is not None and vectors.shape[1] == self.vocabulary.shape[1], "vectors of another width"
        self.vocabulary = vectors.to(self.vocabulary)
        self.texts = len(vectors) if texts is None else texts

    def forward(self, image: Tensor, phrases: Tensor | None = None, moment: Moment | None = None) -> Predictions:
        """`image` (B, C, H, W) in 0..1, H and W multiples of `stride` -> Predictions.

        `phrases` (N,) int64 rows of the vocabulary to look for, None: its classes in order. `moment`: in training.
        """
        context = Context(moment)
        values = _inputs_of(image, self.channels)
        if self.vocabulary is not None:
            values["text"] = self.vocabulary[: self.texts] if phrases is None else self.vocabulary[phrases]
        for step, layer in zip(self.steps, self.layers, strict=True):
            given = _gather(values, step.sources)
            values[step.index] = _run(layer, step.takes_list, given, context if step.takes_context else None)
            for key in step.frees:
                del values[key]
        return context.attach(values[self.steps[-1].index])


def default_channels(spec: ModelSpec) -> Channels:
    """The planes of pictures for `spec` when no data says it: RGB, and one plane of polar where some row reads it."""
    return Channels(polar=("polar",)) if spec.reads("polar") else Channels()


def build_graph(spec: ModelSpec, channels: Channels | None = None, image_size: int = 640, sam_file: str = "") -> Graph:
    """Build the network of `spec` for pictures of `channels` (None: `default_channels`); `sam_file` are Mobile-SAM's
    weights.

    Raises ConfigError at the row that cannot be built.
    """
    channels = default_channels(spec) if channels is None else channels
    builder = _Builder(spec, channels, image_size, sam_file)
    with torch.no_grad():
        for row in spec.rows:
            builder.add(row)
    last = spec.rows[-1]
    if not isinstance(builder.values[last.index], Predictions):
        raise last.error("the last row must be a detection head such as AnchorDetect")
    return Graph(spec, builder.layers, plan(builder.steps), builder.strides_of(last), channels)


def _inputs_of(image: Tensor, channels: Channels) -> dict[int | str, Value]:
    """What rows can name as their source of pictures (B, C, H, W)."""
    if not channels.polar:
        return {"image": image}
    first = len(channels.image)
    return {"image": image[:, :first], "polar": image[:, first:]}


def plan(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The steps with what each may free: a value goes after its last use, one that nobody reads at once."""
    last_use: dict[int | str, int] = {}
    for step in steps:
        last_use.update({source.origin: step.index for source in step.sources})
        last_use.setdefault(step.index, step.index)
    last_use.pop(steps[-1].index)
    frees = defaultdict(list)
    for key, index in last_use.items():
        frees[index].append(key)
    return tuple(replace(step, frees=tuple(frees[step.index])) for step in steps)


def takes_context(layer: nn.Module) -> bool:
    """Whether the layer's forward wants the Context after its sources: it says so by `takes_context = True`."""
    return bool(getattr(layer, "takes_context", False))


def _gather(values: dict[int | str, Value], sources: Sequence[Source]) -> list[Value]:
    found = (values[s.origin] for s in sources)
    return [v if s.output is None else v[s.output] for v, s in zip(found, sources, strict=True)]


def _run(layer: nn.Module, takes_list: bool, sources: list[Value], context: Context | None) -> Value:
    given = sources if takes_list else sources[0]
    return layer(given) if context is None else layer(given, context)


def _is_map(value: Value) -> bool:
    return isinstance(value, Tensor) and value.ndim == 4


def _width(value: Tensor) -> int:
    """Channels of a map (B, C, H, W); width of text vectors (N, D) or tokens (B, N, D)."""
    return value.shape[1] if _is_map(value) else value.shape[-1]


def _strides(values: Sequence[Value]) -> list[int]:
    """Network-input pixels per cell of each map among `values`."""
    return [MEASURE_PX // value.shape[-1] for value in values if _is_map(value)]


class _Builder:
    """Builds row after row, keeping every row's output on the measuring picture."""

    def __init__(self, spec: ModelSpec, channels: Channels, image_size: int, sam_file: str) -> None:
        self.spec, self.image_size, self.sam_file = spec, image_size, sam_file
        planes = len(channels.names)
        picture = torch.linspace(0, 1, planes * MEASURE_PX**2).view(1, planes, MEASURE_PX, MEASURE_PX)
        self.values = _inputs_of(picture, channels)
        if spec.text_dim is not None:
            self.values["text"] = torch.eye(MEASURE_TEXTS, spec.text_dim)
        self.layers: list[nn.Module] = []
        self.steps: list[Step] = []

    def add(self, row: Row) -> None:
        try:
            layer = find(row.module)
        except LookupError as error:
            raise row.error(str(error)) from error
        inputs = self._inputs(row)
        takes_list = layer.has(registry.INS)
        if not takes_list and len(inputs) != 1:
            raise row.error(f"takes one source, got {len(inputs)}")
        own_repeats = layer.has(registry.REPEATS)
        copies = 1 if own_repeats else self._depth(row)
        if takes_list and copies > 1:
            raise row.error("a module with several sources cannot be repeated")
        chain, value = [], inputs
        for _ in range(copies):
            module = self._construct(layer, row, value)
            output = self._measure(module, row, takes_list, value)
            chain.append(module)
            value = [output]
        self.layers.append(chain[0] if copies == 1 else nn.Sequential(*chain))
        self.steps.append(Step(row.index, row.sources, takes_list, takes_context(self.layers[-1])))
        self.values[row.index] = output

    def strides_of(self, row: Row) -> list[int]:
        return _strides(self._inputs(row))

    def _inputs(self, row: Row) -> list[Value]:
        for source in row.sources:
            if source.origin not in self.values:
                advice = "; its data needs the key 'polar'" if source.origin == "polar" else " in this mode"
                raise row.error(f"the network has no input '{source.origin}'{advice}")
            value = self.values[source.origin]
            if isinstance(value, Predictions) or (source.output is None) != isinstance(value, Tensor):
                raise row.error(f"source {source} is not one feature map or set of vectors")
            if source.output is not None and source.output >= len(value):
                raise row.error(f"source {source}: that row has {len(value)} outputs, counted from 0")
        return _gather(self.values, row.sources)

    def _depth(self, row: Row) -> int:
        return max(round(row.repeats * self.spec.depth), 1) if row.repeats > 1 else 1

    def _measure(self, module: nn.Module, row: Row, takes_list: bool, inputs: list[Value]) -> Value:
        module.eval()
        try:
            output = _run(module, takes_list, inputs, Context() if takes_context(module) else None)
        except (RuntimeError, ValueError, IndexError) as error:
            raise row.error(f"does not fit its sources {_shapes(row, inputs)}: {_first_line(error)}") from error
        module.train()
        return output

    def _construct(self, layer: Layer, row: Row, inputs: list[Value]) -> nn.Module:
        written = self._written(layer, row)
        filled = {p.name: self._fill(p, row, inputs, written) for p in layer.parameters if self._wanted(p, written)}
        try:
            return layer.build(**filled)
        except (ValueError, RuntimeError, ZeroDivisionError) as error:
            raise row.error(f"cannot be built: {_first_line(error)}") from error

    @staticmethod
    def _wanted(parameter: Parameter, written: dict[str, Any]) -> bool:
        return parameter.role not in registry.FROM_ROW or parameter.name in written

    @staticmethod
    def _written(layer: Layer, row: Row) -> dict[str, Any]:
        """The row's args by parameter name, checked against the signature."""
        arguments = layer.arguments
        if len(row.args) > len(layer.positional):
            raise row.error(f"{len(row.args)} arguments, but the layer takes {layer.usage()}")
        written = dict(zip((p.name for p in layer.positional), row.args, strict=False))
        for key, value in row.keywords.items():
            if key not in {p.name for p in arguments}:
                raise row.error(f"no argument '{key}'{did_you_mean(key, [p.name for p in arguments])}")
            if key in written:
                raise row.error(f"argument '{key}' is given twice")
            written[key] = value
        for parameter in arguments:
            if parameter.required and parameter.name not in written:
                raise row.error(f"argument '{parameter.name}' is missing; the layer takes {layer.usage()}")
            if parameter.name in written and not fits(written[parameter.name], parameter.type):
                got = written[parameter.name]
                raise row.error(f"argument '{parameter.name}' must be {type_words(parameter.type)}, got {got!r}")
        return written

    def _fill(self, parameter: Parameter, row: Row, inputs: list[Value], written: dict[str, Any]) -> Any:
        fillers: dict[Role | None, Callable[[], Any]] = {
            registry.IN: lambda: _width(inputs[0]),
            registry.INS: lambda: [_width(value) for value in inputs],
            registry.STRIDES: lambda: _strides(inputs),
            registry.REPEATS: lambda: self._depth(row),
            registry.IMAGE_SIZE: lambda: self.image_size,
            registry.TEXT_DIM: lambda: self._text_dim(row),
            registry.SAM_FILE: lambda: self.sam_file,
            registry.PEER: lambda: self._peer(row, written[parameter.name]),
            registry.OUT: lambda: self._scaled(row, written[parameter.name]),
            None: lambda: written[parameter.name],
        }
        return fillers[parameter.role]()

    def _text_dim(self, row: Row) -> int:
        if self.spec.text_dim is None:
            raise row.error("needs a network in which some row reads 'text'")
        return self.spec.text_dim

    def _peer(self, row: Row, name: str) -> nn.Module:
        """The module of the earlier row called `name`."""
        names = {other.name: other.index for other in self.spec.rows[: row.index] if other.name}
        if name not in names:
            raise row.error(f"'{name}' is no earlier row's name{did_you_mean(name, names)}")
        return self.layers[names[name]]

    def _scaled(self, row: Row, channels: int) -> int:
        scaled = math.ceil(channels * self.spec.width / 8) * 8
        if not 1 <= scaled <= MAX_CHANNELS:
            raise row.error(f"{channels} channels x width {self.spec.width:g} is not within 1..{MAX_CHANNELS}")
        return scaled


def _shapes(row: Row, inputs: Sequence[Tensor]) -> str:
    words = (f"{s} ({'x'.join(map(str, v.shape[1:]))})" for s, v in zip(row.sources, inputs, strict=False))
    return ", ".join(words)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]


def check_size(graph: Graph, height: int, width: int) -> None:
    """Raise ConfigError when a network input of that size does not divide into the graph's largest cells."""
    if height % graph.stride or width % graph.stride:
        raise ConfigError(f"network input {width}x{height} must be a multiple of {graph.stride} both ways")
