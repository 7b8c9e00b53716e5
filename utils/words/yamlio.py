"""YAML that remembers on which line each value stood, so that every later complaint can name `file:line`.

Only plain data is read: maps, lists, text, numbers, true and false, null. Duplicate keys are refused, and a small
budget of bytes, nodes and depth stops bombs before they are built. What two versions of YAML read differently stays
text, as it is written: 010 (8 or 10), 12:30 (750 or text), dates; so do whole numbers that 64 bits cannot hold. A key
is a whole number or text as it is written. `Document.text` has any other value as it is written, for names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from utils.words.errors import ConfigError, printable
from utils.words.regular_file import UnreadableFile, read_regular

MAX_BYTES = 1_000_000
MAX_NODES = 60_000
MAX_DEPTH = 32
SCALARS = {f"tag:yaml.org,2002:{kind}": kind for kind in ("str", "int", "float", "bool", "null")}
COLLECTIONS: dict[type[yaml.Node], str] = {
    yaml.MappingNode: "tag:yaml.org,2002:map",
    yaml.SequenceNode: "tag:yaml.org,2002:seq",
}
MERGE = "tag:yaml.org,2002:merge"
TOO_MUCH = "too many or too deeply nested values for a configuration"
WHOLE_KEY = re.compile(r"-?(0|[1-9][0-9]{0,17})")
# 010 and 12:30 of YAML 1.1: octal and sexagesimal; YAML 1.2 has neither
DISPUTED = re.compile(r"[-+]?0[0-9_]+|.*:.*", re.DOTALL)
HALF = re.compile("[\ud800-\udfff]")  # of a pair that makes one character in UTF-16: "\\ud83d" alone is none
LARGEST, MAX_DIGITS = 2**63, 100

Key = str | int


@dataclass(frozen=True, eq=False)
class Document:
    """A parsed YAML file: plain `data`, and the line and the text of every value, looked up by its path of keys."""

    path: Path
    data: Any
    lines: dict[tuple[Key, ...], int] = field(repr=False)
    texts: dict[tuple[Key, ...], str] = field(repr=False, default_factory=dict)

    def where(self, *keys: Key) -> str:
        """`file:line` of the value under `keys`, or of its nearest enclosing value."""
        while keys not in self.lines and keys:
            keys = keys[:-1]
        return f"{printable(str(self.path))}:{self.lines.get(keys, 1)}"

    def error(self, message: str, *keys: Key) -> ConfigError:
        """A ConfigError that points at the value under `keys`."""
        return ConfigError(f"{self.where(*keys)}: {message}")

    def text(self, *keys: Key) -> str | None:
        """The scalar under `keys` as it is written, without its quotes: 1.10, 010, yes; None where there is none."""
        return self.texts.get(keys)


def read_yaml(path: str | Path) -> Document:
    """Parse `path`. Raises ConfigError with file and line for syntax errors, duplicate keys, foreign tags and bombs."""
    try:
        raw = read_regular(path, MAX_BYTES)
    except UnreadableFile as error:
        raise ConfigError(f"{printable(str(path))}: {error}; a configuration is a small text file") from error
    return parse_yaml(raw, path)


def parse_yaml(raw: bytes | str, path: str | Path) -> Document:
    """Parse YAML text; `path` names it in messages. Same errors as `read_yaml`."""
    path = Path(path)
    where = printable(str(path))
    _check_depth(raw, where)
    try:
        loader = _Loader(raw)
        try:
            node = loader.get_single_node()
            builder = _Builder(loader, where)
            data = None if node is None else builder.build(node, ())
        finally:
            loader.dispose()
    except RecursionError as error:
        raise ConfigError(f"{where}: {TOO_MUCH}") from error
    except (yaml.YAMLError, UnicodeError, ValueError) as error:
        raise ConfigError(_syntax_message(where, error)) from error
    return Document(path, data, builder.lines, builder.texts)


def _check_depth(raw: bytes | str, where: str) -> None:
    """Refuse walls of brackets before the parser, whose time grows with the square of their depth, sees them."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > 4 * MAX_DEPTH:
            line = text.count("\n", 0, bracket.start()) + 1
            raise ConfigError(f"{where}:{line}: {TOO_MUCH}")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which gives up on what is too large while it reads, not afterwards."""

    nodes = depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """As PyYAML does it, counting nodes and depth."""
        self.nodes += 1
        self.depth += 1
        if self.nodes > MAX_NODES or self.depth > MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, TOO_MUCH, self.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


class _Builder:
    """Turns composed nodes into plain values, noting lines and texts and counting nodes, those of aliases too."""

    def __init__(self, loader: _Loader, where: str) -> None:
        self.loader, self.where = loader, where
        self.lines: dict[tuple[Key, ...], int] = {}
        self.texts: dict[tuple[Key, ...], str] = {}
        self.nodes = 0

    def build(self, node: yaml.Node, keys: tuple[Key, ...]) -> Any:
        self.lines[keys] = node.start_mark.line + 1
        self.nodes += 1
        if self.nodes > MAX_NODES or len(keys) > MAX_DEPTH:
            raise self._error(node, TOO_MUCH)
        if isinstance(node, yaml.ScalarNode):
            if HALF.search(node.value):
                raise self._error(node, f"'{printable(node.value[:60])}' holds half a character; write it whole")
            self.texts[keys] = node.value
            return self._scalar(node)
        if node.tag != COLLECTIONS.get(type(node)):
            raise self._error(node, f"tag {printable(node.tag)} is not allowed here; plain values only")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, keys)
        return [self.build(child, (*keys, i)) for i, child in enumerate(node.value)]

    def _mapping(self, node: yaml.MappingNode, keys: tuple[Key, ...]) -> dict[Key, Any]:
        result: dict[Key, Any] = {}
        for key_node, value_node in node.value:
            key = self._key(key_node)
            if key in result:
                first = self.lines[(*keys, key)]
                shown = printable(str(key))[:60]
                raise self._error(key_node, f"key '{shown}' appears twice, first on line {first}; remove one")
            result[key] = self.build(value_node, (*keys, key))
            self.lines[(*keys, key)] = key_node.start_mark.line + 1
        return result

    def _key(self, node: yaml.Node) -> Key:
        if not isinstance(node, yaml.ScalarNode):
            raise self._error(node, "a key must be a plain word or number")
        if node.tag == MERGE and node.style is None:
            raise self._error(node, "merged maps (<<) are not read; write the keys out")
        whole = node.style is None and WHOLE_KEY.fullmatch(node.value)
        return int(node.value) if whole else str(node.value)

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        """The value of a scalar; plain text wherever YAML's types are not certain, see the top of this file."""
        implied = node.style is None and node.tag == self.loader.resolve(yaml.ScalarNode, node.value, (True, False))
        kind = SCALARS.get(node.tag)
        if implied and (kind is None or (kind in ("int", "float") and DISPUTED.fullmatch(node.value))):
            return node.value
        if kind is None:
            raise self._error(node, f"tag {printable(node.tag)} is not allowed; plain values only")
        if kind in ("int", "float") and len(node.value) > MAX_DIGITS:
            raise self._error(node, f"a number of {len(node.value):,} digits; put text in quotes")
        try:
            value = self.loader.construct_object(node)
        except (ValueError, LookupError, AttributeError) as error:  # PyYAML takes what a tag says for granted
            if implied:  # 0b_
                return node.value
            shown = printable(node.value)[:60]
            raise self._error(node, f"'{shown}' is not of the type {kind} that its tag says") from error
        return node.value if isinstance(value, int) and abs(value) >= LARGEST else value

    def _error(self, node: yaml.Node, message: str) -> ConfigError:
        return ConfigError(f"{self.where}:{node.start_mark.line + 1}: {message}")


def _syntax_message(where: str, error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        problem = " ".join(str(part) for part in (error.context, error.problem) if part)
        if error.problem == TOO_MUCH:
            return f"{where}:{error.problem_mark.line + 1}: {TOO_MUCH}"
        return f"{where}:{error.problem_mark.line + 1}: not valid YAML: {printable(problem)[:200]}"
    if isinstance(error, yaml.reader.ReaderError):
        return f"{where}: not valid YAML: {error.reason} at position {error.position}"
    return f"{where}: not valid YAML: {printable(' '.join(str(error).split()))[:200]}"
