"""A vocabulary folded into convolutions gives what the network with text gives."""

import pytest
import torch
from torch.nn.functional import normalize

from models.graph.builder import build_graph
from models.graph.static import static_graph
from models.rows.spec import read_spec


def settled(name, texts, seed=0):
    """A network whose BatchNorms have seen pictures and whose gates are off their start."""
    torch.manual_seed(seed)
    graph = build_graph(read_spec(f"cfg/models/{name}.yaml").with_values(nc=texts))
    graph.set_vocabulary(normalize(torch.randn(texts, graph.vocabulary.shape[1]), dim=-1))
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
    assert static.vocabulary is None and graph.vocabulary is not None


@torch.no_grad()
def test_a_static_network_serves_the_vocabulary_it_was_made_for():
    graph, image = settled("rtvpnet-plain-n", 4), torch.rand(1, 3, 64, 64)
    other = normalize(torch.randn(7, graph.vocabulary.shape[1]), dim=-1)
    static = static_graph(graph, other)
    graph.set_vocabulary(other)
    assert torch.allclose(static(image).class_logits, graph(image).class_logits, atol=1e-4)


@torch.no_grad()
def test_a_network_without_text_stays_as_it_is():
    torch.manual_seed(0)
    graph, image = build_graph(read_spec("cfg/models/idfe-net-free-n.yaml")).eval(), torch.rand(1, 3, 64, 64)
    assert torch.equal(static_graph(graph)(image).class_logits, graph(image).class_logits)
