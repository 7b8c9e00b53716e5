"""How much memory a network will take at a size, so that too much is refused instead of ending in an OOM kill."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from models.exported.exported_network import ExportedNetwork
from models.graph.graph import Graph
from utils.processes.memory import free_memory
from utils.words.errors import ResourceError
from utils.words.text import counted

SIDES = (2, 4)  # of two small pictures, in strides: what grows with the area is told from what does not
ALWAYS_FITS = 8 * 640**2  # pixels in a batch


def check_fits(
    model: Graph | ExportedNetwork, size: int, pictures: int, training: bool = False, half: bool = False
) -> None:
    """Whether `pictures` of `size` x `size` px will fit the memory of the model's device, as far as it can be told.

    `half`: in 16 bit. Raises ResourceError naming what is needed and what is free.
    """
    if pictures * size**2 <= ALWAYS_FITS:
        return
    free, needed = _free(model.device), footprint(model, size, pictures, training, half)
    if free is not None and needed > free:
        raise ResourceError(
            f"--img {size}: {counted(pictures, 'picture')} at a time need about {needed / 2**30:,.1f} GiB of memory, "
            f"{free / 2**30:,.1f} GiB are free; lower --img{' or --batch' if pictures > 1 else ''}"
        )


def footprint(model: Graph | ExportedNetwork, size: int, pictures: int, training: bool, half: bool) -> int:
    """Bytes of the outputs of all layers for one batch, of which training keeps all and evaluation the largest two:
    an estimate from below (in training 0.7 to 0.8 of what is seen), measured on small pictures, of an exported file
    when it was made.
    """
    if isinstance(model, ExportedNetwork):
        return model.about.pixel_bytes * size**2 * pictures
    areas = [(side * model.stride) ** 2 for side in SIDES]
    totals, largest = zip(*(_numbers(model, side * model.stride) for side in SIDES), strict=True)
    less, more = totals if training else (2 * number for number in largest)
    each = less + (more - less) * (size**2 - areas[0]) / (areas[1] - areas[0])
    held = len(model.channels.names) * size**2 * 4  # the input, as float32
    return int(pictures * (each * (2 if half else 4) + held))


def _free(device: torch.device) -> int | None:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0]) + torch.cuda.memory_reserved(device)
    return free_memory()


@torch.inference_mode()
def _numbers(model: Graph, side: int) -> tuple[int, int]:
    """How many numbers all layers give for one picture, and the largest of them."""
    counts: list[int] = []

    def count(module: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, Tensor):
            counts.append(output.numel())

    hooks = [m.register_forward_hook(count) for m in model.modules() if not list(m.children())]
    was_training = model.training
    try:
        model.eval()(torch.zeros(1, len(model.channels.names), side, side, device=model.device))
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    return sum(counts), max(counts)
