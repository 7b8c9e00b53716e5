"""The report in a real browser: no network, nothing on its console, the slider moves, and it fits a phone.

Skipped where no Chromium is installed (Debian: apt-get install chromium).
"""

import html
import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from PIL import Image

from tests.utils.glass_cases import six_pictures
from tests.utils.report.test_report import HOSTILE, write
from utils.deciding.decisions import Cost
from utils.inspection.inspection import InspectionConfig

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), ""
)
pytestmark = pytest.mark.skipif(not BROWSER, reason="no Chromium: apt-get install chromium")
OFFLINE = ["unshare", "-rn"]
PROBE = """
var slider = document.getElementById("threshold"), said = [];
[0, 100, 200].forEach(function (place) {
  slider.value = place;
  slider.dispatchEvent(new Event("input"));
  said.push(["threshold", "escape"].map(function (n) { return document.getElementById("sweep-" + n).textContent; }));
});
var small = Array.from(document.querySelectorAll("p, td, figcaption, dd")).filter(function (e) {
  return parseFloat(getComputedStyle(e).fontSize) < 12.5; }).length;
var broken = Array.from(document.images).filter(function (i) { return i.complete && !i.naturalWidth; }).length;
var said = { said: said, wide: document.documentElement.scrollWidth, view: innerWidth, small: small, broken: broken };
parent.postMessage(JSON.stringify(said), "*");
"""


def browse(page, *flags):
    """Run the browser on a file, without a network where the system allows that; what it wrote and said."""
    offline = OFFLINE if subprocess.run([*OFFLINE, "true"], capture_output=True, check=False).returncode == 0 else []
    words = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr"]
    home = f"--user-data-dir={page.parent / 'browser'}"
    done = subprocess.run(
        [*offline, BROWSER, *words, home, *flags, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    lines = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return done.stdout, [line for line in lines if "source: chrome:" not in line]  # of the browser about itself


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    grey = np.full((100, 100, 3), 120, np.uint8)
    names = (HOSTILE, "裂纹 of a name that is long enough to need several lines on the narrow screen of a phone")
    rows = "epoch,train/box_loss,metrics/mAP_0.5\n0,0.5,0.1\n1,0.4,0.2\n"
    write(folder, *six_pictures(), names, lambda path: grey, InspectionConfig(cost=Cost(50, 1)), results_csv=rows)
    return folder / "report.html"


def test_no_request_and_no_word_on_the_console(report, tmp_path):
    log = tmp_path / "net.json"
    dom, console = browse(report, "--dump-dom", f"--log-net-log={log}", "--virtual-time-budget=3000")
    assert console == [] and "<h1>Evaluation report" in dom
    asked = {url for url in re.findall(r'"url":\s*"([^"]+)"', log.read_text(encoding="utf-8", errors="replace"))}
    page = [url for url in asked if not re.match(r"(file|data|chrome|about|devtools)\b", url)]
    errands = ("google", "gstatic", "gvt1.com")  # of the browser itself: updates, dictionaries
    assert [url for url in page if not any(word in url for word in errands)] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_the_screen_and_the_slider_moves(report, width):
    """The page in a frame of that width, with a probe that its policy would forbid if it came from the data."""
    text = report.read_text(encoding="utf-8")
    policy = re.search(r'<meta http-equiv="Content-Security-Policy"[^>]*>', text).group()
    probed = report.with_name("probed.html")
    probed.write_text(text.replace(policy, "").replace("</body>", f"<script>{PROBE}</script></body>"), encoding="utf-8")
    frame = report.with_name(f"frame{width}.html")
    listen = 'onmessage = function (e) { document.body.setAttribute("data-said", e.data); };'
    frame.write_text(
        f"<body><script>{listen}</script><iframe src=probed.html width={width} height=900></iframe></body>"
    )
    dom, console = browse(frame, "--dump-dom", "--virtual-time-budget=5000", "--window-size=1400,1000")
    said = json.loads(html.unescape(re.search(r'data-said="([^"]*)"', dom).group(1)))
    assert console == [] and said["view"] == width and said["wide"] <= width, said
    assert said["small"] == 0 and said["broken"] == 0
    rows = [[threshold, words.replace("\u00a0", " ")] for threshold, words in said["said"]]
    assert [row[0] for row in rows] == ["0.000", "0.500", "1.000"]
    assert rows[1][1].startswith("2 of 4") and rows[2][1].startswith("4 of 4")


def test_a_picture_of_the_page_shows_something(report):
    """White space alone would have one colour."""
    shot = report.with_name("shot.png")
    browse(report, f"--screenshot={shot}", "--window-size=1280,3000")
    pixels = np.asarray(Image.open(shot).convert("RGB"))
    assert pixels.shape == (3000, 1280, 3) and len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50


def test_the_policy_stops_what_the_data_might_smuggle_in(report):
    """Were the escaping to fail, the browser would still not run it."""
    text = report.read_text(encoding="utf-8")
    bad = report.with_name("bad.html")
    bad.write_text(text.replace("<main>", "<main><script>document.title='owned'</script><img src=x onerror=alert(1)>"))
    dom, console = browse(bad, "--dump-dom", "--virtual-time-budget=2000")
    assert "<title>owned" not in dom and any("Content Security Policy" in line for line in console)
