"""8-bit arithmetic for ONNX Runtime: an ONNX file's convolutions and linear layers, calibrated on pictures."""

from __future__ import annotations

import io
import logging
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static

from models.exporting.saturation import saturates
from models.exporting.sensitivity import part_of

PRODUCTS = ("Conv", "Gemm", "MatMul")
CUTS = ("Clip", "Relu")
QUANTISE, BACK = "QuantizeLinear", "DequantizeLinear"


def quantised_onnx(model: bytes, calibration: Sequence[np.ndarray], float_parts: Collection[str]) -> bytes:
    """The float32 file `model` with weights of 8 bits (per output channel) and inputs and outputs of 8 bits where
    `worth_8_bits` says so; `calibration` (1, C, H, W) float32 in 0..1, at least one picture, gives their ranges.
    """
    assert calibration, "what a tensor's range is, only pictures tell"
    graph = onnx.load_from_string(model).graph
    nodes = worth_8_bits(graph, float_parts)
    if not nodes:
        return model  # to the quantiser an empty list means all nodes
    # Ranges are the extremes seen: percentiles cut off the few large activations that make a defect's score. Unsigned,
    # because CPUs multiply u8 by s8; with s8 by s8 it took twice the time of u8 by s8.
    with TemporaryDirectory() as folder, _quiet():
        given, made = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        given.write_bytes(model)
        quantize_static(
            given,
            made,
            _Pictures(graph.input[0].name, calibration),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=[*PRODUCTS, *CUTS],
            nodes_to_quantize=nodes,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            reduce_range=saturates(),
            calibrate_method=CalibrationMethod.MinMax,
        )
        quantised = onnx.load(made)
    _keep_float(quantised.graph, set(nodes))
    data: bytes = quantised.SerializeToString()
    return data


def worth_8_bits(graph: onnx.GraphProto, float_parts: Collection[str]) -> list[str]:
    """Names of the nodes to compute in 8 bits: products with weights, of parts that are not in `float_parts`.

    Not those whose outputs the decoding reads: they cost little and lose most. What lies between products stays float:
    rounding it too gains 4 % of the time and loses accuracy. But a Clip or Relu behind a product goes with it, so that
    the product's 8 bits are spent on what passes, 0..6 instead of -50..50, not on what is cut off.
    """
    weights = {tensor.name for tensor in graph.initializer}
    products = [node for node in graph.node if node.op_type in PRODUCTS and node.input[1] in weights]
    decoded, made = _last_products(graph), set()
    chosen = []
    for node in products:
        part = part_of(node.name)
        if part is not None and part not in float_parts and node.name not in decoded:
            chosen.append(node.name)
            made |= set(node.output)
    return chosen + [node.name for node in graph.node if node.op_type in CUTS and node.input[0] in made]


def _last_products(graph: onnx.GraphProto) -> set[str]:
    """Names of the products that no other product lies behind."""
    makers = {output: node for node in graph.node for output in node.output}
    waiting, seen, found = [output.name for output in graph.output], set(), set()
    while waiting:
        value = waiting.pop()
        node = makers.get(value)
        if value in seen or node is None:
            continue
        seen.add(value)
        if node.op_type in PRODUCTS:
            found.add(node.name)
        else:
            waiting += node.input
    return found


def _keep_float(graph: onnx.GraphProto, quantised: Collection[str]) -> None:
    """Let float nodes read what a float node made as it was before it was rounded for others, and keep their weights.

    The quantiser rounds a tensor for all its readers. What a quantised node made stays rounded for all, or the runtime
    would not join the rounding and that node. But a float product right behind a rounding, and before another, would
    have its weights rounded too, to 8 bits for all channels together, when the file is loaded (ONNX Runtime 1.32's
    WeightBiasQuantization): a node that does nothing keeps it apart.
    """
    makers = {output: node for node in graph.node for output in node.output}
    before = {}
    for node in graph.node:
        rounding = makers.get(node.input[0]) if node.op_type == BACK else None
        if rounding is not None and rounding.op_type == QUANTISE:
            maker = makers.get(rounding.input[0])  # None: the picture
            if maker is None or maker.name not in quantised:
                before[node.output[0]] = rounding.input[0]
    nodes = []
    for node in graph.node:
        if node.name not in quantised and node.op_type not in (QUANTISE, BACK):
            node.input[:] = [before.get(value, value) for value in node.input]
            maker = makers.get(node.input[0]) if node.op_type in PRODUCTS else None
            if maker is not None and maker.op_type == BACK:
                apart = onnx.helper.make_node("Max", node.input[:1], [f"{node.name}/apart"], f"{node.name}/apart")
                node.input[0] = apart.output[0]
                nodes.append(apart)
        nodes.append(node)
    del graph.node[:]
    graph.node.extend(nodes)


class _Pictures(CalibrationDataReader):  # type: ignore[misc]  # the library is untyped
    def __init__(self, name: str, pictures: Sequence[np.ndarray]) -> None:
        self.name, self.pictures = name, iter(pictures)

    def get_next(self) -> dict[str, np.ndarray] | None:
        picture = next(self.pictures, None)
        return None if picture is None else {self.name: picture}


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the quantiser's prints and its warnings, which go to the root logger, off the console."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(disabled)
