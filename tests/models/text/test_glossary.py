"""A glossary: how names are looked up, what is encoded for them, and how a user's terms extend ours."""

import pytest

from models.text.glossary import Glossary, Term
from models.text.glossary_file import built_in
from utils.words.errors import ConfigError

CRACK = Term("crack", ("fissure",), ("裂纹",), ("a thin dark line",))
SHADE = Term("colour change", (), ("变色",), ("an area of another colour", "a soft edge"))
OURS = Glossary((CRACK, SHADE), "ours")


@pytest.mark.parametrize("name", ["crack", "Crack", "CRACKS", "裂纹", " 裂 纹", "fissures"])
def test_case_plural_and_language_do_not_count(name):
    assert OURS.term(name) == CRACK


@pytest.mark.parametrize("name", ["colour change", "color-change", "Color_Changes", "ColourChange", "colourchange"])
def test_spelling_does_not_count(name):
    assert OURS.term(name) == SHADE


def test_texts_are_the_name_and_what_it_looks_like():
    assert OURS.texts("Fissures") == ("fissures", "a thin dark line")
    assert OURS.texts("Colour_Change") == ("colour change", "an area of another colour", "a soft edge")
    assert OURS.texts("变色") == ("colour change", "an area of another colour", "a soft edge")  # what English reads
    assert OURS.texts("Glare_X") == ("Glare_X",)  # unknown: as it is
    assert OURS.texts("--") == ("--",)


def test_plain_values_give_the_same_again():
    assert Glossary.from_plain(OURS.plain()) == OURS and Glossary.from_plain(OURS.plain()).name == OURS.name
    with pytest.raises(ConfigError, match="a term that is not name"):
        Glossary.from_plain({"origin": "x", "terms": [[["crack"], []]]})


def test_its_name_follows_the_terms():
    assert OURS.name.startswith("2 terms, ours (")
    assert OURS.name[-9:] != Glossary((CRACK,), "ours").name[-9:]


def test_more_terms_win():
    knot = Term("knot", (), (), ("a brown disc",))
    line = Term("line", ("fissure",), (), ("a straight line",))
    more = OURS.extended([knot, line], "mine.yaml")
    assert more.origin == "ours + mine.yaml"
    assert more.texts("knot") == ("knot", "a brown disc") and more.texts("fissure") == ("fissure", "a straight line")
    assert more.texts("crack") == ("crack", "a thin dark line") and OURS.texts("knot") == ("knot",)


def test_a_term_of_the_same_name_takes_the_other_words_along():
    more = OURS.extended([Term("Cracks", (), (), ("a bright line",))], "mine.yaml")
    assert {more.texts(name)[1:] for name in ("crack", "fissure", "裂纹")} == {("a bright line",)}
    more = OURS.extended([Term("crack", ("Riss",), (), ())], "mine.yaml")
    assert more.texts("Riss") == ("riss", "a thin dark line") == ("riss", *more.texts("fissure")[1:])


@pytest.mark.parametrize(
    "name, head",
    [
        ("rolled-in_scale", "rolled-in scale"),
        ("knotwithcrack", "knot with crack"),
        ("Lignum Knot missing", "missing knot"),
        ("LiveKnot", "live knot"),
        ("pin-hole", "pinhole"),
        ("mousebite", "mouse bite"),
        ("Gray Fiber", ""),
        ("Discoloration", "discolouration"),
        ("鼠咬", "mouse bite"),
        ("裂缝", "crack"),
        ("Polyme Dirty", "polymer fouling"),
    ],
)
def test_names_of_real_sets_are_found(name, head):
    term = built_in().term(name)
    assert (term.head if term else "") == head
