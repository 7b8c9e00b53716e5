"""What people with bad intentions, or bad programs, send: each is refused with one line, and the server goes on."""

import json
import socket
import struct
import zlib
from contextlib import contextmanager

import numpy as np
import pytest

from data.pictures.picture_decoder import read_image
from tests.utils.serving.page_cases import JSON, WRITES, Browser, StandIn, desk, form, picture, until
from utils.serving import uploads
from utils.serving.address import Address
from utils.serving.bodies import Patience
from utils.serving.connection import Connection
from utils.serving.server import Server

HERE = Address(port=0)
SECRET = b"nobody may see this"
OUTSIDE = [
    *("..", "../secret.png", "../../etc/passwd", "sub/../../secret.png", "/etc/passwd", "//etc/passwd", "."),
    *("%2e%2e/secret.png", "%2e%2e%2fsecret.png", "..%2fsecret.png", "%252e%252e%252fsecret.png", "..\\secret.png"),
    *("%2fetc%2fpasswd", "a.png%00.txt", "%00", "C:/Windows/win.ini", "C:%5cWindows%5cwin.ini", "link.png"),
    *("away/secret.png", ".hidden/a.png", "sub//b.png", "sub/./b.png", "circle/a.png", "%ff%fe.png", "a" * 5000),
]


class Careful(StandIn):
    """Reads as the real one does."""

    def read(self, path):
        return read_image(path)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    home = tmp_path_factory.mktemp("hostile")
    parts = home / "parts"
    for folder in ("parts/sub", "parts/.hidden", "runs/detect/exp", "runs/detect/other", "elsewhere"):
        (home / folder).mkdir(parents=True)
    for name in ("a.png", "sub/b.png", ".hidden/a.png"):
        (parts / name).write_bytes(picture())
    (home / "secret.png").write_bytes(SECRET)
    (home / "elsewhere" / "report.html").write_bytes(SECRET)
    (parts / "link.png").symlink_to(home / "secret.png")
    (parts / "away").symlink_to(home)
    (parts / "circle").symlink_to(parts / "circle")
    (home / "runs" / "detect" / "exp" / "report.html").symlink_to(home / "secret.png")
    (home / "runs" / "detect" / "linked").symlink_to(home / "elsewhere")
    (home / "runs" / "detect" / "other" / "weights.pt").write_bytes(SECRET)
    (home / "runs" / "detect" / "other" / "report.html").symlink_to(home / "runs" / "detect" / "other" / "weights.pt")
    page = desk(home, detector=Careful(), folder=parts)
    with Server(page, HERE, patience=Patience(all=0.8, stall=0.3, rest=0.3)) as server:
        yield server
        assert server.thread.is_alive() and Browser(server.address).look()["state"] == "done"


@pytest.fixture
def browser(served):
    return Browser(served.address)


@contextmanager
def connected(served):
    with socket.create_connection((served.address.host, served.address.port), timeout=20) as client:
        yield client


def said(client):
    """Everything that comes, until the server ends the connection."""
    content = b""
    try:
        while part := client.recv(65536):
            content += part
    except ConnectionResetError:
        pass
    return content


def raw(served, head, body=b"", host=None):
    """What a server says to these lines."""
    with connected(served) as client:
        host = host or f"{served.address.host}:{served.address.port}"
        client.sendall(f"{head}\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("latin-1") + body)
        return said(client)


@pytest.mark.parametrize("path", OUTSIDE, ids=lambda path: path[:20])
def test_nothing_outside_is_served(browser, path):
    asked = [
        "/static/" + path,
        "/api/folder?path=" + path,
        f"/runs/{path}/report.html",
        f"/runs/detect/{path}/report.html",
    ]
    asked += [f"/api/pictures/{path}", f"/api/pictures/{path}/image", "/" + path, f"/api/pictures?before={path}"]
    for one in asked:
        status, _, content = browser.ask("GET", one.replace("\\", "%5c"))
        assert status in (400, 404), one
        assert list(json.loads(content)) == ["error"] and SECRET not in content and b"root:" not in content
    status, told = browser.send("/api/folder/look", {"paths": [path.replace("%00", "\0")]})
    assert status in (400, 404), told


def test_links_to_reports_are_not_followed(browser):
    for run in ("exp", "linked", "other"):
        status, _, content = browser.ask("GET", f"/runs/detect/{run}/report.html")
        assert status == 404 and SECRET not in content
    assert browser.get("/api/history")[1]["runs"] == []
    told = browser.get("/api/folder")[1]
    assert (told["folders"], told["pictures"]) == (["sub"], ["a.png"])


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"3", b'"text"', b"null", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000, b'{"state": NaN}']
    + [b'{"state": "accepted", "boxes": ' + b"9" * 5000 + b"}", b'{"unknown": 1}', b'{"state": "\\ud800"}']
    + [json.dumps({"state": "corrected", "boxes": boxes}).encode() for boxes in (
        "boxes", {}, [3], [{}], [{"class": "scratch"}], [{"class": 3, "box": [1, 2, 3, 4]}],
        [{"class": "none such", "box": [1, 2, 3, 4]}], [{"class": "scratch", "box": [1, 2, 3]}],
        [{"class": "scratch", "box": [1, 2, 3, "4"]}], [{"class": "scratch", "box": [1, 2, 3, True]}],
        [{"class": "scratch", "box": [50, 2, 3, 4]}], [{"class": "scratch", "box": [1, 2, 3, 4000]}],
        [{"class": "scratch", "box": [1, 2, 3, 10**400]}], [{"class": "scratch", "box": [1, 2, 3, 4], "more": 1}],
        [{"class": "scratch", "box": [1, 2, 3, 4]}] * 1001,
    )],
    ids=lambda body: body[:30].decode("latin-1"),
)  # fmt: skip
def test_json_that_is_none_or_says_nothing(browser, served, body):
    number = served.__dict__.setdefault("looked", browser.look()["id"])
    status, told = browser.send(f"/api/pictures/{number}/review", body, "PUT")
    assert status == 400 and list(told) == ["error"] and "\n" not in told["error"] and len(told["error"]) < 300
    assert browser.get(f"/api/pictures/{number}")[1]["review"] is None
    for path in ("/api/folder/look", f"/api/pictures/{number}/ask"):
        assert browser.send(path, body)[0] == 400
    if body != b"{}":
        assert browser.send("/api/review/export", body)[0] == 400


def test_json_of_the_wrong_kind_and_too_much_of_it(browser):
    status, told = browser.send("/api/folder/look", {}, headers={**WRITES, "Content-Type": "text/plain"})
    assert (status, told["error"]) == (415, "Content-Type must be application/json")
    status, told = browser.send("/api/folder/look", b'{"paths": ["' + b"a" * (1 << 20) + b'"]}')
    assert (status, told["error"]) == (413, "the JSON has more than 1,048,576 bytes; send less")
    for value in ({"paths": "a.png"}, {"paths": [3]}, {"paths": []}, {"paths": ["a.png"] * 101}):
        assert browser.send("/api/folder/look", value)[0] == 400
    for more in ({"prompts": 3}, {"prompts": "x" * 2001}, {"questions": "?"}, {"questions": ["?"] * 11}):
        assert browser.send("/api/folder/look", {"paths": ["a.png"], **more})[0] == 400


@pytest.mark.parametrize("limit", ["-1", "x", "1e9", "9" * 5000, "%00", ""])
def test_numbers_that_are_none(browser, limit):
    for path in ("/api/pictures", "/api/review", "/api/history"):
        assert browser.get(f"{path}?limit={limit}")[0] == 400
    assert browser.get("/api/pictures?limit=999999")[0] == 200  # means: as many as there may be


def test_an_upload_that_is_declared_too_large_is_refused_before_it_comes(served):
    length, before = 500 << 20, set(served.backend.store.folder.iterdir())
    head = f"POST /api/pictures HTTP/1.1\r\nX-Requested-By: page\r\nContent-Length: {length}"
    answer = raw(served, f"{head}\r\nContent-Type: multipart/form-data; boundary=b")
    assert answer.startswith(b"HTTP/1.1 413 ") and b"more than 400 MB" in answer
    assert set(served.backend.store.folder.iterdir()) == before


@pytest.mark.parametrize("limit, words", [("MOST_REQUEST", "the request"), ("MOST_BYTES", "a picture")])
def test_an_upload_that_turns_out_too_large_leaves_nothing(served, browser, monkeypatch, limit, words):
    monkeypatch.setattr(uploads, limit, 1 << 20)
    before = set(served.backend.store.folder.iterdir())
    headers, body = form([("one.png", picture()), ("large.png", b"\0" * (3 << 20))])
    lines = "".join(f"\r\n{name}: {value}" for name, value in headers.items())
    with connected(served) as client:  # in pieces, without a length before
        place = f"{served.address.host}:{served.address.port}"
        client.sendall(
            f"POST /api/pictures HTTP/1.1\r\nHost: {place}{lines}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        for start in range(0, len(body), 1 << 18):
            piece = body[start : start + (1 << 18)]
            client.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        client.sendall(b"0\r\n\r\n")
        answer = said(client)
    assert answer.startswith(b"HTTP/1.1 413 ") and f"{words} has more than 1 MB".encode() in answer
    assert set(served.backend.store.folder.iterdir()) == before


def test_an_upload_that_is_cut_leaves_nothing(served, browser):
    before, newest = set(served.backend.store.folder.iterdir()), browser.get("/api/status")[1]["newest"]
    headers, body = form([("one.png", picture()), ("two.png", b"\0" * 100_000)])
    lines = "".join(f"\r\n{name}: {value}" for name, value in headers.items())
    with connected(served) as client:
        place = f"{served.address.host}:{served.address.port}"
        head = f"POST /api/pictures HTTP/1.1\r\nHost: {place}{lines}\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(head.encode() + body[: len(body) // 2])
        until(lambda: len(set(served.backend.store.folder.iterdir()) - before) == 2)  # both have begun
    until(lambda: set(served.backend.store.folder.iterdir()) == before)
    status, told = browser.send("/api/pictures", body[:-8], headers=headers)  # the last boundary is missing
    assert status == 400 and "was cut off" in told["error"]
    assert set(served.backend.store.folder.iterdir()) == before
    assert browser.get("/api/status")[1]["newest"] == newest


@pytest.mark.parametrize(
    "kind, body, status",
    [
        ("text/plain", b"x", 415),
        ("multipart/form-data", b"x", 415),
        ("multipart/form-data; boundary=" + "b" * 300, b"x", 400),
        ("multipart/form-data; boundary=b", b"no boundary", 400),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="other"\r\n\r\nx\r\n--b--\r\n',
            400,
        ),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"A: b\r\n" * 1000 + b"\r\nx\r\n--b--\r\n", 400),
        ("multipart/form-data; boundary=b", b"--b\r\nA: " + b"b" * 100_000 + b"\r\n\r\nx\r\n--b--\r\n", 400),
        ("multipart/form-data; boundary=b", form([], [("questions", "[" * 50_000)], "b")[1], 400),
        ("multipart/form-data; boundary=b", form([], [("questions", '{"a": 1}')], "b")[1], 400),
        ("multipart/form-data; boundary=b", form([], [("prompts", "x" * 70_000)], "b")[1], 413),
        ("multipart/form-data; boundary=b", form([("a.png", b"x")] * 101, [], "b")[1], 413),
    ],
)
def test_forms_that_are_none(served, browser, kind, body, status):
    before = set(served.backend.store.folder.iterdir())
    got, told = browser.send("/api/pictures", body, headers={**WRITES, "Content-Type": kind})
    assert got == status and list(told) == ["error"] and "\n" not in told["error"]
    assert set(served.backend.store.folder.iterdir()) == before


def test_pictures_that_are_none_or_bombs(browser):
    assert "notes.jpg: " in browser.look("notes.jpg", b"these are words")["reason"]
    assert "empty.png: " in browser.look("empty.png", b"")["reason"]
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 100_000)), (b"IEND", b"")]
    bomb = b"".join(struct.pack(">I", len(c)) + k + c + struct.pack(">I", zlib.crc32(k + c)) for k, c in chunks)
    seen = browser.look("bomb.png", b"\x89PNG\r\n\x1a\n" + bomb)
    assert seen["verdict"] == "UNREADABLE" and "60000 x 60000 pixels, more than" in seen["reason"]


def test_the_wrong_host_and_foreign_pages(served, browser):
    port = served.address.port
    for host in (
        "evil.example",
        f"evil.example:{port}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"127.0.0.1.evil.example:{port}",
        "/",
    ):
        assert raw(served, "GET /api/status HTTP/1.1", host=host).startswith(b"HTTP/1.1 403 "), host
    assert raw(served, "GET /api/status HTTP/1.1", host=f"localhost:{port}").startswith(b"HTTP/1.1 200 ")
    with connected(served) as client:
        client.sendall(b"GET /api/status HTTP/1.0\r\n\r\n")
        assert said(client).startswith(b"HTTP/1.1 403 ")
    for headers in (
        {"Content-Type": "application/json"},
        {**JSON, "X-Requested-By": "other"},
        {**JSON, "Origin": "http://evil.example"},
        {**JSON, "Origin": "null"},
        {**JSON, "Origin": f"http://127.0.0.1:{port + 1}"},
        {**JSON, "Sec-Fetch-Site": "cross-site"},
    ):
        assert browser.send("/api/folder/look", {"paths": ["a.png"]}, headers=headers)[0] == 403
    mine = {**JSON, "Origin": f"http://127.0.0.1:{port}", "Sec-Fetch-Site": "same-origin"}
    assert browser.send("/api/folder/look", {"paths": ["a.png"]}, headers=mine)[0] == 202
    assert browser.get("/api/status", **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    for method, path in (("PUT", "/api/status"), ("POST", "/"), ("DELETE", "/api/pictures"), ("PATCH", "/api/status")):
        assert browser.send(path, b"", method, WRITES)[0] == 405


@pytest.mark.parametrize(
    "bytes_",
    [
        *(
            b"\0\1\2\3\r\n\r\n",
            b"GET\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ),
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000 + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /api/pictures HTTP/1.1\r\nHost: HERE\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
        b"POST /api/pictures HTTP/1.1\r\nHost: HERE\r\nX-Requested-By: page\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nno number\r\n",
        b"POST /api/status HTTP/1.1\r\nHost: HERE\r\nContent-Length: -1\r\n\r\n",
        b"GET /api/status HTTP/1.1\r\nHost: HERE\r\nHost: evil\r\n\r\n",
    ],
    ids=range(10),
)
def test_bytes_that_are_no_http(served, browser, bytes_):
    with connected(served) as client:
        client.sendall(bytes_.replace(b"HERE", f"127.0.0.1:{served.address.port}".encode()))
        client.shutdown(socket.SHUT_WR)
        assert b" 200 " not in said(client)[:20]
    assert browser.get("/api/status")[0] == 200


def test_slow_clients_are_sent_away(served, browser, monkeypatch):
    place = f"{served.address.host}:{served.address.port}"
    head = f"POST /api/folder/look HTTP/1.1\r\nHost: {place}\r\nX-Requested-By: page\r\nContent-Type: application/json"
    with connected(served) as client:  # the body stalls
        client.sendall(f"{head}\r\nContent-Length: 100\r\n\r\n{{".encode())
        assert said(client).startswith(b"HTTP/1.1 408 ")
    with connected(served) as client:  # the body comes, but too slowly
        client.sendall(f"{head}\r\nContent-Length: 1000\r\n\r\n{{".encode())
        client.settimeout(0.1)
        answer = b""
        for _ in range(200):
            try:
                client.sendall(b" ")
                answer += client.recv(1000)
            except TimeoutError:
                continue
            except OSError:
                break
            if b"\r\n\r\n" in answer:
                break
        assert answer.startswith(b"HTTP/1.1 408 ")
    before = set(served.backend.store.folder.iterdir())
    headers, body = form([("one.png", picture())])
    lines = "".join(f"\r\n{name}: {value}" for name, value in headers.items())
    with connected(served) as client:  # an upload stalls
        start = f"POST /api/pictures HTTP/1.1\r\nHost: {place}{lines}\r\nContent-Length: {len(body)}\r\n\r\n"
        client.sendall(start.encode() + body[:-20])
        assert said(client).startswith(b"HTTP/1.1 408 ")
    assert set(served.backend.store.folder.iterdir()) == before
    monkeypatch.setattr(Connection, "head_s", 0.2)
    with connected(served) as client:  # the head never ends
        client.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert said(client) == b""


def test_a_client_that_reads_nothing_is_sent_away(served, browser, monkeypatch):
    monkeypatch.setattr(Connection, "read_s", 0.2)
    noise = np.random.default_rng(0).integers(0, 255, (1600, 1600, 3), np.uint8)
    seen = browser.look("noise.bmp", b"BM" + _bmp(noise))
    place = f"{served.address.host}:{served.address.port}"
    with connected(served) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(f"GET /api/pictures/{seen['id']}/image HTTP/1.1\r\nHost: {place}\r\n\r\n".encode() * 20)
        connections = served.uvicorn.server_state.connections
        until(lambda: any(one._reading for one in list(connections)))
        (held,) = [one for one in list(connections) if one._reading]
        until(lambda: held not in connections)
        assert held.transport.is_closing()


def _bmp(image):
    import cv2

    return cv2.imencode(".bmp", image)[1].tobytes()[2:]


def test_idle_connections_give_way(served, browser, monkeypatch):
    monkeypatch.setattr(Connection, "most", 3)
    idle = [socket.create_connection((served.address.host, served.address.port), timeout=20) for _ in range(8)]
    try:
        assert browser.get("/api/status")[0] == 200
        assert len(served.uvicorn.server_state.connections) <= 4
    finally:
        for client in idle:
            client.close()


def test_a_token_is_asked_for(tmp_path):
    token = "a-token-of-enough-letters"
    with Server(desk(tmp_path), Address(port=0, token=token)) as server:
        browser, cookie = Browser(server.address), server.address.cookie
        for path in ("/", "/api/status", "/static/page.js", "/api/pictures/1/image", "/runs/detect/exp/report.html"):
            assert browser.ask("GET", path)[0] == 401
        assert browser.get("/api/status", Authorization=f"Bearer {token}")[0] == 200
        assert browser.get("/api/status", Cookie=f"other=1; {cookie}={token}")[0] == 200
        assert browser.get(f"/api/status?token={token}")[0] == 401  # in an address, but for the page, it would be kept
        status, headers, content = browser.ask("GET", f"/?token={token}")
        assert status == 200 and b'content="0;url=/"' in content and token.encode() not in content
        assert headers["Set-Cookie"] == f"{cookie}={token}; HttpOnly; SameSite=Strict; Path=/"
        for wrong in ("", "x", token[:-1], token + "a", "\u00e9"):
            shown = {"Authorization": f"Bearer {wrong}".encode("latin-1")}
            assert browser.get("/api/status", **shown)[0] == 401
        for _ in range(10):
            browser.ask("GET", "/?token=wrong")
        assert browser.ask("GET", "/?token=wrong")[0] == 429
        assert browser.get("/api/status")[0] == 401
