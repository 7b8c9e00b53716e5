"""A network that looks for other names than its own is guided by its own: no name changes what is found of another."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import normalize

from models.graph.builder import build_graph
from models.graph.folded import static_graph
from models.graph.open_vocabulary import Words, encode, permuted, set_words, with_words
from models.rows.model_spec import read_spec
from models.text.cache import VectorCache
from utils.words.vocabulary import Vocabulary

OWN = Vocabulary.from_names(["crack", "oil stain", "dust"])
NETWORKS = ["rtvpnet-plain-n", "rtvpnet-projection-n", "rtvpnet-energy-n", "rtvpnet-n"]


def close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one, other, rtol=0, atol=2e-5)


def words_of(names: list[str], folder) -> Words:
    return encode(Vocabulary.from_names(names), "ngram:64", VectorCache(folder))


def settled(network: str, words: Words):
    """A network whose gates hang on the text, as after a training."""
    torch.manual_seed(0)
    graph = build_graph(with_words(read_spec(f"cfg/models/{network}.yaml").with_values(nc=len(OWN)), words))
    with torch.no_grad():
        for name, parameter in graph.named_parameters():
            if parameter.ndim < 2:
                parameter += 0.1 * torch.randn_like(parameter)
            elif "gate.keys" in name:
                parameter *= 100
        set_words(graph, words)
        for _ in range(2):  # BatchNorms that have seen pictures
            graph.train()(torch.rand(2, 3, 64, 64))
    return graph.eval()


@pytest.mark.parametrize("name", NETWORKS)
@torch.no_grad()
def test_no_name_changes_what_is_found_of_another(name, tmp_path):
    own = words_of(list(OWN.names), tmp_path)
    graph, image = settled(name, own), torch.rand(2, 3, 64, 64)
    set_words(graph, own)
    before = graph(image)
    found = {}
    for names in (["crack", "oil stain", "dust"], ["burr", "crack"], ["crack", "pit", "dust", "oil stain", "hole"]):
        set_words(graph, replace(words_of(names, tmp_path), guides=own.vectors))
        for ready in (graph, static_graph(graph)):
            said = ready(image)
            assert said.class_logits.shape[-1] == len(names)
            assert ready is not graph or torch.allclose(said.boxes, before.boxes, atol=1e-3)
            found[len(names), ready is graph] = said.class_logits[..., names.index("crack")]
    for trained in (True, False):  # as it is, and with its words folded in
        first, *others = [logits for (_, plain), logits in found.items() if plain == trained]
        assert all(close(first, other) for other in others)
    assert close(found[3, True], before.class_logits[..., 0]), "its own names: as in training"
    if not name.endswith(("energy-n", "rtvpnet-n")):  # where nothing else guides, as 36 random visual tokens do there
        set_words(graph, words_of(["crack", "burr"], tmp_path))
        assert not close(graph(image).class_logits[..., 0], before.class_logits[..., 0])


def test_guides_are_those_of_the_network_and_stay_through_a_permutation(tmp_path):
    own = words_of(list(OWN.names), tmp_path)
    assert torch.equal(own.guides_of_others(), own.vectors)
    others = replace(words_of(["burr", "pit"], tmp_path), guides=own.vectors)
    assert torch.equal(others.guides_of_others(), own.vectors)
    turned = permuted(others, 0)
    assert turned.guides is own.vectors and torch.equal(turned.vectors, others.vectors.flip(0))


def test_training_goes_without_guides(tmp_path):
    own = words_of(list(OWN.names), tmp_path)
    graph = settled("rtvpnet-n", own)
    set_words(graph, replace(own, guides=normalize(torch.randn(5, 64), dim=-1)))
    assert graph.text.guides.shape == (5, 64)
    set_words(graph, own)
    assert not len(graph.text.guides) and not any(getattr(layer, "asked", 0) for layer in graph.modules())
