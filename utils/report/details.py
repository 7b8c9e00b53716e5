"""The other sections of a report: data, training, classes and sizes, crops, speed, provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from utils.report.charts import Axis, Line, line_chart
from utils.report.crops import Crop
from utils.report.markup import Html, element, file_name, joined, listed, number, rate_words, table, why_not

CURVES = (
    ("losses in training", ("train/box_loss", "train/obj_loss", "train/dfl_loss", "train/cls_loss"), False),
    ("losses in validation", ("val/box_loss", "val/obj_loss", "val/dfl_loss", "val/cls_loss"), False),
    ("average precision", ("metrics/mAP_0.5", "metrics/mAP_0.5:0.95"), True),
    ("precision and recall", ("metrics/precision", "metrics/recall"), True),
)


def data(results: Mapping[str, Any], data_report: Sequence[str]) -> Html:
    """Pictures and boxes of each class, and what the data report of the data say."""
    rows = [[row["name"], f"{row['images']:,}", f"{row['instances']:,}"] for row in _by_name(results["classes"])]
    return joined([listed(data_report) if data_report else Html(), table(("class", "pictures", "boxes"), rows)])


def _by_name(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: str(row["name"]))


def training(rows: Sequence[Mapping[str, str]]) -> Html:
    """results.csv as curves."""
    charts = []
    for title, columns, shares in CURVES:
        lines = [line for line in (_curve(rows, column) for column in columns) if line.points]
        if lines:
            # losses that are all 0, and a run of one epoch, still need axes of some length
            top = 1.0 if shares else max(y for line in lines for _, y in line.points) * 1.05 or 1.0
            axis = Axis("epoch", 1, max(len(rows), 2))
            charts.append(line_chart(title, lines, axis, Axis("", 0, top)))
    return element("div", *charts, class_="charts") if charts else why_not("results.csv has no values yet.")


def _curve(rows: Sequence[Mapping[str, str]], column: str) -> Line:
    points = [(float(row["epoch"]) + 1, float(row[column])) for row in rows if row.get(column)]
    # the file counts epochs from 0, people from 1; the longer name is replaced first, as it starts with the shorter one
    name = column.split("/")[1].replace("_loss", "").replace("mAP_0.5:0.95", "AP").replace("mAP_0.5", "AP50")
    return Line(name, points)


def classes_and_sizes(results: Mapping[str, Any]) -> Html:
    """AP and recall of each class, recall by size, kinds of errors, calibration."""
    section = results["inspection"]
    errors = section["class_errors"]
    kinds = list(section["errors"])
    rows = [
        [row["name"], *(number(row[key]) for key in ("precision", "recall", "ap50", "ap"))]
        for row in _by_name(results["classes"])
    ]
    coco = results["coco"]
    total = ["all", number(results["precision"]), number(results["recall"]), number(coco["AP50"]), number(coco["AP"])]
    confidence = results["confidence"]
    at = "" if confidence is None else f" Precision and recall at confidence {confidence:.3f} (best mean F1)."
    sizes = [
        [_span(one), rate_words(one["recall"], "no boxes"), "fewer than 10 boxes" if one["few"] else ""]
        for one in section["sizes"]
    ]
    reliability = [
        [f"{one['low']:.1f} to {one['high']:.1f}", number(one["score"]), rate_words(one["precision"], "no detections")]
        for one in section["calibration"]["bins"]
    ]
    return joined(
        [
            element("p", "AP is COCO's." + at),
            table(("class", "precision", "recall", "AP50", "AP"), [total, *rows]),
            new_names(results),
            element("h3", "Recall by size (square root of the box area, original pictures)"),
            table((f"size, {section['sizes'][0]['unit']}", "found", ""), sizes),
            element("h3", "What goes wrong, at the chosen thresholds"),
            table(
                ("class", *kinds),
                [["all", *(section["errors"][k] for k in kinds)]]
                + [[name, *(errors[name][k] for k in kinds)] for name in sorted(errors)],
            ),
            element("h3", "Does the score mean what it says?"),
            element("p", f"Expected calibration error: {number(section['calibration']['ece'])}."),
            table(("score", "mean score", "share that is right"), reliability),
        ]
    )


NOVELTY = {
    "identical": "trained under this very name",
    "synonym": "trained under another wording",
    "new": "new",
    "base": "base: trained under any wording",
    "novel": "novel: the new ones",
    "harmonic_mean": "harmonic mean of base and novel",
}


def new_names(results: Mapping[str, Any]) -> Html:
    """AP of trained, reworded and new class names, and of names by chance, where results.json has them."""
    rows = [
        [words, row.get("classes", ""), number(row["AP50"]), number(row["AP"])]
        for key, words in NOVELTY.items()
        if (row := results.get("novelty", {}).get(key))
    ]
    if "chance" in results:
        found = results["chance"]
        scores = [[value for value in found[key] if value is not None] for key in ("AP50", "AP")]
        words = f"all, the names' vectors permuted: mean and range of {found['permutations']}"
        rows.append([words, "", *(_mean_and_range(values) for values in scores)])
    if not rows:
        return Html()
    title = element("h3", "Names that were trained, and new ones")
    return joined([title, table(("names", "classes", "AP50", "AP"), rows)])


def _mean_and_range(values: Sequence[float]) -> str:
    return f"{sum(values) / len(values):.3f} ({min(values):.3f} to {max(values):.3f})" if values else "-"


def _span(one: Mapping[str, Any]) -> str:
    return f"from {one['low']:g}" if one["high"] is None else f"{one['low']:g} to {one['high']:g}"


def gallery(title: str, crops: Sequence[Crop], total: int, none: str) -> Html:
    """Crops with their captions; `total` is how many there are in all, as far as they are listed."""
    if not crops:
        return joined([element("h3", title), element("p", none)])
    words = f"{title}: {len(crops)} of {total:,} listed in results.json" if total > len(crops) else title
    return joined([element("h3", words), element("div", *(_figure(crop) for crop in crops), class_="crops")])


def _figure(crop: Crop) -> Html:
    width, height = crop.size
    scaled = f" (shown at {crop.scale:.2f} of its size)" if crop.scale < 1 else ""
    caption = element("figcaption", crop.caption + scaled, element("br"), element("span", file_name(crop.file)))
    caption = Html(caption.replace("<br></br>", "<br>"))  # `element` closes every tag, but <br> has no end tag
    if not crop.uri:
        return element("figure", caption, style="width:240px")
    picture = Html(f'<img src="{crop.uri}" width="{width}" height="{height}" alt="" loading="lazy">')
    return element("figure", picture, caption, style=f"width:{max(width, 160)}px")


def key() -> Html:
    """What the colours of the boxes mean."""
    return Html(
        '<p class="key soft"><i style="border-color:#00b060"></i>label &nbsp; <i style="border-color:#ff7a00"></i>'
        "detection above its threshold; thick: the one that is meant. Crops are 1:1.</p>"
    )


def speed(values: Mapping[str, Any]) -> Html:
    """Milliseconds per picture, and what they include."""
    rows = [[name, *(f"{v:.2f}" for v in row.values())] for name, row in values["ms_per_picture"].items()]
    first = next(iter(values["ms_per_picture"].values()))
    notes = [f"{step}: {what}" for step, what in values["included"].items()] + [f"without {values['left_out']}"]
    return joined([listed(notes), table(("ms per picture", *first), rows)])


def provenance(values: Mapping[str, Any]) -> Html:
    """Where the numbers come from."""
    rows = [[name, _words(value)] for name, value in values.items() if value not in (None, "", {}, [])]
    return element("div", table(("what", "value"), rows), class_="words")


def _words(value: Any) -> Any:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(one)}" for key, one in value.items())
    if isinstance(value, list):
        return " ".join(str(one) for one in value)
    if isinstance(value, str) and "\n" in value:
        return element("details", element("summary", "show"), element("pre", joined(value.splitlines(), "\n")))
    return value
