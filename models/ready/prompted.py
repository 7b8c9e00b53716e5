"""What a loaded network that reads text looks for: words, examples, or its own words in another order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor
from torch.nn.functional import normalize

from models.exported.exported_network import ExportedNetwork
from models.graph.graph import Graph
from models.graph.open_vocabulary import Words, asked_words, permuted, set_words, stored_words, words_for
from models.pretrained.shipped import SHA256, is_shipped
from models.ready.load import Loaded, checkpoint_network
from models.ready.packed import read_checkpoint, without_training
from utils.console.log import LOG
from utils.files import checkpoint
from utils.values.unknown_defect import PRESENCE, UNKNOWN
from utils.words.class_names import name_key
from utils.words.errors import ConfigError, printable
from utils.words.vocabulary import Vocabulary


@dataclass(frozen=True, eq=False)
class Shown:
    """What examples of a class look like, `vector` (D,), beside its words or `alone` in their place."""

    vector: Tensor
    alone: bool


def look_for(
    loaded: Loaded,
    vocabulary: Vocabulary,
    text_encoder: str,
    glossary: str = "",
    shown: Mapping[int, Shown] = MappingProxyType({}),
) -> Loaded:
    """The network looking for other names, guided by its own; see asked_words. Of classes that are `shown`, by number,
    examples say what they look like. Raises ConfigError for a closed network, UserError for unusable text.
    """
    check_reads_text(loaded)
    assert loaded.words is not None, "it reads text"
    words = _worded(loaded.words, vocabulary, text_encoder, glossary, shown, kept_names(loaded))
    words = replace(words, guides=loaded.words.guides_of_others())
    let_look_for(loaded.model, words)
    return replace(loaded, names=vocabulary.names, words=words)


def kept_names(loaded: Loaded) -> tuple[str, ...]:
    """The classes whose scores are those of the training, however they are asked for: its own, but none of weights that
    ship, or of files exported from these, which were trained on drawn pictures alone.
    """
    assert loaded.words is not None, "it reads text"
    ships = is_shipped(loaded.path) or loaded.about().get("exported_from_sha256") in SHA256.values()
    return () if ships else loaded.words.vocabulary.names


def let_look_for(model: Graph | ExportedNetwork, words: Words) -> None:
    """See set_words; an exported file that takes text looks for them as well."""
    if isinstance(model, ExportedNetwork):
        model.look_for(words)
    else:
        set_words(model, words)


def _worded(
    stored: Words,
    vocabulary: Vocabulary,
    text_encoder: str,
    glossary: str,
    shown: Mapping[int, Shown],
    kept: Collection[str],
) -> Words:
    """See look_for; what `kept` are: asked_words."""
    rows = [row for k, row in enumerate(vocabulary.synonyms) if k not in shown or not shown[k].alone]
    kept = {*kept, *(vocabulary.names[k] for k in shown)}  # examples show where there is a defect
    if len(rows) == len(vocabulary):
        words = asked_words(stored, vocabulary, text_encoder, glossary, kept)
    elif rows:
        words = asked_words(stored, Vocabulary.from_lists(rows), text_encoder, glossary, kept)
    else:
        words = replace(stored, vectors=stored.vectors[:0])
    if not shown:
        return words
    said, vectors = iter(words.vectors), []
    for k in range(len(vocabulary)):
        total = torch.zeros_like(stored.vectors[0])
        if k not in shown or not shown[k].alone:
            total = total + next(said)
        if k in shown:
            total = total + shown[k].vector
        vectors.append(normalize(total, dim=0))
    return replace(words, vocabulary=Vocabulary.from_names(vocabulary.names), vectors=torch.stack(vectors))


def look_for_classes(
    loaded: Loaded,
    synonyms: Sequence[Sequence[str]],
    prompts: str | None,
    text_encoder: str,
    glossary: str = "",
    examples: Mapping[str, Tensor] = MappingProxyType({}),
) -> Loaded:
    """The network looking for the classes of a data set, by their names and `synonyms`, or by `prompts`, one for each;
    or, where there are `examples` of a class's name, by those, beside its prompt where there is one. Raises UserError.
    """
    by_key = {name_key(name): vector for name, vector in examples.items()}
    keys = [name_key(row[0]) for row in synonyms]
    shown = {k: Shown(by_key[key], alone=prompts is None) for k, key in enumerate(keys) if key in by_key}
    vocabulary = Vocabulary.from_lists(synonyms)
    if prompts is not None:
        vocabulary = Vocabulary.from_prompts(prompts)
        if len(vocabulary) != len(synonyms):
            raise ConfigError(f"--prompts: {len(vocabulary)} for the data's {len(synonyms)} classes; give one each")
    return look_for(loaded, vocabulary, text_encoder, glossary, shown)


def look_for_prompts(
    loaded: Loaded, prompts: str | None, text_encoder: str, glossary: str, examples: Mapping[str, Tensor]
) -> Loaded:
    """The network looking for `prompts`, then for the `examples` of other names; a name of both is looked for by both.
    Raises UserError.
    """
    said = [] if prompts is None else list(Vocabulary.from_prompts(prompts).names)
    by_key = {name_key(name): vector for name, vector in examples.items()}
    keys = {name_key(name) for name in said}
    names = [*said, *(name for name in examples if name_key(name) not in keys)]
    shown = {
        k: Shown(by_key[name_key(name)], alone=k >= len(said))
        for k, name in enumerate(names)
        if name_key(name) in by_key
    }
    return look_for(loaded, Vocabulary.from_names(names, where="--examples"), text_encoder, glossary, shown)


def looking_for(
    members: Sequence[Loaded],
    prompts: str | None,
    text_encoder: str,
    glossary: str,
    unknown: bool,
    shown: Mapping[str, Tensor],
) -> Loaded:
    """The first of `members` as it looks for `prompts`, what is `shown` and with `unknown` also for what is none of
    these; itself where nothing is asked for. Raises UserError, among them ConfigError for asking an ensemble.
    """
    loaded = trained = members[0]
    if glossary and prompts is None:
        raise ConfigError("glossary describes the words of prompts, which are not given; leave it out")
    if prompts is not None or shown:
        loaded = look_for_prompts(loaded, prompts, text_encoder, glossary, shown)
    if unknown:
        loaded = look_for_unknown(loaded, trained, text_encoder)
    if text_encoder and loaded.words is None:
        raise ConfigError(f"text_encoder: {loaded.path} reads no text; leave it out")
    if loaded is not trained and len(members) > 1:
        raise ConfigError("weights: an ensemble looks for nothing but its own classes; name one checkpoint")
    return loaded


def look_for_unknown(loaded: Loaded, trained: Loaded, text_encoder: str) -> Loaded:
    """The network looking for UNKNOWN too, as its last class: for what the word "defect" means to it. It was `trained`
    with its words then, or looks for them still; no other class's scores change. Raises UserError.
    """
    check_reads_text(loaded)
    assert loaded.words is not None and trained.words is not None, "it reads text"
    if PRESENCE not in trained.words.vocabulary.strings:
        told = f"was never trained to find what is called {PRESENCE} by that word alone"
        LOG.warning(f"--unknown: {trained.path} {told}; train.py --set data.as_defect=0.2 does that")
    presence = words_for(trained.words, Vocabulary.from_names((PRESENCE,)), text_encoder).vectors
    words = and_more(loaded.words, (UNKNOWN,), presence, "--unknown")
    let_look_for(loaded.model, words)
    return replace(loaded, names=words.vocabulary.names, words=words)


def and_more(words: Words, names: Sequence[str], vectors: Tensor, where: str) -> Words:
    """`words` and, as the last classes, those of `names` with their `vectors` (n, D). No other class's scores change.
    Raises ConfigError, which names `where`, for a name that is there already.
    """
    own = words.vocabulary.names
    together = torch.cat((words.vectors[: len(own)], vectors.to(words.vectors)))
    vocabulary = Vocabulary.from_names((*own, *names), where=where)
    return replace(words, vocabulary=vocabulary, vectors=together, guides=words.guides_of_others())


def save_words(loaded: Loaded | None, path: Path) -> None:
    """Write a checkpoint of the network that looks for what `loaded` does (None: nothing was asked for), without an
    encoder and without examples. Raises ConfigError for a file that is there, CheckpointError, ResourceError.
    """
    if loaded is None:
        raise ConfigError("--save-prompts: there is nothing to save; give --prompts, --examples or --unknown")
    assert loaded.words is not None, "a closed network has no words"
    if path.exists():
        raise ConfigError(f"--save-prompts {printable(str(path))}: is there already; name a new file")
    model = loaded.graph("--save-prompts")
    content, spec = read_checkpoint(loaded.path), model.spec.with_values(nc=len(loaded.names))
    words = _with_presence(loaded.words, stored_words(content, loaded.path))
    own = checkpoint_network(model, loaded.names, words)  # classes of which no training counts are known
    checkpoint.save(path, without_training(content) | own | {"model_spec": spec.plain(), "shown": []})


def _with_presence(words: Words, trained: Words | None) -> Words:
    """`words` and, beside them, what PRESENCE means to a network `trained` with it: --unknown then takes no encoder."""
    presence = None if trained is None else trained.presence()
    if presence is None or PRESENCE in words.vocabulary.strings:
        return words
    vocabulary = replace(words.vocabulary, further=(*words.vocabulary.further, PRESENCE))
    return replace(words, vocabulary=vocabulary, vectors=torch.cat((words.vectors, presence.to(words.vectors)[None])))


def with_permuted_names(loaded: Loaded, times: int) -> Iterator[Graph]:
    """The network `times` times with its text vectors permuted among the names, in another order for each seed: what it
    finds then is right by chance. At the end it has its own words again. Raises ConfigError at once for a closed
    network, or one that looks for a single class.
    """
    if not times:
        return iter(())
    if loaded.words is None:
        raise ConfigError(f"val.chance: {loaded.path} reads no text; there is nothing to permute")
    if UNKNOWN in loaded.words.vocabulary.names:
        raise ConfigError(f"val.chance: the {UNKNOWN} has no name to permute; leave --unknown out")
    if len(loaded.words.vocabulary) < 2:
        raise ConfigError(f"val.chance: {loaded.path} looks for one class; there is no other's name")
    return _permuted(loaded.graph("val.chance"), loaded.words, range(times))


def _permuted(model: Graph, words: Words, seeds: Iterable[int]) -> Iterator[Graph]:
    for seed in seeds:
        set_words(model, permuted(words, seed))
        yield model
    set_words(model, words)


def check_reads_text(loaded: Loaded) -> None:
    """Raise ConfigError for a closed network."""
    if loaded.words is None:
        raise ConfigError(closed_words(loaded))


def closed_words(loaded: Loaded) -> str:
    """Why a closed network takes no prompts."""
    return (
        f"{loaded.path} ({loaded.network}) knows its {len(loaded.names)} classes only; "
        "prompts need a model that reads text, such as rtvpnet-s.yaml"
    )
