import copy

import pytest
import torch
from torch import nn

from models.graph.builder import build_graph
from models.prompts.projection import DomainProjection
from models.prompts.sampling import channel_norm
from models.rows.model_spec import read_spec
from models.rows.row_context import Context
from utils.values.step_info import StepInfo
from utils.words.errors import ConfigError


def row(sam, c=8, stride=2, off_start=True, **keywords):
    """A projection; with `off_start` its last 1x1 is no longer zero."""
    torch.manual_seed(0)
    keywords.setdefault("hidden", 16)
    module = DomainProjection(sam, [c, 256], [stride, 16], **keywords)
    if off_start:
        nn.init.normal_(module.lower.weight, std=0.1)
    return module


def inputs(c=8, stride=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(2, c, 64 // stride, 96 // stride, generator=generator)
    return [x, torch.randn(2, 256, 4, 6, generator=generator)]


@pytest.mark.parametrize("stride", [2, 4, 8, 16])
def test_shapes_and_identity_at_the_start(sam_row, stride):
    context = Context()
    given = inputs(stride=stride)
    x, energy, lifted = row(sam_row, stride=stride, off_start=False)(given, context)
    assert torch.equal(x, given[0]) and energy.shape == (2, 4, 6) and lifted.shape == (2, 256, 4, 6)
    assert context.energies == [energy] and not context.reconstructions


def test_reconstruction_loss_starts_at_two(sam_row):
    for seed in range(3):
        context = Context(StepInfo(0, seed, 0.0))
        row(sam_row, hidden=256)(inputs(seed=seed), context)
        (loss,) = context.reconstructions
        assert loss.shape == (2,) and loss.tolist() == pytest.approx([2.0, 2.0], abs=0.2)


def test_a_perfect_reconstruction_has_no_loss(sam_row):
    class Perfect(nn.Module):
        def forward(self, _):
            return channel_norm(given[1])

    given, context, module = inputs(), Context(StepInfo(0, 0, 0.0)), row(sam_row)
    module.own.reconstruct = Perfect()
    module(given, context)
    assert context.reconstructions[0].tolist() == pytest.approx([0, 0], abs=1e-5)


def test_the_target_of_the_loss_is_the_normalised_embedding(sam_row):
    """Mean square plus 1 - cosine, by hand."""
    module, given, context = row(sam_row), inputs(), Context(StepInfo(0, 1, 0.0))
    seen = []
    module.own.reconstruct.register_forward_hook(lambda *a: seen.append(a[2]))
    module(given, context)
    z = given[1] - given[1].mean(1, keepdim=True)
    z = z / z.square().mean(1, keepdim=True).sqrt()
    cosine = (seen[0] * z).sum(1) / (seen[0].norm(dim=1) * z.norm(dim=1))
    want = (seen[0] - z).square().mean((1, 2, 3)) + (1 - cosine).mean((1, 2))
    torch.testing.assert_close(context.reconstructions[0], want, atol=1e-4, rtol=0)


def test_mask_shows_a_quarter_later_and_all_at_first(sam_row, moment_when):
    module, shown = row(sam_row), []
    module.own.reconstruct.register_forward_hook(lambda *a: shown.append((a[1][0][:, -1] > 0).sum((1, 2)).tolist()))
    for step_info in (moment_when(0.0, blind=False), moment_when(1.0, blind=False), None):
        module(inputs(), Context(step_info))
    assert shown == [[24, 24], [6, 6], [6, 6]]


def test_without_the_mask_the_map_does_not_know_the_embedding_but_the_loss_does(sam_row, moment_when):
    module = row(sam_row)
    blind, other = Context(moment_when(blind=True)), Context(moment_when(blind=True))
    given, changed = inputs(), [inputs()[0], inputs(seed=1)[1]]
    assert torch.equal(module(given, blind)[0], module(changed, other)[0])
    assert not torch.allclose(blind.reconstructions[0], other.reconstructions[0])
    seeing = moment_when(blind=False)
    assert not torch.allclose(module(given, Context(seeing))[0], module(changed, Context(seeing))[0])


@pytest.mark.parametrize("blind", [True, False])
def test_every_parameter_takes_part_in_every_batch(sam_row, moment_when, blind):
    module, context = row(sam_row), Context(moment_when(blind=blind))
    module(inputs(), context)[0].square().mean().backward()
    gradients = {name: p.grad for name, p in module.named_parameters()}
    assert all(g is not None for g in gradients.values())
    masks = [g.abs().sum() > 0 for name, g in gradients.items() if ".mask." in name]
    assert len(masks) == 4 and all(g is not blind for g in map(bool, masks))


def test_draws_are_those_of_the_step_alike_for_all_levels():
    draws = [Context(StepInfo(3, step, 0.0)).chance("projection without SAM") for step in range(2000)]
    assert draws == [Context(StepInfo(3, step, 0.9)).chance("projection without SAM") for step in range(2000)]
    assert 0.27 < sum(d < 0.3 for d in draws) / 2000 < 0.33
    assert draws != [Context(StepInfo(4, step, 0.0)).chance("projection without SAM") for step in range(2000)]


def test_off_leaves_a_residual_block_without_reconstruction_loss(none_row):
    module, context = row(none_row), Context(StepInfo(0, 0, 0.0))
    x, z = inputs()[0], torch.zeros(2, 256, 4, 6)
    out, energy, _ = module([x, z], context)
    assert not context.reconstructions and len(context.energies) == 1
    pooled = module.lift(nn.functional.avg_pool2d(x, 8))
    body = module.own.reconstruct
    change = module.lower(body.second(body.first(torch.cat((pooled, torch.zeros(2, 1, 4, 6)), 1)).relu()))
    change = nn.functional.interpolate(change, size=(32, 48), mode="bilinear")
    torch.testing.assert_close(out, x + change)
    torch.testing.assert_close(energy, -module.own.mask(pooled)[:, 0])


@pytest.mark.parametrize("stride", [2, 8])
@torch.no_grad()
def test_static_row_equals_the_row_without_mobile_sam(none_row, stride):
    module = row(none_row, stride=stride)
    x = inputs(stride=stride)[0]
    folded = module.static([None, None])
    (out,) = folded.layer(x)
    assert folded.sources == (0,) and not folded.takes_list
    want = module([x, torch.zeros(2, 256, 4, 6)], Context())[0]
    assert (out - want).abs().max() < 1e-5 and (want - x).abs().max() > 0.01
    assert sum(p.numel() for p in folded.layer.parameters()) == 2 * 8 * 16 * 9 + 16 + 8


@torch.no_grad()
def test_static_row_folds_shared_convolutions_without_touching_them(none_row):
    owner = row(none_row)
    other = row(none_row, c=4, stride=4, hidden=0, shared=owner)
    before = copy.deepcopy(owner.state_dict())
    x = inputs(c=4, stride=4)[0]
    (out,) = other.static([None, None]).layer(x)
    assert (out - other([x, torch.zeros(2, 256, 4, 6)], Context())[0]).abs().max() < 1e-5
    assert all(torch.equal(before[name], value) for name, value in owner.state_dict().items())


def test_sharing_counts_once_and_survives_a_copy(none_row):
    owner = row(none_row)
    pair = nn.ModuleList([owner, row(none_row, hidden=0, shared=owner)])
    assert len(list(pair[1].parameters())) == 2 and not [n for n in pair.state_dict() if n.startswith("1.own")]
    twin = copy.deepcopy(pair).double()
    assert twin[1].convolutions is twin[0].own is not owner.own
    assert twin[1].convolutions.mask.first.weight.dtype == torch.float64


def test_mistakes_are_told_at_their_row(none_row):
    spec = read_spec("cfg/models/rtvpnet-projection-n.yaml")
    for arguments, words in (
        ([{"shared": "edp0"}], "'sam' is missing"),
        (["z", {"shared": "z"}], "'shared' must name a DomainProjection row that has its own"),
        (["edp0", {"shared": "edp0"}], "'sam' must name a SAMEmbedding row, not a DomainProjection"),
        (["z", {"shared": "edp0", "hidden": 8}], "'hidden' belongs to the row whose"),
        (["z", {"keep": 0.0}], "keep must be above 0"),
        (["z", {"hidden": -1}], "hidden must not be negative"),
    ):
        rows = [list(r) for r in spec.data["backbone"]]
        rows[5][3] = arguments
        with pytest.raises(ConfigError, match=words):
            build_graph(spec.with_values(backbone=rows))
