"""AP and AP50 of a run on all its pictures, and on many draws of them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from utils.files.output_files import make_folder, write_bytes
from utils.inspection.bootstrap import mean_ap, weights_in_parts
from utils.inspection.comparison import Run, content_of, pairs_of, read_run, records_of
from utils.scoring.matching import MatchRule, match
from utils.scoring.prediction_files import MAX_BYTES
from utils.words.errors import DataError, printable
from utils.words.regular_file import UnreadableFile, read_regular

DRAWS = 1000
FIGURES = ("AP", "AP50")
IOUS = np.linspace(0.5, 0.95, 10)  # COCO's: AP is the mean over them, AP50 the first
JUDGED = ("truth.json", "predictions.json", "results.json")
VERSION = b"3"  # of the kept draws: another one where they are worked out in another way
MOST = 1 << 26  # bytes of a file of kept draws; ours have 20 thousand


@dataclass(frozen=True, eq=False)
class DrawnScores:
    """`whole`: AP and AP50 on all pictures, as COCO has them, NaN where nothing is to be found. `drawn`: (R,) float64
    of each on R draws of the pictures. `pictures`: how many of them have something to be found, on which it hangs. Draw
    r takes the same ones in every run whose `truth`, a digest of files, labels and zones, is the same.
    """

    whole: dict[str, float]
    drawn: dict[str, np.ndarray]
    pictures: int
    truth: str


def drawn_scores(folder: Path, kept: Path, draws: int = DRAWS) -> DrawnScores:
    """Of the run in `folder`; worked out once, a second or so, and `kept` in a folder by what the run's files hold.

    Raises DataError for a run that lacks its files, ResourceError where nothing can be kept.
    """
    place = kept / f"{_digest(folder, draws)}.npz"
    earlier = _read(place, draws)
    if earlier is not None:
        return earlier
    scores = scores_of(read_run(str(folder), flag=""), draws)
    content = io.BytesIO()
    whole, drawn = [scores.whole[name] for name in FIGURES], [scores.drawn[name] for name in FIGURES]
    np.savez(content, whole=whole, drawn=drawn, pictures=scores.pictures, truth=scores.truth)
    make_folder(kept)
    write_bytes(place, content.getvalue())
    return scores


def scores_of(run: Run, draws: int = DRAWS) -> DrawnScores:
    """The same of a run that has been read."""
    records, names = records_of(run.truth)
    pairs = pairs_of(run, run.truth, records, len(names))
    # the pictures keep their order, by which COCO puts equal scores; who is drawn goes by the order of their names
    files = [image["file_name"] for image in sorted(run.truth["images"], key=lambda one: one["id"])]
    places = np.argsort(np.argsort(files, kind="stable"))
    matched = [match(pairs, MatchRule(iou=float(iou))) for iou in IOUS]

    def figures(weights: np.ndarray) -> np.ndarray:
        """(2, R): AP and AP50."""
        each = np.stack([mean_ap(one, weights) for one in matched])
        return np.stack((each.mean(0), each[0]))

    whole = figures(np.ones((len(files), 1), np.float32))[:, 0].tolist()
    drawn = np.concatenate([figures(weights[places]) for weights in weights_in_parts(len(files), draws)], 1)
    return _scores(whole, drawn, len(np.unique(pairs.truth.picture)), truth_digest(run))


def truth_digest(run: Run) -> str:
    """What two runs have in common that were judged on the same files, labels and zones, whatever the ids are."""
    judged = (content_of(run.truth), run.zones and run.zones.digest)
    return hashlib.sha256(json.dumps(judged).encode()).hexdigest()


def _scores(whole: list[float], drawn: np.ndarray, pictures: int, truth: str) -> DrawnScores:
    return DrawnScores(dict(zip(FIGURES, whole, strict=True)), dict(zip(FIGURES, drawn, strict=True)), pictures, truth)


def _digest(folder: Path, draws: int) -> str:
    parts = [VERSION, str(draws).encode()]
    for name in JUDGED:
        try:
            parts.append(hashlib.sha256(read_regular(folder / name, MAX_BYTES)).digest())
        except UnreadableFile as error:
            raise DataError(f"{printable(str(folder / name))}: {error}; remove the folder, and run it again") from error
    return hashlib.sha256(b" ".join(parts)).hexdigest()[:32]


def _read(place: Path, draws: int) -> DrawnScores | None:
    """What was kept; None where there is nothing, or not what we write."""
    try:
        with np.load(io.BytesIO(read_regular(place, MOST)), allow_pickle=False) as kept:
            whole, drawn, pictures, truth = (kept[name] for name in ("whole", "drawn", "pictures", "truth"))
            if whole.shape != (len(FIGURES),) or drawn.shape != (len(FIGURES), draws):
                return None
            return _scores(whole.astype(float).tolist(), drawn.astype(float), int(pictures), str(truth))
    except (UnreadableFile, zipfile.BadZipFile, EOFError, ValueError, TypeError, KeyError):
        return None
