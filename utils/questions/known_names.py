"""Names of classes in a question: kept whole however they are written, and found again in a noun phrase."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from functools import lru_cache

from utils.questions.marks import Marks, Name
from utils.words.spelling import normalize, word_key

# A Chinese character is a word of its own: nothing stands between words there.
CHINESE_SIGNS = "\u3400-\u9fff\uf900-\ufaff"
_WORD = re.compile(rf"[{CHINESE_SIGNS}]|[^\W_{CHINESE_SIGNS}]+")
_BETWEEN = re.compile(r"[\s_-]*")
_PARTICIPLE = re.compile(
    r"(?P<stem>.{2,}?)(?P<doubled>(?P<letter>[^aeiousl])(?P=letter))?(?:ing|ed|en|es|e|(?<!s)s|y)?"
)
# Words that mean more than a class of that name.
_GRAMMAR = frozenset(
    "缺陷 瑕疵 不良 异常 问题 毛病 损伤 良品 不良品 合格 不合格 合格品 不合格品 次品 废品 正常 面积 位置 大小 数量 "
    "长度 宽度 表面".split()
) | {"any defect", "no defect", "no defects", "good part", "bad part", "not ok", "not good"}
LONGEST_KEY = 200  # names longer than that are no words of a question


class KnownNames:
    """`names` by what is the same however they are written."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names, self.marking = tuple(names), True
        self.by_key: dict[str, str] = {}
        self.by_stem: dict[str, str] = {}
        self.odd: list[tuple[str, str]] = []  # with a comma or another sign inside, and how they are written
        for name in names:
            key = "".join(map(word_key, _WORD.findall(name)))
            if 0 < len(key) <= LONGEST_KEY:
                self.by_key.setdefault(key, name)
                self.by_stem.setdefault(_stem(key), name)
                if re.search(r"[^\w\s-]", name):
                    self.odd.append((name.casefold(), name))
        self.longest = max(map(len, self.by_key), default=0)

    def loose(self) -> KnownNames:
        """The same names, of which `mark` keeps none whole."""
        other = copy(self)
        other.marking = False
        return other

    def find(self, phrase: str) -> str | None:
        """The name that `phrase` is, as it was given."""
        return self.by_key.get("".join(map(word_key, _WORD.findall(phrase))))

    def of_participle(self, word: str) -> str | None:
        """The name of one word with the stem of `scratched`, `pitted` or `rusty`."""
        return self.by_stem.get(_stem(word))

    def mark(self, text: str, marks: Marks) -> str:
        """`text` with a mark, between blanks, for each name of several words. One word stays: it can be grammar."""
        if not self.marking:
            return text
        for written, name in self.odd:
            start = text.casefold().find(written)
            if start >= 0 and len(text.casefold()) == len(text):
                end = start + len(written)
                text = f"{text[:start]} {marks.add_name(Name(text[start:end], name))} {text[end:]}"
        return self._mark_words(text, marks) if self.by_key else text

    def _mark_words(self, text: str, marks: Marks) -> str:
        words = list(_WORD.finditer(text))
        keys = [word_key(word.group()) for word in words]
        parts, done, i = [], 0, 0
        while i < len(words):
            length = self._longest_name(text, words, keys, i)
            if length:
                start, end = words[i].start(), words[i + length - 1].end()
                name = Name(text[start:end], self.by_key["".join(keys[i : i + length])])
                parts += [text[done:start], f" {marks.add_name(name)} "]
                done = end
            i += length or 1
        return "".join([*parts, text[done:]])

    def _longest_name(self, text: str, words: list[re.Match[str]], keys: list[str], first: int) -> int:
        """How many words from `first` on are one name of several words; 0: none."""
        key, longest = "", 0
        for i in range(first, len(words)):
            if i > first and not _BETWEEN.fullmatch(text, words[i - 1].end(), words[i].start()):
                break
            key += keys[i]
            if len(key) > self.longest:
                break
            written = normalize(text[words[first].start() : words[i].end()])
            several = i > first or " " in written  # LiveKnot is two words
            if several and key in self.by_key and written not in _GRAMMAR:
                longest = i - first + 1
        return longest


def _stem(word: str) -> str:
    match = _PARTICIPLE.fullmatch(word)
    if match is None:
        return word
    return match["stem"] + (match["letter"] or "")


@lru_cache(maxsize=8)
def known_names(names: tuple[str, ...]) -> KnownNames:
    """The same KnownNames for the same names: there are many questions, and few lists of names."""
    return KnownNames(names)
