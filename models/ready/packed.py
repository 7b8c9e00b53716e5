"""A checkpoint made small, to be passed on: in half precision, and without what an installed package holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from models.graph.open_vocabulary import Words, stored_words, words_for
from models.layers.timm_backbone import TimmBackbone
from models.ready.backbone_weights import PACKAGES, read_package
from models.rows.model_spec import parse_spec
from utils.files import checkpoint
from utils.files.checkpoint import stored_in
from utils.files.content import Content
from utils.values.channels import channels_of_plain
from utils.values.unknown_defect import PRESENCE
from utils.words.errors import ConfigError, printable
from utils.words.yamlio import Document

RGB = 3  # planes, for which a package's weights need no change


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The content of a checkpoint, packed or not. Raises CheckpointError; ConfigError where a package is missing that
    holds a part of it.
    """
    content = checkpoint.load(path)
    return unpacked(content, Path(path)) if content.get("packed") else content


def without_training(content: Mapping[str, Any]) -> dict[str, Any]:
    """What is needed to use a checkpoint, and nothing of the training's state."""
    return {key: content[key] for key in Content.__annotations__ if key in content}


def packed(content: Mapping[str, Any], path: Path, glossary_words: bool = False) -> dict[str, Any]:
    """The same network in fewer bytes: matrices as float16, without the backbones that are still as a package has them,
    and without the texts that training said beside the names, but for PRESENCE; `glossary_words`: with all names that
    its glossary knows, which then need no encoder. Raises ConfigError where there is no glossary, or no encoder now.
    """
    state = dict(content["ema"]["module"])
    for held in _of_packages(content, path):
        if all(torch.equal(state[key], value) for key, value in held.items()):
            state = {key: value for key, value in state.items() if key not in held}
    halves = {key: value.half() if value.ndim > 1 else value for key, value in state.items()}
    kept = without_training(content) | {"packed": True, "ema": {**content["ema"], "module": halves}}
    words = stored_words(content, path)
    if glossary_words and (words is None or words.glossary is None):
        raise ConfigError(f"--glossary-words: {printable(str(path))} has no glossary; leave it out")
    if words is None:
        return kept
    plain = _with_fewer_texts(words, glossary_words).plain()
    return kept | {"vocabulary": plain | {"vectors": plain["vectors"].half()}}


def unpacked(content: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """What `packed` was given, but for rounding and texts. Raises ConfigError for a package that is missing,
    CheckpointError for one that is not the one that is known.
    """
    state: dict[str, Tensor] = dict(content["ema"]["module"])
    halves = {key: value.float() if value.dtype == torch.float16 else value for key, value in state.items()}
    for held in _of_packages(content, path):
        if not held.keys() & state.keys():
            halves |= held
    whole = {**content, "packed": False, "ema": {**content["ema"], "module": halves}}
    if (words := content.get("vocabulary")) is not None:
        whole["vocabulary"] = {**words, "vectors": normalize(words["vectors"].float(), dim=-1)}
    return whole


def _of_packages(content: Mapping[str, Any], path: Path) -> Iterator[dict[str, Tensor]]:
    """Of each backbone that a package fills, its tensors by the names that they have in the network."""
    with stored_in(path):
        spec = parse_spec(Document(path, content["model_spec"], {}))
    planes = len(channels_of_plain(content["channels"], str(path)).image)
    for row in spec.rows:
        reads_image = [source.origin for source in row.sources] == ["image"]
        network = row.args[0] if row.args else row.keywords.get("network")
        if row.module == TimmBackbone.__name__ and reads_image and planes == RGB and network in PACKAGES:
            layer = TimmBackbone(RGB, *row.args, **row.keywords)
            layer.fill(read_package(layer, str(path)).state)
            yield {f"layers.{row.index}.{key}": value for key, value in layer.state_dict().items()}


def _with_fewer_texts(words: Words, glossary_words: bool) -> Words:
    further = [PRESENCE] if PRESENCE in words.vocabulary.strings else []
    if glossary_words and words.glossary is not None:
        further += [name for term in words.glossary.terms for name in term.words]
    fewer = words_for(words, replace(words.vocabulary, further=tuple(further)), "")
    return replace(words, vocabulary=fewer.vocabulary, vectors=fewer.vectors)
