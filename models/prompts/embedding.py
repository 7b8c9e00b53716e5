"""Mobile-SAM as a row (spec: RTVPNet 2.4), and what the user says about it."""

from __future__ import annotations

import typing

from torch import Tensor, nn

from models.rows.model_spec import ModelSpec
from models.rows.registry import WeightsFile, register
from models.sam.mobile_sam import SamMode, load_mobile_sam
from utils.values.channels import RGB, Channels
from utils.words.errors import ConfigError


@register
class SAMEmbedding(nn.Module):
    """Mobile-SAM's image embedding: RGB image (B, 3, H, W) in 0..1 -> (B, 256, H / 16, W / 16), fp32, no gradient.

    Nothing of it is a parameter or stands in the state dict, whatever the `mode`. "none" gives zeros, without the
    libraries that the other modes import.
    """

    def __init__(self, mode: SamMode, path: WeightsFile = "") -> None:
        super().__init__()
        self.sam = load_mobile_sam(mode, path)

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


def choose_sam(
    spec: ModelSpec, channels: Channels, choice: str, masks: bool = False
) -> tuple[ModelSpec, dict[str, str]]:
    """The spec with Mobile-SAM in the mode of `choice`, and the file of weights for its row, as build_graph takes it.

    `choice`: "" as the YAML says; a mode; or the path of mobile_sam.pt, which means pretrained. `masks`: it may also be
    meant for the masks of what is found (see `sam_for_masks`), so that a network without the row is no mistake.
    Raises ConfigError, also when Mobile-SAM would see other planes than it was made for.
    """
    files = {}
    if "sam" in spec.data and choice:
        known = choice in typing.get_args(SamMode)
        spec = spec.with_values(sam=choice if known else "pretrained")
        files = {} if known else {SAMEmbedding.__name__: choice}
    elif choice and not masks:
        raise ConfigError(f"model.sam={choice}: {spec.path.name} has no row for Mobile-SAM; leave it out")
    # after `choice` is applied: "none" makes a network with such a row usable on other planes
    if spec.data.get("sam", "none") != "none" and channels.image != RGB:
        planes = ", ".join(channels.image)
        raise ConfigError(
            f"model.sam: Mobile-SAM takes {', '.join(RGB)}, but the pictures have {planes}; set it to none"
        )
    return spec, files
