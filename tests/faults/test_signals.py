"""A signal at any moment of the scripts: exit code 128 + its number, one line that says what is done and how to go on,
no traceback, nobody left behind.
"""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import detect
import train
import val
from tests.conftest import QUICK
from tests.test_processes import is_running, living
from tests.test_resume import EPOCHS, ROOT, STEPS, assert_same
from utils.console import signals
from utils.files import checkpoint
from utils.files.runs import ResultsCsv

NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
NEW, SAVED, AGAIN = "nothing was saved yet: start it again", "--resume runs/train/exp/weights/last.pt", "start it again"
TRAIN_PHASES = {  # whose call, which one: what the line must say
    ("train", "read_splits", 1): AGAIN,
    ("train", "new_model", 1): AGAIN,
    ("train", "new_training", 1): AGAIN,
    ("train", "open_run_folder", 1): AGAIN,
    ("train", "new_loaders", 1): AGAIN,
    ("train", "plot_start", 1): AGAIN,
    ("train", "forward_backward", 1): SAVED,  # noted: saved after the update
    ("train", "optimizer_step", 2): SAVED,
    ("train", "predict", 1): SAVED,
    ("train", "score", 1): SAVED,
    ("train", "record_epoch", 2): SAVED,
    ("train", "best_average", 1): SAVED,
    ("train", "plot_detections", 1): SAVED,
    ("train", "write_results", 1): SAVED,
    ("train", "close_run_folder", 1): SAVED,
    ("utils.files.checkpoint", "_verify", 2): SAVED,
    ("utils.training.run_folder", "plot_results", 1): SAVED,
}
VAL_PHASES = {
    ("val", "load_members", 1): "start it again",
    ("val", "read_split", 1): "start it again",
    ("val", "eval_loader", 1): "start it again",
    ("val", "_check_finite", 2): "2 of 6 pictures evaluated; start it again",
    ("val", "score", 1): "start it again",
    ("val", "write_results", 1): "start it again",
    ("utils.report.run_results", "write_thresholds", 1): "start it again",
    ("utils.report.run_results", "write_report", 1): "start it again",
    ("val", "plot_detections", 1): "start it again",
}
DETECT_PHASES = {
    ("models.ready.finder", "load_members", 1): "start it again",
    ("detect", "find_sources", 1): "start it again",
    ("detect", "weights_about", 1): "start it again",
    ("data.batches.looking", "Looking.sample", 3): "inputs done, in runs/detect/exp/summary.csv; start it again",
    ("utils.report.detection_run", "verdict_line", 2): "done, in runs/detect/exp/summary.csv; start it again",
    ("utils.report.detection", "DetectionReport.write", 1): "runs/detect/exp is complete",
}


def interrupt(monkeypatch, module, name, moment, *numbers):
    """The signals come at the beginning of a function's `moment`-th call."""
    owner, *rest = [sys.modules[module], *name.split(".")]
    for part in rest[:-1]:
        owner = getattr(owner, part)
    whole, calls = getattr(owner, rest[-1]), []

    def call(*args, **kwargs):
        calls.append(1)
        if len(calls) == moment:
            for number in numbers:
                os.kill(os.getpid(), number)
        return whole(*args, **kwargs)

    monkeypatch.setattr(owner, rest[-1], call)


def check(code: int, said: str, number: int, words: str) -> None:
    lines = [line for line in said.splitlines() if line.startswith("stopped by ")]
    assert code == 128 + number, said
    assert len(lines) == 1 and lines[0].startswith(f"stopped by {signal.Signals(number).name}; "), said
    assert words in lines[0] and "Traceback" not in said and "Exception ignored" not in said, said
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def some(phases):
    """Every second phase with one signal in the normal run, all with each in the long one."""
    for number, phase in enumerate(phases):
        for one in NUMBERS:
            marks = [] if number % 2 == 0 and NUMBERS[number // 2 % 3] is one else [pytest.mark.faults]
            yield pytest.param(*phase, one, phases[phase], marks=marks, id=f"{phase[1]}-{one.name}")


@pytest.mark.parametrize(("module", "name", "moment", "number", "words"), list(some(TRAIN_PHASES)))
def test_train(glass, tmp_path, monkeypatch, capfd, module, name, moment, number, words):
    monkeypatch.chdir(tmp_path)
    command = [*QUICK, "--epochs", "2", "--data", str(glass), "--close-mosaic", "0"]
    with monkeypatch.context() as patch:
        interrupt(patch, module, name, moment, number)
        code = train.main(command)
    said = capfd.readouterr().err
    check(code, said, number, words)
    assert ("--resume" in said) == (words == SAVED)
    assert not list(tmp_path.rglob("*.tmp"))
    if words == SAVED:
        assert train.main(["--resume"]) == 0
        rows = ResultsCsv(tmp_path / "runs" / "train" / "exp" / "results.csv").rows()
        assert [row["epoch"] for row in rows] == ["0", "1"]


@pytest.mark.parametrize(("module", "name", "moment", "number", "words"), list(some(VAL_PHASES)))
def test_val(trained, glass, tmp_path, monkeypatch, capfd, module, name, moment, number, words):
    monkeypatch.chdir(tmp_path)
    command = [
        "--weights",
        str(trained / "weights" / "best.pt"),
        "--data",
        str(glass),
        "--batch",
        "2",
        "--workers",
        "0",
    ]
    interrupt(monkeypatch, module, name, moment, number)
    code = val.main([*command, "--device", "cpu"])
    said = capfd.readouterr().err
    check(code, said, number, words)
    assert "train.py" not in said and "--resume" not in said
    if name in ("_check_finite", "score", "write_results"):
        assert not (tmp_path / "runs" / "val" / "exp" / "results.json").exists()


@pytest.mark.parametrize(("module", "name", "moment", "number", "words"), list(some(DETECT_PHASES)))
def test_detect(trained, glass, tmp_path, monkeypatch, capfd, module, name, moment, number, words):
    monkeypatch.chdir(tmp_path)
    source = glass.parent / "images" / "val"
    command = ["--weights", str(trained / "weights" / "best.pt"), "--source", str(source), "--save-json"]
    interrupt(monkeypatch, module, name, moment, number)
    code = detect.main([*command, "--device", "cpu", "--fail-on-defect"])
    said = capfd.readouterr().err
    check(code, said, number, words)
    assert "train.py" not in said and "--resume" not in said
    summary = tmp_path / "runs" / "detect" / "exp" / "summary.csv"
    if "inputs done" in said:
        (line,) = (line for line in said.splitlines() if "inputs done" in line)
        assert f"{len(summary.read_text().splitlines()) - 1} inputs done" in line


@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("_sync_folder", 1),
        *(
            pytest.param(*one, marks=pytest.mark.faults)
            for one in (("_sync_folder", 2), ("_verify", 1), ("_verify", 2))
        ),
    ],
)
def test_a_second_ctrl_c_waits_for_the_save(glass, tmp_path, monkeypatch, capfd, name, again):
    monkeypatch.chdir(tmp_path)
    command = [*STEPS, *EPOCHS, "--data", str(glass)]
    with monkeypatch.context() as patch:
        interrupt(patch, "utils.files.checkpoint", name, 2, *[signal.SIGINT] * (1 + again))
        code = train.main(command)
    check(code, capfd.readouterr().err, signal.SIGINT, SAVED)
    assert not list(tmp_path.rglob("*.tmp"))
    assert train.main(["--resume"]) == 0
    assert train.main(command) == 0
    assert_same(tmp_path / "runs" / "train" / "exp", tmp_path / "runs" / "train" / "exp2")


def test_a_second_ctrl_c_leaves_a_step_at_once(glass, tmp_path, monkeypatch, capfd):
    """What the line names is what --resume finds."""
    monkeypatch.chdir(tmp_path)
    command = [*STEPS, *EPOCHS, "--data", str(glass)]
    with monkeypatch.context() as patch:
        interrupt(patch, "train", "optimizer_step", 3, signal.SIGINT, signal.SIGINT)
        code = train.main(command)
    said = capfd.readouterr().err
    check(code, said, signal.SIGINT, "saved at step")
    last = tmp_path / "runs" / "train" / "exp" / "weights" / "last.pt"
    assert f"saved at step {checkpoint.load(last)['step']};" in said
    assert train.main(["--resume"]) == 0
    assert train.main(command) == 0
    assert_same(tmp_path / "runs" / "train" / "exp", tmp_path / "runs" / "train" / "exp2")


def started(folder: Path, script: str, *words: str, ignoring: tuple[int, ...] = (), **others) -> subprocess.Popen:
    def ignore():
        for number in ignoring:
            signal.signal(number, signal.SIG_IGN)

    return subprocess.Popen(
        [sys.executable, *script.split(), *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=ignore,
        **others,
    )


SCRIPTS = [f"{ROOT}/train.py", f"{ROOT}/val.py", f"{ROOT}/detect.py", "-m data.pack", "-m data.folds", "-m data.audit"]


@pytest.mark.parametrize(
    ("script", "number"),
    [
        pytest.param(
            one, number, marks=[] if (k + n) % 3 == 0 else [pytest.mark.faults], id=f"{one[-9:]}-{number.name}"
        )
        for k, one in enumerate(SCRIPTS)
        for n, number in enumerate(NUMBERS)
    ],
)
def test_during_the_imports(tmp_path, script, number):
    process = started(tmp_path, script, "--help")
    maps = Path(f"/proc/{process.pid}/maps")
    while "libtorch" not in maps.read_text() and "multiarray" not in maps.read_text():  # well before all are there
        time.sleep(0.005)
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    check(process.returncode, said, number, "nothing was begun")


def test_modules_that_cannot_be_loaded(tmp_path):
    """Out of memory while libraries are mapped, a package that is missing, a folder that is gone: one line."""
    (tmp_path / "lacking").mkdir()
    (tmp_path / "lacking" / "cv2.py").write_text("import nowhere")
    (tmp_path / "gone").mkdir()
    cases = {
        f"ulimit -v 600000; exec {sys.executable} {ROOT}/train.py": (6, "error[RESOURCE]: "),
        f"PYTHONPATH={tmp_path}/lacking exec {sys.executable} {ROOT}/val.py": (6, "No module named 'nowhere'"),
        f"cd gone; rmdir ../gone; exec {sys.executable} {ROOT}/detect.py": (2, "the working directory cannot be read"),
    }
    for command, (code, words) in cases.items():
        done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == code and words in done.stderr and done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize("number", NUMBERS)
def test_after_the_last_line_a_signal_changes_nothing(trained, glass, tmp_path, monkeypatch, capfd, number):
    """While workers are ended and memory is given back."""
    monkeypatch.chdir(tmp_path)
    weights = ["--weights", str(trained / "weights" / "best.pt"), "--device", "cpu"]
    calls = [
        (val, [*weights, "--data", str(glass), "--workers", "0", "--noplots"]),
        (detect, [*weights, "--source", str(glass.parent / "images/val"), "--nosave"]),
        (train, [*QUICK, "--data", str(glass), "--epochs", "1", "--noplots", "--close-mosaic", "0"]),
    ]
    for script, words in calls:
        with monkeypatch.context() as patch:
            whole = script.complete
            patch.setattr(script, "complete", lambda whole=whole: (whole(), os.kill(os.getpid(), number)))
            assert script.main(words) == 0
        assert "stopped by" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("stream", "number", "seconds"),
    [
        ("stdout", signal.SIGTERM, 8),
        ("stderr", signal.SIGTERM, 8),
        ("stderr", signal.SIGINT, 1),  # during the imports
        *(
            pytest.param(s, n, t, marks=pytest.mark.faults)
            for s in ("stdout", "stderr")
            for n in NUMBERS
            for t in (1, 4, 8, 15)
        ),
    ],
)
def test_a_pipe_that_nobody_empties(trained, glass, tmp_path, stream, number, seconds):
    """A paused pager: the run waits, but a signal ends it all the same."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    words = [*commands(glass, trained)["train"], "--epochs", "50"]
    streams = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: writer}
    process = subprocess.Popen(
        [sys.executable, *words], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, **streams
    )
    try:
        time.sleep(seconds)
        assert process.poll() is None
        process.send_signal(number)
        assert process.wait(timeout=40) == 128 + number
    finally:
        process.kill()
        os.close(reader)
        os.close(writer)


def commands(glass: Path, trained: Path) -> dict[str, list[str]]:
    """Runs of a second or two with every phase, with and without workers."""
    weights = ["--weights", str(trained / "weights" / "best.pt"), "--device", "cpu"]
    data = ["--data", str(glass)]
    small = [*QUICK[:-4], "--device", "cpu", "--close-mosaic", "0", "--save-steps", "2"]
    return {
        "train": [f"{ROOT}/train.py", *small, *data, "--epochs", "2", "--workers", "2"],
        "val": [f"{ROOT}/val.py", *weights, *data, "--batch", "2", "--workers", "2"],
        "detect": [f"{ROOT}/detect.py", *weights, "--source", str(glass.parent / "images"), "--recursive"],
    }


def ends_well(process: subprocess.Popen, number: int, children: list[int]) -> str:
    said, _ = process.communicate(timeout=90)
    assert "Traceback" not in said and "Exception ignored" not in said, said
    assert process.returncode in (0, 128 + number, -number), said
    if process.returncode == 128 + number:
        lines = [line for line in said.splitlines() if "stopped by" in line]
        assert len(lines) == 1 and ("start it again" in said or "--resume" in said or "begun" in said), said
    for _ in range(20):
        if not any(is_running(child) for child in children):
            return said
        time.sleep(0.1)
    raise AssertionError(f"left behind: {[child for child in children if is_running(child)]}")


@pytest.mark.faults
@pytest.mark.parametrize("script", ["train", "val", "detect"])
@pytest.mark.parametrize("seed", range(40))
def test_random_moments(glass, trained, tmp_path, script, seed):
    """One signal, or two in a row, to the process or to its group."""
    draw = random.Random(f"{script} {seed}")
    number, group = draw.choice(NUMBERS), draw.random() < 0.3
    process = started(tmp_path, *commands(glass, trained)[script], start_new_session=True)
    time.sleep(draw.uniform(0.3, 12))
    for _ in range(draw.choice([1, 1, 2])):
        children = living(process.pid)
        if process.poll() is None:
            (os.killpg if group else os.kill)(process.pid, number)
        time.sleep(draw.choice([0, 0.05, 0.5]))
    said = ends_well(process, number, children)
    assert script == "train" or "--resume" not in said
    last = tmp_path / "runs" / "train" / "exp" / "weights" / "last.pt"
    assert ("--resume" not in said) or checkpoint.load(last)["step"] > 0


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(4))
def test_nohup(glass, trained, tmp_path, seed):
    process = started(tmp_path, *commands(glass, trained)["val"], ignoring=(signal.SIGHUP,))
    for _ in range(30):
        time.sleep(0.2 + 0.05 * seed)
        if process.poll() is None:
            process.send_signal(signal.SIGHUP)
    said, _ = process.communicate(timeout=90)
    assert process.returncode == 0 and "stopped" not in said, said


def test_a_signal_that_is_ignored_stays_so(monkeypatch):
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals.AtOnce(), signals.Stop() as stop, signals.uninterrupted():
            os.kill(os.getpid(), signal.SIGHUP)
        assert not stop.received and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, former)
