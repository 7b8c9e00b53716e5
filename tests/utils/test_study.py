"""`python -m utils.study`: with a stand-in for train.py but for the last test, and with its real tables."""

import csv
import multiprocessing
import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import QUICK
from tests.utils.studies.conftest import FAKE_TRAIN, PLAN, fake, here, results  # noqa: F401  fixtures
from utils import study
from utils.config.paths import CFG
from utils.studies import tables
from utils.studies.plan import read_plan


@pytest.fixture
def faked(here, monkeypatch):  # noqa: F811
    """Studies train with the stand-in, and draw no figure each time, which takes longer."""
    monkeypatch.setattr(study, "TRAIN", FAKE_TRAIN)
    monkeypatch.setattr(tables, "plot_answers", lambda title, answers, path: path.write_bytes(b""))
    return here


def start(*words):
    """A study in a process of its own, which imports nothing anew."""
    process = multiprocessing.get_context("fork").Process(target=lambda: os._exit(study.main(["plan.yaml", *words])))
    process.start()
    return process


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


def table(out):
    """study.csv without the minutes."""
    with open(Path(out) / "study.csv", newline="", encoding="utf-8") as file:
        return [{**row, "minutes": ""} for row in csv.DictReader(file)]


def test_dry_run_and_table(here, capsys):  # noqa: F811
    assert study.main(["plan.yaml", "--dry-run"]) == 0
    assert capsys.readouterr().out.count("\nnew  ") == 3 and not (here / "runs").exists()
    assert study.main(["plan.yaml", "--table", "--out", "elsewhere"]) == 0
    assert [row["state"] for row in table("elsewhere")] == ["missing"] * 4
    assert sorted(path.name for path in (here / "elsewhere").iterdir() if path.name.startswith("study.")) == [
        "study.csv",
        "study.json",
        "study.lock",
        "study.md",
        "study.png",
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "the following arguments are required: PLAN"),
        (["plan.yaml", "--tabel"], "did you mean --table?"),
        (["plan.yaml", "--table", "--dry-run"], "not allowed with argument"),
        (["nothing.yaml"], "plan nothing.yaml: no such file"),
        (["plan.yaml", "--root", "a=b", "--root", "a=c"], "--root a=c: is given twice"),
        (["plan.yaml", "--root", "glass="], "--root glass=: names no folder"),
    ],
)
def test_mistakes(faked, capsys, words, said):
    assert study.main(words) == 2
    error = capsys.readouterr().err
    assert error.startswith("error[CONFIG]: ") and said in error and error.count("\n") == 1


def test_a_failing_arm(faked, fake, capsys):  # noqa: F811
    fake(fail={"ciou": 3})
    assert study.main(["plan.yaml"]) == 3
    why = "failed: ciou: does not work; mend it"
    assert [row["state"] for row in table("runs/study/plan")] == ["done", why, "done", why]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stopped_by_a_signal(faked, fake, capsys, number):  # noqa: F811
    """It reaches the training, which saves; the study ends, with a table; started again, it goes on."""
    fake(sleep=60)
    run = read_plan("plan.yaml").runs[0].folder
    before = signal.getsignal(number)

    def strike():
        wait_for((run / "weights" / "last.pt").exists)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=strike)
    thread.start()
    code = study.main(["plan.yaml"])
    thread.join()
    said = capsys.readouterr().err
    assert code == 128 + number and signal.getsignal(number) == before
    assert said == (
        f"stopped by {signal.Signals(number).name}; glass, inforced, seed 0 is saved; "
        "python -m utils.study plan.yaml continues\n"
    )
    log = run.with_name("seed0.log").read_text()
    assert f"stopped by {signal.Signals(number).name}; saved" in log
    assert [row["state"] for row in table("runs/study/plan")] == ["missing"] * 4
    if number == signal.SIGTERM:
        fake()
        assert study.main(["plan.yaml"]) == 0
        assert "--resume" in run.with_name("seed0.log").read_text()
        assert [row["state"] for row in table("runs/study/plan")] == ["done"] * 4


def test_two_share_the_work_and_one_is_killed(faked, fake):  # noqa: F811
    """The killed one's training goes on alone, the other one waits for it: no run is made twice, and the tables are
    those of an unbroken study.
    """
    assert study.main(["plan.yaml", "--out", "unbroken"]) == 0
    fake(sleep=0.7)
    runs = read_plan("plan.yaml", "broken").runs
    first = start("--out", "broken")
    wait_for((runs[0].folder / "weights" / "last.pt").exists)
    second = start("--out", "broken")
    wait_for(lambda: sum((run.folder / "weights" / "last.pt").exists() for run in runs) == 2)
    os.kill(first.pid, signal.SIGKILL)
    first.join()
    second.join(60)
    assert second.exitcode == 0
    assert [run.folder.with_name(f"{run.folder.name}.log").read_text().count("$ python ") for run in runs] == [1] * 4
    assert "begun" not in "".join(run.folder.with_name(f"{run.folder.name}.json").read_text() for run in runs)
    assert table("broken") == table("unbroken") and {row["state"] for row in table("broken")} == {"done"}
    for name in ("study.md", "study.png"):
        assert (Path("broken") / name).is_file()


@pytest.mark.slow
def test_a_real_study(glass, trained, here):  # noqa: F811
    """One epoch of real trainings, and a run of train.py made by hand, which counts."""
    (here / "real.yaml").write_text(
        f"train: {' '.join(QUICK)} --noplots\ndata: {{glass: --data {glass}}}\n"
        "arms: {plain: --epochs 2, low: --epochs 1 --set optim.lr0=0.001}\nseeds: [0, 1]\n"
    )
    shutil.copytree(trained, here / "out" / "glass" / "plain" / "seed0")
    assert study.main(["real.yaml", "--out", "out"]) == 0
    rows = table("out")
    assert [row["state"] for row in rows] == ["done"] * 4
    assert not (here / "out" / "glass" / "plain" / "seed0.log").exists()
    before = (here / "out" / "study.csv").read_bytes()
    assert study.main(["real.yaml", "--out", "out", "--table"]) == 0
    assert (here / "out" / "study.csv").read_bytes() == before


def test_arms_whose_settings_differ_without_a_flag_are_named(faked, capsys):
    plan = PLAN.replace("--cfg idfe-net-n.yaml ", "").replace("inforced:", "inforced: --cfg idfe-net-n.yaml")
    shutil.copy(CFG / "models" / "idfe-net-n.yaml", faked / "own.yaml")
    (faked / "plan.yaml").write_text(plan.replace("ciou: ", "ciou: --cfg own.yaml "))
    assert study.main(["plan.yaml", "--dry-run"]) == 0
    assert "inforced and ciou differ without a flag that says so: optim.name AdamW, SGD" in capsys.readouterr().out
    (faked / "plan.yaml").write_text(plan.replace("ciou: ", "ciou: --hyp idfe-net.yaml --cfg own.yaml "))
    assert study.main(["plan.yaml", "--dry-run"]) == 0
    assert "without a flag" not in capsys.readouterr().out


def test_an_arm_may_take_the_network_of_its_weights(faked, capsys):
    """Of which a plan knows nothing, so that --hyp must be said."""
    plan = PLAN.replace("--cfg idfe-net-n.yaml ", "")
    for hyp, code in (("--hyp idfe-net.yaml ", 0), ("", 2)):
        (faked / "plan.yaml").write_text(plan.replace("ciou: ", f"ciou: --weights best.pt {hyp}"))
        assert study.main(["plan.yaml", "--dry-run"]) == code
    assert "a plan does not look into checkpoints; give the arm a --cfg" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ("ciou: ", "ciou: --set free_loss.box=3 "),
            "plan.yaml:7: arm 'ciou' on 'glass': --set free_loss.box=3: free_loss.box has no",
        ),
        (
            ("ciou: ", "ciou: --cfg broken.yaml "),
            "plan.yaml:7: arm 'ciou' on 'glass': broken.yaml:1: a model YAML is a map",
        ),
    ],
)
def test_a_plan_looks_at_its_networks(faked, capsys, change, said):
    (faked / "broken.yaml").write_text("")
    (faked / "plan.yaml").write_text(PLAN.replace(*change))
    assert study.main(["plan.yaml", "--dry-run"]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
