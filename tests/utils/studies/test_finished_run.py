import json
import os
import shutil

import pytest

from utils.config.settings import as_yaml
from utils.studies.finished_run import is_unsettled, minutes_of, read_finished, settle_minutes, state_of, write_minutes
from utils.studies.plan import read_plan
from utils.studies.planned_config import planned_config
from utils.words.errors import ConfigError, DataError


@pytest.fixture
def run(here):
    return read_plan("plan.yaml").runs[1]


def lay_out(run, results=None, words=None):
    """The folder of a run: one that was broken off, or a finished one."""
    (run.folder / "weights").mkdir(parents=True)
    (run.folder / "opt.yaml").write_text(as_yaml(planned_config(words or run.words), {}))
    (run.folder / "run.json").write_text(json.dumps({"git": "abc", "machine": {"threads": 2}}))
    (run.folder / "weights" / "last.pt").write_text("")
    if results:
        shutil.copytree(results / "1", run.folder, dirs_exist_ok=True)
        (run.folder / "report.json").write_text("{}")


def test_states(run, results):
    assert state_of(run) == "new"
    (run.folder / "weights").mkdir(parents=True)
    assert state_of(run) == "begun"
    shutil.rmtree(run.folder)
    lay_out(run)
    assert state_of(run) == "interrupted"
    os.rename(run.folder / "weights" / "last.pt", run.folder / "weights" / "last.prev.pt")
    assert state_of(run) == "interrupted"
    shutil.rmtree(run.folder)
    lay_out(run, results)
    assert state_of(run) == "done"
    (run.folder / "predictions.json").unlink()
    assert state_of(run) == "interrupted"


def test_a_run_made_by_hand_counts(run, results):
    """By another way to the same configuration, on another machine."""
    hand = ["--data", os.path.abspath("set/data.yaml"), "--device", "cpu", "--workers", "2", "--noplots"]
    hand += ["--set", "data.root=/disk/set", "--save-steps", "5", "--project", "mine", "--hyp", "idfe-net"]
    words = [*hand, "--cfg", "idfe-net-n", "--epochs", "1", "--img", "96", "--set", "loss.iou=ciou"]
    lay_out(run, results, words)
    assert state_of(run) == "done"
    finished = read_finished(run)
    assert (finished.revision, finished.threads, finished.minutes) == ("abc", 2, None)
    assert finished.results["coco"]["AP50"] > 0 and finished.run is run


@pytest.mark.parametrize("finished", [True, False])
def test_another_run_is_never_taken(run, results, finished):
    lay_out(run, results if finished else None, [*run.words[:-1], "3"])
    place = "runs/study/plan/glass/ciou/seed0"
    with pytest.raises(
        ConfigError, match=f"^{place}: holds another run: its run.seed is 3, of the plan 0; move it away"
    ):
        state_of(run)
    (run.folder / "opt.yaml").unlink()
    with pytest.raises(ConfigError, match=f"^{place}: has no opt.yaml"):
        state_of(run)


def test_another_run_that_saved_nothing_is_begun_anew(run):
    lay_out(run, words=[*run.words, "--bf16"])
    (run.folder / "weights" / "last.pt").unlink()
    assert state_of(run) == "begun"


def test_a_file_in_its_place(run):
    run.folder.parent.mkdir(parents=True)
    run.folder.write_text("")
    with pytest.raises(ConfigError, match="seed0: is no folder"):
        state_of(run)


@pytest.mark.parametrize("name", ["results.json", "run.json"])
@pytest.mark.parametrize("text", ["{", "[1]", '{"coco": 1, "machine": 1}', '{"coco": {"AP": "x"}, "git": 3}'])
def test_broken_files(run, results, name, text):
    lay_out(run, results)
    (run.folder / name).write_text(text)
    with pytest.raises(DataError) as raised:
        read_finished(run)
    assert str(raised.value).startswith(f"runs/study/plan/glass/ciou/seed0/{name}: ") and "\n" not in str(raised.value)


def test_without_run_json_little_is_known(run, results):
    lay_out(run, results)
    (run.folder / "run.json").unlink()
    finished = read_finished(run)
    assert (finished.revision, finished.threads) == ("", None)


def test_minutes(run, results):
    """60 s before, then a start that nobody saw the end of: it ended 90 s later."""
    lay_out(run, results)
    assert minutes_of(run.folder) is None
    settle_minutes(run)
    assert minutes_of(run.folder) is None
    write_minutes(run.folder, 1.0)
    assert minutes_of(run.folder) == 1.0
    write_minutes(run.folder, 1.0, begun=5000.0)
    for path, at in ((run.folder / "weights" / "last.pt", 4000), (run.folder / "report.json", 5090)):
        os.utime(path, (at, at))
    assert minutes_of(run.folder) == 2.5
    assert is_unsettled(run)
    settle_minutes(run)
    assert not is_unsettled(run)
    os.utime(run.folder / "report.json", (9999, 9999))
    assert minutes_of(run.folder) == 2.5
    (run.folder.parent / "seed0.json").write_text("[")
    assert minutes_of(run.folder) is None
