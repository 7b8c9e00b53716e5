"""The console cannot kill a run: whatever becomes of stdout and stderr, the work is done, with its own exit code."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.console.log import LOG, log_to
from utils.console.script import run_script
from utils.console.streams import SteadyStream, steady_streams

ROOT = Path(__file__).resolve().parents[2]
NAMES = "气泡 été \x1b[31mred \r\n\t\x07 \u202e \u2028 \ud800 \udc80 \x9b"
WORK = f"""
import sys
from pathlib import Path
from tqdm import tqdm
from utils.console.log import LOG, log_to
from utils.console.script import end, run_script
def work(argv):
    log_to(Path(argv[0] + ".log"))
    for number in tqdm(range(300), desc="bar", file=sys.stderr):
        LOG.info("line %d {{}}", number)
        LOG.info(NAMES)
        LOG.warning("warned %s", NAMES)
    print(NAMES)
    print(NAMES, file=sys.stderr)
    Path(argv[0]).write_text("done")
    return 3
NAMES = {NAMES!r}
end(run_script(work, sys.argv[1:]))
"""
STREAMS = ["", ">&-", "2>&-", "<&-", ">&- 2>&-", ">&- 2>&- <&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full"]
STREAMS += ["2>&1 | head -1", "| head -0", "| head -c 7", "2> >(head -1 >&2)", ">/dev/null", "> >(exit)"]
TONGUES = [{}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "cp1252"}, {"PYTHONIOENCODING": "ascii:strict"}]
TONGUES += [{"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, {"PYTHONIOENCODING": "utf-16"}]
TONGUES += [{"PYTHONIOENCODING": "latin-1:surrogateescape"}, {"PYTHONIOENCODING": "cp932:xmlcharrefreplace"}]
ALL = list(itertools.product(STREAMS, TONGUES))
SMOKE = [(">&- 2>&-", {}), (">/dev/full 2>/dev/full", {}), ("2>&1 | head -1", TONGUES[1])]


def bash(command: str, **environment: str) -> subprocess.CompletedProcess:
    """What a command line does; `rc` stands in its last line, whatever its streams are."""
    words = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
    return subprocess.run(["bash", "-c", command], env=words, capture_output=True, timeout=120)


def check_work(home: Path, streams: str, tongue: dict[str, str]) -> None:
    (home / "work.py").write_text(WORK, encoding="utf-8", errors="surrogatepass")
    script = f"{sys.executable} {home}/work.py {home}/result"
    done = bash(f"{script} {streams}; echo ${{PIPESTATUS[0]}} > {home}/rc", **tongue)
    assert (home / "rc").read_text().strip() == "3", done.stderr[-2000:]
    assert (home / "result").read_text() == "done"
    said = done.stdout + done.stderr
    assert not any(word in said for word in (b"Traceback", b"Exception ignored", b"Logging error"))
    lines = (home / "result.log").read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if "lacks lines" not in line]) >= 900
    assert "".join(lines).isprintable()


@pytest.mark.parametrize(("streams", "tongue"), SMOKE, ids=str)
def test_work_is_done_whatever_the_streams_are(tmp_path, streams, tongue):
    check_work(tmp_path, streams, tongue)


@pytest.mark.faults
@pytest.mark.parametrize(("streams", "tongue"), ALL, ids=str)
def test_work_is_done_with_every_stream_and_encoding(tmp_path, streams, tongue):
    check_work(tmp_path, streams, tongue)


HELP = ["train.py", "val.py", "detect.py", "-m data.pack", "-m data.folds", "-m utils.benchmark", "-m utils.study"]


@pytest.mark.faults
@pytest.mark.parametrize("streams", ["| head -1", ">&-", ">/dev/full", "2>&-"])
@pytest.mark.parametrize("script", HELP)
def test_help_into_nothing(tmp_path, script, streams):
    done = bash(f"cd {ROOT}; {sys.executable} {script} --help {streams}; echo ${{PIPESTATUS[0]}} > {tmp_path}/rc")
    assert (tmp_path / "rc").read_text().strip() == "0" and done.stderr == b""


@pytest.mark.faults
@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full", "2>&1 | head -0"])
@pytest.mark.parametrize("script", ["train.py --data none", "val.py --nonsense", "detect.py --weights none"])
def test_an_error_that_nobody_reads_keeps_its_code(tmp_path, script, streams):
    bash(f"cd {ROOT}; {sys.executable} {script} {streams}; echo ${{PIPESTATUS[0]}} > {tmp_path}/rc")
    assert (tmp_path / "rc").read_text().strip() in ("2", "4")


@given(st.text(st.characters(codec=None), max_size=40))  # surrogates too
def test_one_message_is_one_printable_line(text):
    class Screen:
        encoding, written = "ascii", ""

        def write(self, words):
            words.encode(self.encoding)
            self.written += words

        def flush(self):
            pass

    screen, before = Screen(), sys.stdout

    def work(_):
        LOG.info(text)
        return 0

    sys.stdout = screen
    try:
        assert run_script(work, []) == 0
    finally:
        sys.stdout = before
    assert screen.written.endswith("\n") and screen.written[:-1].isprintable() and screen.written.isascii()


@pytest.mark.parametrize("error", [OSError(28, "full"), OSError(5, "hung up"), BrokenPipeError(), ValueError("closed")])
def test_a_stream_that_fails_is_replaced_once(error):
    class Broken:
        encoding, calls = "utf-8", 0

        def write(self, _):
            self.calls += 1
            raise error

        def flush(self):
            self.write("")

        def fileno(self):
            raise error

    broken = Broken()
    stream = SteadyStream(broken)
    assert [stream.write("abc") for _ in range(3)] == [3, 3, 3] and broken.calls <= 2
    stream.flush()


def test_a_terminal_that_does_not_block_loses_a_message_only():
    class Slow:
        encoding, written = "utf-8", ""

        def write(self, text):
            if text == "lost":
                raise BlockingIOError
            self.written += text

    slow = Slow()
    stream = SteadyStream(slow)
    for text in ("one", "lost", "two"):
        stream.write(text)
    assert slow.written == "onetwo"


def test_streams_are_given_back():
    before = sys.stdout, sys.stderr
    with pytest.raises(ZeroDivisionError), steady_streams():
        print("x", 1 / 0)
    assert (sys.stdout, sys.stderr) == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full disk to write to")
def test_a_full_disk_costs_lines_of_the_log_and_one_warning(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("builtins.open", lambda *_, real=open, **words: real("/dev/full", "a", **words))

    def work(_):
        log_to(tmp_path / "train.log")
        for number in range(50):
            LOG.info("line %d", number)
        return 0

    assert run_script(work, []) == 0
    said = capsys.readouterr()
    assert said.out.count("line ") == 50 and said.err.count("\n") == 1
    assert "train.log: lacks lines that could not be written" in said.err


@pytest.mark.parametrize("planted", ["link", "hard link", "pipe", "folder"])
def test_the_log_goes_into_a_file_of_its_own(tmp_path, planted, capsys):
    """Whatever stands at its place: nothing outside is written to, and nothing waits."""
    outside, log = tmp_path / "outside", tmp_path / "train.log"
    outside.write_text("mine\n")
    make = {"link": log.symlink_to, "hard link": log.hardlink_to}
    if planted in make:
        make[planted](outside)
    elif planted == "pipe":
        os.mkfifo(log)
    else:
        log.mkdir()

    def work(_):
        log_to(log)
        LOG.info("said")
        return 0

    assert run_script(work, []) == 0
    assert outside.read_text() == "mine\n"
    assert planted == "folder" or "said" in log.read_text()
    assert planted != "hard link" or log.read_text().startswith("mine\n")  # its past is kept
    assert ("cannot be written" in capsys.readouterr().err) == (planted == "folder")
