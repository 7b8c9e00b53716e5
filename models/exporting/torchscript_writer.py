"""A network as TorchScript, for programs in C++."""

from __future__ import annotations

import io
import warnings

import numpy as np
import torch
from torch import Tensor, nn

from models.exported.about import KEY, About
from models.exported.exported_network import Run
from models.exporting.export_form import ExportForm
from models.exporting.onnx_writer import example_inputs
from utils.words.errors import ConfigError


def torchscript(form: ExportForm, shape: tuple[int, int, int] | None = None) -> torch.jit.ScriptModule:
    """A trace of `form`. Raises ConfigError where torch cannot trace it."""
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of the tracer about sizes, which the gate tests
            traced: torch.jit.ScriptModule = torch.jit.trace(
                _Rows(form), example_inputs(form, shape), check_trace=False
            )
    except (RuntimeError, TypeError) as error:
        name = form.graph.spec.path.name
        raise ConfigError(f"{name}: cannot be traced: {next(iter(str(error).splitlines()), '')[:300]}") from error
    return traced


class _Rows(nn.Module):
    """A form with its rows as its only children. The tracer asks every child for all its attributes, and a network made
    ready for inference has no head that could learn.
    """

    def __init__(self, form: ExportForm) -> None:
        super().__init__()
        self.layers = form.graph.layers
        self.form = (form,)  # in a tuple: no child
        self.eval()

    def forward(self, *inputs: Tensor) -> Tensor:
        """See ExportForm."""
        found: Tensor = self.form[0](*inputs)
        return found


def torchscript_bytes(traced: torch.jit.ScriptModule, about: About) -> bytes:
    """The file; what it says of itself lies in it as `extra/detector`."""
    buffer = io.BytesIO()
    torch.jit.save(traced, buffer, _extra_files={KEY: about.text()})
    return buffer.getvalue()


class TorchScriptEngine:
    """See models.exported.exported_network.Engine; for the gate alone, of a file that this process wrote."""

    half_words = ""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def ready(self, half: bool) -> Run:
        """As it was traced."""
        module = torch.jit.load(io.BytesIO(self.content))

        def run(inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            with torch.inference_mode():
                return [module(*(torch.from_numpy(one) for one in inputs.values())).numpy()]

        return run
