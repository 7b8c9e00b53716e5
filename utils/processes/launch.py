"""Starting a script in several processes by PyTorch's own launcher, and reporting how they ended."""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import signal
from collections.abc import Sequence
from types import FrameType

import torch
from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from utils.config.config import Config
from utils.console.log import LOG
from utils.console.script import LAUNCHED_BY_SCRIPT
from utils.console.signals import handled
from utils.processes.distributed import Place
from utils.processes.threads import when_parent_is_gone
from utils.words.errors import ConfigError
from utils.words.text import counted

GPUS = "cuda:"


def process_count(device: str, nproc: int) -> int:
    """How many processes --device and --nproc ask for on this machine."""
    listed = device.lower().removeprefix(GPUS).split(",")
    return len(listed) if len(listed) > 1 else max(nproc, 1)


def device_of(device: str, place: Place) -> str:
    """What --device means for one of several processes: its own of the listed GPUs, or of all of them."""
    if place.size == 1:
        return device
    listed = [word.strip() for word in device.lower().removeprefix(GPUS).split(",")]
    if len(listed) > 1:
        return listed[place.local_rank % len(listed)]
    return str(place.local_rank) if listed[0] in ("", "cuda") and torch.cuda.is_available() else device


def launch(script: str, argv: Sequence[str], processes: int) -> int:
    """Run `script` in `processes` processes on this machine; returns the exit code of the first one that failed."""
    os.environ[LAUNCHED_BY_SCRIPT] = "1"
    os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 1) // processes, 1)))
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("torch.distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # _last_words says what matters, in one line
    words = run.parse_args(["--standalone", "--local-addr=localhost", f"--nproc-per-node={processes}", script])
    words.training_script_args = list(argv)  # not parsed along: torchrun would take --nproc for an abbreviation
    os.environ["TORCHELASTIC_SIGNALS_TO_HANDLE"] = "SIGQUIT"  # the others are handled here
    try:
        with handled(_PassOn()):
            run.run(words)
    except SignalException as error:
        return 128 + int(error.sigval)  # as shells report a signal
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        LOG.error(_last_words(rank, failure))
        # negative: ended by a signal, which is reported as a ResourceError, whose code is 6
        return 6 if failure.exitcode < 0 else failure.exitcode
    return 0


class _PassOn:
    """Handles the first signal as PyTorch's launcher does, which passes it on to the processes and waits for them.
    Another one would only break off the waiting.
    """

    def __init__(self) -> None:
        self.came = False

    def __call__(self, number: int, _: FrameType | None) -> None:
        came, self.came = self.came, True
        if not came:
            raise SignalException(f"got {signal.Signals(number).name}", signal.Signals(number))


def follow_launcher() -> None:
    """In a process that a script has launched: when the launcher is gone, be told to stop as by a user."""
    if LAUNCHED_BY_SCRIPT in os.environ and "TORCHELASTIC_RUN_ID" in os.environ:
        when_parent_is_gone(lambda: os.kill(os.getpid(), signal.SIGTERM))


def _last_words(rank: int, failure: ProcessFailure) -> str:
    """The error of the process that failed first, which it has not printed itself."""
    if failure.signal_name() == "SIGABRT":
        return f"error[RESOURCE]: rank {rank} waited too long for another process (--set run.timeout), or crashed"
    if failure.exitcode < 0:
        return f"error[RESOURCE]: rank {rank} was ended by {failure.signal_name()}; was there enough memory?"
    if isinstance(failure.message, str):
        return f"rank {rank} ended with exit code {failure.exitcode}; see above"
    return str(failure.message["message"]).partition(": ")[2]


def launch_id() -> str:
    """A name for one start of torchrun, the same in all its attempts (--max-restarts); '' without torchrun.

    Hashed: checkpoints and run.json keep it, and must not name the machine.
    """
    name = os.environ.get("TORCHELASTIC_RUN_ID", "")
    start = f"{name} {platform.node()} {os.getppid()}"
    return hashlib.sha256(start.encode("utf-8", "replace")).hexdigest()[:16] if name else ""


def check_processes(cfg: Config, pictures: int, processes: int) -> None:
    """Every process needs the same share of a batch, and at least one picture. Raises ConfigError."""
    if cfg.data.batch_size % processes:
        fitting = max(cfg.data.batch_size // processes, 1) * processes
        raise ConfigError(
            f"--batch {cfg.data.batch_size}: is shared by {processes} processes; take a multiple, such as {fitting}"
        )
    if processes > pictures:
        raise ConfigError(f"{processes} processes for {counted(pictures, 'training picture')}; start fewer")
