"""Mobile-SAM's image encoder: timm's TinyViT-5M with a finer last stage, and SAM's neck.

After "Faster Segment Anything: Towards Lightweight SAM for Mobile Applications" (Zhang et al., 2023).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.rows.torchvision_compat import prepare_torchvision
from utils.words.errors import ConfigError

STRIDE = 16  # input pixels per cell of the image embedding
CHANNELS = 256
PIXEL_MEAN = (123.675, 116.28, 103.53)  # RGB, 0..255
PIXEL_STD = (58.395, 57.12, 57.375)


def check_image_size(size: tuple[int, int]) -> None:
    """Raises ConfigError unless both sides, (height, width) px, are multiples of 16."""
    if any(side < STRIDE or side % STRIDE for side in size):
        height, width = size
        raise ConfigError(f"network input {width}x{height}: Mobile-SAM needs sides that are multiples of {STRIDE}")


class MobileSAMEncoder(nn.Module):
    """RGB images (B, 3, H, W) in 0..1 -> image embedding (B, 256, H / 16, W / 16), fp32.

    H and W: any multiples of 16 (there is no absolute position code). Half precision inside on CUDA. Call it in eval
    mode: BatchNorm must use the statistics it came with.
    """

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        prepare_torchvision()
        from timm.layers import LayerNorm2d
        from timm.models.tiny_vit import tiny_vit_5m_224

        self.body = tiny_vit_5m_224(pretrained=False, num_classes=0)
        self.body.head = nn.Identity()  # pooling and norm of the classifier, which nothing uses
        # the finer last stage: a cell of 16 px in all, where timm's has 32
        self.body.stages[3].downsample.conv2.conv.stride = (1, 1)
        self.neck = nn.Sequential(
            nn.Conv2d(320, CHANNELS, 1, bias=False),
            LayerNorm2d(CHANNELS, eps=1e-6),
            nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False),
            LayerNorm2d(CHANNELS, eps=1e-6),
        )
        # not persistent: the published file, which must have every tensor of the state dict, does not hold them
        for name, values in (("mean", PIXEL_MEAN), ("std", PIXEL_STD)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1) / 255, persistent=False)

    @torch.no_grad()
    def forward(self, images: Tensor) -> Tensor:
        """See the class. Raises ConfigError for a size that is no multiple of 16."""
        check_image_size((images.shape[2], images.shape[3]))
        # Set either way: the caller's autocast must not decide the precision of a frozen network.
        with torch.autocast(images.device.type, torch.float16, enabled=images.is_cuda):
            features = self.body.forward_features((images.float() - self.mean) / self.std)
            return self.neck(features).float()
