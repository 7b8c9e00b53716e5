"""Pictures of what the network is given, and of what it finds in it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from torch.utils.data import DataLoader

from data.dataset import EvalSamples, TrainSamples
from data.records import RecordSet
from data.sampler import EpochBatches
from utils.boxes import Letterbox
from utils.draw import Marks
from utils.plots import plot_batch, plot_labels
from utils.structures import Batch, Detections


def plot_truth(truth: RecordSet, path: Path) -> None:
    """labels.jpg: how many boxes of each class, where they are, how large."""
    records = truth.records
    known = [~r.crowd for r in records]
    sizes = np.repeat(np.array([r.size for r in records]), [use.sum() for use in known], axis=0)
    pairs = list(zip(records, known, strict=True))
    boxes, labels = (np.concatenate([getattr(r, n)[use] for r, use in pairs]) for n in ("boxes", "labels"))
    good = sum(r.good for r in records)
    plot_labels(boxes, labels, sizes, truth.names, path, pictures=(len(records) - good, good))


def plot_train_batches(folder: Path, loader: DataLoader[Batch], batches: EpochBatches, truth: RecordSet) -> None:
    """train_batch0..2.jpg: the first pictures exactly as the network will see them."""
    made = loader.dataset
    assert isinstance(made, TrainSamples), "training loaders are made by train_loader"
    batches.set_epoch(0)
    for number, keys in zip(range(3), batches, strict=False):
        samples = [made[key] for key in keys[:16]]
        plot_batch(
            np.stack([s.image for s in samples]),
            [Marks(s.boxes, s.labels) for s in samples],
            [truth.records[s.index].path.name for s in samples],
            truth.names,
            folder / f"train_batch{number}.jpg",
        )


def plot_detections(folder: Path, loader: DataLoader[Batch], truth: RecordSet, found: dict[int, Detections]) -> None:
    """val_batch0..2_labels.jpg and val_batch0..2_pred.jpg (confidence 0.25 and more).

    Sixteen pictures each, spread evenly over the pictures of the commonest shape, so that sorted classes all show.
    """
    samples = loader.dataset
    assert isinstance(samples, EvalSamples), "evaluation loaders are made by eval_loader"
    shape = Counter(samples.shapes).most_common(1)[0][0]
    alike = [index for index, own in enumerate(samples.shapes) if own == shape]
    spread = [alike[i] for i in np.linspace(0, len(alike) - 1, min(48, len(alike))).round().astype(int)]
    for number in range(3):
        shown = [samples[index] for index in spread[number::3]]
        if not shown:
            return
        images, titles = np.stack([s.image for s in shown]), [truth.records[s.index].path.name for s in shown]
        true = [Marks(s.boxes, s.labels) for s in shown]
        plot_batch(images, true, titles, truth.names, folder / f"val_batch{number}_labels.jpg")
        sure = [found[s.index].keep(found[s.index].scores >= 0.25) for s in shown]
        marks = [_marks(s.letterbox, one) for s, one in zip(shown, sure, strict=True)]
        plot_batch(images, marks, titles, truth.names, folder / f"val_batch{number}_pred.jpg")


def _marks(letterbox: Letterbox | None, found: Detections) -> Marks:
    """Detections of a picture as marks on its letterboxed network input."""
    assert letterbox is not None, "evaluation samples carry their letterbox"
    return Marks(letterbox.apply(found.boxes.numpy()), found.labels.numpy(), found.scores.numpy())
