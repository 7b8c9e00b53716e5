"""Starting a script in several processes, by PyTorch's own launcher, and passing on what became of them."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path

from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

from utils.config import Config
from utils.dist import Place, World
from utils.errors import ConfigError
from utils.failure import OURS
from utils.log import LOG
from utils.runs import find_run

GPUS = "cuda:"


def process_count(device: str, nproc: int) -> int:
    """How many processes --device and --nproc ask for on this machine."""
    listed = device.lower().removeprefix(GPUS).split(",")
    return len(listed) if len(listed) > 1 else max(nproc, 1)


def device_of(device: str, place: Place) -> str:
    """What --device means for one of several processes: its own of the listed GPUs, or of all of them."""
    listed = [word.strip() for word in device.lower().removeprefix(GPUS).split(",")]
    if len(listed) > 1:
        return listed[place.local_rank % len(listed)]
    return str(place.local_rank) if place.size > 1 and listed[0] in ("", "cuda") else device


def launch(script: str, argv: Sequence[str], processes: int) -> int:
    """Run `script` in so many processes on this machine; returns the exit code of the first one that failed."""
    os.environ[OURS] = "1"
    os.environ.setdefault("OMP_NUM_THREADS", str(max((os.cpu_count() or 1) // processes, 1)))
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("torch.distributed")]:
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what matters is said below, in one line
    words = run.parse_args(["--standalone", "--local-addr=localhost", f"--nproc-per-node={processes}", script])
    words.training_script_args = list(argv)  # not parsed along: torchrun would take --nproc for an abbreviation
    try:
        run.run(words)
    except SignalException as error:
        return 128 + int(error.sigval)
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        if failure.exitcode < 0:
            LOG.error("error[RESOURCE]: rank %d was ended by %s; was there enough memory?", rank, failure.signal_name())
            return 6
        message = failure.message if isinstance(failure.message, str) else failure.message["message"]
        LOG.error("%s", message.partition(": ")[2])
        return failure.exitcode
    return 0


def launch_id() -> str:
    """What all starts of one torchrun have in common, restarts included; '' without torchrun."""
    name = os.environ.get("TORCHELASTIC_RUN_ID", "")
    return f"{name}-{os.getppid()}" if name == "none" else name


def restarted() -> bool:
    """Whether torchrun has started this process again, after a failure (--max-restarts)."""
    return os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") not in ("", "0")


def interrupted_run(cfg: Config, world: World) -> Path | None:
    """The folder of the run that torchrun starts again after a failure (--max-restarts)."""
    if not restarted():
        return None
    found = find_run(cfg.run.project, launch_id()) if world.first else None
    return world.tell(found)


def check_processes(cfg: Config, pictures: int, processes: int) -> None:
    """Every process needs the same share of a batch, and some picture."""
    if cfg.data.batch_size % processes:
        fitting = max(cfg.data.batch_size // processes, 1) * processes
        raise ConfigError(
            f"--batch {cfg.data.batch_size}: is shared by {processes} processes; take a multiple, such as {fitting}"
        )
    if processes > pictures:
        raise ConfigError(f"{processes} processes for {pictures} training pictures; start fewer")
