"""Masks in the picture's pixels: what SAM says, undistorted, in order, with one pass of the encoder."""

import numpy as np
import pytest
import torch

from models.graph.builder import build_graph
from models.prompts.embedding import SAMEmbedding
from models.ready.load import Loaded, for_inference, load_masker
from models.rows.model_spec import read_spec
from models.sam.image_encoder import PIXEL_MEAN
from models.sam.masker import Masker, sam_for_masks
from models.sam.mobile_sam import load_mobile_sam
from utils.config.config import Config
from utils.config.paths import CFG
from utils.values.masks import decode_mask
from utils.values.weights_identity import WeightsIdentity
from utils.words.errors import CheckpointError, ConfigError

BOXES = torch.tensor([[4.0, 8, 30, 24], [20, 2, 60, 36], [0, 0, 64, 40]])


def picture(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


class FillingSAM:
    """In the place of Mobile-SAM: the mask of a box is the box."""

    mode = "random-frozen"

    def __init__(self):
        self.inputs, self.counts = [], []

    def to(self, device):
        return self

    def __call__(self, images):
        self.inputs.append(images)
        return images

    def masks_for_boxes(self, embedding, boxes, size):
        self.counts.append(len(boxes))
        y, x = torch.arange(size[0])[:, None] + 0.5, torch.arange(size[1])[None] + 0.5
        return torch.stack([(x > a) & (x < c) & (y > b) & (y < d) for a, b, c, d in boxes])


@pytest.mark.parametrize(
    ("size", "longest", "seen"),
    [((40, 64), 64, (48, 64)), ((40, 64), 128, (80, 128)), ((40, 64), 32, (32, 32)), ((300, 20), 150, (160, 16))],
)
def test_masks_come_back_to_the_pictures_pixels_in_order(size, longest, seen):
    sam = FillingSAM()
    boxes = BOXES[[2, 0, 1]].clamp(max=torch.tensor([size[1], size[0]] * 2))
    masks = Masker(sam, longest=longest)(picture(*size), boxes)
    assert sam.inputs[0].shape[2:] == seen and all(rle["size"] == list(size) for rle in masks)
    for rle, (a, b, c, d) in zip(masks, boxes.int().tolist(), strict=True):
        expected = np.zeros(size, bool)
        expected[b:d, a:c] = True
        assert (decode_mask(rle) == expected).all()


def test_one_pass_however_many_boxes_and_none_without(monkeypatch):
    sam = FillingSAM()
    masker = Masker(sam, longest=64)
    assert masker(picture(40, 64), torch.zeros(0, 4)) == () and not sam.inputs
    assert len(masker(picture(40, 64), BOXES.repeat(12, 1))) == 36
    assert len(sam.inputs) == 1 and sum(sam.counts) == 36 and max(sam.counts) <= 16


def test_padding_is_sams_mean_colour():
    sam = FillingSAM()
    image = picture(40, 64)
    Masker(sam, longest=64)(image, BOXES)
    (given,) = sam.inputs
    np.testing.assert_allclose(given[0, :, :40].permute(1, 2, 0) * 255, image, atol=1e-3)
    np.testing.assert_allclose(given[0, :, 40:].amin((1, 2)) * 255, PIXEL_MEAN, rtol=1e-5)
    np.testing.assert_allclose(given[0, :, 40:].amax((1, 2)) * 255, PIXEL_MEAN, rtol=1e-5)


def test_masks_are_those_of_mobile_sam(sam):
    image = picture(48, 64)
    expected = sam.masks_for_boxes(sam(torch.from_numpy(image).permute(2, 0, 1)[None] / 255), BOXES, (48, 64)).numpy()
    found = np.stack([decode_mask(rle) for rle in Masker(sam, longest=64)(image, BOXES)])
    assert 0 < expected.mean() < 1 and (found != expected).mean() < 1e-3  # the padding's arithmetic costs a last bit


def test_a_networks_own_mobile_sam_is_used_also_when_folding_leaves_it_out():
    spec = read_spec(CFG / "models" / "rtvpnet-n.yaml").with_values(sam="random-frozen")
    model = build_graph(spec)
    loaded = Loaded(model, (), Config(), 0, spec.path, None, WeightsIdentity("", ""))
    masker = load_masker(loaded, "")
    assert masker.sam is model.layers[0].sam and masker.mode == "random-frozen"
    assert not any(isinstance(layer, SAMEmbedding) for layer in for_inference(model, static=True).layers)
    assert len(masker(picture(4, 256), BOXES)) == 3


def test_whose_mobile_sam(sam, tmp_path):
    assert sam_for_masks(sam, "") is sam
    assert sam_for_masks(None, "random-frozen").mode == "random-frozen"
    for own, asked in ((None, ""), (None, "none"), (load_mobile_sam("none"), "")):
        with pytest.raises(ConfigError, match="--masks: .*--set model.sam=mobile_sam.pt.*git repository"):
            sam_for_masks(own, asked)
    with pytest.raises(CheckpointError, match="gone.pt"):
        sam_for_masks(None, str(tmp_path / "gone.pt"))
