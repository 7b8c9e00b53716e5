"""What is written computes what the network does, at other sizes and batches than it was traced with."""

import functools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, normalize

from models.exporting.export_form import ExportForm
from models.exporting.onnx_writer import onnx_model
from models.exporting.openvino_writer import openvino_model
from models.exporting.torchscript_writer import torchscript
from models.graph.builder import build_graph
from models.graph.folded import static_graph
from models.layers.context import quadrant_means
from models.ready.load import for_inference
from models.rows import registry
from models.rows.model_spec import parse_spec, read_spec
from models.rows.row_context import Context
from utils.values.channels import ANGLES, Channels
from utils.words.errors import ConfigError
from utils.words.yamlio import Document, parse_yaml

pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

CLASSES = 3
SIZES = ((5, 7), (3, 4), (11, 2))  # in strides; traced at 6 x 8
BATCHES = (2, 3)  # traced with 1
NARROW = {"width_multiple": 0.125, "depth_multiple": 0.33, "nc": CLASSES}


def spec_of(file: Path):
    """The rows of a file, as narrow as they can be."""
    spec = read_spec(file)
    return spec.with_values(**NARROW, **({"text_dim": 24} if spec.text_dim else {}))


def wiring(file):
    """What tells a network from one that is only wider or deeper."""
    rows = spec_of(file).rows
    words = [[arg for arg in row.args if isinstance(arg, str)] for row in rows]
    return str(
        [(row.module, row.sources, row.repeats > 1, row.keywords, w) for row, w in zip(rows, words, strict=True)]
    )


ALL = sorted(Path("cfg/models").glob("*.yaml"))
FILES = list({wiring(file): file for file in reversed(ALL)}.values())[::-1]
READING = [file for file in FILES if read_spec(file).text_dim]
FOUR = ["idfe-net-n", "idfe-net-free-n", "idfe-net-polar-n", "rtvpnet-n"]


def randomised(graph, seed=0):
    """In eval mode as training leaves it: whatever starts at 0 is off it, and BatchNorms have seen pictures, so that
    what a picture shows reaches the scores.
    """
    random = torch.Generator().manual_seed(seed)
    for parameter in graph.parameters():
        if parameter.ndim < 2 or not parameter.any():
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=random)
    graph.train()
    for norm in graph.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = 1.0
    with torch.no_grad():
        graph(pictures_of(graph, 3, 4, 4, random))
    return graph.eval().requires_grad_(False)


def pictures_of(graph, batch, height, width, random):
    """Coarse noise: two pictures differ at every scale."""
    planes, stride = len(graph.channels.names), graph.stride
    coarse = torch.rand(batch, planes, 2 * height, 2 * width, generator=random)
    large = nn.functional.interpolate(coarse, scale_factor=stride // 2, mode="bilinear")
    return (large + 0.2 * torch.rand(large.shape, generator=random)).clamp(max=1)


def texts(count, width, seed=0):
    return normalize(torch.randn(count, width, generator=torch.Generator().manual_seed(seed)), dim=-1)


@functools.cache
def network(file, seed=0):
    torch.manual_seed(seed)
    spec = spec_of(file)
    count = 1 if "-add" in file.stem else 4  # planes of polar: added to a picture, or beside it
    channels = Channels(polar=ANGLES[:count]) if spec.reads("polar") else Channels()
    graph = build_graph(spec, channels)
    if graph.text is not None:
        graph.text.fill(texts(CLASSES, graph.text.width))
    return randomised(graph)


def inputs(form, batch, height, width, names=CLASSES + 4):
    graph = form.graph
    pictures = pictures_of(graph, batch, height, width, torch.Generator().manual_seed(batch + height))
    return (pictures,) if graph.text is None else (pictures, texts(names, graph.text.width, seed=5))


def by_onnx(model):
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]
    return lambda given: session.run(None, dict(zip(names, (one.numpy() for one in given), strict=True)))[0]


@torch.no_grad()
def compare(form, run, sizes=SIZES, batches=BATCHES):
    for height, width in sizes:
        for batch in batches:
            given = inputs(form, batch, height, width)
            wanted, got = form(*given).numpy(), run(given)
            assert got.shape == wanted.shape and got.dtype == np.float32
            scores = wanted[..., 4:]
            assert np.abs(scores[0] - scores[1]).max() > 0.005 * scores.max(), "the pictures make no difference"
            # such networks multiply rounding by thousands; whatever is done otherwise changes all of a picture
            boxes, said = (np.abs(got - wanted)[..., part] for part in (slice(4), slice(4, None)))
            assert boxes.max() < 3 and boxes.mean() < 0.02, (height, width, batch)
            assert said.max() < 1e-2 and said.mean() < 2e-5, (height, width, batch)


def test_all_networks_are_here():
    assert len(ALL) >= 35 and len(FILES) >= 25
    assert {wiring(file) for file in ALL} == {wiring(file) for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_onnx_of_every_network(file):
    form = ExportForm(network(file))
    compare(form, by_onnx(onnx_model(form)))


@pytest.mark.parametrize("file", READING, ids=lambda file: file.stem)
def test_onnx_that_takes_text(file):
    form = ExportForm(network(file), text_input=True)
    compare(form, by_onnx(onnx_model(form)))


@pytest.mark.parametrize("name", FOUR)
@pytest.mark.parametrize("text_input", [False, True])
def test_openvino(name, text_input):
    openvino = pytest.importorskip("openvino")
    graph = network(Path(f"cfg/models/{name}.yaml"))
    if text_input and graph.text is None:
        pytest.skip("reads no text")
    form = ExportForm(graph, text_input)
    exact = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino.Core().compile_model(openvino_model(onnx_model(form)), "CPU", exact)
    compare(form, lambda given: compiled([one.numpy() for one in given])[0], SIZES[:2], BATCHES[:1])


@pytest.mark.parametrize("name", FOUR)
@pytest.mark.parametrize("text_input", [False, True])
def test_torchscript(name, text_input):
    graph = network(Path(f"cfg/models/{name}.yaml"))
    if text_input and graph.text is None:
        pytest.skip("reads no text")
    form = ExportForm(graph, text_input)
    module = torchscript(form)
    compare(form, lambda given: module(*given).numpy(), SIZES[:2], BATCHES[:1])


@pytest.mark.parametrize("name", FOUR)
@torch.no_grad()
def test_the_form_is_the_network(name):
    """Bit for bit what val.py runs, with its scores."""
    graph = network(Path(f"cfg/models/{name}.yaml"))
    form = ExportForm(graph)
    (picture,) = inputs(form, 2, 3, 5)
    right = for_inference(graph, static=True).to(memory_format=torch.contiguous_format)(picture)
    scores = right.class_logits.sigmoid()
    if right.objectness is not None:
        scores = scores * right.objectness.sigmoid()[..., None]
    assert torch.equal(form(picture), torch.cat((right.boxes, scores), -1))


def test_a_static_file_has_one_shape():
    form = ExportForm(network(Path("cfg/models/idfe-net-free-n.yaml")))
    stride = form.graph.stride
    run = by_onnx(onnx_model(form, (2, 3 * stride, 5 * stride)))
    compare(form, run, [(3, 5)], [2])
    with pytest.raises(Exception, match=r"[Ii]nvalid dimensions"):
        run(inputs(form, 2, 3, 4))


# --- text ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", READING, ids=lambda file: file.stem)
@torch.no_grad()
def test_text_given_is_as_text_folded_in(file):
    graph = network(file)
    picture = inputs(ExportForm(graph), 2, 3, 4)[0]
    folded, asked = static_graph(graph), static_graph(graph, text_input=True)
    own = graph.text.vectors[:CLASSES]
    wanted, got = folded(picture), asked.run(picture, own, Context(None))
    torch.testing.assert_close(got.class_logits, wanted.class_logits, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(got.boxes, wanted.boxes, rtol=1e-4, atol=1e-3)
    swapped = asked.run(picture, own.flip(0), Context(None))
    torch.testing.assert_close(swapped.class_logits.flip(-1), got.class_logits, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(swapped.class_logits, got.class_logits, atol=1e-2)


@pytest.mark.parametrize("file", READING, ids=lambda file: file.stem)
@torch.no_grad()
def test_more_names_change_no_score(file):
    form = ExportForm(network(file), text_input=True)
    width = form.graph.text.width
    picture, few = inputs(form, 2, 3, 4, names=2)
    many = torch.cat((few, texts(9, width, seed=8)))
    one, other = form(picture, few), form(picture, many)
    assert other.shape[-1] == 4 + 11
    torch.testing.assert_close(other[..., : 4 + 2], one, rtol=1e-5, atol=1e-5)


# --- what ONNX cannot hold ------------------------------------------------------------------------------------------

ODD = """
nc: 3
anchors: [[10, 13, 16, 30, 33, 23]]
backbone:
  - [image, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [8, 3, 2]]
head:
  - [-1, 1, Spectral, [], odd]
  - [[odd], 1, AnchorDetect, [$nc, $anchors]]
"""


class Spectral(nn.Module):
    """The largest singular value of every map, added to it: no operator of ONNX."""

    def __init__(self, c_in: registry.In) -> None:
        super().__init__()

    def forward(self, x):
        return x + torch.linalg.svd(x)[1][..., :1, None]


def test_a_layer_that_onnx_cannot_hold_is_named(monkeypatch):
    monkeypatch.setattr(registry, "_LAYERS", dict(registry._LAYERS))
    registry.register(Spectral)
    spec = parse_spec(Document(Path("odd.yaml"), parse_yaml(ODD, Path("odd.yaml")).data, {}))
    form = ExportForm(build_graph(spec))
    with pytest.raises(ConfigError, match=r"odd\.yaml.*: row 2 \(Spectral\): ONNX cannot hold it: .*svd") as raised:
        onnx_model(form)
    assert "\n" not in str(raised.value)
    picture = inputs(form, 2, 3, 4)  # torch itself traces it
    assert torch.allclose(torchscript(form)(*picture), form(*picture), atol=1e-4)


@pytest.mark.parametrize("height", [2, 3, 8, 9])
@pytest.mark.parametrize("width", [2, 5, 6])
@pytest.mark.parametrize("traced", [(4, 4), (7, 5)])
def test_quadrant_means_in_a_trace(height, width, traced):
    trace = torch.jit.trace(quadrant_means, torch.rand(1, 3, *traced), check_trace=False)
    x = torch.rand(2, 3, height, width)
    torch.testing.assert_close(trace(x), adaptive_avg_pool2d(x, 2))
    assert torch.equal(quadrant_means(x), adaptive_avg_pool2d(x, 2))
