import pytest
import torch

from models.graph.builder import build_graph
from models.graph.freeze import freeze, frozen_rows
from models.ready.trial import random_batch
from models.rows.model_spec import read_spec
from utils.config.paths import CFG
from utils.config.settings import Setting, build_config
from utils.training.state import new_state
from utils.training.step import forward_backward, optimizer_step
from utils.values.step_info import StepInfo
from utils.words.errors import ConfigError

SPEC = read_spec(CFG / "models" / "idfe-net-n.yaml")  # 31 rows


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        ((10,), range(10)),  # YOLOv5: the first ten
        ((0,), ()),
        ((30,), range(30)),
        ((0, 1, 2), (0, 1, 2)),
        ((4, 2, 4), (2, 4)),
        (("edge3",), (4,)),
        (("seed", 7), (1, 7)),
        ((), ()),
    ],
)
def test_rows(wanted, rows):
    assert frozen_rows(SPEC, wanted) == tuple(rows)


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ((32,), "--freeze 32: idfe-net-n.yaml has 31 rows"),
        ((-1,), "--freeze -1"),
        ((0, 31), "--freeze 31: idfe-net-n.yaml has the rows 0 to 30"),
        ((0, -2), "--freeze -2"),
        (("edgy3",), "did you mean 'edge3'?"),
        (("xxxxxxxxxx",), "named are seed, edge3"),
        ((31,), "nothing is left to train"),
        (tuple(range(31)), "nothing is left to train"),
    ],
)
def test_rows_that_are_not_there(wanted, words):
    with pytest.raises(ConfigError) as caught:
        frozen_rows(SPEC, wanted)
    assert words in str(caught.value)


@pytest.mark.parametrize("optimizer", ["SGD", "AdamW"])
def test_frozen_rows_stay_and_the_others_learn(optimizer):
    """Weights, BatchNorm's statistics and their running average, after two steps with weight decay."""
    torch.manual_seed(0)
    values = {"optim.name": optimizer, "data.imgsz": 64, "data.batch_size": 2}
    cfg, _ = build_config([Setting(key, value, "test") for key, value in values.items()])
    graph = build_graph(SPEC).train()
    line = freeze(graph, (3, 5, "p3"))
    assert line.startswith("frozen: rows 3, 5, 23 of 31, ") and not graph.layers[3].training
    state, criterion = new_state(graph, cfg, None), graph.head.criterion(cfg)
    before = {name: tensor.clone() for name, tensor in graph.state_dict().items()}
    for _ in range(2):
        graph.train()
        forward_backward(state, criterion, random_batch(2, 64, 5, 0), StepInfo(0, 0, 1.0))
        optimizer_step(state, 10.0, 1)
    averaged = state.ema.module.state_dict()
    frozen = tuple(f"layers.{row}." for row in (3, 5, 23))
    for name, tensor in graph.state_dict().items():
        if name.startswith(frozen):
            assert torch.equal(tensor, before[name]) and torch.equal(tensor, averaged[name]), name
        elif name.endswith(("running_mean", "num_batches_tracked", "head.weight", "0.conv.weight")):
            assert not torch.equal(tensor, before[name]), name
    assert all(p.grad is None for p in graph.layers[3].parameters())
