"""What hidden pixels become: what surrounds the object, spread smoothly over it."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import conv2d, interpolate

from models.explaining.patches import rectangle

MARGIN = 1.15  # of a box: its edges belong to the object
LEAST_SPREAD = 8.0  # px
COARSE = 4.0  # px of spread, at which a coarser picture says the same
FAINT = 1e-3  # weight of the picture's mean, which decides where nothing else is near


def filled(image: Tensor, box: Tensor, shown: Tensor) -> Tensor:
    """(C, H, W) planes of any kind -> the same without the object: at each place a mean of what lies around it, as far
    as half the box's shorter side, of neither the `box` nor the padding. Both boxes (4,) xyxy px, `shown`: the picture.

    A patch of one grey would be an object of its own to a network: it moved the map to places without anything.
    """
    height, width = image.shape[1:]
    there = rectangle(shown, (height, width)).to(image)
    weights = (there * (1 - rectangle(box, (height, width), MARGIN).to(image)))[None]
    spread = max(LEAST_SPREAD, float((box[2:] - box[:2]).min()) / 2)
    both = _spread(torch.cat((image * weights, weights)), spread)
    mean = (image * there).sum((1, 2)) / there.sum()
    result: Tensor = (both[:-1] + FAINT * mean[:, None, None]) / (both[-1:] + FAINT)
    return result


def _spread(planes: Tensor, spread: float) -> Tensor:
    """(C, H, W) smoothed by a Gaussian of so many px, with nothing beyond the edges."""
    height, width = planes.shape[1:]
    step = max(1.0, spread / COARSE)
    small = interpolate(planes[None], (math.ceil(height / step), math.ceil(width / step)), mode="area")[0][:, None]
    reach = math.ceil(3 * spread / step)
    steps = torch.arange(-reach, reach + 1, device=planes.device, dtype=planes.dtype) * step / spread
    bell = (-steps.square() / 2).exp()
    bell = bell / bell.sum()
    small = conv2d(small, bell[None, None, :, None], padding=(reach, 0))
    small = conv2d(small, bell[None, None, None], padding=(0, reach))
    return interpolate(small.transpose(0, 1), (height, width), mode="bilinear", align_corners=False)[0]
