"""What a request sends, within a time; and answers to requests that have not sent all of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from utils.page.refusal import Refused

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True)
class Patience:
    """Seconds: that a body may take in `all`, that it may `stall`, and that the rest of a refused one is read on, as a
    client that is still sending sees no answer when its connection is cut.
    """

    all: float = 30.0
    stall: float = 10.0
    rest: float = 2.0


class Body:
    """The channel of one request, as ASGI wants it: `receive` and `send`, both bounded in time."""

    def __init__(self, headers: dict[bytes, bytes], receive: Receive, send: Send, patience: Patience) -> None:
        self._receive, self._send, self._patience = receive, send, patience
        self._until: float | None = None
        length = headers.get(b"content-length", b"0").strip(b"0 ")
        self.ended = not length and b"transfer-encoding" not in headers

    async def receive(self) -> Message:
        """The next part. Raises Refused with 408."""
        if self.ended:
            return await self._receive()
        now = asyncio.get_running_loop().time()
        self._until = now + self._patience.all if self._until is None else self._until
        try:
            async with asyncio.timeout_at(min(self._until, now + self._patience.stall)):
                message = await self._receive()
        except TimeoutError as error:
            raise Refused(408, "the request took too long; send it again, over a faster connection") from error
        self._note(message)
        return message

    def _note(self, message: Message) -> None:
        self.ended = message["type"] != "http.request" or not message.get("more_body", False)

    async def send(self, message: Message) -> None:
        """Part of the answer. After one to a request that is still being sent the connection is closed."""
        if message["type"] == "http.response.start" and not self.ended:
            message = {**message, "headers": [*message["headers"], (b"connection", b"close")]}
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not last or self.ended:
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        await self._leave_out_the_rest()
        await self._send({"type": "http.response.body", "body": b""})

    async def _leave_out_the_rest(self) -> None:
        try:
            async with asyncio.timeout(self._patience.rest):
                while not self.ended:
                    self._note(await self._receive())
        except TimeoutError:
            self.ended = True
