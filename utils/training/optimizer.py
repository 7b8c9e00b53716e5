"""The optimizer: which parameters decay, and which learn at a rate of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from utils.config.config import OptimConfig

MOMENTS = {
    torch.optim.SGD: {"momentum_buffer"},
    torch.optim.Adam: {"step", "exp_avg", "exp_avg_sq"},
    torch.optim.AdamW: {"step", "exp_avg", "exp_avg_sq"},
}  # what they keep of each parameter
GROUPS = ("weights", "norms", "biases")  # x/lr0, x/lr1, x/lr2 of results.csv


def build_optimizer(model: nn.Module, cfg: OptimConfig, batch_size: int) -> torch.optim.Optimizer:
    """Three parameter groups: weights (decayed); norm weights, other vectors and scalars; biases (not decayed).

    A module with an attribute `lr_factor` that is a number, such as a pretrained backbone, learns at that factor of the
    learning rate: its parameters are in groups of their own, after the three.
    """
    groups: dict[tuple[str, float | None], list[nn.Parameter]] = {(name, None): [] for name in GROUPS}
    factors = _lr_factors(model)
    for module in model.modules():
        norm = isinstance(module, nn.modules.batchnorm._BatchNorm | nn.LayerNorm | nn.GroupNorm)
        for name, parameter in module.named_parameters(recurse=False):
            if parameter.requires_grad:
                plain = norm or parameter.ndim < 2  # a gate's or temperature's scalar is no weight
                kind = "biases" if name.endswith("bias") else "norms" if plain else "weights"
                groups.setdefault((kind, factors[module]), []).append(parameter)
    # the configured decay is meant for updates of nominal_batch pictures
    decay = cfg.weight_decay * batch_size * accumulation(cfg, batch_size) / cfg.nominal_batch
    settings: list[dict[str, Any]] = [
        {"params": given, "lr": cfg.lr0 * (factor or 1.0), "weight_decay": decay * (name == "weights"), "name": name}
        | ({} if factor is None else {"lr_factor": factor})  # checkpoints keep this: the three stay as they always were
        for (name, factor), given in groups.items()
    ]
    if cfg.name == "SGD":
        # torch refuses Nesterov's step without momentum
        return torch.optim.SGD(settings, momentum=cfg.momentum, nesterov=cfg.momentum > 0, fused=True)
    adam: type[torch.optim.Adam] = torch.optim.AdamW if cfg.name == "AdamW" else torch.optim.Adam
    return adam(settings, betas=(cfg.momentum, 0.999), fused=True)  # one pass instead of a dozen: 0.6 of the time


def _lr_factors(model: nn.Module) -> dict[nn.Module, float | None]:
    """The factor of every module: its own `lr_factor`, or that of the nearest module around it, or None."""
    factors: dict[nn.Module, float | None] = dict.fromkeys(model.modules())
    for module in model.modules():  # from the outside in, so that the nearest is the last to speak
        factor = getattr(module, "lr_factor", None)
        if isinstance(factor, float | int):
            factors |= dict.fromkeys(module.modules(), float(factor))
    return factors


def common_rates(optimizer: torch.optim.Optimizer) -> list[float]:
    """The learning rates of GROUPS as they stand, which hold wherever no module has a factor."""
    return [group["lr"] for group in optimizer.param_groups[: len(GROUPS)]]


def accumulation(cfg: OptimConfig, batch_size: int) -> int:
    """Steps whose gradients are added up after warm-up."""
    return cfg.accumulate or max(round(cfg.nominal_batch / batch_size), 1)


def restore_optimizer(optimizer: torch.optim.Optimizer, stored: Mapping[str, Any]) -> str:
    """Continue with the `stored` state of an optimizer of the same configuration and network; returns what does not
    fit, "" when all does. torch takes what it is given, and fails, or not even that, in the next step.
    """
    own, theirs = optimizer.state_dict()["param_groups"], stored["param_groups"]
    if found := _misfit_of_groups(own, theirs) or _misfit_of_moments(optimizer, stored["state"]):
        return found
    # an option that only this version of torch knows keeps its value
    groups = [ours | group for ours, group in zip(own, theirs, strict=True)]
    optimizer.load_state_dict({"state": stored["state"], "param_groups": groups})
    return ""


def _misfit_of_groups(own: Sequence[dict[str, Any]], theirs: Sequence[dict[str, Any]]) -> str:
    if [group.get("params") for group in theirs] != [group["params"] for group in own]:
        return "it has other groups of parameters"
    for number, (ours, group) in enumerate(zip(own, theirs, strict=True)):
        for key, value in ours.items():
            moved = key in ("lr", "momentum")  # by the schedule; the others are as the configuration says
            given = group.get(key, None if moved else value)
            if type(given) is not type(value) or (not moved and given != value):
                return f"param_groups.{number}.{key} is {given!r}, not {value!r}"
    return ""


def _misfit_of_moments(optimizer: torch.optim.Optimizer, state: Mapping[int, Mapping[str, Any]]) -> str:
    parameters = dict(enumerate(p for group in optimizer.param_groups for p in group["params"]))
    if state and set(state) != set(parameters):
        return "state is not that of its parameters"
    for number, moments in state.items():
        if set(moments) != MOMENTS[type(optimizer)]:
            return f"state.{number} holds {', '.join(map(str, moments)) or 'nothing'}"
        for name, value in moments.items():
            shape = torch.Size() if name == "step" else parameters[number].shape
            if not isinstance(value, Tensor) or value.shape != shape or value.dtype != torch.float32:
                return f"state.{number}.{name} is no float32 tensor of shape {list(shape)}"
    return ""
