"""What a network costs here: `python -m models.benchmark --cfg idfe-net.yaml --img 640`.

Times are medians over repeats in one process, after warm-up; quote ratios of one run, since machines differ.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence

import torch

from models.criterion import build_criterion
from models.graph import Graph, build_graph
from models.postprocess import NMSConfig, suppress
from models.spec import read_spec
from models.static import static_graph
from models.summary import summarise
from utils.cli import parse_benchmark
from utils.config import Config
from utils.device import peak_memory, select_device
from utils.flags import BenchmarkFlags
from utils.log import LOG, run_script
from utils.paths import find_yaml
from utils.structures import Targets

NMS_SIZES = (300, 3_000, 30_000)


def milliseconds(work: Callable[[], object], repeats: int, device: torch.device) -> float:
    """Median time of `work`, after two calls that are not counted."""
    times = []
    for number in range(repeats + 2):
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        if number >= 2:
            times.append((time.perf_counter() - started) * 1000)
    return statistics.median(times)


def forward_time(graph: Graph, image: torch.Tensor, repeats: int, bf16: bool) -> float:
    """Milliseconds of an inference pass."""
    graph.eval()

    def work() -> None:
        with torch.inference_mode(), torch.autocast(image.device.type, torch.bfloat16, enabled=bf16):
            graph(image)

    return milliseconds(work, repeats, image.device)


def step_time(graph: Graph, image: torch.Tensor, repeats: int, bf16: bool) -> float:
    """Milliseconds of a forward and backward pass with its loss, one box per picture."""
    graph.train()
    criterion = build_criterion(graph, Config())
    side = image.shape[-1]
    boxes = torch.tensor([[0.3, 0.3, 0.6, 0.7]], device=image.device).mul(side).repeat(len(image), 1)
    numbers = torch.arange(len(image), device=image.device)
    targets = Targets(numbers, torch.zeros_like(numbers), boxes).to(image.device)

    def work() -> None:
        with torch.autocast(image.device.type, torch.bfloat16, enabled=bf16):
            predictions = graph(image)
        torch.stack(list(criterion(predictions, targets).parts().values())).sum().backward()
        graph.zero_grad(set_to_none=True)

    return milliseconds(work, repeats, image.device)


def clustered_boxes(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(count, 4) boxes around one place for every hundred, sorted by a score, and labels of ten classes."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.rand(max(count // 100, 1), 2, generator=generator) * 640
    centre = centres[torch.randint(len(centres), (count,), generator=generator)]
    centre = centre + torch.randn(count, 2, generator=generator) * 3
    size = 20 + 10 * torch.rand(count, 2, generator=generator)
    return torch.cat((centre - size / 2, centre + size / 2), 1), torch.randint(10, (count,), generator=generator)


def report(name: str, graph: Graph, flags: BenchmarkFlags, device: torch.device, train: bool) -> None:
    """One network's lines; `train`: with the time of a training step."""
    rows = summarise(graph, flags.imgsz)
    graph.to(device, memory_format=torch.channels_last)
    image = torch.rand(flags.batch_size, len(graph.channels.names), flags.imgsz, flags.imgsz, device=device)
    image = image.to(memory_format=torch.channels_last)
    LOG.info(
        "%s: %s parameters, %.3f GFLOPs", name, f"{sum(r.parameters for r in rows):,}", sum(r.flops for r in rows) / 1e9
    )
    for words, bf16 in (("fp32", False), ("bf16", True)):
        if bf16 and not flags.bf16:
            continue
        line = f"  {words}: forward {forward_time(graph, image, flags.repeats, bf16):.1f} ms"
        if train:
            line += f", forward and backward {step_time(graph, image, flags.repeats, bf16):.1f} ms"
        LOG.info(line)


def main_story(argv: Sequence[str] | None) -> int:
    """Networks, then NMS, then memory."""
    flags = parse_benchmark(argv)
    device = select_device(flags.device)
    threads = torch.get_num_threads()
    LOG.info("%d x %d px, batch %d, on %s, %d threads", flags.imgsz, flags.imgsz, flags.batch_size, device, threads)
    torch.manual_seed(0)
    graph = build_graph(read_spec(find_yaml(flags.cfg, "models", "--cfg")), image_size=flags.imgsz)
    report(graph.spec.path.name, graph, flags, device, flags.train)
    if graph.vocabulary is not None:
        graph.vocabulary.normal_()
        report("static, its vocabulary folded in", static_graph(graph), flags, device, False)
    for count in NMS_SIZES:
        boxes, labels = clustered_boxes(count)
        cost = milliseconds(lambda b=boxes, k=labels: suppress(b, k, NMSConfig()), flags.repeats, torch.device("cpu"))
        LOG.info("NMS of %s boxes in clusters: %.1f ms", f"{count:,}", cost)
    LOG.info("peak memory of this process: %.0f MB", peak_memory(device) / 1e6)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
