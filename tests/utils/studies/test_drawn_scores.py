import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.utils.glass_cases import random_case
from tests.utils.studies.study_cases import glass, write_run
from utils.inspection.bootstrap import compare, picture_weights
from utils.inspection.comparison import pairs_of, read_run, records_of
from utils.studies import drawn_scores as module
from utils.studies.drawn_scores import FIGURES, drawn_scores, scores_of
from utils.words.errors import DataError


def read(folder):
    return read_run(str(folder), flag="")


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.booleans())
def test_on_all_pictures_they_are_what_coco_says(tmp_path_factory, seed, ties):
    folder = tmp_path_factory.mktemp("run") / "one"
    coco = write_run(folder, random_case(seed, ties))["coco"]
    whole = scores_of(read(folder), draws=2).whole
    for name in FIGURES:
        expected = None if np.isnan(whole[name]) else pytest.approx(whole[name], abs=1e-6)
        assert coco[name] == expected


@settings(max_examples=10)
@given(st.integers(0, 10**6))
def test_equal_scores_stand_by_ids_wherever_a_picture_is_in_the_file(tmp_path_factory, seed):
    """As COCO has them: a json of the user's may list its pictures in any order."""
    folder = tmp_path_factory.mktemp("run") / "one"
    write_run(folder, random_case(seed, True))
    run = read(folder)
    other = replace(run, truth={**run.truth, "images": run.truth["images"][::-1]})
    one, two = (scores_of(each, draws=20) for each in (run, other))
    for name in FIGURES:
        assert one.whole[name] == pytest.approx(two.whole[name], abs=1e-9, nan_ok=True)
        assert np.allclose(one.drawn[name], two.drawn[name], equal_nan=True)


def test_a_draw_is_coco_on_the_pictures_that_are_drawn(tmp_path):
    """Picture i is there as often as it is drawn; draw 3 as an example."""
    case = glass(pictures=7)
    write_run(tmp_path / "all", case)
    drawn = scores_of(read(tmp_path / "all"), draws=4).drawn
    times = picture_weights(7, [3], 0)[:, 0].astype(int)
    order = np.repeat(np.arange(7), times).tolist()  # p1.png to p7.png: their names stand in the order of the pictures
    records, found = [case.records[i] for i in order], {new: case.found[i] for new, i in enumerate(order)}
    coco = write_run(tmp_path / "drawn", type(case)(records, found, 2))["coco"]
    assert [drawn[name][3] for name in FIGURES] == pytest.approx([coco[name] for name in FIGURES], abs=1e-6)


def test_who_is_drawn_goes_by_the_files_not_by_their_numbers(tmp_path):
    case = glass(pictures=12)  # p10.png comes before p2.png
    write_run(tmp_path / "one", case)
    write_run(tmp_path / "other", case, order=np.random.default_rng(0).permutation(12))
    one, other = (scores_of(read(tmp_path / name), draws=20) for name in ("one", "other"))
    assert one.truth == other.truth and one.pictures == other.pictures == 12
    for name in FIGURES:
        assert one.whole[name] == pytest.approx(other.whole[name], abs=1e-12)
        assert np.allclose(one.drawn[name], other.drawn[name], atol=1e-12, equal_nan=True)


def test_the_spread_is_that_of_a_comparison_of_two_runs(tmp_path):
    """p1.png to p9.png stand in one order by number and by name, so both draw the same pictures."""
    cases = [glass(pictures=9, skill=skill, seed=seed) for skill, seed in ((0.5, 1), (0.9, 2))]
    for place, case in enumerate(cases):
        write_run(tmp_path / str(place), case)
    runs = [read(tmp_path / str(place)) for place in (0, 1)]
    first, second = (scores_of(run, draws=200) for run in runs)
    records, names = records_of(runs[0].truth)
    pairs = [pairs_of(run, runs[0].truth, records, len(names)) for run in runs]
    row = compare(*pairs, (0.5, 0.5), draws=200)[0]
    differences = second.drawn["AP50"] - first.drawn["AP50"]
    assert row.name == "AP50" and row.difference == pytest.approx(second.whole["AP50"] - first.whole["AP50"])
    assert (row.low, row.high) == pytest.approx(tuple(np.quantile(differences, (0.025, 0.975))))


def test_they_are_worked_out_once_for_what_the_files_hold(tmp_path, monkeypatch):
    kept, calls = tmp_path / ".draws", []
    monkeypatch.setattr(module, "scores_of", lambda run, draws: calls.append(run.folder) or scores_of(run, draws))
    write_run(tmp_path / "a", glass())
    first = drawn_scores(tmp_path / "a", kept, draws=30)
    again = drawn_scores(tmp_path / "a", kept, draws=30)
    assert len(calls) == 1 and again.whole == first.whole and again.truth == first.truth and again.pictures == 12
    assert all(np.array_equal(first.drawn[name], again.drawn[name]) for name in FIGURES)
    assert len(drawn_scores(tmp_path / "a", kept, draws=31).drawn["AP"]) == 31 and len(calls) == 2
    predictions = json.loads((tmp_path / "a" / "predictions.json").read_text())
    (tmp_path / "a" / "predictions.json").write_text(json.dumps(predictions[1:]))
    drawn_scores(tmp_path / "a", kept, draws=30)
    assert len(calls) == 3


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"\x93NUMPY\x01\x00", b"\x80\x04N.", None])
def test_what_was_kept_and_is_broken_is_made_anew(tmp_path, content):
    write_run(tmp_path / "a", glass())
    first = drawn_scores(tmp_path / "a", tmp_path / "kept", draws=5)
    place = next((tmp_path / "kept").iterdir())
    if content is None:
        np.savez(place, whole=np.zeros(2), drawn=np.zeros((2, 4)), pictures=3, truth="x")
    else:
        place.write_bytes(content)
    assert drawn_scores(tmp_path / "a", tmp_path / "kept", draws=5).whole == first.whole
    assert drawn_scores(tmp_path / "a", tmp_path / "kept", draws=5).pictures == 12


def test_a_run_without_its_files_is_said(tmp_path):
    write_run(tmp_path / "a", glass())
    (tmp_path / "a" / "truth.json").unlink()
    with pytest.raises(DataError, match=r"a/truth.json: cannot be read: .*; remove the folder, and run it again$"):
        drawn_scores(tmp_path / "a", tmp_path / "kept")


def test_without_anything_to_find_there_is_no_score(tmp_path):
    case = glass(pictures=2)
    empty = type(case)(
        [type(one)(one.path, 1, one.size, one.boxes[:0], one.labels[:0], one.crowd[:0]) for one in case.records],
        case.found,
        2,
    )
    write_run(tmp_path / "a", empty)
    scores = drawn_scores(tmp_path / "a", tmp_path / "kept", draws=5)
    assert np.isnan(scores.whole["AP"]) and np.isnan(scores.drawn["AP50"]).all()
