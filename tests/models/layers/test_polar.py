"""Fusion rows start as the picture alone, are it exactly without polarization, and cost what they should."""

import pytest
import torch
import torch.nn.functional as F

from models.graph.builder import build_graph
from models.graph.model_summary import summarise
from models.layers.conv import Conv
from models.layers.polar import PolarAdd, PolarConv, PolarGate
from models.ready.starting_weights import StartingWeights
from models.rows.model_spec import read_spec
from models.rows.row_context import Context
from utils.values.channels import Channels
from utils.values.step_info import StepInfo
from utils.words.errors import ConfigError

VARIANTS = ("idfe-net-polar-n", "idfe-net-polar-add-n", "idfe-net-polar-concat-n")


def pair(planes=1, batch=2, size=32, seed=0):
    torch.manual_seed(seed)
    return [torch.rand(batch, 3, size, size), torch.rand(batch, planes, size, size)]


def graph_of(name, channels=None):
    torch.manual_seed(0)
    return build_graph(read_spec(f"cfg/models/{name}.yaml"), channels).eval()


@pytest.mark.parametrize(("planes", "parameters"), [(1, 481), (3, 487)])
def test_gate_has_its_size_and_starts_shut(planes, parameters):
    gate, inputs = PolarGate([3, planes]), pair(planes)
    assert sum(p.numel() for p in gate.parameters()) == parameters
    for mode in (True, False):
        assert torch.equal(gate.train(mode)(inputs, Context()), inputs[0])


def test_gate_costs_little():
    row = summarise(graph_of("idfe-net-polar"), 640)[0]
    assert row.parameters == 481 and row.flops < 0.376e9 / 60  # a gate for every pixel: 0.376 GFLOPs


@pytest.mark.parametrize("planes", [1, 3])
def test_gate_of_one_px_is_that_of_the_specification(planes):
    gate, (image, polar) = PolarGate([3, planes], stride=1).eval(), pair(planes)
    torch.nn.init.normal_(gate.gamma)
    projected = gate.project(polar)
    opening = gate.gate(gate.mix(torch.cat((image, projected), 1))).sigmoid()
    expected = image + gate.gamma.view(1, 3, 1, 1) * opening * projected
    torch.testing.assert_close(gate([image, polar], Context()), expected)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_gate_of_a_tile_is_that_of_its_mean_and_polarization_keeps_its_pixels(layout):
    gate, planes = PolarGate([3, 2], stride=4).eval(), torch.rand(2, 5, 16, 32).to(memory_format=layout)
    torch.nn.init.normal_(gate.gamma)
    image, polar = planes[:, :3], planes[:, 3:]
    small = [F.avg_pool2d(x, 4) for x in (image, polar)]
    opening = gate.gate(gate.mix(torch.cat((small[0], gate.project(small[1])), 1))).sigmoid()
    opening = F.interpolate(opening, scale_factor=4)
    expected = image + gate.gamma.view(1, 3, 1, 1) * opening * gate.project(polar)
    torch.testing.assert_close(gate([image, polar], Context()), expected)


def test_gate_learns_under_bf16():
    gate, (image, polar) = PolarGate([3, 1]), pair()
    with torch.autocast("cpu", torch.bfloat16):
        out = gate([image, polar], Context())
    out.square().sum().backward()
    assert out.dtype == torch.float32 and gate.gamma.grad.abs().min() > 0


@pytest.mark.parametrize("stride", [0, 1.5])
def test_stride_of_a_gate_is_refused(stride):
    with pytest.raises(ValueError, match="stride is a whole number"):
        PolarGate([3, 1], stride=stride)


def test_open_gate_without_polarization_is_the_picture():
    gate, (image, polar) = PolarGate([3, 1]).eval(), pair()
    torch.nn.init.ones_(gate.gamma)
    assert torch.equal(gate([image, torch.zeros_like(polar)], Context()), image)
    assert not torch.allclose(gate([image, polar], Context()), image)


def test_add():
    image, polar = pair()
    polar[1] = 0
    out = PolarAdd([3, 1])([image, polar], Context())
    torch.testing.assert_close(out[0], (image[0] + polar[0]) / 2)
    assert torch.equal(out[1], image[1])
    with pytest.raises(ValueError, match="cannot add 2 planes"):
        PolarAdd([3, 2])


def test_concat_is_one_convolution_of_all_planes():
    fused, (image, polar) = PolarConv([3, 2], 16, 6, 2, 2).eval(), pair(2)
    assert torch.equal(fused([image, polar], Context()), fused([image, polar * 0], Context()))
    torch.nn.init.normal_(fused.polar.weight)
    whole = Conv(5, 16, 6, 2, 2).eval()
    whole.conv.weight.data = torch.cat((fused.conv.weight, fused.polar.weight), 1)
    torch.testing.assert_close(fused([image, polar], Context()), whole(torch.cat((image, polar), 1)))


def test_polarization_is_withheld_by_the_step_and_only_in_training():
    gate, (_, polar) = PolarGate([3, 1]), pair(batch=64)
    shares = []
    for step in range(20):
        step_info = Context(StepInfo(0, step, 0.0))
        shown = gate.train().shown(polar, step_info)
        assert torch.equal(shown, gate.shown(polar, Context(StepInfo(0, step, 0.5))))
        withheld = ~shown.flatten(1).any(1)
        assert torch.equal(shown[~withheld], polar[~withheld])
        shares.append(withheld.float().mean().item())
    assert 0.07 < sum(shares) / len(shares) < 0.13 and len(set(shares)) > 3
    assert gate.eval().shown(polar, Context(StepInfo(0, 0, 0.0))) is polar


def test_what_is_withheld_does_not_hang_on_how_a_batch_is_spread():
    """Two processes withhold from the pictures from which one would."""
    gate, polar, pictures = PolarAdd([3, 1], dropout=0.5).train(), torch.ones(8, 1, 2, 2), (5, 3, 12, 4, 40, 41, 7, 0)
    whole = gate.shown(polar, Context(StepInfo(0, 9, 0.0, pictures)))
    assert 0 < whole.mean() < 1
    for places in ([0, 2, 4, 6], [1, 3, 5, 7], [7, 0, 3]):
        part = gate.shown(polar[places], Context(StepInfo(0, 9, 0.0, tuple(pictures[k] for k in places))))
        assert torch.equal(part, whole[places])
    assert gate.shown(polar[:1], Context(StepInfo(0, 9, 0.0))).shape == (1, 1, 2, 2), "a blank picture has no number"
    assert gate.train().shown(polar, Context()) is polar


@pytest.mark.parametrize("name", ["idfe-net-polar-n", "idfe-net-polar-concat-n"])
def test_weights_without_polarization_fit_and_give_the_same_output(name, tmp_path):
    plain, fused = graph_of("idfe-net-n"), graph_of(name)
    for parameter in plain.parameters():
        parameter.data.add_(0.01)
    names = list("abcde")
    weights = {"ema": {"module": plain.state_dict()}}
    start = StartingWeights(tmp_path / "rgb.pt", weights, plain.spec, plain.channels, None, tuple(names))
    words = start.fill(fused, names).line
    assert f"{len(plain.state_dict())} of {len(fused.state_dict())} tensors taken" in words and ", 0 left out" in words
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        want, got = plain(image), fused(torch.cat((image, torch.rand(1, 1, 64, 64)), 1))
    torch.testing.assert_close(got.boxes, want.boxes, rtol=0, atol=0)
    torch.testing.assert_close(got.class_logits, want.class_logits, rtol=0, atol=0)


@pytest.mark.parametrize("name", VARIANTS)
def test_three_planes_of_polarization_build_and_two_inputs_are_told_apart(name):
    channels = Channels(polar=("dolp", "aolp_sin2", "aolp_cos2"))
    graph = graph_of(name, channels)
    image = torch.rand(1, 6, 64, 64)
    with torch.no_grad():
        assert torch.equal(graph(image).boxes, graph(image.clone()).boxes)
        zero = torch.cat((image[:, :3], torch.zeros(1, 3, 64, 64)), 1)
        same = torch.equal(graph(image).boxes, graph(zero).boxes)
    assert same == (name != "idfe-net-polar-add-n")  # the others start without polarization


def test_data_without_polarization_is_named():
    with pytest.raises(
        ConfigError, match=r"idfe-net-polar-n.yaml:\d+: row 0 .*'polar'; its data needs the key 'polar'"
    ):
        graph_of("idfe-net-polar-n", Channels())


def test_a_network_without_fusion_reads_the_image_alone():
    graph, plain = graph_of("idfe-net-n", Channels(polar=("dolp",))), graph_of("idfe-net-n")
    image = torch.rand(1, 4, 64, 64)
    with torch.no_grad():
        assert torch.equal(graph(image).boxes, plain(image[:, :3]).boxes)
