"""RTVPNet whole: what its rows add to the plain detector, and what they leave alone."""

import copy
import hashlib

import pytest
import torch
from torch.nn.functional import normalize

from models.graph.builder import build_graph
from models.graph.folded import static_graph
from models.prompts.embedding import SAMEmbedding
from models.prompts.projection import DomainProjection
from models.rows.model_spec import read_spec
from utils.config.config import Config
from utils.training.state import EMA
from utils.values.batch import Targets
from utils.values.step_info import StepInfo

TEXTS = 5
PLAIN = {"s": 12_759_864, "m": 28_376_142, "l": 46_832_034, "n": 3_543_679}
PROJECTION = {"s": 1_593_345, "m": 1_650_689, "l": 1_708_033, "n": 649_345}


def build(name, seed=0, **values):
    torch.manual_seed(seed)
    graph = build_graph(read_spec(f"cfg/models/{name}.yaml").with_values(nc=TEXTS, **values))
    generator = torch.Generator().manual_seed(0)
    graph.text.fill(normalize(torch.randn(TEXTS, graph.text.width, generator=generator), dim=-1))
    return graph


def picture(seed=0, size=(64, 96)):
    return torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(seed))


def targets():
    """A small, a middling and a large box: one for each level."""
    boxes = torch.tensor([[8.0, 8.0, 20.0, 20.0], [20.0, 4.0, 56.0, 40.0], [0.0, 0.0, 96.0, 64.0]])
    return Targets(torch.tensor([0, 1, 1]), torch.tensor([1, 4, 2]), boxes)


def of_prompts(layer):
    return type(layer).__module__.startswith("models.prompts")


def count(layers):
    return sum(p.numel() for layer in layers for p in layer.parameters())


def set_gates(graph):
    """Take every gate off its start, so that all rows matter."""
    generator = torch.Generator().manual_seed(1)
    for name, parameter in graph.named_parameters():
        if name.endswith("lower.weight"):
            parameter.data.copy_(0.02 * torch.randn(parameter.shape, generator=generator))
        if name.endswith("alpha_text"):
            parameter.data.fill_(3.0)
    return graph


@pytest.fixture(scope="module")
def random_sam():
    return build("rtvpnet-n", sam="random-frozen")


@pytest.mark.parametrize("scale", PLAIN)
def test_parameters_of_the_parts(scale):
    layers = build(f"rtvpnet-{scale}").layers
    assert count(layer for layer in layers if not of_prompts(layer)) == PLAIN[scale]
    assert count(layer for layer in layers if isinstance(layer, DomainProjection)) == PROJECTION[scale]


def test_shapes_of_the_published_log():
    first, *others = (layer for layer in build("rtvpnet-s").layers if isinstance(layer, DomainProjection))
    shapes = [tuple(p.shape) for p in first.own.parameters()]
    assert shapes == [
        *((128, 256, 3, 3), (128,), (1, 128, 3, 3), (1,)),
        *((256, 257, 3, 3), (256,), (256, 256, 3, 3), (256,)),
    ]
    for layer, channels in zip((first, *others), (32, 64, 128), strict=True):
        assert layer.lift.weight.shape == (256, channels, 1, 1) and layer.lower.weight.shape == (channels, 256, 1, 1)
        assert layer.convolutions is first.own


@pytest.mark.parametrize("name", ["rtvpnet-n", "rtvpnet-energy-n", "rtvpnet-projection-n"])
@torch.no_grad()
def test_identity_at_the_start(name, random_sam, moment_when):
    """With text alone as guide, the same predictions as the plain detector's with the same weights, seen or blind."""
    graph = copy.deepcopy(random_sam) if name == "rtvpnet-n" else build(name, sam="random-frozen")
    plain = build("rtvpnet-plain-n", seed=1)
    for layer, other in zip(plain.layers, [x for x in graph.layers if not of_prompts(x)], strict=True):
        layer.load_state_dict(other.state_dict())
    for blind in (True, False):
        step_info = moment_when(bypass=True, blind=blind)
        got, want = graph.eval()(picture(), step_info=step_info), plain.eval()(picture())
        assert (got.class_logits - want.class_logits).abs().max() < 1e-5
        assert (got.boxes - want.boxes).abs().max() < 1e-4  # px


def test_reconstruction_starts_at_two_on_every_level(random_sam):
    with torch.no_grad():
        predictions = random_sam.train()(picture(), step_info=StepInfo(0, 0, 0.0))
    assert len(predictions.reconstructions) == len(predictions.energies) == 3
    for loss, energy in zip(predictions.reconstructions, predictions.energies, strict=True):
        assert loss.shape == (2,) and energy.shape == (2, 4, 6)
        assert loss.tolist() == pytest.approx([2.0, 2.0], abs=0.2)


def test_off_has_energies_and_no_reconstruction():
    predictions = build("rtvpnet-projection-n").train()(picture(), step_info=StepInfo(0, 0, 0.0))
    assert len(predictions.energies) == 3 and not predictions.reconstructions


def test_mixed_precision_keeps_energies_and_losses_in_fp32(random_sam, moment_when):
    step_info = moment_when(bypass=False, blind=False)
    with torch.no_grad():
        full = random_sam.train()(picture(), step_info=step_info)
        with torch.autocast("cpu", torch.bfloat16):
            mixed = random_sam(picture(), step_info=step_info)
    for part, other in zip(
        (*full.energies, *full.reconstructions), (*mixed.energies, *mixed.reconstructions), strict=True
    ):
        assert other.dtype == torch.float32 and (part - other).abs().max() < 0.1


def digest(sam):
    content = hashlib.sha256()
    for name, tensor in sam.networks.state_dict().items():
        content.update(name.encode() + tensor.numpy().tobytes())
    return content.hexdigest()


def test_three_steps_reach_every_parameter_and_nothing_frozen(random_sam, moment_when):
    graph = copy.deepcopy(random_sam).train()
    cfg = Config()
    criterion, optimizer = graph.head.criterion(cfg), torch.optim.AdamW(graph.parameters(), 1e-3)
    sam = next(layer for layer in graph.layers if isinstance(layer, SAMEmbedding)).sam
    before, reached, names = digest(sam), set(), {name for name, _ in graph.named_parameters()}
    guided, bypassed = moment_when(bypass=False, blind=False), moment_when(bypass=True, blind=True)
    for step, step_info in enumerate((guided, bypassed, guided)):
        optimizer.zero_grad()
        sum(criterion(graph(picture(step), step_info=step_info), targets()).parts().values()).backward()
        gradients = {name: p.grad for name, p in graph.named_parameters()}
        assert all(g is not None and g.isfinite().all() for g in gradients.values())
        reached |= {name for name, g in gradients.items() if g.any()}
        optimizer.step()
    assert reached == names
    assert digest(sam) == before


def test_a_copy_shares_as_the_original_does(random_sam):
    twin = EMA(random_sam, 0.9, 10).module
    projections = [layer for layer in twin.layers if isinstance(layer, DomainProjection)]
    assert all(layer.convolutions is projections[0].own for layer in projections)
    original = next(layer for layer in random_sam.layers if isinstance(layer, DomainProjection))
    assert projections[0].own is not original.own
    assert count(twin.layers) == count(random_sam.layers)


def test_weights_do_not_depend_on_the_mode(random_sam):
    """What is trained with Mobile-SAM runs without it, and the other way round."""
    none, weights = build("rtvpnet-n", seed=1), random_sam.state_dict()
    assert list(none.state_dict()) == list(weights)
    none.load_state_dict(weights)


@torch.no_grad()
def test_permuting_names_permutes_the_logits(random_sam):
    graph, order = set_gates(copy.deepcopy(random_sam)).eval(), torch.tensor([4, 2, 0, 1, 3])
    logits = graph(picture()).class_logits
    permuted = graph(picture(), phrases=order)
    torch.testing.assert_close(permuted.class_logits, logits[..., order], atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_evaluation_draws_nothing_and_pictures_do_not_mix(random_sam):
    graph = set_gates(copy.deepcopy(random_sam)).eval()
    first, again = graph(picture()), graph(picture())
    assert torch.equal(first.boxes, again.boxes) and torch.equal(first.class_logits, again.class_logits)
    alone = graph(picture()[1:])
    torch.testing.assert_close(alone.class_logits[0], first.class_logits[1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["rtvpnet-n", "rtvpnet-energy-n", "rtvpnet-projection-n"])
@torch.no_grad()
def test_static_network_is_the_one_without_mobile_sam_and_visual_guides(name, moment_when):
    graph = set_gates(build(name)).eval()
    static = static_graph(graph)
    want, got = graph(picture(), step_info=moment_when(bypass=True)), static(picture())
    assert (got.class_logits - want.class_logits).abs().max() < 1e-4
    assert (got.boxes - want.boxes).abs().max() < 1e-3
    assert static.text is None and not any(of_prompts(x) and "Static" not in type(x).__name__ for x in static.layers)
    # The log's 1.59 M would remain without folding.
    assert count(x for x in static.layers if of_prompts(x)) == sum(2 * c * 64 * 9 + 64 + c for c in (16, 32, 64))
    plain = static_graph(build("rtvpnet-plain-n"))
    assert count(static.layers) == count(plain.layers) + count(x for x in static.layers if of_prompts(x))
