"""Absolute paths name people and machines: what is handed on says `.../name` in their place."""

from __future__ import annotations

import os
import re
from typing import Any

LEFT_OUT = ".../"  # stands where the folders of an absolute path stood
# where an absolute path begins: not inside of a relative one, a URL, a tag or a pattern
_BEGIN = re.compile(r"(?<![\w.~/\\<*)}\]-])(?:/(?=[^\s/])|(?<!:)//+(?=[^\s/])|[A-Za-z]:[\\/](?=[^\s\\/]))")
_SLASH, _BLANK = re.compile(r"[\\/]"), re.compile(r"\s")
_REDUCED = re.compile(r"(?<![\w.])\.\.\./")
_ENDS = re.compile(r"[\s:;,'\"]")  # in a sentence a name with one of these is part of a path only if it exists


def without_folders(value: Any) -> Any:
    """`value` (plain values, nested) with each absolute path in its texts reduced to its last part."""
    return _Reducer().reduce(value)


def is_reduced(text: str) -> bool:
    """Whether folders were left out of `text`."""
    return bool(_REDUCED.search(text))


class _Reducer:
    """Asks the disk about each folder once: only it knows where a path with blanks ends in a sentence."""

    def __init__(self) -> None:
        self.folders: dict[str, bool] = {}

    def reduce(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, dict):
            return {key: self.reduce(part) for key, part in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.reduce(part) for part in value)
        return value

    def _text(self, text: str) -> str:
        parts, done = [], 0
        for match in _BEGIN.finditer(text):
            if match.start() >= done:
                parts += [text[done : match.start()], LEFT_OUT]
                done = self._end_of_folders(text, match.start(), match.end())
        return "".join([*parts, text[done:]])

    def _end_of_folders(self, text: str, start: int, end: int) -> int:
        """Where the last part of the path text[start:] begins, of which text[start:end] is the root."""
        alone = not _BLANK.search(text[:start]) and ": " not in text  # a word, not a sentence
        while slash := _SLASH.search(text, end):
            part = text[end : slash.start()]
            last = not text[slash.end() : slash.end() + 1].strip()  # a folder named with a slash behind it
            if last or not (alone or not _ENDS.search(part) or self._is_folder(text[start : slash.start()])):
                break
            end = slash.end()
        return end

    def _is_folder(self, path: str) -> bool:
        if path not in self.folders:
            self.folders[path] = os.path.isdir(path)
        return self.folders[path]
