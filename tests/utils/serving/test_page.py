"""The page as a browser sees it: a real server on a free port of this machine, a stand-in for the network."""

import json

import cv2
import numpy as np
import pytest

from tests.utils.serving.page_cases import BOXES, WRITES, Browser, StandIn, desk, form, heat_of, picture, until
from utils.page.history import History
from utils.serving.address import Address
from utils.serving.server import Server

HERE = Address(port=0)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    home = tmp_path_factory.mktemp("page")
    (home / "parts" / "sub").mkdir(parents=True)
    for name in ("a.png", "sub/b.png"):
        (home / "parts" / name).write_bytes(picture())
    (home / "parts" / "notes.txt").write_text("no picture")
    (home / "secret.png").write_bytes(picture())
    (home / "parts" / "out.png").symlink_to(home / "secret.png")
    with Server(desk(home, folder=home / "parts"), HERE) as server:
        server.home = home
        yield server


@pytest.fixture
def browser(served):
    return Browser(served.address)


def test_status_says_what_the_page_needs(served, browser):
    status, told = browser.get("/api/status")
    assert status == 200
    assert told["weights"] == "best.pt" and told["folder"] == "parts" and told["line"] is None
    assert told["classes"] == [
        {"name": "scratch", "threshold": 0.25, "colour": "#ff5930"},
        {"name": "hole", "threshold": 0.25, "colour": "#23a0ff"},
    ]
    assert not told["open_vocabulary"] and not told["explains"]
    assert told["queue"]["most"] == 64 and told["limits"] == {"bytes": 100 << 20, "files": 100}


def test_a_picture_that_is_sent_is_looked_at(browser):
    before = browser.get("/api/status")[1]["counts"]["NG"]
    seen = browser.look()
    assert (seen["state"], seen["verdict"], seen["size"], seen["source"]) == ("done", "NG", [150, 200], "page")
    assert seen["classes"] == "scratch 1; hole 1"  # 0.9 and 0.3 count, 0.1 does not
    assert [one["box"] for one in seen["boxes"]] == BOXES
    assert [(one["number"], one["class"], one["score"]) for one in seen["boxes"]] == [
        (0, "scratch", 0.9),
        (1, "hole", 0.3),
        (2, "hole", 0.1),
    ]
    assert [one["counts"] for one in seen["boxes"]] == [True, True, False]
    status, headers, content = browser.ask("GET", f"/api/pictures/{seen['id']}/image")
    assert status == 200 and headers["Content-Type"] == "image/jpeg"
    assert cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR).shape == (150, 200, 3)
    assert browser.get("/api/status")[1]["counts"]["NG"] == before + 1
    rows = browser.get("/api/pictures?limit=1")[1]["pictures"]
    assert rows[0]["id"] == seen["id"] and rows[0]["review"] is None
    older = browser.get(f"/api/pictures?before={seen['id']}")[1]["pictures"]
    assert all(one["id"] < seen["id"] for one in older)


def test_a_good_picture_and_a_large_one(browser):
    good = browser.look(content=picture(value=0))
    assert good["verdict"] == "OK" and good["boxes"] == [] and good["classes"] == ""
    large = browser.look(content=picture(1000, 3200, suffix=".jpg"))
    assert large["size"] == [1000, 3200]
    content = browser.ask("GET", f"/api/pictures/{large['id']}/image")[2]
    assert cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR).shape == (500, 1600, 3)


def test_what_is_no_picture_is_said_and_the_server_lives(browser):
    bad = browser.look("notes.jpg", b"these are words")
    assert bad["state"] == "failed" and bad["verdict"] == "UNREADABLE"
    assert bad["reason"] == "notes.jpg: is not a picture; replace or remove it"  # and not where it is kept
    assert browser.get(f"/api/pictures/{bad['id']}/image")[0] == 404
    assert browser.send(f"/api/pictures/{bad['id']}/review", {"state": "accepted", "boxes": []}, "PUT")[0] == 409
    assert browser.look()["state"] == "done"


def test_a_name_with_markup_stays_a_text(browser):
    name = "<img src=x onerror=alert(1)>.png"
    assert browser.look(name)["name"] == name
    assert browser.look("C:\\\\users\\\\me\\\\part 7.png")["name"] == "part 7.png"
    assert browser.look("../../etc/passwd.png")["name"] == "passwd.png"
    assert browser.look("p" * 500 + ".png")["name"] == "p" * 180 + ".png"
    assert browser.look("\u202eleft.png")["name"] == "\\u202eleft.png"  # would turn the letters around


def test_questions(browser, served):
    seen = browser.look(fields=[("questions", '["how many scratches?", " "]')])
    answer = {"question": "how many scratches?", "answer": "3", "sentence": "3 scratches.", "refusal": ""}
    assert seen["answers"] == [{**answer, "confidence": 0.9, "evidence": []}]
    status, told = browser.send(f"/api/pictures/{seen['id']}/ask", {"question": "is it OK?"})
    assert status == 200 and told == {**answer, "question": "is it OK?", "confidence": 0.9, "evidence": []}
    status, told = browser.upload([("a.png", picture())], [("prompts", "oil")])
    assert status == 400 and "reads no words" in told["error"]


def test_the_folder(browser, served):
    told = browser.get("/api/folder")[1]
    assert told == {"path": "", "folders": ["sub"], "pictures": ["a.png"], "more": 0}  # the link leads out of it
    assert browser.get("/api/folder?path=sub")[1]["pictures"] == ["b.png"]
    lost = served.home / "parts" / "sub" / "c.png"
    lost.write_bytes(picture())
    told = browser.send("/api/folder/look", {"paths": ["sub/c.png"]})[1]
    seen = browser.looked_at(told["pictures"][0]["id"])
    lost.write_bytes(b"")
    status, told = browser.send(f"/api/pictures/{seen['id']}/ask", {"question": "?"})
    assert (status, told["error"]) == (
        409,
        "sub/c.png: is not a picture; replace or remove it",
    )  # and not where it lies
    lost.unlink()
    status, told = browser.send(
        "/api/folder/look", {"paths": ["sub/b.png", "none.png"], "prompts": "", "questions": []}
    )
    assert status == 202 and [one["name"] for one in told["refused"]] == ["none.png"]
    assert browser.looked_at(told["pictures"][0]["id"])["name"] == "sub/b.png"


def test_reviews_become_a_data_set(browser, served):
    first, second = browser.look("one.png"), browser.look("two.png", picture(value=90))
    ids = [one["id"] for one in browser.get("/api/review?limit=200")[1]["pictures"]]
    assert {first["id"], second["id"]} <= set(ids)
    # 0.3 and 0.25: 1 - 0.05 / 0.75
    why = next(one for one in browser.get("/api/review?limit=200")[1]["pictures"] if one["id"] == first["id"])
    assert why["teaches"] == pytest.approx(1 - 0.05 / 0.75, abs=1e-4) and "hole 0.30" in why["why"]
    box = {"class": "hole", "box": [10, 20, 110, 70]}
    assert browser.send(f"/api/pictures/{first['id']}/review", {"state": "corrected", "boxes": [box]}, "PUT")[0] == 200
    assert browser.send(f"/api/pictures/{second['id']}/review", {"state": "rejected", "boxes": []}, "PUT")[0] == 200
    assert browser.get(f"/api/pictures/{first['id']}")[1]["review"] == {"state": "corrected", "boxes": [box]}
    assert first["id"] not in [one["id"] for one in browser.get("/api/review?limit=200")[1]["pictures"]]
    status, told = browser.send("/api/review/export", {})
    assert (status, told["pictures"], told["boxes"]) == (200, 2, 1)
    folder = served.home / "runs" / "review" / "exp"
    assert told["folder"] == str(folder) and "--weights w/best.pt" in told["command"]
    rows = sorted(path.read_text() for path in (folder / "labels").iterdir())
    assert rows == ["", "1 0.30000000 0.30000000 0.50000000 0.33333333\n"]  # (60, 45) of 200 x 150 px, 100 x 50 px
    status, told = browser.send(f"/api/pictures/{first['id']}/review", b"", "DELETE", WRITES)
    assert (status, told) == (200, {"reviewed": 1})


def test_history(browser, served):
    run = served.home / "runs" / "detect" / "exp"
    run.mkdir(parents=True)
    report = {"kind": "detect", "pictures": {"looked_at": 5, "OK": 3, "NG": 2}, "unreadable": 1}
    (run / "report.json").write_text(json.dumps(report))
    (run / "report.html").write_text("<p>a report</p>")
    other = served.home / "runs" / "val" / "exp"
    other.mkdir(parents=True)
    (other / "report.json").write_text("[" * 100_000)  # no report at all
    served.backend.history._until = 0.0  # the list is made anew every few seconds only
    told = browser.get("/api/history")[1]
    (row,) = told["runs"]  # the other one has no report that can be read
    counts = {"pictures": 5, "OK": 3, "NG": 2, "unreadable": 1}
    assert {key: row[key] for key in counts} == counts and row["report"] == "/runs/detect/exp/report.html"
    status, headers, content = browser.ask("GET", row["report"])
    assert status == 200 and content == b"<p>a report</p>"
    assert "sandbox allow-scripts" in headers["Content-Security-Policy"]
    assert "'self'" not in headers["Content-Security-Policy"]
    assert browser.get("/runs/detect/none/report.html")[0] == 404
    assert sum(hour["NG"] for hour in told["hours"]) == browser.get("/api/status")[1]["counts"]["NG"]


def test_history_of_a_line(tmp_path):
    line, other = tmp_path / "detect" / "watch-parts", tmp_path / "detect" / "exp"
    for run, about in ((line, {"line": "5f2a"}), (other, {})):  # a run of pictures that goes on has no report yet
        run.mkdir(parents=True)
        (run / "run.json").write_text(json.dumps(about))
        (run / "summary.csv").write_text('image,verdict\n"a,\n.png",OK\nb.png,NG\nc.png,NG\nd.png,UNREADABLE\ne.pn')
    (row,) = History(tmp_path).runs(10)
    assert (row["name"], row["kind"], row["report"]) == ("watch-parts", "line", None)
    assert [row[key] for key in ("pictures", "OK", "NG", "unreadable")] == [3, 1, 2, 1]


def test_every_answer_tells_the_browser_what_it_may_do(browser):
    for path in ("/", "/api/status", "/nothing", "/static/../app.py"):
        _, headers, _ = browser.ask("GET", path)
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff" and headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cross-Origin-Resource-Policy"] == "same-origin" and "Server" not in headers


def test_more_pictures_than_may_wait_are_refused(tmp_path):
    eye = StandIn()
    eye.gate.clear()
    with Server(desk(tmp_path, detector=eye), HERE) as server:
        browser = Browser(server.address)
        small = picture(8, 8)
        assert browser.upload([("first.png", small)])[0] == 202
        until(lambda: browser.get("/api/status")[1]["queue"]["waiting"] == 0)  # it is being looked at
        status, told = browser.upload([(f"{k}.png", small) for k in range(70)])
        assert status == 202 and (len(told["pictures"]), len(told["refused"])) == (64, 6)
        status, told = browser.upload([("more.png", small)])
        assert status == 429 and told["error"].startswith("64 pictures wait already; ")
        assert len(list(server.backend.store.folder.iterdir())) == 65  # of what was refused nothing is kept
        eye.gate.set()
        until(lambda: browser.get("/api/status")[1]["counts"]["NG"] == 65)


def test_words_and_heat(tmp_path):
    made = []

    class Explains(StandIn):
        def explain(self, image, found, number):
            return heat_of(image, np.linspace(0, 1, image.shape[0] * image.shape[1]).reshape(image.shape[:2]))

    def make(words):
        made.append(words)
        return Explains(tuple(words.split(", ")) * 2)

    with Server(desk(tmp_path, detector=Explains(), make=make), HERE) as server:
        browser = Browser(server.address)
        told = browser.get("/api/status")[1]
        assert told["open_vocabulary"] and told["explains"]
        seen = [browser.look(fields=[("prompts", "oil stain")]) for _ in range(2)]
        assert (
            made == ["oil stain"] and seen[1]["classes"].startswith("oil stain") and seen[1]["prompts"] == "oil stain"
        )
        status, headers, content = browser.ask("GET", f"/api/pictures/{seen[0]['id']}/heat?box=1")
        assert status == 200 and headers["Content-Type"] == "image/png"
        heat = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
        assert heat.shape == (150, 200, 4) and heat[0, 0, 3] == 0 and heat[-1, -1, 3] > 100
        assert browser.get(f"/api/pictures/{seen[0]['id']}/heat?box=3")[0] == 404
        assert browser.get(f"/api/pictures/{seen[0]['id']}/heat?box=x")[0] == 400


def test_reviews_are_written_when_the_server_ends(tmp_path):
    with Server(desk(tmp_path), HERE) as server:
        browser, store = Browser(server.address), server.backend.store.folder
        seen = browser.look()
        body = {"state": "accepted", "boxes": [{"class": "scratch", "box": BOXES[0]}]}
        assert browser.send(f"/api/pictures/{seen['id']}/review", body, "PUT") == (200, {"reviewed": 1})
    assert len(list((tmp_path / "runs" / "review" / "exp" / "labels").iterdir())) == 1
    assert not store.exists()


def test_a_fault_of_ours_is_one_line_and_the_thread_goes_on(tmp_path, caplog):
    class Faulty(StandIn):
        def faint(self, image, conf):
            if not image.any():
                raise KeyError("a fault")
            return super().faint(image, conf)

    with Server(desk(tmp_path, detector=Faulty()), HERE) as server:
        browser = Browser(server.address)
        seen = browser.look(content=picture(value=0))
        assert seen["state"] == "failed" and "a fault of this program" in seen["reason"]
        assert browser.look()["state"] == "done"
        server.backend.status = lambda: 1 / 0
        status, told = browser.get("/api/status")
        assert status == 500 and told == {"error": "a fault of this program, not yours; its log says more"}


def test_an_upload_without_files(browser):
    headers, body = form([], [("prompts", "")])
    status, told = browser.send("/api/pictures", body, headers=headers)
    assert status == 400 and "no picture in the form" in told["error"]


def test_questions_are_read_from_the_confidence_that_decides(tmp_path):
    """Else a picture could be OK by --conf 0.6, and NG by the answer."""
    with Server(desk(tmp_path, conf=0.6), Address(port=0)) as server:
        browser = Browser(server.address)
        seen = browser.look(fields=[("questions", '["is it OK?"]')])
        assert server.desk.detector.read_from == 0.6
        server.desk.detector.read_from = None
        browser.send(f"/api/pictures/{seen['id']}/ask", {"question": "is it OK?"})
        assert server.desk.detector.read_from == 0.6
