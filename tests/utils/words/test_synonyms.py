"""What users type as prompts, synonym files and templates."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.words.errors import ConfigError
from utils.words.synonyms import check_templates, parse_prompts, read_synonyms


@pytest.mark.parametrize(
    ("text", "prompts"),
    [
        ("crack", ("crack",)),
        (" crack ,oil stain", ("crack", "oil stain")),
        ('"dent, deep", scratch', ("dent, deep", "scratch")),
        ('scratch , " dent, deep "', ("scratch", "dent, deep")),
        ('"a ""good"" part", b', ('a "good" part', "b")),
        ("operator's mark, don't", ("operator's mark", "don't")),
        ("裂纹, 气泡", ("裂纹", "气泡")),
        ("裂纹，气泡", ("裂纹", "气泡")),
        ('"裂纹，深"', ("裂纹，深",)),
        ("x" * 1000, ("x" * 1000,)),
        ("crack\n", ("crack",)),
        ("👩‍🔧 mark", ("👩‍🔧 mark",)),
    ],
)
def test_prompts(text, prompts):
    assert parse_prompts(text) == prompts


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "--prompts is empty"),
        ("  ", "--prompts is empty"),
        (",", "prompt 1 is empty"),
        ("crack,,dust", "prompt 2 is empty"),
        ("crack, ", "prompt 2 is empty"),
        ('crack, ""', "prompt 2 is empty"),
        ("crack, dust, Crack", r"prompt 1 and prompt 3 are both called 'Crack' \(case does not count\)"),
        ("oil stain, OIL  stain", "prompt 1 and prompt 2 are both called"),
        ("crack, " + "x" * 1001, "prompt 2 has 1,001 characters, at most 1,000"),
        ("crack, a\x1b[31mb", r"prompt 2 holds control characters: 'a\\x1b\[31mb'"),
        ("a\tb", "prompt 1 holds control"),
        ("a\nb", "prompt 1 holds control"),
        ("a\u2028b", "prompt 1 holds control"),
        ("a\udc80b", "prompt 1 holds control"),
        ('"crack', "prompt 1: a quotation mark must open and close"),
        ('crack, 5" pipe', "prompt 2: a quotation mark"),
        ('"a" b, c', "prompt 1: a quotation mark"),
        (" " * 100_000 + 'x"', "prompt 1: a quotation mark"),
    ],
)
def test_wrong_prompts(text, words):
    with pytest.raises(ConfigError, match=words) as caught:
        parse_prompts(text)
    assert len(str(caught.value).splitlines()) == 1 and str(caught.value).isprintable()


def test_two_thousand_prompts():
    prompts = tuple(f"defect {k}" for k in range(2000))
    assert parse_prompts(",".join(prompts)) == prompts


NAME = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8)


@given(st.lists(NAME, min_size=1, max_size=6, unique_by=lambda name: name.casefold()))
def test_quoted_prompts_come_back(names):
    quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
    assert parse_prompts(quoted) == tuple(names)


@pytest.mark.parametrize(
    ("content", "lists"),
    [
        ([["crack", "fissure"], ["dust"]], (("crack", "fissure"), ("dust",))),
        ({"crack": ["fissure"], "dust": []}, (("crack", "fissure"), ("dust",))),
        ({"crack": ["crack", "fissure"]}, (("crack", "fissure"),)),
        ([[" Crack", "crack ", "裂纹"]], (("Crack", "裂纹"),)),
    ],
)
def test_synonyms(tmp_path, content, lists):
    path = tmp_path / "s.json"
    path.write_text(json.dumps(content))
    assert read_synonyms(path) == lists
    path.write_text("\ufeff" + json.dumps(content, ensure_ascii=False), encoding="utf-8")
    assert read_synonyms(path) == lists


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[["crack"],\n["dust",]]', ":2: not JSON"),
        ("", ":1: not JSON"),
        ("[]", "must be a list of synonym lists"),
        ("{}", "must be a list of synonym lists"),
        ('"crack"', "must be a list of synonym lists"),
        ("[[]]", "class 0 must be a list of names"),
        ('[["a"], "crack"]', "class 1 must be a list of names"),
        ('[["a"], [1]]', "class 1 must be a list of names"),
        ('{"a": "b"}', "class 0 must be a list of names"),
        ('{"a": [["b"]]}', "class 0 must be a list of names"),
        ('[["a", " "]]', "class 0 is empty"),
        ('[["crack"], ["dust", "Crack"]]', "class 0 and class 1 are both called 'Crack'"),
        ('{"a": [], "a": ["b"]}', "'a' is there twice"),
        ('[["a\\u0000"]]', r"class 0 holds control characters: 'a\\x00'"),
        ('[["a\\ud800"]]', "class 0 holds control"),
        ("[" * 200_000, "not a JSON file|not JSON"),
    ],
)
def test_wrong_synonyms(tmp_path, text, words):
    path = tmp_path / "s.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words) as caught:
        read_synonyms(path)
    assert str(caught.value).startswith(str(path)) and len(str(caught.value).splitlines()) == 1


def test_files_that_are_not_there_or_not_text(tmp_path):
    with pytest.raises(ConfigError, match="No such file"):
        read_synonyms(tmp_path / "none.json")
    with pytest.raises(ConfigError, match="is a folder"):
        read_synonyms(tmp_path)
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="UTF-8"):
        read_synonyms(tmp_path / "x")


@pytest.mark.parametrize(
    ("templates", "words"),
    [
        ((), "empty"),
        (("a photo",), "must hold {} once"),
        (("{} and {}",), "must hold {} once"),
        (("{}", "{}"), "there twice"),
        (("{}\n",), "control"),
        (("{}" + "x" * 1000,), "1,002 characters"),
    ],
)
def test_wrong_templates(templates, words):
    with pytest.raises(ConfigError, match=words):
        check_templates(templates)
