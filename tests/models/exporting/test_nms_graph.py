"""NMS in a file gives what NMS of val.py and detect.py gives of the same predictions, bit for bit."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.exported.about import About
from models.exported.exported_network import ExportedNetwork
from models.exported.onnx_file import OnnxEngine
from models.exporting.export_form import ExportForm
from models.exporting.nms_graph import with_nms
from models.exporting.onnx_writer import OPSET, onnx_model
from models.inference.inference import Inference, detections
from models.inference.nms import NMSConfig
from tests.models.exporting.test_onnx_writer import network, pictures_of
from utils.config.config import Config
from utils.values.batch import Batch, Targets
from utils.values.boxes import Letterbox
from utils.values.channels import Channels
from utils.values.predictions import ScoredBoxes
from utils.values.view import View
from utils.values.weights_identity import WeightsIdentity
from utils.words.errors import ConfigError

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

CLASSES, WIDE = 3, 100_000
AS_GIVEN = f"""
<ir_version: 8, opset_import: ["" : {OPSET}]>
given (float[batch, boxes, values] images) => (float[batch, boxes, values] predictions)
{{ predictions = Identity (images) }}
"""
SETTINGS = [(0.001, 0.6, 300), (0.5, 0.45, 1000), (0.25, 0.9, 7), (0.9, 0.0, 300), (0.1, 1.0, 2), (0.001, 0.3, 1)]


@pytest.fixture(scope="module")
def suppress():
    """Predictions (B, A, 4 + K) -> detections and counts of the operators."""
    session = onnxruntime.InferenceSession(
        with_nms(onnx.load_model_from_string(onnx.parser.parse_model(AS_GIVEN).SerializeToString())).SerializeToString()
    )

    def run(predictions, conf, iou, most):
        given = {"images": predictions, "conf": np.array(conf, np.float32), "iou": np.array(iou, np.float32)}
        return session.run(["detections", "count"], given | {"max_det": np.array(most, np.int64)})

    return run


def random_predictions(batch, boxes, seed=0, spread=300.0):
    """Boxes that overlap each other at all shares, scores without ties."""
    rng = np.random.default_rng(seed)
    corner = rng.uniform(0, spread, (batch, boxes, 2))
    size = rng.uniform(5, 90, (batch, boxes, 2))
    scores = rng.permutation(np.linspace(0, 0.999, batch * boxes * CLASSES)).reshape(batch, boxes, CLASSES)
    return np.concatenate((corner, corner + size, scores), -1).astype(np.float32)


def right(predictions, cfg):
    said = torch.from_numpy(predictions)
    views = [View(k, (WIDE, WIDE), (1.0, 1.0), (0.0, 0.0)) for k in range(len(said))]
    return detections(ScoredBoxes(said[..., :4], said[..., 4:]), views, cfg)


def check(found, count, wanted):
    for number, one in wanted.items():
        kept = found[number, : count[number]]
        assert count[number] == len(one)
        assert np.array_equal(kept[:, :4], one.boxes.numpy()) and np.array_equal(kept[:, 4], one.scores.numpy())
        assert np.array_equal(kept[:, 5], one.labels.numpy())
        assert not found[number, count[number] :, 4].any(), "beyond the count there is nothing"


@pytest.mark.parametrize(("conf", "iou", "most"), SETTINGS)
@pytest.mark.parametrize("batch", [1, 3])
def test_operators_against_our_nms(suppress, batch, conf, iou, most):
    predictions = random_predictions(batch, 400)
    wanted = right(predictions, NMSConfig(conf=conf, iou=iou, max_det=most))
    assert all(len(one) > 0 for one in wanted.values())
    check(*suppress(predictions, [conf] * CLASSES, iou, most), wanted)


def test_more_than_a_hundred_of_a_class_and_of_a_picture(suppress):
    """An operator limited to 100, or as many of each class as of a picture, gives other counts."""
    predictions = random_predictions(2, 900, spread=5000)
    for most, least in ((5000, 2000), (450, 450), (120, 120)):
        wanted = right(predictions, NMSConfig(conf=0.1, iou=0.6, max_det=most))
        assert all(len(one) >= least and one.labels.bincount().max() > least / 5 for one in wanted.values())
        check(*suppress(predictions, [0.1] * CLASSES, 0.6, most), wanted)


def test_each_picture_of_a_batch_has_its_own(suppress):
    """Nothing, one, and many; the empty one first, in the middle and last."""
    many = random_predictions(3, 60, seed=2)
    many[0, :, 4:], many[1, 1:, 4:] = 0, 0
    for order in ([0, 1, 2], [1, 0, 2], [2, 1, 0]):
        mixed = np.ascontiguousarray(many[order])
        wanted = right(mixed, NMSConfig(conf=0.05, iou=0.5))
        found, count = suppress(mixed, [0.05] * CLASSES, 0.5, 300)
        assert sorted(count)[0] == 0 and 1 <= sorted(count)[1] <= CLASSES and sorted(count)[2] > 10
        check(found, count, wanted)


def test_nothing_at_all(suppress):
    found, count = suppress(random_predictions(3, 50), [1.0] * CLASSES, 0.6, 300)
    assert count.tolist() == [0, 0, 0] and not found[..., 4].any()
    found, count = suppress(random_predictions(1, 50), [0.0] * CLASSES, 0.6, 0)
    assert count.tolist() == [0]


def test_a_limit_for_each_class(suppress):
    predictions, limits = random_predictions(2, 200), [0.9, 0.2, 2.0]
    found, count = suppress(predictions, limits, 0.6, 10_000)
    hidden = predictions.copy()
    for k, limit in enumerate(limits):
        hidden[..., 4 + k][hidden[..., 4 + k] <= np.float32(limit)] = 0
    wanted = right(hidden, NMSConfig(conf=0.0, iou=0.6, max_det=10_000))
    check(found, count, wanted)
    assert set(found[0, : count[0], 5]) == {0, 1}


def test_a_score_must_be_above_the_limit(suppress):
    predictions = random_predictions(1, 3, spread=5000)
    predictions[..., 4:] = 0
    predictions[0, 0, 4], predictions[0, 1, 4] = 0.25, np.nextafter(np.float32(0.25), 1, dtype=np.float32)
    assert suppress(predictions, [0.25] * CLASSES, 0.6, 9)[1].tolist() == [1]


def test_many_random_batches(suppress):
    rng = np.random.default_rng(5)
    for seed in range(40):
        predictions = random_predictions(int(rng.integers(1, 4)), int(rng.integers(1, 120)), seed, rng.uniform(20, 900))
        conf, iou, most = float(rng.uniform(0, 1)), float(rng.uniform(0.05, 0.95)), int(rng.integers(1, 200))
        wanted = right(predictions, NMSConfig(conf=conf, iou=iou, max_det=most))
        check(*suppress(predictions, [conf] * CLASSES, iou, most), wanted)


# --- as val.py and detect.py use it ---------------------------------------------------------------------------------


def in_place(model, **more):
    """An ExportedNetwork of an onnx.ModelProto, ready."""
    about = About(
        **{"network": "x.yaml", "names": ("a", "b", "c"), "channels": Channels(), "imgsz": 96, "stride": 32},
        **{"config": {k: vars(v) for k, v in vars(Config()).items()}, "epoch": 0, "origin": {}, "gate": {}},
        **{"weights": WeightsIdentity("x.pt", "0"), **more},
    )
    path = Path("x.onnx")
    return ExportedNetwork(path, about, OnnxEngine(model.SerializeToString(), path)).ready()


@pytest.fixture(scope="module")
def files():
    """The same network as a file of predictions, and as one that suppresses."""
    raw = onnx_model(ExportForm(network(Path("cfg/models/idfe-net-n.yaml"))))
    return in_place(raw), in_place(with_nms(raw), nms=True)


def batch_of(count, seed=0):
    graph = network(Path("cfg/models/idfe-net-n.yaml"))
    images = (pictures_of(graph, count, 3, 5, torch.Generator().manual_seed(seed)) * 255).byte()
    views = tuple(Letterbox.fit((60 + k, 120), (96, 160)).view(k) for k in range(count))
    none = Targets(torch.zeros(0).long(), torch.zeros(0).long(), torch.zeros(0, 4))
    return Batch(images, none, tuple(range(count)), views)


def same(one, other):
    assert one.keys() == other.keys()
    for key, mine in one.items():
        assert all(torch.equal(getattr(mine, k), getattr(other[key], k)) for k in ("boxes", "scores", "labels"))


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize(
    ("conf", "iou", "most"), [(0.001, 0.6, 300), (0.2, 0.45, 1000), (0.01, 0.3, 150), (0.9999, 0.5, 9)]
)
def test_inference_does_not_see_where_it_was_suppressed(files, count, conf, iou, most):
    cfg, batch = NMSConfig(conf=conf, iou=iou, max_det=most), batch_of(count)
    one, other = (Inference((file,), cfg, torch.arange(CLASSES), ("a", "b", "c"))([batch]) for file in files)
    same(one, other)
    assert (conf > 0.9) != any(len(mine) for mine in one.values())


def test_classes_that_are_wanted_have_all_the_room(files):
    """--classes with --max-det: the best of those classes, not those classes of the best."""
    batch = batch_of(2)
    for label in range(CLASSES):
        cfg = NMSConfig(conf=1e-9, iou=0.5, max_det=6, classes=(label,))
        one, other = (Inference((file,), cfg, torch.arange(CLASSES), ("a", "b", "c"))([batch]) for file in files)
        assert any(len(mine) for mine in one.values())
        same(one, other)


def test_numbers_that_merge_classes(files):
    """--single-cls: all are one class to NMS, which the file cannot know."""
    cfg, batch = NMSConfig(conf=0.05, iou=0.3, max_det=300), batch_of(3)
    one, other = (Inference((file,), cfg, torch.zeros(CLASSES).long(), ("all",)) for file in files)
    assert one([batch])
    with pytest.raises(ConfigError, match="export it without --nms"):
        other([batch])


def test_agnostic_nms_is_refused(files):
    with pytest.raises(ConfigError, match="--agnostic-nms: x.onnx suppresses within a class"):
        files[1].with_nms(NMSConfig(agnostic=True))
    files[0].with_nms(NMSConfig(agnostic=True))


def test_a_static_file_pads_and_counts_out():
    """A file of batch 2 and 96 x 160 px gives of three smaller pictures what one of any size gives of them padded."""
    form = ExportForm(network(Path("cfg/models/idfe-net-n.yaml")))
    free, fixed = in_place(onnx_model(form)), in_place(onnx_model(form, (2, 96, 160)), shape=(2, 96, 160))
    images = torch.rand(3, 3, 64, 96, generator=torch.Generator().manual_seed(1))
    padded = torch.full((3, 3, 96, 160), 114 / 255)
    padded[:, :, :64, :96] = images
    one, other = free(padded), fixed(images)
    assert len(one) == len(other) == 3
    torch.testing.assert_close(other.scores, one.scores, atol=1e-3, rtol=0)
    with pytest.raises(ConfigError, match="--img: x.onnx takes 160 x 96 px, no 192 x 96; take --img 160"):
        fixed(torch.rand(1, 3, 96, 192))
