"""An MLflow store on this machine: `mlflow ui --backend-store-uri sqlite:///runs/mlflow/mlflow.db` shows the runs.

Nothing is sent anywhere: the store is a file, pictures are copied to a folder beside it, telemetry is off.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from utils.files.output_files import make_folder, write_json
from utils.tracking.mlflow_place import MlflowPlace, check_address, own_place
from utils.tracking.tracker import Beginning, Status, flat
from utils.words.errors import ConfigError, ResourceError, printable
from utils.words.regular_file import read_regular

KEPT = "mlflow.json"  # in the run folder: which MLflow run it is
MOST_KEPT = 1 << 16  # bytes
LONGEST_PARAM, LONGEST_TAG, MOST_PARAMS = 6000, 5000, 100  # what MLflow takes; parameters at once
LOCKED = 5.0  # seconds to wait for another program's writing
NAMES = {"git": "mlflow.source.git.commit"}  # where MLflow shows it


class MlflowStore:
    """The MLflow run of a run folder. Its experiment is the folder above, such as `train`."""

    label = "mlflow"

    def __init__(self, folder: Path, environment: Mapping[str, str] = os.environ) -> None:
        """Raises ConfigError for a place that is no file of this machine."""
        self.folder = folder
        self.kept = _kept(folder)
        self.asked = check_address(environment)
        self.place = self.asked or own_place(folder, self.kept.get("store", ""))
        self.done: dict[tuple[str, int], float] = {}  # of an earlier process, at steps that come again

    def start(self, run: Beginning) -> None:
        """Make the store if need be, and the MLflow run in it, or go on with that. Raises ResourceError."""
        self.mlflow = importlib.import_module("mlflow")
        logging.getLogger("mlflow").setLevel(logging.CRITICAL)  # it would print tracebacks of what is said in a line
        with self._refusing():
            self.client = _client(self.place)
            self.run_id = self._continued(run.first) or self._new()
            found = self.client.get_run(self.run_id)
            self.pictures = found.info.artifact_uri
            given = found.data.params
            params = {k: v[:LONGEST_PARAM] for k, v in flat(run.config).items() if k not in given}
            self._log_texts(params, {NAMES.get(k, k): v[:LONGEST_TAG] for k, v in run.about.items()})
        store = "" if self.asked or not self.place.database else os.path.relpath(self.place.database, self.folder)
        write_json(self.folder / KEPT, {"run_id": self.run_id, "store": store})

    def epoch(self, number: int, values: Mapping[str, float]) -> None:
        """A metric for each value, at this step. Raises ResourceError."""
        now = int(time.time() * 1000)
        metric = self.mlflow.entities.Metric
        fresh = [metric(k, v, now, number) for k, v in values.items() if self.done.get((k, number)) != v]
        with self._refusing():
            self.client.log_batch(self.run_id, metrics=fresh)

    def picture(self, name: str, path: Path) -> None:
        """An artifact, beside the store. Raises ConfigError where the user's store keeps them behind an address."""
        if not self.pictures.startswith(("file:", "/")):
            raise ConfigError("the experiment keeps its artifacts elsewhere, and nothing is uploaded here")
        with self._refusing():
            self.client.log_artifact(self.run_id, str(path), "pictures")

    def end(self, status: Status, about: Mapping[str, str]) -> None:
        """The status of the MLflow run. Raises ResourceError."""
        with self._refusing():
            self._log_texts({}, {k: v[:LONGEST_TAG] for k, v in about.items()})
            self.client.set_terminated(self.run_id, status)

    def _continued(self, first: int) -> str:
        """The MLflow run that an earlier process of this run has begun; "" when there is none, or it is gone."""
        if not (run_id := self.kept.get("run_id", "")):
            return ""
        try:
            metrics = self.client.get_run(run_id).data.metrics
        except self.mlflow.exceptions.MlflowException:
            return ""
        # no step may be there twice: what was written of the epochs to come is remembered
        for key in metrics:
            for one in self.client.get_metric_history(run_id, key):
                if one.step >= first:
                    self.done[key, one.step] = one.value
        self.client.update_run(run_id, status="RUNNING")
        return run_id

    def _new(self) -> str:
        name = os.path.basename(os.path.abspath(self.folder.parent))
        known = self.client.get_experiment_by_name(name)
        pictures = self.place.pictures and (self.place.pictures / name).as_uri()
        number = known.experiment_id if known else self.client.create_experiment(name, artifact_location=pictures)
        return str(self.client.create_run(number, run_name=self.folder.name).info.run_id)

    def _log_texts(self, params: Mapping[str, str], tags: Mapping[str, str]) -> None:
        entities = self.mlflow.entities
        given = [entities.Param(key, value) for key, value in params.items()]
        for begin in range(0, len(given), MOST_PARAMS):
            self.client.log_batch(self.run_id, params=given[begin : begin + MOST_PARAMS])
        if tags:
            self.client.log_batch(self.run_id, tags=[entities.RunTag(key, value) for key, value in tags.items()])

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """What the library says against something, in one line."""
        sql = importlib.import_module("sqlalchemy.exc")
        try:
            yield
        except (self.mlflow.exceptions.MlflowException, sql.SQLAlchemyError, sqlite3.Error) as error:
            raise ResourceError(f"the store refuses it: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """The first line of what lies at the bottom: `database or disk is full`."""
    while deeper := error.__cause__ or error.__context__:
        error = deeper
    return printable(next(iter(str(error).splitlines()), "")[:300]) or type(error).__name__


def _client(place: MlflowPlace) -> Any:
    """MLflow's client of a store, which is made here if it is not there: whole or not at all, as tables half made would
    be in the way of every later run.
    """
    tracking = importlib.import_module("mlflow.tracking")
    if place.database is not None:
        make_folder(place.database.parent)
        if not place.database.exists():
            _make(place.database, tracking)
        # the library tries for an hour to open a file that it cannot open
        with closing(sqlite3.connect(place.database, timeout=LOCKED)) as connection:
            connection.execute("BEGIN IMMEDIATE")
    return tracking.MlflowClient(tracking_uri=place.uri, registry_uri=place.uri)


def _make(database: Path, tracking: Any) -> None:
    fresh = database.with_name(f".{database.name}.{os.getpid()}.tmp")
    try:
        with closing(sqlite3.connect(fresh)) as connection:
            connection.execute("BEGIN EXCLUSIVE")  # a file that cannot be written is noticed here
        tracking.MlflowClient(tracking_uri=f"sqlite:///{fresh}").search_experiments(max_results=1)
        if not database.exists():  # else another run was faster
            os.replace(fresh, database)
    finally:
        for left in (fresh, fresh.with_name(f"{fresh.name}-journal")):
            with suppress(OSError):
                left.unlink(missing_ok=True)


def _kept(folder: Path) -> dict[str, str]:
    """What an earlier process of this run has kept about its MLflow run; nothing where that cannot be read."""
    try:
        content = json.loads(read_regular(folder / KEPT, MOST_KEPT))
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in content.items() if isinstance(v, str)} if isinstance(content, dict) else {}
