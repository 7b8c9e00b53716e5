"""The server in a thread of its own, from the first moment to the last."""

from __future__ import annotations

import importlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from functools import partial
from types import TracebackType

from tqdm import tqdm

from utils.console.log import LOG
from utils.console.signals import Stop
from utils.page.backend import Backend
from utils.page.desk import Desk
from utils.page.live import Live
from utils.serving.address import Address, address_of, open_door
from utils.serving.bodies import Patience
from utils.words.errors import ConfigError, ResourceError

INSTALL = "python -m pip install -r requirements-serve.txt"
LIBRARIES = ("starlette", "uvicorn", "python_multipart")
START_S, STOP_S = 10.0, 5.0


def check_libraries() -> None:
    """Raise ConfigError where one of the libraries is not installed."""
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise ConfigError(f"--serve: {name} cannot be imported ({error}); {INSTALL}") from error


class Server:
    """Serves the page of a desk while it is entered.

    `door`: of `open_door`, where that was opened before, so that a port in use is known before a checkpoint is read.
    Raises ConfigError where a library is missing, ResourceError for a port in use.
    """

    def __init__(
        self, desk: Desk, address: Address, door: socket.socket | None = None, patience: Patience | None = None
    ) -> None:
        check_libraries()
        self.door = door or open_door(address)
        self.address = address.at(self.door.getsockname()[1])
        self.desk, self.patience = desk, patience

    @property
    def live(self) -> Live:
        """Where a line's results go."""
        return self.backend.live

    def __enter__(self) -> Server:
        import uvicorn

        from utils.serving.app import make_app
        from utils.serving.connection import Connection
        from utils.serving.guard import Guard

        self.backend = Backend(self.desk)
        for name in ("uvicorn", "python_multipart"):  # it has its own words, which nobody asked for
            logger = logging.getLogger(name)
            logger.handlers[:], logger.propagate = [logging.NullHandler()], False
        config = uvicorn.Config(
            Guard(make_app(self.backend), self.address, self.patience),
            http=Connection,
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=16 << 10,
            timeout_graceful_shutdown=int(STOP_S),
        )
        self.uvicorn = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.uvicorn.run, args=([self.door],), name="the page", daemon=True)
        self.backend.start()
        self.thread.start()
        _wait(lambda: self.uvicorn.started or not self.thread.is_alive(), START_S)
        if not self.uvicorn.started:
            self.close()
            raise ResourceError(f"--serve: the server did not start at {self.address.url()}; try another port")
        self._say()
        return self

    def _say(self) -> None:
        LOG.info("serving at %s; Ctrl-C ends it", self.address.url())
        if self.address.token:  # past the log, which is a file that is handed on
            tqdm.write(f"open {self.address.url()}?token={self.address.token} (whoever has this address may do so)")
        if not self.address.loopback:
            LOG.warning("--serve: what goes over the network is not encrypted; use it in a network that you trust")

    def wait(self, stop: Stop) -> None:
        """Until a signal came. Raises ResourceError where the server ended by itself."""
        while not stop.received:
            if not self.thread.is_alive():
                raise ResourceError("--serve: the server ended; start it again")
            time.sleep(0.1)

    def close(self) -> None:
        """End: requests that are served are finished, reviews are written, the pictures that were sent are removed."""
        self.uvicorn.should_exit = True
        self.thread.join(2 * STOP_S)
        self.door.close()
        self.backend.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def at_door(place: str, token_file: str) -> Callable[[Desk], Server]:
    """What serves a desk at HOST:PORT, whose door is opened now: a port in use is known before a checkpoint is read.
    Raises UserError.
    """
    check_libraries()
    address = address_of(place, token_file)
    return partial(Server, address=address, door=open_door(address))


def _wait(until: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        time.sleep(0.01)
