"""How long a network takes with what comes before and after it, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from models.graph.graph import Graph
from models.inference.inference import detections
from models.inference.nms import NMSConfig
from utils.console.progress import progress
from utils.processes.speed import Speed, spread, time_steps
from utils.values.batch import Batch
from utils.values.detections import Detections
from utils.values.predictions import Predictions

Keys = Sequence[int]


def measure(
    model: Graph, read: Callable[[Keys], Batch], batches: Sequence[Keys], shape: Callable[[int], object], nms: NMSConfig
) -> Speed:
    """Time reading, network and NMS apart, on at least 100 pictures spread over `batches` (few: again and again).

    `read` gives the batch of some picture numbers, `shape` what the network input of one looks like. Every shape is
    run once before, and the first batch a few times more.
    """
    device = next(model.parameters()).device

    def forward(batch: Batch) -> tuple[Predictions, Batch]:
        return model(batch.to(device).inputs()), batch

    def suppress(given: tuple[Predictions, Batch]) -> dict[int, Detections]:
        return detections(given[0], given[1].views, nms)

    steps: dict[str, Callable] = {"read": read, "forward": forward, "nms": suppress}
    largest = max(len(keys) for keys in batches)
    chosen = spread(batches, max(20, -(-100 // largest)))
    shapes = {shape(keys[0]): keys for keys in chosen}
    model.eval()
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    with torch.inference_mode():
        time_steps([*shapes.values(), *[chosen[0]] * 5], steps, wait)
        spent = time_steps(progress(chosen, "measuring"), steps, wait)
    known = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "precision": "fp16" if torch.is_autocast_enabled(device.type) else "fp32",
        "conf": nms.conf,
        "iou": nms.iou,
        "batch": largest,
        "input": ", ".join(str(shape(keys[0])) for keys in shapes.values()),
    }
    return Speed({name: ms / largest for name, ms in spent.items()}, largest * len(chosen), known)
