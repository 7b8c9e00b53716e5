"""Vocabularies: names, synonyms, and drawing from them."""

import json

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
