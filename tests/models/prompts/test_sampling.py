import math

import pytest
import torch

from models.prompts.sampling import channel_norm, kept_share, saliency, sparse_mask


def test_saliency_by_hand():
    """Inverse minimal energies as SimAM writes them, mean over channels, then standardised over positions."""
    z = torch.tensor([[[[1.0, 2.0], [3.0, 6.0]], [[0.0, 0.0], [0.0, 4.0]]]])
    small, scores = 1e-4, []
    for position in range(4):
        inverse = []
        for channel in z[0].flatten(1).tolist():
            mean = sum(channel) / 4
            variance = sum((x - mean) ** 2 for x in channel) / 4
            energy = 4 * (variance + small) / ((channel[position] - mean) ** 2 + 2 * variance + 2 * small)
            inverse.append(1 / energy)
        scores.append(sum(inverse) / 2)
    mean = sum(scores) / 4
    deviation = math.sqrt(sum((s - mean) ** 2 for s in scores) / 4)
    want = [(s - mean) / deviation for s in scores]
    assert saliency(z).flatten().tolist() == pytest.approx(want, abs=1e-4)
    assert saliency(z).flatten().argmax() == 3  # the corner that differs in both channels


def test_what_is_the_same_everywhere_is_not_salient():
    assert not saliency(torch.zeros(2, 5, 3, 4)).any()


def test_channel_norm():
    x = channel_norm(torch.randn(2, 64, 3, 5, generator=torch.Generator().manual_seed(0)) * 3 + 2)
    assert x.mean(1).abs().max() < 1e-5 and (x.var(1, correction=0) - 1).abs().max() < 1e-4
    assert not channel_norm(torch.zeros(1, 8, 2, 2)).any()


@pytest.mark.parametrize(("share", "kept"), [(1.0, 12), (0.25, 3), (0.26, 4), (0.01, 1), (1 - 0.75 * 2 / 3, 6)])
def test_sparse_mask_keeps_the_lowest(share, kept):
    energy = torch.randperm(24, generator=torch.Generator().manual_seed(0)).view(2, 3, 4) / 10 - 1
    mask = sparse_mask(energy, share)
    assert mask.shape == (2, 1, 3, 4)
    for values, shown in zip(energy.flatten(1), mask.flatten(1), strict=True):
        lowest = values.sort().indices[:kept]
        assert set(shown.nonzero().flatten().tolist()) == set(lowest.tolist())
        assert torch.allclose(shown[lowest], (-values[lowest]).sigmoid())


def test_gradient_flows_through_what_is_kept_and_only_there():
    energy = torch.tensor([[[0.0, 1.0], [2.0, 3.0]]], requires_grad=True)
    sparse_mask(energy, 0.5).sum().backward()
    assert (energy.grad != 0).flatten().tolist() == [True, True, False, False]


def test_share_falls_over_the_first_twentieth_of_the_training():
    shares = [kept_share(0.25, progress) for progress in (0.0, 0.025, 0.05, 0.5, 1.0)]
    assert shares == pytest.approx([1.0, 0.625, 0.25, 0.25, 0.25])
