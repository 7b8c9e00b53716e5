"""What the texts of a network are for: to be looked for, and to guide it."""

from __future__ import annotations

from torch import Tensor, nn


class TextReader(nn.Module):
    """A layer that reads texts (..., N, D). The first `asked` of them are looked for, and the others guide the network;
    0: all do both, as in training.

    Texts that only guide stay the same whatever is looked for, so that no name changes what is found of another.
    """

    asked = 0

    def asking(self, text: Tensor) -> Tensor:
        """What is looked for."""
        return text[..., : self.asked or text.shape[-2], :]

    def guiding(self, text: Tensor) -> Tensor:
        """What guides."""
        return text[..., self.asked :, :]
