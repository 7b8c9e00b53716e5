"""report.json and report.html of detect.py, which knows no truth: verdicts, speed, the surest defects."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from utils.detecting.totals import Totals
from utils.files.output_files import Extra, Results, write_json, write_text
from utils.report import details
from utils.report.crops import FOUND, Crop, cut_out
from utils.report.evaluation import CROPS, PAGE, TITLES, provenance_of, warnings_of
from utils.report.markup import Html, element, joined, table, why_not
from utils.report.page import page
from utils.report.questions import AskedQuestions
from utils.values.picture_result import PictureResult

NO_TRUTH = (
    "detect.py knows no labels. With labels: python detect.py --save-json --conf 0.001 --iou 0.6 --max-det 300, then "
    "python val.py --from-preds predictions.json --data my.yaml."
)
INCLUDED = {"total": "network and NMS, as long as a picture takes in its batch"}
LEFT_OUT = "reading, drawing and writing"


class DetectionReport:
    """Keeps, picture by picture, the surest defects, and writes the report; memory stays small."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self.shown = 0
        self.best: list[tuple[float, int, Crop]] = []
        self.questions = AskedQuestions()

    def show(self, result: PictureResult) -> None:
        """The surest defect of this picture, if it is among the surest of all, and what was answered."""
        frame, found = result.frame, result.detections
        self.questions.show(frame, result.answers)
        if found is None or frame.image is None or not len(found):
            return
        place = int(found.scores.argmax())
        score = float(found.scores[place])
        self.shown += 1
        # a heap: its first entry is the least sure of those kept; what cannot replace it is not even cut out
        if len(self.best) == CROPS and score <= self.best[0][0]:
            return
        caption = f"{found.names[int(found.labels[place])]} {score:.2f}"
        boxes = found.boxes.numpy()
        crop = cut_out(frame.image, (boxes[place], FOUND), [(box, FOUND) for box in boxes], frame.name, caption)
        keep = heapq.heappush if len(self.best) < CROPS else heapq.heapreplace
        # -shown: of equal scores the earlier picture stays, and the crops themselves are never compared
        keep(self.best, (score, -self.shown, crop))

    def join(self, others: Iterable[list[tuple[float, int, Crop]]]) -> None:
        """Keep the surest of what several processes showed, each in its own pictures."""
        # each process counted its pictures from 1, so the numbers are replaced by unique ones
        rows = [(score, -number, crop) for number, (score, _, crop) in enumerate(chain(*others))]
        self.best = heapq.nlargest(CROPS, rows, key=lambda row: row[:2])

    def plain(self, run: Path, totals: Totals) -> dict[str, Any]:
        """report.json."""
        missing = {"unavailable": NO_TRUTH}
        return {
            "format": 1,
            "kind": "detect",
            "pictures": {"looked_at": totals.looked, "OK": totals.looked - totals.bad, "NG": totals.bad},
            "unreadable": totals.unreadable,
            "classes": {
                name: {"pictures": totals.pictures[name], "defects": totals.defects[name]}
                for name in sorted(self.names)
            },
            "results": missing,
            "sweep": missing,
            "speed": _speed(totals.times),
            **({"questions": self.questions.plain()} if self.questions.asked else {}),
            "provenance": provenance_of(run),
            "warnings": warnings_of(run),
        }

    def write(self, run: Path, totals: Totals, results: Results, html: bool = True) -> None:
        """Write report.html unless it is not wanted, and report.json."""
        content = self.plain(run, totals)
        if html:
            with Extra(run / PAGE):
                write_text(run / PAGE, self._page(run.name, content, totals))
        with results.writing():
            write_json(run / "report.json", content)

    def _page(self, name: str, content: dict[str, Any], totals: Totals) -> str:
        speed = content["speed"]
        rows = [[word, f"{row['pictures']:,}", f"{row['defects']:,}"] for word, row in content["classes"].items()]
        best = [crop for _, _, crop in sorted(self.best, reverse=True, key=lambda row: row[:2])]
        shown = f"{len(best)} of {totals.bad:,} NG pictures"
        sections = {
            "Verdict": _verdicts(totals),
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
        if self.questions.asked:
            sections = {"Questions": self.questions.html(), **sections}
        about = content["provenance"]
        return page(f"{TITLES['detect']}: {name}", str(about.get("weights", "")), content["warnings"], sections)


def _speed(times: Sequence[float]) -> dict[str, Any]:
    """Of milliseconds per picture."""
    if not len(times):
        return {"unavailable": "No picture was looked at."}
    shares = {f"p{p}": float(np.percentile(times, p)) for p in (50, 95, 99)}
    mean = float(np.mean(times))
    return {"ms_per_picture": {"total": {**shares, "mean": mean}}, "included": INCLUDED, "left_out": LEFT_OUT}


def _verdicts(totals: Totals) -> Html:
    tiles = [
        element("div", label, element("b", f"{count:,}"), element("span", note), class_="tile")
        for label, count, note in (
            ("OK", totals.looked - totals.bad, "nothing counts as a defect"),
            ("NG", totals.bad, "at least one defect"),
            ("Could not be read", totals.unreadable, "never counted as good"),
        )
    ]
    words = f"{totals.looked + totals.unreadable:,} pictures and frames."
    return joined([element("p", words), element("div", *tiles, class_="tiles")])
