"""A network and the words it looks for: encoded, set, stored in checkpoints, replaced by others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from models.graph.graph import Graph
from models.rows.model_spec import ModelSpec
from models.rows.text_reader import TextReader
from models.text.cache import VectorCache
from models.text.descriptions import describe, known_line, twins, unread
from models.text.encoder import flaw
from models.text.encoder_finder import find_encoder, reads_english_only, takes_descriptions
from models.text.glossary import Glossary
from models.text.glossary_file import BUILT_IN, NONE, find_glossary
from utils.console.log import LOG
from utils.values.unknown_defect import PRESENCE
from utils.words.class_names import name_key
from utils.words.errors import CheckpointError, ConfigError, DamagedError
from utils.words.spelling import word_key
from utils.words.synonyms import check_names, check_templates
from utils.words.text import counted
from utils.words.vocabulary import Vocabulary

DEFAULT_ENCODER = "open_clip"
PRESENCE_SHARE = 0.5  # of a word's vector, beside it


@dataclass(frozen=True, eq=False)
class Words:
    """Vectors (M, D) of a vocabulary's `strings`, in order.

    `encoder` is the encoder's name (which weights), `source` how to find it again (--text-encoder); `glossary` is what
    names are described by. `guides` (G, D) guide the network in their place, see models.rows.text_reader.
    """

    vocabulary: Vocabulary
    vectors: Tensor
    encoder: str
    source: str
    glossary: Glossary | None = None
    guides: Tensor | None = None

    def guides_of_others(self) -> Tensor:
        """(G, D): what guides a network of these words when it looks for other ones."""
        return self.vectors[: len(self.vocabulary)] if self.guides is None else self.guides

    def presence(self) -> Tensor | None:
        """(D,): what PRESENCE means to a network that was trained to find any defect by that word; None: it was not."""
        told = PRESENCE in self.vocabulary.further
        return self.vectors[self.vocabulary.strings.index(PRESENCE)] if told else None

    def plain(self) -> dict[str, Any]:
        """What a checkpoint stores beside the synonyms: all vectors, so that no encoder is needed for what it knows,
        and the whole glossary, so that other names are described as these were.
        """
        templates = list(self.vocabulary.templates)
        content: dict[str, Any] = {"encoder": self.encoder, "source": self.source, "templates": templates}
        content |= {"further": list(self.vocabulary.further)} if self.vocabulary.further else {}
        content |= {"glossary": self.glossary.plain()} if self.glossary else {}
        content |= {"guides": self.guides.clone()} if self.guides is not None else {}
        return {**content, "vectors": self.vectors.clone()}


def encode(vocabulary: Vocabulary, source: str, cache: VectorCache | None = None, glossary: str = "") -> Words:
    """Encode the names and synonyms with the encoder that `source` names, described by the `glossary` that
    model.glossary names ("": the built-in one where the encoder takes it). Raises UserError.
    """
    encoder = find_encoder(source)
    used = find_glossary(glossary or (BUILT_IN if takes_descriptions(source) else NONE))
    _say(vocabulary, vocabulary.strings, used, source)
    vectors = describe(encoder, cache or VectorCache(), vocabulary.strings, vocabulary.templates, used)
    return Words(vocabulary, vectors, encoder.name, source, used)


def with_words(spec: ModelSpec, words: Words | None) -> ModelSpec:
    """The spec at the width of the words' vectors."""
    return spec if words is None else spec.with_values(text_dim=words.vectors.shape[1], text_encoder=words.source)


def text_source(spec: ModelSpec, text_encoder: str) -> str:
    """Which encoder to use: that of --text-encoder, else the YAML's."""
    return text_encoder or str(spec.data.get("text_encoder", DEFAULT_ENCODER))


def stored_words(content: Mapping[str, Any], path: Path) -> Words | None:
    """The words of a checkpoint; None for a network without text. Raises DamagedError, ConfigError for its names."""
    if "vocabulary" not in content:
        return None
    stored, names = content["vocabulary"], tuple(content["names"])
    vectors = stored["vectors"]
    if found := flaw(vectors):
        raise DamagedError(path, f"its text vectors have {found}")
    check_templates(stored["templates"], "vocabulary.templates")
    rows = content.get("synonyms", [[name] for name in names])  # earlier versions kept the names alone
    if names != tuple(row[0] if row else "" for row in rows):
        raise DamagedError(path, "its synonyms are of other names; the file is inconsistent")
    check_names(rows, "synonyms", "class")
    further = tuple(stored.get("further", ()))
    vocabulary = replace(Vocabulary.from_lists(rows, stored["templates"]), further=further)
    if len(vectors) != len(vocabulary.strings):
        texts = counted(len(vocabulary.strings), "text")
        raise DamagedError(path, f"{len(vectors)} text vectors for {texts}; the file is inconsistent")
    glossary = Glossary.from_plain(stored["glossary"]) if "glossary" in stored else None
    guides = stored.get("guides")
    if guides is not None and (found := flaw(guides)):
        raise DamagedError(path, f"the vectors that guide it have {found}")
    return Words(vocabulary, vectors, stored["encoder"], stored["source"], glossary, guides)


def words_for(
    stored: Words, vocabulary: Vocabulary, text_encoder: str, cache: VectorCache | None = None, glossary: str = ""
) -> Words:
    """The words of another vocabulary, as the network of `stored` understands them.

    Names that the checkpoint knows keep its vectors, however they are spelt where it has a glossary. Others need the
    encoder that it was trained with, which `text_encoder` says how to find ("": as then). So do those that another
    `glossary` describes otherwise, which model.glossary names ("": as then; a file extends the one of then). Raises
    UserError.
    """
    known, used = dict(zip(stored.vocabulary.strings, stored.vectors, strict=True)), stored.glossary
    if glossary:
        used = find_glossary(glossary, stored.glossary)
        known = {text: row for text, row in known.items() if _texts(text, used) == _texts(text, stored.glossary)}
    if used is not None:  # to which spellings of one word are one name
        spelt = {word_key(text): row for text, row in known.items()}
        known = {text: spelt[word_key(text)] for text in vocabulary.strings if word_key(text) in spelt} | known
    new = [text for text in vocabulary.strings if text not in known]
    if new:
        templates = stored.vocabulary.templates
        encoder = find_encoder(text_encoder or stored.source)
        # vectors of another encoder mean nothing to this network, even at the same width
        if encoder.name != stored.encoder:
            raise CheckpointError(
                f"the checkpoint was trained with the text encoder {stored.encoder}, this is {encoder.name}; "
                "give its own with --text-encoder"
            )
        _say(vocabulary, new, used, text_encoder or stored.source)
        vectors = describe(encoder, cache or VectorCache(), new, templates, used)
        known |= dict(zip(new, vectors, strict=True))
    elif text_encoder not in ("", stored.source):
        LOG.warning("--text-encoder %s is not needed: the weights know all names, by %s", text_encoder, stored.encoder)
    vectors = torch.stack([known[text] for text in vocabulary.strings])
    vocabulary = replace(vocabulary, templates=stored.vocabulary.templates)
    return Words(vocabulary, vectors, stored.encoder, stored.source, used)


def asked_words(
    stored: Words, vocabulary: Vocabulary, text_encoder: str, glossary: str = "", kept: Collection[str] = ()
) -> Words:
    """`words_for`, to be looked for by a network that may never have seen what they name: each word but those `kept` is
    looked for beside PRESENCE, where the network knows it. What a name means carries over to other pictures less
    well than that there is a defect at all, so that scores by the name alone are faint there.
    """
    words, presence = words_for(stored, vocabulary, text_encoder, glossary=glossary), stored.presence()
    if presence is None:
        return words
    beside = normalize(normalize(words.vectors, dim=-1) + PRESENCE_SHARE * normalize(presence, dim=-1), dim=-1)
    keys = {name_key(name) for name in kept}
    alone = torch.tensor([name_key(text) in keys for text in words.vocabulary.strings], device=beside.device)
    return replace(words, vectors=torch.where(alone[:, None], words.vectors, beside))


def _texts(name: str, glossary: Glossary | None) -> tuple[str, ...]:
    """What is encoded for a name."""
    return (name,) if glossary is None else glossary.texts(name)


def _say(vocabulary: Vocabulary, new: Sequence[str], glossary: Glossary | None, source: str) -> None:
    """What a user should know of the names that are encoded now."""
    if glossary is not None:
        LOG.info(known_line(glossary, new))
    warnings = [unread(new, glossary) if reads_english_only(source) else ""]
    warnings += [twins(vocabulary, glossary)] if glossary is not None else []
    for warning in filter(None, warnings):
        LOG.warning(warning)


def set_words(graph: Graph, words: Words) -> None:
    """Let `graph` look for `words`. Raises ConfigError when the vectors have another width than its rows take."""
    assert graph.text is not None, "only a network with text has words"
    width, theirs = graph.text.width, words.vectors.shape[1]
    if theirs != width:
        raise ConfigError(f"text encoder {words.encoder}: vectors of {theirs} numbers, but the network takes {width}")
    graph.text.fill(words.vectors, len(words.vocabulary), words.guides)
    for layer in graph.modules():
        if isinstance(layer, TextReader):
            layer.asked = 0 if words.guides is None else len(words.vocabulary)


def permuted(words: Words, seed: int) -> Words:
    """Every name with the vector of another one: what is left of a score then is chance. Seed by seed another order.

    Synonyms are left out; there must be two names at least.
    """
    count = len(words.vocabulary)
    assert count > 1, "a single name has no other's vector"
    random, own = torch.Generator().manual_seed(seed), torch.arange(count)
    order = own
    while (order == own).any():  # 1 permutation in e moves every name, however many there are
        order = torch.randperm(count, generator=random)
    names = Vocabulary.from_names(words.vocabulary.names)
    return replace(words, vocabulary=names, vectors=words.vectors[:count][order])


def about_words(graph: Graph, words: Words | None) -> dict[str, str]:
    """What the results of a network must name: the text encoder, the glossary, and how Mobile-SAM took part."""
    if words is None:
        return {}
    glossary = {} if words.glossary is None else {"glossary": words.glossary.name}
    sam = str(graph.spec.data.get("sam", "not in the model"))
    return {"text_encoder": words.encoder, **glossary, "mobile_sam": sam}
