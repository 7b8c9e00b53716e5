"""Who may ask, and what a browser may do with the answers: around everything that the server serves."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from utils.page.plain import as_json
from utils.page.refusal import Refused
from utils.serving.address import Address
from utils.serving.bodies import Body, Message, Patience, Receive, Send

App = Callable[[Any, Receive, Send], Awaitable[None]]
READS = ("GET", "HEAD")
CSRF_HEADER, CSRF_VALUE = b"x-requested-by", b"page"
SECURITY = {
    b"content-security-policy": b"default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    b"form-action 'self'; frame-ancestors 'none'",
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"no-referrer",
    b"x-frame-options": b"DENY",
    b"cross-origin-resource-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cache-control": b"no-store",
}
REQUESTS_PER_S, BURST, CLIENTS = 200.0, 1000.0, 256
_JSON = (b"content-type", b"application/json")
_GO_ON = b'<!doctype html><meta http-equiv="refresh" content="0;url=/"><title>...</title>'
WRONG_MOST, WRONG_S = 10, 60.0  # wrong tokens of a client, and how long they are remembered


class Guard:
    """Lets through what this server's own page, or a program with the token, may have asked for."""

    def __init__(
        self,
        app: App,
        address: Address,
        patience: Patience | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.app, self.address, self.patience = app, address, patience or Patience()
        self.requests = _Allowance(BURST, REQUESTS_PER_S, clock)
        self.wrong_tokens = _Allowance(WRONG_MOST, WRONG_MOST / WRONG_S, clock)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request, as ASGI wants it."""
        assert scope["type"] == "http", "nothing else is configured"
        headers = {name.lower(): value for name, value in scope["headers"]}
        body = Body(headers, receive, _with_headers(send), self.patience)
        try:
            self._check(scope, headers)
            cookie = self._logs_in(scope)
        except Refused as refused:
            await _answer(body.send, refused.status, as_json({"error": refused.line}), [_JSON])
            return
        if cookie:
            # no 303: a browser that came from elsewhere would follow it without this cookie, which is for us alone
            await _answer(body.send, 200, _GO_ON, [(b"content-type", b"text/html"), (b"set-cookie", cookie)])
            return
        await self.app(scope, body.receive, body.send)

    def _check(self, scope: dict[str, Any], headers: dict[bytes, bytes]) -> None:
        """Raise Refused for what is not to be served."""
        client = str((scope.get("client") or ("",))[0])
        if not self.requests.takes_one(client):
            raise Refused(429, "too many requests; wait a moment")
        host = headers.get(b"host", b"").decode("latin-1")
        if not self.address.answers_to(host) or sum(name.lower() == b"host" for name, _ in scope["headers"]) != 1:
            raise Refused(403, f"this server answers to {self.address.url()} only; open that")
        home = scope["path"] == "/"
        if headers.get(b"sec-fetch-site", b"none") not in (b"same-origin", b"none") and not home:
            raise Refused(403, "another site asked for this; open the page itself")
        if scope["method"] not in READS:
            _check_write(headers, host)
        if self.address.token:
            self._check_token(scope, headers, client)

    def _check_token(self, scope: dict[str, Any], headers: dict[bytes, bytes], client: str) -> None:
        shown = _token_of(scope, headers, self.address.cookie)
        if shown and not self.wrong_tokens.has_one(client):
            raise Refused(429, "too many wrong tokens; wait a minute")
        if self.address.takes(shown):
            return
        if shown:
            self.wrong_tokens.takes_one(client)
        raise Refused(401, "no token, or a wrong one; open the address that was printed when the server started")

    def _logs_in(self, scope: dict[str, Any]) -> bytes:
        """The cookie for a browser that shows the token in the address; the address is then changed for one without."""
        if not (self.address.token and scope["path"] == "/" and _in_query(scope)):
            return b""
        return f"{self.address.cookie}={self.address.token}; HttpOnly; SameSite=Strict; Path=/".encode()


class _Allowance:
    """`most` at once, and `per_s` on and on, for each of the newest clients."""

    def __init__(self, most: float, per_s: float, clock: Callable[[], float]) -> None:
        self.most, self.per_s, self.clock = most, per_s, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def has_one(self, client: str) -> bool:
        """Whether one is left."""
        left, then = self._left.get(client, (self.most, self.clock()))
        return min(left + (self.clock() - then) * self.per_s, self.most) >= 1

    def takes_one(self, client: str) -> bool:
        """Take one; False: there was none."""
        now = self.clock()
        left, then = self._left.pop(client, (self.most, now))
        left = min(left + (now - then) * self.per_s, self.most)
        self._left[client] = (left - 1, now) if left >= 1 else (left, now)
        while len(self._left) > CLIENTS:
            self._left.popitem(last=False)
        return left >= 1


def _check_write(headers: dict[bytes, bytes], host: str) -> None:
    """Raise Refused for what a page of somebody else's could have sent."""
    if headers.get(CSRF_HEADER, b"") != CSRF_VALUE:
        raise Refused(403, "the header X-Requested-By: page is missing; send it")
    origin = headers.get(b"origin")
    if origin is not None and origin.decode("latin-1").lower() not in (
        f"http://{host}".lower(),
        f"https://{host}".lower(),
    ):
        raise Refused(403, "another site asked for this; open the page itself")


def _token_of(scope: dict[str, Any], headers: dict[bytes, bytes], name: str) -> str:
    """The token that a request shows: in a header, in a cookie, or, for the page itself, in its address."""
    kind, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if kind.lower() == "bearer" and token:
        return token.strip()
    cookies: SimpleCookie = SimpleCookie()
    try:
        cookies.load(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        cookies.clear()
    in_cookie = cookies[name].value if name in cookies else ""
    # the address counts first: it is newer than a cookie of an earlier session
    return (_in_query(scope) if scope["path"] == "/" else "") or in_cookie


def _in_query(scope: dict[str, Any]) -> str:
    try:
        return parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=10).get("token", [""])[0]
    except ValueError:  # more fields than that
        return ""


def _with_headers(send: Send) -> Send:
    """The same with what browsers are told about every answer; what an answer says itself stays."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = {name.lower() for name, _ in message["headers"]}
            more = [(name, value) for name, value in SECURITY.items() if name not in own]
            message = {**message, "headers": [*message["headers"], *more]}
        await send(message)

    return sending


async def _answer(send: Send, status: int, body: bytes, more: list[tuple[bytes, bytes]]) -> None:
    headers = [(b"content-length", str(len(body)).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
