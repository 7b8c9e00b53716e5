"""A network as an ONNX graph, by torch's exporter of traces.

The other exporter of torch (dynamo) took 67 s for what takes one second here, and fixed batch and size of what it
traced: measured with torch 2.13 on idfe-net-c2f-n.yaml. What the traces need is said where it is done.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from models.exported.exported_network import IMAGES, PREDICTIONS, TEXT
from models.exported.libraries import library
from models.exporting.export_form import ExportForm
from utils.words.errors import ConfigError

OPSET = 17
SIDES = (6, 8)  # of a traced picture, in strides: height and width must be told apart
TEXTS = 5  # in a trace


def onnx_model(form: ExportForm, shape: tuple[int, int, int] | None = None) -> Any:
    """An onnx.ModelProto that computes what `form` does, of any batch and size, or of the `shape` (batch, height,
    width) alone. Raises ConfigError without the libraries, or for a row that ONNX has no operators for.
    """
    onnx: Any = library("onnx")
    inputs = example_inputs(form, shape)
    names = [IMAGES, TEXT][: len(inputs)]
    axes: dict[str, dict[int, str]] = {TEXT: {0: "classes"}} if form.text_input else {}
    axes[PREDICTIONS] = {2: "values"} if form.text_input else {}
    if shape is None:
        axes |= {IMAGES: {0: "batch", 2: "height", 3: "width"}}
        axes[PREDICTIONS] |= {0: "batch", 1: "boxes"}
    try:
        content = _exported(form, inputs, names, axes)
    except (torch.onnx.errors.OnnxExporterError, RuntimeError, TypeError) as error:
        raise _refusal(form, error) from error
    return onnx.load_model_from_string(content)


def example_inputs(form: ExportForm, shape: tuple[int, int, int] | None = None) -> tuple[Tensor, ...]:
    """What a form takes, of random numbers: pictures, and text vectors if it reads any."""
    graph = form.graph
    batch, height, width = shape or (1, *(side * graph.stride for side in SIDES))
    random = torch.Generator().manual_seed(0)
    pictures = torch.rand(batch, len(graph.channels.names), height, width, generator=random)
    if graph.text is None:
        return (pictures,)
    return pictures, nn.functional.normalize(torch.randn(TEXTS, graph.text.width, generator=random), dim=-1)


def _exported(module: nn.Module, inputs: tuple[Any, ...], names: list[str], axes: dict[str, dict[int, str]]) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), _unflatten_with_sizes(), torch.inference_mode():
        # of the tracer about sizes, which the gate tests, and of torch about this exporter
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            inputs,
            buffer,  # type: ignore[arg-type]  # torch's stub knows paths alone
            dynamo=False,
            opset_version=OPSET,
            input_names=names,
            output_names=[PREDICTIONS],
            dynamic_axes=axes,
        )
    return buffer.getvalue()


@contextmanager
def _unflatten_with_sizes() -> Iterator[None]:
    """Write `unflatten` as a reshape to sizes that are looked up one by one: behind its own way of writing it the
    exporter takes all sizes for constants.
    """

    def unflatten(g: Any, x: Any, dim: Any, sizes: Any) -> Any:
        rank = x.type().dim()
        place = dim.node().t("value").item() % rank
        shape = g.op("Shape", x)
        each = [g.op("Gather", shape, g.op("Constant", value_t=torch.tensor([k])), axis_i=0) for k in range(rank)]
        return g.op("Reshape", x, g.op("Concat", *each[:place], sizes, *each[place + 1 :], axis_i=0))

    torch.onnx.register_custom_op_symbolic("aten::unflatten", unflatten, OPSET)
    try:
        yield
    finally:
        torch.onnx.unregister_custom_op_symbolic("aten::unflatten", OPSET)


def _refusal(form: ExportForm, error: Exception) -> ConfigError:
    """What to say of a network that cannot be written: the first row that cannot be by itself, if there is one."""
    row, reason = _first_refused(form) or (None, error)
    words = next(iter(str(reason).splitlines()), type(reason).__name__)[:300]
    if row is None:
        return ConfigError(f"{form.graph.spec.path.name}: ONNX cannot hold it: {words}")
    return row.error(f"ONNX cannot hold it: {words}; take another row in its place, or --format torchscript")


def _first_refused(form: ExportForm) -> tuple[Any, Exception] | None:
    """The first row of a network that cannot be written, and why."""
    rows = {row.index: row for row in form.graph.spec.rows}
    for step, layer, given in _given_to_rows(form):
        try:
            _exported(layer, given, [], {})
        except (torch.onnx.errors.OnnxExporterError, RuntimeError, TypeError) as error:
            return rows[step.index], error
    return None


def _given_to_rows(form: ExportForm) -> Iterator[tuple[Any, nn.Module, tuple[Any, ...]]]:
    """Each step but the head's with its layer and what the layer is given."""
    given: dict[nn.Module, tuple[Any, ...]] = {}
    hooks = [layer.register_forward_pre_hook(given.__setitem__) for layer in form.graph.layers]
    try:
        with torch.inference_mode():
            form(*example_inputs(form))
    finally:
        for hook in hooks:
            hook.remove()
    for step, layer in zip(form.graph.steps[:-1], form.graph.layers, strict=False):
        yield step, layer, given[layer]
