"""Points and boxes as sparse prompt embeddings, by the prompt encoder of segment_anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from models.rows.torchvision_compat import prepare_torchvision
from models.sam.image_encoder import CHANNELS

if TYPE_CHECKING:
    from segment_anything.modeling import PromptEncoder

NOT_A_POINT, NEGATIVE, POSITIVE, TOP_LEFT, BOTTOM_RIGHT = -1, 0, 1, 2, 3  # labels of points


def build_prompt_encoder() -> PromptEncoder:
    """segment_anything's PromptEncoder. Its own fixed sizes play no part: `embed_points` takes the size each time."""
    prepare_torchvision()
    from segment_anything.modeling import PromptEncoder

    return PromptEncoder(
        embed_dim=CHANNELS, image_embedding_size=(64, 64), input_image_size=(1024, 1024), mask_in_chans=16
    )


def box_corners(boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Boxes (B, M, 4) xyxy px -> their corners as points (B, 2 M, 2) px and labels (B, 2 M): two tokens a box."""
    batch, count = boxes.shape[:2]
    labels = torch.tensor([TOP_LEFT, BOTTOM_RIGHT], device=boxes.device)
    return boxes.reshape(batch, 2 * count, 2), labels.repeat(batch, count)


@torch.no_grad()
def embed_points(encoder: PromptEncoder, points: Tensor, labels: Tensor, size: tuple[int, int]) -> Tensor:
    """Sparse prompt embeddings (B, K, 256), fp32.

    points (B, K, 2): x, y in px of the network input. labels (B, K), integer: one of the constants above; the
    position of a NOT_A_POINT plays no part. size: (height, width) px of the network input.
    """
    with torch.autocast(points.device.type, enabled=False):  # 2 pi times a position is too fine for half precision
        # 0.5: to the centre of the pixel, as segment_anything does
        position = encoder.pe_layer.forward_with_coords(points.float() + 0.5, size)
        position = torch.where((labels == NOT_A_POINT)[..., None], 0.0, position)
        embeddings = [*encoder.point_embeddings, encoder.not_a_point_embed]  # index -1 is the last: not a point
        return position + torch.cat([e.weight for e in embeddings])[labels]
