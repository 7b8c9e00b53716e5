"""The gate and the head that compare cells with texts: by hand, and what they must not depend on."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from models.heads.contrastive import ContrastiveBranch, ContrastiveDetect
from models.layers import text_gate
from models.layers.c2f import TextGuidedC2f
from models.layers.text_gate import TextGate


def gate(channels=64, width=16, seed=0):
    torch.manual_seed(seed)
    module = TextGate(channels, width).eval()
    module.bias.data.normal_()
    return module


def texts(count, width=16, seed=1):
    return normalize(torch.randn(count, width, generator=torch.Generator().manual_seed(seed)), dim=-1)


@torch.no_grad()
def test_gate_by_hand():
    module, x, text = gate(), torch.rand(1, 64, 2, 3), texts(5)
    keys = module.keys(text).view(5, 2, 32)
    projected = module.project(x)
    got = module(x, text)
    for head in range(2):
        for row in range(2):
            for column in range(3):
                cell = x[0, 32 * head : 32 * head + 32, row, column]
                best = max(float(cell @ keys[n, head]) for n in range(5))
                factor = 1 / (1 + math.exp(-(best / math.sqrt(32) + float(module.bias[head]))))
                want = projected[0, 32 * head : 32 * head + 32, row, column] * factor
                assert torch.allclose(got[0, 32 * head : 32 * head + 32, row, column], want, atol=1e-5)


@torch.no_grad()
def test_gate_depends_neither_on_the_order_of_texts_nor_on_the_chunk(monkeypatch):
    module, x, text = gate(), torch.rand(2, 64, 4, 4), texts(600)
    whole = module(x, text)
    assert torch.allclose(module(x, text[torch.randperm(600)]), whole, atol=1e-6)
    for chunk in (1, 7, 599, 10_000):
        monkeypatch.setattr(text_gate, "TEXTS_AT_ONCE", chunk)
        assert torch.allclose(module(x, text), whole, atol=1e-6)


@torch.no_grad()
def test_one_text_for_all_pictures_is_the_same_as_one_each():
    block, x, text = TextGuidedC2f([32, 16], 64, 16).eval(), torch.rand(2, 32, 4, 4), texts(3)
    assert torch.allclose(block([x, text]), block([x, text.expand(2, 3, 16)]), atol=1e-6)


def test_no_text_is_refused():
    with pytest.raises(ValueError, match="at least one text"):
        gate()(torch.rand(1, 64, 2, 2), torch.zeros(0, 16))


@torch.no_grad()
def test_logit_by_hand():
    branch, x, text = ContrastiveBranch(8, 8, 16, -4.0).eval(), torch.rand(1, 8, 3, 2), 3 * texts(4)
    v = branch.bn(branch.embed(branch.tower(x)))
    got = branch(x, text)
    assert got.shape == (1, 4, 3, 2)
    for n in range(4):
        want = float(v[0, :, 2, 1] @ normalize(text[n], dim=0)) * math.exp(-1) - 4
        assert float(got[0, n, 2, 1]) == pytest.approx(want, abs=1e-5)


@torch.no_grad()
def test_permuting_names_permutes_logits_and_a_further_name_leaves_the_others():
    torch.manual_seed(0)
    head = ContrastiveDetect(5, [8, 16, 16], [8, 16], 16).eval()
    maps, text = [torch.rand(2, 8, 4, 4), torch.rand(2, 16, 2, 2)], texts(5)
    logits = head([*maps, text]).class_logits
    order = torch.tensor([3, 0, 4, 1, 2])
    assert torch.allclose(head([*maps, text[order]]).class_logits, logits[..., order], atol=1e-6)
    assert torch.allclose(head([*maps, torch.cat((text, texts(1, seed=9)))]).class_logits[..., :5], logits, atol=1e-6)


def test_first_logits_expect_five_objects_per_level():
    head = ContrastiveDetect(94, [8, 8, 8, 16], [8, 16, 32], 16)
    assert [b.bias.item() for b in head.classes] == pytest.approx([-11.70, -10.31, -8.92], abs=0.01)
