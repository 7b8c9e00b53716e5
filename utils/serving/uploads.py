"""Pictures that a browser sends: written to the private folder while they come, each limit checked meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect, Request

from utils.page.backend import MOST_BYTES, MOST_FILES
from utils.page.plain import file_name
from utils.page.refusal import Refused
from utils.page.store import Store
from utils.serving.requests import json_of, prompts_of, questions_of
from utils.words.errors import printable

MOST_REQUEST = 400 << 20  # bytes
MOST_FIELD = 64 << 10
LONGEST_NAME = 200  # letters of a name that are kept
CUT_OFF = "the upload was cut off; send it again"
NO_FORM = "must be a form with files: multipart/form-data with a boundary"

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks


@dataclass
class Form:
    """What came: (name, file) of each picture, and the words around them."""

    files: list[tuple[str, Path]] = field(default_factory=list)
    prompts: str = ""
    questions: tuple[str, ...] = ()


async def read_form(request: Request, store: Store) -> Form:
    """The form of a request, its files in the store. Raises Refused; then none of its files is left."""
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise Refused(415, f"Content-Type {NO_FORM}")
    declared = request.headers.get("content-length", "0")
    if declared.isdecimal() and int(declared[:20]) > MOST_REQUEST:
        raise too_large("the request", MOST_REQUEST)
    parts = _Parts(store)
    try:
        parser = MultipartParser(options[b"boundary"], parts.callbacks())
        async for chunk in request.stream():
            parts.came(len(chunk))
            parser.write(chunk)
        return parts.form()
    except FormParserError as error:
        raise Refused(400, f"the form cannot be read: {printable(str(error))[:200]}; send it again") from error
    except ClientDisconnect as error:
        raise Refused(400, CUT_OFF) from error
    except OSError as error:
        raise Refused(503, f"no room for pictures: {error.strerror or error}; wait, or make some") from error
    finally:
        parts.close()


def too_large(what: str, most: int) -> Refused:
    """More bytes than are taken."""
    return Refused(413, f"{what} has more than {most >> 20:,} MB; send less at once")


class _Parts:
    """Takes a form apart while it comes, as python-multipart calls it."""

    def __init__(self, store: Store) -> None:
        self.store, self.result = store, Form()
        self.bytes, self.complete, self.taken = 0, False, False
        self.header, self.value = bytearray(), bytearray()
        self.disposition = b""
        self.field, self.text = "", bytearray()
        self.file: IO[bytes] | None = None
        self.path: Path | None = None
        self.size = 0

    def callbacks(self) -> MultipartCallbacks:
        """What the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self.header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self.value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._all,
        }

    def came(self, count: int) -> None:
        """Count bytes of the request. Raises Refused."""
        self.bytes += count
        if self.bytes > MOST_REQUEST:
            raise too_large("the request", MOST_REQUEST)

    def form(self) -> Form:
        """All of it. Raises Refused where the end is missing, or there are no files."""
        if not self.complete:
            raise Refused(400, CUT_OFF)
        if not self.result.files:
            raise Refused(400, "there is no picture in the form; add one, as a file called files")
        self.taken = True
        return self.result

    def close(self) -> None:
        """Close what is open, and remove every file of a form that was not taken."""
        self._close_file()
        for _, path in () if self.taken else self.result.files:
            self.store.remove(path)

    def _close_file(self) -> None:
        if self.file is not None:
            self.file.close()
        self.file = None

    def _begin(self) -> None:
        self.disposition, self.field, self.path, self.size = b"", "", None, 0
        self.text.clear()

    def _header_end(self) -> None:
        if self.header.lower() == b"content-disposition":
            self.disposition = bytes(self.value)
        self.header.clear()
        self.value.clear()

    def _headers_end(self) -> None:
        _, options = parse_options_header(self.disposition)
        self.field = options.get(b"name", b"").decode("utf-8", "replace")
        if self.field == "files":
            if len(self.result.files) >= MOST_FILES:
                raise Refused(413, f"more than {MOST_FILES} pictures at once; send fewer")
            name = clean_name(options.get(b"filename", b"").decode("utf-8", "replace"))
            self.path = self.store.new()
            self.result.files.append((name, self.path))
            self.file = open(self.path, "xb")
        elif self.field not in ("prompts", "questions"):
            raise Refused(400, f"unknown field {printable(self.field[:60])}; known are files, prompts, questions")

    def _data(self, data: bytes, start: int, end: int) -> None:
        count = end - start
        self.size += count
        if self.file is None or self.path is None:
            if self.size > MOST_FIELD:
                raise Refused(413, f"{self.field} has more than {MOST_FIELD:,} bytes; send less")
            self.text += data[start:end]
            return
        if self.size > MOST_BYTES:
            raise too_large("a picture", MOST_BYTES)
        if not self.store.claim(self.path, count):
            raise Refused(503, "there is no room for more pictures; wait, or export reviews")
        self.file.write(memoryview(data)[start:end])

    def _end(self) -> None:
        self._close_file()
        if self.path is not None:
            return
        try:
            text = self.text.decode("utf-8")
            if self.field == "prompts":
                self.result.prompts = prompts_of(text)
            else:
                self.result.questions = questions_of(json_of(text)) if text.strip() else ()
        except UnicodeDecodeError as error:
            raise Refused(400, f"{self.field}: must be UTF-8") from error

    def _all(self) -> None:
        self.complete = True


def clean_name(name: str) -> str:
    """What a browser calls a file, as it may be shown: the last part of a path, on one line, not too long."""
    plain = printable(file_name(name.replace("\0", ""))).strip().lstrip(".")
    stem, dot, suffix = plain.rpartition(".")
    if len(plain) > LONGEST_NAME:
        plain = f"{stem[: LONGEST_NAME - 20]}{dot}{suffix[:10]}" if stem else plain[:LONGEST_NAME]
    return plain or "picture"
