"""The processes of a run that train together: who this one is, and what they tell each other.

torch.distributed does the work. Tensors travel over nccl between GPUs and over gloo between CPUs; what is said rarely
(results, decisions) travels over gloo in any case, in a group that waits longer, because one process scores and draws
while the others wait.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, get_type_hints

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from utils.words.errors import ConfigError, ResourceError

T = TypeVar("T")
PATIENCE = timedelta(minutes=60)  # for results and decisions: process 0 scores, draws and saves meanwhile
GRACE = 5.0  # seconds for the launcher to stop this process after another one has failed
CONNECTING = timedelta(minutes=10)  # for all processes to start
ROLL_CALL = timedelta(seconds=5)
LAUNCHED = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
GONE = ("closed by peer", "reset by peer", "broken pipe", "remote process exited", "connection refused")
LATE = ("timed out", "timeout")


@dataclass(frozen=True)
class Place:
    """One process among `size`: its number in all, and on its own machine, where there are `local_size`."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1


def find_place(given_local_rank: int | None, environment: Mapping[str, str] = os.environ) -> Place:
    """What the launcher says (torchrun's variables; --local_rank of older ones). Raises ConfigError."""
    size = _number(environment, "WORLD_SIZE", 1)
    if "WORLD_SIZE" not in environment and environment.get("RANK", "0") not in ("", "0"):
        raise ConfigError("RANK is set without WORLD_SIZE; start with torchrun, or unset RANK")
    if size <= 1:
        return Place()
    missing = [name for name in LAUNCHED if not environment.get(name)]
    if missing:
        raise ConfigError(f"WORLD_SIZE {size} without {', '.join(missing)}; start with torchrun, or unset WORLD_SIZE")
    rank = _number(environment, "RANK", 0)
    if rank >= size:
        raise ConfigError(f"RANK {rank} of WORLD_SIZE {size}: must be smaller")
    local = _number(environment, "LOCAL_RANK", rank if given_local_rank is None else given_local_rank)
    return Place(rank, size, local, max(_number(environment, "LOCAL_WORLD_SIZE", size), 1))


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "")
    if text and not text.isdecimal():
        raise ConfigError(f"{name} {text}: must be a whole number; it is the launcher's to set")
    return int(text) if text else default


@dataclass(frozen=True)
class World:
    """The processes of a run as one of them sees them; `patient` is their group for what is said rarely."""

    rank: int = 0
    size: int = 1
    local_size: int = 1
    patient: dist.ProcessGroup | None = None

    @property
    def first(self) -> bool:
        """Whether this process writes the files."""
        return self.rank == 0

    def add_up(self, values: Tensor) -> Tensor:
        """`values` summed over all processes, in place."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def gather(self, value: T, prompt: bool = False) -> list[T]:
        """Everybody's value, by rank, on the first process; nothing on the others. `prompt`: all are there at once."""
        if self.size == 1:
            return [value]
        gathered: list[Any] = [None] * self.size
        dist.gather_object(value, gathered if self.first else None, group=None if prompt else self.patient)
        return gathered if self.first else []

    def tell(self, value: T) -> T:
        """The first process's value, on every process."""
        if self.size == 1:
            return value
        said: list[Any] = [value]
        dist.broadcast_object_list(said, group=self.patient)
        return said[0]

    def meet(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            dist.barrier(self.patient)

    def share(self, tensors: Iterable[Tensor]) -> None:
        """Every process takes over the first one's numbers, in place."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def part(self, items: list[T]) -> list[T]:
        """Own part of a batch, in order; parts differ by one item at most. Only the first one's is never empty."""
        low, high = (-(-len(items) * number // self.size) for number in (self.rank, self.rank + 1))
        return items[low:high]

    def wrap(self, model: nn.Module) -> nn.Module:
        """The network whose gradients are the sums over all processes: losses are divided by counts of all of them."""
        if self.size == 1:
            return model
        device = next(model.parameters()).device
        wrapped = DistributedDataParallel(
            model, [device] if device.type == "cuda" else None, forward_sync_buffers=False, gradient_as_bucket_view=True
        )
        wrapped.register_comm_hook(None, _summed)
        return wrapped


ALONE = World()


def _summed(_: None, bucket: dist.GradBucket) -> torch.futures.Future[Tensor]:
    work = dist.all_reduce(bucket.buffer(), async_op=True)
    return work.get_future().then(lambda done: done.value()[0])


_summed.__annotations__.update(get_type_hints(_summed))  # PyTorch compares them with the types, not their names


@contextmanager
def joined(place: Place, device: torch.device, timeout: float) -> Iterator[World]:
    """The run's processes, connected; `timeout` seconds for one to wait for the others in a step.

    Raises ResourceError, naming the process and whom it waited for, when another one is gone or too late.
    """
    if place.size == 1:
        yield ALONE
        return
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        store, _, _ = next(dist.rendezvous("env://", place.rank, place.size, timeout=CONNECTING))
        dist.init_process_group(
            backend,
            store=dist.PrefixStore(_attempt(), store),
            timeout=timedelta(seconds=timeout),
            rank=place.rank,
            world_size=place.size,
            device_id=device if device.type == "cuda" else None,
        )
    except (RuntimeError, ValueError) as error:
        where = f"MASTER_ADDR {os.environ.get('MASTER_ADDR')}, MASTER_PORT {os.environ.get('MASTER_PORT')}"
        raise ResourceError(
            f"rank {place.rank}: cannot connect {place.size} processes at {where}: {_first_line(error)}; "
            "is the port in use, or a process missing?"
        ) from error
    patient = dist.new_group(backend="gloo", timeout=PATIENCE)
    try:
        yield World(place.rank, place.size, place.local_size, patient)
    except RuntimeError as error:
        if not _is(error, GONE + LATE):
            raise
        raise ResourceError(_lost(place, patient, error, timeout)) from error
    dist.barrier(patient)  # nobody leaves while another one is still at work
    dist.destroy_process_group()


def _attempt() -> str:
    """What tells the addresses of this start from older ones: torchrun keeps them in one store over its restarts.

    Unless it is told to make a new one each time, as it must be for several machines, which count restarts apart.
    """
    fresh = os.environ.get("TORCH_DISABLE_SHARE_RDZV_TCP_STORE") == "1"
    return "" if fresh else f"attempt {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}"


def _is(error: Exception, words: Iterable[str]) -> bool:
    text = str(error).lower()
    return ("gloo" in text or "nccl" in text or "rank" in text) and any(word in text for word in words)


def _lost(place: Place, patient: dist.ProcessGroup | None, error: Exception, timeout: float) -> str:
    """What to say about lost company. Waits first: the launcher stops this process when another one has failed."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if not _is(error, LATE):
        time.sleep(GRACE)
        return f"rank {place.rank} of {place.size}: another process is gone: {_first_line(error)}; see its own message"
    try:
        dist.monitored_barrier(patient, ROLL_CALL, wait_all_ranks=True)
        who = "the others"
    except RuntimeError as roll_call:
        who = _first_line(roll_call)
    return f"rank {place.rank} of {place.size}: waited {timeout:g} s in a step (--set run.timeout): {who}"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:300]
