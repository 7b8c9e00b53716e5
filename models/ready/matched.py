"""The classes of a network and those of the data that it is judged on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from models.ready.load import Loaded
from models.ready.prompted import closed_words, look_for_classes, look_for_prompts, look_for_unknown
from utils.flags.val_flags import ValFlags
from utils.scoring.novelty import Novelty, group_names
from utils.words.class_names import ClassMatch, match_classes
from utils.words.errors import ConfigError

Synonyms = Sequence[Sequence[str]]
Shown = Callable[[Loaded], Mapping[str, Tensor]]
PROMPTS_MISSING = "is of --prompts, which are not given; --single-cls takes any, --map-classes none"


def match_to_data(
    flags: ValFlags, loaded: Loaded, synonyms: Synonyms, shown: Shown
) -> tuple[Loaded, ClassMatch, list[Novelty]]:
    """A network that reads text looks for the data's classes, each of which `synonyms` begins with, and some of which
    may be new to it; the classes of any other are matched with the data's by name. `shown`: what --examples show it.
    Raises UserError.
    """
    words, reads = (flags.prompts, flags.text_encoder, flags.glossary), loaded.words is not None
    if reads and flags.single_cls and (flags.prompts is not None or flags.examples):
        if flags.unknown:
            raise ConfigError("--unknown: all is one class with --single-cls; --prompts defect finds any")
        loaded = look_for_prompts(loaded, *words, shown(loaded))  # however many: all are one class
    elif loaded.words is not None and not (flags.single_cls or flags.map_classes):
        looking = look_for_classes(loaded, synonyms, *words, shown(loaded))
        assert looking.words is not None, "look_for_classes sets the words"
        groups = group_names(loaded.words.vocabulary, looking.words.vocabulary)
        if flags.unknown:
            looking = look_for_unknown(looking, loaded, flags.text_encoder)
        return looking, ClassMatch(tuple(range(len(looking.names)))), groups
    elif given := _words_given(flags):
        raise ConfigError(f"{given}: {PROMPTS_MISSING if reads else closed_words(loaded)}")
    names = tuple(row[0] for row in synonyms)
    return loaded, match_classes(loaded.names, names, str(loaded.path), flags.single_cls, flags.map_classes), []


def match_members(
    flags: ValFlags, members: Sequence[Loaded], synonyms: Synonyms, shown: Shown
) -> tuple[list[Loaded], ClassMatch, list[Novelty]]:
    """See match_to_data; of an ensemble each member. Raises ConfigError where their classes differ then."""
    matched = [match_to_data(flags, one, synonyms, shown) for one in members]
    _, classes, novelty = matched[0]
    for one, match, _ in matched[1:]:
        if match.labels != classes.labels:
            raise ConfigError(f"--weights {one.path}: looks for other classes than {members[0].path}; name --prompts")
    return [one for one, _, _ in matched], classes, novelty


def _words_given(flags: ValFlags) -> str:
    """The first flag given that says what to look for, or how."""
    given = {"--prompts": flags.prompts is not None, "--examples": flags.examples}
    given |= {"--unknown": flags.unknown, "--text-encoder": flags.text_encoder, "--glossary": flags.glossary}
    return next((flag for flag, value in given.items() if value), "")
