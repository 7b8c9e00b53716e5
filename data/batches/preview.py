"""Pictures of what the network is given, and of what it finds in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from torch.utils.data import DataLoader

from data.augment.polarization import Optics, degree_and_angle, stokes
from data.augment.scene import SceneSource
from data.batches.sampler import EpochBatches
from data.batches.samples import EvalSamples, TrainSamples
from data.index.flat_truth import flatten
from data.pictures.plane_reader import PlaneReader
from data.scenes.world_scenes import WorldScenes
from data.sets.split_reading import RecordSet
from utils.drawing.box_drawing import Marks
from utils.drawing.plots import plot_batch, plot_labels, plot_planes
from utils.values.batch import Batch, Sample
from utils.values.channels import ANGLES, DERIVED, PAIRS
from utils.values.detections import Detections
from utils.values.view import View
from utils.words.errors import DataError

PREVIEWED = 4  # pictures in polarization_preview.png


def show_pictures(truth: RecordSet, max_pixels: int) -> Callable[[Path], np.ndarray]:
    """How a picture of `truth` is read for people: (H, W, 3) uint8 RGB, upright. It raises DataError."""
    reader, optics = PlaneReader(truth.channels, max_pixels), Optics(truth.channels)
    return lambda path: optics.show(reader(path))


def plot_start(run: Path, loader: DataLoader[Batch], batches: EpochBatches, truth: RecordSet, max_pixels: int) -> None:
    """What training is shown, in the run's folder."""
    plot_truth(truth, run / "labels.jpg")
    plot_train_batches(run, loader, batches, truth)
    plot_polarization(run / "polarization_preview.png", truth, max_pixels)


def plot_truth(truth: RecordSet, path: Path) -> None:
    """labels.jpg: how many boxes of each class, where they are, how large."""
    flat = flatten(truth.records)
    rows = np.flatnonzero(~flat.crowd)
    sizes, boxes, labels = flat.sizes[flat.pictures[rows]], flat.boxes[rows], flat.labels[rows]
    good = truth.data_report.good
    plot_labels(boxes, labels, sizes, truth.names, path, pictures=(len(truth.records) - good, good))


def plot_train_batches(folder: Path, loader: DataLoader[Batch], batches: EpochBatches, truth: RecordSet) -> None:
    """train_batch0..2.jpg: the first pictures exactly as the network will see them."""
    made = loader.dataset
    assert isinstance(made, TrainSamples), "training loaders are made by train_loader"
    batches.set_epoch(0)
    for number, keys in zip(range(3), batches, strict=False):
        samples = [made[key] for key in keys[:16]]
        plot_batch(
            np.stack([made.optics.show(s.image) for s in samples]),
            [Marks(s.boxes, _classes(made.scenes, s.labels)) for s in samples],
            [_title(s, made.scenes, truth) for s in samples],
            truth.names,
            folder / f"train_batch{number}.jpg",
        )


def _classes(scenes: SceneSource, labels: np.ndarray) -> np.ndarray:
    return scenes.classes(labels) if isinstance(scenes, WorldScenes) else labels


def _title(sample: Sample, scenes: SceneSource, truth: RecordSet) -> str:
    picture = scenes.picture(sample.index)
    name = truth.path_of(picture).name
    return f"instead of {name}" if picture in sample.lost else name


def plot_polarization(path: Path, truth: RecordSet, max_pixels: int) -> None:
    """polarization_preview.png: of pictures spread over the set the picture, and S0, DoLP and AoLP where the angles are
    known, else the planes of polar. Nothing when the pictures have no polarization.
    """
    channels = truth.channels
    shown = [name for name in channels.held if name in (*ANGLES, *DERIVED) or name in channels.polar]
    if not shown:
        return
    reader, optics = PlaneReader(channels, max_pixels), Optics(channels)
    rows = []
    for index in np.linspace(0, len(truth.records) - 1, min(PREVIEWED, len(truth.records))).round().astype(int):
        file = truth.records[index].path
        try:
            image = reader(file)
        except DataError:  # training will say so, where it misses it
            continue
        fractions = image.astype(np.float32) / optics.full(image.dtype)
        planes = {name: fractions[..., channels.held.index(name)] for name in shown}
        rows.append((file.name, optics.show(image), _polarization(planes)))
    if rows:
        plot_planes(rows, path)


def _polarization(planes: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Planes for people: S0, DoLP and AoLP (0..180 degrees) as far as they are known, then the others."""
    found: dict[str, np.ndarray] = {}
    if set(ANGLES) <= set(planes):
        parameters = stokes(np.stack([planes.pop(name) for name in ANGLES], -1))
        degree, sine, cosine = np.moveaxis(degree_and_angle(parameters), -1, 0)
        found = {"S0": parameters[..., 0] / 2, "DoLP": degree, "AoLP": _degrees(sine, cosine)}
    for sine_name, cosine_name in PAIRS:
        if {sine_name, cosine_name} <= set(planes) and "AoLP" not in found:
            sine, cosine = planes.pop(sine_name), planes.pop(cosine_name)
            found["AoLP"] = _degrees(2 * sine - 1, 2 * cosine - 1)
    return {**found, **planes}


def _degrees(sine: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    return np.degrees(np.arctan2(sine, cosine) / 2) % 180


def plot_detections(folder: Path, loader: DataLoader[Batch], truth: RecordSet, found: dict[int, Detections]) -> None:
    """val_batch0..2_labels.jpg and val_batch0..2_pred.jpg (confidence 0.25 and more).

    Sixteen pictures each, spread evenly over the pictures of the commonest shape, so that sorted classes all show.
    """
    samples = loader.dataset
    assert isinstance(samples, EvalSamples), "evaluation loaders are made by eval_loader"
    _, first, which, counts = np.unique(
        samples.shapes, axis=0, return_index=True, return_inverse=True, return_counts=True
    )
    commonest = np.lexsort((first, -counts))[0]
    alike = np.flatnonzero(which.reshape(-1) == commonest)
    spread = alike[np.linspace(0, len(alike) - 1, min(48, len(alike))).round().astype(int)].tolist()
    for number in range(3):
        shown = samples.readable(spread[number::3])
        shown = [sample for sample in shown if sample.index in found]
        if not shown:
            return
        images = np.stack([samples.optics.show(s.image) for s in shown])
        titles = [truth.records[s.index].path.name for s in shown]
        true = [Marks(s.boxes, s.labels) for s in shown]
        plot_batch(images, true, titles, truth.names, folder / f"val_batch{number}_labels.jpg")
        sure = [found[s.index].keep(found[s.index].scores >= 0.25) for s in shown]
        marks = [_marks(s.view, one) for s, one in zip(shown, sure, strict=True)]
        plot_batch(images, marks, titles, truth.names, folder / f"val_batch{number}_pred.jpg")


def _marks(view: View | None, found: Detections) -> Marks:
    """Detections of a picture, as far as a view shows them, as marks on its letterboxed network input."""
    assert view is not None, "evaluation samples carry their view"
    boxes = view.clip(found.boxes)
    shown = found.keep((boxes[:, 2:] > boxes[:, :2]).all(1))
    return Marks(view.apply(view.clip(shown.boxes).numpy()), shown.labels.numpy(), shown.scores.numpy())
