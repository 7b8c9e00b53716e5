"""BERT of PyTorch's layers: equal to its formula, written out here, on random weights under transformers' names."""

import pytest
import torch
from torch.nn.functional import gelu, layer_norm, linear

from models.text.bert import EPSILON, Bert

WIDTH, INNER, HEADS, DEPTH, ROWS, PLACES = 16, 40, 4, 3, 30, 12
LINEAR = {
    "attention.self.query": (WIDTH, WIDTH),
    "attention.self.key": (WIDTH, WIDTH),
    "attention.self.value": (WIDTH, WIDTH),
    "attention.output.dense": (WIDTH, WIDTH),
    "intermediate.dense": (INNER, WIDTH),
    "output.dense": (WIDTH, INNER),
}


@pytest.fixture
def state():
    random = torch.Generator().manual_seed(5)

    def draw(*shape):
        return torch.randn(shape, generator=random) * 0.5

    tables = {"word": ROWS, "position": PLACES, "token_type": 2}
    tensors = {f"embeddings.{name}_embeddings.weight": draw(rows, WIDTH) for name, rows in tables.items()}
    norms = ["embeddings.LayerNorm"]
    for number in range(DEPTH):
        layer = f"encoder.layer.{number}"
        norms += [f"{layer}.attention.output.LayerNorm", f"{layer}.output.LayerNorm"]
        for name, shape in LINEAR.items():
            tensors |= {f"{layer}.{name}.weight": draw(*shape), f"{layer}.{name}.bias": draw(shape[0])}
    for norm in norms:
        tensors |= {f"{norm}.weight": 1 + draw(WIDTH), f"{norm}.bias": draw(WIDTH)}
    return tensors | {"pooler.dense.weight": draw(WIDTH, WIDTH), "embeddings.position_ids": torch.arange(PLACES)[None]}


def reference(state, tokens):
    """(T,) token numbers of one text -> (T, WIDTH), as the paper says it."""

    def norm(x, name):
        return layer_norm(x, (WIDTH,), state[f"{name}.weight"], state[f"{name}.bias"], EPSILON)

    def dense(x, name):
        return linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    x = (
        state["embeddings.word_embeddings.weight"][tokens]
        + state["embeddings.position_embeddings.weight"][: len(tokens)]
    )
    x = norm(x + state["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for number in range(DEPTH):
        name = f"encoder.layer.{number}"
        query, key, value = (
            dense(x, f"{name}.attention.self.{part}").view(len(tokens), HEADS, -1).transpose(0, 1)
            for part in ("query", "key", "value")
        )
        seen = (query @ key.transpose(1, 2) / (WIDTH / HEADS) ** 0.5).softmax(-1) @ value
        x = norm(
            x + dense(seen.transpose(0, 1).reshape(len(tokens), WIDTH), f"{name}.attention.output.dense"),
            f"{name}.attention.output.LayerNorm",
        )
        inner = dense(gelu(dense(x, f"{name}.intermediate.dense")), f"{name}.output.dense")
        x = norm(x + inner, f"{name}.output.LayerNorm")
    return x


@torch.no_grad()
def test_it_is_its_formula_and_padding_changes_nothing(state):
    tokens = torch.tensor([[7, 3, 29, 0, 11], [2, 5, 0, 0, 0]])
    there = torch.tensor([[True] * 5, [True, True, False, False, False]])
    found = Bert(state, HEADS)(tokens, there)
    assert torch.allclose(found[0], reference(state, tokens[0]), atol=1e-5)
    assert torch.allclose(found[1, :2], reference(state, tokens[1, :2]), atol=1e-5)


def test_it_is_frozen_and_draws_nothing(state):
    before = torch.get_rng_state()
    bert = Bert(state, HEADS)
    assert torch.equal(torch.get_rng_state(), before)
    assert not bert.training and not any(one.requires_grad or one.is_meta for one in bert.parameters())


def test_other_tensors_are_refused(state):
    del state["encoder.layer.1.output.dense.bias"]
    with pytest.raises(KeyError):
        Bert(state, HEADS)
