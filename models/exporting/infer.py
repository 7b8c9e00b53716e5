"""Looks for defects in pictures with the network in model.onnx and says of each picture whether its part is OK or NG.

    python infer.py PICTURES [--out results] [--threads N]    one picture, or all of a folder
    python infer.py --selftest                                whether this computer finds what it is expected to find

model.onnx and thresholds.yaml, which says from what score on a class counts as a defect, lie beside this file. Results
go into a new folder: a row for every picture in summary.csv, for every defect in detections.csv, and overlays to see.

Exit code 0: every part is OK; 10: there is a defect; 3: a picture could not be looked at, which is never a good part;
2: something is to be mended first, and the line on the screen says what; 1: the selftest failed.

It needs Python 3.10 and what requirements.txt lists, and nothing else: read it, change it, build it into your own.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

try:
    import cv2
    import numpy as np
    import onnxruntime
    import yaml
    from onnxruntime.capi import onnxruntime_pybind11_state as refusals
except ImportError as missing:
    if __name__ != "__main__":
        raise
    print(f"error: infer.py: {missing}; pip install -r requirements.txt", file=sys.stderr)
    raise SystemExit(2) from None

HERE = Path(__file__).resolve().parent
FORMAT = 1  # of what model.onnx says of itself
CANDIDATES = 30_000  # boxes that suppression looks at, the surest ones
UNKNOWN, SAME = "unknown defect", 0.5  # a class that gives way to any other that shows the same thing, by IoU
READ = ".jpg .jpeg .jpe .jfif .png .bmp .dib .tif .tiff .webp .pgm .ppm .pnm .jp2".split()
# Pictures that are not read here: of these, too, every one has its row, so that no part is passed over in silence.
UNREAD = ".gif .heic .heif .avif .jxl .jxr .dng .raw .cr2 .cr3 .nef .arw .exr .hdr .psd .j2k .pbm .pfm .tga".split()
SUMMARY = ("image", "verdict", "status", "defects", "classes", "max_confidence", "milliseconds", "reason")
TABLE = ("image", "class", "confidence", "x1", "y1", "x2", "y2")
STATUS = {"OK": "nothing found", "NG": "defects", "UNREADABLE": "unreadable"}
COLOURS = ((48, 89, 255), (255, 160, 35), (10, 214, 255), (147, 201, 0), (224, 108, 222), (222, 84, 40))  # B, G, R
FONT = cv2.FONT_HERSHEY_SIMPLEX
FAILURES = tuple(kind for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, Exception))


class Mistake(Exception):
    """Something to be mended by whoever started this: `where: what is wrong; what to do`."""


class Unreadable(Exception):
    """Why a picture could not be looked at."""


@dataclass(frozen=True)
class Found:
    """What is found in a picture, the surest first: boxes (N, 4) x1, y1, x2, y2 px, scores (N,), classes (N,)."""

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray

    def only(self, which: Any) -> Found:
        """Those at these places, or where it is true."""
        return Found(self.boxes[which], self.scores[which], self.labels[which])

    @property
    def verdict(self) -> str:
        """Of the part in the picture."""
        return "NG" if len(self.boxes) else "OK"


def open_model(path: Path, threads: int) -> tuple[onnxruntime.InferenceSession, dict[str, Any]]:
    """The network, and what it says of itself. Raises Mistake."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 4
    content = path.read_bytes()  # given as bytes, it is all that is read
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        about = json.loads(session.get_modelmeta().custom_metadata_map.get("detector", "{}"))
    except (ValueError, *FAILURES) as error:  # type: ignore[misc]
        raise Mistake(f"{path}: onnxruntime refuses it: {error}; take the bundle anew") from error
    reason, inputs = "", sorted(one.name for one in session.get_inputs())
    if "format" not in about:
        reason = "was not made by python -m models.export; take that of the bundle"
    elif about["format"] != FORMAT:
        reason = "is of another version than this infer.py; take both from one bundle"
    elif about.get("channels") != ["r", "g", "b"]:
        reason = "looks at other planes than r, g, b; run it by detect.py --weights"
    elif inputs != (["conf", "images", "iou", "max_det"] if about.get("nms") else ["images"]):
        reason = f"has inputs that are not known here, {', '.join(inputs)}; run it by detect.py --weights"
    if reason:
        raise Mistake(f"{path}: {reason}")
    return session, about


def read_limits(path: Path, names: Sequence[str]) -> tuple[list[float], dict[str, float]]:
    """The threshold of each class of these names, and what `nms` says: iou, max_det, imgsz. Raises Mistake."""
    try:
        top = entries(yaml.compose(path.read_bytes().decode("utf-8-sig"), Loader=yaml.SafeLoader))
        given = {name: float(node.value) for name, node in entries(top.pop("thresholds", None)).items()}
        made = {name: float(node.value) for name, node in entries(top.pop("nms")).items()} if "nms" in top else {}
    except (yaml.YAMLError, TypeError, ValueError) as error:
        raise Mistake(f"{path}: cannot be understood: {error}; mend it, or take that of the bundle") from error
    lacking, unknown = ([name for name in one if name not in other] for one, other in ((names, given), (given, names)))
    if lacking or set(unknown) - {UNKNOWN}:
        reason = f"no threshold for {', '.join(lacking)}" if lacking else f"unknown class {', '.join(unknown)}"
        raise Mistake(f"{path}: {reason}; the network knows {', '.join(names)}")
    ranges = {"iou": (0, 1), "max_det": (1, 100_000), "imgsz": (32, 16_384)}
    wrong = [name for name, score in given.items() if not (0 <= score <= 1 or score == 2)]  # 2: never
    wrong += [n for n, value in made.items() if n not in ranges or not ranges[n][0] <= value <= ranges[n][1]]
    wrong += sorted(top.keys() - {"weights", "pictures", "answers"})
    if wrong:
        raise Mistake(f"{path}: {', '.join(wrong)}: not known here, or not from 0 to 1 as a threshold is; mend it")
    return [given[name] for name in names], made


def entries(node: yaml.Node | None) -> dict[str, yaml.Node]:
    """The values of a YAML map by their keys as they are written, so that a class may be called 1.10 or yes."""
    named = {str(key.value): value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}
    if not isinstance(node, yaml.MappingNode) or len(named) < len(node.value):
        raise ValueError("expected are thresholds, and below it lines like `name: 0.5`, each name once")
    return named


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


def letterbox(image: np.ndarray, imgsz: int, stride: int, padding: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The picture resized to `imgsz` amid grey, its sides multiples of `stride`; the scale and shift of boxes, (4,)."""
    height, width = image.shape[:2]
    scale = imgsz / max(height, width)
    canvas = [max(math.ceil(round(side * scale, 6) / stride), 1) * stride for side in (height, width)]
    scale = min(canvas[0] / height, canvas[1] / width)
    high = min(max(round(height * scale), 1), canvas[0])
    wide = min(max(round(width * scale), 1), canvas[1])
    top, left = (canvas[0] - high) // 2, (canvas[1] - wide) // 2
    if (high, wide) != (height, width):
        image = cv2.resize(image, (wide, high), interpolation=cv2.INTER_AREA if high < height else cv2.INTER_LINEAR)
    padded = np.full((*canvas, 3), padding, np.uint8)
    padded[top : top + high, left : left + wide] = image
    return padded, np.array([wide / width, high / height] * 2, np.float32), np.array([left, top] * 2, np.float32)


class Detector:
    """The network in a folder, with its thresholds: picture (H, W, 3) uint8 RGB -> what counts as a defect in it."""

    def __init__(self, folder: Path, threads: int = 0) -> None:
        """Raises Mistake. `threads` 0: as many as onnxruntime thinks best."""
        self.session, about = open_model(folder / "model.onnx", threads)
        self.names, self.stride, self.padding = about["names"], about["stride"], about["letterbox"]["padding"]
        self.full, self.shape, self.suppresses = np.float32(about["scale"]), about["shape"], about["nms"]
        self.limits, made = read_limits(folder / "thresholds.yaml", self.names)
        self.lowest = np.float32(min(max(min(self.limits) - 2e-6, 0.0), 1.0))  # a hair below the least threshold
        self.iou, self.most = made.get("iou", 0.45), int(made.get("max_det", 1000))
        self.imgsz = int(made.get("imgsz", about["imgsz"]))

    def __call__(self, image: np.ndarray) -> Found:
        """Raises Unreadable."""
        padded, scale, shift = letterbox(image, self.imgsz, self.stride, self.padding)
        try:
            found = self.candidates(self.inputs(padded))
        except FAILURES as error:
            raise Unreadable(f"the network fails on it: {error}") from error
        found = found.only(np.isfinite(found.boxes).all(1))
        found = found.only(np.argsort(-found.scores, kind="stable")[:CANDIDATES])
        found = found.only(suppress(found, self.iou, self.most))
        edges = np.array([image.shape[1], image.shape[0]] * 2, np.float32)
        found = Found(np.clip((found.boxes - shift) / scale, np.float32(0), edges), found.scores, found.labels)
        found = found.only((found.boxes[:, 2:] > found.boxes[:, :2]).all(1))  # not what lies in the grey
        rounded = zip(found.scores.tolist(), found.labels, strict=True)
        counts = [round(score, 6) >= self.limits[label] for score, label in rounded]
        found = found.only(np.array(counts, bool))
        new = np.array([self.names[label] == UNKNOWN for label in found.labels], bool)
        twice = [(overlaps(box, found.boxes[~new]) >= SAME).any() for box in found.boxes]
        return found.only(~(new & np.array(twice, bool)))

    def inputs(self, padded: np.ndarray) -> np.ndarray:
        """A letterboxed picture as the network takes it, (B, 3, H, W) float32 in 0..1."""
        batch, height, width = self.shape or (1, *padded.shape[:2])
        if padded.shape[0] > height or padded.shape[1] > width:
            said = f"makes {padded.shape[1]} x {padded.shape[0]} px, model.onnx takes {width} x {height}"
            raise Unreadable(f"{said}; export it without --static, or for this size")
        images = np.full((batch, 3, height, width), self.padding / self.full, np.float32)
        images[:, :, : padded.shape[0], : padded.shape[1]] = padded.transpose(2, 0, 1).astype(np.float32) / self.full
        return images

    def candidates(self, images: np.ndarray) -> Found:
        """What scores above the least threshold, in px of the input, whether the file has suppressed or not."""
        if self.suppresses:
            making = {"iou": np.array(self.iou, np.float32), "max_det": np.array(self.most, np.int64)}
            conf = np.full(len(self.names), self.lowest)
            rows, count = self.session.run(["detections", "count"], {"images": images, "conf": conf, **making})
            boxes, scores, labels = np.split(rows[0, : count[0]], [4, 5], 1)
            return Found(boxes, scores[:, 0], labels[:, 0].astype(np.int64))
        (predictions,) = self.session.run(["predictions"], {"images": images})
        table = predictions[0, :, 4:]
        if np.isnan(table).any():
            raise Unreadable("the network fails on it: its scores are no numbers")
        place, label = np.nonzero(table > self.lowest)
        return Found(predictions[0, place, :4], table[place, label], label)


def suppress(found: Found, limit: float, most: int) -> list[int]:
    """The places of those to keep: the surest, then the surest that overlaps none of its class by more, and so on."""
    kept, left = list[int](), np.arange(len(found.boxes))
    while len(left) and len(kept) < most:
        best, left = left[0], left[1:]
        kept.append(int(best))
        rival = found.labels[left] == found.labels[best]
        rival[rival] = overlaps(found.boxes[best], found.boxes[left[rival]]) > limit
        left = left[~rival]
    return kept


def overlaps(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(4,) and (N, 4) boxes -> (N,) IoU."""
    width, height = (np.minimum(one[k + 2], others[:, k + 2]) - np.maximum(one[k], others[:, k]) for k in (0, 1))
    inner = np.maximum(width, 0) * np.maximum(height, 0)
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    return inner / np.maximum((one[2] - one[0]) * (one[3] - one[1]) + areas - inner, np.float32(1e-12))


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
    append(out / "summary.csv", [SUMMARY])
    for number, path in enumerate(pictures, 1):
        numbers, reason, verdict = ["", "", "", ""], "", "UNREADABLE"
        try:
            image, started = read_picture(path), time.perf_counter()
            found = detector(image)
            milliseconds, verdict = (time.perf_counter() - started) * 1000, found.verdict
            words, best = [detector.names[label] for label in found.labels], [f"{s:.4f}" for s in found.scores[:1]]
            kinds = "; ".join(f"{word} {count}" for word, count in Counter(words).items())
            numbers = [str(len(words)), kinds, "".join(best), f"{milliseconds:.1f}"]
            png = cv2.imencode(".png", draw(image, found, detector.names))[1]
            (out / "overlays" / f"{path.name}.png").write_bytes(png.tobytes())
            rows = zip(words, found.scores, found.boxes, strict=True)
            append(out / "detections.csv", [[path.name, w, f"{s:.6f}", *(f"{v:.3f}" for v in b)] for w, s, b in rows])
        except Unreadable as error:
            reason = " ".join(str(error).split())
            print(f"{path}: {reason}", file=sys.stderr)
        verdicts[verdict] += 1
        append(out / "summary.csv", [[path.name, verdict, STATUS[verdict], *numbers, reason]])
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
