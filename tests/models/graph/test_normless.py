"""A network without norms gives what it gave with them in eval mode."""

import pytest
import torch
from torch import nn

from models.graph.builder import build_graph
from models.graph.normless import without_norms
from models.layers.conv import Conv
from models.layers.edge import EdgeGuidedBlock
from models.layers.polar import PolarConv
from models.rows.row_context import Context
from models.rows.spec import read_spec


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
    graph = unsettle(build_graph(read_spec(f"cfg/models/{name}.yaml"), image_size=64))
    folded = without_norms(graph)
    before, after = (sum(isinstance(m, nn.BatchNorm2d) for m in g.modules()) for g in (graph, folded))
    assert after < before / 3
    image = torch.rand(2, len(graph.channels.names), 64, 64)
    with torch.inference_mode():
        one, two = graph(image), folded(image)
    torch.testing.assert_close(two.boxes, one.boxes, rtol=1e-4, atol=1e-3)
    torch.testing.assert_close(two.class_logits, one.class_logits, rtol=1e-4, atol=1e-4)
