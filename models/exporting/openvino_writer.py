"""A network as an OpenVINO model, from its ONNX graph."""

from __future__ import annotations

from typing import Any

from models.exported.libraries import library


def openvino_model(onnx_model: Any) -> Any:
    """An openvino.Model of an onnx.ModelProto. Raises ConfigError without the library."""
    openvino: Any = library("openvino")
    return openvino.Core().read_model(model=onnx_model.SerializeToString())
