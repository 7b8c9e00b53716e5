from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import torch

from tests.utils.serving.page_cases import Browser, desk, picture, until
from utils.page.gallery import Gallery
from utils.page.live import Live
from utils.page.store import Store
from utils.page.tally import MOST_HOURS, Tally
from utils.serving.address import Address
from utils.serving.server import Server
from utils.values.arrived import stamp_of
from utils.values.detections import Detections
from utils.values.frame import Frame
from utils.values.picture_result import PictureResult
from utils.values.score_thresholds import ScoreThresholds
from utils.values.verdict import Verdict

LIMITS = ScoreThresholds((0.5, 0.5), "--conf")


def result(name, boxes, image=True):
    """A picture of the line with so many scratches."""
    planes = np.full((150, 200, 3), 90, np.uint8) if image else None
    edges = torch.tensor([[10.0, 20.0, 50.0, 60.0]] * boxes).reshape(-1, 4)
    found = Detections(edges, torch.full((boxes,), 0.75), torch.zeros(boxes).long(), ("scratch", "hole"))
    size = (150, 200) if image else (0, 0)
    reason = "" if image else "x.png: is cut off"
    return PictureResult(Frame(name, Path(name), planes, reason), found if image else None, LIMITS, (), size)


def test_a_line_on_the_page(tmp_path):
    (tmp_path / "a.png").write_bytes(picture())
    with Server(desk(tmp_path, line="watching parts"), Address(port=0)) as server:
        browser = Browser(server.address)
        server.live.add(result("a.png", 2), [tmp_path / "a.png"])
        server.live.add(result("b.png", 0), [tmp_path / "moved.png"])
        server.live.add(result("c.png", 0, image=False))
        server.live.tell(late=1, waiting=2, dropped=3)
        until(lambda: len(browser.get("/api/pictures")[1]["pictures"]) == 3)
        line = browser.get("/api/status")[1]["line"]
        assert line.pop("since") and line == {
            "what": "watching parts",
            "counts": {"OK": 1, "NG": 1, "UNREADABLE": 1},
            "late": 1,
            "waiting": 2,
            "dropped": 3,
        }
        rows = browser.get("/api/pictures")[1]["pictures"]
        assert [(one["name"], one["verdict"], one["classes"], one["source"]) for one in rows] == [
            ("c.png", "UNREADABLE", "", "line"),
            ("b.png", "OK", "", "line"),
            ("a.png", "NG", "scratch 2", "line"),
        ]
        third, second, first = (f"/api/pictures/{one['id']}" for one in rows)
        assert browser.get(third)[1]["reason"] == "x.png: is cut off"
        assert browser.get("/api/status")[1]["newest"] == rows[0]["id"]
        (tmp_path / "a.png").unlink()  # the picture was copied
        assert browser.send(f"{first}/ask", {"question": "how many?"})[0] == 200
        status, told = browser.send(f"{second}/ask", {"question": "how many?"})
        assert status == 409 and "not kept any more" in told["error"]
        # nor is it for a review, which takes the picture as it is shown
        body = {"state": "corrected", "boxes": [{"class": "hole", "box": [0, 0, 100, 75]}]}
        assert browser.send(f"{second}/review", body, "PUT") == (200, {"reviewed": 1})
        assert browser.send("/api/review/export", {})[1]["boxes"] == 1
    (label,) = (tmp_path / "runs" / "review" / "exp" / "labels").iterdir()
    assert label.read_text() == "1 0.25000000 0.25000000 0.50000000 0.50000000\n"


def test_a_picture_that_was_written_over_is_not_taken_for_the_one_that_was_judged(tmp_path):
    """Its review would put these boxes on other pixels."""
    path, store = tmp_path / "latest.png", Store()
    live = Live("watching", Gallery(store), store, Tally())
    for value, stale in ((90, False), (91, True)):
        path.write_bytes(picture(value=value))
        stamp = stamp_of(path.stat())
        if stale:
            path.write_bytes(picture(value=200, width=210))
        live.add(result("latest.png", 1), [path], stamp)
    live.start()
    until(lambda: len(live.gallery.before(10, 10)) == 2)
    later, first = live.gallery.before(10, 10)
    assert later.file is None and later.shown is not None
    assert first.file is None, "by then the file was another one"
    path.write_bytes(picture())
    live.add(result("latest.png", 1), [path], stamp_of(path.stat()))
    until(lambda: len(live.gallery.before(10, 10)) == 3)
    assert live.gallery.before(10, 10)[0].file is not None
    moved = tmp_path / "NG" / "latest.png"
    moved.parent.mkdir()
    stamp = stamp_of(path.stat())
    path.rename(moved)
    live.add(result("latest.png", 1), [path, moved], stamp)  # before the page came to it, it was moved
    until(lambda: len(live.gallery.before(10, 10)) == 4)
    kept = live.gallery.before(10, 10)[0].file
    assert kept is not None and kept.read_bytes() == moved.read_bytes()
    moved.write_bytes(picture(value=7, width=220))  # an earlier one of its name, say
    live.add(result("latest.png", 1), [path, moved], stamp)
    until(lambda: len(live.gallery.before(10, 10)) == 5)
    assert live.gallery.before(10, 10)[0].file is None
    live.stop(5)
    store.close()


def test_a_fast_line_does_not_wait_and_rather_leaves_out_good_pictures():
    store = Store()
    live = Live("watching", Gallery(store), store, Tally())
    for name, boxes in [("1", 1), ("2", 0), ("3", 0), ("4", 1), ("5", 1), ("6", 1), ("7", 0)]:
        live.add(result(name, boxes))  # nobody shows them yet
    assert [one.frame.name for one, *_ in live._waiting] == ["4", "5", "6", "7"]
    told = live.plain()
    assert told is not None and told["counts"] == {"OK": 3, "NG": 4, "UNREADABLE": 0}
    live.start()
    until(lambda: live.gallery.newest == 4)
    live.stop(10)
    store.close()
    assert Live("", Gallery(store), store, Tally()).plain() is None


def test_hours():
    tally, start = Tally(), datetime(2026, 3, 1, 9, 59, tzinfo=UTC)
    for minutes, verdict in ((0, Verdict.OK), (1, Verdict.NG), (2, Verdict.NG)):
        tally.add(verdict, start + timedelta(minutes=minutes))
    assert tally.hours() == [
        {"hour": "2026-03-01T09:00:00+00:00", "OK": 1, "NG": 0, "UNREADABLE": 0},
        {"hour": "2026-03-01T10:00:00+00:00", "OK": 0, "NG": 2, "UNREADABLE": 0},
    ]
    for hours in range(MOST_HOURS + 5):
        tally.add(Verdict.OK, start + timedelta(hours=hours))
    assert len(tally.hours()) == MOST_HOURS and tally.counts()["OK"] == MOST_HOURS + 6
