import csv
import json
from dataclasses import replace

import pytest
from PIL import Image

from tests.utils.studies.study_cases import finish, glass, plan_of, write_run
from utils.studies import answers as answers_module
from utils.studies.drawn_scores import drawn_scores
from utils.studies.finished_run import FinishedRun
from utils.studies.forest_plot import plot_answers
from utils.studies.summary import shared_words
from utils.studies.tables import write_tables
from utils.words.errors import DataError

FILES = ("study.md", "study.csv", "study.json", "study.png")
SKILLS = {"a": 0.3, "b": 0.95}


@pytest.fixture(autouse=True)
def few_draws(monkeypatch):
    monkeypatch.setattr(answers_module, "drawn_scores", lambda folder, kept: drawn_scores(folder, kept, draws=60))


def rows_of(plan):
    return list(csv.DictReader((plan.out / "study.csv").open(encoding="utf-8", newline="")))


def cells(plan, head):
    """The rows of the Markdown table with this first column."""
    lines = (plan.out / "study.md").read_text(encoding="utf-8").splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(f"| {head} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def test_a_study_that_is_done(tmp_path):
    plan = plan_of(tmp_path)
    finished = finish(plan, SKILLS)
    lines = write_tables(plan, finished, {})
    assert len(lines) == 1 and lines[0].startswith("Does it help? a -> b, neu, 3 pairs: AP +0.")
    assert ": better (p " in lines[0]
    rows = rows_of(plan)
    assert [row["seed"] for row in rows] == ["0", "0", "1", "1", "2", "2"] and {row["state"] for row in rows} == {
        "done"
    }
    assert rows[1]["AP50"] == f"{finished[1].results['coco']['AP50']:.6g}" and rows[1]["escape"] == "0.25"
    assert rows[1]["command"] == "python train.py --epochs 15 --noval --data neu.yaml --cfg b-n.yaml --seed 0"
    (data, arm, flags, done, ap50, *_), second = cells(plan, "data")
    values = [float(row["AP50"]) for row in rows[::2]]
    assert (data, arm, flags, done) == ("neu", "a", "`--cfg a-n.yaml`", "3 of 3") and second[1] == "b"
    sd = (sum((v - sum(values) / 3) ** 2 for v in values) / 2) ** 0.5
    assert ap50 == f"{sum(values) / 3:.3f} ± {sd:.3f}"
    ((question, arms, data, pairs, ap, _, verdict),) = cells(plan, "question")
    assert (question, arms, data, pairs) == ("Does it help?", "a, b", "neu", "3") and verdict.startswith("**better (p ")
    answer = json.loads((plan.out / "study.json").read_text(encoding="utf-8"))["answers"][0]
    assert ap == f"{answer['AP']['difference']:+.3f} ({answer['AP']['low']:+.3f} to {answer['AP']['high']:+.3f})"
    text = (plan.out / "study.md").read_text(encoding="utf-8")
    assert "python train.py --epochs 15 --noval --data neu.yaml\n```" in text
    assert "Missing" not in text and "Failed" not in text and "within pairs" not in text
    assert Image.open(plan.out / "study.png").size[0] == 950


def test_the_same_runs_give_the_same_files(tmp_path):
    files = []
    for place in ("one", "other/place"):
        plan = plan_of(tmp_path / place)
        finished = finish(plan, SKILLS)
        write_tables(plan, finished, {})
        first = [(plan.out / name).read_bytes() for name in FILES]
        write_tables(plan, finished[::-1], {})  # with what is kept, and in another order
        assert [(plan.out / name).read_bytes() for name in FILES] == first
        files.append(first)
    assert files[0] == files[1]


def test_what_is_missing_and_what_failed(tmp_path):
    plan = plan_of(tmp_path)
    finished = finish(plan, SKILLS, left_out={("neu", "b", 1), ("neu", "a", 2), ("neu", "b", 2)})
    lines = write_tables(plan, finished, {plan.runs[3]: "[DATA] =no labels in /home/me/pictures"})
    assert [row["state"] for row in rows_of(plan)] == [
        *("done", "done", "done", "failed: [DATA] =no labels in .../pictures", "missing", "missing")
    ]
    text = (plan.out / "study.md").read_text(encoding="utf-8")
    assert "* Missing: neu, a: seed 2; neu, b: seed 2." in text
    assert "* Failed: neu, b, seed 1: \\[DATA] =no labels in .../pictures" in text
    assert cells(plan, "question")[0][3] == "1" and "One seed, on one of the data sets at least" in text
    assert ")\\*" in cells(plan, "question")[0][4] and "**" not in cells(plan, "question")[0][6]
    assert " with this seed (p " in lines[0] or "not distinguishable" in lines[0]


def test_of_nothing_there_are_tables_too(tmp_path):
    plan = plan_of(tmp_path, data=("neu", "wood"))
    lines = write_tables(plan, [], {})
    assert lines == ["no pair of runs yet: 2 of 2 answers"]
    assert "* Missing: neu, a: seeds 0 to 2; neu, b: seeds 0 to 2; wood, a" in (tmp_path / "study.md").read_text(
        "utf-8"
    )
    assert [row[3] for row in cells(plan, "data")] == ["0 of 3"] * 4 and all(
        (tmp_path / name).is_file() for name in FILES
    )


def test_a_plan_that_asks_nothing(tmp_path):
    plan = plan_of(tmp_path, seeds=(0,), questions={})
    lines = write_tables(plan, finish(plan, SKILLS, left_out={("neu", "b", 0)}), {})
    assert lines[0].startswith("neu, a: 1 of 1 run, AP50 0.") and lines[1] == "neu, b: 0 of 1 run"
    assert "question" not in (plan.out / "study.md").read_text(encoding="utf-8")
    assert not (tmp_path / ".draws").exists(), "nothing is drawn that nobody asks for"


def test_several_data_sets_have_a_mean(tmp_path):
    plan = plan_of(tmp_path, data=("neu", "wood"), seeds=(0, 1))
    write_tables(plan, finish(plan, SKILLS), {})
    rows = cells(plan, "question")
    assert [(row[2], row[3]) for row in rows] == [("neu", "2"), ("wood", "2"), ("mean of 2", "4")]
    content = json.loads((plan.out / "study.json").read_text(encoding="utf-8"))
    one, other, mean = (answer["AP"]["difference"] for answer in content["answers"])
    assert mean == pytest.approx((one + other) / 2) and content["answers"][2]["data_sets"] == 2
    assert "for the 3 comparisons of this table" in (plan.out / "study.md").read_text(encoding="utf-8")
    assert [answer["p_holm"] >= answer["AP"]["p"] for answer in content["answers"]] == [True] * 3


def test_what_differs_within_a_pair_is_named(tmp_path):
    plan = plan_of(tmp_path, seeds=(0, 1))
    finished = finish(plan, SKILLS)
    finished[1] = replace(finished[1], revision="fff", threads=4)
    finished[2] = replace(finished[2], revision="", threads=None)
    write_tables(plan, finished, {})
    text = (plan.out / "study.md").read_text(encoding="utf-8")
    assert "* Other revisions within pairs: neu, a and b, seed 0 (abc, fff)." in text
    assert "* Other numbers of threads within pairs: neu, a and b, seed 0 (1, 4)." in text


@pytest.mark.parametrize("questions", [None, {}])
def test_runs_on_other_pictures_are_refused(tmp_path, questions):
    plan = plan_of(tmp_path, seeds=(0,), questions=questions)
    for run, truth in zip(plan.runs, (0, 1), strict=True):
        write_run(run.folder, glass(truth_seed=truth))
    finished = [FinishedRun(run, {"coco": {"AP": 0.1, "AP50": 0.2}}, "", None, None) for run in plan.runs]
    with pytest.raises(DataError) as error:
        write_tables(plan, finished, {})
    assert str(error.value).startswith(f"{plan.runs[1].folder}: not judged on the same pictures, labels and zones as ")
    assert "\n" not in str(error.value) and not (tmp_path / "study.md").exists()


def test_results_that_lack_a_figure_leave_it_blank(tmp_path):
    plan = plan_of(tmp_path, seeds=(0,))
    finished = finish(plan, SKILLS, minutes=None, revision="", threads=None)
    for one in finished:
        one.results["inspection"] = {"operating_point": None, "expected": None}
        one.results["coco"].pop("APs")
    write_tables(plan, finished, {})
    row = rows_of(plan)[0]
    assert all(row[name] == "" for name in ("APs", "escape", "minutes", "threads", "revision"))
    assert "Escape" not in (plan.out / "study.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "shared"),
    [
        ((["--a", "1"], ["--a", "2"]), []),
        ((["--n", "--a", "1"], ["--n", "--a", "2"]), ["--n"]),
        ((["--n", "--a", "1"], ["--n", "--b", "1"]), ["--n"]),
        ((["--n", "--a"], ["--n", "--a", "--b"]), ["--n", "--a"]),
        ((["--s", "x=1", "y=1"], ["--s", "x=1", "y=2"]), []),
        ((["--n", "1"], ["--n", "1"]), ["--n", "1"]),
    ],
)
def test_shared_flags_keep_their_values(tmp_path, words, shared):
    plan = plan_of(tmp_path, seeds=(0,))
    runs = tuple(replace(run, words=(*own, "--seed", "0")) for run, own in zip(plan.runs, words, strict=True))
    assert shared_words(replace(plan, runs=runs)) == tuple(shared)


def test_words_of_the_user_are_no_markup(tmp_path):
    plan = plan_of(tmp_path, seeds=(0,), questions={"a | b, <i> or *x*? " + "word " * 30: ("a", "b")})
    plan = replace(plan, title="$x$ <b>" + " long" * 30)
    write_tables(plan, finish(plan, SKILLS), {})
    text = (plan.out / "study.md").read_text(encoding="utf-8")
    assert text.startswith("## $x$ \\<b>") and "| a \\| b, \\<i> or \\*x\\*? word" in text


def test_a_wide_interval_does_not_press_the_others_together(tmp_path):
    """Not more than three times the middle one is shown; what is cut off is in the figures beside it."""
    from utils.studies.answers import Answer
    from utils.studies.estimate import Estimate, Part, interval
    from utils.studies.forest_plot import _edge
    from utils.studies.plan import Comparison

    def answer(reach):
        parts = [Part(reach**2 / 4, 59)]
        one = Estimate("AP", 3, 0.3, 0.31, 0.01, *interval(0.01, parts), 0.1, 0.1, parts[0], parts[0])
        return Answer(Comparison("q", "a", "b"), "neu", (), one, one, 0.2)

    some = [answer(0.01), answer(0.01), answer(5)]
    assert _edge(some) == pytest.approx(1.08 * (0.01 + 3 * 0.01), rel=0.05)
    assert plot_answers("title", some, tmp_path / "x.png").is_file()
