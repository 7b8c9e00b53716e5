"""What reading a large data set costs here: `python -m data.benchmark --images 1000000`.

Annotations are made up; no picture of theirs exists, so that the index of the COCO json is made from what the json
says. The set of txt files has one picture under many names, read as any set is. Each step runs in a process of its own.
"""

from __future__ import annotations

from utils.console.imports import while_importing

if __name__ == "__main__":
    while_importing()

import json
import multiprocessing
import os
import pickle
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import numpy as np
from torch.utils.data import DataLoader

from data.batches.build import eval_loader, train_loader
from data.batches.class_balance import Balance
from data.batches.sampler import EpochBatches, Shapes
from data.files.stamps import take_stamps
from data.index.index_writer import IndexWriter
from data.index.record_index import LABELLED, RecordIndex
from data.index.split_index import read_indexed
from data.labels.classes import ClassMap
from data.labels.coco_labels import read_coco, truths_of
from data.sets.data_yaml import read_description
from data.sets.split_reading import ReadPolicy, RecordSet, read_records
from utils.config.config import Config
from utils.config.settings import Setting, build_config
from utils.console.log import LOG
from utils.console.progress import progress
from utils.console.script import run_script
from utils.flags.command_flags import DataBenchmarkFlags, parse_data_benchmark
from utils.processes.memory import peak_process_memory, private_memory
from utils.tiling.tiles import Tiling
from utils.values.batch import Batch

CHUNK = 8192  # pictures in hand
REPEATS = 3  # epochs of the loader that count
WIDER = 4  # times a tile: pictures that are cut
LINKS = 30_000  # names of one file; file systems have a limit
SIZES = np.array([(480, 640), (1080, 1920), (600, 600)])

Row = tuple[str, str]


def main_story(argv: Sequence[str] | None) -> int:
    """Make the annotations, then time index, worker, samplers and loader; one table at the end."""
    flags = parse_data_benchmark(argv)
    with tempfile.TemporaryDirectory(prefix="defects-benchmark-") as name:
        home = Path(name)
        write_coco(home / "train.json", flags)
        steps: tuple[tuple[str, Callable[..., list[Row]]], ...] = (
            ("index of a COCO json", time_coco),
            ("open it", time_open),
            ("a worker's epoch", time_worker),
            ("samplers", time_samplers),
            ("index of txt files", time_files),
            ("loader", time_loader),
            ("tiles", time_tiles),
        )
        rows: list[Row] = []
        for _, step in progress(steps, "measuring"):
            rows += _alone(step, home, flags)
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        LOG.info("%-*s  %s", width, name, value)
    return 0


def _alone(step: Callable[..., list[Row]], home: Path, flags: DataBenchmarkFlags) -> list[Row]:
    """A step in a fresh process, whose memory is its own."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(step, home, flags).result()


def class_names(flags: DataBenchmarkFlags) -> list[str]:
    """Names of the classes."""
    return [f"class {number}" for number in range(flags.classes)]


def write_coco(path: Path, flags: DataBenchmarkFlags) -> None:
    """A COCO json of made-up annotations, written as a stream; classes have a long tail, pictures three sizes."""
    rng = np.random.default_rng(flags.seed)
    chances = 1 / np.arange(1, flags.classes + 1) ** 1.1
    chances /= chances.sum()
    counts = rng.integers(0, 2 * flags.boxes + 1, flags.images)
    with open(path, "w", encoding="ascii") as file:
        categories = [{"id": number + 1, "name": name} for number, name in enumerate(class_names(flags))]
        file.write('{"categories": ' + json.dumps(categories) + ', "images": [')
        for start in progress(range(0, flags.images, CHUNK), "writing pictures"):
            numbers = range(start, min(start + CHUNK, flags.images))
            file.write(", " * (start > 0) + ", ".join(_image(number) for number in numbers))
        file.write('], "annotations": [')
        written = 0
        for start in progress(range(0, flags.images, CHUNK), "writing boxes"):
            pictures = np.repeat(np.arange(start, min(start + CHUNK, flags.images)), counts[start : start + CHUNK])
            labels = rng.choice(flags.classes, len(pictures), p=chances) + 1
            sides = SIZES[pictures % 3][:, ::-1]
            boxes = np.concatenate((rng.random((len(pictures), 2)) * 0.8, rng.random((len(pictures), 2)) * 0.2), 1)
            rounded = np.round(boxes * np.tile(sides, 2), 2)
            columns = zip(pictures.tolist(), labels.tolist(), rounded.tolist(), strict=True)
            texts = [_annotation(written + i, *row) for i, row in enumerate(columns)]
            file.write(", " * (written > 0 and len(texts) > 0) + ", ".join(texts))
            written += len(texts)
        file.write("]}")


def _image(number: int) -> str:
    height, width = SIZES[number % 3].tolist()
    name = f"part {number // 1000:04}/{number:07}.jpg"
    return f'{{"id": {number + 1}, "file_name": "{name}", "height": {height}, "width": {width}}}'


def _annotation(number: int, picture: int, label: int, box: list[float]) -> str:
    area = box[2] * box[3]
    return (
        f'{{"id": {number + 1}, "image_id": {picture + 1}, "category_id": {label}, "bbox": {box}, '
        f'"area": {area:.2f}, "iscrowd": 0, "segmentation": []}}'
    )


def time_coco(home: Path, flags: DataBenchmarkFlags) -> list[Row]:
    """Build the index from the json, sizes as it says."""
    before, started = peak_process_memory(), time.perf_counter()
    source, folder = home / "train.json", home / "images"
    with IndexWriter(home / "coco.index") as writer:
        writer.add_stamps(take_stamps([source]))
        truth = read_coco(source, ClassMap.plain([(name,) for name in class_names(flags)]))
        read = time.perf_counter() - started
        for start in range(0, len(truth), CHUNK):
            sizes = truth.columns.sizes[start : start + CHUNK]
            boxes, labels, crowd, counts = truths_of(truth, start, sizes)
            paths = [f"{folder}/{truth.columns.file_name(start + i)}" for i in range(len(sizes))]
            rows = {"boxes": boxes, "labels": labels, "crowd": crowd}
            writer.add_columns(paths, sizes, np.full(len(sizes), LABELLED), counts, rows)
        writer.finish(truth.columns.image_ids, "benchmark", {})
    size = source.stat().st_size
    seconds = time.perf_counter() - started
    return [
        ("COCO json", f"{flags.images:,} pictures, {writer.boxes:,} boxes, {size / 1e6:,.0f} MB"),
        ("index from it", f"{seconds:.1f} s, of which reading the json {read:.1f} s"),
        (
            "peak memory",
            f"{peak_process_memory() / 1e6:,.0f} MB, {before / 1e6:,.0f} MB of it before: Python and libraries",
        ),
    ]


def time_open(home: Path, flags: DataBenchmarkFlags) -> list[Row]:
    """Open, verify, and look for changes."""
    started = time.perf_counter()
    index = RecordIndex(home / "coco.index")
    index.changes()
    seconds = time.perf_counter() - started
    return [("opening it", f"{seconds:.2f} s, verified"), ("mapped", f"{index.columns.mapped_bytes / 1e6:,.0f} MB")]


def time_worker(home: Path, flags: DataBenchmarkFlags) -> list[Row]:
    """All records of an epoch as a worker asks for them, from an index that was sent to it."""
    records = pickle.loads(pickle.dumps(RecordIndex(home / "coco.index", verify=False)))
    order = np.random.default_rng(flags.seed).permutation(len(records)).astype(np.int32)
    for number in order[: CHUNK // 8].tolist():
        records[number].counted()
    first = most = private_memory()
    started = time.perf_counter()
    for start in range(0, len(order), CHUNK):
        for number in order[start : start + CHUNK].tolist():
            records[number].counted()
        most = max(most, private_memory())
    seconds = time.perf_counter() - started
    grown = f"{(most - first) / 1e6:.1f} MB more at most" if first else "unknown on this system"
    return [
        ("worker's private memory over an epoch", grown),
        ("a record", f"{seconds / len(order) * 1e6:.1f} microseconds"),
    ]


def time_samplers(home: Path, flags: DataBenchmarkFlags) -> list[Row]:
    """The first batch of an epoch, plain and balanced."""
    records = RecordIndex(home / "coco.index", verify=False)
    started = time.perf_counter()
    balance = Balance.of(records, 0.0)
    rows = [("repeat factors", f"{time.perf_counter() - started:.2f} s for {len(balance.classes)} classes")]
    for name, chosen in (("plain", None), ("balanced", balance)):
        batches = EpochBatches(len(records), flags.batch_size, flags.seed, Shapes(flags.imgsz, 32), chosen)
        started = time.perf_counter()
        order = iter(batches)
        next(order)
        first, count = time.perf_counter() - started, sum(1 for _ in order) + 1
        each = (time.perf_counter() - started - first) / max(count - 1, 1) * 1e6
        rows.append((f"{name} epoch", f"{first:.2f} s to its first of {count:,} batches, then {each:.0f} us each"))
    return rows


def time_files(home: Path, flags: DataBenchmarkFlags) -> list[Row]:
    """A set with txt files, read without an index, with one that is made, and with one that is there."""
    os.environ["XDG_CACHE_HOME"] = str(home / "cache")
    root = home / "txt"
    (root / "images/train").mkdir(parents=True)
    (root / "labels/train").mkdir(parents=True)
    (root / "classes.txt").write_text("\n".join(class_names(flags)), encoding="utf-8")
    rng = np.random.default_rng(flags.seed)
    raw = _jpeg(rng, flags.imgsz)
    for number in progress(range(flags.files), "writing label files"):
        text = "".join(f"{k} .5 .5 .1 .2\n" for k in rng.integers(flags.classes, size=flags.boxes).tolist())
        (root / f"labels/train/{number:07}.txt").write_text(text, encoding="ascii")
        picture = root / f"images/train/{number:07}.jpg"
        if number % LINKS == 0:
            picture.write_bytes(raw)
            first = picture
        else:
            os.link(first, picture)
    description, _ = read_description(root, require=("train",))
    policy = ReadPolicy(bad_data="error", drop_duplicates=False)
    rows = [("set with txt files", f"{flags.files:,} pictures of {len(raw) / 1e3:.0f} kB")]
    read: tuple[tuple[str, Callable[[], object]], ...] = (
        ("read without an index", lambda: read_records(description, "train", policy)),
        ("read, the index made", lambda: read_indexed(description, "train", policy, "always")),
        ("opened by its index", lambda: read_indexed(description, "train", policy, "always")),
    )
    for name, work in read:
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
        rows.append((name, f"{seconds:.2f} s, {seconds / flags.files * 1e6:.0f} microseconds per picture"))
    return rows


def time_loader(home: Path, flags: DataBenchmarkFlags) -> list[Row]:
    """Training samples of one worker, a mosaic each, from JPEGs; and from pairs of them, in turn."""
    root = home / "jpeg"
    rng = np.random.default_rng(flags.seed)
    for folder in ("images", "images2", "labels"):
        (root / folder / "train").mkdir(parents=True)
    for number in range(flags.pictures):
        for folder in ("images", "images2"):
            (root / folder / f"train/{number}.jpg").write_bytes(_jpeg(rng, flags.imgsz))
        (root / f"labels/train/{number}.txt").write_text("0 .5 .5 .1 .2\n" * flags.boxes, encoding="ascii")
    feeds = []
    for name, keys in (("one", {}), ("pair", {"polar": {"dir": "images2"}})):
        text = json.dumps({"path": ".", "train": "images/train", "names": ["defect"], **keys})  # JSON is YAML
        (root / f"{name}.yaml").write_text(text, encoding="utf-8")
        feeds.append(_feed(root / f"{name}.yaml", flags))
    rates = [[_rate(feed, epoch) for feed in feeds] for epoch in range(1 + REPEATS)][1:]
    one, pair = (statistics.median(column) for column in zip(*rates, strict=True))
    what = f"mosaics of four JPEGs of {flags.imgsz} px at {flags.imgsz}"
    return [
        ("loader, one worker", f"{one:.1f} samples/s: {what}"),
        ("... with second pictures", f"{pair:.1f} samples/s: {one / pair:.2f} times as long"),
    ]


def time_tiles(home: Path, flags: DataBenchmarkFlags) -> list[Row]:
    """Pictures, and tiles of as many pixels of pictures WIDER times as wide and high, in turn: mosaics to learn from,
    and inputs to evaluate on. Every tile shows boxes.
    """
    rng = np.random.default_rng(flags.seed)
    root, wide = home / "tiles", WIDER * flags.imgsz
    tiles = len(Tiling(flags.imgsz).areas((wide, wide)))
    counts = {"picture": flags.pictures, "tile": max(flags.pictures // tiles, 2)}
    for kind, count in counts.items():
        images, labels = root / kind / "images/train", root / kind / "labels/train"
        images.mkdir(parents=True)
        labels.mkdir(parents=True)
        places = [(k + 0.5) / WIDER / 2 for k in range(2 * WIDER)] if kind == "tile" else [0.5] * flags.boxes
        rows = [f"0 {x:.4f} {y:.4f} .02 .02\n" for x in places for y in (places if kind == "tile" else [0.5])]
        for number in range(count):
            (images / f"{number}.jpg").write_bytes(_jpeg(rng, wide if kind == "tile" else flags.imgsz))
            (labels / f"{number}.txt").write_text("".join(rows), encoding="ascii")
        (root / f"{kind}.yaml").write_text(json.dumps({"path": kind, "train": "images/train", "names": ["defect"]}))
    learnt = [_feed(root / "picture.yaml", flags), _feed(root / "tile.yaml", flags, flags.imgsz)]
    rates = [[_rate(feed, epoch) for feed in learnt] for epoch in range(1 + REPEATS)][1:]
    judged = [_judged(root / "picture.yaml", flags), _judged(root / "tile.yaml", flags, flags.imgsz)]
    times = [[_each(loader) for loader in judged] for _ in range(1 + REPEATS)][1:]
    (plain, tiled), (picture, tile) = (map(statistics.median, zip(*rows, strict=True)) for rows in (rates, times))
    what = f"tiles of {flags.imgsz} px of JPEGs of {wide} px"
    return [
        ("loader, one worker, tiles", f"{tiled:.1f} samples/s: {what}; {plain / tiled:.2f} times as long as pictures"),
        ("... to evaluate", f"{tile * 1000:.2f} ms a tile; {tile / picture:.2f} times as long as pictures"),
    ]


def _feed(source: Path, flags: DataBenchmarkFlags, tile: int = 0) -> tuple[DataLoader[Batch], EpochBatches]:
    """The training loader of a data YAML, with one worker."""
    read, cfg = _read(source, flags, tile)
    return train_loader(read.records, cfg, 32, pin=False, channels=read.channels)


def _read(source: Path, flags: DataBenchmarkFlags, tile: int) -> tuple[RecordSet, Config]:
    description, _ = read_description(source, require=("train",))
    read = read_records(description, "train", ReadPolicy(bad_data="error", drop_duplicates=False))
    values = {"workers": 1, "batch_size": flags.batch_size, "imgsz": flags.imgsz, "tile": tile}
    settings = [Setting(f"data.{key}", value, "benchmark") for key, value in values.items()]
    return read, build_config([*settings, Setting("augment.mosaic", 1.0, "benchmark")])[0]


def _judged(source: Path, flags: DataBenchmarkFlags, tile: int = 0) -> DataLoader[Batch]:
    """The evaluation loader of a data YAML, with one worker."""
    read, cfg = _read(source, flags, tile)
    return eval_loader(read.records, cfg.data, 32, flags.batch_size, pin=False, channels=read.channels)


def _each(loader: DataLoader[Batch]) -> float:
    """Seconds for each input."""
    started = time.perf_counter()
    seen = sum(len(batch.images) for batch in loader)
    return (time.perf_counter() - started) / seen


def _rate(feed: tuple[DataLoader[Batch], EpochBatches], epoch: int) -> float:
    """Samples per second over an epoch; the first one starts the worker and brings the files into memory."""
    loader, batches = feed
    batches.set_epoch(epoch)
    started = time.perf_counter()
    seen = sum(len(batch.images) for batch in loader)
    return seen / (time.perf_counter() - started)


def _jpeg(rng: np.random.Generator, size: int) -> bytes:
    """A smooth picture with some noise: as large a file as a photograph."""
    coarse = cv2.resize(rng.integers(0, 256, (12, 12, 3)).astype(np.uint8), (size, size), interpolation=cv2.INTER_CUBIC)
    noise = rng.normal(0, 4, (size, size, 3))
    _, raw = cv2.imencode(".jpg", np.clip(coarse + noise, 0, 255).astype(np.uint8))
    return raw.tobytes()


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
