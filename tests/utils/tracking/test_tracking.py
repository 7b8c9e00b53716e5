import logging
import signal
import threading

import pytest

from tests.utils.tracking.fakes import Failing, Recording
from utils.config.config import Config, DataConfig, RunConfig
from utils.console.signals import Stopped
from utils.files.output_files import write_json
from utils.files.runs import ResultsCsv
from utils.tracking import tracking
from utils.tracking.background import Background
from utils.tracking.tracker import flat
from utils.tracking.tracking import Tracking

ROWS = [
    {"epoch": 0, "train/box_loss": 0.5, "metrics/mAP_0.5": None, "boxes_lost": 3},
    {"epoch": 1, "train/box_loss": 0.25, "metrics/mAP_0.5": 0.125, "boxes_lost": 0},
]


@pytest.fixture
def folder(tmp_path):
    write_json(tmp_path / "run.json", {"git": "abc", "versions": {"torch": "2"}, "launch": "", "seed": 0})
    return tmp_path


@pytest.fixture
def warnings(caplog, monkeypatch):
    monkeypatch.setattr(logging.getLogger("defects"), "propagate", True)
    caplog.set_level(logging.WARNING, "defects")
    return lambda: [record.getMessage() for record in caplog.records]


def run_rows(folder, *trackers, cfg=None, rows=ROWS, first=0):
    with Tracking(folder, cfg or Config(), trackers) as kept:
        kept.start(first)
        for row in rows:
            kept.epoch(row)
        kept.results({"weights": "/home/me/best.pt", "epoch": 2})


def test_every_tool_is_told_what_results_csv_holds(folder):
    for name in ("labels.jpg", "train_batch0.jpg", "val_batch0_pred.jpg", "notes.jpg"):
        (folder / name).write_bytes(b"")
    one = Recording()
    run_rows(folder, one)
    assert one.calls == [
        ("start", 0),
        ("picture", "labels", "labels.jpg"),
        ("picture", "train_batch0", "train_batch0.jpg"),
        ("epoch", 0, {"train/box_loss": 0.5, "boxes_lost": 3.0}),
        ("epoch", 1, {"train/box_loss": 0.25, "metrics/mAP_0.5": 0.125, "boxes_lost": 0.0}),
        ("picture", "val_batch0_pred", "val_batch0_pred.jpg"),
        ("end", "FINISHED", {"weights": ".../best.pt", "epoch": "2"}),
    ]
    assert one.run.about == {"git": "abc", "versions.torch": "2", "seed": "0"}
    assert [row["train/box_loss"] for row in ResultsCsv(folder / "results.csv").rows()] == ["0.5", "0.25"]


def test_a_resumed_run_goes_on_at_its_step_without_the_first_pictures(folder):
    (folder / "labels.jpg").write_bytes(b"")
    run_rows(folder, Recording(), rows=ROWS[:1])
    again = Recording()
    run_rows(folder, again, rows=ROWS[1:], first=1)
    assert [call[:2] for call in again.calls] == [("start", 1), ("epoch", 1), ("end", "FINISHED")]
    assert [row["epoch"] for row in ResultsCsv(folder / "results.csv").rows()] == ["0", "1"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ZeroDivisionError("ours")])
def test_a_tool_that_fails_costs_one_warning(folder, warnings, error):
    broken, well = Failing(0, error), Recording()
    run_rows(folder, broken, well)
    assert [call[0] for call in broken.calls] == ["start", "epoch"]
    assert [call[0] for call in well.calls] == ["start", "epoch", "epoch", "end"]
    (line,) = warnings()
    assert line.startswith("left out: --log failing: ") and str(error) in line
    assert len(ResultsCsv(folder / "results.csv").rows()) == 2


def test_a_tool_that_hangs_is_not_waited_for(folder, warnings, monkeypatch):
    monkeypatch.setattr(tracking, "START_WAIT", 0.01)
    monkeypatch.setattr(tracking, "END_WAIT", 0.01)
    answer, hanging = threading.Event(), Recording()
    monkeypatch.setattr(hanging, "start", lambda run: answer.wait(60))
    run_rows(folder, hanging)
    assert hanging.calls == [] and len(warnings()) == 2 and "--log recording: has not answered" in warnings()[0]
    answer.set()


@pytest.mark.parametrize(
    ("error", "status"),
    [(Stopped(signal.SIGTERM), "KILLED"), (KeyboardInterrupt(), "KILLED"), (RuntimeError("x"), "FAILED")],
)
def test_how_a_run_ended(folder, error, status):
    one = Recording()
    with pytest.raises(type(error)), Tracking(folder, Config(), [one]) as kept:
        kept.start(0)
        raise error
    assert one.calls[-1] == ("end", status, {})


def test_what_did_not_begin_does_not_end(folder):
    one = Recording()
    with pytest.raises(ValueError), Tracking(folder, Config(), [one]):
        raise ValueError
    with Tracking(folder, Config(), []) as kept:  # as on every process but the first
        assert kept.folder == folder
    assert one.calls == [] and not (folder / "results.csv").exists()


@pytest.mark.parametrize(("full", "data"), [(False, ".../data.yaml"), (True, "/home/me/glass/data.yaml")])
def test_no_folder_of_this_machine_is_told(folder, full, data):
    cfg = Config(data=DataConfig(data="/home/me/glass/data.yaml"), run=RunConfig(full_paths=full))
    one = Recording()
    run_rows(folder, one, cfg=cfg)
    assert one.run.config["data"]["data"] == data
    assert one.calls[-1][2]["weights"] == ("/home/me/best.pt" if full else ".../best.pt")


def test_a_tool_works_in_one_thread_of_its_own():
    threads, background = set(), Background("x")
    for _ in range(3):
        background.do(lambda: threads.add(threading.current_thread()))
    assert background.wait(60)
    (thread,) = threads
    assert thread is not threading.main_thread() and thread.daemon


def test_nested_values_as_texts():
    values = {"data": {"imgsz": 640, "names": ["a", "ö"]}, "amp": True, "none": None, "text": "a b"}
    expected = {"data.imgsz": "640", "data.names": '["a", "ö"]', "amp": "true", "none": "null", "text": "a b"}
    assert flat(values) == expected
