"""8 bits where they are worth it, float everywhere else; and which rows lose most by them."""

import functools
import io
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from models.exporting.export_form import ExportForm
from models.exporting.onnx_writer import onnx_model
from models.exporting.openvino_writer import openvino_model
from models.exporting.sensitivity import departure, part_of, rank_parts, rounded_weights
from models.graph.builder import build_graph
from models.layers.conv import set_bn_momentum
from models.rows.model_spec import read_spec

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

FLOAT_ROWS = ("0", "8", "19")  # that begin behind an activation, which no file rounds for them
NEAR = 0.4  # random weights say more of rounding than trained ones (0.1); outputs of 0 depart by more than 1
ROUNDINGS = ("QuantizeLinear", "DequantizeLinear")


def settled(name):
    """The form of a network whose norms have seen pictures, and whose outputs differ from place to place."""
    torch.manual_seed(0)
    spec = read_spec(f"cfg/models/{name}.yaml")
    graph = build_graph(spec.with_values(width_multiple=0.125, nc=3, **({"text_dim": 24} if spec.text_dim else {})))
    set_bn_momentum(graph, 1.0)
    with torch.no_grad():
        graph.train()(torch.rand(4, 3, 64, 64))
        for name, values in graph.head.named_parameters():
            if name.split(".")[-3:-2] == ["outs"] or name.startswith("outs"):
                values *= 0.03 if name.endswith("weight") else 0.5
    return ExportForm(graph).eval()


@functools.cache
def network():
    form = settled("idfe-net-c2f-n")
    return form, onnx_model(form).SerializeToString()


def pictures(count=2):
    random = torch.Generator().manual_seed(1)
    return [torch.rand(1, 3, 64 + 32 * (n % 2), 96, generator=random) for n in range(count)]


@functools.cache
def onnx_int8(float_parts=()):
    from models.exporting.onnx_int8 import quantised_onnx

    return quantised_onnx(network()[1], [x.numpy() for x in pictures()], float_parts)


@functools.cache
def openvino_int8(float_parts=()):
    pytest.importorskip("nncf")
    from models.exporting.openvino_int8 import quantised_openvino

    return quantised_openvino(openvino_float(), [x.numpy() for x in pictures()], float_parts)


@functools.cache
def openvino_float():
    pytest.importorskip("openvino")
    return openvino_model(onnx.load_from_string(network()[1]))


def run_onnx(content):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return [torch.from_numpy(session.run(None, {"images": x.numpy()})[0]) for x in pictures()]


def run_openvino(model):
    compiled = pytest.importorskip("openvino").compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": 1})
    return [torch.from_numpy(compiled(x.numpy())[0].copy()) for x in pictures()]


@torch.no_grad()
def right():
    return [network()[0](x) for x in pictures()]


@torch.no_grad()
def worst_difference(layers, quantise):
    """Between a chain of layers and its file in 8 bits, with rows named as in the files of networks."""
    module, given, buffer = Rows(layers), pictures(1)[0], io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(module, (given,), buffer, dynamo=False, opset_version=17, input_names=["images"])
    session = onnxruntime.InferenceSession(quantise(buffer.getvalue(), [given.numpy()]))
    got = torch.from_numpy(session.run(None, {"images": given.numpy()})[0])
    return (got - module(given)).abs().max()


class Rows(torch.nn.Module):
    def __init__(self, layers):
        super().__init__()
        self.layers = torch.nn.ModuleList(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


def weights_of(graph):
    """By name of the convolution its weights, where they are float."""
    known = {tensor.name: tensor for tensor in graph.initializer}
    convs = [node for node in graph.node if node.op_type == "Conv"]
    return {n.name: onnx.numpy_helper.to_array(known[n.input[1]]) for n in convs if n.input[1] in known}


def test_onnx_in_8_bits_is_near_float_and_a_file_of_its_own():
    model = onnx.load_from_string(onnx_int8())
    onnx.checker.check_model(model)
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    convs = [node for node in model.graph.node if node.op_type == "Conv"]
    assert len(weights_of(model.graph)) < len(convs) / 10 and len(onnx_int8()) < 0.6 * len(network()[1])
    assert 0 < departure(right(), run_onnx(onnx_int8())) < NEAR


@pytest.mark.parametrize("narrow", [False, True])
def test_onnx_weights_of_7_bits_where_sums_of_8_would_overflow(narrow, monkeypatch):
    from models.exporting import onnx_int8 as module

    monkeypatch.setattr(module, "saturates", lambda: narrow)
    graph = onnx.load_from_string(module.quantised_onnx(network()[1], [x.numpy() for x in pictures()], ())).graph
    weights = [onnx.numpy_helper.to_array(one) for one in graph.initializer if one.data_type == onnx.TensorProto.INT8]
    assert max(np.abs(one.astype(int)).max() for one in weights if one.ndim > 1) == (64 if narrow else 127)


@pytest.mark.parametrize("narrow", [False, True])
def test_openvino_weights_of_7_bits_where_sums_of_8_would_overflow(narrow, monkeypatch):
    pytest.importorskip("nncf")
    from models.exporting import openvino_int8 as module

    monkeypatch.setattr(module, "saturates", lambda: narrow)
    model = module.quantised_openvino(openvino_float(), [x.numpy() for x in pictures()], ())
    weights = [op.data for op in model.get_ops() if op.get_type_name() == "Constant" and op.data.dtype == np.int8]
    used = [np.abs(one.astype(int)).max() for one in weights]
    assert np.median(used) == (64 if narrow else 127)


def test_whether_sums_overflow_is_measured():
    """By what the kernel says of the processor, where it does."""
    from models.exporting.saturation import saturates

    known = Path("/proc/cpuinfo")
    said = known.read_text(encoding="utf-8") if known.exists() else ""
    if "avx2" not in said:
        pytest.skip("nothing is said of this processor here")
    assert saturates() == ("vnni" not in said)


def test_onnx_rows_that_stay_float_read_and_compute_as_before():
    before, after = (onnx.load_from_string(x).graph for x in (network()[1], onnx_int8(FLOAT_ROWS)))
    maker = {output: node.op_type for node in after.node for output in node.output}
    for node in after.node:
        if part_of(node.name) in FLOAT_ROWS and node.op_type not in ROUNDINGS:
            assert not {maker.get(value) for value in node.input} & set(ROUNDINGS), node.name
    float_weights = weights_of(after)
    mine = {name: weight for name, weight in weights_of(before).items() if part_of(name) in FLOAT_ROWS}
    assert len(mine) > 8 and all(np.array_equal(float_weights[name], weight) for name, weight in mine.items())
    near, nearer = (departure(right(), run_onnx(onnx_int8(rows))) for rows in ((), tuple(map(str, range(29)))))
    assert nearer < near


def test_a_float_product_between_rounded_ones_keeps_its_weights():
    """ONNX Runtime would round them to 8 bits for all channels together, which differ a thousandfold here."""
    from models.exporting.onnx_int8 import quantised_onnx

    torch.manual_seed(0)
    layers = [torch.nn.Conv2d(3, 8, 1), torch.nn.Conv2d(8, 8, 1), torch.nn.ReLU6()]
    layers += [torch.nn.Conv2d(8, 2, 1), torch.nn.Conv2d(2, 2, 1)]
    layers[1].weight.data[0] *= 1000
    layers[1].bias.data[0] = 5000  # cut off at 6 anyway
    assert worst_difference(layers, lambda content, given: quantised_onnx(content, given, ("1",))) < 0.05


def test_onnx_decoding_stays_float():
    graph = onnx.load_from_string(onnx_int8()).graph
    makers = {output: node for node in graph.node for output in node.output}
    waiting, met = [output.name for output in graph.output], set()
    while waiting:
        node = makers.get(waiting.pop())
        if node is not None and node.name not in met:
            met.add(node.name)
            assert node.op_type not in ROUNDINGS, node.name
            waiting += node.input if node.op_type != "Conv" else ()
    assert {"/Softmax", "/Sigmoid", "/layers.30/box/outs.0/Conv", "/layers.30/outs.2/Conv"} <= met


def test_all_rows_in_float_is_the_float_file():
    rows = tuple(map(str, range(31)))
    assert all(map(torch.equal, run_onnx(onnx_int8(rows)), run_onnx(network()[1])))
    assert all(map(torch.equal, run_openvino(openvino_int8(rows)), run_openvino(openvino_float())))


def test_onnx_spends_its_8_bits_on_what_a_clip_lets_pass():
    """A product whose outputs reach 1000, of which 0..6 pass: 255 values from 0 to 1000 would leave two of these."""
    from models.exporting.onnx_int8 import quantised_onnx

    torch.manual_seed(0)
    layers = [torch.nn.Conv2d(3, 8, 1), torch.nn.ReLU6(), torch.nn.Conv2d(8, 2, 1)]
    layers[0].bias.data[0] = 1000
    assert worst_difference(layers, lambda content, given: quantised_onnx(content, given, ())) < 0.05


def test_openvino_in_8_bits_is_near_float():
    kinds = [op.get_type_name() for op in openvino_int8().get_ops()]
    assert kinds.count("FakeQuantize") > 20
    assert "FakeQuantize" not in [op.get_type_name() for op in openvino_float().get_ops()]
    assert 0 < departure(right(), run_openvino(openvino_int8())) < NEAR


def convolutions(model):
    kinds = ("Convolution", "GroupConvolution")
    return {op.get_friendly_name(): op for op in model.get_ops() if op.get_type_name() in kinds}


def test_openvino_rows_that_stay_float_read_and_compute_as_before():
    before, after = convolutions(openvino_float()), convolutions(openvino_int8(FLOAT_ROWS))
    mine = [name for name in before if part_of(name) in FLOAT_ROWS]
    assert len(mine) > 8
    for name in mine:
        given, weight = (value.get_node() for value in after[name].input_values())
        assert "FakeQuantize" not in (given.get_type_name(), weight.get_type_name()), name
        assert np.array_equal(weight.data, before[name].input_value(1).get_node().data), name


def test_openvino_decoding_stays_float():
    waiting, met = list(openvino_int8().get_results()), set()
    while waiting:
        op = waiting.pop()
        if op.get_friendly_name() not in met:
            met.add(op.get_friendly_name())
            assert op.get_type_name() != "FakeQuantize", op.get_friendly_name()
            waiting += [v.get_node() for v in op.input_values()] if "Convolution" not in op.get_type_name() else []
    assert {"/layers.30/box/outs.0/Conv/WithoutBiases", "/layers.30/outs.2/Conv/WithoutBiases"} <= met


@pytest.mark.parametrize("row", [2, 23])
def test_a_row_with_one_huge_activation_ranks_first(row):
    form = settled("idfe-net-c2f-n")
    block = form.graph.layers[row]
    with torch.no_grad():  # a channel that only the row's last convolution reads, which undoes its size
        block.cv1.conv.weight[0] *= 1e4
        block.cv1.conv.bias[0] = 1e4
        block.cv2.conv.weight[:, 0] /= 1e4
    state, wanted = {k: v.clone() for k, v in form.state_dict().items()}, [form(x).detach() for x in pictures(2)]
    ranked = rank_parts(form, pictures(2))
    assert ranked[0] == str(row) and len(set(ranked)) == len(ranked)
    assert all(torch.equal(value, state[key]) for key, value in form.state_dict().items())
    assert all(torch.equal(form(x), one) for x, one in zip(pictures(2), wanted, strict=True))
    assert not any(module._forward_pre_hooks for module in form.modules())


def test_the_form_is_as_before_when_a_picture_does_not_fit():
    form = network()[0]
    state = {k: v.clone() for k, v in form.state_dict().items()}
    with pytest.raises(RuntimeError):
        rank_parts(form, [pictures(1)[0], torch.rand(1, 4, 64, 64)])
    assert all(torch.equal(value, state[key]) for key, value in form.state_dict().items())
    assert not any(module._forward_pre_hooks for module in form.modules())


@pytest.mark.parametrize("name", ["rtvpnet-plain-n", "idfe-net-lite0-n"])
def test_parts_are_called_as_files_call_them(name):
    """Also where text was folded in, and rows went; a backbone has one for each of its blocks."""
    form = settled(name)
    named = {part_of(node.name) for node in onnx_model(form).graph.node if node.op_type == "Conv"}
    assert set(rank_parts(form, pictures(1))) == named
    assert ("0/blocks.3" in named) == (name == "idfe-net-lite0-n")
    assert part_of("/layers.12/cv1/Conv") == "12" and part_of("/Softmax") is None
    assert part_of("/layers.0/body/blocks.3/blocks.3.1/conv_pw/Conv") == "0/blocks.3"
    assert part_of("/layers.0/body/conv_stem/Conv") == "0"


def test_weights_are_rounded_by_output_channel():
    weight = torch.randn(4, 3, 3, 3) * torch.tensor([1e-4, 1.0, 1e4, 0.0])[:, None, None, None]
    near = (rounded_weights(weight) - weight).flatten(1).abs().amax(1) <= weight.flatten(1).abs().amax(1) / 253
    assert near.all()


def test_equal_outputs_do_not_depart():
    boxes = torch.tensor([[[0.0, 0.0, 10.0, 10.0, 0.9], [5.0, 5.0, 9.0, 9.0, 0.0]]])
    moved, unsure = boxes.clone(), boxes.clone()
    moved[0, 0, :4] += 1
    moved[0, 1, :4] += 100  # whose score is 0
    unsure[0, 0, 4] = 0.45
    assert departure([boxes], [boxes]) == 0
    assert departure([boxes], [moved]) == pytest.approx(0.1)
    assert departure([boxes], [unsure]) == pytest.approx(0.5)
