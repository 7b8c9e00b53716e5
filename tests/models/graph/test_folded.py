"""Norms and a vocabulary folded into convolutions: the network gives what it gave with them in eval mode."""

import pytest
import torch
from torch import nn
from torch.nn.functional import normalize

from models.graph.builder import build_graph
from models.graph.folded import static_graph, without_norms
from models.layers.conv import Conv
from models.layers.edge import EdgeGuidedBlock
from models.layers.polar import PolarConv
from models.rows.model_spec import read_spec
from models.rows.row_context import Context


def settled(name, texts, seed=0):
    """A network whose BatchNorms have seen pictures and whose gates are off their start."""
    torch.manual_seed(seed)
    graph = build_graph(read_spec(f"cfg/models/{name}.yaml").with_values(nc=texts))
    graph.text.fill(normalize(torch.randn(texts, graph.text.width), dim=-1))
    with torch.no_grad():
        for parameter in graph.parameters():
            if parameter.ndim < 2:
                parameter += 0.1 * torch.randn_like(parameter)
        graph.train()
        for _ in range(2):
            graph(torch.rand(2, 3, 64, 64))
    return graph.eval()


@pytest.mark.parametrize("texts", [1, 64, 351])
@torch.no_grad()
def test_folded_equals_unfolded(texts):
    graph, image = settled("rtvpnet-plain-n", texts), torch.rand(2, 3, 64, 96)
    static = static_graph(graph)
    with_text, without = graph(image), static(image)
    assert (with_text.class_logits - without.class_logits).abs().max() < 1e-4
    assert (with_text.boxes - without.boxes).abs().max() < 1e-3
    assert static.text is None and graph.text is not None


@torch.no_grad()
def test_a_static_network_serves_the_vocabulary_it_was_made_for():
    graph, image = settled("rtvpnet-plain-n", 4), torch.rand(1, 3, 64, 64)
    before = graph(image).class_logits
    static = static_graph(graph)
    graph.text.fill(normalize(torch.randn(7, graph.text.width), dim=-1))
    assert torch.allclose(static(image).class_logits, before, atol=1e-4)
    assert torch.allclose(static_graph(graph)(image).class_logits, graph(image).class_logits, atol=1e-4)


@torch.no_grad()
def test_a_network_without_text_stays_as_it_is():
    torch.manual_seed(0)
    graph, image = build_graph(read_spec("cfg/models/idfe-net-free-n.yaml")).eval(), torch.rand(1, 3, 64, 64)
    assert torch.equal(static_graph(graph)(image).class_logits, graph(image).class_logits)


def unsettle(model):
    """Statistics, gains and shifts as training leaves them."""
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low in ((module.running_var, 0.5), (module.weight, 0.5), (module.bias, -0.5)):
                values.data.copy_(torch.rand(values.shape, generator=generator) + low)
            module.running_mean.copy_(torch.randn(module.running_mean.shape, generator=generator) / 4)
    return model.eval()


@pytest.mark.parametrize(
    ("layer", "args"),
    [
        (Conv(8, 6, 3), (torch.rand(2, 8, 9, 9),)),
        (Conv(8, 8, 5, groups=8, act=False), (torch.rand(2, 8, 9, 9),)),
        (EdgeGuidedBlock(8), (torch.rand(2, 8, 9, 9),)),
        (PolarConv([3, 2], 8, 6, 2, 2), ([torch.rand(2, 3, 8, 8), torch.rand(2, 2, 8, 8)], Context())),
    ],
)
def test_layers_lose_their_norm_and_nothing_else(layer, args):
    unsettle(layer).double()
    if isinstance(layer, PolarConv):
        nn.init.normal_(layer.polar.weight)
    args = [[x.double() for x in a] if isinstance(a, list) else a.double() if torch.is_tensor(a) else a for a in args]
    with torch.inference_mode():
        expected = layer(*args)
        layer.fold_norm()
        torch.testing.assert_close(layer(*args), expected, rtol=1e-10, atol=1e-10)
        layer.fold_norm()  # a second time changes nothing
        torch.testing.assert_close(layer(*args), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(
    "name", ["idfe-net-n", "idfe-net-free-n", "idfe-net-polar-concat-c2f-n", "idfe-net-c1", "rtvpnet-n"]
)
def test_networks_agree_to_a_ten_thousandth(name):
    torch.manual_seed(0)
    graph = unsettle(build_graph(read_spec(f"cfg/models/{name}.yaml")))
    folded = without_norms(graph)
    before, after = (sum(isinstance(m, nn.BatchNorm2d) for m in g.modules()) for g in (graph, folded))
    assert after < before / 3
    image = torch.rand(2, len(graph.channels.names), 64, 64)
    with torch.inference_mode():
        one, two = graph(image), folded(image)
    torch.testing.assert_close(two.boxes, one.boxes, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(two.class_logits, one.class_logits, rtol=1e-4, atol=1e-4)
