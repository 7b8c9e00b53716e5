"""The report: every string escaped, the numbers those of results.json, a word where a section cannot be."""

import html
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.utils.glass_cases import NAMES, cases, detections, record, six_pictures
from utils.errors import DataError
from utils.inspection.decisions import Cost, decide
from utils.inspection.files import inspection_section
from utils.inspection.summary import InspectionConfig, inspect
from utils.report.charts import Axis
from utils.report.crops import MOST, cut_out
from utils.report.detection import DetectionReport
from utils.report.evaluation import Subject, warnings_of, write_report
from utils.report.markup import data_block, element, table, text
from utils.report.operating import slider_rows
from utils.report.sweep import STEPS, sweep_table
from utils.scores import report_of
from utils.structures import Frame

HOSTILE = '</script><script>alert("1")</script>'
GREY = np.full((100, 100, 3), 120, np.uint8)


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


def results_of(records, found, names, inspection):
    from utils import coco, metrics

    ids = tuple(range(1, len(names) + 1))
    scores = coco.score(coco.truth_json(records, names, ids), coco.results_json(records, found, ids), ids)
    curves = metrics.curves(metrics.match(records, found, len(names)))
    files = [f"p{i}.png" for i in range(len(records))]
    return {
        **report_of(records, names, scores, curves, {}).plain(),
        "inspection": inspection_section(inspection, files),
    }, files


def write(folder, records, found, names, show=lambda path: GREY, config=None, **files):
    inspection = inspect(records, found, names, config or InspectionConfig())
    results, shown = results_of(records, found, names, inspection)
    for name, content in files.items():
        (folder / name.replace("_", ".")).write_text(content, encoding="utf-8")
    write_report(folder, Subject("val", records, shown, found, show), results, inspection)
    return (folder / "report.html").read_text(encoding="utf-8"), json.loads((folder / "report.json").read_text())


def test_six_pictures(tmp_path):
    """At 0.1 false alarms in six pictures none is allowed: by hand, escape 3 of 4, overkill 0 of 2."""
    page, content = write(tmp_path, *six_pictures(), NAMES)
    words = " ".join(Tags(page).words).replace("\u00a0", " ")
    assert "3 of 4 75.0 %, 30.1 % to 95.4 %" in words and "0 of 2 at most 65.8 %" in words
    assert content["results"]["inspection"]["operating_point"]["decisions"]["escape"]["events"] == 3
    assert "Speed was not measured" in words and "This run trained nothing" in words
    sweep = content["sweep"]
    at = STEPS.tolist().index(0.5)
    assert [sweep[k][at] for k in ("hits", "false_alarms", "escapes", "overkills")] == [2, 4, 2, 1]
    assert [sweep[k][-1] for k in ("hits", "false_alarms", "escapes", "overkills")] == [0, 0, 4, 0]
    assert [sweep[k][at + 1] for k in ("hits", "false_alarms", "escapes", "overkills")] == [1, 2, 3, 0]


@settings(max_examples=30)
@given(cases)
def test_slider_is_exact(case):
    """Each row says what deciding at that threshold gives."""
    inspection = inspect(case.records, case.found, case.names, InspectionConfig())
    sweep = sweep_table(inspection)
    for place in range(0, len(STEPS), 20):
        decisions = decide(inspection.scores, float(STEPS[place]))
        for name, counts in (("escape", sweep["escapes"]), ("overkill", sweep["overkills"])):
            rate = getattr(decisions, name)
            assert counts[place] == (rate.events if rate else 0)


def test_slider_rows_have_costs_where_asked():
    inspection = inspect(*six_pictures(), NAMES, InspectionConfig())
    rows = slider_rows(sweep_table(inspection), Cost(50, 1))
    assert (
        rows[100]["cost"] == f"{(50 * 2 + 1) / 6:.3g}" and "cost" not in slider_rows(sweep_table(inspection), None)[0]
    )
    assert rows[100]["recall"].startswith("2 of 5") and rows[100]["alarms"] == "0.667 (4 in all)"


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


def test_warnings_are_read_back(tmp_path):
    (tmp_path / "train.log").write_text(
        "2026-01-01 00:00:00,000 INFO fine\n2026-01-01 00:00:00,000 WARNING look here\nTraceback\n"
        "2026-01-01 00:00:00,000 WARNING look here\n"
    )
    assert warnings_of(tmp_path) == ["look here"]


def test_detection_report(tmp_path):
    report = DetectionReport(("bubble", HOSTILE))
    for number in range(40):
        found = detections(([5, 5, 20, 20], 0.3 + number / 100, number % 2)) if number % 4 else detections()
        frame = Frame(f"p{number}.png", Path(f"p{number}"), GREY)
        report.add(frame, found, 2.0 + number)
        report.show(frame, found)
    report.add(Frame("bad.png", Path("bad"), None, "cut off"), None, 0.0)
    report.write(tmp_path)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["pictures"] == {"looked_at": 40, "OK": 10, "NG": 30} and content["unreadable"] == 1
    assert content["speed"]["ms_per_picture"]["total"]["p50"] == pytest.approx(21.5)
    assert page.count("data:image/jpeg") == 24 and "p39.png" in page and "p1.png" not in page
    assert "detect.py knows no labels" in page and HOSTILE not in page
    assert len([tag for tag, _ in Tags(page).tags if tag == "script"]) == 1
