"""Every layer against the reference values of the published modules, and against first principles."""

import pytest
import torch
from torch import nn

import models.layers  # noqa: F401
from models.layers.attention import TR, TR2, ConvMHSA
from models.layers.context import GCM, space_to_depth
from models.layers.conv import Conv
from models.layers.edge import EGM, C2f_ContextGuided, EdgeGuidedBlock
from models.layers.fuse import Concat, ConcatConv, TwoStepFusion
from models.layers.ghost import C5Ghost
from tests.goldens.fill import fill_module, load, wave

GOLDENS = {case["name"]: case for case in load("modules")["cases"]}


class FoldThenConv(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = Conv(16, 8)

    def forward(self, x):
        return self.conv(space_to_depth(x))


BUILDERS = {
    "EdgeGuidedBlock": lambda: EdgeGuidedBlock(32),
    "EGM": lambda: EGM(16, 64),
    "GCM raw": lambda: GCM([16, 8], gate_layout="raw", shared_bn=True),
    "GCM shuffle": lambda: GCM([16, 8]),
    "space_to_depth_cbs": FoldThenConv,
    "Concat_b E2": lambda: TwoStepFusion([4, 8]),
    "Concat_b BASIC": lambda: ConcatConv([4, 4]),
    "TR1": lambda: TR(16, shared_bn=True),
    "TR2": lambda: TR2(16, shared_bn=True),
    "C2f_ContextGuided": lambda: C2f_ContextGuided(16, 64),
    "C5Ghost": lambda: C5Ghost(16, 64, 2),
}


@pytest.mark.parametrize("name", GOLDENS)
def test_module_golden(name):
    case, module = GOLDENS[name], fill_module(BUILDERS[name]())
    inputs = [wave(i["kind"], i["shape"]) for i in case["inputs"]]
    with torch.no_grad():
        out = module(inputs if len(inputs) > 1 else inputs[0])
    flat = out.flatten()
    assert list(out.shape) == case["out_shape"]
    got = [flat.sum(), flat.std(correction=0), *flat[:4], *flat[-2:]]
    want = [case["sum"], case["std"], *case["first"], *case["last"]]
    assert torch.stack(got).tolist() == pytest.approx(want, abs=1e-7)


@pytest.mark.parametrize("layout", ["raw", "shuffle"])
def test_gate_layout(layout):
    mask, case = load("modules")["gcm_mask"], GOLDENS["GCM raw"]
    module = fill_module(GCM([16, 8], gate_layout=layout))
    with torch.no_grad():
        gate = module.gate(wave("cos", case["inputs"][0]["shape"]))
    assert list(gate.shape[2:]) == mask["shape"]
    assert gate[0, 0, :2].tolist() == [pytest.approx(row, abs=1e-6) for row in mask[layout]]


def materialised_scores(module: GCM, guide: torch.Tensor) -> torch.Tensor:
    """All H*W x H*W scores, pooled afterwards: what the published code computes. (B, HW, 2, 2)."""
    normed = module.bn_guide(guide)
    height, width = guide.shape[2:]
    scores = module.query(normed).flatten(2).transpose(1, 2) @ module.key(normed).flatten(2)
    return nn.functional.adaptive_avg_pool2d(scores.view(-1, height * width, height, width), 2)


@pytest.mark.parametrize("size", [(8, 8), (5, 9), (7, 4), (1, 3)])
def test_pooled_keys_equal_materialised_scores(size):
    torch.manual_seed(0)
    module, guide = GCM([16, 8]).eval(), torch.randn(2, 16, *size)
    scores = materialised_scores(module, guide)
    gate = module.gate(guide)
    for i in range(2):
        for j in range(2):
            want = scores[:, :, i, j].view(2, *size).sigmoid()
            torch.testing.assert_close(gate[:, 0, i::2, j::2], want, atol=1e-5, rtol=1e-5)


def test_raw_layout_index_map():
    """Position (y, x), quadrant (i, j) -> row 2y + (4x+2i+j) // 2W, column (4x+2i+j) mod 2W, on a 4x6 guide."""
    module = GCM([16, 8], gate_layout="raw").double().eval()
    guide = torch.randn(1, 16, 4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    gate, scores = module.gate(guide)[0, 0], materialised_scores(module, guide)[0].sigmoid()
    for y in range(4):
        for x in range(6):
            for i in range(2):
                for j in range(2):
                    row, column = divmod(4 * x + 2 * i + j, 12)
                    assert gate[2 * y + row, column].item() == pytest.approx(scores[y * 6 + x, i, j].item(), abs=1e-12)


def test_edge_block_gradient_under_bf16_autocast_on_channels_last():
    """A known fault of torch 2.13 on the CPU: the dilated depthwise weight gradient is garbage there unless kept in
    fp32.
    """
    torch.manual_seed(0)
    block = EdgeGuidedBlock(32).train()
    x = torch.randn(2, 32, 20, 20)
    reference = EdgeGuidedBlock(32).train().double()
    reference.load_state_dict(block.state_dict())
    reference(x.double()).square().mean().backward()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = block.to(memory_format=torch.channels_last)(x.to(memory_format=torch.channels_last))
    out.float().square().mean().backward()
    got, want = block.surround.weight.grad.double(), reference.surround.weight.grad
    assert (got - want).norm() / want.norm() < 0.05


def test_space_to_depth_phase_order():
    x = torch.arange(4.0).view(1, 1, 2, 2)
    assert space_to_depth(x).flatten().tolist() == [0, 2, 1, 3]


@pytest.mark.parametrize("size", [(8, 8), (5, 9), (1, 3)])
def test_mean_key_equals_mean_of_all_scores(size):
    torch.manual_seed(0)
    module, x = ConvMHSA(16, 4).eval(), torch.randn(2, 16, *size)
    scores = module.query(x).flatten(2).transpose(1, 2) @ module.key(x).flatten(2)
    want = module.value(x) * scores.mean(2).view(2, 1, *size).sigmoid()
    torch.testing.assert_close(module(x), want, atol=1e-5, rtol=1e-5)


SWITCHED = {
    "GCM": (lambda shared: GCM([16, 8], shared_bn=shared), [(2, 16, 4, 4), (2, 8, 8, 8)], 16),
    "TR": (lambda shared: TR(8, shared_bn=shared), [(2, 8, 8, 8)], 8),
    "TR2": (lambda shared: TR2(8, shared_bn=shared), [(2, 8, 8, 8)], 8),
}


@pytest.mark.parametrize("name", SWITCHED)
def test_shared_norm_is_one_object_under_one_name(name):
    """One name, or the running average of the weights would move it twice a step; two maps, so two updates a step."""
    build, shapes, channels = SWITCHED[name]
    shared, apart = build(True), build(False)
    assert sum(p.numel() for p in apart.parameters()) - sum(p.numel() for p in shared.parameters()) == 2 * channels
    state = shared.state_dict()
    assert len({t.data_ptr() for t in state.values()}) == len(state)
    inputs = [torch.randn(s) for s in shapes]
    for module, want in ((shared, 2), (apart, 1)):
        module.train()(inputs if len(inputs) > 1 else inputs[0])
        updates = {n: int(t) for n, t in module.state_dict().items() if n.endswith("num_batches_tracked")}
        assert max(updates.values()) == want


def test_dead_weights_are_frozen_and_change_nothing():
    inputs = [torch.randn(1, 4, 2, 2), torch.randn(1, 12, 2, 2)]
    plain, dead = Concat([4, 12]), Concat([4, 12], dead_weights=True)
    assert not list(plain.parameters())
    assert sum(p.numel() for p in dead.parameters()) == 16 * 16 + 2 * 16
    assert not any(p.requires_grad for p in dead.parameters())
    assert torch.equal(plain(inputs), dead(inputs))


def test_edge_init_starts_from_edge_operators():
    torch.manual_seed(0)
    kernels = EGM(16, 64, edge_init=True).inner.local.weight.detach()[:, 0]
    ramp = torch.arange(3.0).expand(3, 3)
    flat, across, down = ((kernels * p).sum((1, 2)) for p in (torch.ones(3, 3), ramp, ramp.T))
    assert flat.abs().max() < 1e-6
    unit = 8 / 12**0.5 / 3**0.5  # a Sobel kernel of norm 1/sqrt(3) on a ramp of slope 1
    assert across[:5].tolist() == pytest.approx([unit, -unit, 0, 0, 0], abs=1e-6)
    assert down[:5].tolist() == pytest.approx([0, 0, unit, -unit, 0], abs=1e-6)
    assert kernels[4, 1, 1] < 0 and torch.equal(kernels[4], kernels[4].T)
    usual = EGM(16, 1024).inner.local.weight.detach().square().sum((1, 2, 3)).mean()
    assert kernels.square().sum((1, 2)).tolist() == pytest.approx([usual.item()] * 16, rel=0.05)
    assert torch.equal(kernels[5], kernels[0])
