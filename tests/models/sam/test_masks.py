import pytest
import torch

from models.sam import masks
from models.sam.mobile_sam import load_mobile_sam
from utils.words.errors import ConfigError

SIZE = (96, 160)
BOXES = torch.tensor([[10.0, 20, 60, 70], [0, 0, 160, 96], [100, 40, 150, 90], [30, 30, 30, 30], [5, 5, 80, 20]])


@pytest.fixture(scope="module")
def embedding(sam):
    return sam(torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(0)))


@pytest.fixture(scope="module")
def logits(sam, embedding):
    """What segment_anything itself gives for each box, at the size of the picture."""
    encoder, decoder = sam.networks.prompt_encoder, sam.networks.mask_decoder
    found = []
    with torch.no_grad():
        position = encoder.pe_layer((6, 10))[None]
        for box in BOXES:
            corners = encoder.pe_layer.forward_with_coords(box.view(1, 2, 2) + 0.5, SIZE)
            sparse = corners + torch.stack([encoder.point_embeddings[i].weight for i in (2, 3)], 1)
            dense = encoder.no_mask_embed.weight.view(1, 256, 1, 1).expand_as(embedding)
            low, _ = decoder(embedding, position, sparse, dense, multimask_output=False)
            found.append(torch.nn.functional.interpolate(low, SIZE, mode="bilinear", align_corners=False)[0, 0])
    return torch.stack(found)


@pytest.mark.parametrize("chunk", [16, 2, 1])
def test_masks_as_segment_anything_decodes_them(sam, embedding, logits, monkeypatch, chunk):
    monkeypatch.setattr(masks, "CHUNK", chunk)
    at_once = []
    hook = sam.networks.mask_decoder.register_forward_pre_hook(
        lambda _, __, given: at_once.append(len(given["sparse_prompt_embeddings"])), with_kwargs=True
    )
    found = sam.masks_for_boxes(embedding, BOXES, SIZE)
    hook.remove()
    assert sum(at_once) == 5 and max(at_once) == min(chunk, 5)
    assert found.shape == (5, *SIZE) and found.dtype == torch.bool
    certain = logits.abs() > 1e-4 * logits.abs().max()
    assert certain.float().mean() > 0.99
    assert torch.equal(found[certain], logits[certain] > 0)
    assert 0 < found.float().mean() < 1


def test_boxes_are_clipped_to_the_picture(sam, embedding):
    outside = torch.tensor([[-500.0, -3, 900, 2000]])
    assert torch.equal(sam.masks_for_boxes(embedding, outside, SIZE), sam.masks_for_boxes(embedding, BOXES[1:2], SIZE))


def test_no_boxes(sam, embedding):
    assert sam.masks_for_boxes(embedding, torch.zeros(0, 4), SIZE).shape == (0, *SIZE)


def test_what_only_a_fault_of_ours_can_cause(sam, embedding):
    with pytest.raises(AssertionError, match="not finite"):
        sam.masks_for_boxes(embedding, torch.tensor([[0.0, 0.0, torch.nan, 1.0]]), SIZE)
    with pytest.raises(AssertionError, match="image embedding"):
        sam.masks_for_boxes(embedding, BOXES, (160, 96))


def test_mode_none_has_no_masks(embedding):
    with pytest.raises(ConfigError, match="mode none.*pretrained"):
        load_mobile_sam("none").masks_for_boxes(embedding, BOXES, SIZE)
