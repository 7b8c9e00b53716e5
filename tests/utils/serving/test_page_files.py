"""What can be said of the page without a browser: its words, its files, and that nothing in them is from elsewhere."""

import json
import re
from pathlib import Path

import pytest
import torch

from utils.review.teaching import teaches
from utils.serving.app import KINDS, PAGE
from utils.values.detections import Detections

SCRIPTS = sorted(PAGE.glob("*.js"))
HTML = (PAGE / "index.html").read_text(encoding="utf-8")
CSS = (PAGE / "page.css").read_text(encoding="utf-8")
CODE = {path.name: path.read_text(encoding="utf-8") for path in SCRIPTS}
WORDS = {name: json.loads((PAGE / f"{name}.json").read_text(encoding="utf-8")) for name in ("en", "zh")}
IN_HTML = set(re.findall(r'data-(?:word|label|hint)="([^"]+)"', HTML))
IN_CODE = {key for text in CODE.values() for key in re.findall(r'\bt\(\s*"([^"]+)"', text)}


def test_both_languages_have_the_same_words():
    assert list(WORDS["en"]) == list(WORDS["zh"])
    for key, text in WORDS["en"].items():
        assert text.strip() and WORDS["zh"][key].strip(), key
        places = [sorted(re.findall(r"\{(\w+)\}", words[key])) for words in WORDS.values()]
        assert places[0] == places[1], f"{key} has other values in Chinese"


def test_every_word_that_is_used_is_there_and_none_is_idle():
    assert IN_HTML and IN_CODE
    assert not (IN_HTML | IN_CODE) - set(WORDS["en"])
    quoted = {word for text in CODE.values() for word in re.findall(r'"([a-z_]+)"', text)}
    assert not set(WORDS["en"]) - IN_HTML - quoted


def test_a_word_has_all_the_values_that_it_names():
    for name, text in CODE.items():
        for key, given in re.findall(r'\bt\(\s*"([^"]+)"(?:,\s*(\{[^}]*\}))?', text):
            for value in re.findall(r"\{(\w+)\}", WORDS["en"][key]):
                assert re.search(rf"\b{value}\b", given), f"{name}: {key} needs {value}"


def test_every_element_that_is_asked_for_is_there():
    ids = set(re.findall(r'\bid="([^"]+)"', HTML))
    asked = {one for text in CODE.values() for one in re.findall(r'byId\("([^"]+)"\)', text)}
    assert asked and not asked - ids
    assert len(re.findall(r'\bid="', HTML)) == len(ids), "an id twice"
    assert not set(re.findall(r'aria-(?:controls|labelledby)="([^"]+)"', HTML)) - ids


@pytest.mark.parametrize("name", CODE)
def test_scripts_are_small_and_import_each_other_only(name):
    lines = CODE[name].splitlines()
    assert len(lines) <= 300 and max(map(len, lines)) <= 120
    for place in re.findall(r'(?:from|import)\s*\(?"([^"]+)"', CODE[name]):
        assert place.startswith("./") and (PAGE / place).is_file()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", CODE[name])
    assert not re.search(r"console\.|debugger|setAttribute\(\"style\"", CODE[name])


def test_nothing_is_inline_or_from_elsewhere():
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", HTML)
    for text in (HTML, CSS, *CODE.values()):
        places = set(re.findall(r"(?:https?:)?//[\w.-]+\.[\w/.-]+", text))
        assert places <= {"http://www.w3.org/2000/svg"}, places
    assert not re.search(r"url\(|@import", CSS)
    used = re.findall(r'(?:src|href)="([^"#]+)"', HTML)
    assert {place for place in used if not place.startswith("data:,")} == {"/static/page.css", "/static/page.js"}


def test_the_server_knows_every_kind_of_file():
    assert {path.suffix for path in PAGE.iterdir() if path.is_file()} <= set(KINDS)
    assert {Path(path).name for path in PAGE.iterdir()} >= {"index.html", "page.css", "page.js", "en.json", "zh.json"}


def test_every_reason_to_review_is_said_in_both_languages():
    """utils/review says it in English; the page knows each form."""
    forms = [re.compile(form) for form in re.findall(r"\[/(\^.+?\$)/,", CODE["why.js"])]
    boxes = torch.tensor([[0.0, 0, 9, 9], [0.0, 0, 9, 9]] + [[20.0 * k, 50, 20 * k + 9, 59] for k in range(12)])
    told = set()
    for scores, kept in (([0.31], 1), ([0.9], 1), ([0.95, 0.9], 2), ([0.08] * 14, 14), ([], 0)):
        labels = torch.tensor([0, 1, *([0] * 12)][:kept])
        found = Detections(boxes[:kept], torch.tensor(scores), labels, ("two words", "x, y"))
        why = teaches(found, (0.3, 0.3))[1]
        told |= {form.pattern for form in forms if form.fullmatch(why)}
        assert sum(bool(form.fullmatch(why)) for form in forms) == 1, why
    assert told == {form.pattern for form in forms} and len(forms) == 5


def test_every_field_has_a_name():
    """For those who cannot see: a label around it, or one of its own."""
    for tag in re.findall(r"<(?:input|textarea)\b[^>]*>", HTML):
        if "aria-hidden" not in tag and "data-label" not in tag:
            assert re.search(rf"<label\b[^>]*>(?:(?!</label>).)*{re.escape(tag)}", HTML, re.DOTALL), tag
