"""16 bit in the rows of an ONNX file, and nowhere else."""

from pathlib import Path

import pytest
import torch

from models.exporting.export_form import ExportForm
from models.exporting.onnx_half import SUMS, half_onnx
from models.exporting.onnx_writer import onnx_model
from models.exporting.sensitivity import row_of
from tests.models.exporting.test_onnx_writer import network, pictures_of

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
HALF, FLOAT = onnx.TensorProto.FLOAT16, onnx.TensorProto.FLOAT


@pytest.fixture(scope="module")
def form():
    return ExportForm(network(Path("cfg/models/idfe-net-c2f-n.yaml")))


def ran(model, images):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return torch.from_numpy(session.run(None, {"images": images.numpy()})[0])


def test_half_the_bytes_and_nearly_the_same_numbers(form):
    whole, half = onnx_model(form), half_onnx(onnx_model(form), len(form.graph.layers) - 1)
    weights = [sum(len(one.raw_data) for one in model.graph.initializer) for model in (whole, half)]
    assert 0.45 < weights[1] / weights[0] < 0.55
    assert [one.type.tensor_type.elem_type for one in (*half.graph.input, *half.graph.output)] == [FLOAT] * 2
    for rows, columns in ((3, 5), (2, 2)):
        images = pictures_of(form.graph, 2, rows, columns, torch.Generator().manual_seed(rows))
        one, other = ran(whole, images), ran(half, images)
        assert other.dtype == torch.float32 and not torch.equal(one, other), "computed in 16 bit"
        change, spread = (one - other)[..., 4:].abs().mean(), one[..., 4:].std()
        assert change < 0.1 * spread, "these scores are steep: a network that learnt from noise"


def test_sums_and_decoding_read_32_bit(form):
    head = len(form.graph.layers) - 1
    graph = half_onnx(onnx_model(form), head).graph
    kinds = {one.name: one.data_type for one in graph.initializer}
    of_rows = [kinds[name] for node in graph.node if node.op_type == "Conv" for name in node.input[1:2]]
    assert of_rows and set(of_rows) == {HALF}
    casts = {node.output[0]: node.attribute[0].i for node in graph.node if node.op_type == "Cast"}
    kept = [node for node in graph.node if node.op_type in SUMS]
    kept += [node for node in graph.node if row_of(node.name) == head and node.op_type in ("Sigmoid", "Softmax")]
    assert {node.op_type for node in kept} >= {"ReduceMean", "Softmax"}
    assert {casts.get(node.input[0]) for node in kept if node.op_type != "Sigmoid"} == {FLOAT}
