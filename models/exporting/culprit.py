"""Where a file departs from its network: the first row that gives something else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.exported.exported_network import IMAGES, TEXT
from models.exported.libraries import library, refusing
from models.exporting.export_form import ExportForm
from models.exporting.sensitivity import row_of
from utils.words.errors import CheckpointError

DEPARTS = 1e-2  # of a row's largest value: far beyond rounding


def first_departing(form: ExportForm, rows_of: Callable[[list[Tensor]], Mapping[int, list[np.ndarray]]]) -> str:
    """The first row whose output in a file departs from that of `form`, in words; "" where none does. `rows_of` gives
    of inputs the outputs that the file has of each layer, by its place.
    """
    random = torch.Generator().manual_seed(0)
    stride, planes = form.graph.stride, len(form.graph.channels.names)
    inputs = [torch.rand(1, planes, 4 * stride, 6 * stride, generator=random)]
    if form.graph.text is not None:
        inputs.append(nn.functional.normalize(torch.randn(3, form.graph.text.width, generator=random), dim=-1))
    right = _outputs(form, inputs)
    try:
        found = rows_of(inputs)
    except CheckpointError:  # it cannot be run at this size: no row is to blame alone
        return ""
    specs = {row.index: row for row in form.graph.spec.rows}
    for place, value in right.items():
        same = [one for one in found.get(place, []) if one.shape == tuple(value.shape)]
        if not same:
            continue
        worst = min(float(np.abs(one - value.numpy()).max()) for one in same)
        if not worst <= DEPARTS * max(float(value.abs().max()), 1e-6):
            row = specs[form.graph.steps[place].index]
            return f"the first row that departs is row {row.index} ({row.module}, {row.where}), by {worst:.3g}"
    return ""


def _outputs(form: ExportForm, inputs: list[Tensor]) -> dict[int, Tensor]:
    """What each layer gives, by its place, of those that give one tensor."""
    given: dict[int, Tensor] = {}
    hooks = []
    for place, layer in enumerate(form.graph.layers):

        def keep(_: nn.Module, __: Any, output: Any, place: int = place) -> None:
            if isinstance(output, Tensor):
                given[place] = output.clone()  # rows after it may write into it

        hooks.append(layer.register_forward_hook(keep))
    try:
        with torch.inference_mode():
            form(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return given


def _without_thresholds(graph: Any) -> None:
    """Leave out the inputs of a file that suppresses, and the operators that need them."""
    gone = {one.name for one in graph.input} - {IMAGES, TEXT}
    for one in [one for one in graph.input if one.name in gone]:
        graph.input.remove(one)
    for node in list(graph.node):
        if gone & set(node.input):
            gone |= set(node.output)
            graph.node.remove(node)


def onnx_rows(model: Any) -> Callable[[list[Tensor]], dict[int, list[np.ndarray]]]:
    """See first_departing; of an onnx.ModelProto, whose operators are named after their rows."""

    def run(inputs: list[Tensor]) -> dict[int, list[np.ndarray]]:
        onnx, ort = library("onnx"), library("onnxruntime")
        probed = onnx.ModelProto()
        probed.CopyFrom(model)
        _without_thresholds(probed.graph)
        names = {
            output: row for node in model.graph.node if (row := row_of(node.name)) is not None for output in node.output
        }
        del probed.graph.output[:]
        probed.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names)
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL  # keeps every output
        options.log_severity_level = 3
        found: dict[int, list[np.ndarray]] = {}
        with refusing("onnxruntime", Path("model.onnx")):
            session = ort.InferenceSession(probed.SerializeToString(), options, providers=["CPUExecutionProvider"])
            feed = {one.name: tensor.numpy() for one, tensor in zip(session.get_inputs(), inputs, strict=False)}
            for name, value in zip(names, session.run(None, feed), strict=True):
                found.setdefault(names[name], []).append(value)
        return found

    return run
