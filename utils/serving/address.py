"""Where the server listens, under which names it answers, and the token that others than this machine need."""

from __future__ import annotations

import errno
import hmac
import ipaddress
import re
import secrets
import socket
from dataclasses import dataclass, field, replace

from utils.words.errors import ConfigError, ResourceError, printable
from utils.words.regular_file import UnreadableFile, read_regular

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 8000
FORM = "must be HOST:PORT, such as 127.0.0.1:8000"
_TOKEN = re.compile(r"[A-Za-z0-9_.~-]{16,256}")  # what is safe in an address, a cookie and a header
_NAME = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")
_OF_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Address:
    """A host and a port (0: any that is free). `token`: whoever asks must show it; "": nobody needs one."""

    host: str = DEFAULT_HOST
    port: int = DEFAULT_PORT
    token: str = field(default="", repr=False)

    @property
    def loopback(self) -> bool:
        """Whether only programs on this machine reach it."""
        return is_loopback(self.host)

    @property
    def cookie(self) -> str:
        """The cookie that holds the token: cookies of a host are shared by all of its ports."""
        return f"defects-{self.port}"

    def url(self) -> str:
        """What to open in a browser, without the token."""
        host = socket.gethostname() if _is_any(self.host) else self.host
        return f"http://{_bracketed(host)}:{self.port}/"

    def at(self, port: int) -> Address:
        """The same host with the port that it got."""
        return replace(self, port=port)

    def answers_to(self, header: str) -> bool:
        """Whether the Host header of a request names this server.

        Another name that leads here is refused, however it does: a page from elsewhere could rebind its own name to
        this address, and would then be asked as if it were ours. Of a server on all addresses the numbers are taken,
        which cannot be rebound, and the name of this machine.
        """
        host, port = _split(header.strip().lower())
        if port != str(self.port) and not (port == "" and self.port == 80):
            return False
        if _is_any(self.host):
            return _is_number(host) or host in ("localhost", socket.gethostname().lower())
        return host == self.host.lower() or (self.loopback and host in _OF_LOOPBACK)

    def takes(self, token: str) -> bool:
        """Whether that is the token, compared in a time that does not tell how much of it was right."""
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self.token.encode())


def address_of(text: str, token_file: str = "") -> Address:
    """`HOST:PORT`, `HOST`, `:PORT` or `PORT` as an address, with the token of a file if there is one; beyond this
    machine a new one. Raises ConfigError.
    """
    host, port = ("", text) if text.isdecimal() else _split(text)
    host, port = host or DEFAULT_HOST, port or str(DEFAULT_PORT)
    if not (_is_number(host) or _NAME.fullmatch(host)) or not port.isdecimal() or not 0 <= int(port[:6]) <= 65_535:
        raise ConfigError(f"--serve {printable(text[:60])}: {FORM}")
    token = read_token(token_file) if token_file else "" if is_loopback(host) else secrets.token_urlsafe(32)
    return Address(host, int(port), token)


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach this host."""
    return host.lower() == "localhost" or (_is_number(host) and ipaddress.ip_address(host).is_loopback)


def read_token(path: str) -> str:
    """The token of a file. Raises ConfigError."""
    place = f"--token-file {printable(path)}"
    try:
        token = read_regular(path, 4096).decode("ascii").strip()
    except UnreadableFile as error:
        raise ConfigError(f"{place}: {error}; name a file with a token") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{place}: holds more than letters and digits; write a token of 16 or more") from error
    if not _TOKEN.fullmatch(token):
        raise ConfigError(f"{place}: a token has 16 to 256 letters, digits and - . _ ~ on one line; write such a one")
    return token


def open_door(address: Address) -> socket.socket:
    """A socket that listens at the address, so that a port in use is known before anything else is done. Raises
    ResourceError.
    """
    place = f"{_bracketed(address.host)}:{address.port}"
    try:
        family, kind, protocol, _, where = _resolved(address)
        door = socket.socket(family, kind, protocol)
    except OSError as error:
        said = error.strerror or error
        raise ResourceError(f"--serve {place}: {said}; give an address of this machine") from error
    try:
        # where Windows has this, another program could take the port beside us without it
        option = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
        door.setsockopt(socket.SOL_SOCKET, option, 1)
        door.bind(where)
        door.listen(128)
        door.setblocking(False)
    except OSError as error:
        door.close()
        raise _no_door(address, error) from error
    return door


def _resolved(address: Address) -> tuple[int, int, int, str, tuple[object, ...]]:
    found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return min(found, key=lambda one: one[0] != socket.AF_INET)  # localhost: rather 127.0.0.1 than ::1


def _no_door(address: Address, error: OSError) -> ResourceError:
    host = _bracketed(address.host)
    if isinstance(error, PermissionError):
        return ResourceError(f"port {address.port} is not for users; --serve {host}:{DEFAULT_PORT}")
    if error.errno == errno.EADDRINUSE:
        return ResourceError(f"port {address.port} is in use; --serve {host}:{_next(address.port)}")
    said = error.strerror or error
    return ResourceError(f"--serve {host}:{address.port}: {said}; give an address of this machine")


def _next(port: int) -> int:
    return port + 1 if port < 65_535 else DEFAULT_PORT


def _split(text: str) -> tuple[str, str]:
    """Host and port of `host:port`, `[v6]:port` or either alone; "" for what is missing."""
    found = re.fullmatch(r"(?:\[([0-9a-fA-F:.%]+)\]|([^:\[\]]*))(?::(\d{0,5}))?", text)
    if found:
        return found[1] or found[2], found[3] or ""
    return (text, "") if _is_number(text) else ("/", "")  # ::1 without brackets; no host is called "/"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_any(host: str) -> bool:
    return _is_number(host) and ipaddress.ip_address(host).is_unspecified
