"""What the tests of answers share: things found in a picture, questions without a parser, and how they are answered."""

from dataclasses import replace

import numpy as np
import torch

from utils.answers.compared import comparison
from utils.answers.lexicon import Lexicon
from utils.answers.look import Known, Look
from utils.answers.measured import count, description, extent, location, size
from utils.answers.odds import Odds
from utils.answers.picture import FoundThings
from utils.answers.plan import Plan, plan
from utils.answers.score_reading import ClassReading, ScoreReading
from utils.answers.whole_picture import classes, grade, presence, verdict
from utils.questions.question import Kind, Place, Question, Subject
from utils.values.detections import Detections
from utils.values.masks import encode_mask

NAMES = ("scratch", "hole", "bubble")
SAME = Odds(1.0, 0.0)  # a score of 0.8 is right in 80 of 100 cases
CELLS = {
    word: Place(word, (column / 3, row / 3, (column + 1) / 3, (row + 1) / 3))
    for row, words in enumerate(
        (("upper left", "top", "upper right"), ("left", "centre", "right"), ("lower left", "bottom", "lower right"))
    )
    for column, word in enumerate(words)
}
BY_KIND = {
    Kind.PRESENCE: presence,
    Kind.CLASS: classes,
    Kind.COUNT: count,
    Kind.LOCATION: location,
    Kind.SIZE: size,
    Kind.EXTENT: extent,
    Kind.COMPARISON: comparison,
    Kind.DESCRIPTION: description,
    Kind.VERDICT: verdict,
    Kind.SEVERITY: grade,
}


def found(*rows, size=(100, 100), names=NAMES, mm=None, masks=()):
    """Rows of (box, score, label), with a mask (H, W) bool each or none, in a picture of `size` (height, width)."""
    boxes = torch.tensor([box for box, _, _ in rows], dtype=torch.float32).view(-1, 4)
    scores = torch.tensor([score for _, score, _ in rows], dtype=torch.float32)
    labels = torch.tensor([label for _, _, label in rows], dtype=torch.long)
    rles = tuple(encode_mask(mask) for mask in masks)
    return FoundThings.of(Detections(boxes, scores, labels, names, rles), size, mm)


def known(threshold=0.5, *, names=NAMES, reading=None, synonyms=(), severity=None, mm=None, own=None):
    """One threshold for all classes, uncalibrated, unless a `reading` says otherwise."""
    lexicon = Lexicon.of(names, synonyms, own)
    reading = reading or ScoreReading.uncalibrated((threshold,) * len(names), own=own)
    return Known(lexicon, reading, severity, mm)


def calibrated(threshold=0.5, classes=3):
    """The same of which a score says how likely it is right."""
    one = replace(ClassReading.at(threshold), odds=SAME)
    return ScoreReading((one,) * classes, one, (threshold,) * classes, SAME)


def question(kind, *phrases, subjects=None, text="?", **of):
    """About one subject of these phrases, with its filters; `subjects` instead for a comparison."""
    filters = {key: of.pop(key) for key in ("limits", "places", "traits", "rank") if key in of}
    return Question(text, kind, (Subject(phrases, **filters),) if subjects is None else subjects, **of)


def ask(asked, things, knows=None):
    """The answer; the question is one that can be asked."""
    knows = knows or known(mm=things.mm_per_px)
    planned = plan(asked, knows.lexicon, knows.mm_per_px)
    assert isinstance(planned, Plan), planned
    return BY_KIND[asked.kind](Look(planned, things, knows))


def shuffled(things, rng):
    """Detections of the same things in another order, put together anew."""
    order = rng.permutation(len(things))
    tensors = (torch.from_numpy(column[order]) for column in (things.boxes, things.scores, things.labels))
    return FoundThings.of(Detections(*tensors, things.names), things.size, things.mm_per_px)


def random_things(rng, most=8, size=(90, 120), names=NAMES, scores=None, mm=None):
    """Boxes with whole corners; of score 1, or of one of few `scores`, so that there are ties."""
    number = int(rng.integers(0, most + 1))
    height, width = size
    corner = rng.integers(0, (width - 2, height - 2), (number, 2))
    far = np.minimum(corner + rng.integers(1, 60, (number, 2)), (width, height))
    values = np.ones(number) if scores is None else rng.choice(scores, number)
    rows = zip(np.concatenate((corner, far), 1).tolist(), values, rng.integers(0, len(names), number), strict=True)
    return found(*rows, size=size, names=names, mm=mm)
