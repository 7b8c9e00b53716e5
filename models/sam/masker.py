"""Masks of boxed objects in whole pictures, in the pictures' own pixels."""

from __future__ import annotations

import typing

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from models.sam.convert import WHERE
from models.sam.image_encoder import PIXEL_MEAN, STRIDE
from models.sam.masks import CHUNK
from models.sam.mobile_sam import OPTION, MobileSAM, SamMode, load_mobile_sam
from utils.values.masks import Rle, encode_mask
from utils.words.errors import ConfigError

LONGEST = 1024  # px of a picture's longer side as Mobile-SAM sees it: what it was trained with


class Masker:
    """A picture and its boxes -> a mask per box; one pass of the encoder, none when there is no box.

    Masks are kept in run-length code, so that memory does not grow with their number.
    """

    def __init__(self, sam: MobileSAM, device: torch.device | str = "cpu", longest: int = LONGEST) -> None:
        """`sam` in another mode than "none"; `longest`: px to which pictures are resized on their longer side."""
        assert sam.mode != "none", "without Mobile-SAM there are no masks"
        self.sam, self.device, self.longest = sam.to(device), torch.device(device), longest

    @property
    def mode(self) -> str:
        """Where Mobile-SAM's weights come from, which every result must name."""
        return self.sam.mode

    @torch.inference_mode()
    def __call__(self, image: np.ndarray, boxes: Tensor) -> tuple[Rle, ...]:
        """The masks of `boxes` (N, 4) xyxy px in `image` (H, W, 3) uint8 RGB, in order, at the size of `image`."""
        if not len(boxes):
            return ()
        height, width = image.shape[:2]
        inner = self._fitted(height, width)
        given = self._input(image, inner)
        size = (given.shape[2], given.shape[3])
        embedding = self.sam(given)
        scale = torch.tensor([inner[1] / width, inner[0] / height] * 2)
        masks: list[Rle] = []
        for some in (boxes.float() * scale).to(self.device).split(CHUNK):
            # the padding, right and below, is cut off before the mask is resized to the picture
            for mask in self.sam.masks_for_boxes(embedding, some, size)[:, : inner[0], : inner[1]]:
                whole = _resized(mask[None, None].float(), (height, width))[0, 0] > 0.5
                masks.append(encode_mask(whole.cpu().numpy()))
        return tuple(masks)

    def _fitted(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) px of the resized picture."""
        scale = self.longest / max(height, width)
        return max(round(height * scale), 1), max(round(width * scale), 1)

    def _input(self, image: np.ndarray, inner: tuple[int, int]) -> Tensor:
        """(1, 3, H, W) in 0..1: `image` resized to `inner`, padded right and below with SAM's mean colour."""
        picture = torch.tensor(image, device=self.device).permute(2, 0, 1)[None].float()
        mean = picture.new_tensor(PIXEL_MEAN).view(1, 3, 1, 1)
        below, right = (-side % STRIDE for side in inner)
        # zeros around what has its mean subtracted are the mean colour, which the encoder turns into zeros again
        return (pad(_resized(picture, inner) - mean, (0, right, 0, below)) + mean) / 255


def sam_for_masks(own: MobileSAM | None, choice: str) -> MobileSAM:
    """Mobile-SAM for masks: the network's `own`, or for a network without a row the one that `choice` means.

    `choice` as for `choose_sam`. Raises ConfigError when there is none, UserError for unusable weights.
    """
    mode = choice if choice in typing.get_args(SamMode) else "pretrained"
    # the network's own row is off, "none" was chosen, or there is neither a row nor a choice
    if (own.mode if own else mode) == "none" or not (own or choice):
        raise ConfigError(f"--masks: Mobile-SAM is off; give its weights by {OPTION}: {WHERE}")
    if own:
        return own
    return load_mobile_sam(typing.cast(SamMode, mode), choice if choice != mode else "")


def _resized(maps: Tensor, size: tuple[int, int]) -> Tensor:
    """Maps (B, C, H, W) at another (height, width): averaged when they shrink, interpolated when they grow."""
    return maps if maps.shape[2:] == size else interpolate(maps, size, mode="bilinear", antialias=True)
