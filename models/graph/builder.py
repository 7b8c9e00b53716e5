"""ModelSpec -> Graph, row by row. Channels and strides are measured by running each row on a small picture."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

import models.heads
import models.layers
import models.prompts  # noqa: F401  these three register the layers
from models.graph.graph import Graph, Step, Value, gather, plan, run_layer, takes_context
from models.graph.inputs import planes_of
from models.graph.rehearsal import MAX_PARAMETERS, TooLarge, may_be_large, rehearse
from models.rows import registry
from models.rows.model_spec import ModelSpec, Row
from models.rows.registry import Layer, Parameter, Role, find
from models.rows.row_context import Context
from utils.values.channels import Channels
from utils.values.predictions import Predictions
from utils.words.schema import fits, type_words
from utils.words.text import did_you_mean, shown

MEASURE_PX = 128  # small, yet two cells wide at stride 64
MAX_CHANNELS = 65_536
MAX_NUMBER = 1_000_000  # of any argument
MAX_LIST = 1000  # values in a list, such as the anchors of a level
MAX_COPIES = 100  # of a module, repeats x depth
MAX_LAYERS = 1000  # in all rows
MEASURE_TEXTS = 3


def default_channels(spec: ModelSpec) -> Channels:
    """The planes of pictures for `spec` unless the data says: RGB, and one plane of polar where some row reads it."""
    return Channels(polar=("polar",)) if spec.reads("polar") else Channels()


def build_graph(
    spec: ModelSpec, channels: Channels | None = None, weights_files: Mapping[str, str] | None = None
) -> Graph:
    """Build the network of `spec` for pictures of `channels` (None: `default_channels`), with random weights.

    `weights_files`: by the name of a module, the file of weights that its rows start from (role WeightsFile).
    Raises ConfigError at the row that cannot be built, CheckpointError for weights that do not fit.
    """
    channels = default_channels(spec) if channels is None else channels
    builder = GraphBuilder(spec, channels, weights_files or {})
    with torch.no_grad():
        for row in spec.rows:
            builder.add(row)
    last = spec.rows[-1]
    if not isinstance(builder.values[last.index], Predictions):
        raise last.error("the last row must be a detection head such as AnchorDetect")
    return Graph(spec, builder.layers, plan(builder.steps), builder.strides_of(last), channels, builder.coarsest())


def _is_map(value: Value) -> bool:
    return isinstance(value, Tensor) and value.ndim == 4


def _width(value: Tensor) -> int:
    """Channels of a map (B, C, H, W); width of text vectors (N, D) or tokens (B, N, D)."""
    return value.shape[1] if _is_map(value) else value.shape[-1]


def _strides(values: Sequence[Value]) -> list[int]:
    """Network-input pixels per cell of each map among `values`."""
    return [MEASURE_PX // value.shape[-1] for value in values if _is_map(value)]


class GraphBuilder:
    """Builds row after row, keeping every row's output on the measuring picture."""

    def __init__(self, spec: ModelSpec, channels: Channels, weights_files: Mapping[str, str]) -> None:
        self.spec, self.weights_files = spec, weights_files
        planes = len(channels.names)
        picture = torch.linspace(0, 1, planes * MEASURE_PX**2).view(1, planes, MEASURE_PX, MEASURE_PX)
        self.values: dict[int | str, Value] = planes_of(picture, channels)
        if spec.text_dim is not None:
            self.values["text"] = torch.eye(MEASURE_TEXTS, spec.text_dim)  # unit vectors, as those of real phrases
        self.layers: list[nn.Module] = []
        self.steps: list[Step] = []
        self.parameters = self.copies = 0

    def add(self, row: Row) -> None:
        """Build the next row, after those built so far. Raises ConfigError at its line."""
        try:
            layer = find(row.module)
        except LookupError as error:
            raise row.error(str(error)) from error
        inputs = self._inputs(row)
        takes_list = layer.has(registry.INS)
        if not takes_list and len(inputs) != 1:
            raise row.error(f"takes one source, got {len(inputs)}")
        # A module that reads several rows repeats inside itself: only it knows what its next copy reads.
        own_repeats = layer.has(registry.REPEATS)
        copies = 1 if own_repeats else self._depth(row)
        if takes_list and copies > 1:
            raise row.error("a module with several sources cannot be repeated")
        chain, value = [], inputs
        for _ in range(copies):
            module = self._construct(layer, row, value, takes_list)
            output = self._measure(module, row, takes_list, value)
            chain.append(module)
            value = [output]
        self.layers.append(chain[0] if copies == 1 else nn.Sequential(*chain))
        self.steps.append(Step(row.index, row.sources, takes_list, takes_context(self.layers[-1])))
        self.values[row.index] = output

    def strides_of(self, row: Row) -> list[int]:
        """Network-input pixels per cell of each map that the row reads."""
        return _strides(self._inputs(row))

    def coarsest(self) -> int:
        """The largest stride of any row's maps; one cell for the whole picture is no map but its mean."""
        parts = [part for value in self.values.values() for part in (value if isinstance(value, tuple) else [value])]
        return max(stride for stride in _strides(parts) if stride < MEASURE_PX)

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
        return gather(self.values, row.sources)

    def _depth(self, row: Row) -> int:
        copies = max(round(row.repeats * self.spec.depth), 1) if row.repeats > 1 else 1
        if copies > MAX_COPIES:
            raise row.error(f"{row.repeats} repeats x depth {self.spec.depth:g} are {copies}, at most {MAX_COPIES}")
        return copies

    def _measure(self, module: nn.Module, row: Row, takes_list: bool, inputs: list[Value]) -> Value:
        module.eval()  # BatchNorm must not remember the measuring picture
        try:
            output = run_layer(module, takes_list, inputs, Context() if takes_context(module) else None)
        except (RuntimeError, ValueError, IndexError) as error:
            words = f"does not fit its sources {_shapes(row, inputs)}: {_first_line(error)}"
            raise row.error(f"{words}{_place(error)}") from error
        module.train()
        return output

    def _construct(self, layer: Layer, row: Row, inputs: list[Value], takes_list: bool) -> nn.Module:
        written = self._written(layer, row)
        filled = {p.name: self._fill(p, row, inputs, written) for p in layer.parameters if self._wanted(p, written)}
        try:
            if may_be_large(inputs, _channels(layer, filled), _numbers(layer, filled)):
                rehearse(lambda: layer.build(**filled), takes_list, inputs)
            module = layer.build(**filled)
        except (ValueError, RuntimeError, ArithmeticError, TooLarge) as error:
            raise row.error(f"cannot be built: {_first_line(error)}") from error
        self.parameters += sum(p.numel() for p in module.parameters())
        self.copies += int(filled.get("repeats", 1))
        if self.parameters > MAX_PARAMETERS:
            raise row.error(f"with it the network has {self.parameters:,} parameters, at most {MAX_PARAMETERS:,}")
        if self.copies > MAX_LAYERS:
            raise row.error(f"with it the network has {self.copies:,} layers, at most {MAX_LAYERS:,}")
        return module

    @staticmethod
    def _wanted(parameter: Parameter, written: dict[str, Any]) -> bool:
        # what the row leaves out keeps the constructor's default
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
                raise row.error(f"no argument {shown(key)}{did_you_mean(key, [p.name for p in arguments])}")
            if key in written:
                raise row.error(f"argument '{key}' is given twice")
            written[key] = value
        for parameter in arguments:
            if parameter.required and parameter.name not in written:
                raise row.error(f"argument '{parameter.name}' is missing; the layer takes {layer.usage()}")
            if parameter.name in written and not fits(written[parameter.name], parameter.type):
                got = shown(written[parameter.name])
                raise row.error(f"argument '{parameter.name}' must be {type_words(parameter.type)}, got {got}")
            if not _plausible(written.get(parameter.name)):
                got = shown(written[parameter.name])
                raise row.error(f"argument '{parameter.name}' must be at most {MAX_NUMBER:,} either way, got {got}")
        return written

    def _fill(self, parameter: Parameter, row: Row, inputs: list[Value], written: dict[str, Any]) -> Any:
        # functions, because only the role at hand may be evaluated: others can raise for this row
        fillers: dict[Role | None, Callable[[], Any]] = {
            registry.IN: lambda: _width(inputs[0]),
            registry.INS: lambda: [_width(value) for value in inputs],
            registry.STRIDES: lambda: _strides(inputs),
            registry.REPEATS: lambda: self._depth(row),
            registry.TEXT_DIM: lambda: self._text_dim(row),
            registry.WEIGHTS_FILE: lambda: self.weights_files.get(row.module, ""),
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
        scaled = math.ceil(channels * self.spec.width / 8) * 8  # multiples of 8 as in YOLOv5; GPUs are fast at them
        if not 1 <= scaled <= MAX_CHANNELS:
            raise row.error(f"{channels} channels x width {self.spec.width:g} is not within 1..{MAX_CHANNELS}")
        return scaled


def _channels(layer: Layer, filled: Mapping[str, Any]) -> int:
    """Channels that the row gives, 0 where no argument says so."""
    return max((filled[p.name] for p in layer.parameters if p.role is registry.OUT and p.name in filled), default=0)


def _numbers(layer: Layer, filled: Mapping[str, Any]) -> list[int]:
    """The whole numbers among a row's arguments, but for its channels."""
    values = [filled[p.name] for p in layer.parameters if p.role in (None, registry.REPEATS) and p.name in filled]
    flat = [number for value in values for number in (value if isinstance(value, list | tuple) else [value])]
    return [number for number in flat if isinstance(number, int) and not isinstance(number, bool)]


def _plausible(value: Any) -> bool:
    """Whether all numbers in an argument are finite and not enormous."""
    if isinstance(value, list | tuple):
        return len(value) <= MAX_LIST and all(map(_plausible, value))
    return not isinstance(value, int | float) or -MAX_NUMBER <= value <= MAX_NUMBER


def _shapes(row: Row, inputs: Sequence[Tensor]) -> str:
    words = (f"{s} ({'x'.join(map(str, v.shape[1:]))})" for s, v in zip(row.sources, inputs, strict=False))
    return ", ".join(words)


def _place(error: Exception) -> str:
    """The line of a layer at which an error arose, for its author: it may be a fault of the layer, not of the row."""
    frames = [(Path(frame.filename), frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    inner = [(path, line) for path, line in frames if not {"torch", Path(__file__).parent.name} & {*path.parts[-4:]}]
    return f" (in {inner[-1][0].name}, line {inner[-1][1]}; --debug shows more)" if inner else ""


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
