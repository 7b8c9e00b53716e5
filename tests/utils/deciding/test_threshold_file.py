from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.deciding.threshold_file import read_limits, read_thresholds, thresholds_text
from utils.deciding.thresholds import NEVER
from utils.values.pictures_identity import PicturesIdentity
from utils.values.weights_identity import WeightsIdentity
from utils.words.class_names import name_key
from utils.words.errors import ConfigError

words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(lambda name: name_key(name) != "")


@given(
    st.lists(
        st.tuples(words, st.floats(0, 1) | st.just(NEVER)),
        min_size=1,
        max_size=4,
        unique_by=lambda row: name_key(row[0]),
    )
)
def test_round_trip_of_any_name(tmp_path_factory, rows):
    names, values = [name for name, _ in rows], tuple(value for _, value in rows)
    path = tmp_path_factory.mktemp("t") / "thresholds.yaml"
    path.write_text(thresholds_text(names, values, ["val.py --data x\nthresholds: {}"]), encoding="utf-8")
    assert read_thresholds(path, names) == values
    assert read_thresholds(path, names[::-1]) == values[::-1], "classes are known by name"


@given(words, st.text("0123456789abcdef", min_size=32, max_size=32))
def test_weights_of_any_name_and_digest_are_read_back(tmp_path_factory, file, digest):
    path, weights = tmp_path_factory.mktemp("t") / "thresholds.yaml", WeightsIdentity(file, digest)
    path.write_text(thresholds_text(["a"], [0.5], [], None, weights), encoding="utf-8")
    limits = read_limits(str(path), ["a"])
    assert limits.weights == weights and limits.warnings(replace(weights, file="other")) == []
    (line,) = limits.warnings(WeightsIdentity(file, "x" * 32))
    assert "chosen with other weights" in line and len(line.splitlines()) == 1
    path.write_text("thresholds: {a: 0.5}", encoding="utf-8")
    assert read_limits(str(path), ["a"]).warnings(weights) == [], "what is not known is not said"


def test_thresholds_know_the_pictures_that_chose_them(tmp_path):
    path, pictures = tmp_path / "thresholds.yaml", PicturesIdentity(1200, "ab" * 16)
    path.write_text(thresholds_text(["a"], [0.5], [], pictures=pictures), encoding="utf-8")
    limits = read_limits(str(path), ["a"])
    (line,) = limits.warnings(pictures=pictures)
    assert line.startswith(f"{path}: chosen on these 1,200 pictures")
    assert limits.warnings(pictures=replace(pictures, digest="0" * 32)) == limits.warnings() == []


def test_text():
    text = thresholds_text(["bubble", "yes"], [0.5, NEVER], ["escape 0 of 4 (at most 49.0 %)"])
    assert text.splitlines()[1:] == [
        "# escape 0 of 4 (at most 49.0 %)",
        "thresholds:",
        '  "bubble": 0.5',
        '  "yes": 2.0',
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("thresholds:\n  bubble: 0.5\n  oli: 0.5\n", "3: unknown class 'oli'; did you mean 'oil'?"),
        ("thresholds:\n  bubble: 0.5\n  dust: 0.5\n", "3: unknown class 'dust'; there are: bubble, oil"),
        ("thresholds:\n  bubble: 0.5\n", "1: no threshold for oil; add one"),
        ("thresholds:\n  bubble: 0.5\n  oil: 1.5\n", "3: the threshold of 'oil' must be a number from 0 to 1"),
        ("thresholds:\n  bubble: 0.5\n  oil: .nan\n", "3: the threshold of 'oil' must be a number"),
        ("thresholds:\n  bubble: much\n  oil: 0.5\n", "2: the threshold of 'bubble' must be a number"),
        ("thresholds:\n  bubble: yes\n  oil: 0.5\n", "2: the threshold of 'bubble' must be a number"),
        ("thresholds:\n  bubble: 0.5\n  Bubble: 0.5\n  oil: 0.1\n", "3: class 'Bubble' appears twice"),
        ("thresholds:\n  1: 0.5\n", "2: 1 is not a class name; put names in quotes"),
        ("thresholds: {bubble: 0.5, oil: 0.5}\nconf: 1\n", "2: unknown key 'conf'"),
        ("bubble: 0.5\n", "1: not a thresholds file"),
        ("", "1: not a thresholds file"),
    ],
)
def test_mistakes_have_file_and_line(tmp_path, text, message):
    path = tmp_path / "t.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_thresholds(path, ["bubble", "oil"])
    assert f"t.yaml:{message}" in str(caught.value) and "\n" not in str(caught.value)
