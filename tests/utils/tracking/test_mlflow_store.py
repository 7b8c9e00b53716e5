import json
import sqlite3

import pytest

from utils.tracking import mlflow_store
from utils.tracking.mlflow_store import MlflowStore
from utils.tracking.tools import check_tools
from utils.tracking.tracker import Beginning
from utils.words.errors import ConfigError, ResourceError

pytest.importorskip("mlflow", reason="requirements-log.txt")
pytest.importorskip("alembic", reason="requirements-log.txt")
CONFIG = {"data": {"imgsz": 96, "data": ".../data.yaml"}, "model": {"weights": ""}}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Where runs lie, beside a store that is made once: it takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        check_tools(["mlflow"], "")
        yield tmp_path_factory.mktemp("home")


def begun(folder, first=0, environment=None):
    folder.mkdir(parents=True, exist_ok=True)
    store = MlflowStore(folder, environment or {})
    store.start(Beginning(folder, CONFIG, {"git": "abc"}, first))
    return store


def history(store, key):
    return sorted((m.step, m.value) for m in store.client.get_metric_history(store.run_id, key))


def test_what_is_kept_is_read_back(home):
    folder = home / "runs" / "train" / "exp"
    store = begun(folder)
    (folder / "labels.jpg").write_bytes(b"picture")
    store.picture("labels", folder / "labels.jpg")
    store.epoch(0, {"train/box_loss": 0.5, "metrics/mAP_0.5:0.95": 0.1234567890123})
    store.end("FINISHED", {"weights": "best.pt"})
    run = store.client.get_run(store.run_id)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "exp")
    assert store.client.get_experiment(run.info.experiment_id).name == "train"
    assert run.data.metrics == {"train/box_loss": 0.5, "metrics/mAP_0.5:0.95": 0.1234567890123}
    assert run.data.params == {"data.imgsz": "96", "data.data": ".../data.yaml", "model.weights": ""}
    assert {"mlflow.source.git.commit": "abc", "weights": "best.pt"}.items() <= run.data.tags.items()
    assert not {"mlflow.user", "mlflow.source.name"} & set(run.data.tags)
    (kept,) = (home / "runs" / "mlflow" / "artifacts" / "train").rglob("labels.jpg")
    assert kept.read_bytes() == b"picture"
    assert json.loads((folder / "mlflow.json").read_text()) == {
        "run_id": store.run_id,
        "store": "../../mlflow/mlflow.db",
    }
    assert sorted(p.name for p in (home / "runs" / "mlflow").iterdir()) == ["artifacts", "mlflow.db"]


def test_a_resumed_run_is_the_same_run_with_each_step_once(home):
    folder = home / "runs" / "train" / "killed"
    killed = begun(folder)
    for number in range(3):
        killed.epoch(number, {"x/lr0": float(number)})
    resumed = begun(folder, first=2)
    assert resumed.run_id == killed.run_id
    for number in (2, 3):
        resumed.epoch(number, {"x/lr0": float(number)})
    resumed.end("FINISHED", {})
    assert history(resumed, "x/lr0") == [(0, 0.0), (1, 1.0), (2, 2.0), (3, 3.0)]


def test_a_run_that_is_no_longer_there_begins_anew(home):
    folder = home / "runs" / "train" / "lost"
    folder.mkdir(parents=True)
    for text in ('{"run_id": "0123"}', "[]", "no json"):
        (folder / "mlflow.json").write_text(text)
        assert len(begun(folder, first=1).run_id) == 32


def test_a_locked_store_is_one_line(home, monkeypatch):
    monkeypatch.setattr(mlflow_store, "LOCKED", 0.01)
    begun(home / "runs" / "train" / "first")
    other = sqlite3.connect(home / "runs" / "mlflow" / "mlflow.db")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ResourceError, match="^the store refuses it: database is locked$"):
        begun(home / "runs" / "train" / "second")
    other.close()


def test_a_store_that_cannot_be_made_leaves_nothing(home, tmp_path, monkeypatch):
    def full(*_, **__):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr("mlflow.tracking.MlflowClient", full)
    with pytest.raises(ResourceError, match="disk is full"):
        begun(tmp_path / "runs" / "train" / "exp")
    assert list((tmp_path / "runs" / "mlflow").iterdir()) == []


def test_pictures_never_go_to_an_address(home):
    store = begun(home / "runs" / "train" / "remote")
    store.pictures = "s3://bucket/1"
    with pytest.raises(ConfigError, match="nothing is uploaded here"):
        store.picture("labels", home / "labels.jpg")
