"""Whether this processor can add products of 8 bits, or needs weights of 7."""

from __future__ import annotations

from functools import cache

import numpy as np
import onnx
import onnxruntime

from utils.console.log import LOG

TERMS, PLANE, WEIGHT = 64, 255, 127  # of a sum, and the largest factors: u8 by s8


@cache
def saturates() -> bool:
    """Measured: processors without instructions for sums of 8-bit products (VNNI) add them by twos in 16 bits, where
    255 x 127 twice does not fit. Scores of a file with weights of 8 bits are wrong there.
    """
    given = onnx.helper.make_tensor_value_info("given", onnx.TensorProto.UINT8, [1, TERMS])
    total = onnx.helper.make_tensor_value_info("total", onnx.TensorProto.INT32, [1, 1])
    weights = onnx.numpy_helper.from_array(np.full((TERMS, 1), WEIGHT, np.int8), "weights")
    product = onnx.helper.make_node("MatMulInteger", ["given", "weights"], ["total"])
    graph = onnx.helper.make_graph([product], "sum", [given], [total], [weights])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"given": np.full((1, TERMS), PLANE, np.uint8)})
    narrow = int(found[0, 0]) != TERMS * PLANE * WEIGHT
    if narrow:
        LOG.info("this processor adds 8-bit products by twos in 16 bits (it has no VNNI): weights get 7 bits")
    return narrow
