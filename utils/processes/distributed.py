"""The processes of a distributed run: the rank of this one, and the collectives that connect it with the others.

torch.distributed does the work. Tensors travel over nccl between GPUs and over gloo between CPUs. Python objects
(results, decisions), which are rare, always travel over gloo and in a group with a longer timeout, because the first
process scores and draws while the others wait for it.
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
OBJECT_TIMEOUT = timedelta(minutes=60)  # the first process scores, draws and saves meanwhile
GRACE = 5.0  # seconds for the launcher to stop this process after another one has failed
CONNECT_TIMEOUT = timedelta(minutes=10)  # for all processes to start
ROLL_CALL_TIMEOUT = timedelta(seconds=5)  # to find out which process is missing
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
    """The processes of a run as one of them sees them; `object_group` has the longer timeout, for Python objects.
    `timeout`: seconds that they wait for each other in a step.

    The collectives have the names of torch.distributed's, and do nothing where there is one process only.
    """

    rank: int = 0
    size: int = 1
    local_size: int = 1
    object_group: dist.ProcessGroup | None = None
    timeout: float = 120.0

    @property
    def first(self) -> bool:
        """Whether this is rank 0, which alone writes files and talks to the user."""
        return self.rank == 0

    def all_reduce(self, values: Tensor) -> Tensor:
        """`values` summed over all processes, in place."""
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def gather(self, value: T, short_timeout: bool = False) -> list[T]:
        """The values of all processes, by rank, on the first one; [] on the others.

        `short_timeout`: a step's timeout (run.timeout) is enough, as no process keeps the others waiting.
        """
        if self.size == 1:
            return [value]
        gathered: list[Any] = [None] * self.size
        dist.gather_object(value, gathered if self.first else None, group=None if short_timeout else self.object_group)
        return gathered if self.first else []

    def broadcast(self, value: T) -> T:
        """The first process's value, on every process."""
        if self.size == 1:
            return value
        sent: list[Any] = [value]
        dist.broadcast_object_list(sent, group=self.object_group)
        return sent[0]

    def barrier(self) -> None:
        """Wait until every process is here."""
        if self.size > 1:
            dist.barrier(self.object_group)

    def broadcast_tensors(self, tensors: Iterable[Tensor]) -> None:
        """Overwrite `tensors` with the first process's, in place."""
        if self.size > 1:
            for tensor in tensors:
                dist.broadcast(tensor, 0)

    def part(self, items: list[T]) -> list[T]:
        """`items` of this rank, in order; sizes differ by one at most, and only that of rank 0 is never 0."""
        # bounds rounded up: a spare item goes to rank 0 first
        low, high = (-(-len(items) * number // self.size) for number in (self.rank, self.rank + 1))
        return items[low:high]

    def data_parallel(self, model: nn.Module) -> nn.Module:
        """`model` with gradients that are summed over all processes, not averaged as DistributedDataParallel does:
        each loss is already divided by the counts of all processes.
        """
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
    """The connected processes of a run; `timeout`: seconds that one waits for the others in a step.

    Raises ResourceError, naming the process and whom it waited for, when another one is gone or too late.
    """
    if place.size == 1:
        yield World(timeout=timeout)
        return
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    if device.type == "cuda":
        torch.cuda.set_device(device)
    try:
        store, _, _ = next(dist.rendezvous("env://", place.rank, place.size, timeout=CONNECT_TIMEOUT))
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
    object_group = dist.new_group(backend="gloo", timeout=OBJECT_TIMEOUT)
    try:
        yield World(place.rank, place.size, place.local_size, object_group, timeout)
    except RuntimeError as error:
        if not _is(error, GONE + LATE):  # this process's own error
            raise
        raise ResourceError(_lost(place, object_group, error, timeout)) from error
    dist.barrier(object_group)  # a process that leaves early would break the connections of those still at work
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


def _lost(place: Place, object_group: dist.ProcessGroup | None, error: Exception, timeout: float) -> str:
    """The message for a lost connection. Waits first: the launcher stops this process when another one has failed."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if not _is(error, LATE):
        time.sleep(GRACE)
        return f"rank {place.rank} of {place.size}: another process is gone: {_first_line(error)}; see its own message"
    try:
        dist.monitored_barrier(object_group, ROLL_CALL_TIMEOUT, wait_all_ranks=True)
        who = "the others"
    except RuntimeError as roll_call:
        who = _first_line(roll_call)
    return f"rank {place.rank} of {place.size}: waited {timeout:g} s in a step (--set run.timeout): {who}"


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:300]
