"""What the rows of a network may read beside other rows: the planes of the pictures, and text."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from utils.values.channels import Channels


def planes_of(image: Tensor, channels: Channels) -> dict[int | str, Tensor]:
    """Pictures (B, C, H, W) as the inputs `image` and, where the channels have it, `polar`; rows add their outputs."""
    if not channels.polar:
        return {"image": image}
    first = len(channels.image)
    return {"image": image[:, :first], "polar": image[:, first:]}


class TextInput(nn.Module):
    """The input `text` of a network in which some row reads it: what it looks for, a unit vector per phrase.

    `vectors` (M, D): first those of the `classes` classes, then their synonyms; `guides` (G, D): of texts that only
    guide, see models.rows.text_reader. They are not weights, and not in the state dict: a checkpoint keeps them with
    their words. Zero until `fill`.
    """

    vectors: Tensor
    guides: Tensor

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        self.classes = classes
        self.register_buffer("vectors", torch.zeros(classes, width), persistent=False)
        self.register_buffer("guides", torch.zeros(0, width), persistent=False)

    @property
    def width(self) -> int:
        """D."""
        return self.vectors.shape[1]

    def fill(self, vectors: Tensor, classes: int | None = None, guides: Tensor | None = None) -> None:
        """Look for (M, D) unit vectors from now on, of which the first `classes` are the classes (None: all), guided by
        them or by `guides` (G, D).
        """
        assert vectors.shape[1] == self.width, f"vectors of width {vectors.shape[1]} in the place of {self.width}"
        self.vectors = vectors.to(self.vectors)
        self.classes = len(vectors) if classes is None else classes
        self.guides = (vectors[:0] if guides is None else guides).to(self.vectors)

    def forward(self, phrases: Tensor | None = None) -> Tensor:
        """(N, D): the vectors of the classes in order, or those numbered `phrases` (N,) int64; then the guides."""
        return torch.cat((self.vectors[: self.classes] if phrases is None else self.vectors[phrases], self.guides))
