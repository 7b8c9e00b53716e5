"""The one registry: a layer registers its class; its constructor's signature is the schema of its YAML row.

A constructor parameter typed with a role below is filled by the graph builder from what it measured; every other
parameter takes its value from the row's `args`, in the order of the signature, checked against its annotation; one
behind a `*` only by its name (`[128, {edge_init: true}]`), so that a stray flag of a published YAML never lands on it.

Two attributes of a layer are read by others: `takes_context = True`, its forward wants the Context after its sources
(models.graph.graph), and `lr_factor`, it learns at that factor of the learning rate (utils.training.optimizer).
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from torch import nn

from utils.words.text import did_you_mean


@dataclass(frozen=True)
class Role:
    """Marks who fills a constructor parameter."""

    name: str


IN, INS, OUT, REPEATS = Role("in"), Role("ins"), Role("out"), Role("repeats")
STRIDES, TEXT_DIM = Role("strides"), Role("text_dim")
PEER, WEIGHTS_FILE = Role("peer"), Role("weights_file")

In = Annotated[int, IN]  # channels of the only source, measured
Ins = Annotated[Sequence[int], INS]  # channels of each source, measured; forward() then takes a list of tensors
Out = Annotated[int, OUT]  # the row's value x width, rounded up to a multiple of 8
Repeats = Annotated[int, REPEATS]  # the row's second column x depth
Strides = Annotated[Sequence[int], STRIDES]  # network-input pixels per cell of each source, measured
TextDim = Annotated[int, TEXT_DIM]  # width of the text encoder
Peer = Annotated[str, PEER]  # the YAML names an earlier row; the constructor gets its module, to share weights with
WeightsFile = Annotated[str, WEIGHTS_FILE]  # path of the weights that the user has for this kind of row, "" for none

FROM_ROW = (OUT, PEER, None)  # roles whose value the YAML writes


@dataclass(frozen=True)
class Parameter:
    """One constructor parameter: its name, its role (None: a plain YAML value), its type, whether it must be given,
    whether only by name.
    """

    name: str
    role: Role | None
    type: Any
    required: bool
    named: bool


@dataclass(frozen=True)
class Layer:
    """A registered class with its constructor read as a schema."""

    name: str
    build: type[nn.Module]
    parameters: tuple[Parameter, ...]

    @property
    def arguments(self) -> tuple[Parameter, ...]:
        """The parameters that a row's `args` fill, in order."""
        return tuple(p for p in self.parameters if p.role in FROM_ROW)

    @property
    def positional(self) -> tuple[Parameter, ...]:
        """The arguments that may be given without their name."""
        return tuple(p for p in self.arguments if not p.named)

    def has(self, role: Role) -> bool:
        """Whether some parameter carries `role`."""
        return any(p.role is role for p in self.parameters)

    def usage(self) -> str:
        """`EGM: [c_out, {edge_init?}]`: optional arguments with a question mark, those given by name in braces."""
        words = [(p.name if p.required else f"{p.name}?", p.named) for p in self.arguments]
        plain, by_name = ([word for word, named in words if named is kind] for kind in (False, True))
        if by_name:
            plain.append("{" + ", ".join(by_name) + "}")
        return f"{self.name}: [{', '.join(plain)}]"


_LAYERS: dict[str, Layer] = {}
ModuleType = TypeVar("ModuleType", bound=type[nn.Module])


def register(build: ModuleType) -> ModuleType:
    """Class decorator: make a layer known under its class name. A name taken twice is a programming error."""
    name = build.__name__
    assert name not in _LAYERS, f"layer {name} is registered twice: {_LAYERS[name].build} and {build}"
    _LAYERS[name] = Layer(name, build, _read_signature(build))
    return build


def find(name: str) -> Layer:
    """The layer called `name`. Raises LookupError with the nearest name."""
    if name in _LAYERS:
        return _LAYERS[name]
    raise LookupError(f"unknown module '{name}'{did_you_mean(name, _LAYERS)}")


def registered() -> tuple[Layer, ...]:
    """Every layer, by name."""
    return tuple(_LAYERS[name] for name in sorted(_LAYERS))


def _read_signature(build: type[nn.Module]) -> tuple[Parameter, ...]:
    # annotations are strings until they are resolved; without the extras, Annotated would lose its Role
    hints = typing.get_type_hints(build.__init__, include_extras=True)
    parameters = []
    # [1:]: without self
    for name, parameter in list(inspect.signature(build.__init__).parameters.items())[1:]:
        assert name in hints, f"{build.__name__}.__init__: parameter {name} has no annotation"
        role, plain = None, hints[name]
        if typing.get_origin(plain) is Annotated:
            plain, *marks = typing.get_args(plain)
            role = next((m for m in marks if isinstance(m, Role)), None)
        required, named = parameter.default is parameter.empty, parameter.kind is parameter.KEYWORD_ONLY
        parameters.append(Parameter(name, role, plain, required, named))
    return tuple(parameters)
