"""The published networks: parameters, cost, shapes and outputs under a known fill."""

import copy

import pytest
import torch

from models.graph.builder import build_graph
from models.graph.folded import static_graph, without_norms
from models.graph.model_summary import summarise
from models.rows.model_spec import parse_spec, read_spec
from tests.goldens.fill import fill_network, load, wave
from utils.words.yamlio import Document, parse_yaml

GOLDENS = load("networks")
FILES = {
    "E2 version2": "idfe-net",
    "E1 version": "IDFE-Net-Enhanced version",
    "C1": "idfe-net-c1",
    "C2": "idfe-net-c2",
    "C3": "idfe-net-c3",
    "AblationC2": "idfe-net-basic",
}
SIZES = [size for size in GOLDENS["size"] if size["net"] != "YOLOv5s"]
AS_PUBLISHED = {
    "GCM": {"gate_layout": "raw", "shared_bn": True},
    "TR": {"shared_bn": True},
    "TR2": {"shared_bn": True},
}


def parity(net: str, dead: bool = False, classes: int = 5):
    """A network as published: raw gate layout, one BatchNorm; with `dead`, Concat_a's unused weights too."""
    spec = read_spec(f"cfg/models/{FILES[net]}.yaml").with_values(nc=classes)
    switches = AS_PUBLISHED | ({"Concat": {"dead_weights": True}} if dead else {})
    data = dict(spec.data)
    data["backbone"] = [
        [*row[:3], [*row[3], switches[row[2]]], *row[4:]] if row[2] in switches else row for row in data["backbone"]
    ]
    return build_graph(parse_spec(Document(spec.path, data, {})))


def count(module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s['net']} nc={s['nc']}")
def test_parameters_with_and_without_dead_weights(size):
    graph = parity(size["net"], dead=True, classes=size["nc"])
    frozen = sum(p.numel() for p in graph.parameters() if not p.requires_grad)
    assert (count(graph), frozen, count(graph) - frozen) == (size["params"], size["dead"], size["live"])


def test_live_parameters_alone():
    assert count(parity("E2 version2")) == GOLDENS["acceptance"]["params_live"]


@pytest.mark.parametrize("size", [s for s in SIZES if s["conv_linear"]], ids=lambda s: s["net"])
def test_cost_of_convolutions_and_linears(size):
    """2 x multiply-adds at 640 px; shapes are enough to count, so nothing is computed."""
    rows = summarise(parity(size["net"]).to("meta"), 640)
    flops = sum(row.flops - row.attention for row in rows)
    assert flops / 1e9 == pytest.approx(size["conv_linear"], abs=6e-4)
    assert sum(row.attention for row in rows) < 0.01 * size["matmul"] * 1e9  # keys are pooled first


@pytest.mark.parametrize("net", FILES)
def test_every_row_has_the_published_shape_and_parameters(net):
    graph, wanted = parity(net, dead=True), published_rows(net)
    values = {"image": torch.zeros(1, 3, 64, 64)}
    for row, layer, step, want in zip(graph.spec.rows, graph.layers, graph.steps, wanted, strict=True):
        inputs = [values[s.origin] for s in row.sources]
        values[row.index] = out = layer(inputs) if step.takes_list else layer(inputs[0])
        assert count(layer) == want["params"], row
        if want["out"] is not None:
            assert tuple(out.shape[1:]) == (want["out"], 64 // want["stride"], 64 // want["stride"]), row


def published_rows(net: str) -> list[dict]:
    """out, stride, params of each row."""
    if net == "E2 version2":
        return GOLDENS["rows"]
    if net == "E1 version":  # version2's, but for the two fusions of the neck and the blocks after them
        changes = {18: {"out": 512, "params": 0}, 19: {"params": 361_984}}
        changes |= {22: {"out": 256, "params": 0}, 23: {"params": 90_880}}
        return [row | changes.get(row["index"], {}) for row in GOLDENS["rows"]]
    return [row | {"params": row["params"][net]} for row in GOLDENS["basic_rows"]]


@pytest.mark.parametrize("net", GOLDENS["maps"])
def test_published_network_golden(net):
    graph = fill_network(parity(net))
    inputs = {}
    graph.head.register_forward_pre_hook(lambda _, args: inputs.update(maps=args[0]))
    with torch.no_grad():
        graph(wave("sin", GOLDENS["input_shape"]))
        maps = {tuple(m.shape[1:3]): m for m in graph.head.raw(inputs["maps"])}
    for want in GOLDENS["maps"][net]:
        got = maps[tuple(want["grid"])]
        assert got.sum().item() == pytest.approx(want["sum"], rel=1e-6)
        assert got.std(correction=0).item() == pytest.approx(want["std"], rel=1e-6)
        assert got[0, 0, 0, 0, :5].tolist() == pytest.approx(want["first"], rel=1e-6)


def test_parity_file_is_the_published_network():
    graph, want = build_graph(read_spec("cfg/models/idfe-net-parity.yaml")), parity("E2 version2", dead=True)
    assert graph.spec.rows == want.spec.rows
    assert count(graph) == GOLDENS["acceptance"]["params_with_dead"]


def test_version2_is_idfe_net():
    version2 = read_spec("cfg/models/IDFE-Net-Enhanced version2.yaml")
    assert version2.data == read_spec("cfg/models/idfe-net.yaml").data


def test_detection_priors():
    """Biases start at 8 objects per 640-px picture and 0.6 classes per object."""
    priors = load("loss")["detect_bias"]
    torch.manual_seed(0)
    graph = build_graph(read_spec("cfg/models/idfe-net.yaml"))
    for conv, want in zip(graph.head.convs, priors["obj"], strict=True):
        bias, bound = conv.bias.detach().view(3, -1), conv.in_channels**-0.5
        assert (bias[:, 4] - want).abs().max() <= bound
        assert (bias[:, 5:] - priors["cls"]).abs().max() <= bound


@pytest.mark.parametrize("name", ["idfe-net-n", "idfe-net-c2f-n"])
def test_no_gradient_is_garbage_under_bf16_autocast(name):
    """Every convolution's weight gradient against float64's: off by bfloat16's noise (measured: at most 1), not by
    the orders of magnitude of the fault of dilated depthwise convolutions on the CPU.
    """
    torch.manual_seed(0)
    graph = build_graph(read_spec(f"cfg/models/{name}.yaml")).train()
    reference = copy.deepcopy(graph).double()
    images = torch.rand(2, 3, 128, 128)
    any_loss(reference(images.double())).backward()
    graph.to(memory_format=torch.channels_last)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        predictions = graph(images.to(memory_format=torch.channels_last))
    any_loss(predictions).backward()
    for (parameter, mine), truth in zip(graph.named_parameters(), reference.parameters(), strict=True):
        if mine.dim() == 4 and truth.grad is not None:
            error = (mine.grad.double() - truth.grad).norm() / truth.grad.norm()
            assert error < 2, f"{parameter}: {error:.3g}"


def any_loss(predictions):
    return predictions.class_logits.double().square().mean() + (predictions.boxes.double() / 128).square().mean()


def test_the_stride_is_that_of_the_coarsest_map():
    """A neck may go deeper than the maps that the head reads: sides must fit its maps, too."""
    rows = """
nc: 2
backbone:
  - [image, 1, Conv, [8, 3, 8], p3]
  - [-1, 1, Conv, [8, 3, 2], p4]
  - [-1, 1, Conv, [8, 3, 2]]
head:
  - [-1, 1, Upsample, [2]]
  - [[-1, p4], 1, Concat, [], n4]
  - [[p3, n4], 1, FreeDetect, [$nc]]
"""
    graph = build_graph(parse_spec(parse_yaml(rows, "deep.yaml")))
    assert (graph.strides, graph.stride) == ((8, 16), 32)
    assert graph(torch.rand(1, 3, 352, 352)).class_logits.shape == (1, 44**2 + 22**2, 2)
    with pytest.raises(RuntimeError):
        graph(torch.rand(1, 3, 336, 336))
    assert without_norms(graph).stride == static_graph(graph).stride == 32


def test_a_mean_over_the_picture_is_no_map():
    rows = """
nc: 2
backbone:
  - [image, 1, Conv, [8, 3, 8], p3]
  - [-1, 1, Conv, [8, 3, 64]]
head:
  - [[p3], 1, FreeDetect, [$nc]]
"""
    assert build_graph(parse_spec(parse_yaml(rows, "mean.yaml"))).stride == 8
