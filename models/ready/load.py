"""A model ready to run, from a YAML or a checkpoint; and what of a checkpoint fits another model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from models.graph.builder import build_graph
from models.graph.folded import static_graph, without_norms
from models.graph.graph import Graph
from models.graph.open_vocabulary import (
    Words,
    about_words,
    encode,
    permuted,
    set_words,
    stored_words,
    text_source,
    with_words,
    words_for,
)
from models.prompts.embedding import SAMEmbedding, choose_sam
from models.rows.model_spec import ModelSpec, parse_spec, read_spec
from models.sam.masker import Masker, sam_for_masks
from utils.config.config import Config
from utils.config.paths import find_yaml
from utils.config.run_config import with_folders
from utils.console.log import LOG
from utils.files import checkpoint
from utils.files.checkpoint import stored_in
from utils.values.channels import Channels, channels_of_plain, check_order
from utils.words.class_names import name_key
from utils.words.errors import CheckpointError, ConfigError, DamagedError
from utils.words.vocabulary import Vocabulary
from utils.words.yamlio import Document


@dataclass(frozen=True, eq=False)
class Loaded:
    """A loaded checkpoint: the averaged weights in eval mode, the class names, the configuration it had.

    `words` are those that an open-vocabulary network looks for; None for a closed one.
    """

    model: Graph
    names: tuple[str, ...]
    config: Config
    epoch: int
    path: Path
    words: Words | None

    def about(self) -> dict[str, Any]:
        """What results must name: the text encoder, and whether Mobile-SAM took part."""
        return about_words(self.model, self.words)

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


def checkpoint_network(model: Graph, names: Sequence[str], words: Words | None) -> dict[str, Any]:
    """What a checkpoint says of its network beside the weights: what `load_model` and `network_of` build it from."""
    content = {"model_spec": model.spec.plain(), "names": list(names), "channels": model.channels.plain()}
    return {**content, "vocabulary": words.plain()} if words else content


def load_model(path: str | Path, device: torch.device | str = "cpu", sam: str = "", masks: bool = False) -> Loaded:
    """Load a checkpoint for evaluation; `sam`, `masks` see choose_sam, "" as it was trained. Raises CheckpointError."""
    path = Path(path)
    content = checkpoint.load(path)
    spec, channels, words = stored_network(content, path)
    config = with_folders(checkpoint.config_of(content, path), path)
    with nullcontext() if sam else stored_in(path):  # what the user chooses is no fault of the file
        spec, weights_files = choose_sam(spec, channels, sam or config.model.sam, masks)
    with stored_in(path):
        model = build_graph(spec, channels, weights_files)
        checkpoint.restore(model, content["ema"]["module"], path)
        model.eval().requires_grad_(False)
        if words is not None:
            set_words(model, words)
    model.to_device(device)
    return Loaded(model, tuple(content["names"]), config, content["epoch"], path, words)


def look_for(loaded: Loaded, vocabulary: Vocabulary, text_encoder: str) -> Loaded:
    """The network looking for other names. Raises ConfigError for a closed network, UserError for unusable text."""
    if loaded.words is None:
        raise ConfigError(closed_words(loaded))
    words = words_for(loaded.words, vocabulary, text_encoder)
    set_words(loaded.model, words)
    return replace(loaded, names=vocabulary.names, words=words)


def look_for_classes(
    loaded: Loaded, synonyms: Sequence[Sequence[str]], prompts: str | None, text_encoder: str
) -> Loaded:
    """The network looking for the classes of a data set, by their names and `synonyms`, or by `prompts`, one for each.
    Raises UserError.
    """
    vocabulary = Vocabulary.from_lists(synonyms)
    if prompts is not None:
        vocabulary = Vocabulary.from_prompts(prompts)
        if len(vocabulary) != len(synonyms):
            raise ConfigError(f"--prompts: {len(vocabulary)} for the data's {len(synonyms)} classes; give one each")
    return look_for(loaded, vocabulary, text_encoder)


def with_permuted_names(loaded: Loaded, times: int) -> Iterator[Graph]:
    """Yield the network `times` times with its text vectors permuted among the names, in another order for each seed:
    what it finds then is right by chance. At the end it has its own words again. Raises ConfigError for a closed
    network.
    """
    if not times:
        return
    if loaded.words is None:
        raise ConfigError(f"val.chance: {loaded.path} reads no text; there is nothing to permute")
    for seed in range(times):
        set_words(loaded.model, permuted(loaded.words, seed))
        yield loaded.model
    set_words(loaded.model, loaded.words)


def load_masker(loaded: Loaded, sam: str) -> Masker:
    """What gives masks of the network's boxes; `sam` as for `load_model`. Raises UserError."""
    own = next((layer.sam for layer in loaded.model.layers if isinstance(layer, SAMEmbedding)), None)
    return Masker(sam_for_masks(own, sam or loaded.config.model.sam), next(loaded.model.parameters()).device)


def closed_words(loaded: Loaded) -> str:
    """Why a closed network takes no prompts."""
    return (
        f"{loaded.path} ({loaded.model.spec.path.name}) knows its {len(loaded.names)} classes only; "
        "prompts need a model that reads text, such as rtvpnet-s.yaml"
    )


def for_inference(model: Graph, static: bool = False) -> Graph:
    """A copy on its device without BatchNorms behind convolutions; `static`: with its vocabulary folded in, too."""
    device = next(model.parameters()).device
    return without_norms(static_graph(model) if static else model).to_device(device)


def new_network(cfg: Config, vocabulary: Vocabulary, channels: Channels) -> tuple[Graph, Words | None]:
    """The network of the model YAML with random weights; an open-vocabulary one looks for `vocabulary`.

    Its pictures have `channels`, without the planes of polar when it reads none, which is logged. Raises UserError.
    """
    spec = read_spec(find_yaml(cfg.model.cfg, "models", "--cfg")).with_values(nc=len(vocabulary))
    words = None
    if spec.text_dim is not None:
        words = encode(vocabulary, text_source(spec, cfg.model.text_encoder))
        spec = with_words(spec, words)
    elif cfg.model.text_encoder:
        raise ConfigError(f"--text-encoder: {spec.path.name} reads no text; take a model such as rtvpnet-s.yaml")
    if channels.polar and not spec.reads("polar"):
        LOG.info("%s reads no polar: trained on %s alone", spec.path.name, ", ".join(channels.image))
        channels = channels.image_only()
    return build_network(spec, words, cfg, channels), words


def network_of(
    content: Mapping[str, Any], path: Path, cfg: Config, vocabulary: Vocabulary
) -> tuple[Graph, Words | None]:
    """The network of a checkpoint to train on, without its weights. Raises UserError."""
    spec, channels, words = stored_network(content, path)
    if words is not None:
        words = words_for(words, vocabulary, cfg.model.text_encoder)
    with stored_in(path):
        return build_network(spec, words, cfg, channels), words


def build_network(spec: ModelSpec, words: Words | None, cfg: Config, channels: Channels) -> Graph:
    """The network of `spec` to train, its rows filled from the files of weights that `cfg` names. Raises UserError."""
    spec, weights_files = choose_sam(spec, channels, cfg.model.sam)
    model = build_graph(spec, channels, weights_files)
    if words is not None:
        set_words(model, words)
    return model


def load_matching(model: Graph, path: str | Path) -> str:
    """Copy the weights of a checkpoint that fit `model` by row, name and shape; returns one line saying what did and
    did not.

    Networks of different numbers of rows are aligned first: an extra row, such as a fusion, shifts those below it.
    Raises CheckpointError when nothing fits.
    """
    path = Path(path)
    content = checkpoint.load(path)
    spec, theirs, _ = stored_network(content, path)
    check_order(theirs.names, model.channels.names, str(path), "the data")
    state = _aligned(content["ema"]["module"], spec, model.spec)
    own = model.state_dict()
    fitting = {k: v for k, v in state.items() if k in own and own[k].shape == v.shape and own[k].dtype == v.dtype}
    if not fitting:
        raise CheckpointError(f"{path}: none of its {len(state)} tensors fits this model; is --cfg the same?")
    model.load_state_dict(fitting, strict=False)  # what does not fit keeps its first weights
    missing = [k for k in own if k not in fitting]
    left = [k for k in state if k not in fitting]
    line = f"{path}: {len(fitting)} of {len(own)} tensors taken"
    return line + (f", {len(missing)} start fresh ({_some(missing)}), {len(left)} left out" if missing else "")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def _aligned(state: dict[str, Tensor], theirs: ModelSpec, ours: ModelSpec) -> dict[str, Tensor]:
    """`state` with its row numbers changed to those in `ours`: the longest runs of the same modules."""
    if len(theirs.rows) == len(ours.rows):
        return state
    before, now = ([row.module for row in spec.rows] for spec in (theirs, ours))
    blocks = SequenceMatcher(a=before, b=now, autojunk=False).get_matching_blocks()
    places = {block.a + k: block.b + k for block in blocks for k in range(block.size)}
    moved = {}
    for key, value in state.items():
        row = re.fullmatch(r"layers\.(\d{1,4})\.(.+)", key)
        place = places.get(int(row[1])) if row else None
        # a row without a partner gets a name that no model has, so that it counts as left out
        moved[f"layers.{place}.{row[2]}" if row and place is not None else f"{key} of theirs"] = value
    return moved
