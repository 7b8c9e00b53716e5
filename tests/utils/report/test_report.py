"""The report: every string escaped, the numbers those of results.json, a word where a section cannot be."""

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.utils.glass_cases import NAMES, cases, detections, evaluated, record, six_pictures
from utils.benchmark import random_results, random_truth
from utils.deciding.decisions import Cost, decide
from utils.deciding.thresholds import NEVER
from utils.detecting.totals import Totals
from utils.files.output_files import Results
from utils.inspection.inspection import inspect
from utils.inspection.inspection_config import InspectionConfig
from utils.report.charts import Axis, Line, line_chart
from utils.report.crops import MOST, cut_out
from utils.report.detection import DetectionReport
from utils.report.evaluation import ReportOptions, results_json, warnings_of, write_report
from utils.report.markup import data_block, element, file_name, table, text
from utils.report.operating import STEPS, slider_rows, sweep_table
from utils.scoring import coco
from utils.values.frame import Frame
from utils.values.picture_result import PictureResult
from utils.values.score_thresholds import ScoreThresholds
from utils.words.errors import DataError

HOSTILE = '</script><script>alert("1")</script>'
GREY = np.full((100, 100, 3), 120, np.uint8)
SHEET = np.full((640, 640, 3), 120, np.uint8)


class Tags(HTMLParser):
    """Every tag with its attributes, and the text outside script and style."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.words, self.inside = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        self.inside = tag

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside not in ("script", "style"):
            self.words.append(data)


def write(folder, records, found, names, show=lambda path: GREY, config=None, about=None, **files):
    evaluation = evaluated(records, found, names)
    options = ReportOptions("val", config or InspectionConfig(), show)
    inspection = inspect(evaluation, options.inspection)
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content, encoding="utf-8")
    write_report(folder, evaluation, inspection, results_json(evaluation, inspection, about or {}), options, Results())
    return (folder / "report.html").read_text(encoding="utf-8"), json.loads((folder / "report.json").read_text())


def test_six_pictures(tmp_path):
    """At 0.1 false alarms in six pictures none is allowed: by hand, escape 3 of 4, overkill 0 of 2."""
    page, content = write(tmp_path, *six_pictures(), NAMES)
    words = " ".join(Tags(page).words).replace("\u00a0", " ")
    section = content["results"]["inspection"]
    assert section["operating_point"]["decisions"]["escape"]["events"] == 3
    for kind, total in (("escape", 4), ("overkill", 2)):
        assert f"{section['expected']['decisions'][kind]['events']} of {total}" in words
    assert "Speed was not measured" in words and "This run trained nothing" in words
    sweep = content["sweep"]
    at = STEPS.tolist().index(0.5)
    assert [sweep[k][at] for k in ("hits", "false_alarms", "escapes", "overkills")] == [2, 4, 2, 1]
    assert [sweep[k][-1] for k in ("hits", "false_alarms", "escapes", "overkills")] == [0, 0, 4, 0]
    assert [sweep[k][at + 1] for k in ("hits", "false_alarms", "escapes", "overkills")] == [1, 2, 3, 0]


def test_froc_promises_nothing(tmp_path):
    """Ten pictures with 20 boxes each, all found in five of them: ten tosses of a coin, not 200. The expected recall
    says so; FROC on the same page says what happened.
    """
    boxes = [[x, y, x + 9, y + 9] for x in range(0, 50, 10) for y in range(0, 40, 10)]
    records = [record(boxes, [0] * 20) for _ in range(10)]
    found = {k: detections(*((box, 0.9, 0) for box in boxes if k < 5)) for k in range(10)}
    page, content = write(tmp_path, records, found, ("bubble",))
    section = content["results"]["inspection"]
    assert [one["recall"] for one in section["froc"]] == [{"events": 100, "total": 200, "value": 0.5}] * 5
    assert not any("false_per_picture_95" in one for one in section["froc"])
    assert section["expected"]["pooled"]["recall"]["low"] == pytest.approx(0.2366, abs=1e-4)
    words = page.replace("&nbsp;", " ")
    assert "100 of 200 (50.0 %)</td>" in words and "43.1 %" not in words
    page, content = write(tmp_path, [record([], [])], {0: detections()}, ("bubble",))
    assert content["results"]["inspection"]["froc"][0]["recall"] is None and "no boxes to find</td>" in page


def test_no_threshold_keeps_the_aim(tmp_path):
    """The best score is a false alarm's: where none is allowed nothing may count, and a threshold of 2 is not named."""
    box = [10, 10, 30, 30]
    found = {0: detections((box, 0.9, 0)), 1: detections((box, 0.8, 0))}
    page, content = write(tmp_path, [record([], []), record([box], [0])], found, ("bubble",))
    assert content["results"]["inspection"]["froc"][0]["threshold"] == NEVER == 2
    assert page.count("<td>nothing counts</td>") == 3 and "<td>2</td>" not in page  # of 0.01, 0.05, 0.1, 0.5, 1


@settings(max_examples=30)
@given(cases)
def test_slider_is_exact(case):
    """Each row says what deciding at that threshold gives."""
    inspection = inspect(evaluated(case.records, case.found, case.names), InspectionConfig())
    sweep = sweep_table(inspection)
    for place in range(0, len(STEPS), 20):
        decisions = decide(inspection.scores, float(STEPS[place]))
        for name, counts in (("escape", sweep["escapes"]), ("overkill", sweep["overkills"])):
            rate = getattr(decisions, name)
            assert counts[place] == (rate.events if rate else 0)


def test_slider_rows_have_costs_where_asked():
    inspection = inspect(evaluated(*six_pictures(), NAMES), InspectionConfig())
    rows = slider_rows(sweep_table(inspection), Cost(50, 1))
    assert (
        rows[100]["cost"] == f"{(50 * 2 + 1) / 6:.3g}" and "cost" not in slider_rows(sweep_table(inspection), None)[0]
    )
    assert rows[100]["recall"] == "2 of 5 (40.0 %)" and rows[100]["alarms"] == "0.667 (4 in all)"
    assert rows[-1]["recall"] == "0 of 5", "of so few none is not 0 %"


def test_an_aim_that_is_missed_is_said(tmp_path):
    """Two of the four bad pictures are found, the last one at 0.5."""
    config = InspectionConfig(escape=0.0)
    page, _ = write(tmp_path, *six_pictures(), NAMES, config=config)
    said = "More than the 0 % escapes that were asked for is to be expected of 4 bad pictures: in 2 of them no defect"
    assert f"{said} is found with a score from 0.001." in page.replace("&nbsp;", " ")
    sweep = sweep_table(inspect(evaluated(*six_pictures(), NAMES), config))
    assert sweep["thresholds"][sweep["start"]] == 0.5
    page, _ = write(tmp_path, *six_pictures(), NAMES)
    assert "asked for" not in page


def test_a_stepped_line_leaves_the_axis_at_its_height():
    """A recall of 0.9 at 30 false alarms a picture is no wall at the axis' end of 10."""
    share = Axis("share", 0, 1)
    chart = str(line_chart("t", [Line("l", [(0, 0), (1, 0.5), (30, 0.9)], steps=True)], Axis("x", 0, 10), share))
    inside = str(line_chart("t", [Line("l", [(0, 0), (1, 0.5), (10, 0.5)], steps=True)], Axis("x", 0, 10), share))
    ends = [re.findall(r'd="(M[^"]*)"', page)[0].split("L")[-1] for page in (chart, inside)]
    assert ends[0] == ends[1]


@pytest.mark.parametrize("name", [HOSTILE, "\"'><img src=x onerror=alert(1)>", "裂纹 & 气泡", "a\u2028b", "{{x}}"])
def test_names_cannot_become_markup(tmp_path, name):
    """As class, file, warning, configuration and reason of an unreadable picture."""

    def broken(path):
        raise DataError(f"{name}: unreadable")

    records, found = six_pictures()
    log = f"2026-01-01 00:00:00,000 WARNING {name.splitlines()[0]}\n"
    about = json.dumps({"command": ["val.py", name], "weights": name})
    page, content = write(
        tmp_path, records, found, (name, "oil"), broken, val_log=log, run_json=about, opt_yaml=f"# {name}"
    )
    clean, _ = write(tmp_path, records, found, ("plain", "oil"), broken, val_log=log.replace(name, "x"))
    tags = Tags(page)
    assert {tag for tag, _ in tags.tags} == {tag for tag, _ in Tags(clean).tags}
    assert not [a for _, attributes in tags.tags for a in attributes if a.startswith("on")]
    assert len([tag for tag, _ in tags.tags if tag == "script"]) == 2
    assert name.splitlines()[0].replace("\u2028", "\\u2028") in html.unescape(" ".join(tags.words))
    assert content["provenance"]["weights"] == name


def test_nothing_is_fetched(tmp_path):
    page, _ = write(tmp_path, *six_pictures(), NAMES)
    for tag, attributes in Tags(page).tags:
        for key in ("src", "href", "srcset", "action", "data", "poster"):
            assert re.match(r"^(#|data:)", attributes.get(key, "#")), (tag, attributes)
    assert "http" not in page.replace("http-equiv", "") and "@import" not in page and "url(" not in page
    assert "default-src 'none'" in html.unescape(page)


def test_no_good_pictures_no_boxes_no_detections(tmp_path):
    bad = [record([[0, 0, 20, 20]], [0])]
    page, content = write(tmp_path, bad, {0: detections()}, NAMES)
    assert "not measurable: no good pictures" in page and "1 of 1" in page
    good = [record([], [])]
    page, _ = write(tmp_path, good, {0: detections()}, NAMES)
    assert "not measurable: no bad pictures" in page and "no boxes to find" in page
    ignored = [record([[0, 0, 9, 9]], [0], crowd=[True])]
    page, _ = write(tmp_path, ignored, {0: detections()}, NAMES)
    assert "neither good nor bad pictures" in page


@settings(max_examples=20)
@given(case=cases)
def test_any_data_gives_a_page(case, tmp_path_factory):
    folder = tmp_path_factory.mktemp("r")
    page, content = write(folder, case.records, case.found, case.names, config=InspectionConfig(cost=None))
    words = " ".join(Tags(page).words).split()
    assert page.endswith("</html>\n") and not {"nan", "None", "inf"} & {word.strip("(),;%") for word in words}
    json.dumps(content, allow_nan=False)


def test_351_classes(tmp_path):
    names = tuple(f"class {k}" for k in range(351))
    records = [record([[0, 0, 20, 20]], [350]), record([], [])]
    page, _ = write(tmp_path, records, {0: detections(([0, 0, 20, 20], 0.9, 350)), 1: detections()}, names)
    assert page.count("class 350") >= 4 and len(page) < 1_000_000


def cells(page, css):
    """The rows of the first table of that class, as the texts of their cells."""
    inside = page[page.index(f'class="{css}"') :]
    rows = re.findall(r"<tr>(.*?)</tr>", inside[: inside.index("</table>")])
    return [[re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row)] for row in rows]


def test_confusion_of_the_six_pictures(tmp_path):
    """By hand. Oil never hits, so F1 is best where bubble's is: from 0.3 to 0.5 with 2 of 4 right and 2 of 3 found."""
    page, content = write(tmp_path, *six_pictures(), NAMES)
    counts = {(c["predicted"], c["truth"]): c["count"] for c in content["confusion"]["counts"]}
    assert counts == {
        ("bubble", "bubble"): 2,
        ("oil", "bubble"): 1,
        (None, "oil"): 2,
        ("bubble", None): 2,
        ("oil", None): 1,
        (None, None): 1,
    }
    assert cells(page, "matrix") == [
        ["found as \u2193, labelled \u2192", "bubble", "oil", "background"],
        ["bubble", "2", "", "2"],
        ["oil", "1", "", "1"],
        ["background", "", "2", "1"],
    ]
    assert content["confusion"]["confidence"] == content["results"]["confidence"] <= 0.5
    assert "nothing was found: 1." in page and "1 of 3" in page[page.index("Taken for another class") :]


def test_curves_have_the_numbers_of_the_tables(tmp_path):
    _, content = write(tmp_path, *six_pictures(), NAMES)
    curves, results = content["curves"], content["results"]
    at = min(range(len(curves["confidence"])), key=lambda k: abs(curves["confidence"][k] - results["confidence"]))
    assert abs(curves["confidence"][at] - results["confidence"]) < 1e-5, "the best one is among the points"
    for row in results["classes"]:
        assert row["precision"] is not None, "something is found of each"
        assert curves["classes"][row["name"]]["recall"][at] == pytest.approx(row["recall"], abs=1e-5)
        assert curves["classes"][row["name"]]["precision"][at] == pytest.approx(row["precision"], abs=1e-5)
        over = curves["classes"][row["name"]]["precision_over_recall"]
        assert sum(over) / 101 == pytest.approx(row["ap50"], abs=1e-5)
    assert max(curves["mean"]["f1"]) == curves["mean"]["f1"][at]


def test_many_classes_are_summed_up_and_none_is_lost(tmp_path):
    """351 classes, each found once as the next one, and class 7 found as class 9 three times more."""
    names = tuple(f"{HOSTILE} {k}" for k in range(351))
    places = [[5, 5, 25, 25], [50, 50, 80, 80]]
    records = [record(places[:1], [k]) for k in range(351)] + [record(places[:1], [7])] * 3
    found = [detections((places[0], 0.9, (k + 1) % 351)) for k in range(351)] + [detections((places[0], 0.9, 9))] * 3
    page, content = write(tmp_path, records, dict(enumerate(found)), names)
    assert len(content["confusion"]["counts"]) == 352 and len(content["curves"]["classes"]) == 351
    rows = cells(page, "matrix")
    assert len(rows) == 15 and rows[0][-2:] == ["339 other classes", "background"]
    numbers = [[int(cell.replace(",", "") or 0) for cell in row[1:]] for row in rows[1:]]
    assert sum(map(sum, numbers)) == 354 and len(page) < 1_500_000
    assert "There are 351 classes" in page and "20 most frequent of 352 pairs" in page
    assert "3 of 4" in page[page.index("Taken for another class") :] and HOSTILE not in page
    assert "a quarter of the classes lies below" in page


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_order_of_classes_does_not_matter(tmp_path, seed):
    """To the last digit: only the list of classes in results.json is in the data's order."""
    names = tuple(f"class {k}" for k in range(11))
    records = random_truth(40, len(names), seed)
    rows, ids = random_results(records, len(names), 800, seed), [one.image_id for one in records]
    found = coco.detections_of(rows, ids, range(1, len(names) + 1), names)
    order = np.random.default_rng(seed).permutation(len(names))  # class k becomes class order[k]
    turned = [replace(one, labels=order[one.labels]) for one in records]
    other = {i: replace(one, labels=torch.from_numpy(order)[one.labels]) for i, one in found.items()}
    first, second = tmp_path / "a" / "run", tmp_path / "b" / "run"
    for folder in (first, second):
        folder.mkdir(parents=True)
    page, content = write(first, records, found, names, lambda path: SHEET)
    again, mirrored = write(second, turned, other, [names[k] for k in order.argsort()], lambda path: SHEET)
    for one in (content, mirrored):
        one["results"]["classes"].sort(key=lambda row: row["name"])
    assert content == mirrored and page == again


def test_trained_and_new_names(tmp_path):
    row = {"classes": 3, "AP": 0.25, "AP50": 0.5}
    nothing = {"classes": 0, "AP": None, "AP50": None}
    novelty = {"identical": row, "synonym": nothing, "new": nothing, "base": row, "novel": nothing}
    about = {
        "novelty": {**novelty, "harmonic_mean": {"AP": None, "AP50": None}},
        "chance": {"permutations": 2, "AP": [0.1, 0.3], "AP50": [None, None]},
    }
    page, content = write(tmp_path, *six_pictures(), NAMES, about=about)
    assert content["results"]["novelty"] == about["novelty"]
    words = " ".join(Tags(page).words)
    assert "trained under this very name 3 0.500 0.250" in words and "0.200 (0.100 to 0.300)" in words
    plain, _ = write(tmp_path, *six_pictures(), NAMES)
    assert "Names that were trained" not in plain


def test_crops_are_one_to_one():
    image = np.random.default_rng(0).integers(0, 256, (600, 900, 3)).astype(np.uint8)
    small = cut_out(image, ((300, 300, 310, 310), (0, 0, 0)), [], "f", "c")
    assert small.size == (160, 160) and small.scale == 1
    corner = cut_out(image, ((-5, 0, 4, 4), (0, 0, 0)), [], "f", "c")
    assert corner.size == (160, 160)
    large = cut_out(image, ((0, 0, 900, 600), (0, 0, 0)), [], "f", "c")
    assert large.size == (MOST, round(600 * MOST / 900)) and large.scale == pytest.approx(400 / 900)
    tiny = cut_out(image[:30, :20], ((3, 3, 5, 5), (0, 0, 0)), [], "f", "c")
    assert tiny.size == (20, 30)
    whole = image[:100, :150].copy()  # the crop is all of it
    cut_out(whole, ((3, 3, 5, 5), (0, 0, 0)), [], "f", "c")
    assert (whole == image[:100, :150]).all(), "the picture itself stays as it was"


def test_ticks_are_round():
    assert Axis("", 0, 1).ticks() == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert Axis("", 0.01, 10, log=True).ticks() == [0.01, 0.1, 1, 10]
    assert Axis("", 1, 30).ticks() == [10, 20, 30] and Axis("", 1, 2).place(1.5) == 0.5


@given(st.text())
def test_markup_round_trip(value):
    assert "<" not in text(value) and '"' not in text(value)
    block = str(data_block("x", [value]))
    inner = block[block.index(">") + 1 : block.rindex("<")]
    assert json.loads(inner) == [value] and not set("<>&") & set(inner)
    assert element("b", element("i", value)).count("<") == 4 and table([value], [[value]]).count("<td>") == 1


def test_paths_are_broken_after_a_slash():
    assert file_name("a/<b>/c.png") == "a/<wbr>&lt;b&gt;/<wbr>c.png"


def test_warnings_are_read_back(tmp_path):
    (tmp_path / "train.log").write_text(
        "2026-01-01 00:00:00,000 INFO fine\n2026-01-01 00:00:00,000 WARNING look here\nTraceback\n"
        "2026-01-01 00:00:00,000 WARNING look here\n"
    )
    assert warnings_of(tmp_path) == ["look here"]


def test_detection_report(tmp_path):
    names, thresholds = ("bubble", HOSTILE), ScoreThresholds((0.25, 0.25), "--conf")
    report, totals = DetectionReport(names), Totals()
    for number in range(40):
        found = detections(([5, 5, 20, 20], 0.3 + number / 100, number % 2)) if number % 4 else detections()
        frame = Frame(f"p{number}.png", Path(f"p{number}"), GREY)
        result = PictureResult(frame, replace(found, names=names), thresholds, milliseconds=2.0 + number)
        totals.add(result)
        report.show(result)
    totals.add(PictureResult(Frame("bad.png", Path("bad"), None, "cut off"), None, thresholds))
    report.write(tmp_path, totals, Results())
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["pictures"] == {"looked_at": 40, "OK": 10, "NG": 30} and content["unreadable"] == 1
    assert content["speed"]["ms_per_picture"]["total"]["p50"] == pytest.approx(21.5)
    assert page.count("data:image/jpeg") == 24 and "p39.png" in page and "p1.png" not in page
    assert "detect.py knows no labels" in page and HOSTILE not in page
    assert len([tag for tag, _ in Tags(page).tags if tag == "script"]) == 1
