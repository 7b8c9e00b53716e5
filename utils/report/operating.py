"""The sections of a report that say what the detector decides: verdict, operating point, and the slider, with its table
of what one threshold for all classes does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from utils.deciding.decisions import Cost, DecisionCurve, decision_curve
from utils.deciding.froc import Froc
from utils.deciding.intervals import per_picture_words
from utils.deciding.picture_thresholds import allowance
from utils.deciding.thresholds import NEVER
from utils.inspection.inspection import Inspection
from utils.report.charts import Axis, Line, line_chart
from utils.report.markup import Html, data_block, element, joined, rate_words, share_words, table, text, why_not

STEPS = np.round(np.linspace(0, 1, 201), 3)  # thresholds of the slider: 0, 0.005, ... 1
NO_BAD, NO_GOOD, NO_BOXES = (
    "not measurable: no bad pictures",
    "not measurable: no good pictures",
    "not measurable: no boxes to find",
)


def verdict(inspection: Mapping[str, Any]) -> Html:
    """Escape, overkill, recall and false alarms that are to be expected, each in a sentence."""
    decisions, pooled = inspection["expected"]["decisions"], inspection["expected"]["pooled"]
    low, high = pooled["false_per_picture_95"]
    tiles = (
        ("Escape: bad parts with no defect of theirs found", rate_words(decisions["escape"], NO_BAD)),
        ("Overkill: good parts thrown away", rate_words(decisions["overkill"], NO_GOOD)),
        ("Recall: defects found", rate_words(pooled["recall"], NO_BOXES)),
        ("False alarms per picture", per_picture_words(pooled["false_alarms"], pooled["false_per_picture"], low, high)),
    )
    pictures = inspection["pictures"]
    good = f"{pictures['good']:,} good"
    if pictures["unlabelled"]:
        good += f" ({pictures['unlabelled']:,} of them without a label file)"
    return joined(
        [
            element("p", f"{pictures['all']:,} pictures: {pictures['bad']:,} bad, {good}."),
            element("div", *(_tile(label, words) for label, words in tiles), class_="tiles"),
            element(
                "p",
                f"{_judged(inspection)} A hit is: {inspection['rule']}. Figures have their 95 % interval; where "
                "nothing happened in so few pictures, the bound.",
                class_="soft",
            ),
            *([element("p", _sentence(inspection["missed_aim"]))] if "missed_aim" in inspection else []),
            *([_by_overkill(inspection["by_overkill"])] if "by_overkill" in inspection else []),
            *([_with_unnamed(inspection["unnamed"])] if "unnamed" in inspection else []),
        ]
    )


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}."


def _by_overkill(other: Mapping[str, Any]) -> Html:
    """What another aim of the thresholds is expected to give."""
    share, (escape, overkill) = other["share"], (rate_words(other[name], "") for name in ("escape", "overkill"))
    return element(
        "p",
        f"Thresholds for at most {100 * share:g} % overkill are expected to let fewer bad parts escape: escape "
        f"{escape}, overkill {overkill}. val.py --max-overkill {share:g} chooses them.",
    )


def _with_unnamed(unnamed: Mapping[str, Any]) -> Html:
    """What changes where defects are looked for that no class's name fits."""
    found = rate_words(unnamed["found"], "nothing is left")
    tiles = (
        ("Escape, unknown defects found too", rate_words(unnamed["decisions"]["escape"], NO_BAD)),
        ("Overkill, unknown defects found too", rate_words(unnamed["decisions"]["overkill"], NO_GOOD)),
        ("Found of what the classes miss", found),
        (
            "Further false alarms per picture",
            f"{unnamed['false_per_picture']:.3g} (threshold: {_threshold(unnamed['threshold'])})",
        ),
    )
    return element("div", *(_tile(label, words) for label, words in tiles), class_="tiles")


def _judged(inspection: Mapping[str, Any]) -> str:
    """What the figures of the verdict are about."""
    if not inspection["chosen"]:
        return (
            f"What the thresholds {inspection['aim']} do here, on pictures taken for others than those that chose them."
        )
    return (
        f"What the thresholds chosen {inspection['aim']} (thresholds.yaml) are expected to do on other pictures of "
        "this kind: each fifth of these pictures is judged by thresholds that the others chose."
    )


def _tile(label: str, words: str) -> Html:
    first, _, rest = words.partition(" (")
    return element("div", label, element("b", first), element("span", rest.removesuffix(")")), class_="tile")


def operating_point(results: Mapping[str, Any], inspection: Inspection, sweep: Mapping[str, Any]) -> Html:
    """Thresholds per class, FROC, escape and overkill over the threshold, and the slider."""
    section, config = results["inspection"], inspection.config
    point = section["operating_point"]
    rows = [
        [
            name,
            _threshold(one["threshold"]),
            rate_words(section["expected"]["classes"][name]["recall"], "no boxes"),
            rate_words(one["recall"], "no boxes"),
            f"{one['false_alarms']:,}",
        ]
        for name, one in sorted(point["classes"].items())
    ]
    froc = [[f"{one['at']:g}", _happened(one["recall"]), _threshold(one["threshold"])] for one in section["froc"]]
    return joined(
        [
            element("h3", "One threshold for all classes, on these pictures"),
            _slider(sweep, config.cost),
            element("div", *_charts(inspection, sweep), class_="charts"),
            table(("false alarms per picture, at most", "recall", "threshold"), froc),
            element("h3", f"Thresholds {section['aim']}"),
            table(("class", "threshold", "recall, expected", "found here", "false alarms here"), rows),
        ]
    )


def _threshold(score: float) -> str:
    return "nothing counts" if score >= NEVER else f"{score:g}"


def _happened(recall: Mapping[str, Any] | None) -> str:
    """A recall of these pictures, at a threshold that they chose: no interval."""
    return NO_BOXES if recall is None else share_words(recall["events"], recall["total"], NO_BOXES)


def _charts(inspection: Inspection, sweep: Mapping[str, Any]) -> list[Html]:
    share = Axis("share", 0, 1)
    froc = line_chart(
        "FROC: recall over false alarms per picture",
        [Line("one threshold for all classes", _froc_points(inspection.froc), steps=True)],
        Axis("false alarms per picture", 0.01, 10, log=True),
        Axis("recall", 0, 1),
    )
    lines = [
        Line(name, [(t, n / sweep[of]) for t, n in zip(sweep["thresholds"], sweep[events], strict=True)])
        for name, events, of in (("escape", "escapes", "bad"), ("overkill", "overkills", "good"))
        if sweep[of]
    ]
    if not lines:
        return [froc, why_not("Escape and overkill are not measurable: there are neither good nor bad pictures.")]
    return [froc, line_chart("Escape and overkill over the threshold", lines, Axis("threshold", 0, 1), share)]


def sweep_table(inspection: Inspection) -> dict[str, Any]:
    """Counts at each threshold: hits, false alarms, escapes, overkills; `start`: the row nearest to the best one."""
    curve, scores = inspection.froc, inspection.scores
    hits, alarms = scores.hits.max(1)[scores.bad], scores.alarms.max(1)[scores.good]
    decided = decision_curve(hits, alarms)
    rows, decisions = _rows(curve.thresholds), _rows(decided.thresholds)
    return {
        "thresholds": STEPS.tolist(),
        "hits": curve.hits[rows].tolist(),
        "false_alarms": curve.false_alarms[rows].tolist(),
        "escapes": decided.escapes[decisions].tolist(),
        "overkills": decided.overkills[decisions].tolist(),
        "boxes": curve.truth,
        "pictures": curve.pictures,
        "bad": inspection.bad,
        "good": inspection.good,
        "start": _start(inspection, decided, decisions),
    }


def _start(inspection: Inspection, decided: DecisionCurve, rows: np.ndarray) -> int:
    """Where the slider begins: at the least cost where one is asked for, else where what is allowed is just kept."""
    config = inspection.config
    if config.cost is not None:
        return int(decided.costs(config.cost)[rows].argmin())
    if config.overkill is not None:
        best = float(decided.thresholds[decided.rejecting(allowance(config.overkill, inspection.good))])
    elif config.escape is not None:
        best = float(decided.thresholds[decided.passing(allowance(config.escape, inspection.bad))])
    else:
        best = inspection.froc.at(config.false_per_picture).threshold or 0.0
    return min(int(np.searchsorted(STEPS, best)), len(STEPS) - 1)


def _rows(falling: np.ndarray) -> np.ndarray:
    """For each step the index of the lowest threshold that is not below it."""
    return np.searchsorted(-falling, -STEPS, "right") - 1  # negated, as searchsorted needs rising values


def _froc_points(curve: Froc, most: int = 300) -> list[tuple[float, float]]:
    """(false alarms per picture, recall), thinned out evenly along the curve's length."""
    # on a curve with fewer than `most` points several places round to the same row
    rows = np.unique(np.linspace(0, len(curve.hits) - 1, most).round().astype(int))
    recall = curve.hits[rows] / max(curve.truth, 1)
    return list(zip((curve.false_alarms[rows] / curve.pictures).tolist(), recall.tolist(), strict=True))


def slider_rows(sweep: Mapping[str, Any], cost: Cost | None) -> list[dict[str, str]]:
    """The words that the page shows at each position of the slider."""
    rows = []
    columns = (sweep[key] for key in ("thresholds", "hits", "false_alarms", "escapes", "overkills"))
    for threshold, hits, alarms, escapes, overkills in zip(*columns, strict=True):
        row = {
            "threshold": f"{threshold:.3f}",
            "recall": share_words(hits, sweep["boxes"], NO_BOXES),
            "alarms": f"{alarms / sweep['pictures']:.3g} ({alarms:,} in all)",
            "escape": share_words(escapes, sweep["bad"], NO_BAD),
            "overkill": share_words(overkills, sweep["good"], NO_GOOD),
        }
        decided = sweep["bad"] + sweep["good"]
        if cost is not None and decided:
            row["cost"] = f"{(cost.escape * escapes + cost.overkill * overkills) / decided:.3g}"
        rows.append(row)
    return rows


def _slider(sweep: Mapping[str, Any], cost: Cost | None) -> Html:
    rows, start = slider_rows(sweep, cost), sweep["start"]
    labels = {
        "recall": "Recall",
        "alarms": "False alarms per picture",
        "escape": "Escape, of the bad pictures",
        "overkill": "Overkill, of the good pictures",
        "cost": "Cost per picture",
    }
    shown = [
        element("div", element("dt", labels[name]), element("dd", value, id=f"sweep-{name}"))
        for name, value in rows[start].items()
        if name in labels
    ]
    label = element(
        "label", "Threshold ", element("b", rows[start]["threshold"], id="sweep-threshold"), for_="threshold"
    )
    bar = Html(f'<input type="range" id="threshold" min="0" max="{len(rows) - 1}" step="1" value="{text(start)}">')
    return element("div", label, bar, element("dl", *shown), data_block("sweep", rows), class_="slider")
