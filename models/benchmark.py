"""What a network costs here: `python -m models.benchmark --cfg idfe-net.yaml --img 640`.

Times are medians over repeats in one process, after warm-up; quote ratios of one run, since machines differ.
"""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch

from data.batches.build import eval_loader
from data.batches.comparison import chosen_scenes, comparison_batches
from models.export import judging_data, judging_split
from models.exported.opened import ENGINE, PROGRAM, is_exported
from models.exporting.measured import HEAD, form_line, forms
from models.graph.builder import build_graph
from models.graph.folded import static_graph, without_norms
from models.graph.graph import Graph
from models.graph.model_summary import summarise
from models.graph.open_vocabulary import Words, set_words, text_source, with_words
from models.inference.nms import NMSConfig, suppress
from models.ready.backbone_weights import fill_backbones, set_backbones
from models.ready.load import load_model
from models.ready.step_parts import parts_line, step_parts
from models.rows.model_spec import ModelSpec, read_spec
from models.text.cache import VectorCache
from models.text.encoder import TextEncoder
from models.text.encoder_finder import find_encoder
from utils.config.config import Config
from utils.config.paths import find_yaml
from utils.console.log import LOG
from utils.console.script import run_script
from utils.flags.command_flags import BenchmarkFlags, parse_benchmark
from utils.processes.device import peak_device_memory, select_device
from utils.processes.memory import keep_freed_memory
from utils.processes.mixed_precision import mixed_precision
from utils.values.batch import Targets
from utils.words.class_names import match_classes
from utils.words.errors import CheckpointError, ConfigError, printable
from utils.words.text import counted
from utils.words.vocabulary import Vocabulary
from val import evaluate

NMS_SIZES = (300, 3_000, 30_000)
STAND_IN = "ngram"
EXPORT_PICTURES = 32  # on which the scores of exported files are compared
T = TypeVar("T")
Work = Callable[[], object]


def milliseconds(work: Work, repeats: int, device: torch.device) -> float:
    """Median time of `work`, after two calls that are not counted."""
    return in_turn([work], repeats, device)[0]


def in_turn(works: Sequence[Work], repeats: int, device: torch.device) -> list[float]:
    """Median time of each of `works`, see times_in_turn."""
    return [statistics.median(own) for own in times_in_turn(works, repeats, device)]


def times_in_turn(works: Sequence[Work], repeats: int, device: torch.device) -> list[list[float]]:
    """Milliseconds of each of `works`, done one after the other `repeats` times, after two rounds that are not
    counted.
    """
    times: list[list[float]] = [[] for _ in works]
    for number in range(repeats + 2):
        for work, own in zip(works, times, strict=True):
            started = time.perf_counter()
            work()
            if device.type == "cuda":
                torch.cuda.synchronize(device)
            if number >= 2:
                own.append((time.perf_counter() - started) * 1000)
    return times


def forward(graph: Graph, image: torch.Tensor, bf16: bool = False) -> Work:
    """An inference pass of a network that is made for it."""

    def work() -> None:
        with torch.inference_mode(), mixed_precision(image.device, torch.bfloat16 if bf16 else None):
            graph(image)

    return work


def training_step(graph: Graph, image: torch.Tensor, bf16: bool = False) -> Work:
    """A forward and backward pass with its loss, one box per picture."""
    graph.train()
    criterion = graph.head.criterion(Config())
    side = image.shape[-1]
    boxes = torch.tensor([[0.3, 0.3, 0.6, 0.7]], device=image.device).mul(side).repeat(len(image), 1)
    numbers = torch.arange(len(image), device=image.device)
    targets = Targets(numbers, torch.zeros_like(numbers), boxes).to(image.device)

    def work() -> None:
        with mixed_precision(image.device, torch.bfloat16 if bf16 else None):
            predictions = graph(image)
        torch.stack(list(criterion(predictions, targets).parts().values())).sum().backward()
        graph.zero_grad(set_to_none=True)

    return work


def clustered_boxes(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(count, 4) boxes around one place for every hundred, sorted by a score, and labels of ten classes."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.rand(max(count // 100, 1), 2, generator=generator) * 640
    centre = centres[torch.randint(len(centres), (count,), generator=generator)]
    centre = centre + torch.randn(count, 2, generator=generator) * 3
    size = 20 + 10 * torch.rand(count, 2, generator=generator)
    return torch.cat((centre - size / 2, centre + size / 2), 1), torch.randint(10, (count,), generator=generator)


def random_pictures(graph: Graph, flags: BenchmarkFlags, device: torch.device) -> torch.Tensor:
    """Noise with the planes that `graph` takes."""
    image = torch.rand(flags.batch_size, len(graph.channels.names), flags.imgsz, flags.imgsz, device=device)
    return image.to(memory_format=torch.channels_last)


def report(name: str, graph: Graph, flags: BenchmarkFlags, device: torch.device, train: bool) -> None:
    """One network's lines; `train`: with the time of a training step."""
    rows = summarise(graph, flags.imgsz)
    graph.to_device(device)
    image, ready = random_pictures(graph, flags, device), without_norms(graph)  # as val.py and detect.py run it
    LOG.info(
        "%s: %s parameters, %.3f GFLOPs", name, f"{sum(r.parameters for r in rows):,}", sum(r.flops for r in rows) / 1e9
    )
    for words, bf16 in (("fp32", False), ("bf16", True)):
        if bf16 and not flags.bf16:
            continue
        line = f"  {words}: forward {milliseconds(forward(ready, image, bf16), flags.repeats, device):.1f} ms"
        if train:
            step = milliseconds(training_step(graph, image, bf16), flags.repeats, device)
            line += f", forward and backward {step:.1f} ms"
        LOG.info(line)
        if train and flags.parts:
            LOG.info("    of that: %s", parts_line(step_parts(training_step(graph, image, bf16), flags.repeats)))


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """What `work` returns, and the milliseconds of this one call."""
    started = time.perf_counter()
    return work(), (time.perf_counter() - started) * 1000


def usable_encoder(spec: ModelSpec, text_encoder: str) -> tuple[TextEncoder, str]:
    """The encoder of --text-encoder, else the YAML's, else the stand-in; and what finds it again.

    Raises UserError when that of --text-encoder is not available.
    """
    source = text_source(spec, text_encoder)
    try:
        return find_encoder(source), source
    except (CheckpointError, ConfigError) as error:
        if text_encoder:
            raise
        LOG.info("the YAML's text encoder is not available, %s takes its place: %s", STAND_IN, error)
        return find_encoder(STAND_IN), STAND_IN


def encode_words(spec: ModelSpec, text_encoder: str) -> Words:
    """As many made-up names as the spec has texts, encoded, and a line of what that costs. Raises UserError."""
    vocabulary = Vocabulary.from_names([f"defect {number}" for number in range(spec.classes)])
    encoder, source = usable_encoder(spec, text_encoder)
    with tempfile.TemporaryDirectory() as folder:
        vectors, first = timed(lambda: VectorCache(Path(folder)).encode(encoder, vocabulary.names))
        _, again = timed(lambda: VectorCache(Path(folder)).encode(encoder, vocabulary.names))
    line = "%s as text vectors by %s: encoded once %.1f ms, from the cache %.1f ms"
    LOG.info(line, counted(len(vocabulary), "name"), encoder.name, first, again)
    return Words(vocabulary, vectors, encoder.name, source)


def first_network(spec: ModelSpec, words: Words | None) -> Graph:
    """The network as training begins with it, looking for `words`: with random weights, the same each time, and what
    its backbone knows, unless that is not installed.
    """
    torch.manual_seed(0)
    graph = build_graph(spec)
    if words is not None:
        set_words(graph, words)
    try:
        fill_backbones(graph, "")
    except ConfigError as error:
        LOG.info("random weights take the place of the backbone's: %s", error)
    set_backbones(graph, Config())
    return graph


def other_network(flags: BenchmarkFlags, words: Words | None) -> Graph:
    """The network of --against, looking for `words`, or for names of its own, if it reads text. Raises UserError."""
    spec = read_spec(find_yaml(flags.against, "models", "--against"))
    if spec.text_dim is None:
        return first_network(spec, None)
    words = words or encode_words(spec, flags.text_encoder)
    return first_network(with_words(spec, words), words)


def report_ratios(graph: Graph, static: Graph | None, other: Graph, flags: BenchmarkFlags) -> None:
    """A line for each kind of work, with --bf16 in both number formats: the network's time over the other network's,
    repeats of both in turn. Of a network that reads text the `static` one detects.
    """
    pair, device = (graph, other.to_device(graph.device)), graph.device
    images = [random_pictures(one, flags, device) for one in pair]
    ready = [without_norms(one) for one in (static or graph, other)]
    kinds = []
    for bf16, number in ((False, ""), (True, " in bf16"))[: 1 + flags.bf16]:
        detecting = [forward(one, image, bf16) for one, image in zip(ready, images, strict=True)]
        kinds += [("static" if static else graph.spec.path.name, f"forward{number}", detecting)]
        if flags.train:
            learning = [training_step(one, image, bf16) for one, image in zip(pair, images, strict=True)]
            kinds += [(graph.spec.path.name, f"forward and backward{number}", learning)]
    for name, kind, works in kinds:
        first, second = in_turn(works, flags.repeats, device)
        line = "%s / %s, %s in turn: %.1f ms / %.1f ms = %.3f"
        LOG.info(line, name, other.spec.path.name, kind, first, second, first / second)


def report_exports(flags: BenchmarkFlags) -> None:
    """A table of the checkpoint and the files of a folder: size, time for one picture, and scores on the validation
    split. Raises UserError.
    """
    folder = Path(flags.exports)
    weights = flags.weights or str(next((p for n in ("best.pt", "last.pt") if (p := folder / n).exists()), ""))
    paths = sorted(p for p in folder.glob("*") if is_exported(p) and p.suffix not in (PROGRAM, ENGINE))
    if not (weights and paths):
        what = "exported files" if weights else "checkpoint best.pt or last.pt; give --weights"
        raise ConfigError(f"--exports {printable(flags.exports)}: holds no {what}")
    loaded = load_model(weights)
    data = judging_data(flags, loaded)
    truth = judging_split(data, loaded, "val")
    labels = match_classes(loaded.names, truth.names, weights, False, "").labels
    scenes = chosen_scenes(truth, EXPORT_PICTURES, data.max_pixels)
    inputs = [b.inputs() for b in comparison_batches(scenes, truth.channels, [data.imgsz], loaded.model.stride)]
    measured = forms(loaded, paths)
    # one form after the other: in turn, the threads of one runtime still wait busily while the next one computes
    works = [form.work(inputs[0][:1]) for form in measured]
    times = [times_in_turn([work], flags.repeats, torch.device("cpu"))[0] for work in works]
    right = [measured[0].scores(images) for images in inputs]
    shape = f"{inputs[0].shape[3]} x {inputs[0].shape[2]} px"
    LOG.info("%s, batch 1, %d threads, %d times each", shape, torch.get_num_threads(), flags.repeats)
    LOG.info(HEAD)
    for form, own in zip(measured, times, strict=True):
        loader = eval_loader(truth.records, data, form.network.stride, 8, False, truth.channels)
        with form.numbers():
            evaluation = evaluate((form.network,), loader, truth, loaded.config.val, labels)
        assert evaluation is not None, "one process"
        found = [form.scores(images) for images in inputs]
        pairs = zip(right, found, strict=True)
        apart = [float((one - other).abs().max()) for one, other in pairs if one is not None and other is not None]
        scores = evaluation.report.map50, evaluation.report.map50_95
        LOG.info(form_line(form, own, times[0], scores, max(apart, default=None)))


def main_story(argv: Sequence[str] | None) -> int:
    """Text, networks, then NMS, then memory; or exported files."""
    flags = parse_benchmark(argv)
    keep_freed_memory()
    if flags.exports:
        report_exports(flags)
        return 0
    flags = replace(flags, imgsz=flags.imgsz or 640)
    device = select_device(flags.device)
    threads = torch.get_num_threads()
    LOG.info("%d x %d px, batch %d, on %s, %d threads", flags.imgsz, flags.imgsz, flags.batch_size, device, threads)
    spec = read_spec(find_yaml(flags.cfg, "models", "--cfg"))
    words = encode_words(spec, flags.text_encoder) if spec.text_dim is not None else None
    if words is None and flags.text_encoder:
        raise ConfigError(f"--text-encoder: {spec.path.name} reads no text; take a model such as rtvpnet-s.yaml")
    spec = with_words(spec, words)
    has_sam = "sam" in spec.data
    bare = spec.with_values(sam="none") if has_sam else spec
    graph = first_network(bare, words)
    report(spec.path.name + ", Mobile-SAM none" * has_sam, graph, flags, device, flags.train)
    static = static_graph(graph) if words is not None else None
    if static is not None:
        report("static, its vocabulary folded in", static, flags, device, False)
    if flags.against:
        report_ratios(graph, static, other_network(flags, words), flags)
    if has_sam:  # random weights cost what the published ones do
        graph = first_network(spec.with_values(sam="random-frozen"), words)
        report("+ Mobile-SAM (random-frozen; its own parameters not counted)", graph, flags, device, flags.train)
    for count in NMS_SIZES:
        boxes, labels = clustered_boxes(count)
        work = partial(suppress, boxes, labels, NMSConfig())
        cost = milliseconds(work, flags.repeats, torch.device("cpu"))
        LOG.info("NMS of %s boxes in clusters: %.1f ms", f"{count:,}", cost)
    LOG.info("peak memory of this process: %.0f MB", peak_device_memory(device) / 1e6)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
