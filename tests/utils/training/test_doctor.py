"""The training doctor on real cases of each kind: trainings that go wrong, and detections that are planted."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import train
from data.index.flat_truth import flatten
from tests.conftest import QUICK
from tests.utils.glass_cases import detections, record
from tests.utils.glass_cases import six_pictures as hand_made
from utils.config.config import Config, OptimConfig, ScheduleConfig, ValConfig
from utils.console.log import LOG
from utils.scoring import coco
from utils.scoring.evaluation import Evaluation
from utils.training.doctor import Doctor
from utils.values.batch import Batch, Targets
from utils.values.predictions import BoxCode, Predictions
from utils.words.errors import ConfigError, NumericError

NO_WARMUP = ["--set", "schedule.warmup_epochs=0", "--set", "schedule.warmup_steps=0", "--noplots"]


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A glass set of its own, to be spoilt."""
    from data.drawn.glass_set import write_glass

    monkeypatch.chdir(tmp_path)
    data = write_glass(tmp_path / "set", train=12, val=6, size=128)
    for path in (tmp_path / "set" / "annotations").glob("*"):
        path.unlink()
    (tmp_path / "set" / "annotations").rmdir()
    return data


def run(data, *words):
    code = train.main([*QUICK, "--data", str(data), *NO_WARMUP, *words])
    log = Path("runs/train/exp/train.log").read_text()
    return code, re.findall(r"WARNING doctor: ([a-z ]+): (.*)", log)


def empty(data, split):
    for path in (data.parent / "labels" / split).glob("*.txt"):
        path.write_text("")


def test_a_training_in_order_is_not_disturbed(own):
    code, said = run(own, "--epochs", "2", "--set", "optim.lr0=0.002", "--optimizer", "AdamW")
    assert (code, said) == (0, [])


def test_learning_rate_too_small(own):
    code, said = run(own, "--epochs", "5", "--set", "optim.lr0=1e-9", "--set", "schedule.warmup_bias_lr=0", *STEADY)
    assert code == 0 and [cause for cause, _ in said] == ["learning rate"] and "too small" in said[0][1]


STEADY = [w for k in "mosaic translate scale fliplr hsv_h hsv_s hsv_v".split() for w in ("--set", f"augment.{k}=0")]


def test_learning_rate_too_large(own, capsys):
    code, said = run(own, "--epochs", "40", "--set", "optim.lr0=1e6", "--set", "optim.clip_norm=0")
    assert code == 5 and said[-1][0] == "learning rate" and "lower it" in said[-1][1]
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error[NUMERIC]") and "doctor: learning rate" in error


def test_no_labels(own):
    empty(own, "train")
    code, said = run(own, "--epochs", "1", "--set", "anchor_assign.noautoanchor=true")
    assert code == 0 and said[0][0] == "no labels" and "12 training pictures" in said[0][1]


def test_empty_split(own):
    empty(own, "val")
    code, said = run(own, "--epochs", "1")
    assert code == 0 and said[0][0] == "empty split" and "6 validation pictures" in said[0][1]


def test_confidence(own):
    code, said = run(own, "--epochs", "1", "--set", "val.conf=0.95")
    assert code == 0 and said == [
        ("confidence", "nothing reaches val.conf 0.95; leave it at 0.001 (--set val.conf=0.001)")
    ]


def test_everything_frozen(own, trained, capsys):
    """All rows but those without parameters; all rows at once are refused earlier, and so are rows that are random."""
    from models.graph.builder import build_graph
    from models.rows.model_spec import read_spec
    from utils.config.paths import CFG

    graph = build_graph(read_spec(CFG / "models" / "idfe-net-n.yaml"))
    rows = [str(i) for i, layer in enumerate(graph.layers) if any(True for _ in layer.parameters())]
    assert len(rows) < len(graph.layers)
    start = ["--weights", str(trained / "weights" / "last.pt")]
    assert train.main([*QUICK, "--data", str(own), "--epochs", "1", *start, "--freeze", *rows]) == 2
    assert "everything frozen: no parameter is left to train" in capsys.readouterr().err


def six_pictures():
    records, found = hand_made()
    return [replace(one, image_id=number) for number, one in enumerate(records, 1)], found


def counts(records):
    return flatten(records).class_counts(("bubble", "oil"))


def doctor(records, **changes):
    cfg = Config(schedule=ScheduleConfig(warmup_epochs=0), **changes)
    return Doctor(cfg, counts(records), counts(records), nn.Linear(2, 2))


def evaluated(records, found):
    return Evaluation(records, ("bubble", "oil"), (1, 2), coco.results_json(records, found, (1, 2)))


@pytest.fixture
def said(monkeypatch):
    lines = []
    monkeypatch.setattr(LOG, "warning", lines.append)
    return lines


def test_class_ids(said):
    """Every box is found under the number of the other class: AP is 0, and it is said once."""
    records, _ = six_pictures()
    found = {
        i: detections(*((box.tolist(), 0.9, 1 - int(k)) for box, k in zip(*r.counted(), strict=True)))
        for i, r in enumerate(records)
    }
    patient = doctor(records)
    for epoch in range(2):
        patient.after_epoch(epoch, {"box": 1.0 / (epoch + 1)}, evaluated(records, found))
    assert len(said) == 1 and said[0].startswith("doctor: class ids: boxes lie where the labels are")


def test_nothing_is_said_when_things_are_found_or_during_warm_up(said):
    records, found = six_pictures()
    doctor(records).after_epoch(0, {"box": 1.0}, evaluated(records, found))
    nothing = {i: detections() for i in range(6)}
    cfg = Config(schedule=ScheduleConfig(warmup_epochs=3), val=ValConfig(conf=0.5))
    patient = Doctor(cfg, counts(records), counts(records), nn.Linear(2, 2))
    for epoch in range(3):
        patient.after_epoch(epoch, {"box": 1.0}, evaluated(records, nothing))
    assert said == []
    patient.after_epoch(3, {"box": 1.0}, evaluated(records, nothing))
    assert len(said) == 1 and said[0].startswith("doctor: confidence")


def test_a_rising_loss_with_moving_weights(said):
    patient = doctor([record([[0, 0, 9, 9]], [0])], optim=OptimConfig(lr0=3.0))
    for epoch in range(5):
        with torch.no_grad():
            patient.parameters[0].add_(1.0)
        patient.after_epoch(epoch, {"box": 1.0 + epoch}, None)
    assert said == ["doctor: learning rate: too large: the loss rose from 1 at optim.lr0 3; lower it"]


class Overflowing(nn.Module):
    """100 * 1000 = 100,000 is finite in float32 and bfloat16, and beyond float16's 65,504."""

    def __init__(self, weight=100.0):
        super().__init__()
        self.layer = nn.Linear(1, 1, bias=False)
        nn.init.constant_(self.layer.weight, weight)

    def forward(self, images, phrases=None):
        value = self.layer(torch.full((1, 1), 1000.0))
        none = torch.zeros(0)
        return Predictions(BoxCode(value.repeat(1, 4)[None]), value[None], None, none, none, (1,), ((1, 1),))


def batch():
    none = torch.zeros(0, dtype=torch.long)
    return Batch(torch.zeros(1, 3, 8, 8, dtype=torch.uint8), Targets(none, none, torch.zeros(0, 4)), (0,))


@pytest.mark.parametrize(
    ("weight", "dtype", "cause"),
    [
        (100.0, torch.float16, "mixed precision: the network overflows in float16 but not in float32; use --no-amp"),
        (100.0, torch.bfloat16, "learning rate: its steps are too large"),
        (3.402e35, torch.bfloat16, "learning rate: its steps are too large"),  # at the end of both formats
        (100.0, None, "learning rate: its steps are too large"),
        (float("nan"), torch.float16, "learning rate: the weights are not finite"),
    ],
)
def test_what_makes_numbers_not_finite(said, weight, dtype, cause):
    patient = doctor([record([[0, 0, 9, 9]], [0])])
    with pytest.raises(NumericError, match="^step 9: .*; doctor: ") as caught:
        with patient.watching(Overflowing(weight), batch, dtype):
            raise NumericError("step 9: not finite")
    assert cause in str(caught.value)
    assert len(said) == 1


def test_nothing_to_train_is_refused():
    model = nn.Linear(2, 2).requires_grad_(False)
    with pytest.raises(ConfigError, match="everything frozen"):
        Doctor(Config(), counts([]), counts([]), model)


def test_a_training_that_has_learnt_may_rest(said):
    """Late in a run the rate is small and the loss flat; the same when a run is resumed."""
    records, found = six_pictures()
    patient = doctor(records)
    for epoch in range(8):
        patient.after_epoch(epoch, {"box": 1.0 if epoch == 0 else 0.2}, None)
    resumed = doctor(records)
    for epoch in range(50, 56):
        resumed.after_epoch(epoch, {"box": 0.2}, None)
    finds = doctor(records)
    for epoch in range(6):
        finds.after_epoch(epoch, {"box": 0.2}, evaluated(records, found))
    assert said == []
