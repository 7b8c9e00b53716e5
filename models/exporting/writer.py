"""A network in the format that is wanted of it, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.exported.about import About
from models.exported.libraries import library
from models.exporting.candidate import Candidate, OnnxCandidate, OpenVINOCandidate, TorchScriptCandidate
from models.exporting.export_form import ExportForm
from models.exporting.nms_graph import with_nms
from models.exporting.onnx_half import half_onnx
from models.exporting.onnx_writer import onnx_model
from models.exporting.openvino_writer import openvino_model
from models.exporting.tensorrt_engine import TensorRTCandidate, tensorrt_engine
from models.exporting.torchscript_writer import torchscript

SUFFIXES = {
    "onnx": OnnxCandidate.suffix,
    "openvino": OpenVINOCandidate.suffix,
    "torchscript": TorchScriptCandidate.suffix,
    "tensorrt": TensorRTCandidate.suffix,
}


@dataclass(frozen=True, eq=False)
class Writer:
    """How `form` is to be written: in which of SUFFIXES, as what `about` says that it is. `calibration` (1, C, H, W)
    float32 in 0..1 each: the pictures that 8 bits are fitted to, none where that is not wanted.
    """

    form: ExportForm
    format: str
    about: About
    calibration: Sequence[np.ndarray] = ()

    def __call__(self, float_parts: Sequence[str] = ()) -> Candidate:
        """The candidate; `float_parts` stay in float where the others become 8 bits, see part_of.
        Raises ConfigError.
        """
        if self.format == "torchscript":
            return TorchScriptCandidate(torchscript(self.form, self.about.shape))
        model, half = onnx_model(self.form, self.about.shape), self.about.number == "fp16"
        if self.format == "tensorrt":
            return tensorrt_engine(model, self.about, half)
        if self.format == "openvino":  # whose weights become 16 bit where they are saved
            model = openvino_model(model)
            return OpenVINOCandidate(self._openvino_int8(model, float_parts) if self.calibration else model)
        if self.calibration:
            model = self._onnx_int8(model, float_parts)
        if half:
            model = half_onnx(model, len(self.form.graph.layers) - 1)
        return OnnxCandidate(with_nms(model) if self.about.nms else model)

    def _onnx_int8(self, model: Any, float_parts: Sequence[str]) -> Any:
        onnx = library("onnx")
        library("onnxruntime.quantization")
        from models.exporting.onnx_int8 import quantised_onnx  # needs the library to be imported

        made = quantised_onnx(model.SerializeToString(), self._fitting(), float_parts)
        return onnx.load_model_from_string(made)

    def _openvino_int8(self, model: Any, float_parts: Sequence[str]) -> Any:
        library("nncf")
        from models.exporting.openvino_int8 import quantised_openvino

        return quantised_openvino(model, self._fitting(), float_parts)

    def _fitting(self) -> list[np.ndarray]:
        """The calibration pictures in the batches that a static file takes."""
        shape = self.about.shape
        return [np.repeat(picture, shape[0] if shape else 1, 0) for picture in self.calibration]
