"""No text raises, takes long, or is read differently the second time."""

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.utils.asking.forms import NAMES
from utils.asking.parser import parse
from utils.questions.question import UNITS, NotUnderstood, Question

WORDS = (
    "is there a crack or the hole than and , more of which how many left upper in on 2 mm longer that are with area "
    "what share by covered between at least not no the largest one it vs where compare describe if whether ? . ; live "
    "knot % > 有没有 裂纹 和 或 的 比 最大 左上角 哪个 多少 几个 在 占 大于2毫米 是 什么 吗 ， 。 被 一样多 还是 小"
).split()
SENTENCES = st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join) | st.lists(st.sampled_from(WORDS)).map("".join)
LIMIT_S = 2.0  # of the processor, for 1000 characters, on a slow and busy machine; the usual is some hundredths of it


def well_formed(one):
    if isinstance(one, NotUnderstood):
        return bool(one.reason)
    limits = [limit for subject in one.subjects for limit in subject.limits]
    fractions = [value for subject in one.subjects for place in subject.places for value in place.box]
    return (
        isinstance(one, Question)
        and len(one.subjects) <= 2
        and one.unit in ("", *UNITS)
        and all(limit.unit in UNITS and limit.sign in (">", ">=", "<", "<=") for limit in limits)
        and all(0 <= value <= 1 for value in fractions)
        and not any(
            "\ue000" <= sign <= "\uf8ff" for subject in one.subjects for phrase in subject.phrases for sign in phrase
        )
    )


@settings(max_examples=300, deadline=None)
@given(SENTENCES)
def test_words_in_any_order(text):
    read = parse(text, NAMES)
    assert read and all(map(well_formed, read))
    assert parse(text, NAMES) == read


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=4))
def test_any_text_and_any_names(text, names):
    read = parse(text, names)
    assert read and all(map(well_formed, read))
    assert parse(text, names) == read


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=3), st.booleans())
def test_repeated_words_take_no_time(words, blank):
    text = (" ".join([*words, ""] if blank else words) * 1000)[:1000]
    start = time.process_time()
    assert parse(text, NAMES)
    assert time.process_time() - start < LIMIT_S
