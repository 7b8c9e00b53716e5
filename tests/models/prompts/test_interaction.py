import pytest
import torch
from torch.nn.functional import normalize

from models.prompts.interaction import CrossAttention, TextVisualInteraction, VisualGuides, join
from models.rows.row_context import Context
from utils.values.step_info import StepInfo

DIM, TEXTS, TOKENS = 24, 5, 7


def inputs(seed=0):
    generator = torch.Generator().manual_seed(seed)
    maps = [torch.randn(2, c, 8 // n, 12 // n, generator=generator) for c, n in ((6, 1), (8, 2), (10, 4))]
    text = normalize(torch.randn(TEXTS, DIM, generator=generator), dim=-1)
    visual = 5 * torch.randn(2, TOKENS, DIM, generator=generator)
    valid = torch.rand(2, TOKENS, generator=generator) < 0.7
    return [*maps, text, visual, valid]


def interaction(alpha=0.5):
    torch.manual_seed(0)
    row = TextVisualInteraction([6, 8, 10, DIM, DIM, TOKENS], DIM, width=64)
    row.alpha_text.data.fill_(alpha)
    return row


def test_cross_attention_against_a_loop():
    torch.manual_seed(0)
    layer, asking, asked = CrossAttention(DIM, 64), torch.randn(2, 3, DIM), torch.randn(2, 4, DIM)
    valid = torch.tensor([[True, True, False, True], [False, True, False, False]])
    got = layer(asking, asked, valid)
    for i in range(2):
        answers = layer.norm_asked(asked[i][valid[i]])
        q, k, v = layer.query(layer.norm_asking(asking[i])), layer.key(answers), layer.value(answers)
        heads = [((q[:, s] @ k[:, s].T) / 32**0.5).softmax(-1) @ v[:, s] for s in (slice(0, 32), slice(32, 64))]
        torch.testing.assert_close(got[i], layer.out(torch.cat(heads, -1)))
    with pytest.raises(ValueError, match="multiple of 32"):
        CrossAttention(DIM, 48)


def test_shapes_and_text_unchanged_at_the_start():
    text, guides = interaction(alpha=0.0)(inputs(), Context())
    assert text.shape == (2, TEXTS, DIM) and guides.shape == (2, TEXTS + TOKENS, DIM)
    torch.testing.assert_close(text, inputs()[3].expand(2, -1, -1))
    assert torch.equal(guides[:, :TEXTS], text)


def test_informed_text_has_unit_length_and_depends_on_maps_and_tokens():
    row, given = interaction(), inputs()
    text, guides = row(given, Context())
    torch.testing.assert_close(text.norm(dim=-1), torch.ones(2, TEXTS))
    torch.testing.assert_close(guides.norm(dim=-1), torch.ones(2, TEXTS + TOKENS))
    for place in (0, 1, 2, 4):
        changed = list(given)
        changed[place] = given[place] + 1 + given[place].square()
        assert not torch.allclose(row(changed, Context())[0], text, atol=1e-4)


def test_tokens_that_do_not_exist_change_nothing():
    row, given = interaction(), inputs()
    valid = given[5]
    assert 0 < valid.sum() < valid.numel()
    changed = [*given[:4], torch.where(valid[..., None], given[4], 1e3), valid]
    for a, b in zip(row(given, Context()), row(changed, Context()), strict=True):
        torch.testing.assert_close(a, b)


def test_a_token_that_does_not_exist_stands_as_the_first_text():
    text, visual = torch.eye(3, DIM).expand(2, -1, -1), 4 * torch.eye(DIM)[[5, 6]].expand(2, -1, -1)
    guides = join(text, visual, torch.tensor([[True, False], [True, True]]))
    assert guides[:, :, :8].argmax(-1).tolist() == [[0, 1, 2, 5, 0], [0, 1, 2, 5, 6]]
    assert torch.equal(guides.norm(dim=-1), torch.ones(2, 5))


@pytest.mark.parametrize("kind", ["interaction", "guides"])
def test_nothing_that_is_only_looked_for_guides_in_the_place_of_a_token(kind):
    row, (*maps, text, visual, valid) = interaction(), inputs()
    if kind == "guides":
        row, maps = VisualGuides([DIM, DIM, TOKENS]), []
    assert not valid.all()
    row.asked = 2  # the other texts guide
    _, guides = row([*maps, text, visual, valid], Context())
    other = torch.cat((text[:2].flip(-1), text[2:]))
    _, same = row([*maps, other, visual, valid], Context())
    torch.testing.assert_close(row.guiding(same), row.guiding(guides))


def test_permuting_names_permutes_the_text():
    row, given, order = interaction(), inputs(), torch.tensor([3, 0, 4, 1, 2])
    text, guides = row(given, Context())
    text2, guides2 = row([*given[:3], given[3][order], *given[4:]], Context())
    torch.testing.assert_close(text2, text[:, order])
    valid = given[5]
    torch.testing.assert_close(guides2[:, TEXTS:][valid], guides[:, TEXTS:][valid])


@pytest.mark.parametrize("kind", ["interaction", "guides"])
def test_bypass_gives_plain_text(moment_when, kind):
    row, given = (
        (interaction(), inputs()) if kind == "interaction" else (VisualGuides([DIM, DIM, TOKENS]), inputs()[3:])
    )
    given[-2].requires_grad_(True)
    text, guides = row(given, Context(moment_when(bypass=True)))
    assert torch.equal(text, inputs()[3].expand(2, -1, -1)) and torch.equal(guides, text)
    (text.sum() + guides.square().sum()).backward()
    assert all(p.grad is not None and not p.grad.any() for p in row.parameters())  # zero times, but it takes part
    assert given[-2].grad is not None and not given[-2].grad.any()
    assert row(given, Context(moment_when(bypass=False)))[1].shape[1] == TEXTS + TOKENS


def test_half_of_the_batches_bypass():
    draws = [Context(StepInfo(0, step, 0.0)).chance("text without visual guides") for step in range(2000)]
    assert 0.47 < sum(d < 0.5 for d in draws) / 2000 < 0.53


def test_every_parameter_gets_a_gradient():
    row = interaction()
    text, guides = row(inputs(), Context())
    (text * torch.randn(DIM)).sum().add((guides * torch.randn(DIM)).sum()).backward()
    assert all(p.grad.abs().max() > 1e-6 for p in row.parameters())


def test_static_row_is_the_text():
    text = inputs()[3]
    for row, empty in ((interaction(), [None] * 3), (VisualGuides([DIM, DIM, TOKENS]), [])):
        assert all(constant is text for constant in row.static([*empty, text, None, None]))
