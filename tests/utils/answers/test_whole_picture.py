from dataclasses import replace

import pytest

from tests.utils.answers.answer_cases import CELLS, NAMES, SAME, ask, calibrated, found, known, question
from utils.answers.odds import Odds
from utils.answers.score_reading import ClassReading, ScoreReading
from utils.deciding.thresholds import NEVER
from utils.questions.question import Amount, Kind, Limit, Measure, Rank, Trait
from utils.values.answer import NO, NONE, UNSURE, YES, Evidence

LONG = [0, 0, 40, 10]  # px, in the upper left of 100 x 100
SMALL = [80, 80, 86, 85]
BOTH = found((LONG, 0.9, 0), (SMALL, 0.7, 0), ([50, 50, 60, 60], 0.2, 1))
DOUBTFUL = known(reading=ScoreReading((ClassReading(0.3, 0.6, 0.5),) * 3, None, (0.5,) * 3))


def test_yes_with_everything_that_counts():
    answer = ask(question(Kind.PRESENCE, "scratches", text="is there a scratch?"), BOTH)
    assert (answer.question, answer.kind, answer.answer) == ("is there a scratch?", "presence", YES)
    assert answer.evidence == (Evidence("scratch", 0.9, (0, 0, 40, 10)), Evidence("scratch", 0.7, (80, 80, 86, 85)))
    assert answer.confidence == pytest.approx(0.9) and not answer.calibrated
    assert answer.number is None and answer.unit == answer.refusal == ""
    assert answer.sentence == "Yes: scratch 40 x 10 px, upper left (0.90); scratch 6 x 5 px, lower right (0.70)."


def test_no_shows_nothing():
    """Of a hole there is a score of 0.2: 0.8 that there is none; of a bubble not even that."""
    answer = ask(question(Kind.PRESENCE, "hole"), BOTH)
    assert (answer.answer, answer.evidence, answer.sentence) == (NO, (), "No.")
    assert answer.confidence == pytest.approx(0.8) and not answer.calibrated
    assert ask(question(Kind.PRESENCE, "bubble"), BOTH).confidence == 1


def test_between_two_limits_nobody_can_tell():
    """The best candidate is shown; how likely the answer is right means nothing. What would not count is likelier not
    there.
    """
    things = found((LONG, 0.4, 0), (SMALL, 0.35, 0))
    answer = ask(question(Kind.PRESENCE, "scratch"), things, DOUBTFUL)
    assert answer.answer == UNSURE and answer.confidence is None and not answer.calibrated
    assert [one.score for one in answer.evidence] == [0.4]
    assert answer.likelier == NO
    assert answer.sentence == "Cannot tell, more likely no: scratch 40 x 10 px, upper left (0.40)."
    negated = ask(question(Kind.PRESENCE, "scratch", negated=True), things, DOUBTFUL)
    assert (negated.answer, negated.likelier) == (UNSURE, YES)
    chinese = ask(question(Kind.PRESENCE, "scratch", language="zh"), found((LONG, 0.55, 0)), DOUBTFUL)
    assert chinese.likelier == YES and chinese.sentence.startswith("无法判断, 更可能有: scratch")
    assert not ask(question(Kind.PRESENCE, "scratch"), BOTH).likelier, "it was told"
    for score, word in ((0.6, YES), (0.59, UNSURE), (0.3, UNSURE), (0.29, NO)):
        assert ask(question(Kind.PRESENCE), found((LONG, score, 2)), DOUBTFUL).answer == word


@pytest.mark.parametrize(
    ("label", "negated", "answer", "english", "chinese"),
    [
        (0, False, YES, "Yes: scratch 40 x 10 px", "有: scratch 40 x 10 px"),
        (1, False, NO, "No.", "没有。"),
        (0, True, NO, "No: scratch 40 x 10 px", "有: scratch 40 x 10 px"),
        (1, True, YES, "Yes.", "没有。"),
    ],
)
def test_the_other_way_round(label, negated, answer, english, chinese):
    """Is it free of scratches? In Chinese the sentence says whether there are some."""
    for language, sentence in (("en", english), ("zh", chinese)):
        asked = question(Kind.PRESENCE, "scratch", negated=negated, language=language)
        told = ask(asked, found((LONG, 0.9, label)))
        assert told.answer == answer and told.sentence.startswith(sentence)
        assert len(told.evidence) == (label == 0)


@pytest.mark.parametrize(
    ("sign", "number", "word", "chance"),
    [(">", 1, YES, 0.63), (">=", 3, NO, 1.0), ("=", 2, YES, 0.63), ("<", 2, NO, 0.63), ("<=", 1, NO, 0.63)],
)
def test_so_many(sign, number, word, chance):
    """Two scratches count, of 0.9 and 0.7: both are there in 63 of 100 cases, one at most in the others."""
    asked = question(Kind.PRESENCE, "scratch", amount=Amount(sign, number))
    plain, sure = ask(asked, BOTH), ask(asked, BOTH, known(reading=calibrated()))
    assert plain.answer == sure.answer == word and len(plain.evidence) == 2
    assert sure.calibrated and sure.confidence == pytest.approx(chance) and not plain.calibrated
    assert plain.sentence.startswith(f"{word.capitalize()}: scratch 2; scratch 40 x 10 px, upper left (0.90)")
    negated = question(Kind.PRESENCE, "scratch", amount=Amount(sign, number), negated=True)
    assert ask(negated, BOTH).answer == (NO if word == YES else YES)


@pytest.mark.parametrize(("offset", "word"), [(0.0, NO), (1.0, YES)])
def test_odds_say_which_is_likelier(offset, word):
    """Of a score of 0.4 the odds are 0.4, or e times as much: 0.64."""
    doubtful = replace(DOUBTFUL.reading, classes=(ClassReading(0.3, 0.6, 0.5, Odds(1.0, offset)),) * 3)
    answer = ask(question(Kind.PRESENCE, "scratch"), found((LONG, 0.4, 0)), known(reading=doubtful))
    assert (answer.answer, answer.likelier, answer.confidence) == (UNSURE, word, None)


def test_calibrated_presence():
    """Scores are chances: of 0.9 and 0.5 of two classes, one at least is there in 95 of 100 cases."""
    things = found((LONG, 0.9, 0), (SMALL, 0.5, 1), (SMALL, 0.3, 1))
    reading = replace(calibrated(), some=None)
    answer = ask(question(Kind.PRESENCE, "scratch", "hole"), things, known(reading=reading))
    assert answer.answer == YES and answer.calibrated and answer.confidence == pytest.approx(0.95)
    answer = ask(question(Kind.PRESENCE, "hole"), found((LONG, 0.3, 1)), known(reading=reading))
    assert answer.answer == NO and answer.calibrated and answer.confidence == pytest.approx(0.7)
    halved = replace(reading, classes=(replace(reading.classes[0], odds=Odds(1.0, -2.0)),) * 3)
    odds = 1 / (1 + 9**-1 * 2.718281828459045**2)
    assert ask(question(Kind.PRESENCE, "scratch"), things, known(reading=halved)).confidence == pytest.approx(odds)


@pytest.mark.parametrize(
    "filters",
    [
        {"limits": (Limit(Measure.LENGTH, ">", 30, "px"),)},
        {"places": (CELLS["upper left"],)},
        {"traits": (Trait.ELONGATED,)},
    ],
)
def test_what_was_fitted_on_whole_pictures_says_nothing_of_a_part(filters):
    answer = ask(question(Kind.PRESENCE, "scratch", **filters), BOTH, known(reading=calibrated()))
    assert answer.answer == YES and [one.box for one in answer.evidence] == [(0, 0, 40, 10)]
    assert not answer.calibrated and answer.confidence == pytest.approx(0.9)


def test_filters_that_nothing_passes():
    answer = ask(question(Kind.PRESENCE, "scratch", places=(CELLS["top"],)), BOTH)
    assert answer.answer == NO and answer.evidence == ()


def test_names_with_counts_most_first_then_by_class_number():
    things = found(*((SMALL, 0.9, label) for label in (2, 1, 1, 0, 2)), (LONG, 0.4, 0))
    answer = ask(question(Kind.CLASS), things)
    assert answer.kind == "class" and answer.answer == "hole 2; bubble 2; scratch 1" and len(answer.evidence) == 5
    assert answer.sentence.startswith("Hole 2; bubble 2; scratch 1: ") and answer.sentence.endswith("; and 2 more.")
    assert ask(question(Kind.CLASS, "hole", "scratch"), things).answer == "hole 2; scratch 1"


def test_no_class_at_all():
    for language, sentence in (("en", "None."), ("zh", "无。")):
        answer = ask(question(Kind.CLASS, language=language), found((LONG, 0.4, 0)))
        assert (answer.answer, answer.sentence, answer.evidence) == (NONE, sentence, ())
        assert answer.confidence is None, "nothing says so"


def test_which_defects_in_a_place_is_a_location():
    answer = ask(question(Kind.CLASS, places=(CELLS["lower right"],)), BOTH)
    assert answer.kind == "location" and answer.answer == "scratch 1"
    assert ask(question(Kind.CLASS, places=(CELLS["left"],)), BOTH).answer == NONE


def test_of_a_rank_the_one_name():
    """What is the largest defect? the leftmost, the topmost?"""
    things = found((LONG, 0.9, 0), ([5, 0, 40, 60], 0.8, 1), ([90, 90, 95, 95], 0.7, 2))
    for rank, name in {
        Rank(Measure.AREA): "hole",
        Rank(Measure.AREA, False): "bubble",
        Rank(Measure.LEFT, False): "scratch",
        Rank(Measure.LEFT): "bubble",
        Rank(Measure.TOP): "bubble",
        Rank(Measure.SCORE): "scratch",
        Rank(Measure.HEIGHT): "hole",
        Rank(Measure.WIDTH, False): "bubble",
    }.items():
        answer = ask(question(Kind.CLASS, rank=rank), things)
        assert answer.answer == name and [one.name for one in answer.evidence] == [name], rank
    assert ask(question(Kind.CLASS, rank=Rank(Measure.AREA)), found()).answer == NONE


def test_chance_of_a_set_of_classes():
    """Scratch 0.9 is there, hole 0.2 and bubble 0 are not: 0.9 * 0.8 * 1, or nearly 1."""
    answer = ask(question(Kind.CLASS), found((LONG, 0.9, 0), (SMALL, 0.2, 1)), known(reading=calibrated()))
    assert answer.answer == "scratch 1" and answer.calibrated
    assert answer.confidence == pytest.approx(0.9 * 0.8 * 0.999)
    assert not ask(question(Kind.CLASS, rank=Rank(Measure.AREA)), BOTH, known(reading=calibrated())).calibrated


def test_verdict():
    """The thresholds of the classes decide, whatever is asked of presence."""
    reading = ScoreReading((ClassReading.at(0.3),) * 3, None, (0.5, 0.8, NEVER))
    for rows, word, names in (
        ([(LONG, 0.5, 0)], "NG", ["scratch"]),
        ([(LONG, 0.49, 0), (LONG, 0.79, 1), (LONG, 1.0, 2)], "OK", []),
        ([(LONG, 0.95, 2), (SMALL, 0.8, 1), (LONG, 0.6, 0)], "NG", ["hole", "scratch"]),
        ([], "OK", []),
    ):
        answer = ask(question(Kind.VERDICT), found(*rows), known(reading=reading))
        assert (answer.kind, answer.answer) == ("verdict", word) and [one.name for one in answer.evidence] == names
        assert ask(question(Kind.VERDICT, negated=True), found(*rows), known(reading=reading)).answer == word


def test_how_sure_a_verdict_is():
    good, bad = found((LONG, 0.2, 0)), found((LONG, 0.9, 0))
    assert ask(question(Kind.VERDICT), good).confidence == pytest.approx(0.8)
    assert ask(question(Kind.VERDICT), bad).confidence == pytest.approx(0.9)
    assert not ask(question(Kind.VERDICT), bad).calibrated
    fitted = replace(calibrated(), some=ClassReading(0.5, 0.5, 0.5, Odds(0.0, 2.0)))
    for things, chance in ((bad, 0.8807970), (good, 0.1192029)):
        answer = ask(question(Kind.VERDICT), things, known(reading=fitted))
        assert answer.calibrated and answer.confidence == pytest.approx(chance), "1 / (1 + e^-2)"


def test_the_words_of_a_verdict():
    assert ask(question(Kind.VERDICT), found()).sentence == "OK."
    assert ask(question(Kind.VERDICT, language="zh"), found()).sentence == "合格。"
    assert ask(question(Kind.VERDICT), found((LONG, 0.9, 0))).sentence == "NG: scratch 40 x 10 px, upper left (0.90)."
    chinese = ask(question(Kind.VERDICT, language="zh"), found((LONG, 0.9, 0)))
    assert chinese.sentence == "不合格: scratch 40 x 10 px, 左上 (0.90)。" and chinese.answer == "NG"


def test_a_score_at_its_threshold_counts_in_single_precision_too():
    assert ask(question(Kind.VERDICT), found((LONG, 0.35, 0)), known(0.35)).answer == "NG"
    assert ask(question(Kind.PRESENCE, "scratch"), found((LONG, 0.35, 0)), known(0.35)).answer == YES


def test_what_a_question_names_decides_nothing_about_the_part():
    """A sticker is found for sure, because it was asked about; the part is as good as without it."""
    knows = known(names=(*NAMES, "sticker"), own=3)
    things = found((LONG, 0.95, 3), (SMALL, 0.1, 0), names=(*NAMES, "sticker"))
    answer = ask(question(Kind.VERDICT), things, knows)
    assert answer.answer == "OK" and answer.confidence == pytest.approx(0.9) and answer.evidence == ()
    assert ask(question(Kind.PRESENCE), things, knows).answer == NO
    assert ask(question(Kind.COUNT), things, knows).answer == "0"
    assert ask(question(Kind.CLASS), things, knows).answer == NONE
    assert ask(question(Kind.PRESENCE, "sticker"), things, knows).answer == YES


def test_evidence_has_an_end():
    things = found(*(([k % 90, 0, k % 90 + 5, 5], 0.9, 0) for k in range(150)))
    answer = ask(question(Kind.COUNT), things)
    assert answer.answer == "150" and len(answer.evidence) == 100


def test_odds_of_single_boxes_tell_of_all_that_is_shown():
    things = found((LONG, 0.9, 0), (SMALL, 0.5, 0))
    reading = replace(calibrated(0.5), box=SAME)
    answer = ask(question(Kind.LOCATION, "scratch"), things, known(reading=reading))
    assert answer.calibrated and answer.confidence == pytest.approx(0.45)
