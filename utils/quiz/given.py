"""Questions that others wrote, with their answers: --questions FILE.json."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from utils.questions.question import Kind
from utils.quiz.answer_words import canonical, in_words, quantity
from utils.quiz.item import QuizItem
from utils.quiz.picture_names import PictureNames, UnknownPicture
from utils.words.errors import ConfigError, printable
from utils.words.json_file import read_json
from utils.words.text import shorten, shown

LONGEST = 2000  # characters of a question, an option or an answer
LARGEST = 1e15  # number

# MMAD's words for what is asked, as far as they are kinds of ours (Jiang et al. 2025)
_MMAD_KINDS = {
    "anomaly detection": Kind.PRESENCE,
    "defect classification": Kind.CLASS,
    "defect localization": Kind.LOCATION,
    "defect description": Kind.DESCRIPTION,
}
_SHAPE = '[{"image": "x.jpg", "question": "Is there a crack?", "answer": "yes"}, ...], or as MMAD has it'


@dataclass(frozen=True)
class _Row:
    """A question as it is written in the file, at the place `where`."""

    where: str
    image: Any
    question: Any
    answer: Any
    options: Any
    kind: Kind | None = None


def read_questions(path: str | Path, files: Sequence[str]) -> list[QuizItem]:
    """The questions of a JSON file about the pictures `files`, each known by the end of its path.

    Either a list of `{"image": "x.jpg", "question": ..., "answer": "yes", 3, "34 px" or the letter of one of the
    "options": ["..", ".."] or {"A": ".."}}`, `"answer": null` where the right thing is to refuse; or MMAD's `{image:
    {"conversation": [{"Question": ..., "Answer": "A", "Options": {"A": "Yes.", "B": "No."}, "type": ...}]}}`. Other
    keys are passed over.

    Raises ConfigError with the line of a syntax error, else with the question's number in the file, counted from 1.
    """
    place = printable(str(path))
    content = read_json(path, "questions", "merge the two, or leave one out", _no_number)
    if isinstance(content, dict):
        rows = list(_rows_of_mmad(content, place))
    elif isinstance(content, list):
        rows = [_row(one, f"{place}: question {number}") for number, one in enumerate(content, 1)]
    else:
        raise ConfigError(f"{place}: must be {_SHAPE}")
    if not rows:
        raise ConfigError(f"{place}: holds no question; write {_SHAPE}")
    names = PictureNames(files)
    return [_item(row, names) for row in rows]


def _row(one: Any, where: str) -> _Row:
    if not isinstance(one, dict):
        _refuse(where, f'must be {{"image": .., "question": .., "answer": ..}}, got {shown(one)}')
    for key in ("image", "question", "answer"):
        if key not in one:
            _refuse(where, f'has no "{key}"; add it')
    return _Row(where, one["image"], one["question"], one["answer"], one.get("options"))


def _rows_of_mmad(content: dict[str, Any], place: str) -> Iterator[_Row]:
    number = 0
    for image, about in content.items():
        asked = about.get("conversation") if isinstance(about, dict) else None
        if not isinstance(asked, list):
            _refuse(f"{place}: '{shorten(image)}'", 'must be {"conversation": [..]}, a list of questions')
        for one in asked:
            number += 1
            where = f"{place}: question {number}"
            if not isinstance(one, dict):
                _refuse(where, f'must be {{"Question": .., "Answer": .., "Options": ..}}, got {shown(one)}')
            for key in ("Question", "Answer", "Options"):
                if key not in one:
                    _refuse(where, f'has no "{key}"; add it')
            kind = _MMAD_KINDS.get(str(one.get("type")).strip().lower())
            yield _Row(where, image, one["Question"], one["Answer"], one["Options"], kind)


def _item(row: _Row, names: PictureNames) -> QuizItem:
    image, question = _text(row.image, row.where, "image"), _text(row.question, row.where, "question")
    options = _options(row)
    try:
        item = QuizItem(names.find(image), question, row.kind, "", options=options)
    except UnknownPicture as error:
        raise ConfigError(f"{row.where}: '{shorten(image)}' {printable(str(error))}") from error
    if row.answer is None:
        return replace(item, answerable=False)
    if options:
        return replace(item, expected=_letter(row, options))
    if isinstance(row.answer, int | float) and not isinstance(row.answer, bool):
        said: tuple[float, str] | None = (row.answer, "")
    else:
        said = quantity(answer := _text(row.answer, row.where, "answer"))
    if said is None:
        return replace(item, expected=canonical(answer))
    if not abs(said[0]) < LARGEST:
        _refuse(row.where, f"the answer {shown(row.answer)} is too large; give a number of at most 15 digits")
    return replace(item, expected=in_words(*said), number=float(said[0]), unit=said[1])


def _options(row: _Row) -> tuple[tuple[str, str], ...]:
    """(letter, text) of each option; those of a list are A, B and so on. None where there are none."""
    options = row.options
    if options is None:
        return ()
    if isinstance(options, list):
        options = dict(zip(string.ascii_uppercase, options, strict=False)) if len(options) <= 26 else None
    if not isinstance(options, dict) or len(options) < 2:
        _refuse(row.where, 'options must be two or more, like {"A": "Yes.", "B": "No."} or ["Yes.", "No."], 26 at most')
    letters = [_text(letter, row.where, "letter of an option") for letter in options]
    if len(set(letters)) < len(letters):
        _refuse(row.where, "two options have one letter; give each its own")
    return tuple(zip(letters, (_text(text, row.where, "option") for text in options.values()), strict=True))


def _letter(row: _Row, options: tuple[tuple[str, str], ...]) -> str:
    letters = [letter for letter, _ in options]
    answer = _text(row.answer, row.where, "answer")
    if answer not in letters:
        _refuse(row.where, f"the answer '{shorten(answer)}' is none of its options; it must be {' or '.join(letters)}")
    return answer


def _text(value: Any, where: str, what: str) -> str:
    """`value` on one line, if it is a text that is not blank and that can be written down."""
    if not isinstance(value, str):
        _refuse(where, f"{what} must be a text in quotes, got {shown(value)}")
    if len(value) > LONGEST:
        _refuse(where, f"{what} has {len(value):,} characters, at most {LONGEST:,} are possible")
    text = " ".join(value.split())
    if not text:
        _refuse(where, f"{what} is empty; write one")
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        _refuse(where, f"{what} holds control characters: '{shorten(text)}'; take them out")
    return text


def _refuse(where: str, why: str) -> NoReturn:
    raise ConfigError(f"{where}: {printable(why)}")


def _no_number(name: str) -> NoReturn:
    raise ValueError(name)
