"""What a checkpoint holds, entry by entry, and whether a content is so."""

from __future__ import annotations

import math
import typing
from collections.abc import Iterator
from typing import Annotated, Any, NotRequired, TypedDict

import torch
from torch import Tensor, nn

from utils.values.split_fingerprint import SplitFingerprint
from utils.words.errors import printable
from utils.words.schema import AtLeast, misfit

Count = Annotated[int, AtLeast(0)]
MAX_DEPTH, MAX_VALUES = 40, 300_000  # ours: some 10 and 10,000, and a class name is one value
MAX_SHARED = 16  # how often, on average, a byte may be part of a tensor: modules share weights
MOST_STEPS = 100_000_000  # of an epoch
DTYPES = frozenset((*(getattr(torch, f"int{n}") for n in (8, 16, 32, 64)), torch.uint8, torch.bool)) | frozenset(
    (torch.float64, torch.float32, torch.float16, torch.bfloat16)
)


class Average(TypedDict):
    """The averaged weights (EMA)."""

    module: dict[str, Tensor]
    updates: Count


class StoredGlossary(TypedDict):
    """What names were described by, of `origin`: of each term its name, other names, foreign names, looks."""

    origin: str
    terms: list[list[list[str]]]


class StoredWords(TypedDict):
    """What a network that reads text looks for: `vectors` (M, D), unit rows of its names, then of what else is said."""

    encoder: str
    source: str
    templates: list[str]
    vectors: Tensor
    glossary: NotRequired[StoredGlossary]
    further: NotRequired[list[str]]  # what else training says
    guides: NotRequired[Tensor]  # (G, D), see models.rows.text_reader


class Content(TypedDict):
    """Every checkpoint: the averaged weights, and all that is needed to use them."""

    format: int
    model_spec: dict[str, Any]
    names: list[str]
    channels: Any  # read by Channels, which says itself what does not fit
    config: dict[str, dict[str, Any]]
    origins: dict[str, str]
    launch: str
    ema: Average
    epoch: Count
    step: Count
    best: float | None
    vocabulary: NotRequired[StoredWords]
    synonyms: NotRequired[list[list[str]]]  # of each class, its name first
    shown: NotRequired[list[Count]]  # in how many training pictures each class is
    packed: NotRequired[bool]  # see models.ready.packed
    backbones: NotRequired[list[str]]  # where the first weights of each are from
    data_fingerprint: NotRequired[DataFingerprint]
    environment: NotRequired[dict[str, str | int]]


class DataFingerprint(TypedDict):
    """Of both splits."""

    train: SplitFingerprint
    val: SplitFingerprint


class OptimizerState(TypedDict):
    """As torch's optimizers give it."""

    state: dict[int, dict[str, Any]]
    param_groups: list[dict[str, Any]]


class LossSums(TypedDict):
    """EpochLosses; `sums` are not finite where a step was skipped because it was not."""

    sums: dict[str, float]
    pictures: Count
    boxes_lost: Count
    skipped: Count


class RandomState(TypedDict):
    """Of one process."""

    torch: Tensor
    cuda: list[Tensor]


class TrainingContent(Content):
    """last.pt: what is needed to go on, too."""

    model: dict[str, Tensor]
    optimizer: OptimizerState
    scaler: dict[str, Any]
    batches: Count
    best_epoch: Annotated[int, AtLeast(-1)]
    skipped_in_a_row: Count
    complete: bool
    done: bool
    losses: LossSums
    rng: list[RandomState]


def flaw(content: dict[str, Any], resumable: bool) -> str:
    """What is wrong with the content of a checkpoint, which must be `resumable` or not; "" when nothing is."""
    return _foreign(content) or _misfit(content, resumable)


def contradiction(content: dict[str, Any], epochs: int) -> str:
    """Which counts of a TrainingContent no run of so many `epochs` can have together; "" when they fit."""
    epoch, step, batches = (content[name] for name in ("epoch", "step", "batches"))
    ends = content["complete"] and epoch + 1 == epochs
    rules = {
        f"epoch {epoch} of {epochs}": epoch < epochs,
        f"step {step} in epoch {epoch}, after {batches} batches of it": _steps_fit(epoch, step, batches),
        f"epoch {epoch} is complete, after no batch": batches > 0 or not content["complete"],
        "the last epoch is complete, and the run is not done": content["done"] or not ends,
        "the run is done, and its last epoch is not complete": content["complete"] or not content["done"],
        f"{content['ema']['updates']} updates of the average in {step} steps": content["ema"]["updates"] <= step,
        f"the best epoch is {content['best_epoch']} in epoch {epoch}": content["best_epoch"] <= epoch,
        f"best is {content['best']} in epoch {content['best_epoch']}": (content["best"] is None)
        == (content["best_epoch"] < 0),
        f"{content['skipped_in_a_row']} steps skipped of {step}": content["skipped_in_a_row"] <= step,
        f"{content['losses']['skipped']} steps skipped in {batches} batches": content["losses"]["skipped"] <= batches,
        "there are losses of no picture": content["losses"]["pictures"] > 0 or not content["losses"]["sums"],
    }
    return next((f"its counts contradict each other: {words}" for words, holds in rules.items() if not holds), "")


def _steps_fit(epoch: int, step: int, batches: int) -> bool:
    """Earlier epochs may have had other data, but each had a step, and no more than there can be pictures."""
    return epoch <= step - batches <= epoch * MOST_STEPS


def not_finite(content: dict[str, Any]) -> str:
    """The first number or tensor that is not finite, in words; "" when all are."""
    return next((f"{where} is not finite" for where, value in values(content) if not _finite(where, value)), "")


def _misfit(content: dict[str, Any], resumable: bool) -> str:
    if resumable:
        return misfit(content, TrainingContent)
    hints = typing.get_type_hints(TrainingContent, include_extras=True)
    more = (misfit(content[key], hint, key) for key, hint in hints.items() if key in content)
    return misfit(content, Content) or next(filter(None, more), "")


def values(value: Any, where: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """`value` and all values in it, each with its place, such as `optimizer.state.3.momentum_buffer`."""
    yield where, value
    if depth < MAX_DEPTH and isinstance(value, dict | list | tuple):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for key, part in parts:
            name = printable(key[:80]) if isinstance(key, str) else key if isinstance(key, int) else "?"
            yield from values(part, f"{where}.{name}" if where else f"{name}", depth + 1)


def _foreign(content: dict[str, Any]) -> str:
    """The first value that no checkpoint of ours holds: neither plain nor a dense tensor, or not finite."""
    claimed, held, met = 0, 0, set()
    for number, (where, value) in enumerate(values(content)):
        if number > MAX_VALUES or where.count(".") >= MAX_DEPTH:
            return f"{where.partition('.')[0]} holds too many values, or too deeply nested ones"
        if found := _strange(where, value):
            return found
        if isinstance(value, Tensor):
            storage = value.untyped_storage()
            held += storage.nbytes() if storage.data_ptr() not in met else 0
            met.add(storage.data_ptr())
            claimed += value.numel() * value.element_size()
            if claimed > MAX_SHARED * held:
                return f"{where} claims more bytes than there are"
        if not _finite(where, value):
            return f"{where} is not finite"
    return ""


def _strange(where: str, value: Any) -> str:
    if isinstance(value, Tensor):
        dense = type(value) in (Tensor, nn.Parameter) and value.layout == torch.strided and value.dtype in DTYPES
        return "" if dense else f"{where} is no dense tensor of numbers"
    if isinstance(value, dict) and not all(isinstance(key, str | int) for key in value):
        return f"a key in {where} is neither text nor a whole number"
    plain = isinstance(value, None | bool | int | float | str | dict | list | tuple)
    return "" if plain else f"{where} must be a plain value, got {type(value).__name__}"


def _finite(where: str, value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value) or where.startswith("losses.sums.")
    if not isinstance(value, Tensor) or not value.is_floating_point():
        return True
    # one pass without a tensor between; a sum that overflows does not mean that its parts are not finite
    return math.isfinite(value.sum()) or bool(value.isfinite().all())
