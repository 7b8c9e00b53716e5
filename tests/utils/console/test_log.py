"""What becomes of messages: one line for a user's mistake, and no harm from a reader that left."""

import os
import subprocess
import sys

import pytest

from utils.console.script import run_script
from utils.words.errors import DataError


def test_a_closed_pipe_does_not_stop_the_work(tmp_path):
    """As in `python train.py ... | head -1`."""
    script = (
        "import sys, pathlib\n"
        "from utils.console.log import LOG\nfrom utils.console.script import run_script\n"
        "def story(argv):\n"
        "    for i in range(200):\n"
        "        LOG.info('line %d', i)\n"
        "    pathlib.Path(argv[0]).write_text('done')\n"
        "    return 0\n"
        "sys.exit(run_script(story, sys.argv[1:]))\n"
    )
    read, write = os.pipe()
    os.close(read)
    words = [sys.executable, "-c", script, str(tmp_path / "result")]
    done = subprocess.run(words, stdout=write, stderr=subprocess.PIPE, text=True, timeout=120)
    os.close(write)
    assert done.returncode == 0 and done.stderr == "" and (tmp_path / "result").read_text() == "done"


def test_a_users_mistake_is_one_line_and_debug_shows_the_traceback(capsys):
    def story(_argv):
        raise DataError("x.txt:3: what\nand why")

    assert run_script(story, []) == 3
    assert capsys.readouterr().err == "error[DATA]: x.txt:3: what and why\n"
    with pytest.raises(DataError):
        run_script(story, ["--debug"])
