"""Whole networks: parameter counts, cost, strides and the published network's outputs under a known fill."""

import pytest
import torch

from models.graph import build_graph
from models.spec import parse_spec, read_spec
from tests.goldens.fill import fill_network, load, wave
from utils.yamlio import Document

GOLDENS = load("networks")
PARAMETERS = {"idfe-net": 11_379_476, "idfe-net-n": 2_863_639}


def parity(name: str):
    """The YAML with every GCM as published: raw gate layout, one BatchNorm."""
    spec = read_spec(f"cfg/models/{name}.yaml")
    data = dict(spec.data)
    data["backbone"] = [
        [*row[:3], [{"gate_layout": "raw", "shared_bn": True}], *row[4:]] if row[2] == "GCM" else row
        for row in data["backbone"]
    ]
    return build_graph(parse_spec(Document(spec.path, data, {})))


def count(module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_and_strides(name):
    graph = build_graph(read_spec(f"cfg/models/{name}.yaml"))
    assert count(graph) == PARAMETERS[name]
    assert graph.strides == (8, 16, 32)


def test_live_parameters_with_shared_norms():
    assert count(parity("idfe-net")) == GOLDENS["acceptance"]["params_live"]


def test_every_row_has_the_published_shape_and_parameters():
    graph = parity("idfe-net")
    values = {"image": torch.zeros(1, 3, 64, 64)}
    for row, layer, step, want in zip(graph.spec.rows, graph.layers, graph.steps, GOLDENS["rows"], strict=True):
        inputs = [values[s.origin] for s in row.sources]
        values[row.index] = out = layer(inputs) if step.takes_list else layer(inputs[0])
        assert count(layer) == (0 if want["dead"] else want["params"]), row
        if want["out"] is not None:
            assert tuple(out.shape[1:]) == (want["out"], 64 // want["stride"], 64 // want["stride"]), row


def test_published_network_golden():
    graph = fill_network(parity("idfe-net"))
    inputs = {}
    graph.head.register_forward_pre_hook(lambda _, args: inputs.update(maps=args[0]))
    with torch.no_grad():
        graph(wave("sin", GOLDENS["input_shape"]))
        maps = graph.head.raw(inputs["maps"])
    for got, want in zip(maps, GOLDENS["maps"]["E2 version2"], strict=True):
        assert list(got.shape[1:3]) == want["grid"]
        assert got.sum().item() == pytest.approx(want["sum"], rel=1e-6)
        assert got.std(correction=0).item() == pytest.approx(want["std"], rel=1e-6)
        assert got[0, 0, 0, 0, :5].tolist() == pytest.approx(want["first"], rel=1e-6)


@pytest.mark.parametrize("size", [(64, 64), (96, 32)])
def test_train_and_eval_return_the_same_type_and_shape(size):
    graph = build_graph(read_spec("cfg/models/idfe-net-n.yaml"))
    image = torch.rand(2, 3, *size)
    train, evaluated = graph.train()(image), graph.eval()(image)
    cells = sum(size[0] // s * (size[1] // s) for s in (8, 16, 32))
    for predictions in (train, evaluated):
        assert predictions.boxes.shape == (2, 3 * cells, 4)
        assert predictions.class_logits.shape == (2, 3 * cells, 5)
        assert predictions.objectness.shape == (2, 3 * cells)
        assert sum(predictions.level_sizes) == 3 * cells


def test_every_parameter_gets_a_gradient():
    """Over a few initialisations, because a squeeze of one ReLU unit can start dead."""
    spec, silent = read_spec("cfg/models/idfe-net-n.yaml"), None
    for seed in range(5):
        torch.manual_seed(seed)
        graph = build_graph(spec).train()
        p = graph(torch.rand(2, 3, 64, 64))
        (p.boxes.mean() + p.class_logits.mean() + p.objectness.mean()).backward()
        names = {n for n, q in graph.named_parameters() if q.grad is None or not q.grad.abs().sum() > 0}
        silent = names if silent is None else silent & names
    assert silent == set()


def test_detection_priors():
    """Biases start at 8 objects per 640-px picture and 0.6 classes per object."""
    priors = load("loss")["detect_bias"]
    torch.manual_seed(0)
    graph = build_graph(read_spec("cfg/models/idfe-net.yaml"))
    for conv, want in zip(graph.head.convs, priors["obj"], strict=True):
        bias, bound = conv.bias.detach().view(3, -1), conv.in_channels**-0.5
        assert (bias[:, 4] - want).abs().max() <= bound
        assert (bias[:, 5:] - priors["cls"]).abs().max() <= bound
