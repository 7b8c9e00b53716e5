"""From predictions to detections in original pixels: what reaches the confidence, pictures seen in several views."""

from dataclasses import replace

import numpy as np
import torch

from models.inference.inference import Inference, detections
from models.inference.nms import NMSConfig, suppress
from utils.values.batch import Batch, Targets
from utils.values.boxes import Letterbox
from utils.values.channels import RGB_CHANNELS
from utils.values.predictions import BoxCode, BoxPredictions
from utils.values.view import View

WHOLE = View(0, (100_000, 100_000), (1.0, 1.0), (0, 0))


def predictions(boxes, objectness, logits):
    return BoxPredictions(BoxCode(boxes[None]), logits[None], objectness[None])


def sure(*inputs):
    """Predictions of one class: for each input of the network its boxes, (x1, y1, x2, y2, logit) each."""
    rows = torch.tensor(inputs)
    return BoxPredictions(BoxCode(rows[..., :4]), rows[..., 4:], None)


def test_detections_against_dense_scores():
    """Every (box, class) above the confidence, sorted, wherever objectness alone would not decide."""
    generator = torch.Generator().manual_seed(0)
    boxes = torch.arange(50.0)[:, None] * 100 + torch.tensor([0.0, 0.0, 50.0, 50.0])
    p = predictions(boxes, torch.randn(50, generator=generator), torch.randn(50, 3, generator=generator))
    found = detections(p, [WHOLE], NMSConfig(conf=0.3))[0]
    dense = (p.class_logits.sigmoid() * p.objectness.sigmoid().unsqueeze(-1))[0]
    assert len(found) == int((dense > 0.3).sum())
    assert torch.equal(found.scores, dense[dense > 0.3].sort(descending=True).values)
    only = detections(p, [WHOLE], NMSConfig(conf=0.3, classes=(2,)))[0]
    assert only.labels.unique().tolist() == [2]


def test_extreme_thresholds_and_nonfinite_boxes():
    boxes = torch.tensor([[0.0, 0.0, 10.0, 10.0], [float("nan"), 0.0, 10.0, 10.0]])
    p = predictions(boxes, torch.tensor([50.0, 50.0]), torch.tensor([[50.0], [50.0]]))
    assert len(detections(p, [WHOLE], NMSConfig(conf=0.0))[0]) == 1
    assert len(detections(p, [WHOLE], NMSConfig(conf=1.0))[0]) == 0


def test_boxes_of_a_letterboxed_picture_are_compared_as_the_network_said_them():
    """Rounding would move boxes by last digits if they were placed in the picture first: what is kept is bit-equal."""
    view = Letterbox.fit((224, 612), (320, 320)).view(7)
    generator = torch.Generator().manual_seed(1)
    corner = torch.rand(300, 2, generator=generator) * 40 + 140
    boxes = torch.cat((corner, corner + 20 + torch.rand(300, 2, generator=generator) * 20), 1)
    logits = torch.randn(300, 1, generator=generator)
    found = detections(BoxPredictions(BoxCode(boxes[None]), logits[None], None), [view], NMSConfig(conf=0.1))
    order = logits.flatten().argsort(descending=True)
    keep = order[suppress(boxes[order], torch.zeros(300), NMSConfig())]
    assert list(found) == [7] and 1 < len(found[7]) < 300
    assert torch.equal(found[7].boxes, view.clip(view.undo(boxes[keep])))


def test_an_object_in_the_overlap_of_two_tiles_is_found_once():
    """Tiles of 60 x 60 px at x = 0 and x = 40 of a picture of 100 x 60 px, each twice as large for the network."""
    areas = ((0, 0, 60, 60), (40, 0, 100, 60))
    tiles = [View(3, (60, 100), (2.0, 2.0), (-2.0 * a[0], 0.0), a, part, 2) for part, a in enumerate(areas)]
    both = [[90.0, 20, 110, 40, 2], [10.5, 20, 30.5, 40, 1]]  # the same object, in the picture at 45..55, 10..20
    alone = [[10.0, 10, 30, 30, 0], [80.0, 80, 100, 100, 0]]
    found = detections(sure([both[0], alone[0]], [both[1], alone[1]]), tiles, NMSConfig(conf=0.1))[3]
    assert found.boxes.tolist() == [[45, 10, 55, 20], [5, 5, 15, 15], [80, 40, 90, 50]]
    apart = [View(picture, (60, 100), (2.0, 2.0), tile.shift) for picture, tile in enumerate(tiles)]
    assert len(detections(sure([both[0]], [both[1]]), apart, NMSConfig(conf=0.1))) == 2


def test_a_mirrored_view_gives_the_same_box():
    plain = View(0, (50, 80), (2.0, 2.0), (0.0, 10.0), parts=2)
    mirrored = replace(plain.mirrored(True, False, (120, 160)), part=1, look=1)
    assert mirrored.scale == (-2.0, 2.0) and mirrored.shift == (160.0, 10.0)
    box = np.array([[10, 20, 30, 45]], np.float32)
    seen = [[*view.apply(box)[0].tolist(), logit] for view, logit in ((plain, 1.0), (mirrored, 2.0))]
    assert seen[1][:4] == [100, 50, 140, 100]
    alone = replace(mirrored, parts=1)
    for views, rows in (((plain, mirrored), seen), ((mirrored, plain), seen[::-1]), ((alone,), seen[1:])):
        found = detections(sure(*([row] for row in rows)), views, NMSConfig())[0]
        assert found.boxes.tolist() == box.tolist() and found.scores.item() > 0.88


class TwoBoxes:
    """A backend that says the same of every picture."""

    stride, channels, device = 32, RGB_CHANNELS, torch.device("cpu")

    def __call__(self, images):
        assert images.max() == 1.0
        return sure(*[[[4.0, 4, 8, 8, 1], [-5.0, 12, 40, 40, 0]]] * len(images))


def test_a_backend_is_all_that_inference_needs():
    views = (View(5, (16, 32), (1.0, 1.0), (0, 8)), View(4, (64, 64), (0.5, 0.5), (0, 0)))
    none = torch.zeros(0, dtype=torch.long)
    images = torch.full((2, 3, 32, 32), 255, dtype=torch.uint8)
    batch = Batch(images, Targets(none, none, torch.zeros(0, 4)), (5, 4), views)
    found = Inference((TwoBoxes(),), NMSConfig(), torch.tensor([1]), ("oil", "bubble"))([batch])
    assert found[5].boxes.tolist() == [[0, 4, 32, 16]]
    assert found[4].boxes.tolist() == [[8, 8, 16, 16], [0, 24, 64, 64]]
    assert found[4].labels.tolist() == [1, 1] and found[4].names == ("oil", "bubble")


def logit(score):
    return float(torch.logit(torch.tensor(score)))


def test_fused_looks_have_the_same_scores_whatever_confidence_is_asked_for():
    """0.6 and 0.2 are 0.4 together, also where 0.25 is asked for; what one look sees with 0.3 alone is 0.15: too
    little. Thresholds are chosen on scores of all that was found, and questions ask of faint things, too.
    """
    rows = sure(
        [[10.0, 10, 30, 30, logit(0.6)], [60.0, 60, 90, 90, logit(0.3)]],
        [[10.0, 10, 30, 30, logit(0.2)], [60.0, 60, 90, 90, logit(1e-4)]],
    )
    views = tuple(replace(View(0, (100, 100), (1.0, 1.0), (0, 0), parts=2, looks=2), part=k, look=k) for k in (0, 1))
    for conf in (0.001, 0.1, 0.25):
        network = Inference((lambda inputs: rows,), NMSConfig(conf=conf), torch.tensor([0]), ("oil",), "wbf")
        scores = network.detections(network.predictions(as_batch(views)), views)[0].scores.tolist()
        assert np.allclose(scores, [one for one in (0.4, 0.15) if one > conf], atol=1e-6)


def as_batch(views):
    none = torch.zeros(0, dtype=torch.long)
    images = torch.full((len(views), 3, 32, 32), 255, dtype=torch.uint8)
    return Batch(images, Targets(none, none, torch.zeros(0, 4)), tuple(range(len(views))), views)


def test_classes_that_become_one_are_one_to_nms_and_others_are_not():
    """`val.py --map-classes a=x b=x`: a box of class c may still lie on one of a."""
    boxes = torch.tensor([[10.0, 10, 50, 50]] * 3)
    p = predictions(boxes, torch.full((3,), 9.0), torch.tensor([[3.0, -9, -9], [-9.0, 2, -9], [-9.0, -9, 1]]))
    cfg, alike = NMSConfig(conf=0.3), torch.tensor([0, 0, 1])
    assert detections(p, [WHOLE], cfg)[0].labels.tolist() == [0, 1, 2]
    merged = detections(p, [WHOLE], cfg, alike)[0]
    assert merged.labels.tolist() == [0, 1] and merged.scores.tolist() == sorted(merged.scores.tolist(), reverse=True)
    assert detections(p, [WHOLE], cfg, torch.zeros(3, dtype=torch.int64))[0].labels.tolist() == [0]
    network = Inference((lambda inputs: p,), cfg, alike, ("x", "c"))
    assert network.detections((p,), [WHOLE])[0].names == ("x", "c")
    assert network.detections((p,), [WHOLE])[0].labels.tolist() == [0, 1]


def test_a_box_beside_the_picture_is_no_detection():
    """A picture of 60 x 100 px with 10 px of padding above: one box lies in the padding, one reaches out of it."""
    view = View(0, (60, 100), (1.0, 1.0), (0.0, 10.0))
    found = detections(sure([[20.0, 0, 40, 9, 3], [20.0, 4, 40, 30, 2], [99.0, 20, 130, 40, 1]]), [view], NMSConfig())[
        0
    ]
    assert found.boxes.tolist() == [[20, 0, 40, 20], [99, 10, 100, 30]]
