"""A network of timm as a row: its feature maps at several strides, and how ImageNet's weights come into it."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn

from models.layers.traced_fold import fold_norms
from models.rows.registry import In, register
from models.rows.torchvision_compat import prepare_torchvision
from utils.words.text import did_you_mean

Module = TypeVar("Module", bound=nn.Module)

CLASSES = 1000  # of ImageNet, which timm's networks are built for
EXAMPLE_PX = 128  # of the picture that shows how layers hang together


@register
class TimmBackbone(nn.Module):
    """The maps of timm's `network` at `strides`: (B, c_in, H, W) in 0..1 -> for each stride (B, C, H / s, W / s).

    The picture is scaled as the network's weights expect it, (x - `mean`) / `std`, which are timm's unless given, one
    value for all planes. Its weights are random; `models.ready.backbone_weights` fills them. Raises ValueError for a
    name that timm does not have, a network without maps or for pictures of one size only, a stride that it has no map
    at, and a `std` that is not above 0.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        c_in: In,
        network: str,
        strides: Sequence[int] = (4, 8, 16, 32),
        *,
        mean: float | None = None,
        std: float | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.origin = ""  # where its weights are from; "": random
        self.lr_factor: float | None = None  # see models.rows.registry
        self.norm_frozen = False  # BatchNorm keeps its statistics whatever `train` says
        offered = create(network, features_only=True).feature_info.reduction()
        if missing := [str(stride) for stride in strides if stride not in offered]:
            have = ", ".join(map(str, sorted(set(offered))))
            raise ValueError(f"{network} has maps at the strides {have}, none at {', '.join(missing)}")
        self.strides = tuple(strides)
        # where several stages have one stride, the last one knows most
        self.stages = tuple(len(offered) - 1 - offered[::-1].index(stride) for stride in strides)
        self.body = create(network, features_only=True, out_indices=self.stages, in_chans=c_in)
        self.channels_last = str(getattr(self.body, "output_fmt", "NCHW")).endswith("NHWC")
        scales = self.body.pretrained_cfg
        if scales.get("fixed_input_size"):
            raise ValueError(f"{network} takes pictures of one size only; take a network for pictures of any size")
        if std is not None and std <= 0:
            raise ValueError(f"std must be above 0, got {std:g}")
        self.planes = c_in
        for name, given in (("mean", mean), ("std", std)):
            values = scales[name] if given is None else (given,) * 3
            values = values if c_in == 3 else (sum(values) / 3,) * c_in
            self.register_buffer(name, torch.tensor(values).view(1, -1, 1, 1), persistent=False)

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        maps = self.body((image - self.mean) / self.std)
        return tuple(one.permute(0, 3, 1, 2) if self.channels_last else one for one in maps)

    def train(self, mode: bool = True) -> Self:
        """As nn.Module's, but for `norm_frozen`, and a norm that learns no more keeps its statistics too."""
        super().train(mode)
        for module in self.body.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                learns = module.weight is None or module.weight.requires_grad
                module.train(mode and learns and not self.norm_frozen)
        return self

    def freeze_to(self, stride: int) -> int:
        """Keep the layers that the last map up to `stride` comes from as they are: they get no gradients, and their
        norms keep their statistics -> how many parameters these are, 0 where there is no such map.
        """
        places = [place for place, own in enumerate(self.strides) if own <= stride]
        if not places:
            return 0
        training, parameters = self.training, list(self.body.parameters())
        one = self.eval().body(self._example())[max(places, key=self.strides.__getitem__)]
        gradients = torch.autograd.grad(one.sum(), parameters, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.requires_grad_(gradient is None)
        self.train(training)
        return sum(parameter.numel() for parameter in parameters if not parameter.requires_grad)

    def whole(self) -> nn.Module:
        """The network for three planes with its classifier, which weights are published for."""
        return create(self.network, num_classes=CLASSES)

    @torch.no_grad()
    def fill(self, reference: Mapping[str, Tensor]) -> None:
        """Take the weights of `reference`, a state dict of `whole()` with or without its classifier. The first
        convolution's are summed for one plane; for other numbers of planes they are repeated and scaled, so that a grey
        picture gives what it gave.
        """
        with _quiet():
            filled = create(
                self.network,
                features_only=True,
                out_indices=self.stages,
                in_chans=self.planes,
                pretrained=True,
                pretrained_cfg_overlay={"state_dict": dict(reference)},  # timm then looks for no file and no network
            )
        self.body.load_state_dict(filled.state_dict())

    def fold_norm(self) -> None:
        """See models.rows.folding. A network that is not the same afterwards stays as it is."""
        example, folded = self._example(), copy.deepcopy(self.body)
        fold_norms(folded, example)
        with torch.no_grad():
            pairs = zip(self.body(example), folded(example), strict=True)
            if all(torch.allclose(a, b, rtol=1e-3, atol=1e-3 * float(a.abs().max())) for a, b in pairs):
                self.body = folded

    def _example(self) -> Tensor:
        """A picture that shows how the network's layers hang together."""
        picture = torch.linspace(-1, 1, self.planes * EXAMPLE_PX**2, device=self.mean.device)
        return picture.view(1, self.planes, EXAMPLE_PX, EXAMPLE_PX)


def backbones(model: nn.Module) -> list[TimmBackbone]:
    """The rows of this kind."""
    return [layer for layer in model.modules() if isinstance(layer, TimmBackbone)]


def origins_of(model: nn.Module) -> list[str]:
    """Where the first weights of each backbone are from, in words; "" at random."""
    return [layer.origin for layer in backbones(model)]


def set_origins(model: nn.Module, origins: Iterable[str]) -> None:
    """What `origins_of` gave, after the weights came from a checkpoint."""
    for layer, origin in zip(backbones(model), origins, strict=False):
        layer.origin = origin


def synchronised(model: Module) -> Module:
    """The model with BatchNorm over the pictures of all processes; timm's keeps the activation that it holds."""
    if not backbones(model):
        return nn.SyncBatchNorm.convert_sync_batchnorm(model)
    from timm.layers import convert_sync_batchnorm

    return convert_sync_batchnorm(model)


def create(network: str, **settings: Any) -> Any:
    """A network of timm with random weights. Raises ValueError for a name that timm does not have, or settings that
    do not go with it.
    """
    prepare_torchvision()
    import timm  # takes seconds, and few networks need it

    if not timm.is_model(network):
        raise ValueError(f"timm has no network '{network}'{did_you_mean(network, timm.list_models())}")
    try:
        return timm.create_model(network, **settings)
    except (AttributeError, AssertionError, TypeError, RuntimeError) as error:
        raise ValueError(f"timm's {network} gives no feature maps: {error or type(error).__name__}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Without timm's line about the classifier that has no place in a network of maps: our own says so."""
    log = logging.getLogger("timm")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)
