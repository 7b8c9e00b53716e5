import os
import sys
from pathlib import Path

import pytest

from utils.flags.train_flags import parse_train
from utils.tracking.mlflow_place import check_address, own_place
from utils.tracking.tools import MLFLOW_ENVIRONMENT, check_tools, new_trackers
from utils.words.errors import ConfigError

ADDRESSES = ["http://host:5000", "https://me:secret@host/x", "databricks", "databricks://profile", "postgresql://h/db"]
ADDRESSES += ["sqlite://", "sqlite:///:memory:", "file://server/share", "s3://bucket/x", "uc"]


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """As it was before, whatever a test does."""
    for name in ("MLFLOW_TRACKING_URI", *MLFLOW_ENVIRONMENT):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.mark.parametrize("uri", ADDRESSES)
def test_nothing_is_uploaded(monkeypatch, uri):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(
        ConfigError, match="^MLFLOW_TRACKING_URI .*nothing is uploaded here; unset it, or give"
    ) as caught:
        check_tools(["mlflow"], "--log")  # said before anything is imported
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)


def test_stores_of_this_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert check_address({}) is None
    place = check_address({"MLFLOW_TRACKING_URI": "sqlite:///my/store.db"})
    assert place.database == tmp_path / "my" / "store.db" and place.uri == f"sqlite:///{tmp_path}/my/store.db"
    assert place.pictures == tmp_path / "my" / "artifacts"
    for uri in ("./mlruns", f"file://{tmp_path}/mlruns", f"{tmp_path}/mlruns"):
        assert check_address({"MLFLOW_TRACKING_URI": uri}).uri == f"file://{tmp_path}/mlruns"


def test_a_store_lies_beside_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert own_place(Path("runs/train/exp")).database == tmp_path / "runs" / "mlflow" / "mlflow.db"
    assert own_place(Path("out/exp")).database == tmp_path / "mlflow" / "mlflow.db"
    assert own_place(Path("runs/train/exp"), "../../../kept.db").database == tmp_path / "kept.db"
    with pytest.raises(ConfigError, match=r"no '\?' is possible"):
        own_place(Path("what?/train/exp"))


@pytest.mark.parametrize("name", ["tensorboard", "mlflow"])
def test_a_library_that_is_missing_is_one_line(monkeypatch, name):
    for module in [m for m in sys.modules if m.partition(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=rf"^--log {name}: {name} cannot be imported \(.*requirements-log.txt$"):
        check_tools(["csv", name], "--log")


def test_telemetry_is_off_before_the_library_is_imported(monkeypatch):
    for module in ("mlflow", "mlflow.tracking"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError):
        check_tools(["mlflow"], "")
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == os.environ["DO_NOT_TRACK"] == "true"


def test_which_tools_a_run_has(tmp_path):
    check_tools(["csv"], "--log")
    assert new_trackers(["csv"], tmp_path) == new_trackers([], tmp_path) == []
    assert [one.label for one in new_trackers(["mlflow", "csv", "tensorboard"], tmp_path, {})] == [
        "tensorboard",
        "mlflow",
    ]


def test_the_flag(tmp_path):
    assert parse_train(["--log", "tensorboard, mlflow,csv"]).settings[0].value == ["tensorboard", "mlflow", "csv"]
    for text, hint in (
        ("tensorbord", "did you mean 'tensorboard'"),
        ("wandb,csv", "possible are csv, tensorboard, mlflow"),
    ):
        with pytest.raises(ConfigError, match=f"^--log '{text}': .* is not known; {hint}"):
            parse_train(["--log", text])
