"""A vector for each name: of the name alone, or the mean with those of what a glossary says that it looks like."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from torch import Tensor

from models.text.cache import VectorCache, average_templates, unit_mean
from models.text.encoder import TextEncoder
from models.text.glossary import Glossary
from utils.words.text import counted, shorten
from utils.words.vocabulary import Vocabulary

MOST_NAMES = 10  # in a message
_CHINESE = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]")


def describe(
    encoder: TextEncoder,
    cache: VectorCache,
    names: Sequence[str],
    templates: Sequence[str],
    glossary: Glossary | None,
) -> Tensor:
    """(N, D) unit rows: a name's vector, the mean with those of its texts where the glossary knows it, averaged over
    the templates. Raises UserError.
    """
    if glossary is None:
        return average_templates(encoder, cache, names, templates)
    rows = [glossary.texts(name) for name in names]
    texts = list(dict.fromkeys(text for row in rows for text in row))
    found = dict(zip(texts, average_templates(encoder, cache, texts, templates), strict=True))
    means = [unit_mean(torch.stack([found[text] for text in row])[:, None], row) for row in rows]
    return torch.cat(means) if means else torch.empty(0, encoder.dim)


def known_line(glossary: Glossary, names: Sequence[str]) -> str:
    """Which of the names the glossary knows, as a line for the log."""
    unknown = [name for name in names if glossary.term(name) is None]
    line = f"glossary of {glossary.name}: knows {len(names) - len(unknown)} of {counted(len(names), 'name')}"
    return line + (f"; as they are: {_some(unknown)}" if unknown else "")


def unread(names: Sequence[str], glossary: Glossary | None) -> str:
    """What to say of Chinese names that nothing puts into English, which English encoders cannot tell apart; or ""."""
    chinese = [name for name in names if _CHINESE.search(name) and (glossary is None or glossary.term(name) is None)]
    if not chinese:
        return ""
    way = "no glossary is used" if glossary is None else "the glossary lacks them (--glossary FILE adds yours)"
    return f"the text encoder reads English, and {way}: {_some(chinese)} mean nothing to it"


def twins(vocabulary: Vocabulary, glossary: Glossary) -> str:
    """What to say of classes that have the same texts, so the same vector; or ""."""
    owner: dict[tuple[str, ...], tuple[int, str]] = {}
    pairs = []
    for number, row in enumerate(vocabulary.synonyms):
        for name in row:
            other, twin = owner.setdefault(glossary.texts(name), (number, name))
            if other != number:
                pairs.append(f"{shorten(twin)} = {shorten(name)}")
    return f"to the glossary some classes are the same, and nothing tells them apart: {_some(pairs)}" if pairs else ""


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(shorten, names[:MOST_NAMES]))
    return shown + (f" and {len(names) - MOST_NAMES:,} more" if len(names) > MOST_NAMES else "")
