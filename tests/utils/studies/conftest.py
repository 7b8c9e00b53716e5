"""A plan of two arms and two seeds, and a stand-in for train.py that makes its runs in no time."""

import json
from pathlib import Path

import pytest

from utils.benchmark import random_results, random_truth
from utils.config.settings import as_yaml
from utils.inspection.inspection import inspect
from utils.inspection.inspection_config import InspectionConfig
from utils.report.evaluation import results_json
from utils.scoring.evaluation import Evaluation
from utils.studies.planned_config import planned_config

FAKE_TRAIN = Path(__file__).with_name("fake_train.py")
PLAN = """title: Which box loss?
train: --cfg idfe-net-n.yaml --epochs 1 --workers 0
data:
  glass: --data set/data.yaml --img 96
arms:
  inforced:
  ciou: --set loss.iou=ciou
seeds: [0, 1]
compare:
  Is CIoU better?: [inforced, ciou]
"""


@pytest.fixture(scope="session")
def results(tmp_path_factory) -> Path:
    """Four folders of results on the same 12 pictures."""
    home = tmp_path_factory.mktemp("results")
    records, names = random_truth(12, 2), ("a", "b")
    for kind in range(4):
        evaluation = Evaluation(records, names, (1, 2), random_results(records, 2, 120, seed=kind))
        (home / str(kind)).mkdir()
        content = results_json(evaluation, inspect(evaluation, InspectionConfig()), {})
        for name, rows in (("results", content), ("predictions", evaluation.results), ("truth", evaluation.truth)):
            (home / str(kind) / f"{name}.json").write_text(json.dumps(rows))
    return home


@pytest.fixture
def fake(monkeypatch, results):
    """Sets how the stand-in behaves."""
    words = PLAN.split("train: ")[1].split("\n")[0] + " --data set/data.yaml --img 96 --seed 0"
    opt = as_yaml(planned_config(words.split()), {})
    set_up = {"results": str(results), "opt": opt}
    return lambda **how: monkeypatch.setenv("FAKE", json.dumps({**set_up, **how}))


@pytest.fixture
def here(tmp_path, monkeypatch, fake) -> Path:
    """A working directory with plan.yaml and the data set that it names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "data.yaml").write_text("names: {0: a, 1: b}\n")
    (tmp_path / "plan.yaml").write_text(PLAN)
    fake()
    return tmp_path
