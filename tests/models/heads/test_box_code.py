"""Boxes are decoded where somebody looks, and nowhere else."""

import pytest
import torch

from models.heads.anchor import AnchorDetect
from models.heads.anchor_free import FreeDetect
from models.inference.inference import detections
from models.inference.nms import NMSConfig
from utils.values.view import View

C_INS, STRIDES = [16, 16, 16], [8, 16, 32]
HEADS = {
    "free": lambda: FreeDetect(3, C_INS, STRIDES),
    "anchor": lambda: AnchorDetect(3, [[10, 13, 16, 30]] * 3, C_INS, STRIDES),
}


def said(name):
    torch.manual_seed(0)
    return HEADS[name]()([torch.randn(2, 16, n, n) * 5 for n in (4, 2, 1)])


def dense_scores(predictions):
    scores = predictions.class_logits.detach().sigmoid()
    return scores if predictions.objectness is None else scores * predictions.objectness.detach().sigmoid()[..., None]


@pytest.mark.parametrize("name", HEADS)
def test_a_box_alone_is_the_same_as_among_all(name):
    """But for a last digit, which PyTorch's sigmoid rounds differently at the end of a tensor. The others may hold
    anything and are not looked at.
    """
    predictions = said(name)
    image, index = torch.tensor([1, 0, 1]), torch.tensor([20, 3, 0])
    want = predictions.boxes[image, index].detach().clone()
    asked = torch.zeros(predictions.class_logits.shape[:2], dtype=torch.bool)
    asked[image, index] = True
    predictions.code.values.data[~asked] = torch.nan
    torch.testing.assert_close(predictions.boxes_at(image, index), want, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("name", HEADS)
def test_detections_decode_what_reaches_the_confidence(name, monkeypatch):
    predictions, code, decoded = said(name), type(said(name).code), []
    decode = code.decode

    def counted(self, values, index):
        decoded.append(len(values))
        return decode(self, values, index)

    monkeypatch.setattr(code, "decode", counted)
    scores = dense_scores(predictions)
    conf = float(scores.median())
    reach = (scores > conf).sum()
    views = [View(picture, (128, 128), (1.0, 1.0), (0, 0)) for picture in (0, 1)]
    detections(predictions, views, NMSConfig(conf=conf))
    assert decoded == [reach]


@pytest.mark.parametrize(
    ("name", "part"),
    [(name, part) for name in HEADS for part in ("values", "class_logits")] + [("anchor", "objectness")],
)
def test_a_number_that_is_not_finite_is_noticed(name, part):
    predictions = said(name)
    assert predictions.finite()
    tensor = predictions.code.values if part == "values" else getattr(predictions, part)
    tensor.data[-1, -1] = torch.inf
    assert not predictions.finite()
