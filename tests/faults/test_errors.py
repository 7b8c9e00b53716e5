"""One error boundary: whatever the machine refuses becomes one line and an exit code, and loses nothing else."""

import builtins
import contextlib
import csv
import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

import detect
import train
import val
from tests.conftest import QUICK
from utils.console.failure import GAVE_OUT, explain
from utils.console.log import log_to
from utils.console.script import run_script
from utils.console.signals import Stopped
from utils.files.output_files import Extra, Results, new_file, write_bytes, write_text
from utils.words.errors import CheckpointError, ConfigError, DataError, ResourceError

ROOT = Path(__file__).resolve().parents[2]


def caused(error, cause):
    error.__cause__ = cause
    return error


CASES = {
    **{errno.errorcode[number]: (OSError(number, "refused", "x/y.png"), 6) for number in GAVE_OUT},
    "out of handles in a reader": (caused(DataError("a.png: cannot be read"), OSError(errno.EMFILE, "too many")), 6),
    "of many causes": (caused(ConfigError("x"), caused(DataError("y"), MemoryError())), 6),
    "memory": (MemoryError(), 6),
    "numpy's memory": (np._core._exceptions._ArrayMemoryError((10**9, 10**9), np.dtype("f8")), 6),
    "cuda's memory": (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."), 6),
    "cpu's memory": (RuntimeError("[enforce fail at alloc_cpu.cpp:1] DefaultCPUAllocator: can't allocate memory"), 6),
    "cudnn's memory": (RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"), 6),
    "opencv's memory": (cv2.error("OpenCV(4) alloc.cpp: error: (-4:Insufficient memory) Failed to allocate"), 6),
    "no threads": (RuntimeError("can't start new thread"), 6),
    "unreadable": (PermissionError(errno.EACCES, "Permission denied", "a.yaml"), 3),
    "vanished": (FileNotFoundError(errno.ENOENT, "No such file", b"caf\xe9.png"), 3),
    "long name": (OSError(errno.ENAMETOOLONG, "File name too long", "x" * 10_000), 2),
    "links in a circle": (OSError(errno.ELOOP, "Too many levels", "x"), 2),
    "NUL": (ValueError("embedded null byte"), 2),
    "NUL in a text": (ValueError("embedded null character"), 2),
    "surrogate": (UnicodeEncodeError("utf-8", "\udc80", 0, 1, "surrogates not allowed"), 2),
    "no UTF-8": (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), 2),
    "ours": (ZeroDivisionError("division by zero"), 1),
    "ours too": (KeyError("x"), 1),
    "no number": (OSError("odd"), 1),
    "a user's": (CheckpointError("x.pt: damaged"), 4),
}


@pytest.mark.parametrize("case", CASES)
def test_every_failure_is_one_line_and_a_code(case, capsys, tmp_path):
    error, code = CASES[case]

    def work(_):
        log_to(tmp_path / "run.log")
        raise error

    assert run_script(work, []) == code
    said = capsys.readouterr().err
    assert said.startswith("error[") and said.count("\n") == 1 and len(said) < 4000
    traceback = "Traceback (most recent call last)" in (tmp_path / "run.log").read_text()
    assert traceback == (code == 1)  # nothing of a fault of ours is lost
    with pytest.raises(Exception, match=None) as raised:
        run_script(work, ["--debug"])
    assert error in (raised.value, raised.value.__cause__)


def test_requests_to_stop_pass():
    assert run_script(lambda _: (_ for _ in ()).throw(Stopped(15)), []) == 143
    assert run_script(lambda _: (_ for _ in ()).throw(KeyboardInterrupt()), []) == 130
    with pytest.raises(SystemExit):
        run_script(lambda _: sys.exit(0), [])
    assert explain(OSError(errno.ENOSPC, "full", "a")).exit_code == 6


def test_an_extra_never_ends_a_run_and_a_stop_passes_it(caplog):
    for error in (OSError(28, "full"), ResourceError("x"), DataError("x"), MemoryError(), ValueError("odd")):
        with caplog.at_level("WARNING", "defects"), Extra("P_curve.png"):
            raise error
        assert "P_curve.png" in caplog.text
        assert ("Traceback" in caplog.text) == isinstance(error, ValueError)
        caplog.clear()
    for error in (Stopped(15), KeyboardInterrupt()):
        with pytest.raises(type(error)), Extra("x"):
            raise error


def test_results_are_all_tried_and_the_first_loss_is_raised(tmp_path, caplog):
    with pytest.raises(ResourceError, match="gone/a.*2 more"), Results() as results:
        for name in ("gone/a", "b", "gone/c", "gone/d"):
            with results.writing():
                write_text(tmp_path / name, "x")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("call", ["open", "write", "replace"])
def test_a_file_is_whole_or_as_it_was(tmp_path, monkeypatch, call, number):
    path = tmp_path / ("n" * 251 + ".txt")  # as long as a name may be
    write_bytes(path, b"old")

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch, pytest.raises(ResourceError, match=os.strerror(number)):
        if call == "replace":
            patch.setattr(os, "replace", refuse)
        if call == "open":
            patch.setattr(builtins, "open", refuse)
        with new_file(path) as file:
            file.write(b"half")
            if call == "write":
                refuse()
    assert path.read_bytes() == b"old" and len(os.listdir(tmp_path)) == 1


class Refusing:
    """From the k-th file that is opened for writing below `home` on, `count` of them are refused."""

    def __init__(self, home: Path, first: int, count: int, number: int = errno.ENOSPC) -> None:
        self.home, self.range, self.number = str(home), range(first, first + count), number
        self.calls, self.refused = 0, []
        self.open, self.replace = builtins.open, os.replace

    def __enter__(self):
        builtins.open, os.replace = self._open, self._replace
        return self

    def __exit__(self, *_):
        builtins.open, os.replace = self.open, self.replace

    def _count(self, path) -> None:
        if not isinstance(path, int) and os.path.abspath(os.fspath(path)).startswith(self.home):
            self.calls += 1
            if self.calls - 1 in self.range:
                self.refused.append(os.path.basename(path))
                raise OSError(self.number, os.strerror(self.number), os.fspath(path))

    def _open(self, file, mode="r", *words, **names):
        if set(mode) & set("wax+"):
            self._count(file)
        return self.open(file, mode, *words, **names)

    def _replace(self, source, target):
        self._count(target)
        return self.replace(source, target)


RESULTS = {"results.csv", "results.json", "predictions.json", "truth.json", "thresholds.yaml", "report.json"}
RESULTS |= {"summary.csv", "predictions.csv", "run.json", "opt.yaml", "hyp.yaml", "data_report.json"}


def expected(refused: list[str], of_detection: bool = False) -> int:
    """6 where something was refused that is the point of the run."""
    plain = {name.removeprefix(".").removesuffix(".tmp") for name in refused}
    ours = plain & RESULTS or any(name.endswith(".pt") for name in plain)
    return 6 if ours or (of_detection and any(name.endswith((".jpg", ".txt")) for name in plain)) else 0


def run(script, home: Path, words: list[str], refusing: Refusing, capsys) -> tuple[int, str]:
    with contextlib.chdir(home), refusing:
        code = script.main(words)
    return code, capsys.readouterr().err


def check_told(code: int, said: str, refusing: Refusing, of_detection: bool = False) -> None:
    assert code == expected(refusing.refused, of_detection), (refusing.refused, said)
    assert "Traceback" not in said and "Logging error" not in said
    assert not refusing.refused or os.strerror(refusing.number) in said
    for name in refusing.refused if len(refusing.refused) == 1 else ():
        assert name.removeprefix(".").removesuffix(".tmp") in said


DETECT = [
    "--device",
    "cpu",
    "--conf",
    "0.05",
    "--max-det",
    "3",
    "--save-txt",
    "--save-csv",
    "--save-json",
    "--save-crop",
]


def check_detect(trained: Path, glass: Path, home: Path, first: int, count: int, capsys) -> int:
    """A detect run in which writes are refused; how many there were in all."""
    words = [*DETECT, "--weights", f"{trained}/weights/best.pt", "--source", f"{glass.parent}/images/val"]
    code, said = run(detect, home, words, refusing := Refusing(home, first, count), capsys)
    check_told(code, said, refusing, of_detection=True)
    folder = home / "runs" / "detect" / "exp"
    with contextlib.suppress(FileNotFoundError):
        assert isinstance(json.loads((folder / "predictions.json").read_text()), list)
    if refusing.refused and not {"summary.csv", "run.json", ".run.json.tmp"} & set(refusing.refused):
        with (folder / "summary.csv").open(newline="") as file:
            assert len(list(csv.DictReader(file))) == 6
    assert not list(folder.rglob(".*.tmp"))
    return refusing.calls


@pytest.mark.parametrize(("first", "count"), [(4, 1), (3, 9**9)])
def test_detect_goes_on_to_its_last_picture(trained, glass, tmp_path, first, count, capsys):
    check_detect(trained, glass, tmp_path, first, count, capsys)


@pytest.mark.faults
@pytest.mark.parametrize("count", [1, 9**9])
@pytest.mark.parametrize("first", range(36))
def test_detect_with_every_write_refused(trained, glass, tmp_path, first, count, capsys):
    if check_detect(trained, glass, tmp_path, first, count, capsys) <= first:
        pytest.skip("there are not as many writes")


def check_val(trained: Path, glass: Path, home: Path, first: int, count: int, capsys) -> int:
    words = ["--data", str(glass), "--weights", f"{trained}/weights/best.pt", "--device", "cpu", "--workers", "0"]
    code, said = run(val, home, [*words, "--save-txt"], refusing := Refusing(home, first, count), capsys)
    check_told(code, said, refusing, any("glass_" in name for name in refusing.refused))
    assert not list((home / "runs" / "val" / "exp").rglob(".*.tmp"))
    return refusing.calls


@pytest.mark.faults
@pytest.mark.parametrize("count", [1, 9**9])
@pytest.mark.parametrize("first", range(64))
def test_val_with_every_write_refused(trained, glass, tmp_path, first, count, capsys):
    if check_val(trained, glass, tmp_path, first, count, capsys) <= first:
        pytest.skip("there are not as many writes")


def check_train(glass: Path, home: Path, first: int, count: int, capsys) -> int:
    words = [*QUICK, "--data", str(glass), "--epochs", "1"]
    code, said = run(train, home, words, refusing := Refusing(home, first, count), capsys)
    check_told(code, said, refusing)
    folder = home / "runs" / "train" / "exp"
    assert not list(folder.glob(".*.tmp"))
    if code == 6 and (folder / "weights" / "last.pt").exists():  # what was saved goes on, and all is there then
        with contextlib.chdir(home):
            assert train.main(["--resume"]) == 0
        assert {path.name for path in folder.iterdir()} >= {"results.json", "report.json", "results.csv"}
    return refusing.calls


@pytest.mark.faults
@pytest.mark.parametrize("count", [1, 9**9])
@pytest.mark.parametrize("first", range(0, 70, 3))
def test_train_with_every_write_refused(glass, tmp_path, first, count, capsys):
    if check_train(glass, tmp_path, first, count, capsys) <= first:
        pytest.skip("there are not as many writes")


def limited(home: Path, limit: str, words: list[str]) -> subprocess.CompletedProcess:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = ["bash", "-c", f'ulimit {limit}; exec "$@"', "-", sys.executable, *words]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=300)


@pytest.mark.faults
@pytest.mark.parametrize("limit", ["-f 0", "-f 1", "-f 8", "-f 40", "-f 400"])
def test_a_limit_on_the_size_of_files(glass, tmp_path, limit):
    words = [str(ROOT / "train.py"), *QUICK, "--data", str(glass), "--epochs", "1"]
    done = limited(tmp_path, limit, words)
    assert done.returncode == 6 and "Traceback" not in done.stderr and "error[RESOURCE]" in done.stderr


@pytest.mark.faults
@pytest.mark.parametrize("script", ["train", "val", "detect"])
def test_a_folder_that_cannot_be_written(trained, glass, tmp_path, script, capsys):
    (tmp_path / "runs").write_text("a file in the way")
    weights = ["--weights", f"{trained}/weights/best.pt", "--device", "cpu"]
    words = {
        "train": [*QUICK, "--data", str(glass), "--epochs", "1"],
        "val": [*weights, "--data", str(glass), "--workers", "0"],
        "detect": [*weights, "--source", f"{glass.parent}/images/val"],
    }
    with contextlib.chdir(tmp_path):
        assert {"train": train, "val": val, "detect": detect}[script].main(words[script]) == 6
    assert capsys.readouterr().err.startswith("error[RESOURCE]: --project")


FLAGS = ["--data", "--weights", "--cfg", "--hyp", "--project", "--name", "--device"]
TEXTS = {
    "NUL": "a\0b",
    "long": "x" * 10_000,
    "long path": "x/" * 5_000,
    "surrogate": "\udc80.yaml",
    "empty": "",
    "ESC": "\x1b",
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("flag", FLAGS)
def test_texts_that_no_file_has(tmp_path, glass, flag, text, capsys):
    words = {"--data": str(glass), "--epochs": "1", flag: TEXTS[text]}
    with contextlib.chdir(tmp_path):
        code = train.main([*QUICK, *(word for pair in words.items() for word in pair), "--dry-run"])
    said = capsys.readouterr().err
    assert code in (0, 2, 3, 4) and "Traceback" not in said and "error[BUG]" not in said
    assert code == 0 or (said.splitlines()[-1].startswith("error[") and said.isascii() and "\x1b" not in said)


def test_a_set_whose_name_is_no_utf8_is_trained_on(tmp_path, glass):
    home = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 \x1b[31m"))
    shutil.copytree(glass.parent, home)
    with contextlib.chdir(tmp_path):
        assert train.main([*QUICK, "--data", str(home / "data.yaml"), "--epochs", "1", "--noplots"]) == 0
    assert (tmp_path / "runs/train/exp/results.json").exists()
