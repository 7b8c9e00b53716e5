"""One small truth, written to disk in every layout that is read."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

NAMES = ("Knot", "crack", "resin spot")
SPLITS = ("train", "val")
WIDTH, HEIGHT = 64, 48


def make_truth(seed, count=4):
    """Split -> stem -> rows of (label, x1, y1, x2, y2) in whole px; the first picture of a split is good."""
    rng = np.random.default_rng(seed)
    truth = {}
    for split in SPLITS:
        truth[split] = {}
        for number in range(count):
            rows = []
            for _ in range(number):
                x1, y1 = int(rng.integers(0, WIDTH - 3)), int(rng.integers(0, HEIGHT - 3))
                x2, y2 = int(rng.integers(x1 + 2, WIDTH + 1)), int(rng.integers(y1 + 2, HEIGHT + 1))
                rows.append((int(rng.integers(len(NAMES))), x1, y1, x2, y2))
            truth[split][f"{split} 瓶 {number}"] = rows
    for number in range(3):  # every class is used, so that xml alone names them all
        truth["train"][f"all {number}"] = [(k, 5 * k, 3 * k, 20 + k, 30 + k) for k in range(len(NAMES))]
    return truth


def picture(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (WIDTH, HEIGHT)).save(path)


def text(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def yolo(rows):
    lines = []
    for k, x1, y1, x2, y2 in rows:
        values = ((x1 + x2) / 2 / WIDTH, (y1 + y2) / 2 / HEIGHT, (x2 - x1) / WIDTH, (y2 - y1) / HEIGHT)
        lines.append(f"{k} " + " ".join(f"{value:.9f}" for value in values))
    return "\n".join(lines)


def voc(rows, names=NAMES, size=(WIDTH, HEIGHT)):
    """VOC counts pixels from 1, ends included."""
    parts = [f"<annotation>\n<filename>x.jpg</filename><size><width>{size[0]}</width><height>{size[1]}</height></size>"]
    for k, x1, y1, x2, y2 in rows:
        edges = f"<xmin>{x1 + 1}</xmin><ymin>{y1 + 1}</ymin><xmax>{x2}</xmax><ymax>{y2}</ymax>"
        parts.append(f"<object><name>{names[k]}</name><difficult>0</difficult><bndbox>{edges}</bndbox></object>")
    return "\n".join([*parts, "</annotation>"])


def coco(pictures, names=NAMES, ids=None):
    """`pictures`: file name -> rows; `ids[k]` is the category id of class k, else k + 1."""
    ids = ids or range(1, len(names) + 1)
    images = [
        {"id": 100 + i, "file_name": name, "width": WIDTH, "height": HEIGHT} for i, name in enumerate(sorted(pictures))
    ]
    rows = [
        {"image_id": image["id"], "category_id": ids[k], "bbox": [x1, y1, x2 - x1, y2 - y1]}
        for image in images
        for k, x1, y1, x2, y2 in pictures[image["file_name"]]
    ]
    categories = [{"id": number, "name": name} for number, name in zip(ids, names, strict=True)]
    return json.dumps({"images": images, "annotations": rows, "categories": categories})


def write_yolo(home, truth):
    for split, pictures in truth.items():
        for stem, rows in pictures.items():
            picture(home / "images" / split / f"{stem}.png")
            text(home / "labels" / split / f"{stem}.txt", yolo(rows))
    text(home / "classes.txt", "\n".join(NAMES))


def write_gcd(home, truth, folders=("train", "validation"), json_names=("train", "validation"), txt=True):
    """The published tree: Images/<split>, labels/<split>/txt, labels/<split>/annotations/<split>.json."""
    for split, folder, name in zip(SPLITS, folders, json_names, strict=True):
        for stem, rows in truth[split].items():
            picture(home / "Images" / folder / f"{stem}.png")
            if txt:
                text(home / "labels" / folder / "txt" / f"{stem}.txt", yolo(rows))
        listed = {f"{stem}.png": rows for stem, rows in truth[split].items()}
        text(home / "labels" / folder / "annotations" / f"{name}.json", coco(listed))


def write_mmioc(home, truth, names=None, json_names=SPLITS):
    """What MMIOC-Open has below 1-14: <split>/images, <split>/annotations/<split>.json. `names[split]`: its classes."""
    for split, json_name in zip(SPLITS, json_names, strict=True):
        for stem in truth[split]:
            picture(home / split / "images" / f"{stem}.png")
        listed = {f"{stem}.png": rows for stem, rows in truth[split].items()}
        place = home / split / "annotations" / f"{json_name}.json"
        text(place, coco(listed, names[split] if names else NAMES))


def write_roboflow(home, truth, kind="txt"):
    for split, folder in zip(SPLITS, ("train", "valid"), strict=True):
        below = "images/" if kind == "txt" else ""
        for stem, rows in truth[split].items():
            picture(home / folder / f"{below}{stem}.png")
            if kind == "txt":
                text(home / folder / "labels" / f"{stem}.txt", yolo(rows))
            if kind == "xml":
                text(home / folder / f"{stem}.xml", voc(rows))
        if kind == "coco":
            listed = {f"{stem}.png": rows for stem, rows in truth[split].items()}
            text(home / folder / "_annotations.coco.json", coco(listed))
    if kind == "txt":
        text(home / "classes.txt", "\n".join(NAMES) + "\n\n")


def write_voc(home, truth, pictures="images/{}", labels="Annotations/{}"):
    for split, stems in truth.items():
        for stem, rows in stems.items():
            picture(home / pictures.format(split) / f"{stem}.png")
            text(home / labels.format(split) / f"{stem}.xml", voc(rows))


def write_coco(home, truth, pictures="images/{}", place="annotations/{}.json"):
    for split, stems in truth.items():
        for stem in stems:
            picture(home / pictures.format(split) / f"{stem}.png")
        text(home / place.format(split), coco({f"{stem}.png": rows for stem, rows in stems.items()}))


LAYOUTS = {
    "yolo": write_yolo,
    "gcd": write_gcd,
    "gcd, val.json": lambda home, truth: write_gcd(home, truth, json_names=("train", "val")),
    "gcd, json only": lambda home, truth: write_gcd(home, truth, txt=False),
    "gcd part 1": lambda home, truth: write_gcd(home, truth, folders=("train_add", "val_add"), json_names=SPLITS),
    "mmioc open": write_mmioc,
    "mmioc, train.json twice": lambda home, truth: write_gcd(home, truth, json_names=("train", "train"), txt=False),
    "roboflow txt": write_roboflow,
    "roboflow xml": lambda home, truth: write_roboflow(home, truth, "xml"),
    "roboflow coco": lambda home, truth: write_roboflow(home, truth, "coco"),
    "voc per split": write_voc,
    "voc flat": lambda home, truth: write_voc(home, truth, labels="Annotations"),
    "voc in labels": lambda home, truth: write_voc(home, truth, labels="labels/{}/xml"),
    "voc beside split folders": lambda home, truth: write_voc(home, truth, pictures="{}"),
    "voc in split": lambda home, truth: write_voc(home, truth, pictures="{}/images", labels="{}/annotations"),
    "voc JPEGImages": lambda home, truth: write_voc(home, truth, pictures="JPEGImages/{}", labels="Annotations"),
    "coco": write_coco,
    "coco 2017": lambda home, truth: write_coco(home, truth, "{}2017", "annotations/instances_{}2017.json"),
}


def rows_of(result):
    """Stem -> sorted rows of (name, box in px), for comparing layouts whose class numbers differ."""
    found = {}
    for record in result.records:
        pairs = zip(record.labels, record.pixel_boxes(), strict=True)
        found[record.path.stem] = sorted((result.names[k], *np.round(box, 3).tolist()) for k, box in pairs)
    return found


def rows_wanted(truth, split, names=NAMES):
    return {stem: sorted((names[k], *map(float, box)) for k, *box in rows) for stem, rows in truth[split].items()}


def snapshot(home: Path):
    return sorted((path, path.lstat().st_mtime_ns) for path in home.rglob("*"))
