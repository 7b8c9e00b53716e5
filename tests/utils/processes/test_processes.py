"""N processes do the mathematics of one: the gradients of a batch do not depend on how it is spread."""

import os
import socket
from dataclasses import replace

import pytest
import torch
import torch.multiprocessing as mp
from torch import nn

from data.batches.phrases import PhraseDraw
from models.graph.builder import build_graph
from models.ready.trial import random_batch
from models.rows.model_spec import read_spec
from utils.config.config import Config, DataConfig, LossConfig
from utils.config.paths import CFG
from utils.processes.distributed import ALONE, Place, joined
from utils.training.state import new_state
from utils.training.step import forward_backward
from utils.values.batch import Batch, Targets
from utils.values.step_info import StepInfo
from utils.words.vocabulary import Vocabulary

MODELS = ("idfe-net-n", "idfe-net-free-n", "rtvpnet-n")
SIZE, CLASSES = 64, 5
CPU = torch.device("cpu")


def part_of(batch: Batch, indices: list[int]) -> Batch:
    """Pictures `indices` of a batch; none of them: a blank one that does not count."""
    rows = torch.tensor([int(i) in indices for i in batch.targets.image_index], dtype=torch.bool)
    owners = batch.targets.image_index[rows]
    moved = torch.tensor([indices.index(int(i)) for i in owners], dtype=torch.long)
    targets = Targets(moved, batch.targets.labels[rows], batch.targets.boxes[rows])
    if not indices:
        return replace(batch, images=torch.zeros_like(batch.images[:1]), targets=targets, indices=(-1,))
    return replace(batch, images=batch.images[indices], targets=targets, indices=tuple(indices))


def uneven_batch(pictures: int) -> Batch:
    """Random pictures of which the first shows nothing and the others 8 boxes each."""
    batch = random_batch(pictures, SIZE, CLASSES, seed=3)
    keep = batch.targets.image_index != 0
    return replace(batch, targets=Targets(*(t[keep] for t in list(vars(batch.targets).values())[:3])))


def gradients(name: str, dtype: torch.dtype, pictures: int, world=ALONE) -> dict[str, torch.Tensor]:
    """Of one step with BatchNorm frozen; each process makes its part of the batch."""
    torch.manual_seed(1)
    spec = read_spec(CFG / "models" / f"{name}.yaml")
    graph = build_graph(spec.with_values(nc=CLASSES, **({"text_dim": 64} if spec.reads("text") else {})))
    if graph.text is not None:
        graph.text.fill(nn.functional.normalize(torch.randn(CLASSES, graph.text.width)))
    graph.to(dtype, memory_format=torch.channels_last)
    cfg = Config(data=DataConfig(imgsz=SIZE, batch_size=4), loss=LossConfig(iou="ciou"))
    state, criterion = new_state(graph, cfg, None, world), graph.head.criterion(cfg)
    graph.train()
    for module in graph.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
    whole = uneven_batch(pictures)
    mine = part_of(whole, world.part(list(range(pictures))))
    inputs = Batch.inputs
    Batch.inputs = lambda batch: inputs(batch).to(dtype)
    try:
        for step in range(2):  # the first one's gradients are added up in each process and travel with the second's
            forward_backward(state, criterion, mine, StepInfo(0, step, 0.5), last=step == 1)
    finally:
        Batch.inputs = inputs
    return {name: p.grad.clone() for name, p in graph.named_parameters() if p.grad is not None}


def phrases(pictures: int, world=ALONE) -> list[int]:
    """The phrases of a batch among 200 classes, and where the labels of this process's part are among them."""
    whole = random_batch(pictures, 8, 200, seed=5)
    mine = part_of(whole, world.part(list(range(pictures))))
    made = PhraseDraw(Vocabulary.from_names([f"defect {k}" for k in range(200)]), 0)(mine, 3, world)
    assert made.phrases[made.targets.labels].tolist() == mine.targets.labels.tolist()
    return made.phrases.tolist()


def in_process(rank: int, size: int, port: int, jobs: list[tuple[str, torch.dtype, int]], folder: str) -> None:
    torch.set_num_threads(1)
    os.environ.update(MASTER_ADDR="localhost", MASTER_PORT=str(port))
    with joined(Place(rank, size, rank, size), CPU, timeout=60) as world:
        found = [*(gradients(*job, world) for job in jobs), phrases(3, world)]
    torch.save(found, f"{folder}/{rank}.pt")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        return probe.getsockname()[1]


JOBS = [(name, dtype, pictures) for name in MODELS for dtype in (torch.float32, torch.float64) for pictures in (5, 1)]


@pytest.mark.parametrize(("processes", "jobs"), [(2, JOBS), (3, JOBS[-2:])])
def test_the_gradients_of_one_process(tmp_path, processes, jobs):
    """Different numbers of boxes, an uneven batch, one with nothing for the other processes, two steps added up."""
    mp.spawn(in_process, (processes, free_port(), jobs, str(tmp_path)), nprocs=processes)
    each = [torch.load(tmp_path / f"{rank}.pt") for rank in range(processes)]
    assert all(found[-1] == phrases(3) for found in each)
    for number, job in enumerate(jobs):
        alone = gradients(*job)
        norm = torch.stack([g.double().norm() for g in alone.values()]).norm()
        assert norm > 0
        for found in each:
            together = found[number]
            assert together.keys() == alone.keys()
            off = torch.stack([(together[k] - alone[k]).double().norm() for k in alone]).norm()
            assert off / norm < (1e-5 if job[1] is torch.float32 else 1e-12), job
