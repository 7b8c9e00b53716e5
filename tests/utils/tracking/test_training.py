"""A training tells its tools what it writes."""

import pytest

import train
from tests.faults.trained_runs import QUICK, TINY, last_of
from tests.utils.tracking.fakes import Recording
from utils.files.runs import ResultsCsv
from utils.training import run_folder

PLOTS = [word for word in QUICK if word != "--noplots"]


@pytest.fixture
def made(glass, tmp_path, monkeypatch):
    """The tools of the runs of a test, each with what it was told; nothing needs to be installed."""
    made = []

    def new_trackers(names, folder):
        assert tuple(names) == ("tensorboard", "csv")
        made.append(Recording())
        return made[-1:]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(train, "new_trackers", new_trackers)
    monkeypatch.setattr(train, "check_tools", lambda names, origin: None)
    # drawing takes longer than such a training
    monkeypatch.setattr(train, "plot_start", lambda folder, *_: drawn(folder, "labels.jpg", "train_batch0.jpg"))
    monkeypatch.setattr(train, "plot_detections", lambda folder, *_: drawn(folder, "val_batch0_pred.jpg"))
    monkeypatch.setattr(run_folder, "plot_results", lambda _, path: drawn(path.parent, path.name))
    monkeypatch.setattr(train, "write_results", lambda *_: None)
    (tmp_path / "tiny.yaml").write_text(TINY)
    return made


def drawn(folder, *names):
    for name in names:
        (folder / name).write_bytes(name.encode())


def told(tracker):
    """The rows that a tool was told, as results.csv has them."""
    rows = [(number, values) for kind, number, values in tracker.calls[1:] if kind == "epoch"]
    return [{"epoch": str(n), **{key: f"{v:.6g}" for key, v in values.items()}} for n, values in rows]


def test_a_run_and_how_it_goes_on(made, glass, tmp_path):
    words = [*PLOTS, "--cfg", "tiny.yaml", "--data", str(glass), "--log", "tensorboard,csv", "--name", "exp"]
    assert train.main([*words, "--max-time", "0.01s"]) == 0
    last = last_of(tmp_path, "exp")
    assert train.main(["--resume", str(last), "--max-time", "1"]) == 0  # it knows its tools by itself
    first, second = made
    rows = [{k: v for k, v in row.items() if v} for row in ResultsCsv(last.parent.parent / "results.csv").rows()]
    assert [row["epoch"] for row in rows] == ["0", "1"] and "metrics/mAP_0.5:0.95" in rows[0] and "x/lr2" in rows[0]
    assert told(first) == rows[:1] and told(second) == rows[1:]
    for tracker, kinds in ((first, "start labels train_batch0 0"), (second, "start 1")):
        shown = [call[0] if call[0] in ("start", "end") else str(call[1]) for call in tracker.calls]
        assert shown == [*kinds.split(), "val_batch0_pred", "results", "end"]
    assert second.calls[0] == ("start", 1)
    kind, status, about = second.calls[-1]
    assert (kind, status) == ("end", "FINISHED") and about["weights"] in ("best.pt", "last.pt")
    assert len(about["weights_digest"]) == 32
    assert first.run.config["data"]["data"] == ".../data.yaml" and first.run.about["device"] == "cpu"
