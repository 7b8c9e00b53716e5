"""The anchor-free head: boxes by hand, order, priors, cost."""

import math

import pytest
import torch

from models.graph.builder import build_graph
from models.graph.model_summary import summarise
from models.heads.anchor_free import FreeDetect
from models.heads.distances import START_DECAY, decode_distances, distance_predictions
from models.rows.model_spec import read_spec

STRIDES = (8, 16, 32)


def sure(distances: list[float], bins: int = 16) -> torch.Tensor:
    """(N, bins) logits whose expected distance is exactly that, from the two bins around it."""
    logits = torch.full((len(distances), bins), -1e4)
    for row, d in zip(logits, distances, strict=True):
        low = math.floor(d)
        for i, weight in ((low, 1 - (d - low)), (low + 1, d - low)):
            row[i] = math.log(weight) if weight > 0 else -1e4
    return logits


def test_decode_by_hand():
    """From the centre (20, 12) of stride 8: left 1, top 0.25, right 2.5, bottom 14.5 cells."""
    logits = sure([1, 0.25, 2.5, 14.5]).view(1, 1, 4, 16)
    boxes = decode_distances(logits, torch.tensor([[20.0, 12.0]]), torch.tensor([8.0]))
    assert boxes[0, 0].tolist() == pytest.approx([12, 10, 40, 128])


def test_decode_stays_in_float32():
    logits = torch.randn(2, 5, 4, 16, generator=torch.Generator().manual_seed(0)).bfloat16()
    points, strides = torch.rand(5, 2) * 600, torch.full((5,), 8.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        boxes = decode_distances(logits, points, strides)
    assert boxes.dtype == torch.float32
    assert torch.equal(boxes, decode_distances(logits.float(), points, strides))


def test_points_and_order():
    grids = ((2, 3), (1, 2))
    predictions = distance_predictions(torch.zeros(1, 8, 4, 4), torch.zeros(1, 8, 5), grids, (8, 16))
    first = [[x, y] for y in (4.0, 12.0) for x in (4.0, 12.0, 20.0)]
    assert predictions.points.tolist() == [*first, [8.0, 8.0], [24.0, 8.0]]
    assert predictions.strides.tolist() == [8.0] * 6 + [16.0] * 2 and predictions.level_sizes == (6, 2)
    # even bins 0..3: every side 1.5 cells away
    assert predictions.boxes[0, 6].tolist() == pytest.approx([8 - 24, 8 - 24, 8 + 24, 8 + 24])


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_each_prediction_sees_its_own_cell(layout):
    """A bump in one cell reaches exactly the 5 x 5 predictions around it, of its level and picture."""
    torch.manual_seed(0)
    head = FreeDetect(3, [16, 16, 16], STRIDES).eval().to(memory_format=layout)
    maps = [torch.zeros(2, 16, h, w).to(memory_format=layout) for h, w in ((4, 4), (8, 12), (2, 2))]
    before = head(maps)
    maps[1][1, :, 3, 5] = 5.0
    after = head(maps)
    assert before.objectness is None and before.anchors is None and before.code.values.shape == (2, 116, 4, 16)
    want = {(1, 16 + row * 12 + column) for row in range(1, 6) for column in range(3, 8)}
    for one, other in ((before.class_logits, after.class_logits), (before.code.values, after.code.values)):
        change = (other - one).flatten(2).abs().sum(-1)
        assert {tuple(index) for index in change.nonzero().tolist()} == want


def test_priors():
    """Every side starts 1.5 cells away and every class at 5 objects per level of a 640-px picture."""
    head = FreeDetect(5, [16, 16, 16], STRIDES).eval()
    predictions = head([torch.zeros(1, 16, n, n) for n in (4, 2, 1)])
    weights = [math.exp(-START_DECAY * i) for i in range(16)]
    want = sum(i * w for i, w in enumerate(weights)) / sum(weights)
    for out, stride in zip(head.outs, STRIDES, strict=True):
        assert out.bias.sigmoid().sum().item() == pytest.approx(5 / (640 / stride) ** 2, rel=0.01)
    biases = [out.bias.view(1, 1, 4, 16) for out in head.box.outs]
    boxes = decode_distances(biases[0], torch.zeros(1, 2), torch.ones(1))
    assert boxes.flatten().tolist() == pytest.approx([-want, -want, want, want]) and 1.5 < want < 1.55
    assert predictions.boxes.isfinite().all()


@pytest.mark.parametrize("light", [[], ["box"], ["class"], ["box", "class"]])
def test_every_parameter_gets_a_gradient(light):
    torch.manual_seed(0)
    head = FreeDetect(3, [16, 24, 32], STRIDES, bins=8, light=light)
    p = head([torch.randn(2, c, n, n) for c, n in ((16, 8), (24, 4), (32, 2))])
    (p.boxes.square().mean() + p.class_logits.square().mean()).backward()
    assert [n for n, q in head.named_parameters() if q.grad is None or not q.grad.abs().sum() > 0] == []


@pytest.mark.parametrize("wrong", [{"classes": 0}, {"bins": 1}, {"light": ["cls"]}])
def test_mistakes(wrong):
    with pytest.raises(ValueError):
        FreeDetect(**{"classes": 5, "c_ins": [8], "strides": [8], **wrong})


@pytest.mark.parametrize(("name", "gflops"), [("idfe-net-free", 28.672), ("idfe-net-free-n", 7.025)])
def test_cost(name, gflops):
    rows = summarise(build_graph(read_spec(f"cfg/models/{name}.yaml")), 640)
    assert sum(row.flops for row in rows) / 1e9 == pytest.approx(gflops, abs=1e-3)
