"""Whether a resumed run can end with the bits of an unbroken one: what that depends on, and what of it changed."""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypedDict

import cv2
import numpy as np
import torch

from utils.values.split_fingerprint import SplitFingerprint
from utils.words.text import counted

SPLITS = {"train": "training", "val": "validation"}
Digest = Literal["words", "names", "sizes", "truth", "bytes"]
DIGESTS: dict[Digest, str] = {  # of a fingerprint -> what it means that it is another
    "words": "classes are called otherwise",
    "names": "pictures of other names",
    "sizes": "pictures of other sizes",
    "truth": "other boxes or classes in the labels",
    "bytes": "picture files of other lengths",
}


class Conditions(TypedDict):
    """What the bits of a run depend on beside its configuration; every checkpoint keeps it."""

    data_fingerprint: dict[str, SplitFingerprint]
    environment: dict[str, str | int]


def number_environment(device: torch.device) -> dict[str, str | int]:
    """What decides, beside data, configuration and seed, how numbers are rounded in a training on `device`."""
    versions: dict[str, str | int] = {"torch": str(torch.__version__)}
    versions |= {"numpy": np.__version__, "OpenCV": cv2.__version__}
    if device.type == "cuda":
        return {**versions, "device": torch.cuda.get_device_name(device)}
    processor = f"{_processor()}, {torch.backends.cpu.get_cpu_capability()}"  # type: ignore[no-untyped-call]
    return {**versions, "device": processor, "threads": torch.get_num_threads()}


def _processor() -> str:
    """The processor's model: libraries choose their kernels by it."""
    try:
        found = re.search(r"^model name\s*: *(.+)$", Path("/proc/cpuinfo").read_text("utf-8", "replace"), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def changed_environment(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The reason, if there is one, why the same data gives other bits than on the machine of `before`."""
    both = [key for key in now if key in before]  # threads count on the CPU alone
    changes = [f"{key} {now[key]} instead of {before[key]}" for key in both if before[key] != now[key]]
    return [f"not exact: {', '.join(changes)}"] if changes else []


def changed_data(
    before: Mapping[str, SplitFingerprint], now: Mapping[str, SplitFingerprint], reads_text: bool
) -> list[str]:
    """A sentence for each split that is no longer what it was; what its classes are called matters to a network that
    reads text.
    """
    lines = []
    for split, name in SPLITS.items():
        if changes := _changes(before[split], now[split], reads_text):
            scores = "; the best metric so far is not comparable" if split == "val" else ""
            lines.append(f"not exact: {name} data changed since the run was begun: {', '.join(changes)}{scores}")
        elif before[split]["times"] != now[split]["times"]:
            lines.append(f"the {name} pictures were written again since the run was begun: exact if they are the same")
    return lines


def _changes(before: SplitFingerprint, now: SplitFingerprint, reads_text: bool) -> list[str]:
    pictures, boxes = now["pictures"] - before["pictures"], now["boxes"] - before["boxes"]
    changes = [
        f"{counted(abs(n), noun)} {'more' if n > 0 else 'fewer'}"
        for n, noun in ((pictures, "picture"), (boxes, "box"))
        if n
    ]
    # of other pictures everything differs, and of other boxes the truth
    told = {"words"} if pictures else {*DIGESTS} - {"truth"} if boxes else {*DIGESTS}
    told -= set() if reads_text else {"words"}
    return changes + [words for key, words in DIGESTS.items() if key in told and before[key] != now[key]]
