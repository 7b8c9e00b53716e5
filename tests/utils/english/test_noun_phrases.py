"""What is looked for: phrases, and the limits, places, ranks and traits that are taken off them."""

import pytest

from tests.utils.asking.forms import PLACES, form, forms, subject
from utils.questions.question import Kind, Limit, Measure, Place, Rank, Trait

LENGTH, WIDTH, HEIGHT, AREA = Measure.LENGTH, Measure.WIDTH, Measure.HEIGHT, Measure.AREA


def looked_for(phrase):
    """The subject of a question for the number of `phrase`."""
    (question,) = forms(f"how many {phrase} are there?")
    return question and question.subjects[0]


@pytest.mark.parametrize(
    ("words", "limits"),
    [
        ("longer than 2 mm", [(LENGTH, ">", 2, "mm")]),
        ("larger than 20 px", [(LENGTH, ">", 20, "px")]),
        ("bigger than 20px", [(LENGTH, ">", 20, "px")]),
        ("wider than 1.5 mm", [(WIDTH, ">", 1.5, "mm")]),
        ("thinner than 3 pixels", [(WIDTH, "<", 3, "px")]),
        ("higher than 2 mm", [(HEIGHT, ">", 2, "mm")]),
        ("of more than 2 mm", [(LENGTH, ">", 2, "mm")]),
        ("at least 20 px long", [(LENGTH, ">=", 20, "px")]),
        ("at least 20 px wide", [(WIDTH, ">=", 20, "px")]),
        ("at most 3 px in width", [(WIDTH, "<=", 3, "px")]),
        ("over 3 px", [(LENGTH, ">", 3, "px")]),
        ("under 300 µm", [(LENGTH, "<", 0.3, "mm")]),
        ("above 3 px", [(LENGTH, ">", 3, "px")]),
        ("below 3 px", [(LENGTH, "<", 3, "px")]),
        ("smaller than 5 mm2", [(AREA, "<", 5, "mm2")]),
        ("no longer than 2 mm", [(LENGTH, "<=", 2, "mm")]),
        ("not smaller than 2 mm", [(LENGTH, ">=", 2, "mm")]),
        ("larger than or equal to 2 mm", [(LENGTH, ">=", 2, "mm")]),
        ("up to 4 mm", [(LENGTH, "<=", 4, "mm")]),
        ("between 2 and 5 mm", [(LENGTH, ">=", 2, "mm"), (LENGTH, "<=", 5, "mm")]),
        ("of 2-5 mm", [(LENGTH, ">=", 2, "mm"), (LENGTH, "<=", 5, "mm")]),
        ("from 2 to 5 mm wide", [(WIDTH, ">=", 2, "mm"), (WIDTH, "<=", 5, "mm")]),
        ("of 2 mm or more", [(LENGTH, ">=", 2, "mm")]),
        ("of 2 mm or smaller", [(LENGTH, "<=", 2, "mm")]),
        ("> 2 mm", [(LENGTH, ">", 2, "mm")]),
        (">= 20px", [(LENGTH, ">=", 20, "px")]),
        ("≥20 px", [(LENGTH, ">=", 20, "px")]),
        ("≤ 20 px", [(LENGTH, "<=", 20, "px")]),
        ("with an area above 5 mm2", [(AREA, ">", 5, "mm2")]),
        ("with an area of more than 5 mm²", [(AREA, ">", 5, "mm2")]),
        ("larger than 5 square millimetres", [(AREA, ">", 5, "mm2")]),
        ("larger than 2 cm²", [(AREA, ">", 200, "mm2")]),
        ("covering more than 5 % of the picture", [(AREA, ">", 5, "%")]),
        ("exceeding 1 cm", [(LENGTH, ">", 10, "mm")]),
        ("longer than 0.5 m", [(LENGTH, ">", 500, "mm")]),
        ("whose width is greater than 2 mm", [(WIDTH, ">", 2, "mm")]),
        ("longer than 1,500 px", [(LENGTH, ">", 1500, "px")]),
        ("longer than 2,5 mm", [(LENGTH, ">", 2.5, "mm")]),
        ("longer than two millimeters", [(LENGTH, ">", 2, "mm")]),
        ("larger than 3 px but smaller than 10 px", [(LENGTH, ">", 3, "px"), (LENGTH, "<", 10, "px")]),
        ("longer than 2 mm and wider than 1 mm", [(LENGTH, ">", 2, "mm"), (WIDTH, ">", 1, "mm")]),
    ],
)
def test_limits(words, limits):
    assert looked_for(f"scratches {words}") == subject("scratch", limits=tuple(Limit(*one) for one in limits))


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("in the upper left", "upper left"),
        ("in the top left corner", "upper left"),
        ("in the upper-right corner of the image", "upper right"),
        ("at the top", "top"),
        ("near the top edge", "top"),
        ("on the left", "left"),
        ("on the left-hand side", "left"),
        ("along the right edge of the part", "right"),
        ("in the centre", "centre"),
        ("in the center of the picture", "centre"),
        ("in the middle", "centre"),
        ("at the bottom", "bottom"),
        ("in the lower third", "bottom"),
        ("in the bottom right region", "lower right"),
        ("in the left bottom corner", "lower left"),
        ("in the left half", "left half"),
        ("in the top half of the image", "upper half"),
        ("in the lower half", "lower half"),
        ("in the upper left quarter", "upper left quarter"),
        ("in the top right quadrant", "upper right quarter"),
        ("in the lower right quarter", "lower right quarter"),
    ],
)
def test_places(words, place):
    assert looked_for(f"scratches {words}") == subject("scratch", places=[place])


def test_places_between_the_middle_and_a_side():
    third = 1 / 3
    assert looked_for("scratches in the middle left").places == (Place("centre left", (0, third, third, 2 * third)),)
    assert looked_for("scratches in the top centre").places == (Place("top centre", (third, 0, 2 * third, third)),)


def test_places_before_the_noun():
    assert looked_for("upper left scratches") == subject("scratch", places=["upper left"])
    assert looked_for("scratches on the left in the upper half").places == (
        PLACES["left"],
        PLACES["upper half"],
    )


@pytest.mark.parametrize(
    ("words", "rank"),
    [
        ("largest", Rank(AREA)),
        ("biggest", Rank(AREA)),
        ("smallest", Rank(AREA, False)),
        ("longest", Rank(LENGTH)),
        ("shortest", Rank(LENGTH, False)),
        ("widest", Rank(WIDTH)),
        ("thinnest", Rank(WIDTH, False)),
        ("tallest", Rank(HEIGHT)),
        ("leftmost", Rank(Measure.LEFT, False)),
        ("rightmost", Rank(Measure.LEFT)),
        ("right-most", Rank(Measure.LEFT)),
        ("topmost", Rank(Measure.TOP, False)),
        ("lowest", Rank(Measure.TOP)),
        ("most certain", Rank(Measure.SCORE)),
        ("clearest", Rank(Measure.SCORE)),
    ],
)
def test_ranks(words, rank):
    assert forms(f"where is the {words} scratch?") == [form(Kind.LOCATION, subject("scratch", rank=rank))]


def test_a_rank_may_stand_behind_its_noun():
    for words in ("that is largest", "with the largest area"):
        assert forms(f"where is the scratch {words}?") == [form(Kind.LOCATION, subject("scratch", rank=Rank(AREA)))]


@pytest.mark.parametrize(
    ("words", "phrases", "traits"),
    [
        ("tiny scratches", ["scratch"], [Trait.TINY]),
        ("small scratches", ["scratch"], [Trait.SMALL]),
        ("very small scratches", ["scratch"], [Trait.SMALL]),
        ("medium-sized holes", ["hole"], [Trait.MEDIUM]),
        ("big holes", ["hole"], [Trait.LARGE]),
        ("long thin scratches", ["scratch"], [Trait.ELONGATED]),
        ("long, thin scratches", ["scratch"], [Trait.ELONGATED]),
        ("large round holes", ["hole"], [Trait.LARGE, Trait.ROUND]),
        ("scratches that are long", ["scratch"], [Trait.ELONGATED]),
        ("small defects", [], [Trait.SMALL]),
        ("large ones", [], [Trait.LARGE]),
        ("bright spots", ["bright spots"], []),
        ("bright large spots", ["bright spots"], [Trait.LARGE]),
        ("dark circular stains", ["dark stains"], [Trait.ROUND]),
        ("deep scratches", ["deep scratches"], []),
    ],
)
def test_traits_are_taken_off_and_other_adjectives_stay(words, phrases, traits):
    assert looked_for(words) == subject(*phrases, traits=tuple(traits))


@pytest.mark.parametrize(
    ("words", "phrases"),
    [
        ("defects", []),
        ("visible flaws", []),
        ("surface defects", []),
        ("anomalies on the glass surface", []),
        ("any imperfections", []),
        ("scratch defects", ["scratch"]),
        ("Scratches", ["scratch"]),
        ("all of the scratches", ["scratch"]),
        ("signs of corrosion", ["corrosion"]),
        ("surface damage", ["surface damage"]),
        ("solder ball defects", ["solder ball"]),
        ("scratches on the part", ["scratch"]),
        ("scratches on this metal sheet", ["scratch"]),
        ("visible scratches here", ["scratch"]),
        ("scratches of the part", ["scratch"]),
    ],
)
def test_phrases(words, phrases):
    assert looked_for(words) == subject(*phrases)


@pytest.mark.parametrize(
    "words", ["reasons", "people", "colours", "scratches that you like", "two holes", "holes not cracks"]
)
def test_no_noun_phrase(words):
    assert looked_for(words) is None


def test_lists_share_what_is_said_once():
    long, small = (Trait.ELONGATED,), (Trait.SMALL,)
    assert forms("are there small cracks and holes?") == [
        form(Kind.PRESENCE, subject("crack", traits=small)),
        form(Kind.PRESENCE, subject("hole", traits=small)),
    ]
    assert forms("are there long cracks and small holes?") == [
        form(Kind.PRESENCE, subject("crack", traits=long)),
        form(Kind.PRESENCE, subject("hole", traits=small)),
    ]
    assert forms("is there a small crack and a hole?") == [
        form(Kind.PRESENCE, subject("crack", traits=small)),
        form(Kind.PRESENCE, "hole"),
    ]
    assert forms("are there cracks or holes on the left?") == [
        form(Kind.PRESENCE, subject("crack", "hole", places=["left"]))
    ]
    assert forms("where are the largest and the smallest hole?") == [
        form(Kind.LOCATION, subject("hole", rank=Rank(AREA))),
        form(Kind.LOCATION, subject("hole", rank=Rank(AREA, False))),
    ]
    assert forms("how many holes are in the left half and in the right half?") == [
        form(Kind.COUNT, subject("hole", places=["left half"])),
        form(Kind.COUNT, subject("hole", places=["right half"])),
    ]


def test_lists_of_three():
    assert forms("is there a crack, a hole or a bubble?") == [form(Kind.PRESENCE, subject("crack", "hole", "bubble"))]
    assert forms("how many cracks, holes and bubbles are there?") == [
        form(Kind.COUNT, name) for name in ("crack", "hole", "bubble")
    ]
