"""The boxes that NMS keeps are those of the textbook."""

import pytest
import torch

from models.inference.nms import BLOCK, NMSConfig, suppress
from utils.values.boxes import pairwise_iou


def greedy(boxes, labels, threshold):
    """Textbook per-class NMS over boxes sorted by score."""
    overlap = pairwise_iou(boxes, boxes)
    kept = []
    for i in range(len(boxes)):
        if all(labels[i] != labels[j] or overlap[i, j] <= threshold for j in kept):
            kept.append(i)
    return kept


def clustered(n, classes, seed):
    generator = torch.Generator().manual_seed(seed)
    centre = torch.rand(8, 2, generator=generator)[torch.randint(8, (n,), generator=generator)] * 600
    centre = centre + torch.randn(n, 2, generator=generator) * 6
    size = torch.rand(n, 2, generator=generator) * 40 + 10
    return torch.cat((centre - size / 2, centre + size / 2), 1), torch.randint(classes, (n,), generator=generator)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [1, 7])
def test_nms_is_the_greedy_set(seed, classes):
    boxes, labels = clustered(BLOCK + 300, classes, seed)
    kept = suppress(boxes, labels, NMSConfig(iou=0.5, max_det=len(boxes)))
    assert kept.tolist() == greedy(boxes, labels, 0.5)
    few = suppress(boxes, labels, NMSConfig(iou=0.5, max_det=5))
    assert few.tolist() == kept.tolist()[:5]


def test_agnostic_nms_ignores_classes():
    boxes, labels = clustered(200, 5, 0)
    kept = suppress(boxes, labels, NMSConfig(iou=0.5, agnostic=True))
    assert kept.tolist() == greedy(boxes, torch.zeros_like(labels), 0.5)
