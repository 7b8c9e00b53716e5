"""The built-in glossary is whole, and mistakes in a user's are one line with file and line."""

import pytest
import yaml

from models.text.glossary_file import FILE, built_in, find_glossary, read_terms
from utils.config.paths import CFG
from utils.words.errors import ConfigError
from utils.words.spelling import word_key

UNCLEAR = {"D0w0", "Topbasi", "Two Hight", "Two Hight Glass", "Tulle"}  # what MMIOC means by them is not published


def names_of(path):
    names = yaml.safe_load(path.read_text())["names"]
    return list(names.values()) if isinstance(names, dict) else names


@pytest.mark.parametrize("name", ["neu-det", "wood", "deeppcb", "GCD", "GCD-Part-1", "agdd-glass"])
def test_it_knows_the_classes_of_our_sets(name):
    assert [one for one in names_of(CFG / "data" / f"{name}.yaml") if built_in().term(one) is None] == []


@pytest.mark.parametrize("split", ["train", "val"])
def test_it_knows_mmioc_s_names(split):
    names = (CFG / "data" / "names" / f"mmioc-open-{split}.txt").read_text().splitlines()
    assert {name for name in names if name and built_in().term(name) is None} <= UNCLEAR


def test_every_term_is_whole():
    terms = built_in().terms
    assert len(terms) > 400
    for term in terms:
        assert 1 <= len(term.looks) <= 3 and term.foreign, term.head
        assert all(word.isascii() or "ü" in word for word in (term.head, *term.also, *term.looks)), term.head
        assert not any(word.isascii() for word in term.foreign), term.head
        keys = [word_key(word) for word in term.words]
        assert len(set(keys)) == len(keys), f"{term.head}: a word twice"
        assert all(4 < len(look) < 110 and look == look.strip() for look in term.looks), term.head
    assert max(map(len, FILE.read_text(encoding="utf-8").splitlines())) <= 120


def test_what_the_choice_names(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text("glimmer: {also: [sheen], looks: [a bright cloud]}\ncrack: {also: [Riss]}\n")
    assert find_glossary("none") is None and find_glossary("built-in") is built_in()
    more = find_glossary(str(mine))
    assert more.texts("Sheen") == ("sheen", "a bright cloud") and more.texts("Riss")[1:] == more.texts("crack")[1:]
    assert more.origin == "built-in + mine.yaml" and built_in().term("sheen") is None
    assert find_glossary(str(mine), more).terms == find_glossary(str(mine), more).terms
    with pytest.raises(ConfigError, match="--glossary nosuch.yaml: no such file"):
        find_glossary("nosuch.yaml")


@pytest.mark.parametrize(
    "text, words",
    [
        ("a: {looks: [x]}\nb: {looks: [y]}\na: {looks: [z]}\n", ":3: key 'a' appears twice, first on line 1"),
        (
            "pore:\n  looks: [x]\nPores:\n  looks: [y]\n",
            ":3: 'Pores' belongs to two terms, 'pore' and 'Pores'; .* line 1",
        ),
        (
            "crack:\n  looks: [x]\nslit:\n  also: [gap, Crack]\n  looks: [y]\n",
            ":4: 'Crack' belongs to two terms, 'crack' and 'slit'; the other is on line 1",
        ),
        ("a: {also: [b], looks: [x]}\nb: {also: [a], looks: [y]}\n", ":2: 'b' belongs to two terms, 'a' and 'b'"),
        ("a:\n  looks:\n    - x\n    - ' '\n", ":4: a text of looks is empty"),
        ("a: {looks: [x], also: ['']}\n", ":1: a name is empty"),
        ("a: {looks: [x], also: [--]}\n", ":1: '--' is no name"),
        ("a:\n  looks: [x]\n  also: [7]\n", ":3: also must hold texts, got 7; put it in quotes"),
        ("a:\n  looks: [x]\n  also: [no]\n", ":3: also must hold texts, got False; put it in quotes"),
        ("a: {looks: [[x]]}\n", ":1: looks must hold texts, got .*; write one text"),
        ("a: {looks: a thin line}\n", ":1: looks must be a list of texts, got 'a thin line'"),
        ("7: {looks: [x]}\n", ":1: a term must be text, got the number 7"),
        ("a:\n", ":1: 'a' must have parts; write `crazing"),
        ("a: [x]\n", ":1: 'a' must have parts"),
        ("a:\n  looks: [x]\n  look: [y]\n", ":3: 'a' has an unknown part 'look'; did you mean 'looks'"),
        ("a: {also: [x]}\n", ":1: 'a' does not say what it looks like"),
        ("a: {also: [fissure]}\n", ":1: 'a' does not say what it looks like"),  # no term of the built-in one
        ("- a\n", ":1: a glossary is a map of terms"),
        ("", ":1: a glossary is a map of terms"),
        ('a: {looks: ["x\\ty"]}\n', ":1: a text of looks holds control characters"),
    ],
)
def test_mistakes_are_one_line(tmp_path, text, words):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=f"mine.yaml{words}") as caught:
        read_terms(path, built_in())
    assert "\n" not in str(caught.value)
