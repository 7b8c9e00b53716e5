import torch

from models.prompts.points import minima, prompt_points, window_boxes
from models.sam.prompt_encoder import BOTTOM_RIGHT, NEGATIVE, NOT_A_POINT, POSITIVE, TOP_LEFT


def hollow(rows, columns, *cells):
    """High everywhere but in `cells`, (row, column, energy)."""
    energy = torch.full((1, rows, columns), 60.0)
    for row, column, value in cells:
        energy[0, row, column] = value
    return energy


def test_points_and_boxes_by_hand_on_a_wide_picture():
    """5 x 12 cells of 16 px. One cell of its own in a corner, and two side by side, the right one a little higher."""
    energy = hollow(5, 12, (0, 0, -50.0), (2, 9, -40.0), (2, 10, -39.0))
    energy[0, 4, 5] = 70.0
    found = prompt_points(energy, 16)
    assert found.points.shape == found.centres.shape == (1, 36, 2) and found.labels.shape == (1, 36)
    assert found.points[0, :2].tolist() == [[8.0, 8.0], [152.0, 40.0]]  # x, y of the cells' centres, lowest first
    assert found.points[0, 16].tolist() == [88.0, 72.0]  # the highest
    corners = found.points[0, 20:24].tolist()
    assert corners == [[0.0, 0.0], [16.0, 16.0], [144.0, 32.0], [176.0, 48.0]]  # a cell; both cells side by side
    assert found.centres[0, 20:24].tolist() == [[8.0, 8.0]] * 2 + [[160.0, 40.0]] * 2
    assert torch.equal(found.centres[:, :20], found.points[:, :20])


def test_labels_say_what_exists():
    energy = hollow(8, 8, (1, 1, -50.0), (5, 5, -40.0)) + torch.arange(64.0).view(8, 8) * 1e-3
    labels = prompt_points(energy, 16).labels[0]
    assert labels[:16].tolist() == [POSITIVE] * 2 + [POSITIVE if v else NOT_A_POINT for v in found_minima(energy)[2:16]]
    assert labels[16:20].tolist() == [NEGATIVE] * 4
    boxes = labels[20:].view(8, 2).tolist()
    assert boxes == [[TOP_LEFT, BOTTOM_RIGHT] if p == POSITIVE else [NOT_A_POINT] * 2 for p in labels[:8].tolist()]
    assert NOT_A_POINT in labels[:16]


def found_minima(energy):
    count = int(minima(energy).sum())
    return [True] * count + [False] * (16 - count)


def test_a_plateau_has_one_minimum():
    assert minima(torch.zeros(1, 4, 5)).nonzero().tolist() == [[0, 0, 0]]
    energy = torch.tensor([[[3.0, 1.0, 3.0], [3.0, 3.0, 3.0], [2.0, 2.0, 3.0]]])
    assert minima(energy).nonzero().tolist() == [[0, 0, 1], [0, 2, 0]]


def test_fewer_cells_than_tokens():
    found = prompt_points(torch.tensor([[[0.0], [1.0]]]), 16)
    assert found.labels[0, :16].tolist() == [POSITIVE] + [NOT_A_POINT] * 15
    assert found.labels[0, 16:20].tolist() == [NEGATIVE] * 2 + [NOT_A_POINT] * 2
    assert found.points.isfinite().all() and found.centres.isfinite().all()


def test_a_box_stays_in_its_window_and_in_the_picture():
    flat = torch.zeros(1, 30, 40)
    middle, corner = window_boxes(flat, torch.tensor([[15 * 40 + 20, 0]]))[0].tolist()
    assert middle == [16.0, 11.0, 25.0, 20.0]  # everything alike: all of the 9 x 9 window
    assert corner[:2] == [0.0, 0.0] and max(corner) <= 5.5


def test_pictures_of_a_batch_do_not_mix():
    energy = torch.randn(3, 6, 9, generator=torch.Generator().manual_seed(0))
    together = prompt_points(energy, 16)
    for i in range(3):
        alone = prompt_points(energy[i : i + 1], 16)
        assert torch.equal(alone.labels[0], together.labels[i])
        torch.testing.assert_close(alone.points[0], together.points[i])
