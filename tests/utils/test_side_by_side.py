"""Two commands in turn: what each takes, and what happens when one fails or is stopped."""

import json
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from utils import side_by_side

PYTHON = shlex.quote(sys.executable)
BUSY = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"


def command(code: str) -> str:
    return f"{PYTHON} -c {shlex.quote(code)}"


def test_turns_and_ratios(tmp_path):
    """In a process of its own: no command is found smaller than the one that starts it."""
    out = tmp_path / "turns.json"
    used = [command(BUSY), command("x = bytearray(1 << 30); x[::4096] = b'1' * len(x[::4096])")]
    words = [sys.executable, "-m", "utils.side_by_side", *used, "--repeats", "2", "--out", str(out)]
    done = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True)
    found = json.loads(out.read_text())
    assert found["first"] == [sys.executable, "-c", BUSY]
    assert len(found["turns"]) == len(found["ratios"]) == 2
    for turn, ratio in zip(found["turns"], found["ratios"], strict=True):
        assert turn["first"]["seconds"] / turn["second"]["seconds"] == ratio
        assert 0.3 <= turn["first"]["cpu_seconds"] < 3
        assert turn["second"]["peak_bytes"] > 1 << 30 > turn["first"]["peak_bytes"]
    assert done.stdout.count("\n") == 3


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (command("import sys; print('half a picture\\n\\n'); sys.exit(7)"), "ends with exit code 7: half a picture"),
        (command("raise SystemExit(1)"), "ends with exit code 1: it says nothing"),
        (command("import os; os.kill(os.getpid(), 9)"), "ends with exit code -9: it says nothing"),
        ("no-such-program --flag", "no-such-program --flag: cannot be started: No such file or directory"),
        ("python 'train.py", "No closing quotation"),
        (" ", "COMMAND: is empty; give a command in quotes"),
    ],
)
def test_a_command_that_fails_ends_it_in_one_line(first, said, capsys):
    assert side_by_side.main([first, command("pass")]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


def test_no_file_is_overwritten(tmp_path, capsys):
    out = tmp_path / "mine.json"
    out.write_text("mine")
    assert side_by_side.main([command("pass"), command("pass"), "--out", str(out)]) == 2
    assert out.read_text() == "mine" and "is there already" in capsys.readouterr().err


def test_nothing_is_expanded_by_a_shell(tmp_path):
    assert (
        side_by_side.main([f"{command('pass')} '; touch {tmp_path}/made' $(touch {tmp_path}/made)", command("pass")])
        == 0
    )
    assert not list(tmp_path.iterdir())


def test_a_signal_ends_the_command_too(tmp_path):
    mark = tmp_path / "pid"
    waits = command(f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(60)")
    words = [sys.executable, "-m", "utils.side_by_side", waits, command("pass")]
    child = subprocess.Popen(words, cwd=Path(__file__).parents[2], stderr=subprocess.PIPE, text=True)
    while not (mark.exists() and mark.read_text()):
        time.sleep(0.05)
    child.send_signal(signal.SIGTERM)
    assert "0 turns of 3 done" in child.communicate(timeout=60)[1]
    assert child.returncode == 143
    assert subprocess.run(["ps", "-p", mark.read_text()], capture_output=True).returncode  # gone
