"""--resume takes the checkpoint before where the last one is damaged, and loses neither."""

import contextlib
import errno
import os
import re
import shutil
from pathlib import Path

import pytest
import torch

import train
from tests.faults.damaged_checkpoints import (
    LIES,
    LIES_OF_TRAINING,
    REMOVED,
    bit_flipped,
    empty,
    foreign,
    huge_shape,
    truncated,
    with_entry,
)
from tests.faults.odd_files import pipe
from tests.faults.trained_runs import files_of, last_of, one_line
from utils.files import checkpoint
from utils.flags.train_flags import parse_train
from utils.processes.resume import resume


@pytest.mark.parametrize("place", [*LIES, *LIES_OF_TRAINING])
def test_resume_takes_the_one_before(stopped, capsys, place):
    content = torch.load(stopped, weights_only=True)
    torch.save(with_entry(content, place, (LIES | LIES_OF_TRAINING)[place]), stopped)
    assert train.main(["--resume", str(stopped), "--max-time", "8"]) == 0
    err = capsys.readouterr().err
    assert re.search(r"last\.pt: .*; continuing from last\.prev\.pt", err) and "Traceback" not in err
    assert checkpoint.load(stopped, resumable=True)["done"]


@pytest.mark.parametrize("place", ["config.optim.lr0", "optimizer.state.0.momentum_buffer", "rng.0.torch"])
def test_resume_refuses_when_both_are_bad(stopped, capsys, place):
    for path in (stopped, stopped.with_name("last.prev.pt")):
        content = torch.load(path, weights_only=True)
        torch.save(with_entry(content, place, (LIES | LIES_OF_TRAINING)[place]), path)
    before = files_of(stopped.parent.parent)
    assert train.main(["--resume", str(stopped)]) == 4
    line = one_line(capsys, 4)
    assert "last.pt: " in line and "nor does last.prev.pt help: " in line
    assert files_of(stopped.parent.parent) == before


@pytest.mark.parametrize("make", [truncated, empty, pipe, foreign, huge_shape])
def test_resume_after_a_damaged_file(stopped, capsys, make):
    make(stopped)
    assert train.main(["--resume", str(stopped)]) == 0
    assert "continuing from last.prev.pt" in capsys.readouterr().err


COUNTS = {  # that no run of two epochs of three steps, stopped after the first one, can have
    "beyond the last epoch": {"epoch": 7},
    "the last epoch, and not done": {"epoch": 1, "step": 6},
    "done, and not complete": {"complete": False, "done": True},
    "complete after no batch": {"batches": 0},
    "no step": {"step": 0},
    "fewer steps than batches": {"step": 1},
    "more steps than batches in the first epoch": {"step": 4},
    "steps without end": {"epoch": 1, "complete": False, "step": 2**63 - 1},
    "averaged more often": {"ema.updates": 2**63 - 1},
    "best in a later epoch": {"best": 0.5, "best_epoch": 1},
    "best in no epoch": {"best": 0.5, "best_epoch": -1},
    "more steps skipped than done": {"skipped_in_a_row": 2**62},
    "more steps skipped than the epoch has": {"losses.skipped": 4},
    "losses of no picture": {"losses.pictures": 0},
}


@pytest.mark.parametrize("name", COUNTS)
def test_counts_that_contradict_each_other(stopped, name):
    content = torch.load(stopped, weights_only=True)
    for place, value in COUNTS[name].items():
        content = with_entry(content, place, value)
    torch.save(content, stopped)
    assert resume(parse_train(["--resume", str(stopped)])).source.name == "last.prev.pt"


@pytest.mark.parametrize("place", ["data_fingerprint.val", "data_fingerprint.train", "data_fingerprint.train.bytes"])
def test_half_a_fingerprint(stopped, place):
    torch.save(with_entry(torch.load(stopped, weights_only=True), place, REMOVED), stopped)
    assert resume(parse_train(["--resume", str(stopped)])).source.name == "last.prev.pt"


@pytest.mark.parametrize("make", [bit_flipped, truncated, empty, foreign, Path.unlink])
def test_a_damaged_file_never_replaces_the_one_before(stopped, monkeypatch, make):
    """Whatever comes after a fallback, one of the two files is whole at any moment."""
    make(stopped)
    before = stopped.with_name("last.prev.pt")
    good, real, moments = before.read_bytes(), os.replace, []

    def replace(source, target):
        moments.append(Path(target).name)
        if Path(target) == stopped and moments.count("last.pt") == 1:
            assert before.read_bytes() == good
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        assert train.main(["--resume", str(stopped)]) == 6
    assert "last.pt" in moments and before.read_bytes() == good
    assert train.main(["--resume", str(stopped), "--max-time", "8"]) == 0  # else a slow machine stops it once more
    assert checkpoint.load(before, resumable=True) and checkpoint.load(stopped, resumable=True)["done"]


def test_the_one_before_named_by_hand(stopped):
    """Then last.pt is not what the run was read from: it is not kept."""
    bit_flipped(stopped)
    before = stopped.with_name("last.prev.pt")
    assert train.main(["--resume", str(before), "--save-steps", "100", "--max-time", "8"]) == 0
    assert checkpoint.load(before, resumable=True) and checkpoint.load(stopped, resumable=True)["done"]


@pytest.mark.usefixtures("messages")
def test_the_newest_run_may_have_lost_its_last_file(home, stopped, capsys):
    shutil.copytree(home / "runs" / "train" / "tiny", stopped.parents[2] / "an older one")
    os.utime(stopped.parents[2] / "an older one" / "weights" / "last.pt", ns=(1, 1))
    os.utime(stopped.parents[2] / "an older one" / "weights" / "last.prev.pt", ns=(1, 1))
    stopped.unlink()
    found = resume(parse_train(["--resume"]))
    assert found.last.resolve() == stopped.resolve() and found.source.name == "last.prev.pt"
    assert "last.pt: is not there; continuing from last.prev.pt" in capsys.readouterr().err


@pytest.mark.parametrize("path", [".", "/", "..", "runs", "runs/train/stopped/weights", "runs/..", "./", "//"])
def test_resume_of_a_folder(stopped, capsys, path):
    before = files_of(stopped.parents[3])
    assert train.main(["--resume", path]) == 4
    assert "no regular file" in one_line(capsys, 4)
    assert files_of(stopped.parents[3]) == before


def test_a_checkpoint_without_permission_is_not_passed_over(stopped, monkeypatch, capsys):
    real = Path.open

    def refused(path, *args, **kwargs):
        if path.name == "last.pt":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(path, *args, **kwargs)

    before = files_of(stopped.parent.parent)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refused)
        assert train.main(["--resume", str(stopped)]) == 4
    assert "last.pt: cannot be read: Permission denied" in one_line(capsys, 4)
    assert files_of(stopped.parent.parent) == before


@pytest.mark.parametrize("name", ["weights/.last.pt.tmp", "weights/.last.prev.pt.tmp"])
def test_a_folder_where_a_checkpoint_is_written(stopped, capsys, name):
    before = stopped.read_bytes()
    (stopped.parent.parent / name).mkdir()
    assert train.main(["--resume", str(stopped)]) == 6
    assert "cannot be written" in one_line(capsys, 6)
    assert stopped.read_bytes() == before


def test_resume_notices_another_run(home, stopped, capsys):
    """last.pt of another run is whole, but not what this run was."""
    for path in (stopped, stopped.with_name("last.prev.pt")):
        shutil.copy(last_of(home, "reading"), path)
    assert train.main(["--resume", str(stopped)]) == 4
    assert "not of this run" in one_line(capsys, 4)


def test_averaged_weights_do_not_resume(home, capsys):
    with contextlib.chdir(home):
        assert train.main(["--resume", "runs/train/tiny/weights/best.pt"]) == 4
    assert "holds averaged weights only; continue from its last.pt" in one_line(capsys, 4)


def test_a_run_of_another_version_goes_on(stopped, capsys):
    """A knob that this version does not know is named, in last.pt, and in the run's opt.yaml no obstacle."""
    content = torch.load(stopped, weights_only=True)
    torch.save(with_entry(content, "config.optim", {**content["config"]["optim"], "gone": 0.5}), stopped)
    options = stopped.parent.parent / "opt.yaml"
    options.write_text(options.read_text().replace("optim:\n", "optim:\n  gone: 0.5\n"))
    assert train.main(["--resume", str(stopped)]) == 0
    said = capsys.readouterr().err
    assert "last.pt: of another version: optim.gone has no meaning any more" in said and "last.prev.pt" not in said
