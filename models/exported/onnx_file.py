"""ONNX files: read without trusting them, and run by ONNX Runtime."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.exported.about import KEY, MAKER, About
from models.exported.exported_network import (
    CONF,
    COUNT,
    DETECTIONS,
    IMAGES,
    IOU,
    MOST,
    PREDICTIONS,
    TEXT,
    ExportedNetwork,
    Run,
)
from models.exported.libraries import library, refusing
from utils.words.errors import DamagedError, printable
from utils.words.regular_file import UnreadableFile, read_regular

DIGEST = "sha256"  # beside KEY, of the graph with its weights
MOST_BYTES = 2**31 - 1  # that a file without external data can have


@dataclass(frozen=True, eq=False)
class OnnxEngine:
    """See Engine; `content` is the whole file of `path`."""

    content: bytes
    path: Path
    half_words = "--half: has no effect on an ONNX file, which computes in the numbers that it was exported in"

    def ready(self, half: bool) -> Run:
        """See Engine."""
        ort: Any = library("onnxruntime")
        options = ort.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = torch.get_num_threads(), 1
        options.log_severity_level = 3  # errors alone: they are raised as well
        with refusing("onnxruntime", self.path):
            session = ort.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])

        def run(inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            with refusing("onnxruntime", self.path):
                found: list[np.ndarray] = session.run(None, inputs)
            return found

        return run


def open_onnx(path: Path) -> ExportedNetwork:
    """The network of a file that this program made. What was checked is what runs: nothing else is read. Raises
    ConfigError without the libraries, DamagedError for a file that is damaged, foreign, or not whole in itself.
    """
    onnx: Any = library("onnx")
    try:
        content = read_regular(path, MOST_BYTES)
    except UnreadableFile as error:
        raise DamagedError(path, str(error)) from error
    try:
        model = onnx.load_model_from_string(content)
    except library("google.protobuf.message").Error as error:
        raise DamagedError(path, f"damaged, or no ONNX file; make it anew: {MAKER}") from error
    about = About.read(_metadata(model, path), path)
    _check_ends(model, about, path)
    return ExportedNetwork(path, about, OnnxEngine(content, path))


def with_about(model: Any, about: About) -> bytes:
    """The bytes of an onnx.ModelProto that says this of itself, and by what its graph is known."""
    del model.metadata_props[:]
    values = {KEY: about.text(), DIGEST: _digest(model), "names": ", ".join(about.names), "made_by": MAKER}
    for key, value in values.items():
        model.metadata_props.add(key=key, value=value)
    content: bytes = model.SerializeToString()
    return content


def _digest(model: Any) -> str:
    """Of operators and weights, and the versions of the operators."""
    versions = sorted((one.domain, one.version) for one in model.opset_import)
    whole = hashlib.sha256(f"{model.ir_version} {versions}".encode())
    whole.update(model.graph.SerializeToString(deterministic=True))
    return whole.hexdigest()


def _metadata(model: Any, path: Path) -> str:
    """What the file says of itself, once it is known to be whole and unchanged. Raises DamagedError."""
    values = {one.key: one.value for one in model.metadata_props}
    if not {KEY, DIGEST} <= values.keys():
        raise DamagedError(path, f"an ONNX file of another program; export a checkpoint of this one: {MAKER}")
    if model.functions or model.training_info:  # which this program writes nowhere, and the digest leaves out
        raise DamagedError(path, f"has operators of its own; make it anew: {MAKER}")
    external = 1  # onnx.TensorProto.EXTERNAL
    outside = next((one for one in _tensors(model.graph) if one.data_location == external), None)
    if outside is not None:
        where = next((one.value for one in outside.external_data if one.key == "location"), "?")
        raise DamagedError(path, f"keeps weights in another file, {printable(where)}, which is not read: {MAKER}")
    if values[DIGEST] != _digest(model):
        raise DamagedError(path, f"damaged: its operators or weights were changed; make it anew: {MAKER}")
    return values[KEY]


def _tensors(graph: Any) -> Iterator[Any]:
    """All constants of a graph, those within its operators too."""
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            for inner in (attribute.g, *attribute.graphs):
                yield from _tensors(inner)


def _check_ends(model: Any, about: About, path: Path) -> None:
    """Raise DamagedError for other inputs or outputs than such a file has."""
    wanted = {IMAGES} | ({TEXT} if about.words is not None else set()) | ({CONF, IOU, MOST} if about.nms else set())
    constants = {one.name for one in model.graph.initializer}
    inputs = {one.name for one in model.graph.input} - constants
    outputs = [one.name for one in model.graph.output]
    if inputs != wanted or outputs != ([DETECTIONS, COUNT] if about.nms else [PREDICTIONS]):
        raise DamagedError(path, f"has other inputs or outputs than it says; make it anew: {MAKER}")
    first = next(one for one in model.graph.input if one.name == IMAGES).type.tensor_type.shape.dim
    planes = len(about.channels.names)
    if len(first) != 4 or first[1].dim_value != planes:
        raise DamagedError(path, f"takes no pictures of {planes} planes, as it says; make it anew: {MAKER}")
