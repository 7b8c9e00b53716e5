"""Do plain values satisfy a type annotation? Shared by layer arguments, configuration fields and checkpoints."""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


def fits(value: Any, annotation: Any) -> bool:
    """Whether a plain YAML value satisfies an annotation: int, float, bool, str, None, Literal, unions and
    sequences.
    """
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return any(value == choice and type(value) is type(choice) for choice in inner)
    if origin in (typing.Union, types.UnionType):
        return any(fits(value, choice) for choice in inner)
    if annotation is type(None) or annotation is None:
        return value is None
    if origin is not None:
        return isinstance(value, list | tuple) and all(fits(item, inner[0]) for item in value)
    if annotation is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, annotation)


@dataclass(frozen=True)
class AtLeast:
    """The metadata of an `Annotated[int, AtLeast(0)]`: also a number that a signed word of 64 bits holds."""

    low: int


def misfit(value: Any, annotation: Any, where: str = "") -> str:
    """The first part of `value` that does not satisfy `annotation`, as `where.part must be ..., got ...`; "" for none.

    Beside what `fits` knows: Any, TypedDict, dict, and AtLeast.
    """
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Any:
        return ""
    if origin is typing.NotRequired:
        return misfit(value, inner[0], where)
    if origin is typing.Annotated:
        low = inner[1].low
        short = misfit(value, inner[0], where)
        return short or ("" if low <= value < 2**63 else f"{where} must be at least {low}, got {value:.3g}")
    if typing.is_typeddict(annotation):
        return _misfit_entries(value, annotation, where)
    if origin in (dict, list):
        return _misfit_parts(value, origin, inner, where)
    return "" if fits(value, annotation) else _must(where, type_words(annotation), value)


def _misfit_entries(value: Any, annotation: Any, where: str) -> str:
    if not isinstance(value, dict):
        return _must(where, "a map", value)
    dot = f"{where}." if where else ""
    for key, wanted in _types_of(annotation).items():
        if key in value and (found := misfit(value[key], wanted, f"{dot}{key}")):
            return found
        if key not in value and typing.get_origin(wanted) is not typing.NotRequired:
            return f"{dot}{key} is missing"
    return ""


@lru_cache(maxsize=32)
def _types_of(annotation: Any) -> dict[str, Any]:
    return typing.get_type_hints(annotation, include_extras=True)


def _misfit_parts(value: Any, origin: type, inner: tuple[Any, ...], where: str) -> str:
    if not isinstance(value, origin):
        return _must(where, "a map" if origin is dict else "a list", value)
    if isinstance(value, list):
        return next(filter(None, (misfit(v, inner[0], f"{where}[{k}]") for k, v in enumerate(value))), "")
    assert isinstance(value, dict), "annotations of content are lists and maps"
    for key, part in value.items():
        if not fits(key, inner[0]):
            return _must(f"a key of {where}", type_words(inner[0]), key)
        if found := misfit(part, inner[1], f"{where}.{key}"):
            return found
    return ""


def _must(where: str, wanted: str, value: Any) -> str:
    return f"{where} must be {wanted}, got {type(value).__name__}"


def type_words(annotation: Any) -> str:
    """An annotation in words for a message: `int`, `'raw' or 'shuffle'`, `list of float`."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " or ".join(repr(choice) for choice in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_words(choice) for choice in inner)
    if origin is not None:
        return f"list of {type_words(inner[0])}"
    return "nothing" if annotation is type(None) else annotation.__name__


def choices(annotation: Any) -> tuple[str, ...]:
    """The words that a Literal allows, nested ones too; () for every other annotation."""
    if typing.get_origin(annotation) is not typing.Literal:
        return ()
    return tuple(choice for choice in typing.get_args(annotation) if isinstance(choice, str))
