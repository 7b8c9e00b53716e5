"""Losses beside the predictions, by hand."""

import math

import pytest
import torch

from models.losses.side_losses import energy_loss, occupancy
from utils.values.batch import Targets


def targets(*rows):
    """Rows of picture, x1, y1, x2, y2."""
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 5)
    return Targets(table[:, 0].long(), torch.zeros(len(table), dtype=torch.long), table[:, 1:])


def test_occupancy_marks_every_cell_that_a_box_touches():
    marked = occupancy(targets((0, 15, 1, 17, 3), (2, 0, 0, 32, 16)), torch.Size((3, 4, 2)), (64, 32))
    assert marked[0].nonzero().tolist() == [[0, 0], [0, 1]]  # cells of 16 px: the box straddles the border at 16
    assert not marked[1].any()
    assert marked[2].nonzero().tolist() == [[0, 0], [0, 1]]  # it ends where the next row begins


def test_energy_loss_by_hand():
    energy = torch.tensor([[[2.0, -1.0]], [[0.5, 0.5]]])
    loss = energy_loss(energy, targets((0, 1, 1, 3, 3)), (16, 32))
    soft = [math.log1p(math.exp(x)) for x in (2.0, 1.0, -0.5)]  # E inside; -E outside
    assert loss.tolist() == pytest.approx([(soft[0] + soft[1]) / 2, soft[2] / 2])


def test_energy_loss_asks_for_low_energy_inside_and_high_outside():
    energy = torch.zeros(1, 2, 2, requires_grad=True)
    energy_loss(energy, targets((0, 0, 0, 16, 16)), (32, 32)).sum().backward()
    assert energy.grad[0, 0, 0] > 0 and (energy.grad.flatten()[1:] < 0).all()
