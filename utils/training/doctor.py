"""The training doctor: names what is wrong when losses are not finite, nothing is found, or nothing is learnt.

It knows seven causes: learning rate, mixed precision, no labels, class ids, confidence, empty split, everything frozen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from utils.config.config import Config
from utils.console.log import LOG
from utils.processes.mixed_precision import mixed_precision
from utils.scoring import metrics
from utils.scoring.evaluation import Evaluation
from utils.values.batch import Batch
from utils.values.class_counts import ClassCounts
from utils.words.errors import ConfigError, NumericError

ZERO = 0.01  # an AP50 as good as none
FOUND = 0.2  # F1 without regard to the class, from which things are found
PATIENCE = 3  # epochs after the first within which the loss is to fall
FLAT = 0.99  # of the loss before
STILL = 1e-4  # relative change of the weights in an epoch in which nothing moves
SKETCHED = 16  # values of each parameter that stand for it
RUNAWAY = 1e6  # a logit that only weights blown up by large steps give


@dataclass(frozen=True)
class Finding:
    """`cause` is one of the seven, `advice` what to do."""

    cause: str
    advice: str

    def __str__(self) -> str:
        return f"doctor: {self.cause}: {self.advice}"


class Doctor:
    """Looks at a training after every epoch and says each finding once."""

    def __init__(self, cfg: Config, train: ClassCounts, val: ClassCounts, model: nn.Module) -> None:
        """Raises ConfigError when no parameter is left to train."""
        self.cfg, self.train, self.val = cfg, train, val
        self.losses: list[float] = []
        self.said: set[str] = set()
        self.resumed = False  # what was learnt before is not known
        self.parameters = [p for p in model.parameters() if p.requires_grad and p.numel()]
        if not self.parameters:
            raise ConfigError("everything frozen: no parameter is left to train; freeze fewer rows (--freeze)")
        self.before = self._sketch()

    def after_epoch(self, epoch: int, losses: dict[str, float], evaluation: Evaluation | None) -> None:
        """Warn of what is wrong, if anything is. `epoch` counts from 0; `losses` are the means of the epoch."""
        self.losses.append(sum(losses.values()) if losses else math.nan)
        sketch = self._sketch()
        moved = float(np.linalg.norm(sketch - self.before) / max(float(np.linalg.norm(self.before)), 1e-12))
        self.before = sketch
        late = epoch + 1 > self.cfg.schedule.warmup_epochs
        self.resumed |= len(self.losses) == 1 and epoch > 0
        finding = self._labels()
        # during warm-up small steps are intended, and finding nothing yet is no symptom
        if finding is None and late and not _finds(evaluation):
            finding = self._found(evaluation) or self._flat(moved)
        if finding is not None and finding.cause not in self.said:
            self.said.add(finding.cause)
            LOG.warning(str(finding))

    def _sketch(self) -> np.ndarray:
        """A few values of every parameter: enough to see whether training moves them."""
        return torch.cat([p.detach().flatten()[:SKETCHED].float().cpu() for p in self.parameters]).numpy()

    def _labels(self) -> Finding | None:
        """What the labels alone tell."""
        if not sum(self.train.boxes):
            advice = f"none of the {self.train.pictures:,} training pictures has a box; check the label files"
            return Finding("no labels", f"{advice} and `labels` in the data YAML")
        if not self.cfg.run.noval and not sum(self.val.boxes):
            advice = f"none of the {self.val.pictures:,} validation pictures has a box, so that AP is undefined"
            return Finding("empty split", f"{advice}, as best.pt is; put pictures with defects into `val`")
        return None

    def _found(self, evaluation: Evaluation | None) -> Finding | None:
        """Why nothing is found."""
        if evaluation is None or evaluation.report.map50 is None:
            return None
        conf = self.cfg.val.conf
        if not evaluation.results and conf > 0.001:
            return Finding("confidence", f"nothing reaches val.conf {conf:g}; leave it at 0.001 (--set val.conf=0.001)")
        if class_blind_f1(evaluation) >= FOUND:
            advice = "boxes lie where the labels are, but with other classes; compare the class numbers of the label"
            return Finding("class ids", f"{advice} files with `names`, in train and val (labels.jpg, val_batch0_*.jpg)")
        return None

    def _flat(self, moved: float) -> Finding | None:
        """Why nothing is learnt: the loss never fell below that of the first epoch."""
        if self.resumed or len(self.losses) <= PATIENCE or min(self.losses) < FLAT * self.losses[0]:
            return None
        rate = self.cfg.optim.lr0
        if moved < STILL:
            return Finding(
                "learning rate", f"too small: the weights stand still at optim.lr0 {rate:g}; raise it tenfold"
            )
        start = self.losses[0]
        if self.losses[-1] > start:
            return Finding(
                "learning rate", f"too large: the loss rose from {start:.3g} at optim.lr0 {rate:g}; lower it"
            )
        return None

    @contextmanager
    def watching(self, model: nn.Module, batch: Callable[[], Batch], dtype: torch.dtype | None) -> Iterator[None]:
        """Adds the cause to a NumericError. `batch` gives some training pictures on the model's device."""
        try:
            yield
        except NumericError as error:
            finding = self._cause(model, batch, dtype)
            LOG.warning(str(finding))
            raise NumericError(f"{error}; {finding}") from error

    def _cause(self, model: nn.Module, batch: Callable[[], Batch], dtype: torch.dtype | None) -> Finding:
        sound = all(bool(p.isfinite().all()) for p in model.parameters())
        # the number format is to blame only where float32 gives ordinary values for the same weights and pictures
        calm = dtype is not None and sound and _largest(model, batch(), None) < RUNAWAY
        if calm and not math.isfinite(_largest(model, batch(), dtype)):
            words = str(dtype).removeprefix("torch.")
            return Finding("mixed precision", f"the network overflows in {words} but not in float32; use --no-amp")
        where = "the weights are not finite" if not sound else "its steps are too large"
        return Finding("learning rate", f"{where} at optim.lr0 {self.cfg.optim.lr0:g}; lower it tenfold")


def _finds(evaluation: Evaluation | None) -> bool:
    return evaluation is not None and evaluation.report.map50 is not None and evaluation.report.map50 >= ZERO


def class_blind_f1(evaluation: Evaluation) -> float:
    """The best F1 at IoU 0.5 when all classes count as one; 0 without truth."""
    f1 = metrics.curves(evaluation.class_blind).f1()
    return float(np.nan_to_num(f1).max(initial=0))


@torch.no_grad()
def _largest(model: nn.Module, batch: Batch, dtype: torch.dtype | None) -> float:
    """The largest absolute class logit for `batch` in `dtype` (None: float32); inf when a value is not finite."""
    with mixed_precision(batch.images.device, dtype):
        predictions = model(batch.inputs(), batch.phrases)
    return float(predictions.class_logits.abs().max()) if predictions.finite() else math.inf
