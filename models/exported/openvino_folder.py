"""OpenVINO folders: read without trusting them, and run by OpenVINO."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.exported.about import KEY, MAKER, About
from models.exported.exported_network import IMAGES, PREDICTIONS, TEXT, ExportedNetwork, Run
from models.exported.libraries import library, refusing
from utils.words.errors import DamagedError
from utils.words.regular_file import UnreadableFile, read_regular

XML, BIN, ABOUT = "model.xml", "model.bin", "export.json"
MOST_BYTES = 2**33
OFTEN, MOST_SIZES = 4, 8  # from which time on a size is compiled for, and how many are


@dataclass(frozen=True, eq=False)
class OpenVINOEngine:
    """See Engine; `xml` and `weights` are the whole files of the folder `path`."""

    xml: bytes
    weights: bytes
    path: Path
    half_words = "--half: OpenVINO computes in bfloat16 where the processor has it, else in float32"

    def model(self) -> Any:
        """The openvino.Model."""
        openvino: Any = library("openvino")
        with refusing("openvino", self.path):
            weights = openvino.Tensor(np.frombuffer(self.weights, np.uint8))
            return openvino.Core().read_model(model=self.xml.decode("utf-8"), weights=weights)

    def ready(self, half: bool) -> Run:
        """In float32, although OpenVINO would take bfloat16 by itself where the processor has it; `half` lets it."""
        openvino: Any = library("openvino")
        core = openvino.Core()
        number = "bf16" if half and "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"
        settings = {"INFERENCE_PRECISION_HINT": number, "PERFORMANCE_HINT": "LATENCY"}
        settings["INFERENCE_NUM_THREADS"] = str(torch.get_num_threads())

        def compiled(shape: Sequence[int] = ()) -> Any:
            with refusing("openvino", self.path):
                model = self.model()
                if shape:
                    model.reshape({IMAGES: list(shape)})
                return core.compile_model(model, "CPU", settings).create_infer_request()

        return _BySize(compiled, self.path)


class _BySize:
    """Runs a model: of any size, and faster of a size that comes again and again."""

    def __init__(self, compiled: Callable[..., Any], path: Path) -> None:
        self.compiled, self.path = compiled, path
        self.any_size = compiled()
        self.seen: Counter[tuple[int, ...]] = Counter()
        self.sizes: dict[tuple[int, ...], Any] = {}

    def __call__(self, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        shape = inputs[IMAGES].shape
        self.seen[shape] += 1
        if self.seen[shape] == OFTEN and len(self.sizes) < MOST_SIZES:
            self.sizes[shape] = self.compiled(shape)
        with refusing("openvino", self.path):
            found = self.sizes.get(shape, self.any_size).infer(inputs, share_inputs=True)
            return [np.array(found[k]) for k in range(len(found))]  # copies: the next call writes over them


def open_openvino(path: Path) -> ExportedNetwork:
    """The network of a folder that this program made, or of its XML file. What was checked is what runs. Raises
    ConfigError without the library, DamagedError for a folder that is damaged or foreign.
    """
    library("openvino")
    folder = path.parent if path.suffix == ".xml" else path
    try:
        text, xml, weights = (read_regular(folder / name, MOST_BYTES) for name in (ABOUT, XML, BIN))
    except UnreadableFile as error:
        missing = next((name for name in (ABOUT, XML, BIN) if not (folder / name).is_file()), "a file of it")
        raise DamagedError(folder, f"no OpenVINO folder of {MAKER}: {missing} {error}") from error
    try:
        plain = json.loads(text)
        about, digests = json.dumps(plain[KEY]), plain["sha256"]
        whole = all(digests[name] == hashlib.sha256(one).hexdigest() for name, one in ((XML, xml), (BIN, weights)))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise DamagedError(folder / ABOUT, f"damaged, or of another program; make it anew: {MAKER}") from error
    if not whole:
        raise DamagedError(folder, f"damaged: {XML} or {BIN} was changed; make it anew: {MAKER}")
    network = ExportedNetwork(folder, About.read(about, folder / ABOUT), OpenVINOEngine(xml, weights, folder))
    _check_ends(network)
    return network


def _check_ends(network: ExportedNetwork) -> None:
    """Raise DamagedError for other inputs or outputs than such a folder has."""
    assert isinstance(network.engine, OpenVINOEngine), "of a folder"
    model = network.engine.model()
    inputs = {name for one in model.inputs for name in one.get_names()}
    outputs = {name for one in model.outputs for name in one.get_names()}
    wanted = {IMAGES} | ({TEXT} if network.about.words is not None else set())
    if network.about.nms or not wanted <= inputs or len(model.inputs) != len(wanted) or PREDICTIONS not in outputs:
        raise DamagedError(network.path, f"has other inputs or outputs than it says; make it anew: {MAKER}")


def folder_files(model: Any, about: About, folder: Path) -> None:
    """Write an openvino.Model that says this of itself into `folder`, which exists."""
    openvino: Any = library("openvino")
    model.set_rt_info(about.text(), [KEY])  # for programs that look at the XML alone
    openvino.save_model(model, folder / XML, compress_to_fp16=about.number == "fp16")
    digests = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (XML, BIN)}
    (folder / ABOUT).write_text(about_file(about, digests), encoding="utf-8")


def about_file(about: About, digests: dict[str, str]) -> str:
    """The text of export.json: what the file says of itself, and the SHA-256 of each file by its name."""
    plain = {KEY: json.loads(about.text()), "sha256": digests}
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"
