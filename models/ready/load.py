"""A model ready to run, from a checkpoint or as the rows of one; and what a network that reads text looks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from models.exported.exported_network import ExportedNetwork
from models.exported.opened import is_exported, open_exported
from models.graph.builder import build_graph
from models.graph.folded import static_graph, without_norms
from models.graph.graph import Graph
from models.graph.open_vocabulary import (
    Words,
    about_words,
    set_words,
    stored_words,
    words_for,
)
from models.layers.timm_backbone import origins_of, set_origins
from models.pretrained import shipped
from models.prompts.embedding import SAMEmbedding, choose_sam
from models.ready.packed import read_checkpoint
from models.rows.model_spec import ModelSpec, parse_spec
from models.sam.masker import Masker, sam_for_masks
from utils.config.config import Config
from utils.config.run_config import with_folders
from utils.files import checkpoint
from utils.files.checkpoint import stored_in
from utils.processes.device import half_notices
from utils.values.channels import Channels, channels_of_plain
from utils.values.weights_identity import WeightsIdentity
from utils.words.class_names import name_key
from utils.words.errors import ConfigError, DamagedError
from utils.words.vocabulary import Vocabulary
from utils.words.yamlio import Document

Network = Graph | ExportedNetwork


@dataclass(frozen=True, eq=False)
class Loaded:
    """A loaded checkpoint, or a file exported from one: the averaged weights in eval mode, the class names, the
    configuration it had.

    `words` are those that an open-vocabulary network looks for; None for a closed one. `weights` tell which weights
    they are; `trained`, where it is known, in how many training pictures the class of a name_key was shown.
    """

    model: Graph | ExportedNetwork
    names: tuple[str, ...]
    config: Config
    epoch: int
    path: Path
    words: Words | None
    weights: WeightsIdentity
    trained: Mapping[str, int] = field(default_factory=dict)

    def about(self) -> dict[str, Any]:
        """See about_network; of an exported file what it was made from, too."""
        if isinstance(self.model, ExportedNetwork):
            known = {"weights": "exported_from", "weights_sha256": "exported_from_sha256"}
            known |= {name: name for name in ("backbone", "text_encoder", "glossary", "mobile_sam")}
            origin, number = self.model.about.origin, self.model.about.number
            return {name: origin[key] for key, name in known.items() if key in origin} | {"computed_in": number}
        return about_network(self.model, self.words)

    def graph(self, wanted: str) -> Graph:
        """The rows of the network, for what an exported file cannot do. Raises ConfigError, which begins with
        `wanted`.
        """
        if isinstance(self.model, Graph):
            return self.model
        raise ConfigError(f"{wanted}: {self.path} is an exported file; name the checkpoint that it was made from")

    @property
    def network(self) -> str:
        """The model YAML that it was built from."""
        return self.model.about.network if isinstance(self.model, ExportedNetwork) else self.model.spec.path.name

    @property
    def channels(self) -> Channels:
        """The planes of the pictures it was trained on."""
        return self.model.channels


def model_spec(content: Mapping[str, Any], path: Path) -> ModelSpec:
    """The network a checkpoint was made for. Raises DamagedError when this version cannot build it."""
    with stored_in(path):
        spec = parse_spec(Document(path, content["model_spec"], {}))
    names = {name_key(name) for name in content["names"]}
    if not len(names) == len(content["names"]) == spec.classes:
        raise DamagedError(path, f"{len(names)} class names for {spec.classes} classes; the file is inconsistent")
    return spec


def stored_network(content: Mapping[str, Any], path: Path) -> tuple[ModelSpec, Channels, Words | None]:
    """Rows, planes and words of the network of a checkpoint. Raises DamagedError."""
    spec, channels = model_spec(content, path), channels_of_plain(content["channels"], str(path))
    with stored_in(path):
        words = stored_words(content, path)
    if (words is None) != (spec.text_dim is None):
        raise DamagedError(path, "its network reads text without words to look for, or the other way round")
    return spec, channels, words


def network_name(path: str | Path) -> str:
    """The model YAML that a checkpoint's network was built from. Raises CheckpointError."""
    path = shipped.find(path)
    return model_spec(read_checkpoint(path), path).path.name


def checkpoint_network(model: Graph, names: Sequence[str], words: Words | None) -> dict[str, Any]:
    """What a checkpoint says of its network beside the weights: what `load_model` and `network_of` build it from."""
    content = {"model_spec": model.spec.plain(), "names": list(names), "channels": model.channels.plain()}
    if any(origins := origins_of(model)):
        content["backbones"] = origins
    if words is None:
        return content
    return {**content, "vocabulary": words.plain(), "synonyms": [list(row) for row in words.vocabulary.synonyms]}


def about_network(model: Graph, words: Words | None) -> dict[str, str]:
    """What results must name: the text encoder, whether Mobile-SAM took part, and what the backbone started from."""
    start = ", ".join(filter(None, origins_of(model)))
    return about_words(model, words) | ({"backbone": start} if start else {})


def load_model(path: str | Path, device: torch.device | str = "cpu", sam: str = "", masks: bool = False) -> Loaded:
    """Load a checkpoint for evaluation, by its path or by the name that it ships under; `sam`, `masks` see choose_sam,
    "" as it was trained. Raises CheckpointError.
    """
    path = shipped.find(path)
    if is_exported(path):
        return _exported(open_exported(path), sam, masks)
    content = read_checkpoint(path)
    spec, channels, words = stored_network(content, path)
    config = with_folders(checkpoint.config_of(content, path), path)
    with nullcontext() if sam else stored_in(path):  # what the user chooses is no fault of the file
        spec, weights_files = choose_sam(spec, channels, sam or config.model.sam, masks)
    with stored_in(path):
        model = build_graph(spec, channels, weights_files)
        checkpoint.restore(model, content["ema"]["module"], path)
        model.eval().requires_grad_(False)
        set_origins(model, content.get("backbones", ()))
        if words is not None:
            set_words(model, words)
    model.to_device(device)
    weights = WeightsIdentity.of(path.name, content["ema"]["module"])
    names, trained = tuple(content["names"]), _trained(content, path)
    return Loaded(model, names, config, content["epoch"], path, words, weights, trained)


def _trained(content: Mapping[str, Any], path: Path) -> dict[str, int]:
    """See Loaded. Raises DamagedError."""
    names, shown = content["names"], content.get("shown", ())
    if len(shown) not in (0, len(names)):
        raise DamagedError(path, f"counts of {len(shown)} classes for {len(names)} names; the file is inconsistent")
    return dict(zip(map(name_key, names), shown, strict=True)) if shown else {}


def _exported(network: ExportedNetwork, sam: str, masks: bool) -> Loaded:
    """See load_model."""
    about, path = network.about, network.path
    if sam and not masks:
        raise ConfigError(f"model.sam={sam}: {path} is an exported file, in which Mobile-SAM has no part; leave it out")
    config = with_folders(checkpoint.config_of({"config": about.config}, path), path)
    words = None
    if about.words is not None:
        with stored_in(path):
            words = stored_words({**about.words, "names": list(about.names)}, path)
        assert words is not None, "it has a vocabulary"
        network.look_for(words)
    return Loaded(network, about.names, config, about.epoch, path, words, about.weights)


def load_masker(loaded: Loaded, sam: str) -> Masker:
    """What gives masks of the network's boxes; `sam` as for `load_model`. Raises UserError."""
    layers = loaded.model.layers if isinstance(loaded.model, Graph) else ()
    own = next((layer.sam for layer in layers if isinstance(layer, SAMEmbedding)), None)
    return Masker(sam_for_masks(own, sam or loaded.config.model.sam), loaded.model.device)


def for_inference(model: Graph | ExportedNetwork, static: bool = False, half: bool = False) -> Graph | ExportedNetwork:
    """A copy on its device without BatchNorms behind convolutions; `static`: with its vocabulary folded in, too. An
    exported file is made ready to run, `half` in 16 bit if it can.
    """
    if isinstance(model, ExportedNetwork):
        return model.ready(half)
    device = next(model.parameters()).device
    return without_norms(static_graph(model) if static else model).to_device(device)


def half_words(model: Graph | ExportedNetwork, wanted: bool) -> list[str]:
    """What to say about --half, if it is wanted."""
    if isinstance(model, ExportedNetwork):
        return [model.engine.half_words] if wanted else []
    return half_notices(model.device, wanted)


def network_of(
    content: Mapping[str, Any], path: Path, cfg: Config, vocabulary: Vocabulary
) -> tuple[Graph, Words | None]:
    """The network of a checkpoint to train on, without its weights. Raises UserError."""
    spec, channels, words = stored_network(content, path)
    if words is not None:
        words = words_for(words, vocabulary, cfg.model.text_encoder)
    with stored_in(path):
        model = build_network(spec, words, cfg, channels)
    set_origins(model, content.get("backbones", ()))
    return model, words


def build_network(spec: ModelSpec, words: Words | None, cfg: Config, channels: Channels) -> Graph:
    """The network of `spec` to train, its rows filled from the files of weights that `cfg` names. Raises UserError."""
    spec, weights_files = choose_sam(spec, channels, cfg.model.sam)
    model = build_graph(spec, channels, weights_files)
    if words is not None:
        set_words(model, words)
    return model
