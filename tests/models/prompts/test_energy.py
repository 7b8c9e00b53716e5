import pytest
import torch

from models.prompts.energy import EnergyPrompts, sample
from models.prompts.points import prompt_points
from models.sam.prompt_encoder import NOT_A_POINT


def prompts_row(sam, seed=0):
    torch.manual_seed(seed)
    return EnergyPrompts(sam, [9, 9, 256], [16], 24)


def inputs(seed=0, batch=2, rows=6, columns=9):
    generator = torch.Generator().manual_seed(seed)
    energies = [torch.randn(batch, rows, columns, generator=generator) for _ in range(2)]
    return [*energies, torch.randn(batch, 256, rows, columns, generator=generator)]


def test_tokens(none_row, sam_row):
    for sam in (none_row, sam_row):
        tokens, valid = prompts_row(sam)(inputs())
        assert tokens.shape == (2, 36, 24) and valid.shape == (2, 36) and valid.dtype == torch.bool
        assert torch.equal(valid, prompt_points((inputs()[0] + inputs()[1]) / 2, 16).labels != NOT_A_POINT)
        assert 0 < valid.sum() < valid.numel()


def test_own_position_code_is_that_of_mobile_sam(none_row, sam_row):
    """With SAM's matrix, and without its vectors of kinds, both give the same; on a picture that is not square."""
    own, theirs = prompts_row(none_row).code, prompts_row(sam_row).code
    encoder = sam_row.sam.networks.prompt_encoder
    own.gaussian = encoder.pe_layer.positional_encoding_gaussian_matrix
    found = prompt_points(inputs()[0], 16)
    kinds = torch.cat([e.weight for e in (*encoder.point_embeddings, encoder.not_a_point_embed)])[found.labels]
    torch.testing.assert_close(own(found, (96, 144)), theirs(found, (96, 144)) - kinds, atol=1e-5, rtol=0)
    assert not own(found, (96, 144))[found.labels == NOT_A_POINT].any()


def test_position_code_without_mobile_sam_does_not_depend_on_the_global_stream(none_row):
    first, second = prompts_row(none_row, 1), prompts_row(none_row, 2)
    assert torch.equal(first.code.gaussian, second.code.gaussian) and not list(first.code.state_dict())


def test_parameters_are_the_same_in_every_mode(none_row, sam_row):
    assert prompts_row(none_row).state_dict().keys() == prompts_row(sam_row).state_dict().keys()


def test_content_has_a_gradient_and_the_choice_has_none(none_row):
    *energies, lifted = inputs()
    for x in (*energies, lifted):
        x.requires_grad_(True)
    row = prompts_row(none_row)
    tokens, valid = row([*energies, lifted])
    (tokens * valid[..., None] * torch.randn(24)).sum().backward()
    assert all(e.grad is None for e in energies) and lifted.grad.any()
    assert all(row.types.grad.any(1))


def test_each_kind_of_token_has_a_learnt_vector_and_a_missing_token_none(none_row):
    row, given = prompts_row(none_row), inputs()
    before, valid = row(given)
    row.types.data.normal_()
    changed = (row(given)[0] != before).any(-1)
    assert torch.equal(changed, valid)


def test_sample_is_bilinear_between_centres():
    x = torch.arange(6.0).view(1, 1, 2, 3)  # 0 1 2 / 3 4 5, cells of 10 px
    points = torch.tensor([[[5.0, 5.0], [25.0, 15.0], [10.0, 5.0], [15.0, 10.0], [0.0, 0.0], [30.0, 20.0]]])
    assert sample(x, points, (20, 30))[0, :, 0].tolist() == pytest.approx([0, 5, 0.5, 2.5, 0, 5], abs=1e-5)


def test_argument_sam_must_name_such_a_row():
    with pytest.raises(ValueError, match="must name a SAMEmbedding row, not a Linear"):
        EnergyPrompts(torch.nn.Linear(1, 1), [9, 9, 256], [16], 24)
