"""The gate lets a file through that finds what its network finds, and no other; what is wrong is named."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.exported.about import About
from models.exporting.candidate import OnnxCandidate, OpenVINOCandidate, TorchScriptCandidate, opened
from models.exporting.culprit import first_departing, onnx_rows
from models.exporting.export_form import ExportForm
from models.exporting.gate import TOLERANCES, Compared, Gate, NotEqual, Tolerance, each, matched, worst_drop
from models.exporting.nms_graph import with_nms
from models.exporting.onnx_writer import onnx_model
from models.exporting.openvino_writer import openvino_model
from models.exporting.torchscript_writer import torchscript
from models.graph.builder import build_graph
from models.inference.nms import NMSConfig
from models.ready.load import for_inference
from models.rows.model_spec import parse_spec
from tests.faults.trained_runs import TINY
from tests.models.exporting.test_onnx_writer import network, pictures_of, randomised, texts
from utils.config.config import Config
from utils.deciding.threshold_file import DetectionSettings, Limits
from utils.values.batch import Batch, Targets
from utils.values.boxes import Letterbox
from utils.values.channels import Channels
from utils.values.detections import Detections
from utils.values.predictions import ScoredBoxes
from utils.values.score_thresholds import ScoreThresholds
from utils.values.view import View
from utils.values.weights_identity import WeightsIdentity
from utils.words.yamlio import Document, parse_yaml

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

NAMES = ("a", "b", "c", "d", "e")
NMS = NMSConfig(conf=0.01, iou=0.6, max_det=200)
FILE = TINY.replace("[16, 3, 2], deep]", "[16, 3, 2]]").replace(
    "  - [[deep]", "  - [-1, 1, Upsample, [], up]\n  - [[up, 1], 1, Concat, [], deep]\n  - [[deep]"
)


def tiny(text=FILE):
    """Three convolutions, one map enlarged, a head: sure of much, and quick."""
    torch.manual_seed(0)
    graph = build_graph(parse_spec(Document(Path("tiny.yaml"), parse_yaml(text, Path("tiny.yaml")).data, {})))
    if graph.text is not None:
        graph.text.fill(texts(5, graph.text.width))
    randomised(graph)
    for out in getattr(graph.layers[-1], "convs", ()):
        torch.nn.init.normal_(out.weight, 0, 0.25)
        torch.nn.init.normal_(out.bias, -1, 0.5)
    return graph


def about_of(graph, names=NAMES, **more):
    return About(
        **{"network": "tiny.yaml", "names": names, "channels": graph.channels, "imgsz": 64, "stride": graph.stride},
        **{"config": {k: vars(v) for k, v in vars(Config()).items()}, "epoch": 0, "origin": {}, "gate": {}},
        **{"weights": WeightsIdentity("x.pt", "0"), **more},
    )


def batches_of(graph, counts=(3, 2, 1), sizes=((8, 12), (9, 9), (16, 6))):
    none = Targets(torch.zeros(0).long(), torch.zeros(0).long(), torch.zeros(0, 4))
    random = torch.Generator().manual_seed(3)
    for count, (height, width) in zip(counts, sizes, strict=True):
        shape = (height * graph.stride, width * graph.stride)
        images = (pictures_of(graph, count, height, width, random) * 255).byte()
        views = tuple(Letterbox.fit(shape, shape).view(k) for k in range(count))
        yield Batch(images, none, tuple(range(count)), views)


def passed(graph, candidate, cfg=NMS, limits=None, **more):
    """What the gate says of a candidate."""
    about = about_of(graph, **more)
    with opened(candidate, about) as file:
        network = for_inference(graph, static=True)
        return Gate(network, file.ready(), NAMES, cfg, TOLERANCES["fp32"], limits)(batches_of(graph))


@pytest.fixture(scope="module")
def graph():
    return tiny()


@pytest.fixture(scope="module")
def model(graph):
    return onnx_model(ExportForm(graph))


def copied(model):
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    return copy


def limits_of(value):
    return Limits(ScoreThresholds((value,) * 5, "x"), DetectionSettings())


# --- what passes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["onnx", "nms", "openvino", "torchscript", "static"])
def test_a_true_file_passes(graph, model, kind):
    if kind == "openvino":
        pytest.importorskip("openvino")
        candidate = OpenVINOCandidate(openvino_model(model))
    elif kind == "torchscript":
        candidate = TorchScriptCandidate(torchscript(ExportForm(graph)))
    elif kind == "nms":
        candidate = OnnxCandidate(with_nms(model))
    else:
        candidate = OnnxCandidate(model)
    compared = passed(graph, candidate, NMS, limits_of(0.3), nms=kind == "nms")
    assert compared.inputs == 3 + 3 + 2 + 2 + 1 and compared.batches == {1, 2, 3} and compared.verdicts == 11
    assert compared.boxes > 300 and compared.least_iou > 0.999 and compared.largest_score_difference < 1e-4
    assert compared.sizes == {"96 x 64", "72 x 72", "48 x 128"} and compared.plain()["batches"] == [1, 2, 3]


# --- what does not --------------------------------------------------------------------------------------------------


def weight_changed(model):
    """One number of the second convolution: what no checksum of ours would see, as it is in the writer."""
    copy = copied(model)
    node = [node for node in copy.graph.node if node.op_type == "Conv"][1]
    (one,) = (tensor for tensor in copy.graph.initializer if tensor.name == node.input[1])
    values = onnx.numpy_helper.to_array(one).copy()
    values.flat[0] += 1
    one.CopyFrom(onnx.numpy_helper.from_array(values, one.name))
    return copy


def resized_otherwise(model):
    copy = copied(model)
    resize = next(node for node in copy.graph.node if node.op_type == "Resize")
    for attribute in resize.attribute:
        if attribute.name == "coordinate_transformation_mode":
            attribute.s = b"half_pixel"
        if attribute.name == "nearest_mode":
            attribute.s = b"ceil"
    assert resize.SerializeToString() not in [node.SerializeToString() for node in model.graph.node]
    return copy


def behind(model, text):
    """Further operators behind `predictions`."""
    graph = f"""
<ir_version: 8, opset_import: ["" : 17]>
more (float[batch, boxes, values] predictions) => (float[batch, boxes, values] changed) {{ {text} }}
"""
    more = onnx.parser.parse_model(graph)
    more.ir_version = model.ir_version
    more = onnx.compose.add_prefix(more, "more/", rename_inputs=False, rename_outputs=False)
    merged = onnx.compose.merge_models(copied(model), more, io_map=[("predictions", "predictions")])
    for node in merged.graph.node:  # the end has its name again
        node.output[:] = [{"changed": "predictions", "predictions": "kept"}.get(one, one) for one in node.output]
        node.input[:] = ["kept" if one == "predictions" else one for one in node.input]
    merged.graph.output[0].name = "predictions"
    return merged


def only_the_first(model):
    """Of a batch the other pictures have the scores 0."""
    text = """
    first = Constant <value = int64[1] {0}> ()
    shape = Shape (predictions)
    batch = Gather <axis = 0> (shape, first)
    zero = Constant <value = int64 {0}> ()
    one = Constant <value = int64 {1}> ()
    scalar = Squeeze (batch, first)
    numbers = Range (zero, scalar, one)
    mine = Equal (numbers, zero)
    float_mine = Cast <to = 1> (mine)
    places = Constant <value = int64[2] {1, 2}> ()
    factor = Unsqueeze (float_mine, places)
    changed = Mul (predictions, factor)
    """
    return behind(model, text)


def scaled(model):
    text = """
    factor = Constant <value = float[9] {1.0, 1.0, 1.0, 1.0, 1.01, 1.01, 1.01, 1.01, 1.01}> ()
    changed = Mul (predictions, factor)
    """
    return behind(model, text)


def classes_swapped(model):
    text = """
    order = Constant <value = int64[9] {0, 1, 2, 3, 5, 4, 6, 7, 8}> ()
    changed = Gather <axis = 2> (predictions, order)
    """
    return behind(model, text)


def boxes_moved(model):
    text = """
    move = Constant <value = float[9] {0.5, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}> ()
    changed = Add (predictions, move)
    """
    return behind(model, text)


def nms_limited(model):
    """`max_det` 20 inside, whatever is given: as the 100 of other exporters."""
    copy = with_nms(copied(model))
    for node in copy.graph.node:
        node.input[:] = ["limit" if one == "max_det" else one for one in node.input]
    copy.graph.initializer.append(onnx.numpy_helper.from_array(np.array(20), "limit"))
    return copy


FAULTS = {
    weight_changed: "row 1 (Conv",
    resized_otherwise: "row 3 (Upsample",
    only_the_first: "",
    scaled: "",
    classes_swapped: "",
    boxes_moved: "",
    nms_limited: "",
}


@pytest.mark.parametrize("plant", FAULTS, ids=lambda plant: plant.__name__)
@pytest.mark.parametrize("nms", [False, True], ids=["raw", "nms"])
def test_a_fault_is_found_and_its_row_named(graph, model, plant, nms):
    if nms and plant is nms_limited:
        pytest.skip("has NMS already")
    wrong = plant(model)
    if nms:
        wrong = with_nms(wrong)
    with pytest.raises(NotEqual, match="^gate: .* px, batch of .*(missing in the file|in the file alone)$"):
        passed(graph, OnnxCandidate(wrong), nms=nms or plant is nms_limited)
    found = first_departing(ExportForm(graph), onnx_rows(wrong))
    assert found.startswith(f"the first row that departs is {FAULTS[plant]}") if FAULTS[plant] else not found


def test_a_fixed_size_in_the_graph_is_found(graph):
    """Written of one size, yet said to take any."""
    fixed = onnx_model(ExportForm(graph), (1, 8 * graph.stride, 12 * graph.stride))
    for one in (fixed.graph.input[0], fixed.graph.output[0]):
        for k in (0, 1, 2, 3)[: len(one.type.tensor_type.shape.dim)]:
            if k != 1 or one is fixed.graph.output[0]:
                one.type.tensor_type.shape.dim[k].dim_param = f"any{k}"
    del fixed.graph.value_info[:]
    with pytest.raises(NotEqual, match="gate: .*onnxruntime refuses it"):
        passed(graph, OnnxCandidate(fixed))
    assert first_departing(ExportForm(graph), onnx_rows(fixed)) == ""


@pytest.mark.parametrize("asked", [False, True], ids=["folded", "text"])
def test_the_row_is_named_of_a_network_that_lost_rows(asked):
    """Rows that read text go when names are folded in: those behind keep their numbers."""
    graph = network(Path("cfg/models/rtvpnet-energy-n.yaml"))
    form = ExportForm(graph, asked)
    model = onnx_model(form)
    assert first_departing(form, onnx_rows(model)) == ""
    place = len(form.graph.layers) - 2
    index = form.graph.steps[place].index
    assert any(step.index != k for k, step in enumerate(form.graph.steps)) != asked or place
    for node in model.graph.node:
        if node.name.startswith(f"/layers.{place}/") and node.op_type == "Conv":
            (one,) = (tensor for tensor in model.graph.initializer if tensor.name == node.input[1])
            one.CopyFrom(onnx.numpy_helper.from_array(3 * onnx.numpy_helper.to_array(one), one.name))
    assert f"row {index} ({graph.spec.rows[index].module}, " in first_departing(form, onnx_rows(model))


def test_a_network_that_finds_nothing_proves_nothing(graph, model):
    with pytest.raises(NotEqual, match="finds nothing in any picture, so that nothing is proved; name --data"):
        passed(graph, OnnxCandidate(model), NMSConfig(conf=0.9999))


def test_verdicts_must_be_the_same(graph):
    """A difference of score that is allowed, yet on both sides of a threshold."""
    boxes = torch.tensor([[[4.0, 4, 20, 20]]])
    scores = [torch.tensor([[[score, 0, 0, 0, 0]]]) for score in (0.5001, 0.4999)]
    network, file = (Said(ScoredBoxes(boxes, one)) for one in scores)
    batch = next(batches_of(graph, (1,), ((8, 8),)))
    Gate(network, file, NAMES, NMS, TOLERANCES["fp32"])([batch])
    Gate(network, file, NAMES, NMS, TOLERANCES["fp32"], limits_of(0.4))([batch])
    with pytest.raises(NotEqual, match="NG by the network .*0.50010 at a threshold of 0.5., OK by the file"):
        Gate(network, file, NAMES, NMS, TOLERANCES["fp32"], limits_of(0.5))([batch])


# --- by hand --------------------------------------------------------------------------------------------------------


class Said:
    """A backend that says the same of every batch."""

    stride, channels, device = 4, Channels(), torch.device("cpu")

    def __init__(self, said):
        self.said = said

    def __call__(self, images):
        return self.said


def found(*rows):
    """Detections of (x1, y1, x2, y2, score, label) each."""
    table = torch.tensor(rows, dtype=torch.float32).reshape(-1, 6)
    return Detections(table[:, :4], table[:, 4], table[:, 5].long(), NAMES)


LIMIT = Tolerance(0.9, 0.01)


def test_pairs_by_hand():
    right = found((0, 0, 100, 100, 0.9, 0), (0, 0, 100, 95, 0.8, 0), (0, 0, 100, 100, 0.7, 1), (500, 0, 600, 9, 0.1, 0))
    theirs = found((0, 0, 100, 96, 0.805, 0), (0, 0, 100, 99, 0.895, 0), (0, 0, 100, 100, 0.6, 1))
    iou, difference, missing, extra = matched(right, theirs, LIMIT)
    assert iou.tolist() == pytest.approx([0.99, 95 / 96]) and difference.tolist() == pytest.approx([0.005, 0.005])
    assert (missing, extra) == ([2, 3], [2])


def test_each_box_has_one_partner():
    """Two equal boxes of the file for one of the network: one is too much."""
    one, two = found((0, 0, 10, 10, 0.5, 0)), found((0, 0, 10, 10, 0.5, 0), (0, 0, 10, 10, 0.5, 0))
    assert matched(one, two, LIMIT)[2:] == ([], [1]) and matched(two, one, LIMIT)[2:] == ([1], [])
    assert matched(one, one, LIMIT)[2:] == ([], [])
    other = found((0, 0, 10, 10, 0.5, 1))
    assert matched(one, other, LIMIT)[2:] == ([0], [0]), "a class is never another"
    for empty in (found(), one):
        assert [len(part) for part in matched(found(), empty, LIMIT)] == [0, 0, 0, len(empty)]
        assert [len(part) for part in matched(empty, found(), LIMIT)] == [0, 0, len(empty), 0]


def test_the_limits_belong_to_what_passes():
    base = found((0, 0, 100, 100, 0.5, 0))
    at, beyond = found((0, 0, 100, 90, 0.51, 0)), found((0, 0, 100, 89.9, 0.5, 0))
    assert matched(base, at, Tolerance(0.9, 0.0101))[2:] == ([], [])
    assert matched(base, beyond, LIMIT)[2:] == ([0], [0])
    assert matched(base, found((0, 0, 100, 100, 0.52, 0)), LIMIT)[2:] == ([0], [0])


def test_worst_drop_by_hand():
    right = {"ap": 0.5, "a": 0.9, "b": None, "c": 0.2}
    assert worst_drop(right, {"ap": 0.49, "a": 0.6, "b": None, "c": 0.4}) == ("a", pytest.approx(0.3))
    assert worst_drop(right, {"ap": 0.6, "a": 0.91, "b": None, "c": 0.3}) == ("b", 0.0)
    assert worst_drop({"a": 0.5, "b": 0.4}, {"a": 0.6, "b": 0.45}) == ("b", pytest.approx(-0.05))


def gate_of(rows, other, graph, cfg=NMS):
    """Whether two lists of boxes with the score of class 0 are the same to the gate."""
    batch = next(batches_of(graph, (1,), ((16, 16),)))
    table, more = (torch.tensor(one, dtype=torch.float32)[None] for one in (rows, other))
    said = [Said(ScoredBoxes(t[..., :4], torch.nn.functional.pad(t[..., 4:], (0, 4)))) for t in (table, more)]
    return Gate(said[0], said[1], NAMES, cfg, TOLERANCES["fp32"])([batch])


SURE = (2, 2, 20, 20, 0.9)


@pytest.mark.parametrize("shift", [1e-6, -1e-6])
def test_a_box_at_the_confidence_may_be_missing(graph, shift):
    cfg = NMSConfig(conf=0.3)
    inside, outside = (30, 30, 50, 50, 0.3 + abs(shift)), (30, 30, 50, 50, 0.3 - abs(shift))
    pair = [[SURE, inside], [SURE, outside]]
    assert gate_of(*(pair if shift > 0 else pair[::-1]), graph, cfg).boxes == 1
    for score in (0.302, 0.5):
        clear = [[SURE, (30, 30, 50, 50, score)], [SURE, outside]]
        with pytest.raises(NotEqual, match="missing in the file" if shift > 0 else "in the file alone"):
            gate_of(*(clear if shift > 0 else clear[::-1]), graph, cfg)


def test_a_box_at_the_overlap_of_nms_may_be_missing(graph):
    """100 of 160 px in common are an overlap of 0.625; a hair decides which side of the limit it lies on."""
    better, worse = (0.0, 0.0, 13.0, 10.0, 0.9), (3.0, 0.0, 16.0, 10.0, 0.8)
    moved = (3.001, 0.0, 16.001, 10.0, 0.8)
    cfg = NMSConfig(conf=0.1, iou=0.62498)
    assert gate_of([better, worse], [better, moved], graph, cfg).boxes == 1
    with pytest.raises(NotEqual, match="in the file alone"):
        gate_of([better, worse], [better, (5.0, 0.0, 18.0, 10.0, 0.8)], graph, cfg)


def test_the_last_places_may_differ(graph):
    """With room for 151, which of two equal scores is the last is chance; which is first is not."""
    rows = [
        (20 * (k % 15), 20 * (k // 15), 20 * (k % 15) + 10, 20 * (k // 15) + 10, 0.9 - k / 1000) for k in range(150)
    ]
    last, beyond = (500, 0, 510, 10), (520, 0, 530, 10)
    one, other = ([*rows, (*last, a), (*beyond, b)] for a, b in ((0.50001, 0.5), (0.5, 0.50001)))
    cfg = NMSConfig(conf=0.1, max_det=151)
    done = gate_of(one, other, graph, cfg)
    assert (done.boxes, done.excused) == (150, 2)
    with pytest.raises(NotEqual, match="in the file alone|missing in the file"):
        gate_of([*rows, (*last, 0.52), (*beyond, 0.5)], other, graph, cfg)


def test_excuses_are_few(graph):
    """What lies at a limit may be missing; when it is the rule, it is no chance."""
    rows = [(20 * k, 0, 20 * k + 10, 10, 0.3 + 1e-4) for k in range(6)]
    with pytest.raises(NotEqual, match="6 boxes of 1 have no partner, each at some limit"):
        gate_of([SURE, *((x, 40, y, 60, s) for x, _, y, _, s in rows)], [SURE], graph, NMSConfig(conf=0.3))


def test_what_differs_is_said_with_the_nearest(graph):
    with pytest.raises(NotEqual) as raised:
        gate_of([SURE], [(2, 2, 20, 19, 0.8)], graph)
    assert str(raised.value) == (
        "gate: 128 x 128 px, batch of 1: a 0.9000 at (2.0, 2.0, 20.0, 20.0), whose nearest is 0.8000 with an overlap "
        "of 0.9444, is missing in the file"
    )


def test_a_batch_is_taken_apart(graph):
    batch = next(batches_of(graph))
    parts = each(batch)
    assert [one.views for one in parts] == [(view,) for view in batch.views]
    assert torch.equal(torch.cat([one.images for one in parts]), batch.images)
    assert isinstance(Compared().words(), str) and isinstance(batch.views[0], View)
