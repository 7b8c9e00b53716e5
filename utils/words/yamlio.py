"""YAML that remembers on which line each value stood, so that every later complaint can name `file:line`.

Only plain data is read (the semantics of `yaml.safe_load`), duplicate keys are refused, and a small budget of nodes and
depth stops alias bombs before they are built.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from utils.words.errors import ConfigError

MAX_BYTES = 8_000_000
MAX_NODES = 200_000
MAX_DEPTH = 32
PLAIN_COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")

Key = str | int


@dataclass(frozen=True, eq=False)
class Document:
    """A parsed YAML file: plain `data` and the line of every value, looked up by its path of keys."""

    path: Path
    data: Any
    lines: dict[tuple[Key, ...], int] = field(repr=False)

    def where(self, *keys: Key) -> str:
        """`file:line` of the value under `keys`, or of its nearest enclosing value."""
        while keys not in self.lines and keys:
            keys = keys[:-1]
        return f"{self.path}:{self.lines.get(keys, 1)}"

    def error(self, message: str, *keys: Key) -> ConfigError:
        """A ConfigError that points at the value under `keys`."""
        return ConfigError(f"{self.where(*keys)}: {message}")


def read_yaml(path: str | Path) -> Document:
    """Parse `path`. Raises ConfigError with file and line for syntax errors, duplicate keys, foreign tags and bombs."""
    path = Path(path)
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES:,} bytes; a configuration is a small text file")
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror or error}") from error
    return parse_yaml(raw, path)


def parse_yaml(raw: bytes | str, path: str | Path) -> Document:
    """Parse YAML text; `path` names it in messages. Same errors as `read_yaml`."""
    path = Path(path)
    _check_depth(raw, path)
    try:
        loader = yaml.SafeLoader(raw)
        try:
            node = loader.get_single_node()
            builder = _Builder(loader, path)
            data = None if node is None else builder.build(node, ())
        finally:
            loader.dispose()
    except RecursionError as error:
        raise ConfigError(f"{path}: nested too deeply") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise ConfigError(_syntax_message(path, error)) from error
    return Document(path, data, builder.lines)


def _check_depth(raw: bytes | str, path: Path) -> None:
    """Refuse walls of brackets before the parser, whose time grows with the square of their depth, sees them."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    depth = 0
    for bracket in re.finditer(r"[\[\]{}]", text):
        depth += 1 if bracket.group() in "[{" else -1
        if depth > 4 * MAX_DEPTH:
            line = text.count("\n", 0, bracket.start()) + 1
            raise ConfigError(f"{path}:{line}: too many or too deeply nested values for a configuration")


class _Builder:
    """Turns composed nodes into plain values, noting lines and counting nodes."""

    def __init__(self, loader: yaml.SafeLoader, path: Path) -> None:
        self.loader, self.path = loader, path
        self.lines: dict[tuple[Key, ...], int] = {}
        self.nodes = 0

    def build(self, node: yaml.Node, keys: tuple[Key, ...]) -> Any:
        line = node.start_mark.line + 1
        self.lines[keys] = line
        self.nodes += 1
        if self.nodes > MAX_NODES or len(keys) > MAX_DEPTH:
            raise ConfigError(f"{self.path}:{line}: too many or too deeply nested values for a configuration")
        if isinstance(node, yaml.CollectionNode) and node.tag not in PLAIN_COLLECTIONS:
            raise ConfigError(f"{self.path}:{line}: tag {node.tag} is not allowed; plain values only")
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, keys)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*keys, i)) for i, child in enumerate(node.value)]
        return self.loader.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, keys: tuple[Key, ...]) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise ConfigError(f"{self.path}:{line}: a key must be a plain word or number")
            key = self.loader.construct_object(key_node)
            if key in result:
                first = self.lines[(*keys, key)]
                raise ConfigError(f"{self.path}:{line}: key '{key}' appears twice, first on line {first}; remove one")
            result[key] = self.build(value_node, (*keys, key))
            self.lines[(*keys, key)] = line
        return result


def _syntax_message(path: Path, error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        problem = " ".join(str(part) for part in (error.context, error.problem) if part)
        return f"{path}:{error.problem_mark.line + 1}: not valid YAML: {problem}"
    return f"{path}: not valid YAML: {' '.join(str(error).split())}"
