"""A connection of uvicorn's that nobody can hold by being slow, of which there is a bounded number."""

from __future__ import annotations

import asyncio
from typing import cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from utils.page.plain import as_json

MOST = 128  # at once
HEAD_S = 15.0  # for a request's first lines, and between two requests
READ_S = 30.0  # that a client may read nothing of an answer
_BUSY = as_json({"error": f"{MOST} connections are open already; close some, or wait"})


class Connection(H11Protocol):
    """One client. uvicorn itself has no limit to how long the first lines of a request, or reading an answer, takes."""

    head_s, read_s, most = HEAD_S, READ_S, MOST
    _head: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a client, in the place of the one that has been idle for longest if there are too many."""
        if len(self.connections) >= self.most and not self._make_room():
            self.transport = transport
            head = f"HTTP/1.1 503 \r\ncontent-type: application/json\r\ncontent-length: {len(_BUSY)}\r\n"
            transport.write(f"{head}connection: close\r\n\r\n".encode() + _BUSY)
            transport.close()
            return
        super().connection_made(transport)
        self._await_head()

    def _make_room(self) -> bool:
        idle = [one for one in self.connections if isinstance(one, Connection) and one._head is not None]
        if not idle:
            return False
        longest = min(idle, key=lambda one: cast(asyncio.TimerHandle, one._head).when())
        self.connections.discard(longest)
        longest.transport.abort()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the client."""
        self._stop_timers()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes; what is no HTTP in the middle of an answer ends the connection."""
        try:
            super().data_received(data)
        except h11.ProtocolError:
            self.transport.abort()

    def handle_events(self) -> None:
        """Begin what was asked for."""
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete and self._head is not None:
            self._head.cancel()
            self._head = None

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._await_head()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        super().pause_writing()
        self._reading = self.loop.call_later(self.read_s, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads again."""
        super().resume_writing()
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _await_head(self) -> None:
        if self._head is not None:
            self._head.cancel()
        self._head = None if self.transport.is_closing() else self.loop.call_later(self.head_s, self.transport.abort)

    def _stop_timers(self) -> None:
        for timer in (self._head, self._reading):
            if timer is not None:
                timer.cancel()
        self._head = self._reading = None
