"""Which phrases a training batch is compared with, when the classes are many or have several names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch

from utils.processes.distributed import ALONE, World
from utils.values.batch import Batch
from utils.values.unknown_defect import PRESENCE
from utils.words.vocabulary import Vocabulary
from utils.words.wording import Wording

ALL = 128  # up to here every class takes part


class PhraseDraw:
    """Gives a batch its phrases: up to 128 classes all of them, else those it shows and random others.

    A class of several names is called by a random one. Where objects may be spoken of in several ways, `wordings`,
    each batch is in one of them; in the part `as_defect` of all batches everything is a PRESENCE, whatever its class.
    The draws are keyed by the seed and the step, and the processes of a run draw alike,
    from what the whole batch shows. Phrases are rows of the model's vocabulary, in the order of `Vocabulary.strings`.
    """

    def __init__(
        self, vocabulary: Vocabulary, seed: int, wordings: Sequence[Wording] = (), as_defect: float = 0.0
    ) -> None:
        self.wordings, self.seed = wordings or (Wording.of_classes(vocabulary.synonyms),), seed
        self.as_defect, self.presence = as_defect, Wording.of_all(len(self.wordings[0].groups), PRESENCE)
        self.rows = {text: row for row, text in enumerate(vocabulary.strings)}
        self.plain = not wordings and not as_defect and len(self.rows) == len(vocabulary) <= ALL

    def __call__(self, batch: Batch, step: int, world: World = ALONE) -> Batch:
        """The batch (still on the CPU) with its phrases, its labels being positions among them."""
        if self.plain:
            return batch
        rng = np.random.default_rng((self.seed, step))
        wording = self._wording(rng)
        labels, count = torch.from_numpy(wording.groups)[batch.targets.labels], len(wording.texts)
        shown = world.all_reduce(torch.bincount(labels, minlength=count))
        ids, inverse = sample_classes(rng, shown.nonzero().flatten().numpy(), count)
        names = wording.draw(rng)
        chosen = [self.rows[names[k]] for k in ids]
        targets = replace(batch.targets, labels=torch.from_numpy(inverse)[labels])
        return replace(batch, targets=targets, phrases=torch.tensor(chosen))

    def _wording(self, rng: np.random.Generator) -> Wording:
        if self.as_defect and rng.random() < self.as_defect:
            return self.presence
        return self.wordings[int(rng.integers(len(self.wordings)))] if len(self.wordings) > 1 else self.wordings[0]


def sample_classes(
    rng: np.random.Generator, positives: np.ndarray, count: int, limit: int = 96
) -> tuple[np.ndarray, np.ndarray]:
    """The classes of one batch, shared by its pictures: all `count` up to 128, else the positives and random negatives
    up to `limit` in total (more only when there are more positives). No padding.

    `positives` are the labels found in the batch, in any order and number. Returns `ids` (M,) int64, ascending, and
    `inverse` (count,) int64 with `inverse[ids[k]] == k` and -1 for classes left out, so `inverse[labels]` relabels.
    """
    present = np.unique(np.asarray(positives, np.int64))
    assert not len(present) or (present[0] >= 0 and present[-1] < count), "labels of real classes only"
    if count <= ALL:
        ids = np.arange(count, dtype=np.int64)
    else:
        absent = np.setdiff1d(np.arange(count, dtype=np.int64), present)
        room = min(max(limit - len(present), 0), len(absent))
        ids = np.sort(np.concatenate([present, rng.choice(absent, room, replace=False)]))
    inverse = np.full(count, -1, np.int64)
    inverse[ids] = np.arange(len(ids))
    return ids, inverse
