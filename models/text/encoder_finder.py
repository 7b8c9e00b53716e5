"""From the words of --text-encoder to an encoder."""

from __future__ import annotations

from models.text.clip import ClipEncoder
from models.text.encoder import TextEncoder
from models.text.minilm import MiniLMEncoder
from models.text.ngram import NgramEncoder
from models.text.vectors import VectorsEncoder
from utils.console.log import LOG
from utils.words.errors import ConfigError, printable
from utils.words.text import did_you_mean

FORMS = "open_clip:MODEL:TAG, open_clip:MODEL:FILE, minilm, vectors:FILE, ngram or ngram:DIM"
DIMS = range(8, 4097)  # of ngram
ENGLISH = ("open_clip", "minilm", "ngram")  # read nothing else
DESCRIBED = ("open_clip", "minilm")  # understand what a glossary says; files of vectors know their own names only


def find_encoder(spec: str) -> TextEncoder:
    """`open_clip:MODEL:TAG`, `open_clip:MODEL:FILE` (MODEL may be empty: ViT-B-32), `open_clip` (ViT-B-32, openai),
    `minilm`, `vectors:FILE`, `ngram` or `ngram:DIM`. Never uses the network.

    Raises ConfigError when there is no such encoder, CheckpointError when its weights are missing or unusable.
    """
    kind, _, rest = spec.strip().partition(":")
    if kind == "open_clip":
        model, _, weights = rest.partition(":")  # a file may hold colons itself
        return ClipEncoder(model, weights)
    if kind == "minilm":
        if rest:
            raise ConfigError(f"text encoder '{printable(spec)}': minilm has one set of weights; write minilm alone")
        return MiniLMEncoder()
    if kind == "vectors":
        if not rest:
            raise ConfigError("text encoder vectors: which file? vectors:FILE")
        return VectorsEncoder(rest)
    if kind == "ngram":
        return _ngram(spec, rest)
    near = did_you_mean(kind, ("open_clip", "minilm", "vectors", "ngram"))
    raise ConfigError(f"text encoder '{printable(spec)}': no such encoder{near}; known: {FORMS}")


def reads_english_only(spec: str) -> bool:
    """Whether the encoder knows no other language."""
    return spec.strip().partition(":")[0] in ENGLISH


def takes_descriptions(spec: str) -> bool:
    """Whether names are described by the glossary for this encoder, unless a user says otherwise."""
    return spec.strip().partition(":")[0] in DESCRIBED


def _ngram(spec: str, rest: str) -> NgramEncoder:
    dim = int(rest) if rest.isdecimal() and len(rest) < 6 else -1
    if rest and dim not in DIMS:
        raise ConfigError(f"text encoder '{printable(spec)}': give a dimension of 8 to 4096, as in ngram:512")
    encoder = NgramEncoder(dim) if rest else NgramEncoder()
    LOG.warning(
        "text encoder: %s, a STAND-IN that knows spelling but no meaning; results say nothing about new classes",
        encoder.name,
    )
    return encoder
