"""Which processor a script runs on, the memory it took there, and its half precision."""

from __future__ import annotations

import resource
import sys

import torch

from utils.words.errors import ConfigError, printable


def select_device(text: str) -> torch.device:
    """`''` (the first GPU if there is one), `cpu`, `0`, `cuda:0`. Raises ConfigError for what is not there."""
    word = text.strip().lower()
    if word == "":
        return torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    if word == "cpu":
        return torch.device("cpu")
    number = word.removeprefix("cuda").removeprefix(":") or "0"
    if "," in number:
        raise ConfigError(f"--device {text}: only train.py starts a process for each GPU; name one")
    if not number.isdecimal() or len(number) > 4:
        raise ConfigError(f"--device {printable(text[:40])}: must be cpu, a GPU's number such as 0, or cuda:0")
    if int(number) >= torch.cuda.device_count():
        have = f"{torch.cuda.device_count()} GPUs" if torch.cuda.device_count() else "no GPU"
        raise ConfigError(f"--device {text}: torch {torch.__version__} sees {have}; use --device cpu")
    return torch.device(f"cuda:{number}")


def peak_device_memory(device: torch.device) -> int:
    """Bytes at the peak: what torch reserved on a GPU (since its statistics were reset), else of this whole process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_reserved(device)
    unit = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss: bytes on macOS, KiB on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def half_precision(device: torch.device, wanted: bool) -> torch.autocast:
    """--half: a context in which networks run in fp16 on a GPU, and as always on the CPU; boxes are decoded in fp32."""
    return torch.autocast(device.type, torch.float16, enabled=wanted and device.type == "cuda")


def half_notices(device: torch.device, wanted: bool) -> list[str]:
    """What to say about --half."""
    return ["--half: has no effect on the CPU, which computes in fp32"] if wanted and device.type != "cuda" else []
