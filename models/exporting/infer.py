"""Looks for defects in pictures with the network in model.onnx and says of each picture whether its part is OK or NG.

    python infer.py PICTURES [--out results] [--threads N]    one picture, or all of a folder
    python infer.py --selftest                                whether this computer finds what it is expected to find

model.onnx and thresholds.yaml, which says from what score on a class counts as a defect, lie beside this file. Results
go into a new folder: a row for every picture in summary.csv, for every defect in detections.csv, and overlays to see.

Exit code 0: every part is OK; 10: there is a defect; 3: a picture could not be looked at, which is never a good part;
2: something is to be mended first, and the line on the screen says what; 1: the selftest failed.

It needs Python 3.10, what requirements.txt lists and the other .py files beside it, and nothing else: read it, change
it, build it into your own; line_detector.py is what sees.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import math
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NoReturn

try:
    import cv2
    import numpy as np

    from models.exporting.line_detector import Detector, Found, Mistake, Unreadable, overlaps
except ImportError as missing:
    if __name__ != "__main__":
        raise
    print(f"error: infer.py: {missing}; pip install -r requirements.txt, or take the bundle anew", file=sys.stderr)
    raise SystemExit(2) from None

HERE = Path(__file__).resolve().parent
READ = ".jpg .jpeg .jpe .jfif .png .bmp .dib .tif .tiff .webp .pgm .ppm .pnm .jp2".split()
# Pictures that are not read here: of these, too, every one has its row, so that no part is passed over in silence.
UNREAD = ".gif .heic .heif .avif .jxl .jxr .dng .raw .cr2 .cr3 .nef .arw .exr .hdr .psd .j2k .pbm .pfm .tga".split()
SUMMARY = ("image", "verdict", "status", "defects", "classes", "max_confidence", "milliseconds", "reason")
TABLE = ("image", "class", "confidence", "x1", "y1", "x2", "y2")
STATUS = {"OK": "nothing found", "NG": "defects", "UNREADABLE": "unreadable"}
COLOURS = ((48, 89, 255), (255, 160, 35), (10, 214, 255), (147, 201, 0), (224, 108, 222), (222, 84, 40))  # B, G, R
FONT = cv2.FONT_HERSHEY_SIMPLEX


def find_pictures(place: Path) -> list[Path]:
    """The picture, or those of the folder, by name. Raises Mistake."""
    found = sorted(p for p in place.iterdir() if p.suffix.lower() in READ + UNREAD) if place.is_dir() else [place]
    if not found or not place.exists():
        raise Mistake(f"{place}: no pictures there; name one, or the folder they lie in (not the one above it)")
    return found


def read_picture(path: Path) -> np.ndarray:
    """(H, W, 3) uint8 RGB, upright by EXIF; grey threefold, no alpha, of 16 bits the upper 8. Raises Unreadable."""
    if path.suffix.lower() in UNREAD or not path.is_file():
        raise Unreadable("is of a kind that is not read" if path.is_file() else "is no regular file")
    try:
        raw = np.fromfile(path, np.uint8)  # not imread, which fails at some names
        start = raw[:4].tobytes()
        image = cv2.imdecode(raw, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH) if start else None
        whole = cv2.imdecode(raw, cv2.IMREAD_UNCHANGED) if start in (b"II*\0", b"MM\0*") else None
        if whole is not None and whole.shape[2:] == (4,):  # OpenCV darkens the colours of a TIFF by its transparency
            raise Unreadable("is a TIFF of four planes, RGBA or CMYK; save it as RGB, or as PNG")
    except (OSError, cv2.error, MemoryError) as error:
        raise Unreadable(f"cannot be read: {error}") from error
    # Some versions of OpenCV fill up what is missing of a JPEG with grey, in which there is no defect.
    cut = start[:2] == b"\xff\xd8" and (data := raw.tobytes()).rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")
    if image is None or cut or image.dtype not in (np.uint8, np.uint16):
        raise Unreadable("cannot be decoded: it is damaged, cut off, or no picture")
    return cv2.cvtColor((image // 256).astype(np.uint8) if image.dtype == np.uint16 else image, cv2.COLOR_BGR2RGB)


def draw(image: np.ndarray, found: Found, names: Sequence[str]) -> np.ndarray:
    """(H, W, 3) BGR: the picture with a line around each defect, its class and score beside it."""
    drawn = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    height, width = drawn.shape[:2]
    line, scale = max(1, round(math.sqrt(height + width) / 16)), max(9.0, 7 + (height + width) * 0.0046) / 26
    thick, pad, far = max(1, round(scale * 1.8)), math.ceil(scale * 8), line // 2 + 1
    for k in np.argsort(-(found.boxes[:, 2:] - found.boxes[:, :2]).prod(1), kind="stable"):  # small ones on top
        around = found.boxes[k].round().astype(int) + [-far, -far, far, far]  # the line lies just outside of the defect
        left, top, right, bottom = np.clip(around, far - 1, [width - far, height - far] * 2).tolist()
        name, colour = names[found.labels[k]], COLOURS[found.labels[k] % len(COLOURS)]
        cv2.rectangle(drawn, (left, top), (right, bottom), colour, line)
        text = f"{name if name.isascii() else f'class {found.labels[k]}'} {found.scores[k]:.2f}"  # what it can write
        (wide, high), below = cv2.getTextSize(text, FONT, scale, thick)
        wide, tall = wide + 2 * pad, high + below + pad
        x, y = max(min(left - far + 1, width - wide), 0), top - far + 1 - tall
        y = y if y >= 0 else min(bottom + far, height - tall)
        cv2.rectangle(drawn, (x, y), (x + wide, y + tall), colour, cv2.FILLED)
        ink = (0, 0, 0) if np.dot(colour, (0.114, 0.587, 0.299)) > 110 else (255, 255, 255)
        cv2.putText(drawn, text, (x + pad, y + (tall + high) // 2), FONT, scale, ink, thick, cv2.LINE_AA)
    return drawn


def new_folder(out: Path, pictures: Path) -> Path:
    """Make `out`, or out2, out3 ... where it is there already; never among the pictures. Raises Mistake."""
    source, out = pictures if pictures.is_dir() else pictures.parent, out.absolute()
    among = any(place.exists() and place.samefile(source) for place in (out, *out.parents))
    if among and (pictures.is_dir() or not Path.cwd().is_relative_to(source.resolve())):
        raise Mistake(f"--out {out}: lies in the folder of the pictures, {source}; name a folder outside")
    places = (out if number == 1 else out.with_name(f"{out.name}{number}") for number in itertools.count(1))
    folder = next(place for place in places if not place.exists())
    (folder / "overlays").mkdir(parents=True)
    return folder


def append(path: Path, rows: Iterable[Sequence[object]]) -> None:
    """Add rows to a CSV file, no cell of which a spreadsheet takes for a formula."""
    cells = [[f"'{x}" if str(x).startswith(("=", "+", "-", "@", "\t", "\r")) else x for x in row] for row in rows]
    with open(path, "a", encoding="utf-8", errors="backslashreplace", newline="") as file:
        csv.writer(file).writerows(cells)


def inspect(detector: Detector, pictures: Sequence[Path], out: Path) -> Counter[str]:
    """Look at the pictures and write the results of each at once. How many there are of each verdict."""
    verdicts: Counter[str] = Counter()
    append(out / "detections.csv", [TABLE])
    append(out / "summary.csv", [(*SUMMARY, "tiles") if detector.tiling else SUMMARY])
    for number, path in enumerate(pictures, 1):
        numbers, reason, verdict, tiles = ["", "", "", ""], "", "UNREADABLE", ""
        try:
            image, started = read_picture(path), time.perf_counter()
            found = detector(image)
            milliseconds, verdict = (time.perf_counter() - started) * 1000, found.verdict
            words, best = [detector.names[label] for label in found.labels], [f"{s:.4f}" for s in found.scores[:1]]
            kinds = "; ".join(f"{word} {count}" for word, count in Counter(words).items())
            numbers = [str(len(words)), kinds, "".join(best), f"{milliseconds:.1f}"]
            tiles = str(len(detector.areas(image)))
            png = cv2.imencode(".png", draw(image, found, detector.names))[1]
            (out / "overlays" / f"{path.name}.png").write_bytes(png.tobytes())
            rows = zip(words, found.scores, found.boxes, strict=True)
            append(out / "detections.csv", [[path.name, w, f"{s:.6f}", *(f"{v:.3f}" for v in b)] for w, s, b in rows])
        except Unreadable as error:
            reason = " ".join(str(error).split())
            print(f"{path}: {reason}", file=sys.stderr)
        verdicts[verdict] += 1
        row = [path.name, verdict, STATUS[verdict], *numbers, reason]
        append(out / "summary.csv", [[*row, tiles] if detector.tiling else row])
        if sys.stderr.isatty():
            print(f"\r{number} of {len(pictures)} ", end="\n" * (number == len(pictures)), file=sys.stderr)
    return verdicts


def selftest(detector: Detector, folder: Path) -> int:
    """Whether the pictures of the bundle give what they gave where it was made. The exit code."""
    path, differences, worst = folder / "expected.json", [], 0.0
    try:
        expected = json.loads(path.read_bytes())
        cases, limits = expected["pictures"], expected["tolerance"]
        for one in cases:
            found = detector(read_picture(folder / "pictures" / one["file"]))
            said = [] if found.verdict == one["verdict"] else [f"{found.verdict}, expected {one['verdict']}"]
            for wanted in one["detections"]:
                apart = np.abs(found.scores - wanted["score"])
                near = (found.labels == detector.names.index(wanted["class"])) & (apart <= limits["score"])
                fits = np.where(near, overlaps(np.array(wanted["box"], np.float32), found.boxes), 0)
                if fits.max(initial=0) < limits["iou"]:
                    said.append(f"lacks {wanted['class']} {wanted['score']:.4f} at {wanted['box']}")
                    continue
                worst = max(worst, float(apart[fits.argmax()]))
                found = found.only(np.arange(len(fits)) != fits.argmax())
            rest = zip(found.labels, found.scores, found.boxes.round(2).tolist(), strict=True)
            said += [f"finds besides {detector.names[label]} {score:.4f} at {box}" for label, score, box in rest]
            differences += [f"{one['file']}: {line}" for line in said]
    except (ValueError, KeyError, TypeError, Unreadable) as error:
        raise Mistake(f"{path}: it or a picture is damaged: {error}; take the bundle anew") from error
    if not differences:
        print(f"selftest passed: {len(cases)} pictures, largest score difference {worst:.1e}")
        return 0
    print("\n".join(["selftest failed:", *differences]))
    return 1


class Arguments(argparse.ArgumentParser):
    """Whose complaint is one line."""

    def error(self, message: str) -> NoReturn:
        """See argparse."""
        raise Mistake(f"infer.py: {message}; python infer.py --help says what there is")


def run(argv: Sequence[str] | None) -> int:
    """What the command line asks for. The exit code."""
    parser = Arguments(prog="infer.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pictures", nargs="?", type=Path, help="a picture, or a folder of pictures")
    parser.add_argument("--out", type=Path, default=Path("results"), help="new folder for the results")
    parser.add_argument("--threads", type=int, default=0, help="threads of onnxruntime; 0: as it thinks best")
    parser.add_argument("--selftest", action="store_true", help="look at the pictures of the bundle and compare")
    given = parser.parse_args(argv)
    if (given.pictures is None) != given.selftest:
        parser.error("give either PICTURES or --selftest")
    cv2.utils.logging.setLogLevel(0)  # of damaged pictures it would write lines of its own
    detector = Detector(HERE, max(given.threads, 0))
    if detector.zones:
        said = f"chosen where {detector.zones} says that defects count, which this program does not know"
        print(f"thresholds.yaml: {said}: it looks everywhere; choose them without --roi", file=sys.stderr)
    if given.selftest:
        return selftest(detector, HERE)
    pictures = find_pictures(given.pictures)
    out = new_folder(given.out, given.pictures)
    verdicts = inspect(detector, pictures, out)
    counts = ", ".join(f"{verdicts[verdict]} {verdict}" for verdict in STATUS if verdicts[verdict])
    print(f"{len(pictures)} picture{'s' * (len(pictures) != 1)}: {counts}; results in {out}")
    return 3 if verdicts["UNREADABLE"] else 10 if verdicts["NG"] else 0


def main(argv: Sequence[str] | None = None) -> int:
    """The same, with what is to be mended as one line on stderr."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # not every console has every letter
    try:
        return run(argv)
    except (Mistake, OSError) as error:
        said = f"{error.filename or 'results'}: {error.strerror}; mend it" if isinstance(error, OSError) else str(error)
        print(f"error: {' '.join(said.split())}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
