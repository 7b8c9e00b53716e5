"""Findings about boxes and classes: what training would lose, what only one split has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from data.files.data_report import DataReport, Finding
from data.index.flat_truth import flatten
from utils.values.record import EVERY_CLASS, Record
from utils.words.errors import printable
from utils.words.text import counted

NEVER = 1e-3  # px: boxes without area are never kept
WHOLE = 0.98  # share of the picture from which a box covers everything


def lost_boxes(split: str, sizes: np.ndarray, imgsz: int, least: float) -> Iterator[Finding]:
    """Boxes of `sizes` (N, 2) px whose shorter side is below `least` px of an input of `imgsz` px: augmentation drops
    them.
    """
    lost = int((sizes.min(1) < max(least, NEVER)).sum()) if len(sizes) else 0
    if not lost:
        return
    whole = lost == len(sizes)
    yield Finding(
        kind="lost_boxes",
        count=lost,
        said=f"{split}: {'all ' if whole else ''}{lost:,} of {counted(len(sizes), 'box')} are shorter than {least:g} "
        f"px at --img {imgsz}, where training drops them{': it would learn from no box' if whole else ''}",
        advice="raise --img, lower augment.min_box_px, or mend the labels if they are in fractions where pixels belong",
        severity="wrong" if 2 * lost >= len(sizes) else "odd",
    )


def box_findings(split: str, records: Sequence[Record], report: DataReport) -> Iterator[Finding]:
    """Boxes that cover everything, and what the data report says was left out."""
    whole = [r for r in records if ((r.boxes[:, 2:] - r.boxes[:, :2]).prod(1) >= WHOLE)[~r.crowd].any()]
    if whole:
        names = tuple(printable(str(record.path)) for record in whole)
        said = f"{split}: {counted(len(whole), 'picture')} with a box over everything"
        yield Finding(kind="whole_boxes", count=len(whole), said=said, advice="mend it unless meant", names=names)
    harmful = [problem for problem in report.problems if not problem.harmless]
    if harmful:
        said = f"{split}: {counted(len(harmful), 'problem')} by which pictures, entries or rows are left out"
        names = tuple(map(str, harmful))
        yield Finding(
            kind="left_out", count=len(harmful), said=said, advice="mend or remove them", names=names, severity="wrong"
        )
    if orphans := report.labels.get("orphans", 0):
        said = f"{split}: {counted(orphans, 'label file')} without a picture"
        yield Finding(kind="orphans", count=orphans, said=said, advice="add the pictures, or remove the files")
    if missing := report.labels.get("missing", 0):
        said = f"{split}: {missing:,} of {counted(report.used, 'picture')} without a label file: they count as good"
        names = tuple(printable(str(record.path)) for record in records if not record.labelled)
        many = missing * 2 > report.used
        yield Finding(
            kind="unlabelled",
            count=missing,
            said=said,
            names=names,
            severity="wrong" if many else "note",
            advice="mend the path of the labels, or run with --allow-empty if it is meant" if many else "",
        )


def class_findings(names: Sequence[str], boxes: Mapping[str, np.ndarray]) -> Iterator[Finding]:
    """Classes that only training or only validation has; `boxes[split]` (K,) counts them by class."""
    for split in ("val", "test"):
        if "train" not in boxes or split not in boxes:
            continue
        for one, other, advice in (
            (split, "train", "only a network that reads text can find them: add pictures, or leave them out"),
            ("train", split, "nothing is known of them after training: add pictures"),
        ):
            lacking = [k for k in range(len(names)) if boxes[one][k] and not boxes[other][k]]
            if lacking:
                words = ", ".join(printable(names[k]) for k in lacking[:10])
                said = f"{counted(len(lacking), 'class')} with boxes in {one} and none in {other}: {words}"
                yield Finding(kind=f"only_in_{one}", count=len(lacking), said=said, advice=advice)


def class_counts(records: Sequence[Record], classes: int) -> tuple[np.ndarray, np.ndarray]:
    """(K,) boxes of each class, and (K,) pictures that show it."""
    flat = flatten(records)
    rows = ~flat.crowd & (flat.labels != EVERY_CLASS)
    boxes = np.bincount(flat.labels[rows], minlength=classes)
    shown = np.unique(np.stack([flat.pictures[rows], flat.labels[rows]], 1), axis=0)
    return boxes, np.bincount(shown[:, 1], minlength=classes)
