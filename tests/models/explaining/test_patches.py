"""Patches over a box, against worked-out pixels."""

import pytest
import torch

from models.explaining.patches import Scale, patches_over, rectangle


def test_a_rectangle_covers_parts_of_pixels():
    mask = rectangle(torch.tensor([1.25, 0.5, 3.0, 2.0]), (3, 4))
    across, down = torch.tensor([0, 0.75, 1, 0]), torch.tensor([0.5, 1, 0])
    assert torch.equal(mask, down[:, None] * across)
    assert rectangle(torch.tensor([1.25, 0.5, 1.5, 0.75]), (3, 4)).sum() == pytest.approx(1 / 16)


def test_a_grown_rectangle_keeps_its_middle():
    assert torch.equal(
        rectangle(torch.tensor([3.0, 3, 5, 5]), (8, 8), 2), rectangle(torch.tensor([2.0, 2, 6, 6]), (8, 8))
    )


def test_patches_are_steps_of_the_grown_box_and_overlap_by_half_a_step():
    """A box of 20 x 40 px at 40..60, 30..70, twice as large, in 4 x 4 steps: 10 x 20 px each, patches of 15 x 30 px."""
    patches = patches_over(torch.tensor([40.0, 30, 60, 70]), (100, 100), Scale(2.0, 4))
    assert len(patches) == 16 and patches.masks(0, 3).shape == (3, 100, 100)
    first = patches.masks(0, 1)[0]
    assert first.sum() == pytest.approx(15 * 30, rel=0.01)
    rows, columns = (first > 0.5).nonzero(as_tuple=True)
    # its middle is at 35, 20; from 27.5 to 42.5, and from 5 to 35
    assert (columns.min(), columns.max(), rows.min(), rows.max()) == (28, 41, 5, 34)
    inside = patches.covered()[10:90, 30:70]
    assert inside.min() >= 0.99 and torch.allclose(patches.covered(), patches.masks(0, 16).sum(0), atol=1e-4)
    weights = torch.arange(16.0)
    want = (patches.masks(0, 16) * weights[:, None, None]).sum(0)
    assert torch.allclose(patches.weighted(weights), want, atol=1e-3)


def test_patches_beyond_the_input_are_left_out_and_tiny_boxes_are_covered_by_4_px():
    box = torch.tensor([0.0, 48, 2, 50])
    patches = patches_over(box, (100, 100), Scale(2.0, 4))  # from -7 to 9: the first column ends at -4
    assert len(patches) == 12 and patches.masks(0, 12).sum((1, 2)).min() > 0
    assert patches_over(box + 40, (100, 100), Scale(2.0, 4)).masks(0, 1).sum() == pytest.approx(36, rel=0.01)
