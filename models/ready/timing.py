"""How long a network takes with what comes before and after it, step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader

from models.exported.exported_network import ExportedNetwork
from models.inference.inference import Inference
from models.inference.nms import NMSConfig
from models.ready.load import Network
from utils.console.log import LOG
from utils.console.progress import progress
from utils.processes.speed import Speed, spread, time_steps
from utils.values.batch import Batch
from utils.values.detections import Detections
from utils.values.predictions import Candidates

Keys = Sequence[int]


def measure(models: tuple[Network, ...], loader: DataLoader[Batch], nms: NMSConfig, names: tuple[str, ...]) -> Speed:
    """Time reading, networks and NMS apart, on at least 100 pictures spread over the loader's batches (few: again and
    again). `names`: the networks' classes. A picture with several views is timed view by view.

    The loader's samples have `shapes` (P, 2), height and width of each network input. Every shape is run once before,
    and the first batch a few times more. Batches are read here and one by one, to time them apart.
    """
    samples: Any = loader.dataset
    batches = [list(keys) for keys in loader.batch_sampler or ()]
    network = Inference(models, nms, torch.arange(len(names)), names)
    device = network.device
    lost: dict[int, str] = {}

    def read(keys: Keys) -> Batch:
        batch: Batch = loader.collate_fn([samples[index] for index in keys])
        lost.update(batch.lost)
        return batch

    def shape(keys: Keys) -> str:
        height, width = samples.shapes[keys[0]]
        return f"{width}x{height}"

    def forward(batch: Batch) -> tuple[tuple[Candidates, ...], Batch]:
        return network.predictions(batch.to(device)), batch

    def suppress(given: tuple[tuple[Candidates, ...], Batch]) -> dict[int, Detections]:
        founds = network.found(given[0], given[1].views)
        return network.gathering().add(founds)

    steps: dict[str, Callable] = {"read": read, "forward": forward, "nms": suppress}
    largest = max(len(keys) for keys in batches)
    # at least 20 batches, however large: the percentiles are over batches
    chosen = spread(batches, max(20, -(-100 // largest)))
    shapes = {shape(keys): keys for keys in chosen}
    wait = torch.cuda.synchronize if device.type == "cuda" else lambda: None
    with torch.inference_mode():
        time_steps([*shapes.values(), *[chosen[0]] * 5], steps, wait)
        spent = time_steps(progress(chosen, "measuring"), steps, wait)
    for reason in lost.values():
        LOG.warning("left out: %s", reason)
    known = {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "threads": torch.get_num_threads(),
        "precision": _number(models[0]),
        "conf": nms.conf,
        "iou": nms.iou,
        "batch": largest,
        "input": ", ".join(shapes),
    }
    return Speed({name: ms / largest for name, ms in spent.items()}, largest * len(chosen), known)


def _number(model: Network) -> str:
    """The number format that it computes in."""
    if isinstance(model, ExportedNetwork):
        return model.about.number
    return "fp16" if torch.is_autocast_enabled(model.device.type) else "fp32"
