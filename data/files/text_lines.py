"""The lines of a text file that any editor may have written."""

from __future__ import annotations


def text_lines(raw: bytes) -> list[bytes]:
    """Lines of bytes (LF, CRLF or CR); a byte-order mark is taken off, UTF-16 is turned into UTF-8."""
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raw = raw.decode("utf-16", "replace").encode("utf-8", "replace")
    return raw.removeprefix(b"\xef\xbb\xbf").splitlines()
