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
        ('a: 1\nb: "\\ud83d x"', 2),
    ],
    ids=["duplicate", "unclosed", "tag", "complex key", "tab", "bomb", "half a character"],
)
def test_mistakes_name_their_line(text, line):
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "x.yaml")
    assert str(caught.value).startswith(f"x.yaml:{line}:") and "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["[" * 5000, "a: &a [*a]", b"\xff\xfe\x00\xd8", "a: " + "9" * 10_000])
def test_hostile_text_is_refused_quickly(text):
    with pytest.raises(ConfigError):
        parse_yaml(text, "x.yaml")


@pytest.mark.parametrize(
    "written", ["010", "12:30", "1_000", "0x1F", "1.10", "1.1", "yes", "NO", "null", "~", "2001-99-99", "1e3", "'010'"]
)
def test_a_scalar_and_a_key_are_there_as_they_are_written(written):
    document = parse_yaml(f"names: [{written}]\nmap:\n  {written}: a\n", "x.yaml")
    assert document.text("names", 0) == written.strip("'")
    assert list(document.data["map"]) == [written.strip("'")] and document.text("map") is None


def test_numbers_are_numbers_where_all_versions_of_yaml_agree():
    text = "[1, -2, 0, 1.5, 1_000, 0x1F, true, null, .inf, 010, 12:30, 2001-01-01, 1:30.5, 0b_, %s]" % ("9" * 40)
    assert parse_yaml(text, "x.yaml").data == [
        *(1, -2, 0, 1.5, 1000, 31, True, None, float("inf")),
        *("010", "12:30", "2001-01-01", "1:30.5", "0b_", "9" * 40),
    ]


def test_class_numbers_are_numbers_as_keys():
    assert list(parse_yaml("0: a\n10: b\n-1: c\n'2': d\n007: e\n1.1: f\n1.10: g", "x").data) == [
        *(0, 10, -1, "2", "007", "1.1", "1.10")
    ]


@pytest.mark.parametrize(
    "value",
    [
        *('!!int ""', "!!float x", "!!timestamp x", '!!binary "a"', "!!bool perhaps", "!!set {a}", "!x 1"),
        *(
            "!!int " + "9" * 400,
            "9" * 400,
            "1." + "9" * 400,
            "!!int 0x",
            "!!int 0b",
            "!!map [1]",
            "!!seq {a: 1}",
            "!!str [1]",
            "!!omap [a: 1]",
        ),
        *("&a [*a]", "{<<: {a: 1}}", "{[1]: 2}", "{a: 1, a: 2}", "*b", "%", '"\\q"', "{? {a: 1} : 2}"),
    ],
)
def test_what_is_not_plain_names_its_line(value):
    with pytest.raises(ConfigError, match=r"^x\.yaml:3: ") as caught:
        parse_yaml(f"a: 1\nb: 2\nc: {value}\n", "x.yaml")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


@pytest.mark.parametrize("text", ["- " * 5000, "? " * 5000, "a:\n" + "".join(" " * n + "b:\n" for n in range(1, 900))])
def test_depth_without_brackets(text):
    with pytest.raises(ConfigError, match="too deeply nested|not valid"):
        parse_yaml(text, "x.yaml")
