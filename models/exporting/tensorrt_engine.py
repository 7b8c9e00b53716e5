"""TensorRT: an engine for one kind of NVIDIA GPU, built from the ONNX file, and run for the gate.

No session of this project has had such a GPU together with TensorRT so far: only the checks are tested.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.exported.about import About
from models.exported.exported_network import IMAGES, ExportedNetwork, Run
from models.exporting.candidate import write_file
from utils.words.errors import ConfigError

OLDEST, WRONG, RIGHT = (8, 6), (10, 4), (10, 6)  # versions: the first that runs so; fp16 wrong from, right again from
TAKE = f"{RIGHT[0]}.{RIGHT[1]} or later"
LARGEST = 2  # times the trained size, and
MOST = 8  # pictures at a time, that an engine takes


def find_tensorrt(half: bool) -> Any:
    """The library. Raises ConfigError where it or a GPU is missing, or its version computes wrongly."""
    try:
        trt = importlib.import_module("tensorrt")
    except ImportError as error:
        how = "python -m pip install tensorrt; or export as onnx and run trtexec --onnx=best.onnx where it is"
        raise ConfigError(f"--format tensorrt: it cannot be imported ({error}); {how}") from error
    numbers = [int(number) for number in re.findall(r"\d+", str(trt.__version__))[:2]]
    version = (numbers[0], numbers[1]) if len(numbers) == 2 else (0, 0)
    if version < OLDEST:
        raise ConfigError(f"--format tensorrt: version {trt.__version__} is too old; take {TAKE}")
    if half and WRONG <= version < RIGHT:
        raise ConfigError(f"--half: TensorRT {trt.__version__} computes fp16 wrongly; take {TAKE}")
    if not torch.cuda.is_available():
        raise ConfigError("--format tensorrt: an engine is built on the GPU that runs it, and torch sees none here")
    return trt


@dataclass(frozen=True, eq=False)
class TensorRTCandidate:
    """See models.exporting.candidate.Candidate; of the `plan` of an engine."""

    plan: bytes
    suffix = ".engine"

    def write(self, place: Path, about: About) -> None:
        """See Candidate."""
        write_file(place, self.plan, about)

    def open(self, place: Path, about: About) -> ExportedNetwork:
        """See Candidate; val.py and detect.py open no such file, which is a program for one GPU."""
        return ExportedNetwork(place, about, TensorRTEngine(place.read_bytes()))


def tensorrt_engine(model: Any, about: About, half: bool) -> TensorRTCandidate:
    """An engine of an onnx.ModelProto for this GPU. Raises ConfigError."""
    trt = find_tensorrt(half)
    logger = trt.Logger(trt.Logger.ERROR)
    builder = trt.Builder(logger)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))
    parser = trt.OnnxParser(network, logger)
    if not parser.parse(model.SerializeToString()):
        raise ConfigError(f"{about.network}: TensorRT cannot hold it: {parser.get_error(0).desc()}")
    config = builder.create_builder_config()
    if half:
        config.set_flag(trt.BuilderFlag.FP16)
    if about.shape is None:
        planes, profile = len(about.channels.names), builder.create_optimization_profile()
        sizes = (1, about.stride), (1, about.imgsz), (MOST, LARGEST * about.imgsz)
        profile.set_shape(IMAGES, *[(batch, planes, side, side) for batch, side in sizes])
        config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise ConfigError(f"{about.network}: TensorRT builds no engine of it; its own messages are above")
    return TensorRTCandidate(bytes(plan))


class TensorRTEngine:
    """See models.exported.exported_network.Engine; for the gate alone, of a file that this process wrote."""

    half_words = ""

    def __init__(self, plan: bytes) -> None:
        self.plan = plan

    def ready(self, half: bool) -> Run:
        """As it was built, on the first GPU."""
        trt = find_tensorrt(False)
        runtime = trt.Runtime(trt.Logger(trt.Logger.ERROR))
        engine = runtime.deserialize_cuda_engine(self.plan)
        context, stream = engine.create_execution_context(), torch.cuda.Stream()
        names = [engine.get_tensor_name(k) for k in range(engine.num_io_tensors)]
        given = [name for name in names if engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT]

        def run(inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
            tensors = {name: torch.from_numpy(inputs[name]).cuda().contiguous() for name in given}
            for name, tensor in tensors.items():
                context.set_input_shape(name, tuple(tensor.shape))
            for name in names:
                if name not in tensors:
                    tensors[name] = torch.empty(tuple(context.get_tensor_shape(name)), device="cuda")
                context.set_tensor_address(name, tensors[name].data_ptr())
            torch.cuda.synchronize()
            context.execute_async_v3(stream.cuda_stream)
            stream.synchronize()
            return [tensors[name].cpu().numpy() for name in names if name not in given]

        return run
