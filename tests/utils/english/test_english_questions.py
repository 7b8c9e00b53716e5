"""English questions of every kind, each in many words that must be read as the same."""

import pytest

from tests.utils.asking.forms import cases, form, forms, subject
from utils.questions.question import Amount, Kind, Limit, Measure, Rank, Relation, Subject, Trait

LARGEST, LONGEST = Rank(Measure.AREA), Rank(Measure.LENGTH)
LARGEST_SCRATCH = subject("scratch", rank=LARGEST)

PRESENCES = [
    (
        form(Kind.PRESENCE, "crack"),
        [
            "is there a crack?",
            "is there at least one crack?",
            "Is there any crack here?",
            "are there cracks on this part",
            "Are there any cracks in the picture?",
            "do you see a crack",
            "Can you see any cracks?",
            "can a crack be seen?",
            "Does the part have a crack?",
            "does this picture show cracks",
            "Does it contain any cracks?",
            "has it got a crack?",
            "is a crack present?",
            "Are cracks visible?",
            "Is a crack there?",
            "any crack?",
            "any cracks on the glass surface",
            "crack?",
            "cracks visible?",
            "There is a crack?",
            "is the surface cracked?",
            "Please tell me whether the panel has a crack.",
            "I want to know if there are cracks",
            "check for cracks",
            "have you found any cracks?",
            "were cracks detected?",
            "is there a sign of cracks",
            "Could there be a crack?",
            "Isn't there a crack?",
            "is it a crack?",
            "Is this defect a crack",
            "crack yes or no?",
            "can you detect any cracks?",
            "is there\ta  CRACK ?!",
        ],
    ),
    (
        form(Kind.PRESENCE),
        [
            "is anything wrong?",
            "Is anything wrong with this part?",
            "is there something unusual",
            "Any defects?",
            "are there flaws on the surface",
            "Is there any visible damage?",
            "does the part have any anomalies",
            "Any problem with this piece?",
            "are there surface defects?",
            "is there an issue?",
            "can you see anything suspicious?",
            "do you notice any imperfections here",
            "defects present?",
        ],
    ),
    (
        form(Kind.PRESENCE, "scratch", negated=True),
        [
            "is the part free of scratches?",
            "Are there no scratches?",
            "Are there no scratches on the surface?",
            "no scratches?",
            "is the glass scratch-free?",
            "Is the sample without scratches",
            "does the part have no scratches?",
            "are scratches absent?",
            "I want to know whether there are no scratches",
            "is the workpiece free from any scratches",
            "do you see no scratches?",
            "is the surface not scratched?",
        ],
    ),
    (
        form(Kind.PRESENCE, negated=True),
        ["is the part free of defects?", "is the plate defect-free?", "is there nothing wrong?", "is it clean?"],
    ),
    (
        form(Kind.PRESENCE, subject("crack", places=["upper left"])),
        [
            "is there a crack in the upper left?",
            "In the top left corner, is there a crack?",
            "any crack upper left?",
            "is the crack in the upper left",
            "Can you see a crack in the upper-left region of the image?",
            "does the upper left corner have a crack?",
            "is a crack visible at the top-left of the part?",
        ],
    ),
    (
        form(Kind.PRESENCE, subject("crack", limits=(Limit(Measure.LENGTH, ">", 2, "mm"),))),
        ["is there a crack longer than 2 mm?", "Are any cracks longer than 2mm?", "is the crack larger than 0.2 cm?"],
    ),
]
CLASSES = [
    (
        form(Kind.CLASS),
        [
            "which defects are there?",
            "which classes are present?",
            "how many different defect types are there?",
            "how many kinds of defects are there?",
            "What defects are visible?",
            "what kinds of defects can be seen",
            "Which types of flaws do you see?",
            "What is wrong here?",
            "what's wrong with this part?",
            "what do you see",
            "What can you see in this image?",
            "list the defects",
            "Please list all defects you can see.",
            "name all defects",
            "what kind of defect is it?",
            "What type of defect is this?",
            "which classes of defects were found?",
            "What's in the picture?",
            "defect type?",
            "type of the defect",
            "what is the defect?",
            "which defects does the part have?",
            "give me a list of the defects",
            "how many defects of each type?",
            "what has been detected?",
        ],
    ),
    (
        form(Kind.CLASS, subject(places=["lower left"])),
        [
            "which defects are in the lower left?",
            "What is in the bottom left corner?",
            "in the lower left, which defects do you see?",
            "list the defects in the lower left",
        ],
    ),
    (
        form(Kind.CLASS, subject(rank=LARGEST)),
        ["what is the largest defect?", "Which defect is the biggest?", "what kind of defect is the largest one"],
    ),
    (form(Kind.CLASS, subject("crack", "scratch")), ["is it a crack or a scratch?", "Is this crack or scratch?"]),
]
COUNTS = [
    (
        form(Kind.COUNT, "bubble"),
        [
            "how many bubbles?",
            "How many bubbles are there?",
            "how many bubbles do you see?",
            "How many bubbles does the part have",
            "how many bubbles can be counted",
            "number of bubbles",
            "What is the number of bubbles in this picture?",
            "count the bubbles",
            "Can you count all the bubbles?",
            "bubble count",
            "nr of bubbles",
            "# of bubbles",
            "what's the total number of bubbles?",
            "tell me how many bubbles there are",
            "I'd like to know how many bubbles can be seen here.",
            "how much bubbles are there?",
            "quantity of bubbles",
            "how many bubbles have been found?",
        ],
    ),
    (form(Kind.COUNT), ["how many defects are there?", "How many flaws?", "count all defects", "defect count?"]),
    (
        form(Kind.COUNT, subject("scratch", limits=(Limit(Measure.LENGTH, ">", 2, "mm"),))),
        [
            "how many scratches longer than 2 mm?",
            "How many scratches are longer than 2 mm?",
            "how many scratches are there that are longer than 2 millimetres",
            "number of scratches > 2 mm",
            "how many of the scratches have a length of more than 2 mm?",
        ],
    ),
    (
        form(Kind.COUNT, subject("hole", places=["left half"])),
        [
            "how many holes are in the left half?",
            "In the left half, how many holes are there?",
            "how many holes in the left half of the picture",
            "count the holes in the left half",
            "on the left half of the part how many holes do you see",
        ],
    ),
    (
        form(Kind.COUNT, subject("crack", "hole")),
        ["how many cracks or holes are there?", "how many cracks and holes are there in total?"],
    ),
]
LOCATIONS = [
    (
        form(Kind.LOCATION, LARGEST_SCRATCH),
        [
            "where is the largest scratch?",
            "Where's the biggest scratch located?",
            "where can the largest scratch be found",
            "In which corner is the largest scratch?",
            "in which part of the picture is the largest scratch?",
            "Which region contains the largest scratch?",
            "position of the largest scratch",
            "What is the location of the largest scratch?",
            "locate the largest scratch",
            "find the largest scratch",
            "Point to the largest scratch, please",
            "show me the largest scratch",
            "Could you show me where the largest scratch is?",
            "on which side is the largest scratch?",
            "largest scratch position",
            "where exactly do you see the largest scratch?",
            "coordinates of largest scratch",
            "is the largest scratch on the left or on the right?",
        ],
    ),
    (
        form(Kind.LOCATION),
        ["where are the defects?", "where is the damage", "show me the defects", "location of all defects?", "where?"],
    ),
    (form(Kind.LOCATION, subject("scratch", rank=LONGEST)), ["which scratch is the longest?"]),
]
SIZES = [
    (
        form(Kind.SIZE, subject("hole", rank=LARGEST)),
        [
            "how big is the largest hole?",
            "How large is the biggest hole",
            "what is the size of the largest hole?",
            "What size does the largest hole have?",
            "biggest hole size",
            "size of largest hole?",
            "How long is the largest hole?",
            "tell me the diameter of the largest hole",
            "what are the dimensions of the largest hole",
            "measure the largest hole",
            "give me the length of the biggest hole",
            "how small is the largest hole?",
            "I need the size of the largest hole",
        ],
    ),
    (
        form(Kind.SIZE, subject("scratch", rank=LONGEST), unit="mm"),
        [
            "how many mm long is the longest scratch?",
            "How long in mm is the longest scratch?",
            "how long is the longest scratch in millimetres?",
            "what is the length of the longest scratch in cm?",
            "length of longest scratch mm",
            "how many millimeters does the longest scratch measure?",
        ],
    ),
    (
        form(Kind.SIZE, "crack", measure=Measure.WIDTH),
        [
            "how wide is the crack?",
            "width of the crack",
            "how thick is the crack?",
            "What's the crack's width?",
            "crack width",
            "how narrow is the crack",
        ],
    ),
    (
        form(Kind.SIZE, "crack", measure=Measure.HEIGHT),
        ["how tall is the crack?", "height of the crack", "how high is the crack"],
    ),
    (
        form(Kind.SIZE, "crack", measure=Measure.AREA, unit="mm2"),
        [
            "what is the area of the crack in mm²?",
            "area of the crack in square millimetres",
            "how big is the crack in mm2",
        ],
    ),
    (
        form(Kind.SIZE, subject("crack", rank=LONGEST)),
        ["max crack length", "what is the maximum length of the cracks?"],
    ),
]
EXTENTS = [
    (
        form(Kind.EXTENT, "oil", measure=Measure.AREA, unit="%"),
        [
            "how much of the picture does oil cover?",
            "How much of the surface is covered by oil?",
            "how much of the part is covered with oil",
            "what share of the picture is covered by oil?",
            "What percentage of the image is covered by oil?",
            "what fraction of the part does the oil cover",
            "what proportion of the surface is affected by oil?",
            "coverage of oil",
            "oil coverage",
            "how many percent of the glass is covered with oil?",
            "What is the area share of oil",
            "percentage of the picture covered by oil",
            "how much oil is there?",
        ],
    ),
    (
        form(Kind.EXTENT, "scratch", measure=Measure.AREA),
        [
            "what area do the scratches cover in total?",
            "total area of scratches",
            "What is the total area of all scratches?",
            "how large is the area covered by scratches?",
            "what area is covered by scratches",
            "how much area is covered by scratches?",
            "what is the combined area of the scratches?",
        ],
    ),
    (
        form(Kind.EXTENT, "hole", measure=Measure.AREA, unit="mm2"),
        [
            "total area of holes in mm2",
            "What area do the holes cover in square mm?",
            "how many mm2 do the holes cover?",
        ],
    ),
    (
        form(Kind.EXTENT, subject("oil", "scratch"), measure=Measure.AREA, unit="%"),
        ["how much of the picture do oil and scratches cover?", "coverage of oil and scratches"],
    ),
    (
        form(Kind.EXTENT, measure=Measure.AREA, unit="%"),
        ["how much of the surface is damaged?", "what percentage of the part is defective?"],
    ),
]
COMPARISONS = [
    (
        form(Kind.COMPARISON, "bubble", "scratch"),
        [
            "are there more bubbles than scratches?",
            "Do you see more bubbles than scratches?",
            "more bubbles than scratches?",
            "does the part have more bubbles than scratches",
            "do bubbles outnumber scratches?",
            "are bubbles more frequent than scratches",
            "Is the number of bubbles larger than the number of scratches?",
            "is the number of bubbles higher than that of scratches?",
            "do bubbles occur more often than scratches?",
            "are there more bubbles than there are scratches?",
        ],
    ),
    (
        form(Kind.COMPARISON, "crack", "hole", relation=Relation.FEWER),
        [
            "are there fewer cracks than holes?",
            "less cracks than holes?",
            "is the number of cracks lower than the number of holes",
        ],
    ),
    (
        form(Kind.COMPARISON, "crack", "hole", relation=Relation.EQUAL),
        [
            "are there as many cracks as holes?",
            "as many cracks as holes?",
            "is there the same number of cracks and holes?",
            "are there equally many cracks and holes?",
            "is the number of cracks equal to the number of holes",
        ],
    ),
    (
        form(Kind.COMPARISON, "crack", "hole", relation=Relation.LARGER, choose=True),
        ["which one is longer, the crack or the hole"],
    ),
    (
        form(Kind.COMPARISON, "crack", "hole", relation=Relation.LARGER, choose=True, measure=Measure.AREA),
        [
            "which is larger, the crack or the hole?",
            "What is bigger: the crack or the hole?",
            "is the crack or the hole larger?",
            "crack or hole: which is bigger?",
        ],
    ),
    (
        form(Kind.COMPARISON, "crack", "hole", relation=Relation.SMALLER, choose=True, measure=Measure.AREA),
        ["which is smaller, the crack or the hole?"],
    ),
    (
        form(Kind.COMPARISON, "crack", "hole", relation=Relation.LARGER, measure=Measure.AREA),
        ["is the crack larger than the hole?", "are the cracks bigger than the holes"],
    ),
    (form(Kind.COMPARISON, "crack", "hole", relation=Relation.LARGER), ["is the crack longer than the hole?"]),
    (
        form(Kind.COMPARISON, "crack", "hole", relation=Relation.SMALLER, measure=Measure.AREA),
        ["is the crack smaller than the hole?"],
    ),
    (
        form(Kind.COMPARISON, "crack", "hole", choose=True),
        [
            "are there more cracks or holes?",
            "are there more cracks or more holes?",
            "what is there more of, cracks or holes?",
            "which are more frequent: cracks or holes?",
            "compare the number of cracks and holes",
        ],
    ),
    (
        form(Kind.COMPARISON, choose=True),
        [
            "which defect is the most common?",
            "what is the most frequent defect?",
            "Which defect type occurs most often?",
            "most common defect",
            "which class is most frequent?",
            "which defect do you see most?",
            "what is the dominant defect?",
        ],
    ),
    (
        form(Kind.COMPARISON, choose=True, relation=Relation.FEWER),
        ["which defect is the least common?", "what's the least frequent defect", "what is the rarest defect?"],
    ),
    (
        form(Kind.COMPARISON, "crack", "hole", difference=True),
        [
            "how many more cracks than holes are there?",
            "how many more cracks are there than holes?",
            "by how many do cracks outnumber holes?",
            "what is the difference between the number of cracks and the number of holes?",
        ],
    ),
    (
        form(Kind.COMPARISON, subject("scratch", places=["left"]), subject("scratch", places=["right"])),
        ["are there more scratches on the left than on the right?", "more scratches on the left than on the right?"],
    ),
    (
        form(Kind.COMPARISON, subject("hole", places=["left half"]), subject("bubble", places=["left half"])),
        ["are there more holes than bubbles in the left half?", "do you see more holes than bubbles in the left half"],
    ),
    (
        form(Kind.COMPARISON, subject("hole", places=["left"]), subject("bubble", places=["right"])),
        ["are there more holes on the left than bubbles on the right?"],
    ),
]
DESCRIPTIONS = [
    (
        form(Kind.DESCRIPTION, "crack"),
        [
            "describe the crack",
            "Please describe the crack.",
            "what does the crack look like?",
            "how does the crack look",
            "What shape is the crack?",
            "what shape has the crack",
            "what is the shape of the crack?",
            "tell me about the crack",
            "give a description of the crack",
            "can you give me a short description of the crack?",
            "How would you describe the crack?",
            "is the crack round or elongated?",
            "shape of the crack",
        ],
    ),
    (
        form(Kind.DESCRIPTION),
        [
            "describe what you see",
            "describe the defects",
            "Describe this picture.",
            "describe it",
            "what does it look like?",
        ],
    ),
]
VERDICTS = [
    (
        form(Kind.VERDICT),
        [
            "is the part good?",
            "is this piece ok",
            "Is it okay?",
            "is the sample fine",
            "Is this workpiece acceptable?",
            "is the glass flawless",
            "is it usable?",
            "is the product in order?",
            "does it pass?",
            "Does this part pass the inspection?",
            "pass or fail?",
            "OK or NG?",
            "ok/ng",
            "good or bad?",
            "is it good or bad",
            "can we ship it?",
            "can I use this part",
            "Can it be used?",
            "should it be accepted?",
            "verdict?",
            "what is the verdict",
            "is everything ok?",
            "is everything fine with the part",
            "OK?",
            "part ok?",
            "would you accept this part?",
            "is this a good part?",
        ],
    ),
    (
        form(Kind.VERDICT, negated=True),
        [
            "is the part bad?",
            "is this piece defective",
            "Is it faulty?",
            "is the glass damaged?",
            "is it scrap?",
            "is it NG?",
            "does it fail?",
            "did the part fail the inspection",
            "should it be rejected?",
            "should we scrap it",
            "is the part not ok?",
            "bad part?",
            "is it a reject",
        ],
    ),
]
SEVERITIES = [
    (
        form(Kind.SEVERITY),
        [
            "how bad is it?",
            "how severe is the damage?",
            "How serious is this?",
            "how critical are the defects",
            "severity?",
            "what is the severity",
            "what grade?",
            "what grade does the part get?",
            "how bad",
            "rate the severity",
            "how severe are the defects on this part",
            "what is the severity of the defect?",
            "how badly is the surface damaged?",
            "is it serious?",
        ],
    ),
    (
        form(Kind.SEVERITY, "scratch"),
        [
            "how severe are the scratches?",
            "severity of the scratch",
            "how bad is the scratch",
            "is the scratch severe?",
        ],
    ),
]
TABLES = (
    [PRESENCES, CLASSES, COUNTS, LOCATIONS, SIZES, EXTENTS, COMPARISONS, DESCRIPTIONS, VERDICTS, SEVERITIES]
)  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), [case for table in TABLES for case in cases(table)])
def test_a_question_is_read_as_its_form(text, expected):
    assert forms(text) == [expected]


def test_every_kind_has_a_dozen_paraphrases_at_least():
    for table in TABLES:
        assert len(cases(table)) >= 12
    assert {expected.kind for table in TABLES for expected, _ in table} == set(Kind)


def test_adjectives_name_what_is_measured():
    read = {
        word: forms(f"how {word} is the crack?")[0].measure
        for word in "big large long wide thick tall high small".split()
    }
    length, width, height = Measure.LENGTH, Measure.WIDTH, Measure.HEIGHT
    assert list(read.values()) == [length, length, length, width, width, height, height, length]


def test_traits_may_be_asked_for():
    assert forms("is the hole round?") == [form(Kind.PRESENCE, subject("hole", traits=(Trait.ROUND,)))]
    assert forms("are the scratches long and thin") == [
        form(Kind.PRESENCE, subject("scratch", traits=(Trait.ELONGATED,)))
    ]


def test_the_largest_is_no_filter_of_presence():
    """Whether the largest hole is on the left is not whether there is a largest one among those on the left."""
    assert forms("is the largest hole on the left?") == [None]
    assert forms("are all holes on the left?") == [None]


def test_without_names_phrases_are_the_users_words():
    assert forms("how many Scratches are there?", ()) == [form(Kind.COUNT, Subject(("scratches",)))]
    assert forms("is the surface scratched?", ()) == [None]


@pytest.mark.parametrize(
    ("text", "asked", "amount"),
    [
        ("Are there more than 3 scratches?", subject("scratch"), (">", 3)),
        ("does the part have at least two scratches larger than 5 px?", None, (">=", 2)),
        ("are there 3 or more scratches in the upper left", subject("scratch", places=["upper left"]), (">=", 3)),
        ("is there only one crack?", subject("crack"), ("=", 1)),
        ("Are there exactly two black spots?", subject("black spot"), ("=", 2)),
        ("Are there fewer than ten bubbles?", subject("bubble"), ("<", 10)),
        ("no more than 4 holes?", subject("hole"), ("<=", 4)),
        ("are there over 3 defects", subject(), (">", 3)),
        ("Is the number of scratches greater than 3?", subject("scratch"), (">", 3)),
        ("does the count of holes exceed five", subject("hole"), (">", 5)),
        ("bubbles > 3?", subject("bubble"), (">", 3)),
        ("2+ holes?", subject("hole"), (">=", 2)),
        ("is there a minimum of 2 holes?", subject("hole"), (">=", 2)),
        ("are there two cracks?", subject("crack"), ("=", 2)),
        ("does the part have more than two long scratches?", subject("scratch", traits=(Trait.ELONGATED,)), (">", 2)),
        ("are there at least 3 scratches or holes?", subject("scratch", "hole"), (">=", 3)),
    ],
)
def test_so_many(text, asked, amount):
    asked = asked or subject("scratch", limits=(Limit(Measure.LENGTH, ">", 5, "px"),))
    assert forms(text) == [form(Kind.PRESENCE, asked, amount=Amount(*amount))]


@pytest.mark.parametrize(
    "text",
    [
        "how many more than 3 scratches are there?",
        "are there at least 3 scratches and 2 holes?",
        "are there at least two more scratches than holes?",
        "are there more than 3?",
        "where are at least 2 holes?",
        "are there scratches more than 3 long?",
    ],
)
def test_no_other_question_is_for_so_many(text):
    assert forms(text) == [None]


def test_a_number_with_a_unit_is_a_limit():
    assert forms("are there more than 5 mm long scratches?") == [
        form(Kind.PRESENCE, subject("scratch", limits=(Limit(Measure.LENGTH, ">", 5, "mm"),)))
    ]


@pytest.mark.parametrize(
    "text", ["hole or crack, which one is bigger?", "between the hole and the crack, what is larger?"]
)
def test_which_of_two(text):
    larger = form(Kind.COMPARISON, "hole", "crack", relation=Relation.LARGER, measure=Measure.AREA, choose=True)
    assert forms(text) == [larger]
    assert len(forms("which defects are there, which is larger?")) == 2


def test_one_count_against_the_other():
    more = form(Kind.COMPARISON, "bubble", "hole", relation=Relation.MORE)
    assert forms("is the bubble count higher than the hole count?") == [more]


def test_a_length_wants_a_unit():
    assert forms("length > 3?") == [None] and forms("is the length > 3?") == [None]


def test_right_is_no_place_where_it_asks_whether_something_is_so():
    assert forms("there is no hole, right?") == [form(Kind.PRESENCE, "hole", negated=True)]
    assert forms("there is a hole on the right, right?") == [form(Kind.PRESENCE, subject("hole", places=["right"]))]
