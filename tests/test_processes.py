"""Training in two processes, as a user starts it: the same results every time, one error, nothing left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import train
import val
from tests.conftest import QUICK
from tests.test_resume import EPOCHS, ROOT, STEPS, assert_same, start
from utils.files.runs import ResultsCsv

PAIR = ["--nproc", "2"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]


def run_to_end(folder: Path, command: list[str]) -> tuple[int, str]:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def pair(glass, tmp_path_factory) -> Path:
    """The run folder of an unbroken run of two processes."""
    home = tmp_path_factory.mktemp("pair")
    code, said = run_to_end(
        home, [sys.executable, str(ROOT / "train.py"), *STEPS, *EPOCHS, "--data", str(glass), *PAIR]
    )
    assert code == 0, said
    assert said.count("epoch 1/3") == 1 and "rank 1" not in said  # one process tells the story
    return home / "runs" / "train" / "exp"


def living(pid: int) -> list[int]:
    """Descendants of a process."""
    text = subprocess.run(["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True).stdout
    parents = dict(map(int, line.split()) for line in text.splitlines())
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


def test_stopped_and_resumed(pair, glass, tmp_path):
    """SIGTERM to the script: both processes save the same step, none is left; resumed, the run ends like the other."""
    process = start(tmp_path, *STEPS, *EPOCHS, "--data", str(glass), *PAIR, "--workers", "2")
    last = tmp_path / "runs" / "train" / "exp" / "weights" / "last.pt"
    while not last.exists() and process.poll() is None:
        time.sleep(0.05)
    children = living(process.pid)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 143 and "stopped by SIGTERM" in said and "Traceback" not in said, said
    assert not any(is_running(child) for child in children)
    code, said = run_to_end(tmp_path, [sys.executable, str(ROOT / "train.py"), "--resume"])
    assert code == 0, said
    assert_same(pair, last.parent.parent)


@pytest.mark.slow
def test_torchrun_continues_after_a_crash(pair, glass, tmp_path):
    """The command of the README, whose second process is killed: --max-restarts goes on from what was saved."""
    command = [*TORCHRUN, "--max-restarts", "1", str(ROOT / "train.py"), *STEPS, *EPOCHS, "--data", str(glass)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    last = tmp_path / "runs" / "train" / "exp" / "weights" / "last.pt"
    while not last.exists() and process.poll() is None:
        time.sleep(0.05)
    ranks = sorted(child for child in living(process.pid) if "train.py" in Path(f"/proc/{child}/cmdline").read_text())
    os.kill(ranks[1], signal.SIGKILL)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0 and "started again by the launcher" in said, said
    assert_same(pair, last.parent.parent)


@pytest.mark.slow
def test_another_number_of_processes_says_so(pair, glass, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    process = start(tmp_path, *STEPS, *EPOCHS, "--data", str(glass), *PAIR)
    last = tmp_path / "runs" / "train" / "exp" / "weights" / "last.pt"
    while not last.exists() and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert train.main(["--resume", "--nproc", "1"]) == 0
    assert "begun by 2 processes, continued by 1" in capsys.readouterr().err
    rows = ResultsCsv(last.parent.parent / "results.csv").rows()
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]


@pytest.mark.slow
def test_validation_by_three_processes(pair, glass, tmp_path, monkeypatch):
    """The same report, detections and losses whoever looked at which picture."""
    monkeypatch.chdir(tmp_path)
    words = ["--weights", str(pair / "weights" / "best.pt"), "--data", str(glass), "--batch", "2", "--device", "cpu"]
    words += ["--noplots", "--workers", "0"]
    assert val.main([*words, "--name", "one"]) == 0
    for processes in (2, 3):
        command = [*TORCHRUN[:-1], str(processes), str(ROOT / "val.py"), *words, "--name", f"of{processes}"]
        code, said = run_to_end(tmp_path, command)
        assert code == 0, said
        for file in ("results.json", "predictions.json", "per_image.csv"):
            one, several = (tmp_path / "runs" / "val" / name / file for name in ("one", f"of{processes}"))
            assert one.read_bytes() == several.read_bytes()


def test_detection_by_two_processes(pair, glass, tmp_path, monkeypatch):
    """The pictures of a folder divided among them, one summary in the order of the pictures."""
    import detect

    monkeypatch.chdir(tmp_path)
    words = ["--weights", str(pair / "weights" / "best.pt"), "--source", str(glass.parent / "images" / "val")]
    words += ["--conf", "0.01", "--device", "cpu", "--save-txt", "--save-csv", "--save-json"]
    assert detect.main([*words, "--name", "one"]) == 0
    code, said = run_to_end(tmp_path, [*TORCHRUN, str(ROOT / "detect.py"), *words, "--name", "two"])
    assert code == 0, said
    one, two = (tmp_path / "runs" / "detect" / name for name in ("one", "two"))
    files = {p.relative_to(one) for p in one.rglob("*") if p.is_file()}
    assert files == {p.relative_to(two) for p in two.rglob("*") if p.is_file()}
    assert (one / "predictions.csv").read_bytes() == (two / "predictions.csv").read_bytes()
    assert json.loads((one / "predictions.json").read_text()) == json.loads((two / "predictions.json").read_text())
    rows = [[line.split(",")[:5] for line in (run / "summary.csv").read_text().splitlines()] for run in (one, two)]
    assert rows[0] == rows[1]


WRONG = {
    "a batch that cannot be shared": (["--batch", "5"], 2, "take a multiple, such as 4"),
    "more processes than pictures": (
        ["--set", "data.pictures=1", "--batch", "2"],
        2,
        "2 processes for 1 training picture;",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_one_error_with_its_exit_code(glass, tmp_path, name):
    words, code, expected = WRONG[name]
    command = [sys.executable, str(ROOT / "train.py"), *QUICK, "--epochs", "1", "--data", str(glass), *PAIR, *words]
    found, said = run_to_end(tmp_path, command)
    assert found == code and said.count("error[") == 1, said
    assert said.splitlines()[-1].startswith("error[") and expected in said
    assert not (tmp_path / "runs").exists()


def test_a_failure_in_one_process_ends_the_other(glass, tmp_path):
    """The second process cannot see a picture: its error comes last, its code is the script's."""
    script = tmp_path / "broken.py"
    script.write_text(
        "import os, sys\n"
        f"sys.path.insert(0, {str(ROOT)!r})\n"
        "import train\n"
        "from utils.words.errors import DataError\n"
        "from utils.console.script import end\n"
        "whole, calls = train.forward_backward, []\n"
        "def broken(*args, **kwargs):\n"
        "    calls.append(1)\n"
        "    if os.environ['RANK'] == '1' and len(calls) == 2:\n"
        "        raise DataError('x.png: vanished; put it back')\n"
        "    return whole(*args, **kwargs)\n"
        "train.forward_backward = broken\n"
        "end(train.main())\n"
    )
    code, said = run_to_end(tmp_path, [*TORCHRUN, str(script), *QUICK, "--epochs", "1", "--data", str(glass)])
    assert code == 1 and "rank 1: error[DATA]: x.png: vanished" in said, said
    root_cause = said[said.rindex("Root Cause") :]
    assert "rank      : 1" in root_cause and "vanished" in root_cause and "exitcode  : 3" in root_cause
