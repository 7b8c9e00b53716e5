"""How the server starts and ends, what it needs, and what its guard counts."""

import logging
import sys
import threading

import pytest

from tests.utils.serving.page_cases import Browser, desk
from utils.console.signals import Stop
from utils.flags.parser import Parser
from utils.flags.serve_flags import add_serve
from utils.serving.address import Address, open_door
from utils.serving.guard import _Allowance
from utils.serving.server import Server
from utils.words.errors import ConfigError, ResourceError

TOKEN = "a-token-of-enough-letters"


@pytest.mark.parametrize("name", ["starlette", "uvicorn", "python_multipart"])
def test_a_missing_library_is_one_line(tmp_path, monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=rf"^--serve: {name} cannot be imported .*pip install -r requirements-serve"):
        Server(desk(tmp_path), Address(port=0))


def test_a_port_in_use(tmp_path):
    door = open_door(Address(port=0))
    with pytest.raises(ResourceError, match="is in use"):
        Server(desk(tmp_path), Address(port=door.getsockname()[1]))
    with Server(desk(tmp_path), Address(port=0), door) as server:  # opened before the checkpoint was read
        assert Browser(server.address).get("/api/status")[0] == 200


def test_the_token_is_shown_once_and_not_in_the_log(tmp_path, caplog, capsys, monkeypatch):
    monkeypatch.setattr(logging.getLogger("defects"), "propagate", True)
    caplog.set_level(logging.INFO, "defects")
    with Server(desk(tmp_path), Address(port=0, token=TOKEN)) as server:
        url = server.address.url()
        Browser(server.address).ask("GET", f"/?token={TOKEN}")
    printed = capsys.readouterr()
    assert printed.out.count(TOKEN) == 1 and f"open {url}?token={TOKEN} " in printed.out
    assert TOKEN not in caplog.text and f"serving at {url}" in caplog.text and TOKEN not in printed.err


def test_it_waits_for_a_signal_and_leaves_nothing(tmp_path):
    threads = threading.active_count()
    with Stop() as stop, Server(desk(tmp_path), Address(port=0)) as server:
        timer = threading.Timer(0.3, lambda: setattr(stop, "received", 2))
        timer.start()
        assert Browser(server.address).get("/api/history")[0] == 200  # which a thread of its own answers
        server.wait(stop)
        folder = server.backend.store.folder
        assert folder.exists()
    assert not folder.exists() and not server.thread.is_alive()
    timer.join()
    with pytest.raises(OSError):
        Browser(server.address).get("/api/status")
    assert threading.active_count() <= threads


def test_a_server_that_ended_by_itself_is_an_error(tmp_path):
    with Stop() as stop, Server(desk(tmp_path), Address(port=0)) as server:
        server.uvicorn.should_exit = True
        with pytest.raises(ResourceError, match="the server ended"):
            server.wait(stop)


def test_so_many_requests_and_no_more():
    now = [0.0]
    allowance = _Allowance(3, 0.5, lambda: now[0])
    assert [allowance.takes_one("a") for _ in range(4)] == [True, True, True, False]
    assert allowance.takes_one("b") and not allowance.has_one("a")
    now[0] = 2.0  # one more by then
    assert allowance.has_one("a") and [allowance.takes_one("a") for _ in range(2)] == [True, False]
    for client in range(1000):
        allowance.takes_one(str(client))
    assert len(allowance._left) == 256


def test_flags():
    def flags(*argv):
        parser = Parser("detect.py", "")
        add_serve(parser)
        values = parser.read(list(argv))
        return values["serve"], values["token_file"]

    assert flags() == ("", "")
    assert flags("--serve") == ("127.0.0.1:8000", "")
    assert flags("--serve", "0.0.0.0:9000", "--token-file", "t") == ("0.0.0.0:9000", "t")
