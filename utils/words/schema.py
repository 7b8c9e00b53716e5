"""Do plain values from YAML satisfy a type annotation? Shared by layer arguments and configuration fields."""

from __future__ import annotations

import types
import typing
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
