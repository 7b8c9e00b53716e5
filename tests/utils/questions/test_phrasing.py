"""The signs of the tables of patterns, and that every pattern of both languages can be reached."""

import pytest

from utils.chinese.rules import CHINESE
from utils.english.rules import ENGLISH
from utils.questions.phrasing import Phrasings, Rule
from utils.questions.question import Kind

SLOTS = {"a": "(?P<a>(?:[^ ]+ )+?)"}


def matched(pattern, words, blank=" "):
    rules = Phrasings([Rule(Kind.COUNT, (pattern,))], {"be": "(is|are)", "shown": "<be> [now] there"}, SLOTS, blank)
    return [match.groupdict() for match, _ in rules.matches(words)]


@pytest.mark.parametrize(
    ("pattern", "words", "slots"),
    [
        ("how many {a}", "how many red holes", [{"a": "red holes "}]),
        ("how many {a} [<be> there]", "how many holes are there", [{"a": "holes "}]),
        ("how many {a} <shown>", "how many holes is now there", [{"a": "holes "}]),
        ("(count|tally up) {a}", "tally up holes", [{"a": "holes "}]),
        ("count [up] [all] {a}", "count all holes", [{"a": "holes "}]),
        ("count {a}", "count", []),
        ("count {a}", "recount holes", []),
        ("1.5 + {a}", "1.5 + holes", [{"a": "holes "}]),  # a pattern is no regular expression
    ],
)
def test_patterns(pattern, words, slots):
    assert matched(pattern, words) == slots


def test_without_blanks():
    rules = Phrasings([Rule(Kind.COUNT, ("有(几|多少)[个]{a}",))], {}, {"a": "(?P<a>.+?)"}, "")
    assert [match["a"] for match, _ in rules.matches("有几个孔")] == ["孔"]


def test_the_first_rule_comes_first():
    rules = Phrasings([Rule(Kind.SIZE, ("a b",)), Rule(Kind.COUNT, ("a [b]",))], {}, {}, " ")
    assert [rule.kind for _, rule in rules.matches("a b")] == [Kind.SIZE, Kind.COUNT]


@pytest.mark.parametrize("grammar", [ENGLISH, CHINESE])
def test_no_pattern_matches_nothing(grammar):
    """A pattern of nothing but options would take every empty rest for its own."""
    assert [match for match, _ in grammar.phrasings.matches("")] == []
    assert {rule.kind for rule in grammar.phrasings.rules} == set(Kind)
