"""Mobile-SAM as a frozen helper: image embedding, sparse prompt embeddings, masks of boxes."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn

from models.rows.frozen_helper import Frozen
from models.sam.convert import WHERE, load_reference, read_reference
from models.sam.image_encoder import CHANNELS, STRIDE, MobileSAMEncoder, check_image_size
from models.sam.masks import build_mask_decoder, masks_for_boxes
from models.sam.prompt_encoder import build_prompt_encoder, embed_points
from utils.words.errors import CheckpointError, ConfigError
from utils.words.text import did_you_mean

SamMode = Literal["pretrained", "random-frozen", "none"]
OPTION = "--set model.sam=mobile_sam.pt"  # how the user names the file


class Networks(nn.Module):
    """The three networks of Mobile-SAM; importing their libraries takes about three seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = MobileSAMEncoder()
        self.prompt_encoder = build_prompt_encoder()
        self.mask_decoder = build_mask_decoder()


class MobileSAM(nn.Module):
    """Mobile-SAM held frozen: no parameter, no state dict entry, shared by deep copies (see `Frozen`).

    `mode` says where the weights come from, which every result must name: "pretrained", "random-frozen" (tests
    only) or "none" (no networks: every embedding is 0). Build it with `load_mobile_sam`.
    """

    def __init__(self, mode: SamMode, networks: Networks | None) -> None:
        super().__init__()
        assert (networks is None) == (mode == "none"), f"Mobile-SAM's mode {mode} does not go with its networks"
        self.mode: SamMode = mode
        self.frozen = None if networks is None else Frozen(networks)

    @property
    def networks(self) -> Networks | None:
        """What is held; None in mode "none"."""
        return None if self.frozen is None else typing.cast(Networks, self.frozen.module)

    def forward(self, images: Tensor) -> Tensor:
        """RGB images (B, 3, H, W) in 0..1 -> image embedding (B, 256, H / 16, W / 16), fp32, without gradient.

        Raises ConfigError when H or W is no multiple of 16.
        """
        if self.networks is not None:
            return self.networks.encoder(images)
        batch, _, height, width = images.shape
        check_image_size((height, width))
        return torch.zeros(batch, CHANNELS, height // STRIDE, width // STRIDE, device=images.device)

    def embed_points(self, points: Tensor, labels: Tensor, size: tuple[int, int]) -> Tensor:
        """Points (B, K, 2) px with labels (B, K) -> sparse prompt embeddings (B, K, 256), fp32, without gradient.

        Labels, and boxes as points: `models.sam.prompt_encoder`. size: (height, width) px of the network input.
        """
        if self.networks is not None:
            return embed_points(self.networks.prompt_encoder, points, labels, size)
        return torch.zeros(*labels.shape, CHANNELS, device=points.device)

    def masks_for_boxes(self, embedding: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
        """Boxes (N, 4) xyxy px in one picture -> masks (N, H, W) bool.

        embedding: that picture's, (1, 256, H / 16, W / 16). size: (H, W) px of the network input. Raises ConfigError
        in mode "none".
        """
        if self.networks is None:
            raise ConfigError("masks need Mobile-SAM, which is off (mode none); use mode pretrained")
        prompt_encoder, mask_decoder = self.networks.prompt_encoder, self.networks.mask_decoder
        return masks_for_boxes(prompt_encoder, mask_decoder, embedding, boxes, size)


def load_mobile_sam(mode: SamMode, path: str | Path = "", seed: int = 0) -> MobileSAM:
    """Mobile-SAM on the CPU.

    path: the published file, for mode "pretrained" and no other. seed: decides the weights of "random-frozen".
    The global random stream is left where it was.

    Raises ConfigError: unknown mode, needless path, library not installed; CheckpointError: file missing or unfit.
    """
    modes = typing.get_args(SamMode)
    if mode not in modes:
        raise ConfigError(f"Mobile-SAM's mode '{mode}' is none of {', '.join(modes)}{did_you_mean(mode, modes)}")
    if path and mode != "pretrained":
        raise ConfigError(f"{path}: Mobile-SAM's mode {mode} reads no weights; leave it out, or use mode pretrained")
    if mode == "pretrained" and not path:
        raise CheckpointError(f"Mobile-SAM's mode pretrained needs {WHERE}; pass it by {OPTION}")
    if mode == "none":
        return MobileSAM(mode, None)
    reference = read_reference(path) if path else {}  # before the networks: a bad file is reported at once
    # The libraries initialise from torch's global CPU stream and take no generator.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        try:
            networks = Networks()
        except ImportError as error:
            raise ConfigError(f"Mobile-SAM's libraries: {error}; pip install -r requirements.txt") from error
    if path:
        load_reference(networks, reference, path)
    return MobileSAM(mode, networks)
