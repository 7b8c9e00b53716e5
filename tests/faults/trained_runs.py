"""Small networks, how they are trained in a moment, and what their runs leave behind."""

from pathlib import Path

TINY = """
nc: 5
anchors: [[10, 13, 16, 30, 33, 23]]
backbone:
  - [image, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [8, 3, 2]]
head:
  - [-1, 1, Conv, [16, 3, 2], deep]
  - [[deep], 1, AnchorDetect, [$nc, $anchors]]
"""
READING = TINY.replace(
    "  - [[deep], 1, AnchorDetect, [$nc, $anchors]]", "  - [[deep, text], 1, ContrastiveDetect, [$nc]]"
)
READING = READING.replace("anchors: [[10, 13, 16, 30, 33, 23]]\n", "text_encoder: ngram:16\n")
QUICK = ["--img", "96", "--batch", "4", "--workers", "0", "--device", "cpu", "--noplots", "--close-mosaic", "0"]
QUICK += ["--epochs", "2", "--save-steps", "1", "--set", "optim.nominal_batch=8"]


def last_of(home: Path, name: str) -> Path:
    return home / "runs" / "train" / name / "weights" / "last.pt"


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def one_line(capsys, code: int) -> str:
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error[")]
    assert code and len(lines) == 1, lines
    return lines[0]
