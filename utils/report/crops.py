"""Places to look at, cut out of their pictures at full size, as pictures inside the page."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from utils.inspection.suspects import Suspect
from utils.values.detections import Detections
from utils.values.record import Record
from utils.words.errors import UserError

Colour = tuple[int, int, int]
Show = Callable[[Path], np.ndarray]  # file -> (H, W, 3) uint8 RGB; raises UserError

LEAST, MOST = 160, 400  # px of a crop's sides
AROUND = 48  # px shown around a box, at least
TRUTH, FOUND = (0, 176, 96), (255, 122, 0)
QUALITY = [cv2.IMWRITE_JPEG_QUALITY, 85]


@dataclass(frozen=True)
class Crop:
    """A cut-out as a data URI, `size` (width, height) px as shown; `uri` is empty when the picture cannot be read."""

    uri: str
    size: tuple[int, int]
    file: str
    caption: str
    scale: float = 1.0


@dataclass(frozen=True, eq=False)
class Cropper:
    """Cuts places out of the pictures of an evaluation, with labels and `detections` (by index of the record) outlined;
    `show` reads a picture.
    """

    records: Sequence[Record]
    detections: Sequence[Detections]
    files: Sequence[str]
    show: Show

    def crops(self, suspects: Sequence[Suspect], colours: Sequence[Colour]) -> list[Crop]:
        """One crop each, in order, with a thick outline of that colour; every picture is read once."""
        places = {}
        # picture by picture instead of suspect by suspect: only one picture is in memory at a time
        for picture in sorted({one.picture for one in suspects}):
            image, reason = self._read(picture)
            for number, (one, colour) in enumerate(zip(suspects, colours, strict=True)):
                if one.picture == picture:
                    places[number] = self._crop(one, colour, image, reason)
        return [places[number] for number in range(len(suspects))]

    def _read(self, picture: int) -> tuple[np.ndarray | None, str]:
        try:
            return self.show(self.records[picture].path), ""
        except UserError as error:
            return None, str(error)

    def _crop(self, one: Suspect, colour: Colour, image: np.ndarray | None, reason: str) -> Crop:
        file = self.files[one.picture]
        if image is None:
            return Crop("", (LEAST, LEAST), file, f"{one.reason}; the picture cannot be shown: {reason}")
        labels, detections = self.records[one.picture].counted()[0], self.detections[one.picture].boxes.numpy()
        boxes = [*((box, TRUTH) for box in labels), *((box, FOUND) for box in detections)]
        return cut_out(image, (one.box, colour), boxes, file, one.reason)


def cut_out(
    image: np.ndarray,
    subject: tuple[Sequence[float], Colour],
    outlines: Sequence[tuple[Sequence[float], Colour]],
    file: str,
    caption: str,
) -> Crop:
    """`image` (H, W, 3) uint8 RGB around the box of `subject`, (4,) xyxy px; 1:1 unless too large."""
    box = subject[0]
    (x1, x2), (y1, y2) = (_span(box[k], box[k + 2], image.shape[1 - k]) for k in (0, 1))
    crop = image[y1:y2, x1:x2].copy()  # lines are drawn into it, while other threads may read `image`
    scale = min(1.0, MOST / max(crop.shape[:2]))
    if scale < 1:
        width, height = (max(round(crop.shape[k] * scale), 1) for k in (1, 0))
        crop = cv2.resize(crop, (width, height), interpolation=cv2.INTER_AREA)
    for thick, (outline, colour) in [*((1, one) for one in outlines), (2, subject)]:  # the subject last, on top
        a, b, c, d = ((float(v) - (x1, y1)[k % 2]) * scale for k, v in enumerate(outline))
        # the line runs outside the box: on it, it would hide a small defect
        corners = (int(np.floor(a)) - 2, int(np.floor(b)) - 2), (int(np.ceil(c)) + 1, int(np.ceil(d)) + 1)
        cv2.rectangle(crop, *corners, colour, thick)
    return Crop(as_uri(crop), (crop.shape[1], crop.shape[0]), file, caption, scale)


def _span(low: float, high: float, size: int) -> tuple[int, int]:
    """Where a crop starts and ends along one axis."""
    side = max(high - low + 2 * AROUND, LEAST)
    # near an edge the crop is moved into the picture, not cut off
    start = int(np.clip(round((low + high - side) / 2), 0, max(size - side, 0)))
    return start, min(max(round(start + side), start + 1), size)


def as_uri(image: np.ndarray) -> str:
    """(H, W, 3) uint8 RGB as the data URI of a JPEG."""
    done, coded = cv2.imencode(".jpg", image[..., ::-1], QUALITY)  # OpenCV expects BGR
    assert done, "a picture in memory can be coded"
    return "data:image/jpeg;base64," + base64.b64encode(coded.tobytes()).decode("ascii")


def above(detections: Iterable[Detections], thresholds: np.ndarray) -> Iterator[Detections]:
    """The detections that count at one threshold per class (K,), picture by picture."""
    for one in detections:
        yield one.keep(one.scores >= one.scores.new_tensor(thresholds)[one.labels])
