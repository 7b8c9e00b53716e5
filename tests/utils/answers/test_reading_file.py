import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.utils.inspection.drawn_results import draw
from utils.answers.lexicon import Lexicon
from utils.answers.odds import Odds
from utils.answers.reading_choice import choose_reading
from utils.answers.reading_file import checked_reading, reading_text
from utils.answers.score_reading import ClassReading, ScoreReading
from utils.deciding.threshold_file import read_limits, thresholds_text
from utils.deciding.thresholds import NEVER
from utils.inspection.inspection_config import InspectionConfig
from utils.values.unknown_defect import UNKNOWN
from utils.words.errors import ConfigError

NAMES = ("bubble", "oil")
GOOD = "answers:\n  classes:\n    bubble: {no_below: 0.1, yes_from: 0.4, counts_from: 0.3}\n"


def written(folder, text):
    path = folder / "t.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def read(path, names=NAMES, thresholds=(0.5, 0.6), conf=0.25):
    return checked_reading(path, Lexicon.of(names), thresholds, conf)


share = st.floats(0, 1)
digits = st.floats(-50, 50).map(lambda value: float(f"{value:.6g}"))
odds = st.none() | st.builds(Odds, digits.map(abs), digits)
rows = st.builds(
    lambda a, b, c, o: ClassReading(min(a, b), max(a, b), c, o),
    share,
    st.floats(0, 1, exclude_min=True) | st.just(NEVER),
    share,
    odds,
).filter(lambda one: one.no_below <= 1)


@given(rows, rows, st.none() | rows, odds)
def test_what_is_written_is_read_to_the_last_bit(tmp_path_factory, one, other, some, box):
    reading = ScoreReading((one, other), some, (0.5, 0.6), box)
    path = written(tmp_path_factory.mktemp("r"), reading_text(reading, NAMES))
    again = read(path)
    assert (again.classes, again.some, again.box) == (reading.classes, some, box)
    assert again.thresholds == (0.5, 0.6) and again.own == 2
    turned = read(path, NAMES[::-1], (0.6, 0.5))
    assert turned.classes == (other, one), "classes are known by name"


def test_what_was_chosen_is_what_a_thresholds_file_holds(tmp_path):
    """Also beside everything else that such a file says."""
    names = ("bubble", 'a "b": c', "气泡 大")
    reading = choose_reading(
        draw(400, 3, np.random.default_rng(0)), tuple(np.array([0.3, 0.4, NEVER])), InspectionConfig()
    )
    text = thresholds_text(names, reading.thresholds, ["val.py"]) + reading_text(reading, names)
    path = written(tmp_path, text)
    values = read_limits(path, names).thresholds.values
    again = read(path, names, values)
    assert values == (0.3, 0.4, NEVER) and again.thresholds == values
    assert (again.classes, again.some, again.box) == (reading.classes, reading.some, reading.box)


def test_the_text_of_a_file():
    one = ClassReading(1e-05, 0.5, 0.25, Odds(1.5, -2.0))
    assert reading_text(ScoreReading((one,), None, (0.5,), Odds(1.0, 0.5)), ["yes"]).splitlines()[1:] == [
        "  box: [1, 0.5]",
        "  classes:",
        '    "yes": {no_below: 1e-05, yes_from: 0.5, counts_from: 0.25, odds: [1.5, -2]}',
    ]


def test_numbers_that_yaml_takes_for_words(tmp_path):
    path = written(
        tmp_path,
        "answers:\n  box: [1e1, -1E-3]\n  classes:\n"
        '    bubble: {no_below: 1e-05, yes_from: "0.5", counts_from: 1, odds: [2, 1e-2]}\n',
    )
    reading = read(path)
    assert reading.classes[0] == ClassReading(1e-05, 0.5, 1.0, Odds(2.0, 0.01)) and reading.box == Odds(10.0, -0.001)


def test_a_class_that_the_file_says_nothing_of_is_read_by_its_threshold_or_by_conf(tmp_path):
    plain = written(tmp_path, "thresholds: {bubble: 0.5, oil: 2.0}\n")
    assert read(plain, thresholds=(0.5, NEVER)) == ScoreReading(
        (ClassReading.at(0.5), ClassReading.at(0.25)), None, (0.5, NEVER), None, 2
    ), "it never decides about a part, but can be asked of"
    some = read(written(tmp_path, GOOD), thresholds=(0.5, NEVER), conf=0.1)
    assert some.classes == (ClassReading(0.1, 0.4, 0.3), ClassReading.at(0.1))


def test_names_are_the_same_however_they_are_written(tmp_path):
    path = written(tmp_path, GOOD.replace("bubble:", '" BUBBLE ":'))
    assert read(path).classes[0] == ClassReading(0.1, 0.4, 0.3)


def test_any_defect_with_unknown_ones_is_another_thing(tmp_path):
    """The figures of `any` are those of the named classes; a row for unknown defects may be left over."""
    text = GOOD + f'    "{UNKNOWN}": {{no_below: 0.2, yes_from: 0.2, counts_from: 0.2}}\n'
    text += "  any: {no_below: 0.05, yes_from: 0.3, counts_from: 0.3}\n"
    path = written(tmp_path, text)
    assert read(path).some == ClassReading(0.05, 0.3, 0.3)
    reading = read(path, (*NAMES, UNKNOWN), (0.5, 0.6, 0.7))
    assert reading.some is None and reading.classes[2] == ClassReading.at(0.2)


def test_classes_that_were_asked_for_are_no_defects(tmp_path):
    lexicon = Lexicon.of((*NAMES, "sticker"), own=2)
    reading = checked_reading(written(tmp_path, GOOD), lexicon, (0.5, 0.6, NEVER), 0.25)
    assert reading.own == 2 and reading.classes[2] == ClassReading.at(0.25)


ROW = "{no_below: 0.1, yes_from: 0.4, counts_from: 0.3}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("answers: 5\n", "1: `answers` has the keys classes"),
        ("answers: {box: [1, 2]}\n", "1: `answers` has the keys classes"),
        (f"answers:\n  classes: {{bubble: {ROW}}}\n  some: 1\n", "1: `answers` has the keys classes"),
        ("answers:\n  classes: [1]\n", "2: `classes` must have a row for each class"),
        ("answers:\n  classes:\n    bubble: 0.5\n", "3: must read like {no_below: 0.05,"),
        ("answers:\n  classes:\n    bubble: {no_below: 0.1, yes_from: 0.4}\n", "3: must read like"),
        (f"answers:\n  classes:\n    bubble: {ROW[:-1]}, more: 1}}\n", "3: must read like"),
        (f"answers:\n  classes:\n    oil: {ROW}\n    bubble: {ROW.replace('0.1', '0.5')}\n", "4: must be 0 <="),
        (f"answers:\n  classes:\n    bubble: {ROW.replace('0.4', '1.5')}\n", "3: must be 0 <= no_below"),
        (f"answers:\n  classes:\n    bubble: {ROW.replace('0.1', '-0.1')}\n", "3: must be 0 <= no_below"),
        (f"answers:\n  classes:\n    bubble: {ROW.replace('0.3', '2')}\n", "3: must be 0 <= no_below"),
        ("answers:\n  classes:\n    bubble: {no_below: 0, yes_from: 0, counts_from: 0}\n", "3: must be 0 <= no_below"),
        ("answers:\n  classes:\n    bubble: {no_below: 2.0, yes_from: 2.0, counts_from: 0}\n", "3: must be 0 <="),
        (f"answers:\n  classes:\n    bubble: {ROW.replace('0.1', 'few')}\n", "3: must be a number, not 'few'"),
        (f"answers:\n  classes:\n    bubble: {ROW.replace('0.1', 'yes')}\n", "3: must be a number, not True"),
        (f"answers:\n  classes:\n    bubble: {ROW.replace('0.1', '.nan')}\n", "3: must be a number, not nan"),
        (f"answers:\n  classes:\n    bubble: {ROW.replace('0.1', '[0.1]')}\n", "3: must be a number, not [0.1]"),
        (
            "answers:\n  classes:\n    bubble:\n      no_below: 0.1\n      yes_from: x\n      counts_from: 1\n",
            "5: must be",
        ),
        (f"answers:\n  classes:\n    bubble: {ROW[:-1]}, odds: 1}}\n", "3: odds are two numbers, [slope, offset]"),
        (f"answers:\n  classes:\n    bubble: {ROW[:-1]}, odds: [1]}}\n", "3: odds are two numbers"),
        (f"answers:\n  classes:\n    bubble: {ROW[:-1]}, odds: [1, .inf]}}\n", "3: must be a number, not inf"),
        (f"answers:\n  classes:\n    bubble: {ROW[:-1]}, odds: [-1, 0]}}\n", "3: a slope below 0"),
        ("answers:\n  classes: {}\n  box: 1\n", "3: odds are two numbers"),
        ("answers:\n  classes: {}\n  any: 1\n", "3: must read like"),
        (f"answers:\n  classes:\n    bubbel: {ROW}\n", "3: unknown class 'bubbel'; did you mean 'bubble'?"),
        (f"answers:\n  classes:\n    7: {ROW}\n", "3: unknown class '7'; there are: bubble, oil"),
        (f"answers:\n  classes:\n    oil: {ROW}\n    Oil: {ROW}\n", "4: class 'Oil' appears twice; remove one"),
        ("answers:\n  classes: {bubble: 1, bubble: 2}\n", "2: key 'bubble' appears twice"),
    ],
)
def test_mistakes_have_file_and_line(tmp_path, text, message):
    with pytest.raises(ConfigError) as caught:
        read(written(tmp_path, text))
    assert f"t.yaml:{message}" in str(caught.value) and "\n" not in str(caught.value)
