"""The tools that --log names: their names, whether they can be used, and how they are made."""

from __future__ import annotations

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType

from utils.config.config import LogTool
from utils.tracking.mlflow_place import check_address
from utils.tracking.mlflow_store import MlflowStore
from utils.tracking.tensorboard_files import TensorboardFiles
from utils.tracking.tracker import Tracker
from utils.words.errors import ConfigError

INSTALL = "pip install -r requirements-log.txt"
MODULES: dict[LogTool, tuple[str, ...]] = {
    "csv": (),
    "tensorboard": ("tensorboard.compat.proto.event_pb2", "tensorboard.summary.writer.record_writer"),
    "mlflow": ("mlflow.tracking", "sqlalchemy", "alembic"),
}
# Nothing is sent anywhere. What the library says is said by us, and of a store no connection is kept: processes of
# loaders would inherit it.
MLFLOW_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_CONFIGURE_LOGGING": "false",
    "MLFLOW_SQLALCHEMYSTORE_POOLCLASS": "NullPool",
    "MLFLOW_ALLOW_FILE_STORE": "true",  # where the user's MLFLOW_TRACKING_URI says so: MLflow advises against it
}


def check_tools(names: Sequence[LogTool], origin: str) -> None:
    """Import what the tools need, before anything is begun. `origin`: who names them. Raises ConfigError."""
    for name in names:
        if name == "mlflow":
            check_address()
            os.environ.update(MLFLOW_ENVIRONMENT)
        for module in MODULES[name]:
            _imported(module, f"{origin or '--log'} {name}")


def _imported(module: str, asked: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = module.partition(".")[0]
        raise ConfigError(f"{asked}: {package} cannot be imported ({error}); {INSTALL}") from error


def new_trackers(names: Sequence[LogTool], folder: Path, environment: Mapping[str, str] = os.environ) -> list[Tracker]:
    """The tools for a run folder, results.csv aside; `check_tools` has imported what they need. Raises ConfigError."""
    trackers: list[Tracker] = []
    if "tensorboard" in names:
        trackers.append(TensorboardFiles(folder))
    if "mlflow" in names:
        trackers.append(MlflowStore(folder, environment))
    return trackers
