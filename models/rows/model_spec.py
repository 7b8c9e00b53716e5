"""A model YAML read into rows: who feeds whom, which layer, which arguments. Nothing is built here.

    backbone:                               # [from, repeats, module, args, name?]
      - [image, 1, Conv, [64, 6, 2, 2]]
      - [[c3, -1], 1, GCM, [{gate_layout: raw}]]

Every complaint is a ConfigError that names file and line.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from utils.words.errors import ConfigError
from utils.words.text import did_you_mean, shown
from utils.words.yamlio import Document, Key, read_yaml

INPUTS = ("image", "polar", "text")
SECTIONS = ("backbone", "head")
KNOWN_KEYS = ("nc", "depth_multiple", "width_multiple", "anchors", "text_encoder", "text_dim", *SECTIONS)
DEFAULT_TEXT_DIM = 512
MAX_ROWS, MAX_REPEATS, MAX_MULTIPLE = 1000, 100, 16.0


@dataclass(frozen=True)
class Source:
    """One input of a row: an earlier row's number or the name of a network input, and which output if it has
    several.
    """

    origin: int | str
    output: int | None = None

    def __str__(self) -> str:
        return f"{self.origin}" if self.output is None else f"{self.origin}.{self.output}"


@dataclass(frozen=True)
class Row:
    """One layer of the network; `where` is its `file:line`."""

    index: int
    sources: tuple[Source, ...]
    repeats: int
    module: str
    args: tuple[Any, ...]
    keywords: dict[str, Any]
    name: str | None
    where: str = field(compare=False)

    def error(self, message: str) -> ConfigError:
        """A ConfigError at this row's line."""
        return ConfigError(f"{self.where}: row {self.index} ({self.module}): {message}")


@dataclass(frozen=True, eq=False)
class ModelSpec:
    """A whole network: rows in order, the two multiples, and the plain YAML data they were read from with its lines.

    `path` is the model YAML, also of a network that a checkpoint holds: there it is a name alone.
    """

    rows: tuple[Row, ...]
    width: float
    depth: float
    path: Path
    data: dict[str, Any]
    lines: dict[tuple[Key, ...], int] = field(repr=False)

    @property
    def classes(self) -> int:
        """`nc`."""
        return int(self.data["nc"])

    @property
    def text_dim(self) -> int | None:
        """Width of the text vectors that its rows take; None for a network without text."""
        return int(self.data.get("text_dim", DEFAULT_TEXT_DIM)) if self.reads("text") else None

    def reads(self, name: str) -> bool:
        """Whether some row reads the network input of that name."""
        return any(source.origin == name for row in self.rows for source in row.sources)

    def with_values(self, **values: Any) -> ModelSpec:
        """The same network with other top-level values, for example `nc=8` or `anchors=[...]`."""
        return parse_spec(Document(self.path, {**self.data, **values}, self.lines))

    def plain(self) -> dict[str, Any]:
        """What a checkpoint stores; `parse_spec(Document(path, plain, {}))` reads it back."""
        return {"file": self.path.name, **self.data}


def read_spec(path: str | Path) -> ModelSpec:
    """Read a model YAML."""
    return parse_spec(read_yaml(path))


def parse_spec(document: Document) -> ModelSpec:
    """Rows of a parsed YAML. Raises ConfigError at the line of the mistake."""
    data = document.data
    if not isinstance(data, dict):
        raise document.error("a model YAML is a map with the keys nc, backbone and head")
    path = Path(str(data.get("file", document.path)))  # `file` is what `plain` adds for checkpoints
    data = {key: value for key, value in data.items() if key != "file"}
    for key in ("nc", *SECTIONS):
        if key not in data:
            # a misspelt key has a line, which a missing one has not
            near = next((k for k in data if did_you_mean(key, [str(k)])), None)
            hint = f"; is '{near}' meant?" if near is not None else ""
            raise document.error(f"key '{key}' is missing{hint}", *([near] if near is not None else []))
    if not _whole(data["nc"], 1, 100_000):
        advice = "; take the quotes away" if isinstance(data["nc"], str) and data["nc"].isdecimal() else ""
        raise document.error(f"nc must be a whole number of classes from 1, got {shown(data['nc'])}{advice}", "nc")
    if "text_dim" in data and not _whole(data["text_dim"], 1, 65_536):
        raise document.error(f"text_dim must be a whole number from 1, got {shown(data['text_dim'])}", "text_dim")
    if not isinstance(data.get("text_encoder", ""), str):
        raise document.error(f"text_encoder must be a name, got {shown(data['text_encoder'])}", "text_encoder")
    rows, constants = _read_rows(document, data)
    # only now: any key is allowed that some row takes as $key
    for key in data:
        if key not in KNOWN_KEYS and key not in constants:
            raise document.error(
                f"unknown key {shown(str(key))}: no row takes it as a $name{did_you_mean(str(key), KNOWN_KEYS)}", key
            )
    return ModelSpec(
        rows,
        _multiple(document, "width_multiple"),
        _multiple(document, "depth_multiple"),
        path,
        data,
        document.lines,
    )


def _multiple(document: Document, key: str) -> float:
    value = document.data.get(key, 1.0)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= MAX_MULTIPLE:
        raise document.error(f"{key} must be a number above 0 and up to {MAX_MULTIPLE:g}, got {shown(value)}", key)
    return float(value)


def _read_rows(document: Document, data: dict[str, Any]) -> tuple[tuple[Row, ...], set[str]]:
    rows: list[Row] = []
    used: set[str] = set()
    for section in SECTIONS:
        if not isinstance(data[section], list) or not data[section]:
            raise document.error(f"{section} must be a list of rows [from, repeats, module, args]", section)
        for i, entry in enumerate(data[section]):
            if len(rows) >= MAX_ROWS:
                raise document.error(f"more than {MAX_ROWS} rows", section, i)
            rows.append(_RowReader(document, (section, i), rows, used).read(entry))
    return tuple(rows), used


class _RowReader:
    """Reads one row; `earlier` are the rows it may refer to, `used` collects the `$names` it takes."""

    def __init__(self, document: Document, keys: tuple[Key, ...], earlier: list[Row], used: set[str]) -> None:
        self.document, self.keys, self.earlier, self.used = document, keys, earlier, used

    def error(self, message: str) -> ConfigError:
        return self.document.error(message, *self.keys)

    def read(self, entry: Any) -> Row:
        if not isinstance(entry, list) or len(entry) not in (4, 5):
            raise self.error(f"a row is [from, repeats, module, args, name?], got {shown(entry)}")
        origin, repeats, module, args, *rest = entry
        if not _whole(repeats, 1, MAX_REPEATS):
            raise self.error(f"repeats must be a whole number from 1 to {MAX_REPEATS}, got {shown(repeats)}")
        if not isinstance(module, str):
            raise self.error(f"module must be a layer's name, got {shown(module)}")
        name = self._name(rest[0]) if rest else None
        positional, keywords = self._args(args)
        origins = origin if isinstance(origin, list) else [origin]
        if not origins:
            raise self.error("'from' is empty")
        sources = tuple(self._source(o) for o in origins)
        where = self.document.where(*self.keys)
        return Row(len(self.earlier), sources, repeats, module, positional, keywords, name, where)

    def _name(self, name: Any) -> str:
        if not isinstance(name, str) or not name.isidentifier():
            raise self.error(f"a row's name is a word such as c3, got {shown(name)}")
        if name in INPUTS:
            raise self.error(f"'{name}' is the name of a network input; choose another")
        if any(row.name == name for row in self.earlier):
            raise self.error(f"the name '{name}' is taken by an earlier row")
        return name

    def _args(self, args: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        if not isinstance(args, list | dict):
            raise self.error(f"args must be a list (or a map of names), got {shown(args)}")
        positional = args if isinstance(args, list) else [args]
        keywords: dict[str, Any] = {}
        if positional and isinstance(positional[-1], dict):
            *positional, keywords = positional
        return tuple(self._value(a) for a in positional), {str(k): self._value(v) for k, v in keywords.items()}

    def _value(self, value: Any) -> Any:
        """`$key` becomes the top-level value of that name; `nc` and `anchors` are read plain as published YAMLs
        write them.
        """
        if value in ("nc", "anchors"):
            value = f"${value}"
        if not isinstance(value, str) or not value.startswith("$"):
            return value
        key = value[1:]
        self.used.add(key)
        if key not in self.document.data:
            raise self.error(f"{shown(value)} is not a top-level key{did_you_mean(key, map(str, self.document.data))}")
        return self.document.data[key]

    def _source(self, origin: Any) -> Source:
        if isinstance(origin, str):
            return self._named_source(origin)
        if not isinstance(origin, int) or isinstance(origin, bool):
            raise self.error(
                f"'from' must be a row number, a row name or one of {', '.join(INPUTS)}, got {shown(origin)}"
            )
        here = len(self.earlier)
        target = here + origin if origin < 0 else origin
        if here == 0 and origin == -1:  # no row comes before the first: "the one before" is the image
            return Source("image")
        if not 0 <= target < here:
            raise self.error(f"'from' {origin} does not point to an earlier row; this is row {here}")
        return Source(target)

    def _named_source(self, origin: str) -> Source:
        name, _, output = origin.partition(".")
        if output and not (output.isdecimal() and len(output) < 5):
            raise self.error(f"{shown(origin)}: after the dot stands the number of an output")
        index = cast("int | None", int(output) if output else None)
        if name in INPUTS:
            return Source(name, index)
        for row in self.earlier:
            if row.name == name:
                return Source(row.index, index)
        known = [row.name for row in self.earlier if row.name] + list(INPUTS)
        raise self.error(f"'from' {shown(name)} is no earlier row's name{did_you_mean(name, known)}")


def _whole(value: Any, low: int, high: int) -> bool:
    # YAML's true and false are ints to Python
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
