"""The lists of a large JSON object, read piece by piece: memory does not grow with the file."""

from __future__ import annotations

import codecs
import json
import os
import re
import stat
from collections.abc import Iterator
from json.decoder import WHITESPACE  # type: ignore[attr-defined]
from pathlib import Path
from typing import Any, BinaryIO

from utils.words.errors import DataError, printable

PIECE = 1 << 16  # bytes read at a time: what is made of more does not stay in the processor's cache
MOST_ENTRY = 1 << 28  # characters of one entry
LONGEST_WORD = 9  # -Infinity
_BETWEEN = re.compile(r"[ \t\n\r]*([,\]])[ \t\n\r]*")


def read_lists(path: Path, keys: tuple[str, ...], most_bytes: int) -> Iterator[tuple[str, list[Any] | None]]:
    """The entries of the lists under `keys` of the object in a file, in its order, in pieces (key, entries).

    (key, []) begins a list; (key, None) says that the value is no list; ("", None) that the file holds no object,
    ("[]", None) that it holds a list. What is under other keys is read and dropped. Raises DataError for a file that
    cannot be read, or is not valid JSON, with the line.
    """
    with _open(path, most_bytes) as file:
        reader = _Reader(path, file)
        try:
            yield from reader.lists(keys)
        # JSONDecodeError comes first: it is a ValueError, too, and the only one that knows its line.
        except json.JSONDecodeError as error:
            line = reader.lines + error.lineno
            raise DataError(f"{printable(str(path))}:{line}: not valid JSON: {error.msg}; mend it") from error
        except (UnicodeDecodeError, RecursionError, ValueError) as error:
            raise DataError(f"{printable(str(path))}: not valid JSON: {type(error).__name__}; mend it") from error


def _open(path: Path, most_bytes: int) -> BinaryIO:
    # Without O_NONBLOCK, opening a named pipe would wait for a writer before it can be refused.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    reason = ""
    try:
        file = open(os.open(path, flags), "rb")
        info = os.fstat(file.fileno())
        if not stat.S_ISREG(info.st_mode):
            reason = "is not a regular file"
        elif info.st_size > most_bytes:
            reason = f"has {info.st_size:,} bytes, more than the {most_bytes:,} allowed"
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else str(error)
        raise DataError(f"{printable(str(path))}: cannot be read: {said}; replace or remove it") from error
    if reason:
        file.close()
        raise DataError(f"{printable(str(path))}: {reason}; replace or remove it")
    return file


class _Reader:
    """The text of a file from `at` on; `lines` is how many ended before the text in hand."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path, self.file = path, file
        self.text, self.at, self.lines, self.ended = "", 0, 0, False
        # Four bytes are enough to tell UTF-8, 16 and 32 apart; `surrogatepass` decodes as json.loads does.
        head = file.read(4)
        file.seek(0)
        self.decoder = codecs.getincrementaldecoder(json.detect_encoding(head))("surrogatepass")
        self.scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]

    def lists(self, keys: tuple[str, ...]) -> Iterator[tuple[str, list[Any] | None]]:
        """See `read_lists`."""
        first = self._next()
        if first != "{":
            self._value()
            self._end()
            yield ("[]" if first == "[" else ""), None
            return
        sign = self._after("{")
        while sign != "}":
            if sign != '"':
                raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self.text, self.at)
            key = self._value()
            if self._next() != ":":
                raise json.JSONDecodeError("Expecting ':' delimiter", self.text, self.at)
            self._after(":")
            if key in keys:
                yield from self._list(key)
            else:
                self._value()
            sign = self._next()
            if sign == ",":
                sign = self._after(",")
                if sign == "}":
                    raise json.JSONDecodeError("Illegal trailing comma before end of object", self.text, self.at)
            elif sign != "}":
                raise json.JSONDecodeError("Expecting ',' delimiter", self.text, self.at)
        self._after("}")
        self._end()

    def _list(self, key: str) -> Iterator[tuple[str, list[Any] | None]]:
        if self._next() != "[":
            self._value()
            yield key, None
            return
        yield key, []
        if self._after("[") == "]":
            self._after("]")
            return
        done = False
        while not done:
            many = self._many()
            if many:
                yield key, many
            # One entry reaches beyond the text in hand: then back to the bulk. Where the bulk failed: entry by entry.
            entries, done = self._some(alone=many is not None)
            yield key, entries

    def _many(self) -> list[Any] | None:
        """The entries that end in the text in hand, parsed together: faster than one by one.

        They are cut off at the last brace, if a comma and more text follow it, else there are none. None where that
        brace ends something else than an entry of this list, or something is wrong: `_some` then finds out which.
        """
        end = len(self.text)
        for _ in range(3):  # the last brace, or one before, where the text in hand ends right behind it
            end = self.text.rfind("}", self.at, end)
            between = _BETWEEN.match(self.text, end + 1) if end >= 0 else None
            if between is not None and between.end() < len(self.text):
                break
        if between is None or between[1] != "," or between.end() == len(self.text):
            return []
        try:
            entries = json.loads(f"[{self.text[self.at : end + 1]}]")
        except json.JSONDecodeError:
            return None
        self.at = between.end()
        return list(entries)

    def _some(self, alone: bool) -> tuple[list[Any], bool]:
        """One entry, or all that end in the text in hand, and whether the list ends with them."""
        entries = [self._value()]
        while (sign := self._next()) == ",":
            self._after(",")
            if alone:
                return entries, False
            if (found := self._whole()) is None:
                return entries, False
            entries.append(found[0])
        if sign != "]":
            raise json.JSONDecodeError("Expecting ',' delimiter", self.text, self.at)
        self._after("]")
        return entries, True

    def _value(self) -> Any:
        """The next value, with as much more text as it needs."""
        self._next()
        while (found := self._whole()) is None:
            self._more()
        return found[0]

    def _whole(self) -> tuple[Any] | None:
        """The value at `at` when all of it is in hand."""
        try:
            value, end = self.scan(self.text, self.at)
        except StopIteration as error:
            # No value begins here; with less than the longest word in hand it may be a `true` cut in two.
            if self.ended or len(self.text) - error.value > LONGEST_WORD:
                raise json.JSONDecodeError("Expecting value", self.text, error.value) from None
            return None
        except json.JSONDecodeError:
            # An unfinished value fails as a broken one does: only more text, up to a limit, shows which it is.
            if self.ended or len(self.text) - self.at > MOST_ENTRY:
                raise
            return None
        if not self.ended and len(self.text) - end < LONGEST_WORD and type(value) in (int, float):
            return None  # it may go on: 1, 1.5, 1.5e3
        if not self.ended and end == len(self.text):
            return None
        self.at = end
        return (value,)

    def _next(self) -> str:
        """The next character that is no blank, at `at`; empty at the end of the file."""
        while True:
            self.at = WHITESPACE.match(self.text, self.at).end()
            if self.at < len(self.text) or self.ended:
                return self.text[self.at : self.at + 1]
            self._more()

    def _after(self, sign: str) -> str:
        self.at += len(sign)
        return self._next()

    def _end(self) -> None:
        if self._next():
            raise json.JSONDecodeError("Extra data", self.text, self.at)

    def _more(self) -> None:
        """Drop what was read, then read on: as much again as is in hand, so that a long entry is tried a few times."""
        # Counted before the text is dropped: an error's line is that in the file, not that in the text in hand.
        self.lines += self.text.count("\n", 0, self.at)
        rest = self.text[self.at :]
        raw = self.file.read(max(PIECE, len(rest)))
        self.ended = not raw
        self.text, self.at = rest + self.decoder.decode(raw, final=self.ended), 0
