import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from utils.values.boxes import Letterbox, cxcywh_to_xyxy, pairwise_iou, xyxy_to_cxcywh
from utils.words.class_names import class_map
from utils.words.errors import CheckpointError
from utils.words.text import counted, did_you_mean


def test_formats_are_inverse():
    boxes = torch.rand(5, 4).cumsum(1)
    torch.testing.assert_close(cxcywh_to_xyxy(xyxy_to_cxcywh(boxes)), boxes)


def test_pairwise_iou_by_hand():
    a = torch.tensor([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    b = torch.tensor([[1.0, 1.0, 3.0, 3.0], [0.0, 0.0, 2.0, 2.0]])
    assert pairwise_iou(a, b).tolist() == [[pytest.approx(1 / 7), 1.0], [0.0, 0.0]]


@given(st.integers(1, 5000), st.integers(1, 5000), st.sampled_from([(320, 320), (128, 320), (640, 32)]))
def test_letterbox_fits_and_inverts(height, width, canvas):
    fit = Letterbox.fit((height, width), canvas)
    assert 1 <= fit.inner[0] <= canvas[0] and 1 <= fit.inner[1] <= canvas[1]
    assert fit.inner[0] == canvas[0] or fit.inner[1] == canvas[1]
    box = np.array([[0.1 * width, 0.2 * height, 0.9 * width, 0.8 * height]], np.float32)
    view = fit.view(0)
    back = view.clip(view.undo(torch.from_numpy(view.apply(box))))
    np.testing.assert_allclose(back.numpy(), box, rtol=1e-4, atol=max(height, width) * 1e-5)


def test_classes_are_matched_by_name():
    assert class_map(["Bubble", "oil"], ["oil", "bubble "], "w.pt") == (1, 0)
    with pytest.raises(CheckpointError) as caught:
        class_map(["bubble", "oil"], ["bubble", "crack"], "w.pt")
    assert "only in the checkpoint: oil" in str(caught.value) and "only in the data: crack" in str(caught.value)


def test_words():
    assert did_you_mean("lr", ["lr0", "momentum"]) == "; did you mean 'lr0'?" and did_you_mean("zzz", ["lr0"]) == ""
    assert [counted(n, w) for n, w in ((1, "box"), (2, "box"), (1200, "batch"), (2, "epoch"))] == [
        "1 box",
        "2 boxes",
        "1,200 batches",
        "2 epochs",
    ]
