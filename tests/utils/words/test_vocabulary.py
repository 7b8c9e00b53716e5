"""Vocabularies: names, synonyms, and drawing from them."""

import json

import numpy as np
import pytest

from utils.words.errors import ConfigError
from utils.words.vocabulary import Vocabulary


def test_from_names_and_prompts():
    assert Vocabulary.from_names(["bubble", "oil"]) == Vocabulary.from_prompts("bubble, oil")
    vocabulary = Vocabulary.from_prompts("bubble, oil", ("{}", "a photo of {}"))
    assert vocabulary.names == vocabulary.strings == ("bubble", "oil") and len(vocabulary) == 2
    assert vocabulary.templates == ("{}", "a photo of {}")


def test_wrong_names_say_where():
    with pytest.raises(ConfigError, match="my.yaml: class 0 and class 1 are both called 'OIL'"):
        Vocabulary.from_names(["oil", "OIL"], where="my.yaml")
    with pytest.raises(ConfigError, match="must hold {} once"):
        Vocabulary.from_names(["oil"], ["photo"])


def test_from_json(tmp_path):
    (tmp_path / "s.json").write_text(json.dumps([["crack", "fissure"], ["dust"]]))
    vocabulary = Vocabulary.from_json(tmp_path / "s.json")
    assert vocabulary.names == ("crack", "dust") and vocabulary.strings == ("crack", "dust", "fissure")


def test_spellings_are_added_never_replaced():
    given = (("Lignum Crack",), ("Polyme Dirty", "fouling"), ("damged",), ("Damaged", "hurt"), ("dust",))
    vocabulary = Vocabulary.from_lists(given)
    more = vocabulary.with_spellings()
    assert more.names == vocabulary.names
    assert more.synonyms == (
        ("Lignum Crack", "wood crack"),
        ("Polyme Dirty", "fouling", "polymer dirty"),
        ("damged",),  # another class is called that
        ("Damaged", "hurt"),
        ("dust",),
    )
    assert more.with_spellings() == more


def test_drawing_is_keyed_and_even():
    vocabulary = Vocabulary.from_lists([("a", "b", "c"), ("d",), ("e", "f")])
    rng = np.random.default_rng((0, 1, 2))
    draws = [vocabulary.draw(rng) for _ in range(3000)]
    again = np.random.default_rng((0, 1, 2))
    assert [vocabulary.draw(again) for _ in range(3000)] == draws
    assert {draw[1] for draw in draws} == {"d"}
    for place, names in ((0, "abc"), (2, "ef")):
        counts = [sum(draw[place] == name for draw in draws) for name in names]
        assert sum(counts) == 3000 and max(counts) - min(counts) < 200
