"""BatchNorm folded in a network that is not ours: which norm follows which convolution is seen on an example."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from models.layers.conv import fold


@torch.no_grad()
def fold_norms(network: nn.Module, example: Tensor) -> None:
    """Make every BatchNorm of `network`, in eval mode, that takes what a convolution gives part of that convolution;
    what timm's BatchNorm does beside (its activation) stays. `example` is an input that shows who follows whom.
    """
    given: dict[int, tuple[nn.Conv2d, Tensor, int]] = {}  # by id: of outputs that are kept, so that no id comes twice
    pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d]] = []

    def after(conv: nn.Module, _inputs: Any, output: Tensor) -> None:
        assert isinstance(conv, nn.Conv2d), "hooked below"
        given[id(output)] = conv, output, output._version

    def before(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        conv, _, version = given.get(id(inputs[0]), (None, None, 0))
        if conv is not None and inputs[0]._version == version:  # nothing was done to it on the way
            assert isinstance(norm, nn.BatchNorm2d), "hooked below"
            pairs.append((conv, norm))

    hooks = [_hook(module, after, before) for module in network.modules()]
    network(example)
    for hook in hooks:
        hook()
    names = {module: name for name, module in network.named_modules()}
    for conv, norm in pairs:
        place, _, name = names[norm].rpartition(".")
        fold(norm, conv)
        setattr(network.get_submodule(place), name, getattr(norm, "act", nn.Identity()))


def _hook(module: nn.Module, after: Callable[..., None], before: Callable[..., None]) -> Callable[[], None]:
    """Watch a convolution or a norm -> what ends it."""
    if isinstance(module, nn.Conv2d):
        return module.register_forward_hook(after).remove
    if isinstance(module, nn.BatchNorm2d):
        return module.register_forward_pre_hook(before).remove
    return lambda: None
