"""What hidden pixels become."""

import pytest
import torch

from models.explaining.filling import filled

WHOLE = torch.tensor([0.0, 0, 64, 48])


def test_a_plain_picture_stays_as_it_is():
    image = torch.tensor([0.3, 0.7, 0.0])[:, None, None].expand(3, 48, 64)
    for box in ([10.0, 10, 30, 30], [0.0, 0, 64, 48], [40.0, 20, 41, 21]):
        torch.testing.assert_close(filled(image, torch.tensor(box), WHOLE), image, atol=1e-6, rtol=1e-5)


def test_the_object_is_gone_and_its_surroundings_are_in_its_place():
    """Dark on the left, bright on the right, a white object between them."""
    image = torch.full((1, 48, 64), 0.2)
    image[:, :, 32:] = 0.6
    box = torch.tensor([24.0, 16, 40, 32])
    image[:, 16:32, 24:40] = 1.0
    result = filled(image, box, WHOLE)[0]
    assert result[16:32, 24:40].max() < 0.6 and result[24, 32] == pytest.approx(0.4, abs=0.02)
    assert result[24, 24] < result[24, 32] < result[24, 39] and result[24, 2] == pytest.approx(0.2, abs=0.02)


def test_padding_has_no_part_in_it():
    image = torch.full((2, 64, 64), 9.0)
    image[:, 16:48] = 0.5
    result = filled(image, torch.tensor([20.0, 16, 50, 40]), torch.tensor([0.0, 16, 64, 48]))
    torch.testing.assert_close(result, torch.full((2, 64, 64), 0.5), atol=1e-5, rtol=0)


def test_of_a_box_that_is_the_picture_its_mean_is_left():
    image = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0))
    box = torch.tensor([0.0, 0, 32, 32])
    want = image.mean((1, 2))[:, None, None].expand(3, 32, 32)
    torch.testing.assert_close(filled(image, box, box), want, atol=1e-5, rtol=0)


def test_a_large_box_is_filled_as_smoothly_as_a_small_one():
    """Twice the picture, twice the box: the same filling, though it is worked out on a coarser picture."""
    image = torch.rand(1, 40, 40, generator=torch.Generator().manual_seed(0))
    large = image.repeat_interleave(4, 1).repeat_interleave(4, 2)
    small, big = torch.tensor([10.0, 8, 30, 30]), torch.tensor([40.0, 32, 120, 120])
    one = filled(image, small, torch.tensor([0.0, 0, 40, 40]))
    other = filled(large, big, torch.tensor([0.0, 0, 160, 160]))
    assert (one - other[:, 1::4, 1::4]).abs().max() < 0.05
