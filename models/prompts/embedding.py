"""Mobile-SAM as a row (spec: RTVPNet 2.4)."""

from __future__ import annotations

from torch import Tensor, nn

from models.rows.registry import SAMFile, register
from models.sam.mobile_sam import SamMode, load_mobile_sam


@register
class SAMEmbedding(nn.Module):
    """Mobile-SAM's image embedding: RGB image (B, 3, H, W) in 0..1 -> (B, 256, H / 16, W / 16), fp32, no gradient.

    Nothing of it is a parameter or stands in the state dict, whatever the `mode`. "none" gives zeros, without the
    libraries that the other modes import.
    """

    def __init__(self, mode: SamMode, path: SAMFile = "") -> None:
        super().__init__()
        self.sam = load_mobile_sam(mode, path, option="--set model.sam=mobile_sam.pt")

    @property
    def off(self) -> bool:
        """Whether the embedding is zero everywhere."""
        return self.sam.mode == "none"

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        return self.sam(image)


def sam_row(peer: object) -> SAMEmbedding:
    """The row that a layer's argument `sam` names. Raises ValueError when it is of another kind."""
    if not isinstance(peer, SAMEmbedding):
        raise ValueError(f"argument 'sam' must name a SAMEmbedding row, not a {type(peer).__name__}")
    return peer
