"""The page of detect.py --serve in a real browser without a screen: what a person does, at a desk and on a phone."""

import shutil
import time
from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from data.index.union import open_data
from tests.utils.serving.page_cases import StandIn, desk, heat_of, picture
from utils.config.config import DataConfig
from utils.serving.address import Address
from utils.serving.server import Server
from utils.values.answer import Answer, Evidence

webdriver = pytest.importorskip("selenium.webdriver")
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason="needs chromium and chromedriver")
SIZES = {"desk": (1280, 800), "phone": (390, 844)}
FLAGS = ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage")
ALONE = "host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
WICKED = "<img src=x onerror=document.title='wicked'>.png"
READY = "!document.getElementById('accept').disabled"  # the picture to be reviewed is there
DROP = """
const [name, done] = arguments, canvas = Object.assign(document.createElement("canvas"), { width: 200, height: 150 });
canvas.getContext("2d").fillStyle = "#888";
canvas.getContext("2d").fillRect(0, 0, 200, 150);
canvas.toBlob((blob) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([blob], name, { type: "image/png" }));
  const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
  document.getElementById("drop").dispatchEvent(event);
  done();
});
"""


class Looking(StandIn):
    """Also shows where it looked, and which box an answer is of."""

    def explain(self, image, found, number):
        return heat_of(image, np.ones(image.shape[:2]))

    def ask(self, picture, question, conf):
        box = Evidence("scratch", 0.9, (10.0, 20.0, 50.0, 60.0))
        return Answer(question, "count", "1", 1.0, sentence="There is 1 scratch.", confidence=0.9, evidence=(box,))


class Hand:
    """What a person does with the page."""

    def __init__(self, driver):
        self.driver, self.js = driver, driver.execute_script

    def until(self, condition, seconds=30):
        """Wait for an expression of the page to be true; its value."""
        end = time.monotonic() + seconds
        while not (value := self.js(f"return {condition}")):
            assert time.monotonic() < end, f"never: {condition}; {self.driver.get_log('browser')}"
            time.sleep(0.02)
        return value

    def text(self, place):
        return self.js("return document.querySelector(arguments[0]).textContent", place)

    def count(self, place):
        return self.js("return document.querySelectorAll(arguments[0]).length", place)

    def press(self, place):
        self.driver.find_element("css selector", place).click()

    def type(self, keys):
        webdriver.ActionChains(self.driver).send_keys(keys).perform()

    def slide(self, name, value):
        self.js(
            "const s = document.querySelector(`[data-class='${arguments[0]}'] input`); s.value = arguments[1];"
            "s.dispatchEvent(new Event('input'))",
            name,
            str(value),
        )

    def drag(self, place, start, end):
        """Between two places of an element, as parts of its sides."""
        node = self.driver.find_element("css selector", place)
        x, y = node.size["width"], node.size["height"]
        steps = [(round((a - 0.5) * x), round((b - 0.5) * y)) for a, b in (start, end)]
        chain = webdriver.ActionChains(self.driver, duration=30)
        chain.move_to_element_with_offset(node, *steps[0]).click_and_hold()
        chain.move_to_element_with_offset(node, *steps[1]).release().perform()

    def fits(self):
        """Nothing is wider than the screen."""
        assert self.js("return document.documentElement.scrollWidth <= innerWidth"), self.js("return location.hash")


@pytest.fixture(scope="module")
def driver():
    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, ALONE, "lang=en"):
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@contextmanager
def serving(home, port=0):
    with Server(desk(home, detector=Looking()), Address(port=port)) as server:
        yield server


def open_page(driver, server, size):
    width, height = SIZES[size]
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    driver.get("about:blank")  # the page before asks its server, which has gone, until then
    driver.get_log("browser")
    driver.get(server.address.url())
    hand = Hand(driver)
    hand.until("document.getElementById('weights').textContent === 'best.pt'")
    return hand


@pytest.mark.parametrize("size", SIZES)
def test_a_person_looks_asks_reviews_and_exports(driver, tmp_path, size):
    files = [tmp_path / name for name in ("one.png", "two.png", "none.png")]
    for k, path in enumerate(files[:2]):
        path.write_bytes(picture(value=90 + k))
    files[2].write_text("no picture")
    with serving(tmp_path) as server:
        hand = open_page(driver, server, size)
        looks(hand, files)
        judges(hand)
        asks(hand)
        reviews(hand, server)
        exports(hand)
        speaks(hand)
        assert not driver.get_log("browser")


def looks(hand, files):
    """Choose three files, one of them no picture, and drop a fourth with a wicked name."""
    hand.driver.find_element("id", "files").send_keys("\n".join(map(str, files)))
    hand.until("document.querySelectorAll('#pictures .chip:not(.waiting)').length === 3")
    hand.until("document.querySelector('#verdict strong')?.textContent === 'NG'")
    assert hand.text("#verdict .two span") == "scratch 1; hole 1" and hand.text("#verdict small").startswith("one.png")
    chips = hand.js("return [...document.querySelectorAll('#pictures .chip')].map((chip) => chip.textContent)")
    assert chips == ["?", "NG", "NG"]
    hand.driver.execute_async_script(DROP, WICKED)
    hand.until("document.querySelectorAll('#pictures .chip.ng').length === 3")
    hand.until(f"document.querySelector('#verdict small').textContent.startsWith({WICKED!r})")
    assert hand.driver.title == "Inspection" and hand.count("#pictures img") == 0
    hand.fits()


def judges(hand):
    """Verdict and boxes follow the sliders; a box shows what it was found by."""
    passing = "[...document.querySelectorAll('#sliders small')].map((node) => node.textContent).join()"
    assert hand.js(f"return {passing}") == "2 of 3,1 of 1,1 of 2"
    hand.slide("hole", 0.05)
    assert hand.js(f"return {passing}") == "3 of 3,1 of 1,2 of 2" and hand.count("#boxes button") == 3
    hand.slide("hole", 0.5)
    assert hand.text("#verdict strong") == "NG" and hand.text("#verdict .two span") == "Above your thresholds: 1"
    hand.slide("scratch", 0.95)
    assert hand.text("#verdict strong") == "OK" and hand.count("#boxes button") == 0
    assert "nothing found" in hand.js("return document.querySelector('#stage canvas').getAttribute('aria-label')")
    hand.js("document.getElementById('reset').click()")
    assert hand.text("#verdict strong") == "NG" and hand.count("#boxes button") == 2
    hand.js("document.querySelector('#boxes button').click()")
    hand.until("performance.getEntriesByType('resource').some((one) => one.name.includes('/heat?box=0'))")
    hand.until("!document.querySelector('#stage').classList.contains('busy')")


def asks(hand):
    """A question is answered, and the answer is shown."""
    hand.press("#question")
    hand.type("How many scratches?\n")
    hand.until("document.querySelectorAll('#answers li').length === 1")
    assert hand.text("#answers span") == "There is 1 scratch." and "90 % sure · 1 shown" in hand.text("#answers")
    assert hand.js("return document.querySelector('#answers button').ariaPressed") == "true"


def reviews(hand, server):
    """By keys: accept one as it is, correct one, reject one."""
    hand.press("#tab-review")
    hand.until(f"document.querySelectorAll('#queue li').length === 3 && {READY}")
    hand.fits()
    hand.type("a")
    hand.until(f"document.querySelectorAll('#queue li').length === 2 && {READY}")
    hand.type("d")
    hand.drag("#review-stage canvas", (0.55, 0.55), (0.75, 0.7))
    hand.until("document.querySelectorAll('#review-boxes button').length === 3")
    hand.type("2")
    assert "hole" in hand.text("#review-boxes [aria-pressed=true]")
    hand.type("zz")
    assert hand.count("#review-boxes button") == 2
    hand.js("document.querySelectorAll('#review-boxes button')[1].click()")
    hand.type(webdriver.Keys.DELETE)
    assert hand.count("#review-boxes button") == 1 and "changed by you" in hand.text("#review-head")
    hand.type("a")
    hand.until(f"document.querySelectorAll('#past .corrected').length === 1 && {READY}")
    hand.type("r")
    hand.until(f"document.querySelectorAll('#past li').length === 3 && {READY}")
    hand.type(webdriver.Keys.ARROW_LEFT)
    hand.until("document.querySelector('#past [aria-current] .corrected') !== null")
    said = {one.review.state: len(one.review.boxes) for one in server.backend.gallery.reviewed()}
    assert said == {"accepted": 2, "corrected": 1, "rejected": 0}


def exports(hand):
    """What was reviewed is a data set that train.py reads."""
    hand.js("document.getElementById('export').click()")
    hand.until("!document.getElementById('exported').hidden")
    hand.fits()
    command = hand.text("#command")
    assert command.startswith("python train.py --data ") and " --weights w/best.pt " in command
    source, _ = open_data(DataConfig(data=f"{hand.text('#exported-what code')}/data.yaml"))
    assert source.names == ("scratch", "hole") and "3 pictures, 3 boxes" in hand.text("#exported-what")


def speaks(hand):
    """Another language, a list of keys, and the other views."""
    hand.press("#language")
    hand.until("document.documentElement.lang === 'zh-CN'")
    assert hand.text("#tab-pictures") == "图片" and "scratch" in hand.text("#review-boxes")
    assert "3 张图片、3 个框" in hand.text("#exported-what")
    for view in ("history", "pictures"):
        hand.press(f"#tab-{view}")
        hand.until(f"!document.getElementById('view-{view}').hidden")
        hand.fits()
    hand.js("document.activeElement.blur()")
    hand.type("?")
    assert hand.until("document.getElementById('keys').open") and hand.count("#keys-list dt") == 11
    hand.type(webdriver.Keys.ESCAPE)
    hand.press("#language")
    hand.until("document.documentElement.lang === 'en'")


def test_boxes_are_moved_and_resized_inside_the_picture(driver, tmp_path):
    with serving(tmp_path) as server:
        hand = open_page(driver, server, "desk")
        (tmp_path / "wide.png").write_bytes(cv2.imencode(".png", np.full((150, 600, 3), 90, np.uint8))[1].tobytes())
        hand.driver.find_element("id", "files").send_keys(str(tmp_path / "wide.png"))
        hand.until("document.querySelector('#verdict strong')?.textContent === 'NG'")
        hand.press("#correct")
        hand.until(f"document.querySelectorAll('#review-boxes button').length === 2 && {READY}")
        hand.js("document.querySelector('#review-boxes button').click()")
        size = "document.querySelector('#review-boxes small').textContent"
        assert hand.js(f"return {size}") == "40 × 40"
        hand.type("d\n")  # a box in the middle, by keys alone: a fifth of what is seen of 600 px
        assert hand.text("#review-boxes li:nth-child(3) small").startswith("120 ×")
        with_alt = webdriver.ActionChains(driver).key_down(webdriver.Keys.ALT)
        for _ in range(200):
            with_alt.send_keys(webdriver.Keys.ARROW_LEFT)
        with_alt.key_up(webdriver.Keys.ALT).perform()
        hand.drag("#review-stage canvas", (0.1, 0.5), (0.1, 0.02))  # up to the edge and no farther
        hand.type("a")
        hand.until("document.querySelectorAll('#past .corrected').length === 1")
        name, box = server.backend.gallery.reviewed()[0].review.boxes[2]
        assert name == "scratch" and box[:2] == (0.0, 0.0) and box[2] == pytest.approx(120, abs=1)
        assert not driver.get_log("browser")


def test_a_server_that_goes_is_said_and_one_that_comes_back_is_found(driver, tmp_path):
    with serving(tmp_path) as server:
        hand = open_page(driver, server, "desk")
        port = server.address.port
    hand.until("!document.getElementById('gone').hidden")
    assert "did not answer" in hand.text("#gone") and hand.text("#link") == "no server"
    with serving(tmp_path, port):
        hand.until("document.getElementById('gone').hidden")
        assert hand.text("#link") == "ready" and hand.text("#toast") == "The server answers again."
    assert not [row for row in driver.get_log("browser") if "Failed to load resource" not in row["message"]]
