import math
from dataclasses import replace

import pytest
import torch

from models.graph.builder import build_graph
from models.ready.trial import BOXES, fit_batch, largest_fitting, minutes_line, random_batch, try_steps
from models.rows.model_spec import read_spec
from utils.config.paths import CFG
from utils.config.settings import Setting, build_config, settings_of_assignments
from utils.words.errors import ConfigError


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 7, 8, 9, 63, 64, 100, 257, 1000])
@pytest.mark.parametrize("most", [1, 5, 64, 100, 1024])
@pytest.mark.parametrize("shape", ["proportional", "with an offset", "in steps", "steeper"])
def test_largest_fitting(limit, most, shape):
    """Few sizes are tried whatever the memory looks like that they take: each costs seconds."""
    used = {
        "proportional": lambda size: size,
        "with an offset": lambda size: 50 + size,
        "in steps": lambda size: -(-size // 4) * 4,
        "steeper": lambda size: size + size**2 / 100,
    }[shape]
    asked = []

    def peak(size):
        asked.append(size)
        return used(size) if size <= 2 * limit else math.inf  # out of memory

    found = largest_fitting(peak, used(limit) if limit else 0.5, most)
    best = max((size for size in range(1, min(most, 2 * limit) + 1) if used(size) <= used(limit)), default=0)
    assert best * 8 // 9 <= found <= best and max(asked) <= most
    assert len(asked) == len(set(asked)) <= 8


@pytest.mark.parametrize("name", ["idfe-net-n", "idfe-net-polar-n"])
def test_a_trial_leaves_the_model_alone(name):
    torch.manual_seed(0)
    graph = build_graph(read_spec(CFG / "models" / f"{name}.yaml"))
    before = {name: tensor.clone() for name, tensor in graph.state_dict().items()}
    random = torch.get_rng_state()
    cfg, _ = build_config([Setting("data.imgsz", 64, ""), Setting("data.batch_size", 2, "")])
    trial = try_steps(graph, cfg, None, steps=1)
    assert trial.step_seconds > 0 and trial.forward_seconds > 0 and trial.peak_bytes > 2**20
    assert all(torch.equal(tensor, before[name]) for name, tensor in graph.state_dict().items())
    assert all(p.grad is None for p in graph.parameters()) and torch.equal(random, torch.get_rng_state())


def test_a_trial_replays_what_is_to_be_replayed():
    """--dry-run measures the steps that --cuda-graph makes, and refuses what the run would refuse."""
    graph = build_graph(read_spec(CFG / "models" / "idfe-net-n.yaml"))
    cfg, _ = build_config([Setting("data.imgsz", 64, ""), Setting("run.cuda_graph", True, "")])
    with pytest.raises(ConfigError, match="--cuda-graph: it is for GPUs"):
        try_steps(graph, cfg, None)
    unsized = replace(cfg, data=replace(cfg.data, batch_size=-1))
    with pytest.raises(ConfigError, match="--batch -1: does not go with --cuda-graph"):
        fit_batch(unsized, graph, 100, None)


def test_random_boxes_lie_in_their_pictures():
    batch = random_batch(3, 96, 5, 0)
    boxes = batch.targets.boxes
    assert batch.images.shape == (3, 3, 96, 96) and len(batch.targets) == 3 * BOXES
    assert boxes.min() >= 0 and boxes.max() <= 96 and (boxes[:, 2:] - boxes[:, :2]).min() >= 9.6 - 1e-3
    assert batch.targets.image_index.bincount().tolist() == [BOXES] * 3 and batch.targets.labels.max() < 5


def test_minutes():
    cfg, _ = build_config(settings_of_assignments(["schedule.epochs=6", "data.batch_size=4"]))
    assert minutes_line(cfg, 10, 40, 2.0, 1.0).startswith(
        "expected: 3.0 minutes (2 s a step"
    )  # 6 x (10 x 2 + 10 x 1) s
    cfg, _ = build_config(settings_of_assignments(["schedule.epochs=6", "data.batch_size=4", "run.noval=true"]))
    assert minutes_line(cfg, 10, 40, 3.0, 6.0).startswith("expected: 4.0 minutes")  # 6 x 10 x 3 + 10 x 6 s
