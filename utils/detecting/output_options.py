"""What a detect.py run is to leave."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from utils.drawing.box_drawing import BoxStyle
from utils.flags.detect_flags import DetectFlags
from utils.zones.zones import Zones


@dataclass(frozen=True, kw_only=True)
class DetectionOutput:
    """What is written beside summary.csv and report.json.

    `pictures` with the detections drawn in `style` (and report.html), `labels` in YOLO's format, with `scores`, `crops`
    of the defects, a `table` (predictions.csv), `json` (predictions.json), and `verdicts`, each on the console;
    answers, where `questions` are asked; how many `tiles` each picture has, where it was looked at so; `prelabels` in
    the format of this name, which say that `model` found them. On the pictures, too, the `zones` in which defects
    count.
    """

    pictures: bool = True
    style: BoxStyle = BoxStyle()
    labels: bool = False
    scores: bool = False
    crops: bool = False
    table: bool = False
    json: bool = False
    verdicts: bool = False
    questions: bool = False
    tiles: bool = False
    prelabels: str = ""
    model: str = "detect.py"
    zones: Zones | None = None

    @classmethod
    def of(cls, flags: DetectFlags) -> DetectionOutput:
        """What the command line asks for."""
        return cls(
            pictures=not flags.nosave,
            style=BoxStyle(
                line_width=flags.line_thickness or None, hide_labels=flags.hide_labels, hide_scores=flags.hide_conf
            ),
            labels=flags.save_txt,
            scores=flags.save_conf,
            crops=flags.save_crop,
            table=flags.save_csv,
            json=flags.save_json,
            verdicts=bool(flags.thresholds) or flags.fail_on_defect,
            questions=bool(flags.ask or flags.ask_file),
            prelabels=flags.save_labels,
            model=Path(flags.weights).name or cls.model,
        )

    def notices(self, run: Path, masks: str, view: bool) -> list[str]:
        """What was asked for and comes to nothing. `masks`: where Mobile-SAM's weights come from, "" without masks;
        `view`: windows were asked for.
        """
        lines = []
        if masks not in ("", "pretrained"):
            lines.append(f"--masks: Mobile-SAM's weights are {masks}; the masks mean nothing")
        if masks and self.prelabels not in ("", "coco"):
            lines.append(f"--masks: --save-labels {self.prelabels} has boxes only; coco has the masks, too")
        if view:
            where = f"the pictures are in {run}" if self.pictures else "with --nosave no pictures are written"
            lines.append(f"--view-img: this OpenCV opens no windows; {where}")
        return lines
