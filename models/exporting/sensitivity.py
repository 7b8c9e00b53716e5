"""Which parts of a network lose most by 8-bit arithmetic: each is computed so alone, by plain torch."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn

from models.exporting.export_form import ExportForm

STEPS, LIMIT = 255, 127  # of 8 bits: what a tensor's range is cut into; the largest weight, symmetric
Range = tuple[float, float]


def row_of(name: str) -> int | None:
    """The row of a node of an exported file, by its name: its place in the graph's `layers`; None for the decoding."""
    found = re.match(r"/layers\.(\d+)/", name)
    return int(found[1]) if found else None


def part_of(name: str) -> str | None:
    """The part of a node: its row, as "12", or of a row that is a whole backbone the block, as "0/blocks.3"."""
    found = re.match(r"/layers\.(\d+)/(?:\w+/(blocks\.\d+)/)?", name)
    return "/".join(filter(None, found.groups())) if found else None


@torch.no_grad()
def rank_parts(form: ExportForm, pictures: Sequence[Tensor]) -> list[str]:
    """The parts that hold convolutions or linear layers, the one first by which the form's output departs most.

    A part's number is the place of its row in `form.graph.layers`, see part_of: not its number in the network's YAML,
    which differs where rows were folded away.
    `pictures` (1, C, H, W) float32 in 0..1, at least one; `form` takes no text, and is as before afterwards.
    """
    assert pictures, "what a tensor's range is, only pictures tell"
    parts = _products(form)
    ranges = _input_ranges(form, pictures, [module for found in parts.values() for module in found])
    wanted = [form(picture) for picture in pictures]
    departures = {}
    for part, modules in parts.items():
        with ExitStack() as stack:
            for module in modules:
                stack.enter_context(_in_8_bits(module, ranges.get(module, (0.0, 0.0))))
            departures[part] = departure(wanted, [form(picture) for picture in pictures])
    return sorted(departures, key=lambda part: -departures[part])


def departure(wanted: Sequence[Tensor], got: Sequence[Tensor]) -> float:
    """How far outputs (1, A, 4 + K) of several pictures are from those wanted; 0 for equal ones.

    The norm of the scores' differences, as a part of the scores' own, and the mean difference of the boxes' edges, as a
    part of the boxes' size, where a box counts by its score. Over all pictures together: one on which nothing is to be
    found has no scores to compare its own with.
    """
    change = scores = moved = weights = 0.0
    for one, other in zip(wanted, got, strict=True):
        best = one[..., 4:].amax(-1).double()
        size = (one[..., 2:4] - one[..., :2]).double().clamp(min=1.0).prod(-1).sqrt()
        edges = (one[..., :4] - other[..., :4]).double().abs().mean(-1)
        change += (one[..., 4:] - other[..., 4:]).double().square().sum().item()
        scores += one[..., 4:].double().square().sum().item()
        moved += (best * edges / size).sum().item()
        weights += best.sum().item()
    tiny = torch.finfo(torch.float64).tiny  # a network may be sure that there is nothing anywhere
    return (change / max(scores, tiny)) ** 0.5 + moved / max(weights, tiny)


def _products(form: ExportForm) -> dict[str, list[nn.Module]]:
    """Convolutions and linear layers by part."""
    found: dict[str, list[nn.Module]] = {}
    for place, layer in enumerate(form.graph.layers):
        for name, module in layer.named_modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                part = part_of(f"/layers.{place}/{'/'.join(_levels(name))}/")
                assert part is not None, "a name of a row"
                found.setdefault(part, []).append(module)
    return found


def _levels(name: str) -> list[str]:
    """A module's name as a file has it, level by level: a.blocks.3.0.b as a, blocks.3, 0, b."""
    return re.sub(r"\bblocks\.(\d+)", r"blocks:\1", name).replace(".", "/").replace(":", ".").split("/")


def _input_ranges(form: ExportForm, pictures: Sequence[Tensor], modules: Sequence[nn.Module]) -> dict[nn.Module, Range]:
    """The smallest and the largest number that each module reads; none for one that does not run."""
    ranges: dict[nn.Module, Range] = {}

    def look(module: nn.Module, given: tuple[Tensor, ...]) -> None:
        low, high = (end.item() for end in given[0].aminmax())
        known = ranges.get(module, (0.0, 0.0))  # a range holds 0, so that zero padding is exact
        ranges[module] = min(known[0], low), max(known[1], high)

    with ExitStack() as stack:
        for module in modules:
            stack.enter_context(_hooked(module, look))
        for picture in pictures:
            form(picture)
    return ranges


@contextmanager
def _in_8_bits(module: nn.Module, span: Range) -> Iterator[None]:
    """`module` computes with weights and inputs rounded as a file of 8 bits has them."""
    low, high = span
    step = max((high - low) / STEPS, torch.finfo(torch.float32).tiny)
    zero = min(max(round(-low / step), 0), STEPS)

    def rounded(_: nn.Module, given: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return torch.fake_quantize_per_tensor_affine(given[0], step, zero, 0, STEPS), *given[1:]

    weight = module.weight
    assert isinstance(weight, nn.Parameter), "a convolution or a linear layer has weights"
    own = weight.data
    weight.data = rounded_weights(own)
    try:
        with _hooked(module, rounded):
            yield
    finally:
        weight.data = own


def rounded_weights(weight: Tensor) -> Tensor:
    """Weights (C_out, ...) rounded to 255 values of each output channel, symmetric about 0."""
    step = weight.flatten(1).abs().amax(1).div(LIMIT).clamp(min=torch.finfo(torch.float32).tiny)
    zero = torch.zeros_like(step, dtype=torch.int32)
    return torch.fake_quantize_per_channel_affine(weight, step, zero, 0, -LIMIT, LIMIT)


@contextmanager
def _hooked(module: nn.Module, hook: object) -> Iterator[None]:
    handle = module.register_forward_pre_hook(hook)  # type: ignore[arg-type]  # torch's stub wants any arguments
    try:
        yield
    finally:
        handle.remove()
