import pytest

from utils.words.errors import ConfigError
from utils.words.yamlio import parse_yaml

BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(9)
)


def test_lines_of_values():
    document = parse_yaml("a: 1\nb:\n  c: [1,\n    2]\n", "x.yaml")
    assert document.data == {"a": 1, "b": {"c": [1, 2]}}
    assert document.where("b", "c", 1) == "x.yaml:4" and document.where("b", "c") == "x.yaml:3"
    assert document.where("b", "nothing") == "x.yaml:2"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3", 3),
        ("a: 1\nb: [1", 2),
        ("a: !!python/object/apply:os.system [ls]", 1),
        ("? [1, 2]\n: 3", 1),
        ("\ta: 1", 1),
        (BOMB, 1),
    ],
    ids=["duplicate", "unclosed", "tag", "complex key", "tab", "bomb"],
)
def test_mistakes_name_their_line(text, line):
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "x.yaml")
    assert str(caught.value).startswith(f"x.yaml:{line}:") and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 5000, "a: &a [*a]", b"\xff\xfe\x00\xd8", "a: " + "9" * 10_000])
def test_hostile_text_is_refused_quickly(text):
    with pytest.raises(ConfigError):
        parse_yaml(text, "x.yaml")
