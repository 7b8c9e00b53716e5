"""What an exported file says of itself: all that is needed to use it, and where it comes from."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NotRequired, TypedDict

import torch
from torch import Tensor

from utils.files.content import Count
from utils.values.channels import Channels, channels_of_plain
from utils.values.weights_identity import WeightsIdentity
from utils.words.class_names import name_key
from utils.words.errors import DamagedError
from utils.words.schema import misfit

FORMAT = 1
KEY = "detector"  # under which a file keeps it, as JSON
Number = Literal["fp32", "fp16", "int8"]
MAKER = "python -m models.export"
SCALE, PADDING = 255.0, 114  # what an 8-bit pixel is divided by, and the grey beside a letterboxed picture
LETTERBOX = {"padding": PADDING, "shrink": "area", "enlarge": "linear", "centred": True}  # data/augment/transforms.py


class Plain(TypedDict):
    """The JSON."""

    format: int
    network: str
    names: list[str]
    channels: Any  # read by Channels, which says itself what does not fit
    imgsz: Count
    stride: Count
    shape: list[int] | None
    nms: bool
    number: Number
    float_parts: list[str]
    text_input: bool
    scale: float
    pixel_bytes: Count
    letterbox: dict[str, Any]
    config: dict[str, dict[str, Any]]
    epoch: Count
    weights: dict[str, str]
    origin: dict[str, Any]
    thresholds: str
    gate: dict[str, Any]
    vocabulary: NotRequired[dict[str, Any]]
    synonyms: NotRequired[list[list[str]]]


@dataclass(frozen=True, kw_only=True)
class About:
    """See the module.

    `network` is its model YAML, `names` its classes in order, `channels` the planes of its pictures, `imgsz` px as
    trained, `stride` px: sides are multiples of it; `pixel_bytes` of memory that it takes for a pixel; `shape` (batch,
    height, width) of a static file, None: any. `nms`: whether the file suppresses. `number`: the format it computes in;
    `float_parts`: which parts an int8 file leaves in float. `config` is the training's, `epoch` its last one, `weights`
    the weights' identity, `origin` where they come from, `thresholds` the text of their thresholds.yaml or "", `gate`
    what was compared. `words` as a checkpoint stores them, of a file that takes text vectors; None else.
    """

    network: str
    names: tuple[str, ...]
    channels: Channels
    imgsz: int
    stride: int
    pixel_bytes: int = 0
    shape: tuple[int, int, int] | None = None
    nms: bool = False
    number: Number = "fp32"
    float_parts: tuple[str, ...] = ()
    config: Mapping[str, Mapping[str, Any]]
    epoch: int
    weights: WeightsIdentity
    origin: Mapping[str, Any]
    thresholds: str = ""
    gate: Mapping[str, Any]
    words: Mapping[str, Any] | None = None

    def text(self) -> str:
        """As JSON."""
        plain = {
            **{"format": FORMAT, "network": self.network, "names": list(self.names), "channels": self.channels.plain()},
            **{"imgsz": self.imgsz, "stride": self.stride, "shape": self.shape and list(self.shape), "nms": self.nms},
            **{"number": self.number, "float_parts": list(self.float_parts), "text_input": self.words is not None},
            **{"scale": SCALE, "letterbox": LETTERBOX, "pixel_bytes": self.pixel_bytes},
            **{"config": self.config, "epoch": self.epoch, "weights": vars(self.weights), "origin": self.origin},
            **{"thresholds": self.thresholds, "gate": self.gate},
        }
        if self.words is not None:
            plain |= {"vocabulary": _coded(self.words["vocabulary"]), "synonyms": self.words["synonyms"]}
        return json.dumps(plain, ensure_ascii=False, allow_nan=False)

    @classmethod
    def read(cls, text: str, path: Path) -> About:
        """What `text` wrote into the file `path`. Raises DamagedError."""
        plain = _parsed(text, path)
        words = None
        if plain["text_input"]:
            if "vocabulary" not in plain or "synonyms" not in plain:
                raise DamagedError(path, "damaged: takes text vectors, and says nothing of their words")
            words = {"vocabulary": _decoded(plain["vocabulary"], path), "synonyms": plain["synonyms"]}
        shape = plain["shape"]
        return cls(
            network=plain["network"],
            names=tuple(plain["names"]),
            channels=channels_of_plain(plain["channels"], str(path)),
            imgsz=plain["imgsz"],
            stride=plain["stride"],
            pixel_bytes=plain["pixel_bytes"],
            shape=None if shape is None else (shape[0], shape[1], shape[2]),
            nms=plain["nms"],
            number=plain["number"],
            float_parts=tuple(plain["float_parts"]),
            config=plain["config"],
            epoch=plain["epoch"],
            weights=WeightsIdentity(**plain["weights"]),
            origin=plain["origin"],
            thresholds=plain["thresholds"],
            gate=plain["gate"],
            words=words,
        )


def _parsed(text: str, path: Path) -> Plain:
    """The JSON, with every entry that this version needs. Raises DamagedError."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DamagedError(path, f"damaged: what it says of itself is no JSON; make it anew: {MAKER}") from error
    written = plain.get("format") if isinstance(plain, dict) else None
    if isinstance(written, int) and written != FORMAT:
        version = f"of another version: its format is {written}, this program reads format {FORMAT}"
        raise DamagedError(path, f"{version}; make it anew: {MAKER}")
    found = misfit(plain, Plain) or _contradiction(plain)
    if found:
        raise DamagedError(path, f"damaged, or of another version: {found}; make it anew: {MAKER}")
    checked: Plain = plain
    return checked


def _contradiction(plain: dict[str, Any]) -> str:
    """What the entries, each of its type, say against each other or this program; "" when nothing is wrong."""
    if not plain["names"] or len({name_key(name) for name in plain["names"]}) != len(plain["names"]):
        return "its class names are none, or not different"
    if plain["shape"] is not None and (len(plain["shape"]) != 3 or min(plain["shape"]) < 1):
        return "its shape is no batch, height and width"
    if not 1 <= plain["stride"] <= 1024 or plain["imgsz"] < 1:
        return "its stride or its size makes no sense"
    if plain["scale"] != SCALE or plain["letterbox"] != LETTERBOX:
        return "its pictures are prepared in another way"
    if plain["weights"].keys() != {"file", "digest"}:
        return "its weights have no identity"
    return ""


def _coded(vocabulary: Mapping[str, Any]) -> dict[str, Any]:
    """Tensors of it as base64 of float32."""
    coded = {}
    for key, value in vocabulary.items():
        if isinstance(value, Tensor):
            raw = value.detach().cpu().float().contiguous().numpy().astype("<f4").tobytes()
            value = {"float32": base64.b64encode(raw).decode("ascii"), "shape": list(value.shape)}
        coded[key] = value
    return coded


def _decoded(vocabulary: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What `_coded` was given. Raises DamagedError."""
    decoded = {}
    for key, value in vocabulary.items():
        if isinstance(value, dict) and value.keys() == {"float32", "shape"}:
            try:
                raw = bytearray(base64.b64decode(value["float32"], validate=True))
                value = torch.frombuffer(raw, dtype=torch.float32).reshape(value["shape"])
            except (binascii.Error, ValueError, TypeError, RuntimeError) as error:
                raise DamagedError(path, f"damaged: its text vectors cannot be read; make it anew: {MAKER}") from error
        decoded[key] = value
    if not {"encoder", "source", "templates", "vectors"} <= decoded.keys():
        raise DamagedError(path, f"damaged: its words are incomplete; make it anew: {MAKER}")
    return decoded
