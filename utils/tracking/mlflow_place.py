"""Where the MLflow store of a run lies: on a disk, never behind an address."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from utils.words.errors import ConfigError, printable

VARIABLE = "MLFLOW_TRACKING_URI"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: C: is a drive


@dataclass(frozen=True)
class MlflowPlace:
    """`uri` for MLflow; `database`: its SQLite file, None for MLflow's older store of files; `pictures`: the folder
    that artifacts of new experiments go to, None where MLflow chooses one in the store.
    """

    uri: str
    database: Path | None
    pictures: Path | None

    @classmethod
    def of(cls, database: Path) -> MlflowPlace:
        """A store in a SQLite file, which need not be there yet."""
        database = Path(os.path.abspath(database))
        if "?" in str(database):  # the rest would be taken for options
            raise ConfigError(f"--log mlflow: {printable(str(database))}: no '?' is possible in this path; rename it")
        return cls(f"sqlite:///{database}", database, database.parent / "artifacts")


def check_address(environment: Mapping[str, str] = os.environ) -> MlflowPlace | None:
    """The store that the user's MLFLOW_TRACKING_URI names, if it is set. Raises ConfigError for one that is not a file
    of this machine; the message does not repeat the address, which may hold a password.
    """
    uri = environment.get(VARIABLE, "").strip()
    if not uri:
        return None
    scheme = uri.partition(":")[0].lower() if _SCHEME.match(uri) else ""
    if scheme == "sqlite" and uri[:10].lower() == "sqlite:///" and uri[10:] not in ("", ":memory:"):
        return MlflowPlace.of(Path(uri[10:]))
    if scheme == "file" and urlsplit(uri).netloc in ("", "localhost"):
        return MlflowPlace(uri, None, None)
    if not scheme and re.search(r"[/\\]", uri):  # a bare word may be a service: databricks
        return MlflowPlace(Path(os.path.abspath(uri)).as_uri(), None, None)
    shown = f"begins with {printable(scheme[:20])}: and is" if scheme else "is"
    raise ConfigError(
        f"{VARIABLE} {shown} no file of this machine, but nothing is uploaded here; unset it, or give sqlite:///FILE"
    )


def own_place(folder: Path, kept: str = "") -> MlflowPlace:
    """The store of a run folder, such as runs/train/exp: runs/mlflow/mlflow.db, or `kept`, where an earlier process of
    this run has found it, relative to the run folder. Raises ConfigError.
    """
    return MlflowPlace.of(folder / kept if kept else folder.parent.parent / "mlflow" / "mlflow.db")
