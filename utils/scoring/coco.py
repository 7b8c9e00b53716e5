"""The bridge to COCO: truth and detections as COCO json, scored by hotcoco, or by pycocotools where hotcoco is absent.

What is scored is exactly what predictions.json holds, so that anyone's evaluator gives the same numbers from the file.
"""

from __future__ import annotations

import contextlib
import copy
import importlib.metadata
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from utils.files.output_paths import relative_paths
from utils.values.detections import Detections
from utils.values.record import EVERY_CLASS, Record

STATS = ("AP", "AP50", "AP75", "APs", "APm", "APl", "AR1", "AR10", "AR100", "ARs", "ARm", "ARl")


@dataclass(frozen=True)
class CocoScores:
    """COCO's 12 numbers, and AP and AP50 per class. None where there is no truth to find."""

    stats: dict[str, float | None]
    ap: tuple[float | None, ...]
    ap50: tuple[float | None, ...]
    precision50: np.ndarray  # (classes, 101) interpolated precision at IoU 0.5 over recall 0..1; NaN without truth


def truth_json(records: Sequence[Record], names: Sequence[str], category_ids: Sequence[int]) -> dict[str, Any]:
    """Truth in COCO's format: xywh px of the original pictures.

    COCO's crowd belongs to one class, so a region to ignore for every class becomes one crowd annotation per class.
    """
    annotations: list[dict[str, Any]] = []
    for record in records:
        outside = np.zeros(len(record.labels), bool) if record.outside is None else record.outside
        for box, label, crowd, out in zip(record.pixel_boxes(), record.labels, record.crowd, outside, strict=True):
            assert label >= 0 or (label == EVERY_CLASS and crowd), "only ignore regions have no class"
            x, y, w, h = (float(v) for v in (box[0], box[1], box[2] - box[0], box[3] - box[1]))
            row: dict[str, Any] = {
                "image_id": record.image_id,
                "bbox": [x, y, w, h],
                "area": w * h,
                "iscrowd": int(crowd),
            }
            row |= {"every_class": 1} if label == EVERY_CLASS else {}  # for us: it makes no picture a bad one
            row |= {"outside_zones": 1} if out else {}  # nor does this
            for category in category_ids if label == EVERY_CLASS else (category_ids[label],):
                annotations.append({"id": len(annotations) + 1, "category_id": category, **row})
    return {"images": images_json(records), "annotations": annotations, "categories": classes_json(names, category_ids)}


def images_json(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The pictures in COCO's format. `file_name` keeps the sub-folder where they lie in several, as detect.py's
    predictions.json does.
    """
    files = relative_paths([record.path for record in records])
    return [
        {"id": record.image_id, "file_name": file.as_posix(), "height": record.size[0], "width": record.size[1]}
        for record, file in zip(records, files, strict=True)
    ]


def classes_json(names: Sequence[str], category_ids: Sequence[int]) -> list[dict[str, Any]]:
    """The classes in COCO's format."""
    return [{"id": number, "name": name} for number, name in zip(category_ids, names, strict=True)]


def results_json(
    records: Sequence[Record], found: Mapping[int, Detections], category_ids: Sequence[int]
) -> list[dict[str, Any]]:
    """Detections (by index into `records`) in COCO's results format."""
    return [
        row for index, record in enumerate(records) for row in result_rows(found[index], record.image_id, category_ids)
    ]


def result_rows(found: Detections, image_id: int, category_ids: Sequence[int]) -> list[dict[str, Any]]:
    """The detections of one picture in COCO's results format, masks included, rounded to 1e-3 px and 1e-6 of score."""
    boxes = found.boxes.double().numpy()
    xywh = np.concatenate((boxes[:, :2], boxes[:, 2:] - boxes[:, :2]), 1).round(3).tolist()
    rows = [
        {"image_id": image_id, "category_id": category_ids[label], "bbox": box, "score": round(score, 6)}
        for box, score, label in zip(xywh, found.scores.double().tolist(), found.labels.tolist(), strict=True)
    ]
    if not found.masks:
        return rows
    return [{**row, "segmentation": mask} for row, mask in zip(rows, found.masks, strict=True)]


def detections_of(
    results: Sequence[Mapping[str, Any]], image_ids: Sequence[int], category_ids: Sequence[int], names: Sequence[str]
) -> dict[int, Detections]:
    """Results rows as Detections by place in `image_ids`, best first and equal scores in the order of the rows; scores
    stay float64, so that a threshold separates them exactly as it separates the written digits.
    """
    picture = {image_id: index for index, image_id in enumerate(image_ids)}
    label = {category: k for k, category in enumerate(category_ids)}
    which = np.array([picture[row["image_id"]] for row in results], np.int64)
    labels = np.array([label[row["category_id"]] for row in results], np.int64)
    scores = np.array([row["score"] for row in results], np.float64)
    boxes = np.array([row["bbox"] for row in results], np.float64).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]  # xywh -> xyxy
    order = np.lexsort((-scores, which))
    ends = np.searchsorted(which[order], np.arange(len(image_ids) + 1))
    found = {}
    for index in range(len(image_ids)):
        mine = order[ends[index] : ends[index + 1]]
        xyxy, confidence, classes = (torch.from_numpy(values[mine]) for values in (boxes, scores, labels))
        found[index] = Detections(xyxy.float(), confidence, classes, tuple(names))
    return found


def score(truth: dict[str, Any], results: list[dict[str, Any]], category_ids: Sequence[int]) -> CocoScores:
    """COCO's evaluation of boxes. `category_ids` gives the order of the per-class values."""
    if not truth["annotations"]:
        nothing = (None,) * len(category_ids)
        return CocoScores(dict.fromkeys(STATS), nothing, nothing, np.full((len(category_ids), 101), np.nan))
    precision, recall = _accumulate(*_without_negative_ids(truth, results))
    row = {category: k for k, category in enumerate(sorted(category_ids))}  # COCO orders classes by id
    classes = [row[category] for category in category_ids]
    return CocoScores(
        stats=_summarise(precision, recall),
        ap=tuple(_mean(precision[:, :, k, 0, 2]) for k in classes),
        ap50=tuple(_mean(precision[0, :, k, 0, 2]) for k in classes),
        precision50=np.where(precision[0] > -1, precision[0], np.nan)[:, classes, 0, 2].T,
    )


def _without_negative_ids(
    truth: dict[str, Any], results: list[dict[str, Any]]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The same with ids that hotcoco takes, in the same order, by which equal scores are sorted."""
    tables = {}
    for key, name in (("images", "image_id"), ("categories", "category_id")):
        ids = sorted(row["id"] for row in truth[key])
        if ids and ids[0] < 0:
            tables[name] = {number: place for place, number in enumerate(ids, 1)}
            truth = {**truth, key: [{**row, "id": tables[name][row["id"]]} for row in truth[key]]}
    if not tables:
        return truth, results

    def moved(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, **{name: table[row[name]] for name, table in tables.items()}} for row in rows]

    return {**truth, "annotations": moved(truth["annotations"])}, moved(results)


def evaluator() -> str:
    """Which evaluator scores here, with its version, for run.json: the two agree, but one may be mended."""
    name = "pycocotools" if _hotcoco() is None else "hotcoco"
    return f"{name} {importlib.metadata.version(name)}"


def _hotcoco() -> Any:
    try:
        import hotcoco
    except ImportError:
        return None
    return hotcoco


def _accumulate(truth: dict[str, Any], results: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    """Precision (10 IoUs, 101 recalls, classes, 4 areas, 3 limits) and recall (10, classes, 4, 3); -1: undefined."""
    hotcoco = _hotcoco()
    if hotcoco is None:
        return _accumulate_pycocotools(truth, results)
    coco = hotcoco.COCO(_without_names(truth))
    evaluation = hotcoco.COCOeval(coco, coco.loadRes(results), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    arrays = evaluation.eval
    assert arrays is not None, "accumulate() fills eval"
    return np.asarray(arrays["precision"]), np.asarray(arrays["recall"])


def _without_names(truth: dict[str, Any]) -> dict[str, Any]:
    """Scores go by numbers; file names need not be UTF-8, which hotcoco expects."""
    images = [{**image, "file_name": ""} for image in truth["images"]]
    return {**truth, "images": images, "categories": [{**one, "name": str(one["id"])} for one in truth["categories"]]}


def _accumulate_pycocotools(truth: dict[str, Any], results: list[dict[str, Any]]) -> tuple[np.ndarray, np.ndarray]:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    # pycocotools adds keys of its own to the rows that it is given, and these rows are written to files afterwards
    truth, results = copy.deepcopy(truth), copy.deepcopy(results)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = truth
        coco.createIndex()
        found = coco.loadRes(results) if results else _empty_results(COCO(), truth)
        evaluation = COCOeval(coco, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation.eval["precision"], evaluation.eval["recall"]


def _empty_results(coco: Any, truth: dict[str, Any]) -> Any:
    """Pycocotools' loadRes fails on an empty list."""
    coco.dataset = {**truth, "annotations": []}
    coco.createIndex()
    return coco


def _summarise(precision: np.ndarray, recall: np.ndarray) -> dict[str, float | None]:
    # IoU 0 and 5 are 0.50 and 0.75; areas: all, small, medium, large; limits: 1, 10, 100 detections
    values = (
        precision[:, :, :, 0, 2],
        precision[0, :, :, 0, 2],
        precision[5, :, :, 0, 2],
        *(precision[:, :, :, area, 2] for area in (1, 2, 3)),
        *(recall[:, :, 0, limit] for limit in (0, 1, 2)),
        *(recall[:, :, area, 2] for area in (1, 2, 3)),
    )
    return {name: _mean(value) for name, value in zip(STATS, values, strict=True)}


def _mean(values: np.ndarray) -> float | None:
    defined = values[values > -1]  # COCO writes -1 where there is no truth
    return math.fsum(defined.tolist()) / defined.size if defined.size else None  # the same in any order of the classes
