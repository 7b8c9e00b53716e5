"""The fill rules and inputs under which the golden numbers were made."""

import json
from pathlib import Path

import torch
from torch import Tensor, nn

HERE = Path(__file__).parent


def load(name: str) -> dict:
    return json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


def wave(kind: str, shape: list[int]) -> Tensor:
    k = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return (torch.sin(0.1 * k) if kind == "sin" else torch.cos(0.1 * k)).view(shape)


def _weights(module: nn.Module):
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            yield name, layer


def _reset_norms(module: nn.Module) -> None:
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.reset_running_stats()
            nn.init.ones_(layer.weight)
            nn.init.zeros_(layer.bias)


@torch.no_grad()
def fill_module(module: nn.Module) -> nn.Module:
    """Section "modules": weight[k] = 4 sin(k+1) / sqrt(fan in), cos for the key projection; bias[k] = 0.05 cos(k+1)."""
    module.double().eval()
    _reset_norms(module)
    for name, layer in _weights(module):
        fan_in = layer.weight[0].numel()
        k = torch.arange(1, layer.weight.numel() + 1, dtype=torch.float64)
        values = torch.cos(k) if name.endswith("key") else torch.sin(k)
        layer.weight.copy_((4 * values / fan_in**0.5).view_as(layer.weight))
        if layer.bias is not None:
            k = torch.arange(1, layer.bias.numel() + 1, dtype=torch.float64)
            layer.bias.copy_(0.05 * torch.cos(k))
    return module


def _quadratic(n: int) -> Tensor:
    j = torch.arange(1, n + 1, dtype=torch.int64)
    return 2 * ((7919 * j * j + 104729 * j + 1) % 65537).double() / 65537 - 1


@torch.no_grad()
def fill_network(module: nn.Module) -> nn.Module:
    """Section "networks": weight[k] = 1.65 sqrt(3 / fan in) u(k+1); bias[k] = 0.1 u(k+1)."""
    module.double().eval()
    _reset_norms(module)
    for _, layer in _weights(module):
        fan_in = layer.weight[0].numel()
        values = 1.65 * (3 / fan_in) ** 0.5 * _quadratic(layer.weight.numel())
        layer.weight.copy_(values.view_as(layer.weight))
        if layer.bias is not None:
            layer.bias.copy_(0.1 * _quadratic(layer.bias.numel()))
    return module
