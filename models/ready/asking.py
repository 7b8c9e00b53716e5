"""Questions put to a network: what its classes are called, and the answers of its detections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from models.exported.exported_network import ExportedNetwork
from models.graph.graph import Graph
from models.graph.open_vocabulary import Words, asked_words
from models.inference.nms import NMSConfig
from models.ready.prompted import and_more, let_look_for
from models.text.glossary_file import built_in
from utils.answers.answerer import Answerer
from utils.answers.lexicon import Lexicon
from utils.answers.look import Known
from utils.answers.picture import FoundThings
from utils.answers.reading_file import checked_reading
from utils.answers.score_reading import ScoreReading
from utils.answers.severity import check_scale, read_severity
from utils.asking.parser import parse
from utils.console.log import LOG
from utils.deciding.threshold_file import Limits
from utils.deciding.thresholds import LOWEST
from utils.questions.question import NotUnderstood, Question
from utils.values.answer import Answer
from utils.values.detections import Detections
from utils.values.unknown_defect import PRESENCE, without_twice_found
from utils.words.errors import ConfigError, printable
from utils.words.vocabulary import Vocabulary


def lexicon_for(names: Sequence[str], words: Words | None, own: int | None = None) -> Lexicon:
    """What the classes `names` are called: also by the synonyms that the network was trained with, and by the words of
    the glossary, Chinese ones too. The first `own` are its own classes (None: all), the others were asked for once.
    """
    glossary = (words.glossary if words is not None else None) or built_in()
    synonyms = [*(words.vocabulary.synonyms if words is not None else ()), *(term.words for term in glossary.terms)]
    return Lexicon.of(names, synonyms, own)


def asked_prompts(texts: Sequence[str]) -> str:
    """What the questions ask of, as prompts; of any defect by the word for it."""
    known = [word for term in built_in().terms for word in term.words]
    asked = [one for text in texts for one in parse(text, known) if isinstance(one, Question)]
    subjects = [subject for question in asked for subject in question.subjects]
    phrases = dict.fromkeys(phrase for subject in subjects for phrase in subject.phrases or (PRESENCE,))
    quoted = (phrase.replace('"', '""') for phrase in phrases or (PRESENCE,))
    return ", ".join(f'"{phrase}"' for phrase in quoted)


@dataclass(frozen=True, eq=False)
class LookedFor:
    """The `words` that a network looks for (None: it reads no text), those that it was `trained` with, the encoder for
    others, whether it is `static`: folded for its words; and which names are `kept`, see asked_words.
    """

    words: Words | None
    trained: Words | None
    text_encoder: str
    static: bool
    kept: tuple[str, ...] = ()

    def again(self, model: Graph | ExportedNetwork) -> None:
        """Let `model` look for just these."""
        assert self.words is not None, "it reads text"
        let_look_for(model, self.words)

    def also(self, model: Graph | ExportedNetwork, names: Sequence[str]) -> LookedFor:
        """Let `model` look for these as well, as its last classes; no other class's scores change. Raises UserError."""
        if self.static:
            raise ConfigError(f"model.static: is folded for its own words; name {', '.join(names)} in --prompts, too")
        assert self.words is not None and self.trained is not None, "it reads text"
        vocabulary = Vocabulary.from_names(names, where="--ask")
        vectors = asked_words(self.trained, vocabulary, self.text_encoder, kept=self.kept).vectors
        words = and_more(self.words, names, vectors, "--ask")
        let_look_for(model, words)
        return replace(self, words=words)


@dataclass(frozen=True, eq=False)
class Asked:
    """What is asked of every picture, and what answers; nothing, without an answerer."""

    questions: tuple[Question | NotUnderstood, ...] = ()
    answerer: Answerer | None = None

    def gathering(self, nms: NMSConfig) -> NMSConfig:
        """From which confidence on to look: questions ask of faint things, too."""
        if self.answerer is None:
            return nms
        reading = self.answerer.known.reading
        # what scores are worth was fitted to all that val.py gathers
        lowest = LOWEST if reading.box is not None else max(reading.lowest, LOWEST)
        return replace(nms, conf=min(nms.conf, lowest))

    def counting(self, found: Detections, limits: Limits | None, conf: float, own: int) -> Detections:
        """What counts as a defect of all that was found in a picture: by the `limits`, else of the first `own` classes
        what has the confidence `conf`.
        """
        passing = found if limits is None else limits.passing(found)
        if self.questions and limits is None:
            passing = found.keep((found.scores >= conf) & (found.labels < own))
        return without_twice_found(passing)

    def answers(self, found: Detections, size: tuple[int, int]) -> tuple[Answer, ...]:
        """About a picture of `size` (height, width) px, in which all of this was found, however faint."""
        if self.answerer is None:
            return ()
        things = FoundThings.of(found, size, self.answerer.known.mm_per_px)
        return tuple(self.answerer(one, things) for one in self.questions)

    def unread(self, reason: str) -> tuple[Answer, ...]:
        """No answers about a picture that could not be read."""
        return tuple(Answer(one.text, "", refusal=reason) for one in self.questions)

    def only(self, answers: Sequence[Answer]) -> Answer:
        """The answer, where one question was asked; else why there is none."""
        if len(answers) == 1:
            return answers[0]
        text = " ".join(one.text for one in self.questions)
        return Answer(text, "", refusal=f"these are {len(answers)} questions; ask one after the other")


def own_thresholds(weights: Path) -> str:
    """The thresholds.yaml of the training run that these weights are of, if there is one; "" else."""
    own = weights.parent.parent / "thresholds.yaml"
    if not own.is_file():
        return ""
    LOG.info("scores are read by %s; --conf leaves it out", printable(str(own)))
    return str(own)


def answerer_for(
    lexicon: Lexicon, limits: Limits | None, conf: float, severity: str, mm_per_px: float | None
) -> Answerer:
    """Answers for these classes; scores are read as the file of `limits` says, else from `conf` on, uncalibrated.
    `limits` are those of the classes that decide, in the order of `lexicon`, NEVER for the others; `severity` names the
    user's rules ("": none). Raises ConfigError.
    """
    if limits is None:
        reading = ScoreReading.uncalibrated((conf,) * len(lexicon.names), own=lexicon.own)
    else:
        source, values = limits.thresholds.source, limits.thresholds.values
        reading = checked_reading(source, lexicon, values, conf)
    rules = read_severity(severity, lexicon) if severity else None
    if rules is not None:
        check_scale(rules, mm_per_px, severity)
    return Answerer(Known(lexicon, reading, rules, mm_per_px))
