"""Networks that are recorded and replayed: the same numbers. What a GPU does is recorded only where there is one."""

from dataclasses import replace

import pytest
import torch

from models.benchmark import first_network
from models.ready.replay import Replayed, record_cuda, replayed
from models.ready.trial import random_batch
from models.rows.model_spec import read_spec
from utils.config.config import Config, DataConfig, RunConfig
from utils.processes.distributed import ALONE, World
from utils.training.state import new_state
from utils.training.step import forward_backward, optimizer_step
from utils.values.step_info import StepInfo
from utils.words.errors import ConfigError

ASKED = Config(run=RunConfig(cuda_graph=True))


def network(name):
    return first_network(read_spec(f"cfg/models/{name}.yaml"), None).train()


class Tape:
    """Stands for a recording: runs the network beforehand, as recording does, and counts the replays."""

    def __init__(self):
        self.replays = 0

    def __call__(self, flat, image):
        for _ in range(3):
            flat(torch.rand_like(image))

        def replay(picture):
            self.replays += 1
            return flat(picture)

        return replay


def train(graph, record, batches, device="cpu", dtype=None, pause=1):
    """The losses of training on `batches`, with an optimizer's step after every `pause` of them."""
    graph = graph.to(device, memory_format=torch.channels_last)
    state, criterion = new_state(graph, ASKED, dtype), graph.head.criterion(ASKED)
    if record:
        state.network = Replayed(graph, record)
    parts = []
    for number, batch in enumerate(batches, 1):
        result = forward_backward(state, criterion, batch.to(device), StepInfo(0, number, 0.5))
        parts.append(result.parts)
        if number % pause == 0:
            optimizer_step(state, 10.0, 1)
    return parts, graph.state_dict()


def batches():
    return [random_batch(pictures, 64, 5, seed) for seed, pictures in enumerate((2, 2, 1, 2, 2))]


@pytest.mark.parametrize("name", ["idfe-net-n", "idfe-net-c2f-n", "idfe-net-p2-n"])
@pytest.mark.parametrize(("pause", "replays"), [(1, 4), (2, 2)])
def test_the_numbers_are_those_of_a_network_that_was_not_recorded(name, pause, replays):
    """Bit for bit, BatchNorm's statistics too; a last batch of another size and added gradients are not replayed."""
    tape = Tape()
    want, weights = train(network(name), None, batches(), pause=pause)
    got, mine = train(network(name), tape, batches(), pause=pause)
    assert got == want and tape.replays == replays
    assert all(torch.equal(weights[key], mine[key]) for key in weights)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("dtype", [None, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("pause", [1, 2])
def test_recorded_on_a_gpu(dtype, pause):
    """Within 2 % of the same training without recording: a GPU adds up in any order, and training magnifies that."""
    runs = [train(network("idfe-net-c2f-n"), record, batches(), "cuda", dtype, pause) for record in (None, record_cuda)]
    (want, weights), (got, mine) = runs
    for one, other in zip(want, got, strict=True):
        assert other == pytest.approx(one, rel=2e-2)
    assert all((weights[key].float() - mine[key].float()).abs().max() < 2e-2 for key in weights)


def test_nothing_changes_unless_asked():
    graph = network("idfe-net-n")
    assert replayed(graph, Config(), ALONE, graph) is graph


@pytest.mark.parametrize(
    ("name", "world", "data", "said"),
    [
        ("idfe-net-n", ALONE, DataConfig(), "it is for GPUs; leave it out on the CPU"),
        ("idfe-net-n", World(0, 2), DataConfig(), "it is for one process"),
        ("idfe-net-n", ALONE, DataConfig(multi_scale=True), "--multi-scale and --rect change the size"),
        ("idfe-net-polar-n", ALONE, DataConfig(), "some rows draw random numbers"),
        ("rtvpnet-plain-n", ALONE, DataConfig(), "a network that reads text"),
    ],
)
def test_what_cannot_be_recorded_is_refused(name, world, data, said, monkeypatch):
    graph = network(name)
    if "GPU" not in said:
        monkeypatch.setattr(torch.Tensor, "is_cuda", True)
    with pytest.raises(ConfigError, match=f"^--cuda-graph: {said}"):
        replayed(graph, replace(ASKED, data=data), world, graph)
