"""Find defects in pictures: overlays, txt, json, crops, and one row per picture in summary.csv. `python detect.py
--help`.

From Python: `from detect import Detector; Detector("best.pt")("picture.png", conf=0.25)`.
"""

from __future__ import annotations

import csv
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from data.images import MAX_PIXELS
from data.planes import PlaneReader
from data.polar import Optics
from data.sources import SourcePicture, find_pictures
from data.synthetic import write_glass
from data.transforms import PAD, eval_shape, letterbox
from models.load import load_model
from models.postprocess import NMSConfig, detections, undo_letterbox
from utils.cli import parse_detect
from utils.device import select_device
from utils.draw import BoxStyle, Marks, draw_marks
from utils.errors import ConfigError, DataError
from utils.flags import DetectFlags
from utils.log import LOG, log_to, progress, run_script
from utils.runs import new_run, provenance, write_json, write_text
from utils.structures import Batch, Detections, Targets
from utils.text import counted
from utils.weights import find_weights

SUMMARY = ("image", "status", "defects", "classes", "max_confidence", "milliseconds", "reason")


class Detector:
    """A checkpoint that answers for single pictures, with the preprocessing and NMS of val.py."""

    def __init__(self, weights: str | Path, device: str = "", imgsz: int | None = None) -> None:
        loaded = load_model(weights, select_device(device))
        self.model, self.names, self.path = loaded.model, loaded.names, loaded.path
        self.imgsz = imgsz or loaded.config.data.imgsz
        self.device = next(self.model.parameters()).device
        self.channels, self.optics = loaded.channels, Optics(loaded.channels)

    def read(self, path: str | Path, max_pixels: int = MAX_PIXELS) -> np.ndarray:
        """A picture with the planes the checkpoint was trained on: (H, W, C). Raises DataError."""
        return PlaneReader(self.channels, max_pixels)(Path(path))

    def __call__(
        self, picture: str | Path | np.ndarray, conf: float = 0.25, iou: float = 0.45, max_det: int = 1000
    ) -> Detections:
        """Detections in pixels of the picture: a path, or (H, W, C) as `read` gives it. Raises DataError."""
        image = picture if isinstance(picture, np.ndarray) else self.read(picture)
        return self.detect([image], NMSConfig(conf=conf, iou=iou, max_det=max_det))[0]

    def shape(self, image: np.ndarray) -> tuple[int, int]:
        """(height, width) of the network input for this picture."""
        return eval_shape((image.shape[0], image.shape[1]), self.imgsz, self.model.stride)

    @torch.inference_mode()
    def detect(self, images: Sequence[np.ndarray], nms: NMSConfig) -> list[Detections]:
        """Detections of pictures that share one network shape."""
        padding = self.optics.padding(images[0].dtype, PAD)
        boxed, fits = zip(*(letterbox(image, self.shape(image), padding) for image in images), strict=True)
        planes = np.stack([self.optics.finish(image) for image in boxed])
        none, full = torch.zeros(0, dtype=torch.long), self.optics.full(planes.dtype)
        tensor, indices = torch.from_numpy(planes).permute(0, 3, 1, 2), tuple(range(len(images)))
        batch = Batch(tensor, Targets(none, none, torch.zeros(0, 4)), indices, fits, full=full)
        predictions = self.model(batch.to(self.device).inputs())
        found = undo_letterbox(detections(predictions, nms), fits)
        return [replace(one, names=self.names) for one in found]


@dataclass(frozen=True, eq=False)
class Looked:
    """One picture after detection; `found` None when it could not be read, with the reason."""

    source: SourcePicture
    image: np.ndarray | None
    found: Detections | None
    milliseconds: float
    reason: str = ""


def look(detector: Detector, pictures: Sequence[SourcePicture], nms: NMSConfig, flags: DetectFlags) -> Iterator[Looked]:
    """Every picture in order, in batches of neighbours of one shape."""
    pending: list[tuple[SourcePicture, np.ndarray]] = []
    for source in pictures:
        try:
            image = detector.read(source.path, flags.max_pixels)
        except DataError as error:
            if flags.bad_data == "error":
                raise
            yield from _flush(detector, pending, nms)
            pending = []
            yield Looked(source, None, None, 0.0, str(error))
            continue
        if pending and (len(pending) == flags.batch_size or detector.shape(pending[0][1]) != detector.shape(image)):
            yield from _flush(detector, pending, nms)
            pending = []
        pending.append((source, image))
    yield from _flush(detector, pending, nms)


def _flush(detector: Detector, pending: list[tuple[SourcePicture, np.ndarray]], nms: NMSConfig) -> Iterator[Looked]:
    if not pending:
        return
    started = time.perf_counter()
    found = detector.detect([image for _, image in pending], nms)
    each = (time.perf_counter() - started) * 1000 / len(pending)
    for (source, image), one in zip(pending, found, strict=True):
        yield Looked(source, detector.optics.show(image), one, each)


class Writer:
    """Writes what was found into the run folder, picture by picture, so that memory stays constant."""

    def __init__(self, run: Path, names: Sequence[str], flags: DetectFlags) -> None:
        self.run, self.names, self.flags = run, names, flags
        self.style = BoxStyle(
            line_width=flags.line_thickness or None, hide_labels=flags.hide_labels, hide_scores=flags.hide_conf
        )
        self.results: list[dict[str, Any]] = []
        self.counts: Counter[str] = Counter()
        self.unreadable: list[str] = []
        self.file = (run / "summary.csv").open("w", newline="", encoding="utf-8")
        self.rows = csv.writer(self.file)
        self.rows.writerow(SUMMARY)

    def close(self) -> None:
        """Finish summary.csv and predictions.json."""
        self.file.close()
        if self.flags.save_json:
            write_json(self.run / "predictions.json", self.results)

    def add(self, number: int, looked: Looked) -> None:
        """One picture: its row, and the files that were asked for."""
        picture = looked.source.path.name
        if looked.found is None or looked.image is None:
            self.unreadable.append(looked.reason)
            self.rows.writerow([_cell(picture), "unreadable", "", "", "", "", _cell(looked.reason)])
            return
        found = looked.found
        counts = Counter(self.names[label] for label in found.labels.tolist())
        self.counts.update(counts)
        words = "; ".join(f"{name} {n}" for name, n in counts.items())
        best = f"{found.scores[0]:.4f}" if len(found) else ""
        status = "defects" if len(found) else "nothing found"
        self.rows.writerow([_cell(picture), status, len(found), _cell(words), best, f"{looked.milliseconds:.1f}", ""])
        if not self.flags.nosave:
            self._overlay(looked.source, looked.image, found)
        if self.flags.save_txt:
            self._labels(looked.source, looked.image, found)
        if self.flags.save_crop:
            self._crops(looked.source, looked.image, found)
        if self.flags.save_json:
            self._json(number, picture, found)

    def _overlay(self, source: SourcePicture, image: np.ndarray, found: Detections) -> None:
        marks = Marks(found.boxes.numpy(), found.labels.numpy(), found.scores.numpy())
        drawn = draw_marks(image, marks, self.names, self.style)
        write_picture(self._place("", source, ".jpg"), drawn)

    def _labels(self, source: SourcePicture, image: np.ndarray, found: Detections) -> None:
        """`class xc yc w h [confidence]`, normalised; an empty file means looked at, nothing found."""
        height, width = image.shape[:2]
        lines = []
        for (x1, y1, x2, y2), score, label in zip(
            found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True
        ):
            values = [(x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height]
            values += [score] if self.flags.save_conf else []
            lines.append(" ".join([str(label), *(f"{v:.6f}" for v in values)]) + "\n")
        write_text(self._place("labels", source, ".txt"), "".join(lines))

    def _crops(self, source: SourcePicture, image: np.ndarray, found: Detections) -> None:
        boxes = found.boxes.numpy()
        low, high = np.floor(boxes[:, :2]).astype(int), np.ceil(boxes[:, 2:]).astype(int)
        for number, (label, (x1, y1), (x2, y2)) in enumerate(zip(found.labels.tolist(), low, high, strict=True)):
            crop = image[y1:y2, x1:x2]
            if crop.size:
                folder = f"crops/{slug(self.names[label])}"
                write_picture(self._place(folder, source, f"_{number}.jpg"), crop)

    def _json(self, number: int, name: str, found: Detections) -> None:
        for (x1, y1, x2, y2), score, label in zip(
            found.boxes.tolist(), found.scores.tolist(), found.labels.tolist(), strict=True
        ):
            box = [round(v, 3) for v in (x1, y1, x2 - x1, y2 - y1)]
            row = {"image_id": number, "file_name": name, "category_id": label + 1, "category": self.names[label]}
            self.results.append({**row, "bbox": box, "score": round(score, 6)})

    def _place(self, folder: str, source: SourcePicture, suffix: str) -> Path:
        path = self.run / folder / source.output.parent / (source.output.name + suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


def write_picture(path: Path, image: np.ndarray) -> None:
    """Write (H, W, 3) uint8 RGB as JPEG; cv2.imwrite would fail on some Unicode paths."""
    done, data = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
    assert done, f"cannot encode {image.shape} as JPEG"
    path.write_bytes(data.tobytes())


def slug(name: str) -> str:
    """A class name as a safe folder name."""
    safe = re.sub(r"[^\w\- ]", "_", name).strip()[:80]
    return safe or "class"


def _cell(text: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def wanted_classes(words: Sequence[str], names: Sequence[str]) -> tuple[int, ...] | None:
    """--classes: names (any case) or numbers. Raises ConfigError."""
    if not words:
        return None
    by_name = {name.casefold(): index for index, name in enumerate(names)}
    chosen = []
    for word in words:
        index = by_name.get(word.casefold(), int(word) if word.isdecimal() else -1)
        if not 0 <= index < len(names):
            raise ConfigError(f"--classes {word}: the checkpoint knows {', '.join(names)}")
        chosen.append(index)
    return tuple(chosen)


def detect_pictures(argv: Sequence[str] | None) -> tuple[Path, int]:
    """Flags, checkpoint, pictures, files. Returns the run folder and the exit code (3: some picture was unreadable)."""
    flags = parse_detect(argv)
    detector = Detector(find_weights(flags.weights), flags.device, flags.imgsz)
    nms = NMSConfig(
        conf=flags.conf_thres,
        iou=flags.iou_thres,
        max_det=flags.max_det,
        agnostic=flags.agnostic_nms,
        classes=wanted_classes(flags.classes, detector.names),
    )
    source = flags.source or str(write_glass(Path("runs/glass")).parent / "images" / "val")
    pictures = find_pictures(source, flags.recursive)
    run = new_run(flags.project, flags.name, flags.exist_ok)
    log_to(run / "detect.log")
    LOG.info("weights %s, %s from %s", detector.path, counted(len(pictures), "picture"), source)
    writer = Writer(run, detector.names, flags)
    try:
        looked_at = progress(look(detector, pictures, nms, flags), "detecting", len(pictures))
        for number, looked in enumerate(looked_at, 1):
            writer.add(number, looked)
    finally:
        writer.close()
    write_json(run / "run.json", {**provenance(argv), "weights": detector.path.name})
    total = ", ".join(f"{name} {n}" for name, n in writer.counts.most_common()) or "no defects"
    LOG.info("%s: %s; written to %s", counted(len(pictures), "picture"), total, run)
    for reason in writer.unreadable[:20]:
        LOG.warning("not looked at: %s", reason)
    if writer.unreadable:
        LOG.warning("%s could not be read; they are marked in summary.csv", counted(len(writer.unreadable), "picture"))
    return run, 3 if writer.unreadable else 0


def main_story(argv: Sequence[str] | None) -> int:
    """See `detect_pictures`."""
    return detect_pictures(argv)[1]


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point: returns the exit code."""
    return run_script(main_story, argv)


if __name__ == "__main__":
    sys.exit(main())
