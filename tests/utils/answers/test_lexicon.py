import pytest

from utils.answers.lexicon import Lexicon

WOOD = ("Live_Knot", "DeadKnot", "knot with crack", "knot-missing", "crack", "Resin")


@pytest.mark.parametrize(
    "phrase", ["mouse bite", "mouse bites", "Mouse-Bites", "mouse_bite", "MouseBite", "mousebites", "  mouse  bite "]
)
def test_a_name_is_the_same_however_it_is_written(phrase):
    assert Lexicon.of(("spur", "mouse_bite")).labels(phrase) == (1,)


def test_british_and_american():
    assert Lexicon.of(("grey spot",)).labels("gray spots") == (0,)


def test_a_word_of_several_names_means_all_of_them():
    lexicon = Lexicon.of(WOOD)
    assert lexicon.labels("knot") == lexicon.labels("Knots") == (0, 1, 2, 3)
    assert lexicon.labels("live knots") == (0,) and lexicon.labels("dead-knot") == (1,)
    assert lexicon.labels("crack") == (4,), "called so, others only hold the word"
    assert lexicon.labels("missing knot") == (3,), "in whatever order"
    assert lexicon.labels("resin") == (5,)


@pytest.mark.parametrize("phrase", ["rust", "kno", "live crack", "", "--", "  "])
def test_other_words_mean_none(phrase):
    assert Lexicon.of(WOOD).labels(phrase) == ()


def test_synonyms_of_every_list_that_knows_the_name():
    lexicon = Lexicon.of(("crack", "气孔", "dent"), (("Cracks", "fissure", "裂纹"), ("fissure", "x"), ("pore", "气孔")))
    assert lexicon.labels("fissures") == lexicon.labels("裂纹") == lexicon.labels("crack") == (0,)
    assert lexicon.labels("pores") == lexicon.labels("气孔") == (1,)
    assert lexicon.labels("x") == (), "another list that does not hold the name itself"
    assert lexicon.words == (("crack", "Cracks", "fissure", "裂纹"), ("气孔", "pore"), ("dent",))
    assert lexicon.every_word() == ("crack", "Cracks", "fissure", "裂纹", "气孔", "pore", "dent")


def test_a_synonym_of_two_classes_means_both():
    assert Lexicon.of(("crack", "scratch"), (("crack", "line"), ("scratch", "line"))).labels("lines") == (0, 1)


def test_own_classes():
    assert Lexicon.of(("a", "b")).own == 2 and Lexicon.of(("a", "b"), own=1).own == 1
