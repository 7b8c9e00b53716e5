"""A folder for a production line: the exported file, its thresholds, a program that needs nothing of this project, and
pictures with what is to be found in them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from utils.files.output_files import make_folder, refused, remove_result, write_bytes
from utils.values.detections import Detections
from utils.values.verdict import Verdict
from utils.words.errors import ConfigError, ResourceError, printable

HERE = Path(__file__).parent
TILING = HERE.parents[1] / "utils" / "tiling"
PROGRAM = [HERE / "infer.py", HERE / "line_detector.py", TILING / "tiles.py", TILING / "merging.py"]
# How the files of the program import each other here, and of that what goes where they lie side by side.
FOLDERS = re.compile(rb"^( *from )(?:models\.exporting|utils\.tiling)\.(\w+ import )", re.MULTILINE)
PICTURES = "pictures"
TOLERANCE = {"iou": 0.99, "score": 0.001}  # of the selftest: what computers may differ by
# The oldest of which tests/models/exporting/test_infer.py has passed. Before 4.13 OpenCV did not turn WebP pictures.
REQUIREMENTS = "numpy>=2.0\nopencv-python-headless>=4.13\nonnxruntime>=1.19\npyyaml>=6.0\n"
README = """Defect detection with model.onnx: of each picture, whether its part is OK or NG.

  pip install -r requirements.txt    once: numpy, OpenCV, onnxruntime, PyYAML; Python 3.10 or newer
  python infer.py --selftest         whether this computer finds in pictures/ what expected.json says
  python infer.py FOLDER             every picture of the folder; tables and overlays go to ./results

model.onnx       the network: its classes and image size are in its metadata
thresholds.yaml  from which score on a class counts as a defect: change it to be stricter or milder, the
                 selftest then fails, since it expects what these thresholds find
infer.py         the program, meant to be read and changed; exit code 0 OK, 10 defects, 3 unreadable, 2 mistake
line_detector.py what it sees with, for a program of yours, too: Detector(folder)(picture)
tiles.py         where the tiles lie in which it looks at a picture, if thresholds.yaml says `tile: ` and a size
merging.py       how what is found in tiles becomes one list
"""


def write_bundle(
    folder: Path,
    model: bytes,
    thresholds: str,
    pictures: Sequence[tuple[str, np.ndarray]],
    found: Sequence[tuple[Detections, str]],
) -> None:
    """Write the folder, all of it or nothing. It must not exist yet, or be empty.

    `model`: an ONNX file of models/exporting; `thresholds`: a thresholds.yaml; `pictures`: their names and (H, W, 3)
    uint8 RGB, stored as PNG; `found`: of each picture what counts as a defect by these thresholds, in its pixels and
    with names, and its verdict, OK or NG. Raises ConfigError, ResourceError.
    """
    assert len(pictures) == len(found), "one result for each picture"
    files = [f"{number}_{Path(name).stem}.png" for number, (name, _) in enumerate(pictures, 1)]
    expected = [_expected(file, *one) for file, one in zip(files, found, strict=True)]
    said = json.dumps({"pictures": expected, "tolerance": TOLERANCE}, indent=1, ensure_ascii=False, allow_nan=False)
    content = {f"{PICTURES}/{file}": _png(image) for file, (_, image) in zip(files, pictures, strict=True)}
    content |= {"model.onnx": model, **{path.name: _side_by_side(path.read_bytes()) for path in PROGRAM}}
    texts = {"thresholds.yaml": thresholds, "requirements.txt": REQUIREMENTS, "README.txt": README}
    content |= {name: text.encode() for name, text in {**texts, "expected.json": f"{said}\n"}.items()}
    _write(free_folder(folder), content)


def _side_by_side(program: bytes) -> bytes:
    """A file of the program, for a folder in which all of them lie. One that imports none of them stays as it is."""
    return FOLDERS.sub(rb"\1\2", program)


def _expected(file: str, found: Detections, verdict: str) -> dict[str, Any]:
    """What infer.py is to find in a picture."""
    assert verdict == (Verdict.NG if len(found) else Verdict.OK), "a verdict follows from the detections"
    lists = zip(found.labels.tolist(), found.scores.tolist(), found.boxes.tolist(), strict=True)
    rows = [
        {"class": found.names[label], "score": round(score, 6), "box": [round(v, 3) for v in box]}
        for label, score, box in lists
    ]
    return {"file": file, "verdict": str(verdict), "detections": rows}


def _png(image: np.ndarray) -> bytes:
    done, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    assert done, "OpenCV writes every 8-bit picture as PNG"
    return data.tobytes()


def free_folder(folder: Path) -> Path:
    """The folder of a bundle, if nothing is in its place. Raises ConfigError, ResourceError."""
    shown = printable(str(folder))
    try:
        if folder.is_dir() and not any(folder.iterdir()):
            return folder
    except OSError as error:
        raise refused(folder, error) from error
    if folder.exists() or folder.is_symlink():
        what = "holds files already" if folder.is_dir() else "is there already, and no folder"
        raise ConfigError(f"--bundle {shown}: {what}; name a new folder")
    return folder


def _write(folder: Path, content: dict[str, bytes]) -> None:
    """Write files; if one cannot be, what was written is taken away again. Raises ResourceError."""
    new = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        make_folder(folder / PICTURES)
        for name, data in content.items():
            write_bytes(folder / name, data)
    except ResourceError:
        with suppress(ResourceError, OSError):  # the first reason is the one to tell
            for name in content:
                remove_result(folder / name)
            for place in (folder / PICTURES, *new):
                place.rmdir()
        raise
