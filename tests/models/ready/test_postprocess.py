import numpy as np
import pytest
import torch

from models.ready.postprocess import BLOCK, NMSConfig, detections, suppress, undo_letterbox
from utils.values.boxes import Letterbox, pairwise_iou
from utils.values.detections import Detections
from utils.values.predictions import BoxCode, Predictions


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


def predictions(boxes, objectness, logits):
    n = len(boxes)
    return Predictions(
        code=BoxCode(boxes[None]),
        class_logits=logits[None],
        objectness=objectness[None],
        points=torch.zeros(n, 2),
        strides=torch.ones(n),
        level_sizes=(n,),
        grids=((1, n),),
    )


def test_detections_against_dense_scores():
    """Every (box, class) above the confidence, sorted, wherever objectness alone would not decide."""
    generator = torch.Generator().manual_seed(0)
    boxes = torch.arange(50.0)[:, None] * 100 + torch.tensor([0.0, 0.0, 50.0, 50.0])
    p = predictions(boxes, torch.randn(50, generator=generator), torch.randn(50, 3, generator=generator))
    (found,) = detections(p, NMSConfig(conf=0.3))
    dense = p.scores()[0]
    assert len(found) == int((dense > 0.3).sum())
    assert torch.equal(found.scores, dense[dense > 0.3].sort(descending=True).values)
    (only,) = detections(p, NMSConfig(conf=0.3, classes=(2,)))
    assert only.labels.unique().tolist() == [2]


def test_extreme_thresholds_and_nonfinite_boxes():
    boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0], [float("nan"), 0.0, 10.0, 10.0]])
    p = predictions(boxes, torch.tensor([50.0, 50.0]), torch.tensor([[50.0], [50.0]]))
    assert len(detections(p, NMSConfig(conf=0.0))[0]) == 1
    assert len(detections(p, NMSConfig(conf=1.0))[0]) == 0


def test_undo_letterbox_inverts_apply():
    letterbox = Letterbox.fit((224, 612), (320, 320))
    boxes = np.array([[10, 20, 50, 60], [0, 0, 612, 224]], np.float32)
    inside = torch.from_numpy(letterbox.apply(boxes))
    found = Detections(inside, torch.ones(2), torch.zeros(2, dtype=torch.long))
    torch.testing.assert_close(
        undo_letterbox([found], [letterbox])[0].boxes, torch.from_numpy(boxes), atol=1e-3, rtol=0
    )
