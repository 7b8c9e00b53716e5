"""An evaluation put to questions: answers from its detections, judged; and what they have to beat.

Scores are read, picture by picture, as the other parts of the pictures say (see utils/deciding/cross_fit.py), so that
no answer is read by thresholds that its own picture chose; or as a thresholds.yaml says that was made elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch

from utils.answers.answerer import Answerer
from utils.answers.lexicon import Lexicon
from utils.answers.look import Known
from utils.answers.picture import FoundThings
from utils.answers.reading_choice import choose_reading, class_scores
from utils.answers.score_reading import ScoreReading
from utils.asking.parser import parse
from utils.deciding.cross_fit import PARTS, parts_of, without_each
from utils.inspection.calibration import Calibration, reliability
from utils.inspection.inspection import chosen_thresholds
from utils.inspection.inspection_config import InspectionConfig
from utils.questions.question import NotUnderstood, Question
from utils.quiz.answer_words import NG, OK, canonical
from utils.quiz.baselines import blind, majority
from utils.quiz.item import QuizItem
from utils.quiz.score import QuizScore, score
from utils.scoring.evaluation import DEFAULT_CONFIDENCE, Evaluation
from utils.scoring.matching import Matching
from utils.values.answer import NO, YES, Answer
from utils.values.detections import Detections
from utils.words.errors import DataError

Baseline = Callable[[Sequence[QuizItem], Sequence[QuizItem]], list[Answer]]


@dataclass(frozen=True, eq=False)
class Examination:
    """`answers` to `items`, one each; `score` with what it is compared with; `ceiling`, the score of the same answerer
    where the truth takes the place of the detections. Of whether a picture shows a class: what the best score says
    (`raw`), and what the odds make of it (`fitted`).
    """

    items: tuple[QuizItem, ...]
    answers: tuple[Answer, ...]
    score: QuizScore
    ceiling: QuizScore
    raw: Calibration
    fitted: Calibration


@dataclass(frozen=True, eq=False)
class Examiner:
    """Puts `evaluation` to questions. `lexicon`: words for its classes; `config`: how it is inspected; `given`: how its
    scores are read, None: as its other pictures say.
    """

    evaluation: Evaluation
    lexicon: Lexicon
    config: InspectionConfig
    given: ScoreReading | None = None

    def examine(self, items: Sequence[QuizItem]) -> Examination:
        """The answers to `items` (> 0), judged. Raises DataError with fewer than two pictures, where the answers are to
        be read as others say.
        """
        items = [self.of_kind(item) for item in items]
        answers = self.answered(items, self.things, self.readings)
        baselines = {"majority": self._apart(items, majority), "blind": self._apart(items, blind)}
        fixed = ScoreReading.uncalibrated((DEFAULT_CONFIDENCE,) * len(self.lexicon.names))
        every = (fixed,) * len(self.readings)
        baselines[f"fixed {DEFAULT_CONFIDENCE}"] = self.answered(items, self.things, every)
        if len(self.lexicon.names) > 1:
            baselines["shuffled"] = self.answered(items, self.shuffled, self.readings)
        raw, fitted = self.presence_calibration()
        return Examination(
            tuple(items),
            tuple(answers),
            score(items, answers, baselines),
            score(items, self.answered(items, self.truth, every)),
            raw,
            fitted,
        )

    def answered(
        self, items: Sequence[QuizItem], things: Sequence[FoundThings], readings: Sequence[ScoreReading]
    ) -> list[Answer]:
        """The answer to each item, from what was found in its picture, read as `readings` say, part by part."""
        by_part = [Answerer(Known(self.lexicon, one, None, self.config.mm_per_px)) for one in readings]
        parsed = {text: by_part[0].parse(text) for text in {item.question for item in items}}
        answers = []
        for item in items:
            asked, answerer = parsed[item.question], by_part[self.part[item.picture]]
            told = [answerer(one, things[item.picture]) for one in asked]
            several = Answer(item.question, "", refusal=f"these are {len(told)} questions")
            answers.append(in_words_of(item, asked[0], told[0]) if len(told) == 1 else several)
        return answers

    def of_kind(self, item: QuizItem) -> QuizItem:
        """The same, of the kind that its question is understood as where nobody said one."""
        asked = parse(item.question, self.lexicon.every_word())
        if item.kind is None and len(asked) == 1 and isinstance(asked[0], Question):
            return replace(item, kind=asked[0].kind)
        return item

    @cached_property
    def things(self) -> list[FoundThings]:
        """What was found in each picture."""
        found = self.evaluation.detections
        return [self._things(found[k], record.size) for k, record in enumerate(self.evaluation.records)]

    @cached_property
    def truth(self) -> list[FoundThings]:
        """What there is in each picture, as if it had been found."""
        rows = []
        for record in self.evaluation.records:
            boxes, labels = record.counted()
            tensors = torch.from_numpy(boxes.copy()), torch.ones(len(boxes)), torch.from_numpy(labels.copy())
            rows.append(self._things(Detections(*tensors, self.evaluation.names), record.size))
        return rows

    @cached_property
    def shuffled(self) -> list[FoundThings]:
        """What was found, each class by the name of the next one: the same boxes under wrong names."""
        count = len(self.lexicon.names)
        return [replace(one, labels=(one.labels + 1) % count) for one in self.things]

    def _things(self, found: Detections, size: tuple[int, int]) -> FoundThings:
        return FoundThings.of(replace(found, names=self.evaluation.names), size, self.config.mm_per_px)

    @cached_property
    def part(self) -> np.ndarray:
        """(P,) the part of each picture; all of them are in one where the readings are given."""
        files = [record.path.name for record in self.evaluation.records]
        if self.given is not None:
            return np.zeros(len(files), np.int64)
        if len(files) < 2:
            raise DataError("--task vqa: one picture cannot say how to read another; give --thresholds")
        return parts_of(files)

    @cached_property
    def readings(self) -> list[ScoreReading]:
        """How the scores of each part are read."""
        if self.given is not None:
            return [self.given]
        _, fit = chosen_thresholds(self.evaluation, self.matching, self.config)
        some = without_each(self.matching, self.part)
        return [choose_reading(one, limits, self.config) for one, limits in zip(some, fit.limits.tolist(), strict=True)]

    @property
    def matching(self) -> Matching:
        """What finds what."""
        return self.evaluation.matched_by(self.config.rule)

    def _apart(self, items: Sequence[QuizItem], answer: Baseline) -> list[Answer]:
        """Answers without a look at the pictures, each as the questions about the other parts say."""
        part = parts_of([record.path.name for record in self.evaluation.records])
        own = part[[item.picture for item in items]]
        answers: dict[int, Answer] = {}
        for one in range(PARTS):
            mine = np.flatnonzero(own == one).tolist()
            fit = [items[k] for k in np.flatnonzero(own != one).tolist()]
            answers |= zip(mine, answer(fit, [items[k] for k in mine]), strict=True)
        return [answers[k] for k in range(len(items))]

    def presence_calibration(self) -> tuple[Calibration, Calibration]:
        """Over classes and pictures: does the best score say how likely the class is there, and do the odds?"""
        scores, chances, there = [], [], []
        for number, reading in enumerate(self.readings):
            its = self.matching.of_pictures(self.part == number)
            for k, one in enumerate(reading.classes):
                of = class_scores(its, k)
                if one.odds is not None:
                    scores.append(of.best)
                    chances.append(one.odds(of.best))
                    there.append(of.there)
        if not scores:
            return reliability(np.zeros(0), np.zeros(0, bool)), reliability(np.zeros(0), np.zeros(0, bool))
        real = np.concatenate(there)
        return reliability(np.concatenate(scores), real), reliability(np.concatenate(chances), real)


def in_words_of(item: QuizItem, asked: Question | NotUnderstood, answer: Answer) -> Answer:
    """A verdict as yes or no, where these are the options."""
    verdicts = {OK: True, NG: False}
    if not item.options or not isinstance(asked, Question) or answer.answer not in verdicts:
        return answer
    if not {canonical(text) for _, text in item.options} <= {YES, NO}:
        return answer
    return replace(answer, answer=YES if verdicts[answer.answer] is not asked.negated else NO)
