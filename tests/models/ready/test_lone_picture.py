"""What is refused beforehand is what PyTorch refuses in the step, no more and no less."""

import copy

import pytest
import torch

from models.graph.builder import build_graph
from models.ready.lone_picture import REFUSAL, check_lone_picture
from models.ready.trial import random_batch
from models.rows.model_spec import read_spec
from utils.config.paths import CFG
from utils.values.step_info import StepInfo
from utils.words.errors import ConfigError


@pytest.mark.parametrize("name", ["idfe-net-n", "idfe-net-free-n", "idfe-net-polar-n", "rtvpnet-n"])
@pytest.mark.parametrize("shape", [(32, 32), (32, 64), (64, 64)])
def test_refused_is_what_fails(name, shape):
    torch.manual_seed(0)
    graph = build_graph(read_spec(CFG / "models" / f"{name}.yaml"))
    image = random_batch(1, 64, 1, 0, len(graph.channels.names)).inputs()[..., : shape[0], : shape[1]]
    try:
        copy.deepcopy(graph).train()(image, None, StepInfo(0, 0, 0.0))
        fails = False
    except ValueError as error:
        assert str(error).startswith(REFUSAL)
        fails = True
    before, random = copy.deepcopy(graph.state_dict()), torch.get_rng_state()
    graph.eval()
    if fails:
        with pytest.raises(ConfigError, match="--batch-size 1: .* at 32 x 32 px BatchNorm would get one value"):
            check_lone_picture(graph, shape, "--batch-size 1: 3 pictures make a batch of 1")
    else:
        check_lone_picture(graph, shape, "")
    assert fails == (shape == (32, 32)) and not graph.training and torch.equal(random, torch.get_rng_state())
    assert all(torch.equal(value, before[key]) for key, value in graph.state_dict().items())
