import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.utils.glass_cases import Case, cases, detections, record
from tests.utils.inspection.drawn_results import draw
from utils.answers.reading_choice import (
    OTHERS,
    ClassScores,
    CountCurve,
    best_count_threshold,
    choose_reading,
    class_scores,
    presence_limits,
)
from utils.answers.score_reading import ClassReading
from utils.deciding.thresholds import LOWEST, NEVER
from utils.inspection.inspection_config import InspectionConfig
from utils.scoring.box_pairs import pair_up
from utils.scoring.matching import MatchRule, match
from utils.values.record import EVERY_CLASS

few = st.sampled_from([0.0, 0.001, 0.2, 0.35, 0.5, 0.500001, 0.9, 1.0])
bests = st.lists(few, min_size=1, max_size=12).map(np.array)
rates = st.sampled_from([0.0, 0.05, 0.1, 0.25, 0.5, 1.0])
PLAIN = InspectionConfig()


def matched(case):
    return match(pair_up(case.records, case.found, case.classes), MatchRule())


def allowed(count, number, rate):
    """Not all of them may be wrong, whatever the rate."""
    return count <= min(int(rate * number), number - 1)


def partings(every):
    """Every threshold that makes a difference: all count, ..., none counts."""
    return [*np.unique(every), NEVER]


@given(bests, bests, rates, rates)
def test_wanted_rates_are_kept_by_the_least_undecided_limits(yes, no, false_yes, false_no):
    """Brute force: yes from the lowest threshold that keeps the rate of false yes on, no below the highest that keeps
    the rate of false no; if one threshold keeps both, the one of them that errs least.
    """
    no_below, yes_from = presence_limits(yes, no, (false_yes, false_no))
    assert 0 <= no_below <= yes_from and yes_from > 0
    assert allowed((no >= yes_from).sum(), len(no), false_yes) and allowed((yes < no_below).sum(), len(yes), false_no)
    every = np.concatenate((yes, no))
    safe = [t for t in partings(every) if allowed((no >= t).sum(), len(no), false_yes)]
    sure = [t for t in partings(every) if allowed((yes < t).sum(), len(yes), false_no)]
    both = sorted(set(safe) & set(sure))
    if both:
        errors = [(no >= t).mean() + (yes < t).mean() for t in both]
        assert no_below == yes_from
        assert (no >= yes_from).mean() + (yes < yes_from).mean() == pytest.approx(min(errors))
    else:
        assert np.array_equal(every >= yes_from, every >= min(safe))
        assert np.array_equal(every >= no_below, every >= max(sure))


def test_two_limits_by_hand():
    """Scores overlap: 1 of 4 that show nothing has 0.7, 1 of 4 that show one 0.3. None may be wrong: yes from halfway
    between 0.7 and 0.8 on, no below halfway between 0.2 and 0.3.
    """
    yes, no = np.array([0.3, 0.8, 0.9, 0.95]), np.array([0.1, 0.1, 0.2, 0.7])
    assert presence_limits(yes, no, (0, 0)) == (0.25, 0.75)
    assert presence_limits(yes, no, (0.25, 0)) == (0.25, 0.25), "one false yes allowed: one limit will do"
    assert presence_limits(yes, no, (0, 0.25)) == (0.75, 0.75), "one false no allowed"


def test_one_limit_that_would_do_lies_where_nothing_is_wrong():
    """20 that show nothing have 0.1 and one has 0.5, which the rate would let pass; all that show one have 0.9. Between
    0.5 and 0.9 there is no error at all.
    """
    no_below, yes_from = presence_limits(np.full(20, 0.9), np.array([0.1] * 20 + [0.5]), (0.05, 0.05))
    assert 0.5 < no_below == yes_from < 0.9
    no_below, yes_from = presence_limits(np.array([0.3, 0.9, 0.9, 0.9]), np.full(4, 0.1), (0.25, 0.25))
    assert 0.1 < no_below == yes_from < 0.3, "nor where one is missed that need not be"


def test_no_yes_at_all_where_the_highest_score_is_a_false_one():
    no_below, yes_from = presence_limits(np.array([0.9, 1.0]), np.array([0.1, 1.0]), (0, 0))
    assert yes_from == NEVER and 0.1 < no_below <= 0.9
    assert ClassReading(no_below, yes_from, 0.5).shows(1.0) is None


def test_nothing_is_surely_absent_where_it_is_missed_too_often():
    """Half of the pictures that show one have nothing found: no score is low enough for a no."""
    no_below, yes_from = presence_limits(np.array([0.0, 0.9]), np.array([0.0, 0.2]), (0, 0))
    assert no_below == 0 and 0.2 < yes_from <= 0.9


pictures = st.lists(st.tuples(st.integers(0, 3), st.lists(few.filter(bool), max_size=4)), min_size=1, max_size=8)


def of_pictures(rows):
    """Of each picture how many there are, and the scores of what was found."""
    scores = [sorted(found, reverse=True) for _, found in rows]
    return ClassScores(
        np.array([max(found, default=0.0) for found in scores]),
        np.array([there for there, _ in rows]),
        np.array([score for found in scores for score in found], float),
        np.array([k for k, found in enumerate(scores) for _ in found], int),
    )


def counted_rightly(rows, threshold):
    """The number of right counts."""
    return sum(sum(score >= threshold for score in found) == there for there, found in rows)


@given(pictures)
def test_no_threshold_counts_more_pictures_rightly(rows):
    threshold = best_count_threshold(of_pictures(rows))
    ends = np.unique([0.0, 1.0, *(score for _, found in rows for score in found)])
    every = [*ends[1:], *((ends[1:] + ends[:-1]) / 2)]
    assert 0 < threshold <= 1
    assert counted_rightly(rows, threshold) == max(counted_rightly(rows, t) for t in every)


@given(pictures, st.lists(few, min_size=1, max_size=5))
def test_a_curve_is_the_count_at_each_threshold(rows, thresholds):
    """That of two together is their sum, scaled. At 0 everything counts, even what was not found."""
    above = np.array([t for t in thresholds if t > 0])
    curve = CountCurve.of(of_pictures(rows))
    shown = max(sum(there > 0 for there, _ in rows), 1)
    right = [shown * counted_rightly(rows, t) / len(rows) for t in above]
    assert curve(above) == pytest.approx(right)
    both = CountCurve.pooled([curve, curve], 2 * curve.weight.sum())
    assert both(above) == pytest.approx(2 * curve(above))


def test_count_threshold_by_hand():
    """Two in the first picture, 0.8 and 0.4, with a false 0.2; none in the second, with a false 0.3: right in both
    between 0.3 and 0.4.
    """
    rows = [(2, [0.8, 0.4, 0.2]), (0, [0.3])]
    assert 0.3 < best_count_threshold(of_pictures(rows)) < 0.4
    assert best_count_threshold(of_pictures([(2, [0.5])])) == 0.5, "never right: nothing to choose by"


def test_a_rare_class_does_not_choose_by_itself():
    """One picture has one of 0.1, three have a false 0.05: by themselves they would count from there on. Those of all
    classes are right from 0.4 to 0.6. A class with many pictures of its own keeps to them.
    """
    rare, usual = [(1, [0.1]), *[(0, [0.05])] * 3], [(1, [0.6]), (0, [0.4])]
    others = CountCurve.pooled([CountCurve.of(of_pictures(usual * 50))], OTHERS)
    assert 0.05 < best_count_threshold(of_pictures(rare)) < 0.1
    assert 0.4 < best_count_threshold(of_pictures(rare), others=others) < 0.6
    assert 0.05 < best_count_threshold(of_pictures(rare * 200), others=others) < 0.1


@given(cases)
def test_class_scores_are_those_of_the_pictures_without_regions_to_ignore(case):
    for label in (None, *range(case.classes)):
        rows = []
        for k, one in enumerate(case.records):
            regions = one.labels[one.crowd]
            if len(regions) and (label is None or np.isin(regions, (label, EVERY_CLASS)).any()):
                continue
            found = case.found[k]
            mine = [s for s, c in zip(found.scores.tolist(), found.labels.tolist(), strict=True) if label in (None, c)]
            there = one.labels[~one.crowd]
            rows.append((len(there) if label is None else int((there == label).sum()), mine))
        of, expected = class_scores(matched(case), label), of_pictures(rows)
        assert of.count.tolist() == expected.count.tolist() and of.best.tolist() == expected.best.tolist()
        assert of.scores.tolist() == expected.scores.tolist() and of.picture.tolist() == expected.picture.tolist()
        assert of.there.tolist() == [there > 0 for there, _ in rows]


def test_a_class_in_no_picture_or_in_every_one_is_read_by_its_threshold():
    """Bubble is in both pictures, oil in none, dust in one; nobody could say of bubble what a no looks like."""
    box = [0, 0, 20, 20]
    records = [record([box], [0]), record([box, box], [0, 2])]
    scored = {0: detections((box, 0.9, 0)), 1: detections((box, 0.8, 0), (box, 0.7, 2))}
    reading = choose_reading(matched(Case(records, scored, 3)), (0.4, NEVER, 0.6), PLAIN)
    assert reading.classes[0] == ClassReading(0.4, 0.4, 0.4)
    assert reading.classes[1] == ClassReading(1.0, 1.0, 1.0)
    assert 0 < reading.classes[2].no_below == reading.classes[2].yes_from < 0.7
    assert reading.some is None, "there is no good picture"
    assert reading.thresholds == (0.4, NEVER, 0.6) and reading.box is None


@pytest.mark.parametrize("wanted", [(0.05, 0.05), (0.2, 0.01)])
def test_the_pictures_that_choose_keep_the_rates(wanted):
    matching = draw(600, 4, np.random.default_rng(5))
    reading = choose_reading(matching, (0.5,) * 4, InspectionConfig(false_answers=wanted))
    for label, one in ((None, reading.some), *enumerate(reading.classes)):
        of = class_scores(matching, label)
        assert (of.best[~of.there] >= one.yes_from).mean() <= wanted[0]
        assert (of.best[of.there] < one.no_below).mean() <= wanted[1]
        assert LOWEST < one.counts_from < 1


def test_chances_come_true_on_pictures_to_come():
    """20,000 pictures of the same kind: what is said to be 20 to 40 % likely comes in about as many cases, and so on.
    The best of several scores follows no sigmoid, so that it is about.
    """
    reading = choose_reading(draw(3000, 3, np.random.default_rng(1)), (0.5,) * 3, PLAIN)
    to_come = draw(20_000, 3, np.random.default_rng(2))
    for label, odds in ((None, reading.some.odds), *((k, one.odds) for k, one in enumerate(reading.classes))):
        of = class_scores(to_come, label)
        chances = odds(of.best)
        assert chances.mean() == pytest.approx(of.there.mean(), abs=0.02)
        assert chances[chances < 0.2].mean() == pytest.approx(of.there[chances < 0.2].mean(), abs=0.02)
        for low in (0.2, 0.4, 0.6, 0.8):
            its = (chances >= low) & (chances < low + 0.2)
            assert chances[its].mean() == pytest.approx(of.there[its].mean(), abs=0.12)
    assert reading.box(to_come.pairs.scores).mean() == pytest.approx(to_come.hit.mean(), abs=0.02)


def test_what_lies_in_a_region_to_ignore_is_neither_right_nor_wrong():
    """As many false ones as it takes, all of them in regions: nothing is left to fit by."""
    region = record([[0, 0, 50, 50]], [EVERY_CLASS], [True])
    hits = [record([[60, 60, 80, 80]], [0]) for _ in range(12)]
    scored = {k: detections(([10, 10, 20, 20], 0.5, 0)) for k in range(12)}
    scored |= {12 + k: detections(([60, 60, 80, 80], 0.9, 0)) for k in range(12)}
    reading = choose_reading(matched(Case([region] * 12 + hits, scored, 1)), (0.5,), PLAIN)
    assert reading.box is None
    good = [record([], [])] * 12
    reading = choose_reading(matched(Case(good + hits, scored, 1)), (0.5,), PLAIN)
    assert reading.box(0.9) > 0.8 and reading.box(0.5) < 0.2


def test_rare_classes_take_the_odds_of_all():
    matching = draw(60, 12, np.random.default_rng(3))
    reading = choose_reading(matching, (0.5,) * 12, PLAIN)
    rare = [k for k in range(12) if 0 < class_scores(matching, k).there.sum() < 10]
    assert len(rare) > 1 and len({reading.classes[k].odds for k in rare}) == 1
    pooled = reading.classes[rare[0]].odds
    assert pooled is not None and pooled(0.9) > pooled(0.1)
