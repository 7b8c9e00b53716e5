"""Why boxes were found, as pictures below `explain/` in the run folder of detect.py."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from utils.drawing.box_drawing import BoxStyle
from utils.drawing.heat_drawing import draw_heat, heat_caption
from utils.drawing.overlay_files import drawable, write_picture
from utils.files.output_files import Results, make_folder
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.values.heat import Heat

FOLDER = "explain"


def write_heats(
    run: Path, frame: Frame, found: Detections, heats: Sequence[Heat], style: BoxStyle, results: Results
) -> None:
    """`explain/<picture>_<number>.jpg` for the first boxes of `found`, one of `heats` each: the picture around the box,
    and the same with the heat; `frame` holds the picture as it is drawn on. `results` hears of what cannot be written.
    """
    assert frame.image is not None, "only what was read is explained"
    image = drawable(frame.image)
    rows = zip(heats, found.labels.tolist(), found.scores.tolist(), strict=False)
    for number, (heat, label, score) in enumerate(rows):
        drawn = draw_heat(image, heat, heat_caption(found.names[label], score, heat), style, beside=True)
        path = run / FOLDER / frame.output.parent / f"{frame.output.name}_{number}.jpg"
        with results.writing():
            make_folder(path.parent)
            write_picture(path, drawn)
