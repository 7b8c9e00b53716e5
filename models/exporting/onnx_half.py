"""An ONNX graph with its rows in float16; inputs, decoding and outputs stay float32."""

from __future__ import annotations

from typing import Any

from models.exported.libraries import library
from models.exporting.sensitivity import row_of

ARITHMETIC = ("Conv", "Gemm", "MatMul")  # of the head these alone: what follows them is the decoding
SUMS = ("ReduceMean", "ReduceSum", "Einsum", "Softmax")  # over many cells, which float16 cannot tell apart


def half_onnx(model: Any, head: int) -> Any:
    """An onnx.ModelProto in float16, which takes and gives float32; `head` is the place of the head. Raises ConfigError
    without the libraries.
    """
    convert = library("onnxruntime.transformers.float16").convert_float_to_float16
    _constants_aside(model.graph)
    # the converter casts what an operator that stays reads and gives only where it knows of what type that is
    model = library("onnx.shape_inference").infer_shapes(model)
    kept = [node.name for node in model.graph.node if _stays(node, head)]
    return convert(model, keep_io_types=True, node_block_list=kept, disable_shape_infer=True)


def _stays(node: Any, head: int) -> bool:
    """Whether an operator computes in float32 all the same."""
    row = row_of(node.name)
    return row is None or node.op_type in SUMS or (row == head and node.op_type not in ARITHMETIC)


def _constants_aside(graph: Any) -> None:
    """Constants as initializers, of which the converter sees who reads them: sizes, say, must stay as they are."""
    constants = [node for node in graph.node if node.op_type == "Constant" and node.attribute[0].name == "value"]
    for node in constants:
        tensor = node.attribute[0].t
        tensor.name = node.output[0]
        graph.initializer.append(tensor)
        graph.node.remove(node)
