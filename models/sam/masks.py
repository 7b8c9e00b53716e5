"""Masks of boxed objects, by the mask decoder of segment_anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from models.rows.torchvision_compat import prepare_torchvision
from models.sam.image_encoder import CHANNELS, STRIDE
from models.sam.prompt_encoder import box_corners, embed_points

if TYPE_CHECKING:
    from segment_anything.modeling import MaskDecoder, PromptEncoder

CHUNK = 16  # boxes decoded at once: about 0.25 GB at 640 px


def build_mask_decoder() -> MaskDecoder:
    """segment_anything's MaskDecoder as SAM and Mobile-SAM use it."""
    prepare_torchvision()
    from segment_anything.modeling import MaskDecoder, TwoWayTransformer

    transformer = TwoWayTransformer(depth=2, embedding_dim=CHANNELS, mlp_dim=2048, num_heads=8)
    return MaskDecoder(transformer_dim=CHANNELS, transformer=transformer)


@torch.no_grad()
def masks_for_boxes(
    prompt_encoder: PromptEncoder, mask_decoder: MaskDecoder, embedding: Tensor, boxes: Tensor, size: tuple[int, int]
) -> Tensor:
    """One mask (N, H, W) bool for each of `boxes` (N, 4) xyxy px, clipped to the picture.

    embedding: image embedding (1, 256, H / 16, W / 16). size: (H, W) px of the network input. Boxes are decoded a few
    at a time, so that only the masks themselves grow with N.
    """
    expected = (1, CHANNELS, size[0] // STRIDE, size[1] // STRIDE)
    assert embedding.shape == expected, f"image embedding {tuple(embedding.shape)} for an input of {size} px"
    assert torch.isfinite(boxes).all(), "a box is not finite"
    limit = boxes.new_tensor([size[1], size[0]] * 2)
    boxes, embedding = boxes.clamp(min=torch.zeros_like(limit), max=limit), embedding.float()
    masks = torch.empty(len(boxes), *size, dtype=torch.bool, device=boxes.device)
    with torch.autocast(boxes.device.type, enabled=False):
        # the same for all boxes: where the cells are, and that no mask is given as a prompt
        position = prompt_encoder.pe_layer(embedding.shape[2:])[None]
        no_mask = prompt_encoder.no_mask_embed.weight.view(1, CHANNELS, 1, 1)
        for start in range(0, len(boxes), CHUNK):
            points, labels = box_corners(boxes[start : start + CHUNK, None])
            logits, _ = mask_decoder(
                image_embeddings=embedding,
                image_pe=position,
                sparse_prompt_embeddings=embed_points(prompt_encoder, points, labels, size),
                dense_prompt_embeddings=no_mask,
                multimask_output=False,
            )
            logits = nn.functional.interpolate(logits, size, mode="bilinear", align_corners=False)
            masks[start : start + CHUNK] = logits[:, 0] > 0  # a probability above one half
    return masks
