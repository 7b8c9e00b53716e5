import pytest

from tests.utils.answers.answer_cases import NAMES, ask, found, known, question
from utils.answers.lexicon import Lexicon
from utils.answers.severity import KEYS, Severity, check_scale, read_severity
from utils.questions.question import Kind, Limit, Measure
from utils.values.answer import NONE
from utils.words.errors import ConfigError

LEXICON = Lexicon.of(NAMES, (("hole", "perforation", "孔"),))
RULES = """
rules:
  - {grade: critical, class: hole, longer than: 20 px}
  - {grade: critical, longer than: 60 px}
  - {grade: major, class: [scratch, bubbles], area over: 400 px2}
  - {grade: major, class: scratch, at least: 3}
otherwise: minor
"""


def rules(folder, text=RULES):
    path = folder / "severity.yaml"
    path.write_text(text, encoding="utf-8")
    return read_severity(path, LEXICON)


def box(width, height, at=0):
    return [at, at, at + width, at + height]


@pytest.mark.parametrize(
    ("rows", "grade", "text", "many"),
    [
        ([(box(21, 2), 1)], "critical", "class hole, longer than 20 px", 1),
        ([(box(20, 20), 1)], "minor", "otherwise", 1),
        ([(box(61, 2), 2), (box(3, 3), 1)], "critical", "longer than 60 px", 1),
        ([(box(20, 21), 0), (box(2, 2), 0)], "major", "class scratch or bubbles, area over 400 px2", 1),
        ([(box(20, 21), 1)], "critical", "class hole, longer than 20 px", 1),
        ([(box(20, 20), 0), (box(20, 20), 2)], "minor", "otherwise", 2),
        ([(box(2, 2, k), 0) for k in range(3)], "major", "class scratch, at least 3", 3),
        ([(box(2, 2, k), 0) for k in range(2)] + [(box(2, 2), 2)], "minor", "otherwise", 3),
    ],
)
def test_the_first_rule_that_is_met_decides(tmp_path, rows, grade, text, many):
    """Limits are to be exceeded; what meets the rule is shown."""
    severity = rules(tmp_path)
    things = found(*((one, 0.9, label) for one, label in rows))
    told, rule, met = severity.grade(things)
    assert (told, rule, len(met)) == (grade, text, many)
    answer = ask(question(Kind.SEVERITY), things, known(severity=severity))
    assert answer.answer == grade and len(answer.evidence) == many and text in answer.sentence


def test_words_for_classes_and_units(tmp_path):
    """A pixel is 0.5 mm wide: 30 px are 15 mm, 30 x 10 px are 75 mm2."""
    text = (
        "rules:\n- {grade: a, class: 孔, longer than: 15 mm}\n- {grade: b, class: Perforations, area over: 74.9 mm2}\n"
    )
    severity = rules(tmp_path, text + "otherwise: c\n")
    assert severity.in_mm and [rule.labels for rule in severity.rules] == [frozenset({1})] * 2
    assert severity.rules[0].limits == (Limit(Measure.LENGTH, ">", 15.0, "mm"),)
    assert severity.grade(found((box(30, 10), 0.9, 1), mm=0.5))[0] == "b"
    assert severity.grade(found((box(31, 1), 0.9, 1), mm=0.5))[0] == "a"
    assert severity.grade(found((box(31, 10), 0.9, 0), mm=0.5))[0] == "c"


def test_rules_in_mm_need_the_size_of_a_pixel(tmp_path):
    severity = rules(tmp_path, "rules:\n- {grade: a, longer than: 2mm}\notherwise: b\n")
    with pytest.raises(
        ConfigError, match="--severity s.yaml: has rules in mm; give --data with mm_per_px, or write px"
    ):
        check_scale(severity, None, "s.yaml")
    check_scale(severity, 0.1, "s.yaml")
    check_scale(rules(tmp_path), None, "s.yaml")
    assert not rules(tmp_path).in_mm


def test_a_picture_without_defects_has_no_grade(tmp_path):
    severity = rules(tmp_path)
    faint = found((box(90, 90), 0.3, 1))
    assert ask(question(Kind.SEVERITY), faint, known(severity=severity)).answer == NONE
    answer = ask(question(Kind.SEVERITY, "scratch"), found((box(90, 90), 0.9, 1)), known(severity=severity))
    assert answer.answer == NONE and answer.refusal == "", "asked of scratches only"


@pytest.mark.parametrize(("language", "word"), [("en", "there is no rule"), ("zh", "没有分级规则")])
def test_without_rules_there_is_no_answer_but_how_to_write_some(language, word):
    answer = ask(question(Kind.SEVERITY, language=language), found((box(5, 5), 0.9, 0)))
    assert answer.answer == "" and word in answer.refusal and "severity.yaml" in answer.refusal


OTHERWISE = "\notherwise: minor\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1: not severity rules"),
        ("- 1\n", "1: not severity rules"),
        ("rules: []" + OTHERWISE, "1: not severity rules"),
        ("rules: {a: 1}" + OTHERWISE, "1: not severity rules"),
        (
            "rules:\n- {grade: a, class: hole}\notherwise: b\nelse: c\n",
            "4: unknown key 'else'; known are rules, otherwise",
        ),
        ("rules:\n- {grade: a, class: hole}\n", "1: `otherwise` is missing"),
        ("rules:\n- {grade: a, class: hole}\notherwise: 3\n", "1: `otherwise` is missing"),
        ("rules:\n- hole" + OTHERWISE, "2: a rule must read like"),
        ("rules:\n- {class: hole}" + OTHERWISE, "2: a rule must read like"),
        ("rules:\n- {grade: 1, class: hole}" + OTHERWISE, "2: a rule must read like"),
        ("rules:\n- {grade: ' ', class: hole}" + OTHERWISE, "2: a rule must read like"),
        ("rules:\n- {grade: a}" + OTHERWISE, "2: a rule without a condition is met by everything"),
        ("rules:\n- grade: a\n  clas: hole" + OTHERWISE, "3: unknown key 'clas'; did you mean 'class'?"),
        ("rules:\n- grade: a\n  worse: hole" + OTHERWISE, "3: unknown key 'worse'; known are grade, class"),
        ("rules:\n- grade: a\n  class: hol" + OTHERWISE, "3: there is no class 'hol'; did you mean 'hole'?"),
        ("rules:\n- grade: a\n  class: rust" + OTHERWISE, "3: there is no class 'rust'; there are: scratch, hole"),
        ("rules:\n- grade: a\n  class: [hole, 3]" + OTHERWISE, "3: there is no class 3; there are"),
        ("rules:\n- grade: a\n  class: []" + OTHERWISE, "3: `class` names none"),
        (
            "rules:\n- grade: a\n  longer than: 5" + OTHERWISE,
            "3: `longer than` must be a number with its unit, like 20 px",
        ),
        ("rules:\n- grade: a\n  longer than: 5 mm2" + OTHERWISE, "3: `longer than` must be a number"),
        ("rules:\n- grade: a\n  longer than: -5 mm" + OTHERWISE, "3: `longer than` must be a number"),
        (
            "rules:\n- grade: a\n  area over: 5 px" + OTHERWISE,
            "3: `area over` must be a number with its unit, like 400 px2",
        ),
        ("rules:\n- grade: a\n  at least: 0" + OTHERWISE, "3: `at least` must be a whole number from 1 on, not 0"),
        ("rules:\n- grade: a\n  at least: 2.5" + OTHERWISE, "3: `at least` must be a whole number"),
        ("rules:\n- grade: a\n  at least: yes" + OTHERWISE, "3: `at least` must be a whole number"),
        ("rules:\n- {grade: a, class: hole}\n- {grade: b, class: x}" + OTHERWISE, "3: there is no class 'x'"),
    ],
)
def test_mistakes_have_file_and_line(tmp_path, text, message):
    with pytest.raises(ConfigError) as caught:
        rules(tmp_path, text)
    assert f"severity.yaml:{message}" in str(caught.value) and "\n" not in str(caught.value)


def test_the_example_at_the_head_of_the_file_is_read(tmp_path):
    import utils.answers.severity as module

    text = module.__doc__.split("\n\n", 1)[1].replace("crack", "hole").replace("dent", "bubble")
    severity = rules(tmp_path, text)
    assert isinstance(severity, Severity) and len(severity.rules) == 4 and severity.otherwise == "minor"
    assert {key for key in KEYS if key in text} == set(KEYS)
