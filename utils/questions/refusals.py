"""Why a question is not answered: one sentence, in the language of the question."""

from __future__ import annotations

import re

from utils.questions.known_names import CHINESE_SIGNS

LONGEST = 1000  # characters

_UNKNOWN = {
    "en": (
        "I can't answer that; I can answer questions about presence, class, count, location, size, extent, comparison, "
        "description, verdict and severity of defects"
    ),
    "zh": (
        "我不能回答这个问题；我能回答：有没有缺陷、缺陷类别、数量、位置、尺寸、覆盖面积、两类缺陷的比较、描述、"
        "是否合格以及严重程度"
    ),
}
_NO_UNIT = {
    "en": "I can't answer that: the unit of the limit is missing; write px or mm, as in longer than 5 mm",
    "zh": "我不能回答这个问题：缺少单位；请写明像素（px）或毫米（mm），例如：大于5毫米",
}
EMPTY = "I can't answer that: there is no question in it"
TOO_LONG = f"I can't answer that: it has more than {LONGEST:,} characters; ask shorter questions"
CONTROL = "I can't answer that: it holds control characters; write plain text"


def language_of(text: str) -> str:
    """The language, zh where there are more Chinese characters than English words, else en."""
    return "zh" if len(re.findall(f"[{CHINESE_SIGNS}]", text)) > len(re.findall("[A-Za-z]+", text)) else "en"


def unknown(text: str) -> str:
    """That this is none of the questions there are, and which there are."""
    return _UNKNOWN[language_of(text)]


def no_unit(text: str) -> str:
    """That a limit is a bare number."""
    return _NO_UNIT[language_of(text)]
