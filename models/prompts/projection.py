"""Expert-guided domain projection: the detector's map predicts Mobile-SAM's view of the picture (spec: RTVPNet 2.5)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cosine_similarity, interpolate

from models.prompts.embedding import sam_row
from models.prompts.sampling import channel_norm, kept_share, saliency, sparse_mask
from models.rows.folding import StaticRow
from models.rows.registry import Ins, Peer, Strides, register
from models.rows.row_context import Context

HIDDEN = 256
BLIND = 0.3  # share of the training batches in which the reconstruction sees nothing of Mobile-SAM


class TwoConvolutions(nn.Module):
    """3x3, ReLU, 3x3: (B, c_in, h, w) -> (B, c_out, h, w)."""

    def __init__(self, c_in: int, hidden: int, c_out: int) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(c_in, hidden, 3, padding=1), nn.Conv2d(hidden, c_out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return self.second(self.first(x).relu())


class SharedConvolutions(nn.Module):
    """What the levels may share, over C channels of embedding.

    `mask` (B, C, h, w) -> (B, 1, h, w), `reconstruct` (B, C + 1, h, w) -> (B, C, h, w).
    """

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.mask = TwoConvolutions(channels, channels // 2, 1)
        self.reconstruct = TwoConvolutions(channels + 1, hidden, channels)


@register
class DomainProjection(nn.Module):
    """[map (B, C, H, W), SAM's embedding (B, 256, h, w)] -> map (B, C, H, W), energy (B, h, w), lifted (B, 256, h, w).

    On the embedding's grid, the map predicts the embedding from itself and from what a sparse mask lets through;
    what it predicts is added to the map. The last 1x1 starts at zero: at the start the map passes unchanged. `lifted`
    is the map plus the embedding, normalised over channels.

    `sam` names the SAMEmbedding row; where that is off, nothing is let through, and the row is a residual block of
    convolutions. `shared` names an earlier level whose 3x3 convolutions this one uses too; without it they are its
    own, `hidden` wide (0: 256). `keep` is the share of positions that the mask lets through, from 1 at the start
    of the training. In training a loss (B,) goes to the context, and in 3 batches of 10 the mask is closed, so that
    the projection also works without Mobile-SAM.
    """

    takes_context = True

    def __init__(
        self, sam: Peer, c_ins: Ins, strides: Strides, *, shared: Peer = "", hidden: int = 0, keep: float = 0.25
    ) -> None:
        super().__init__()
        if len(c_ins) != 2 or len(strides) != 2:
            raise ValueError("takes 2 sources (map, SAM's embedding)")
        if strides[1] % strides[0]:
            raise ValueError(f"the map's stride {strides[0]} does not divide the embedding's, {strides[1]}")
        if not 0 < keep <= 1:
            raise ValueError(f"keep must be above 0 and up to 1, got {keep:g}")
        if hidden < 0:
            raise ValueError(f"hidden must not be negative, got {hidden}")
        channels, width = c_ins
        self.ratio, self.keep, self.blind = strides[1] // strides[0], keep, sam_row(sam).off
        self.lift = nn.Conv2d(channels, width, 1, bias=False)
        self.lower = nn.Conv2d(width, channels, 1, bias=False)
        nn.init.zeros_(self.lower.weight)
        # In a tuple torch does not register it: it counts once, as the owner's.
        self._owner = (_owner(shared, width, hidden),) if shared else ()
        self.own = None if shared else SharedConvolutions(width, hidden or HIDDEN)

    @property
    def row_losses(self) -> tuple[str, ...]:
        """The losses that go to the context in training, by the knob that weighs them."""
        return ("energy",) if self.blind else ("energy", "reconstruction")

    @property
    def convolutions(self) -> SharedConvolutions:
        """The 3x3 convolutions, its own or the owner's."""
        own = self._owner[0].own if self._owner else self.own
        assert own is not None, "who shares with nobody has its own"
        return own

    def forward(self, inputs: Sequence[Tensor], context: Context) -> tuple[Tensor, Tensor, Tensor]:
        """See the class."""
        x, embedding = inputs
        target = channel_norm(embedding)
        pooled = self.lift(avg_pool2d(x, self.ratio))
        semantic = target.to(pooled.dtype)  # `target` stays in fp32 for saliency and loss
        lifted = pooled + semantic
        energy = -(self.convolutions.mask(lifted)[:, 0].float() + saliency(target))
        context.energies.append(energy)
        mask = self._mask(energy, context).to(pooled.dtype)
        reconstruction = self.convolutions.reconstruct(torch.cat((pooled + mask * semantic, mask), 1))
        if context.step_info is not None and not self.blind:
            context.reconstructions.append(reconstruction_loss(reconstruction.float(), target))
        return x + _enlarged(self.lower(reconstruction), x), energy, lifted

    def _mask(self, energy: Tensor, context: Context) -> Tensor:
        """(B, 1, h, w): how much of the embedding shows. A closed mask still has a gradient, of zero."""
        if self.blind:
            return energy.new_zeros(energy.shape)[:, None]
        if context.step_info is None:
            return sparse_mask(energy, self.keep)
        mask = sparse_mask(energy, kept_share(self.keep, context.step_info.progress))
        return mask * float(context.chance("projection without SAM") >= BLIND)  # one draw for all levels

    def static(self, inputs: Sequence[Tensor | None]) -> StaticRow:
        """The row without Mobile-SAM; see models.rows.folding. Of the outputs only the map remains."""
        return StaticRow(StaticProjection(self), (0,))


class StaticProjection(nn.Module):
    """A DomainProjection whose mask is closed: the 1x1 convolutions are folded into the 3x3 ones next to them.

    Map (B, C, H, W) -> one output, (B, C, H, W).
    """

    def __init__(self, row: DomainProjection) -> None:
        super().__init__()
        convolutions = row.convolutions.reconstruct
        # Exact at the borders too, because `lift` has no bias: a map padded with zeros is lifted to zeros there.
        first, first_bias = _exact(convolutions.first)
        second, second_bias = _exact(convolutions.second)
        lift, lower = (layer.weight.detach().double()[:, :, 0, 0] for layer in (row.lift, row.lower))
        channels, width = lower.shape
        self.ratio = row.ratio
        self.body = TwoConvolutions(channels, len(first), channels).to(row.lift.weight)
        # Of the first one's inputs, the last is the mask, which is closed.
        _set(self.body.first, torch.einsum("omij,mc->ocij", first[:, :width], lift), first_bias)
        _set(self.body.second, torch.einsum("cm,mhij->chij", lower, second), lower @ second_bias)

    def forward(self, x: Tensor) -> tuple[Tensor]:
        """See the class."""
        return (x + _enlarged(self.body(avg_pool2d(x, self.ratio)), x),)


def reconstruction_loss(reconstruction: Tensor, target: Tensor) -> Tensor:
    """(B, C, h, w) each -> (B,): mean squared difference plus mean over positions of 1 - cosine."""
    squared = (reconstruction - target).square().mean((1, 2, 3))
    return squared + 1 - cosine_similarity(reconstruction, target, 1).mean((1, 2))


def _owner(shared: object, width: int, hidden: int) -> DomainProjection:
    if not isinstance(shared, DomainProjection) or shared.own is None:
        raise ValueError("argument 'shared' must name a DomainProjection row that has its own convolutions")
    if hidden:
        raise ValueError("argument 'hidden' belongs to the row whose convolutions are shared")
    if shared.lift.out_channels != width:
        raise ValueError(f"{width} channels of embedding, but the shared convolutions take {shared.lift.out_channels}")
    return shared


def _enlarged(change: Tensor, x: Tensor) -> Tensor:
    return interpolate(change, size=x.shape[2:], mode="bilinear", align_corners=False)


def _exact(convolution: nn.Conv2d) -> tuple[Tensor, Tensor]:
    assert convolution.bias is not None, "made with a bias"
    # float64: the folded weights are rounded once, when `_set` copies them
    return convolution.weight.detach().double(), convolution.bias.detach().double()


def _set(convolution: nn.Conv2d, weight: Tensor, bias: Tensor) -> None:
    assert convolution.bias is not None, "made with a bias"
    convolution.weight.data.copy_(weight)
    convolution.bias.data.copy_(bias)
