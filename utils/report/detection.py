"""report.json and report.html of detect.py, which knows no truth: verdicts, speed, the surest defects."""

from __future__ import annotations

import heapq
from array import array
from collections import Counter
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from utils.files.runs import write_json, write_text
from utils.report import details
from utils.report.crops import FOUND, Crop, cut_out
from utils.report.evaluation import CROPS, TITLES, provenance_of, warnings_of
from utils.report.markup import Html, element, joined, table, why_not
from utils.report.page import page
from utils.values.detections import Detections
from utils.values.frame import Frame

NO_TRUTH = (
    "detect.py knows no labels. With labels: python detect.py --save-json --conf 0.001 --iou 0.6 --max-det 300, then "
    "python val.py --from-preds predictions.json --data my.yaml."
)
INCLUDED = {"total": "network and NMS, as long as a picture takes in its batch"}
LEFT_OUT = "reading, drawing and writing"
MOST_TIMES = 1_000_000


class DetectionReport:
    """Gathers, picture by picture, what the report shows; memory stays small however many there are."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.times = array("f")
        self.pictures: Counter[str] = Counter()  # NG pictures by class
        self.defects: Counter[str] = Counter()
        self.bad = self.looked = self.unreadable = self.shown = 0
        self.best: list[tuple[float, int, Crop]] = []

    def add(self, frame: Frame, found: Detections | None, milliseconds: float) -> None:
        """One input; `found` None when it could not be read."""
        if found is None:
            self.unreadable += 1
            return
        self.looked += 1
        self.bad += len(found) > 0
        labels = [self.names[label] for label in found.labels.tolist()]
        self.defects.update(labels)
        self.pictures.update(set(labels))
        if len(self.times) < MOST_TIMES:
            self.times.append(milliseconds)

    def show(self, frame: Frame, found: Detections | None) -> None:
        """The surest defect of this picture, if it is among the surest of all."""
        if found is None or frame.image is None or not len(found):
            return
        place = int(found.scores.argmax())
        score = float(found.scores[place])
        self.shown += 1
        if len(self.best) == CROPS and score <= self.best[0][0]:
            return
        caption = f"{self.names[int(found.labels[place])]} {score:.2f}"
        boxes = found.boxes.numpy()
        crop = cut_out(frame.image, (boxes[place], FOUND), [(box, FOUND) for box in boxes], frame.name, caption)
        keep = heapq.heappush if len(self.best) < CROPS else heapq.heapreplace
        keep(self.best, (score, -self.shown, crop))

    def join(self, others: Iterable[list[tuple[float, int, Crop]]]) -> None:
        """Keep the surest of what several processes showed, each in its own pictures."""
        rows = [(score, -number, crop) for number, (score, _, crop) in enumerate(chain(*others))]
        self.best = heapq.nlargest(CROPS, rows, key=lambda row: row[:2])

    def plain(self, run: Path) -> dict[str, Any]:
        """report.json."""
        missing = {"unavailable": NO_TRUTH}
        return {
            "format": 1,
            "kind": "detect",
            "pictures": {"looked_at": self.looked, "OK": self.looked - self.bad, "NG": self.bad},
            "unreadable": self.unreadable,
            "classes": {
                name: {"pictures": self.pictures[name], "defects": self.defects[name]} for name in sorted(self.names)
            },
            "results": missing,
            "sweep": missing,
            "speed": self._speed(),
            "provenance": provenance_of(run),
            "warnings": warnings_of(run),
        }

    def _speed(self) -> dict[str, Any]:
        if not self.times:
            return {"unavailable": "No picture was looked at."}
        shares = {f"p{p}": float(np.percentile(self.times, p)) for p in (50, 95, 99)}
        mean = float(np.mean(self.times))
        return {"ms_per_picture": {"total": {**shares, "mean": mean}}, "included": INCLUDED, "left_out": LEFT_OUT}

    def write(self, run: Path, html: bool = True) -> None:
        """Write report.json, and report.html unless it is not wanted."""
        content = self.plain(run)
        write_json(run / "report.json", content)
        if html:
            write_text(run / "report.html", self._page(run.name, content))

    def _page(self, name: str, content: dict[str, Any]) -> str:
        speed = content["speed"]
        rows = [[word, f"{row['pictures']:,}", f"{row['defects']:,}"] for word, row in content["classes"].items()]
        best = [crop for _, _, crop in sorted(self.best, reverse=True, key=lambda row: row[:2])]
        shown = f"{len(best)} of {self.bad:,} NG pictures"
        sections = {
            "Verdict": self._verdict(),
            "Data": table(("class", "NG pictures", "defects"), rows),
            "Operating point": why_not(NO_TRUTH),
            "Classes and sizes": why_not(NO_TRUTH),
            "Surest defects": joined(
                [
                    element(
                        "p", "One per picture, best score first; outlined: what counts as a defect. Crops are 1:1."
                    ),
                    details.gallery(shown, best, len(best), "Nothing was found."),
                ]
            ),
            "Speed": why_not(speed["unavailable"]) if "unavailable" in speed else details.speed(speed),
            "Provenance": details.provenance(content["provenance"]),
        }
        about = content["provenance"]
        return page(f"{TITLES['detect']}: {name}", str(about.get("weights", "")), content["warnings"], sections)

    def _verdict(self) -> Html:
        tiles = [
            element("div", label, element("b", f"{count:,}"), element("span", note), class_="tile")
            for label, count, note in (
                ("OK", self.looked - self.bad, "nothing counts as a defect"),
                ("NG", self.bad, "at least one defect"),
                ("Could not be read", self.unreadable, "never counted as good"),
            )
        ]
        words = f"{self.looked + self.unreadable:,} pictures and frames."
        return joined([element("p", words), element("div", *tiles, class_="tiles")])
