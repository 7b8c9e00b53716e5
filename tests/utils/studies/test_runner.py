"""A study with a stand-in for train.py, and without its tables, see tests/utils/test_study.py."""

import signal

import pytest

from tests.utils.studies.conftest import FAKE_TRAIN, PLAN
from utils.console.signals import Stopped
from utils.files.locks import take
from utils.studies import runner
from utils.studies.finished_run import state_of
from utils.studies.plan import read_plan
from utils.studies.runner import listing, lock_of, run_study
from utils.studies.training import Ended, command_of
from utils.words.errors import ConfigError, DataError

AGAIN = "python -m utils.study plan.yaml"


@pytest.fixture(autouse=True)
def tables(monkeypatch, messages):
    """What the tables were asked to show, each time: the finished runs, and why others failed."""
    shown = []

    def write(plan, finished, failed):
        shown.append(([one.run.label for one in finished], {run.label: why for run, why in failed.items()}))
        return ["a line of the tables"]

    monkeypatch.setattr(runner, "write_tables", write)
    return shown


def study(plan=None):
    return run_study(plan or read_plan("plan.yaml"), FAKE_TRAIN, AGAIN)


def starts(run):
    """The command lines in the log of a run."""
    log = run.folder.with_name(f"{run.folder.name}.log").read_text()
    return [line for line in log.splitlines() if line.startswith("$ python ")]


def test_command_of(here):
    run = read_plan("plan.yaml", "out").runs[0]
    words = "--cfg idfe-net-n.yaml --epochs 1 --workers 0 --data set/data.yaml --img 96 --seed 0"
    place = ["--project", "out/glass/inforced", "--name", "seed0", "--exist-ok"]
    assert command_of(FAKE_TRAIN, run, "new", "") == [str(FAKE_TRAIN), *words.split(), *place]
    with_root = [*words.split(), "--set", "data.root=/my set", *place]
    assert command_of(FAKE_TRAIN, run, "begun", "/my set")[1:] == with_root
    last = "out/glass/inforced/seed0/weights/last.pt"
    assert command_of(FAKE_TRAIN, run, "interrupted", "/my set")[1:] == ["--resume", last]


def test_all_runs_once(here, tables, capsys):
    plan = read_plan("plan.yaml")
    assert study() == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith(
        "Which box loss?: 1 data set x 2 arms x 2 seeds: 0 of 4 runs done, 4 left, in runs/study/pl"
    )
    assert said[1].startswith("[1/4] glass, inforced, seed 0: AP50 0.") and " AP 0." in said[1] and " left" in said[1]
    assert said[4].startswith("[4/4] glass, ciou, seed 1: ") and said[4].endswith("; none left")
    assert said[5] == "a line of the tables"
    labels = [run.label for run in plan.runs]
    assert [one for one, _ in tables] == [labels[:1], labels[:2], labels[:3], labels, labels]
    assert study() == 0  # nothing is left
    assert all(len(starts(run)) == 1 for run in plan.runs) and len(tables) == 6
    assert "training ciou" in plan.runs[1].folder.with_name("seed0.log").read_text()


def test_what_was_broken_off_goes_on(here):
    first, second, *_ = runs = read_plan("plan.yaml").runs
    assert study() == 0
    (first.folder / "report.json").unlink()
    for path in ("report.json", "weights/last.pt"):
        (second.folder / path).unlink()
    assert study() == 0
    assert [len(starts(run)) for run in runs] == [2, 2, 1, 1]
    assert "--resume" in starts(first)[1] and "--resume" not in starts(second)[1]


def test_a_folder_without_a_file_is_no_run(here):
    run = read_plan("plan.yaml").runs[0]
    (run.folder / "weights").mkdir(parents=True)
    assert study() == 0 and state_of(run) == "done"


def test_a_failure_is_named_and_the_others_go_on(here, fake, tables, capsys):
    fake(fail={"ciou": 3})
    assert study() == 3
    why = "ciou: does not work; mend it"
    assert tables[-1] == (
        ["glass, inforced, seed 0", "glass, inforced, seed 1"],
        {"glass, ciou, seed 0": why, "glass, ciou, seed 1": why},
    )
    said = capsys.readouterr().err
    assert f"glass, ciou, seed 1 failed with exit code 3: {why}\n" in said
    assert f"2 runs failed; {AGAIN} tries again\n" in said
    fake()
    assert study() == 0 and tables[-1][1] == {}


@pytest.mark.parametrize("code", [2, 6])
def test_after_a_wrong_configuration_and_without_memory_the_other_seeds_are_not_tried(here, fake, tables, capsys, code):
    fake(fail={"inforced": code})
    assert study() == code
    assert list(tables[-1][1]) == ["glass, inforced, seed 0"] and len(tables[-1][0]) == 2
    assert "mend it; inforced is not tried again on glass\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("code", "how"), [(-15, "is saved"), (143, "is saved"), (6, "failed"), (1, "failed"), (-11, "failed")]
)
def test_a_training_that_fails_while_it_is_told_to_stop(here, tables, code, how):
    plan = read_plan("plan.yaml")
    work = runner._Study(plan, FAKE_TRAIN, AGAIN)
    with pytest.raises(Stopped) as stopped:
        work._book(plan.runs[0], Ended(code, "the disk is full", signal.SIGTERM), "interrupted")
    assert stopped.value.words == f"glass, inforced, seed 0 {how}" and stopped.value.exit_code == 143
    assert list(tables[-1][1]) == (["glass, inforced, seed 0"] if how == "failed" else [])


def test_a_training_that_leaves_no_results(here, results, tables):
    for name in ("0", "1", "2", "3"):
        (results / name / "truth.json").rename(results / name / "truth")
    try:
        assert study() == DataError.exit_code
    finally:
        for name in ("0", "1", "2", "3"):
            (results / name / "truth").rename(results / name / "truth.json")
    assert "not all results are in runs/study/plan/glass/inforced/seed0" in tables[-1][1]["glass, inforced, seed 0"]


def test_another_run_in_its_place_is_found_before_anything_begins(here):
    assert study() == 0
    (here / "plan.yaml").write_text(PLAN.replace("--epochs 1", "--epochs 3").replace("[0, 1]", "[2, 1]"))
    with pytest.raises(ConfigError, match="seed1: holds another run: its schedule.epochs is 1, of the plan 3"):
        study()
    assert not (here / "runs/study/plan/glass/ciou/seed2").exists()


def test_what_is_wrong_with_the_tables_ends_the_study_after_its_trainings(here, monkeypatch, capsys):
    def write(plan, finished, failed):
        raise DataError("other pictures; mend it")

    monkeypatch.setattr(runner, "write_tables", write)
    with pytest.raises(DataError, match="other pictures"):
        study()
    assert all(state_of(run) == "done" for run in read_plan("plan.yaml").runs)
    assert capsys.readouterr().err.count("no tables yet: other pictures; mend it") == 4


def test_a_listing_writes_nothing(here):
    plan = read_plan("plan.yaml")
    assert [line.split()[0] for line in listing(plan)[:4]] == ["new"] * 4 and not (here / "runs").exists()
    assert study() == 0
    (plan.runs[1].folder / "report.json").unlink()
    (plan.runs[2].folder / "report.json").unlink()
    with take(lock_of(plan.runs[2])):
        lines = listing(plan)
    assert [line.split()[0] for line in lines[:4]] == ["done", "interrupted", "running", "done"]
    assert lines[1].endswith(f"glass, ciou, seed 0: {plan.runs[1].command}")
    assert "2 of 4 runs done, about " in lines[4]
