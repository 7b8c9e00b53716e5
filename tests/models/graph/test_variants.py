"""Every file of cfg/models: it builds, runs at two sizes, trains a step, and its weights can be stored."""

import io
from pathlib import Path

import pytest
import torch
from torch.nn.functional import normalize

from models.graph.builder import build_graph
from models.rows.model_spec import read_spec
from utils.config.config import Config
from utils.training.optimizer import build_optimizer
from utils.values.batch import Targets

PARAMETERS = {
    "IDFE-Net-Enhanced version": 11_132_180,
    "IDFE-Net-Enhanced version2": 11_379_476,
    "ablations/idfe-net-free-c2f-edge-n": 3_941_487,
    "ablations/idfe-net-free-concat-n": 3_240_012,
    "ablations/idfe-net-free-context-n": 1_984_175,
    "ablations/idfe-net-free-edge-n": 2_126_540,
    "ablations/idfe-net-free-edge-wide-n": 2_624_926,
    "ablations/idfe-net-free-raw-n": 3_281_740,
    "ablations/idfe-net-lite0-edge-n": 4_611_279,
    "ablations/idfe-net-lite0-late-context-n": 5_180_399,
    "ablations/idfe-net-polar-add-lite0-n": 5_188_587,
    "ablations/idfe-net-tower-n": 4_413_719,
    "ablations/rtvpnet-lite0-energy-n": 6_311_408,
    "ablations/rtvpnet-lite0-plain-n": 5_442_159,
    "ablations/rtvpnet-lite0-projection-n": 6_111_984,
    "idfe-net": 11_379_476,
    "idfe-net-basic": 11_055_512,
    "idfe-net-basic-n": 2_783_449,
    "idfe-net-c1": 9_531_778,
    "idfe-net-c2": 12_009_716,
    "idfe-net-c2f": 15_834_639,
    "idfe-net-c2f-n": 3_869_295,
    "idfe-net-c3": 11_303_768,
    "idfe-net-context": 6_211_226,
    "idfe-net-edge": 6_769_172,
    "idfe-net-free": 13_470_473,
    "idfe-net-free-n": 3_281_740,
    "idfe-net-lite0-n": 5_188_587,
    "idfe-net-lite2-s": 10_454_771,
    "idfe-net-m": 25_547_601,
    "idfe-net-n": 2_863_639,
    "idfe-net-p2-n": 2_900_661,
    "idfe-net-parity": 12_757_524,
    "idfe-net-polar": 11_379_957,
    "idfe-net-polar-add-c2f-n": 3_869_295,
    "idfe-net-polar-add-n": 2_863_639,
    "idfe-net-polar-c2f-n": 3_869_776,
    "idfe-net-polar-concat-c2f-n": 3_869_871,
    "idfe-net-polar-concat-n": 2_864_215,
    "idfe-net-polar-lite0-n": 5_189_068,
    "idfe-net-polar-n": 2_864_120,
    "rtvpnet-energy-n": 4_392_448,
    "rtvpnet-lite0-n": 7_051_762,
    "rtvpnet-l": 50_451_109,
    "rtvpnet-m": 31_872_337,
    "rtvpnet-n": 5_153_282,
    "rtvpnet-plain-n": 3_543_679,
    "rtvpnet-projection-n": 4_193_024,
    "rtvpnet-s": 16_067_643,
}
SAME_WIRING = {"IDFE-Net-Enhanced version2", "idfe-net-basic-n", "idfe-net-m", "idfe-net-n"}  # as another file
SAME_WIRING |= {"idfe-net-lite2-s", "idfe-net-polar", "rtvpnet-s", "rtvpnet-m", "rtvpnet-l"}

CLASSES = 5


def read(name: str):
    return read_spec(f"cfg/models/{name}.yaml").with_values(nc=CLASSES)


def build(spec, seed: int = 0):
    graph = build_graph(spec)
    if graph.text is not None:
        width = graph.text.width
        graph.text.fill(normalize(torch.randn(CLASSES, width, generator=torch.Generator().manual_seed(seed))))
    return graph


def anchor_free(name: str) -> bool:
    return any(part in name for part in ("free", "c2f", "lite")) or name.startswith("rtvpnet")


def test_every_file_is_listed_above():
    folder = Path("cfg/models")
    assert {p.relative_to(folder).with_suffix("").as_posix() for p in folder.rglob("*.yaml")} == set(PARAMETERS)


@pytest.mark.parametrize("name", PARAMETERS)
def test_file_says_its_parameters(name):
    comment = Path(f"cfg/models/{name}.yaml").read_text(encoding="utf-8").split("nc:")[0]
    assert f"{PARAMETERS[name]:,} parameters" in " ".join(comment.replace("\n#", " ").split())


@pytest.mark.parametrize("name", PARAMETERS)
def test_builds_and_runs_at_two_sizes(name):
    graph = build(read(name))
    assert sum(p.numel() for p in graph.parameters()) == PARAMETERS[name]
    assert graph.strides == ((4, 8, 16, 32) if "-p2-" in name else (8, 16, 32))
    for height, width in ((64, 64), (96, 32)):
        image = torch.rand(2, len(graph.channels.names), height, width)
        per_cell = 1 if anchor_free(name) else 3
        size = per_cell * sum(height // s * (width // s) for s in graph.strides)
        with torch.no_grad():
            results = graph.train()(image), graph.eval()(image)
        for predictions in results:
            assert predictions.boxes.shape == (2, size, 4)
            assert predictions.class_logits.shape == (2, size, 5)
            assert anchor_free(name) or predictions.objectness.shape == (2, size)
            assert sum(predictions.level_sizes) == size


@pytest.mark.parametrize("name", PARAMETERS)
def test_trains_one_step_and_its_weights_can_be_stored(name):
    torch.manual_seed(0)
    graph, cfg = build(read(name)).train(), Config()
    criterion, optimizer = graph.head.criterion(cfg), build_optimizer(graph, cfg.optim, 2)
    image = torch.rand(2, len(graph.channels.names), 64, 64)
    boxes = torch.tensor([[8.0, 8.0, 40.0, 50.0], [20.0, 4.0, 36.0, 20.0]])
    targets = Targets(torch.tensor([0, 1]), torch.tensor([1, 4]), boxes)
    before = {n: p.clone() for n, p in graph.named_parameters()}
    total = sum(criterion(graph(image), targets).parts().values())
    assert torch.isfinite(total)
    total.backward()
    optimizer.step()
    assert all(torch.isfinite(p).all() for p in graph.parameters())
    still = {n for n, p in graph.named_parameters() if torch.equal(p, before[n])}
    assert all(not p.requires_grad for n, p in graph.named_parameters() if n in still and n.endswith("conv.weight"))

    file = io.BytesIO()
    torch.save(graph.state_dict(), file)
    file.seek(0)
    again = build(read(name)).eval()
    again.load_state_dict(torch.load(file, weights_only=True))
    with torch.no_grad():
        assert torch.equal(again(image).boxes, graph.eval()(image).boxes)


@pytest.mark.parametrize("name", sorted(set(PARAMETERS) - SAME_WIRING))
def test_every_parameter_gets_a_gradient(name):
    """At a quarter of the width; over a few initialisations, because a squeeze of one ReLU unit can start dead; after
    three steps, because some gates start at zero.
    """
    spec = read(name).with_values(width_multiple=0.25)
    silent, frozen = None, set()
    for seed in range(5):
        torch.manual_seed(seed)
        graph = build(spec).train()
        optimizer = torch.optim.SGD(graph.parameters(), 0.01)
        for _ in range(3 if "rtvpnet" in name or "polar" in name else 1):
            optimizer.step()
            optimizer.zero_grad()
            p = graph(torch.rand(2, len(graph.channels.names), 64, 64))
            parts = (p.boxes, p.class_logits, p.objectness, *p.energies)
            sum(part.mean() for part in parts if part is not None).backward()
        frozen = {n for n, q in graph.named_parameters() if not q.requires_grad}
        names = {n for n, q in graph.named_parameters() if q.grad is None or not q.grad.abs().sum() > 0}
        silent = names if silent is None else silent & names
        if silent == frozen:
            break
    assert silent == frozen
    assert all(".unused." in n for n in frozen) and bool(frozen) == (name == "idfe-net-parity")
