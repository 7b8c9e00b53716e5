"""The program of a bundle finds what detect.py finds, says so in the same tables, and needs nothing of this project."""

import csv
import io
import json
import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("onnxruntime")
onnx = pytest.importorskip("onnx")

import detect  # noqa: E402
from data.augment.polarization import Optics  # noqa: E402
from data.augment.scene import Scene  # noqa: E402
from data.augment.transforms import eval_shape  # noqa: E402
from data.batches.collate import collate  # noqa: E402
from data.batches.looking import letterboxed  # noqa: E402
from data.pictures.picture_decoder import IMAGE_SUFFIXES, UNREAD_SUFFIXES, read_image  # noqa: E402
from models.exported.about import About  # noqa: E402
from models.exported.onnx_file import open_onnx, with_about  # noqa: E402
from models.exporting import infer, line_detector  # noqa: E402
from models.exporting.bundle import write_bundle  # noqa: E402
from models.exporting.export_form import ExportForm  # noqa: E402
from models.exporting.nms_graph import with_nms  # noqa: E402
from models.exporting.onnx_writer import onnx_model  # noqa: E402
from models.graph.builder import build_graph  # noqa: E402
from models.inference.inference import Inference, detections  # noqa: E402
from models.ready.detection_nms import nms_for  # noqa: E402
from models.rows.model_spec import read_spec  # noqa: E402
from models.rows.row_context import Context  # noqa: E402
from utils.config.config import Config, DataConfig  # noqa: E402
from utils.deciding.threshold_file import DetectionSettings, read_limits, thresholds_text  # noqa: E402
from utils.detecting import csv_tables  # noqa: E402
from utils.values.channels import RGB_CHANNELS  # noqa: E402
from utils.values.detections import Detections  # noqa: E402
from utils.values.frame import Frame  # noqa: E402
from utils.values.predictions import ScoredBoxes  # noqa: E402
from utils.values.unknown_defect import UNKNOWN, without_twice_found  # noqa: E402
from utils.values.verdict import verdict_of  # noqa: E402
from utils.values.weights_identity import WeightsIdentity  # noqa: E402
from utils.words.errors import DataError  # noqa: E402

ROOT = Path(__file__).parents[3]
NAMES = ("scratch", "Öl 油", "1.10")
IMGSZ = 160


def noise(rng, height, width):
    """Blobs of about 12 px."""
    small = rng.integers(0, 256, (height // 12 + 1, width // 12 + 1, 3), np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, 3)


@pytest.fixture(scope="module")
def form():
    """A network of random weights that sees what is in a picture, with many boxes above 0.3."""
    torch.manual_seed(0)
    spec = read_spec(ROOT / "cfg/models/idfe-net-free-n.yaml").with_values(nc=len(NAMES))
    graph = build_graph(spec, RGB_CHANNELS).requires_grad_(False)
    for module in graph.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
    head = graph.layers[-1]
    for out in (*head.outs, *head.box.outs):
        torch.nn.init.normal_(out.weight, 0, 0.12)
    for out in head.outs:
        out.bias.fill_(-1.5)
    rng = np.random.default_rng(0)
    pictures = np.stack([noise(rng, IMGSZ, IMGSZ) for _ in range(8)])
    graph.train().run(torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255, None, Context(None))  # statistics
    return ExportForm(graph.eval()).eval()


def about(trained=None, **changes):
    """`trained`: values of the data section of the training."""
    config = Config(data=DataConfig(imgsz=IMGSZ, **(trained or {}))).plain()
    given = {"network": "n", "names": NAMES, "channels": RGB_CHANNELS, "imgsz": IMGSZ, "stride": 32, "config": config}
    given |= {"epoch": 1, "weights": WeightsIdentity("best.pt", "0" * 16), "origin": {}, "gate": {}}
    return About(**{**given, **changes})


@lru_cache(maxsize=4)
def exported(form, shape):
    return onnx_model(form, shape)


def written(form, folder, thresholds=(0.3, 0.25, 0.35), made=None, shape=None, nms=False, **changes):
    """A folder with model.onnx and thresholds.yaml."""
    folder.mkdir(exist_ok=True)
    model = exported(form, shape)
    model = with_nms(model) if nms else model
    (folder / "model.onnx").write_bytes(with_about(model, about(shape=shape, nms=nms, **changes)))
    (folder / "thresholds.yaml").write_text(thresholds_text(changes.get("names", NAMES), thresholds, (), made), "utf-8")
    return folder


@pytest.fixture(scope="module")
def raw(form, tmp_path_factory):
    """The folder of a file without NMS."""
    return written(form, tmp_path_factory.mktemp("raw"))


def samples_of(image, imgsz=IMGSZ, stride=32):
    shape = eval_shape(image.shape[:2], imgsz, stride)
    return collate([letterboxed(Scene.without_truth(image), shape, 0, Optics(RGB_CHANNELS))])


def passing(found, limits):
    return without_twice_found(limits.passing(found))


def of_detect(folder, image, imgsz=IMGSZ, names=NAMES):
    """What detect.py finds with the same file."""
    limits = read_limits(str(folder / "thresholds.yaml"), names)
    nms = nms_for(limits, None, None, None)
    network = open_onnx(folder / "model.onnx").ready().with_nms(nms)
    look = Inference((network,), nms, torch.arange(len(names)), names)
    return passing(look([samples_of(image, limits.made.imgsz or imgsz)])[0], limits)


def of_torch(form, folder, image):
    """What detect.py finds with the checkpoint."""
    limits = read_limits(str(folder / "thresholds.yaml"), NAMES)
    batch = samples_of(image)
    with torch.inference_mode():
        said = form(batch.inputs())
    found = detections(ScoredBoxes(said[..., :4], said[..., 4:]), batch.views, nms_for(limits, None, None, None))[0]
    return passing(Detections(found.boxes, found.scores, found.labels, NAMES), limits)


def assert_same(got, want):
    np.testing.assert_array_equal(got.labels, want.labels.numpy())
    np.testing.assert_array_equal(got.scores, want.scores.numpy())
    np.testing.assert_array_equal(got.boxes, want.boxes.numpy())


def test_the_input_is_bit_equal(raw):
    rng = np.random.default_rng(1)
    sizes = [(1, 1), (1, 700), (700, 1), (2, 3), (7, 2000), (2000, 7), (160, 160), (159, 161), (33, 160), (320, 160)]
    sizes += [tuple(side) for side in rng.integers(1, 600, (30, 2)).tolist()]
    detector = infer.Detector(raw)
    for number, size in enumerate(sizes):
        image, imgsz = rng.integers(0, 256, (*size, 3), np.uint8), (160, 100, 224)[number % 3]
        padded, scale, shift = line_detector.letterbox(image, imgsz, 32, 114)
        batch = samples_of(image, imgsz)
        np.testing.assert_array_equal(detector.inputs(padded), batch.inputs().numpy(), err_msg=str(size))
        view = batch.views[0]
        np.testing.assert_array_equal((scale, shift), (view.scale * 2, view.shift * 2))


@pytest.mark.parametrize(
    "options",
    [{}, {"made": DetectionSettings(0.2, 40, 100)}, {"nms": True}, {"shape": (2, 192, 160)}],
    ids=["raw", "chosen otherwise", "nms", "static"],
)
def test_it_finds_what_detect_finds_with_the_same_file(form, tmp_path, options):
    folder, rng = written(form, tmp_path / "it", **options), np.random.default_rng(2)
    detector, count = infer.Detector(folder), 0
    for size in ((90, 160), (300, 200), (50, 50), (1, 90), (160, 160)):
        image = noise(rng, *size)
        want = of_detect(folder, image)
        assert_same(detector(image), want)
        count += len(want)
    assert count > 60


TILES = {
    "tiles": {"made": DetectionSettings(0.6, 300, IMGSZ, 96, 0.2)},
    "touching": {"made": DetectionSettings(0.6, 300, IMGSZ, 128, 0.0)},
    "few, enlarged, and whole": {"made": DetectionSettings(0.2, 40, 192, 128, 0.5, True)},
    "nms": {"made": DetectionSettings(0.6, 300, 128, 128, 0.2), "nms": True},
    "static": {"made": DetectionSettings(0.6, 300, 128, 128, 0.2, True), "shape": (2, 192, 160)},
    "as trained": {"trained": {"tile": 128, "tile_overlap": 0.3, "tile_full": True}},
    "rest as trained": {
        "made": DetectionSettings(0.6, 300, 128, 128),
        "trained": {"tile": 96, "tile_overlap": 0.4, "tile_full": True},
    },
    "whole, trained in tiles": {"made": DetectionSettings(0.6, 300, IMGSZ), "trained": {"tile": 128}},
}


@pytest.mark.parametrize("name", TILES)
def test_in_tiles_it_finds_what_detect_finds_with_the_same_file(form, tmp_path, name):
    folder, rng = written(form, tmp_path / "it", **TILES[name]), np.random.default_rng(10)
    there, here = detect.Detector(folder / "model.onnx", device="cpu"), infer.Detector(folder)
    there.use_thresholds(folder / "thresholds.yaml", pytest.fail)
    count, most = 0, 0
    for size in ((300, 420), (420, 97), (96, 96), (40, 70)):
        image = noise(rng, *size)
        (want,) = there.results([Frame("", Path(), image)], there.nms())
        assert len(here.areas(image)) == want.tiles
        assert_same(here(image), want.detections)
        count, most = count + len(want.detections), max(most, want.tiles)
    assert count > 60
    assert (most > 6) == (name != "whole, trained in tiles")


def test_one_tile_after_the_other_is_seen_and_at_most_so_many_candidates_merged(form, tmp_path, monkeypatch):
    folder = written(form, tmp_path / "it", made=DetectionSettings(0.6, 300, 96, 96, 0.2, True))
    detector, image, seen = infer.Detector(folder), noise(np.random.default_rng(11), 300, 420), []
    true, session = line_detector.merge_tiles, detector.session

    class Session:
        def run(self, names, feed):
            seen.append(feed["images"].shape)
            return session.run(names, feed)

    def merged(pieces, *more):
        seen.append((len(pieces), more))
        return true(pieces, *more)

    detector.session = Session()
    monkeypatch.setattr(line_detector, "merge_tiles", merged)
    monkeypatch.setattr(line_detector, "CANDIDATES", 50)
    detector(image)
    *inputs, last = seen
    assert inputs == [(1, 3, 96, 96)] * (4 * 6 + 1)
    assert last == (50, ((300, 420), 0.6, 300))


def test_it_finds_what_the_network_finds(form, raw):
    detector, rng, count = infer.Detector(raw), np.random.default_rng(3), 0
    for size in ((120, 160), (200, 150), (300, 400)):
        image = noise(rng, *size)
        got, want = detector(image), of_torch(form, raw, image)
        # In what order those of almost the same score come, and which of two stays, rounding may decide.
        assert abs(len(got.boxes) - len(want)) <= 1
        near = (got.labels[:, None] == want.labels.numpy()) & (abs(got.scores[:, None] - want.scores.numpy()) < 1e-3)
        near &= (abs(got.boxes[:, None] - want.boxes.numpy()) < 0.5).all(2)
        assert near.any(0).sum() >= len(want) - 1 and near.any(1).sum() >= len(want) - 1
        count += len(want)
    assert count > 100


def test_more_candidates_than_are_looked_at_and_those_that_nobody_can_show(monkeypatch):
    """Ties keep their order, boxes of NaN, of no area and in the padding show nothing."""
    rng = np.random.default_rng(4)
    corner = rng.integers(-40, 150, (3000, 2)).astype(np.float32)
    boxes = np.concatenate((corner, corner + rng.integers(0, 40, (3000, 2))), 1).astype(np.float32)
    boxes[::50] = np.nan
    scores = rng.integers(0, 20, (3000, 3)).astype(np.float32) / 20
    image = np.zeros((40, 160, 3), np.uint8)
    detector = object.__new__(infer.Detector)
    limits = type("L", (), {"made": DetectionSettings(), "lowest": 0.2 - 2e-6})()
    detector.names, detector.limits, detector.lowest = NAMES, [0.2, 0.5, 0.75], np.float32(limits.lowest)
    detector.imgsz, detector.stride, detector.padding, detector.full = IMGSZ, 32, 114, np.float32(255)
    detector.iou, detector.most, detector.shape, detector.suppresses = 0.45, 1000, None, False
    detector.tiling = None
    said = np.concatenate((boxes, scores), 1)[None]
    detector.session = type("S", (), {"run": lambda self, names, feed: [said]})()
    nms = nms_for(limits, None, None, None)
    views = samples_of(image).views
    found = detections(ScoredBoxes(torch.from_numpy(boxes)[None], torch.from_numpy(scores)[None]), views, nms)[0]
    found = found.keep(found.scores >= torch.tensor([0.2, 0.5, 0.75])[found.labels])
    assert len(found) > 200
    assert_same(detector(image), found)
    said[0, 5, 5] = np.nan
    with pytest.raises(infer.Unreadable, match="no numbers"):
        detector(image)


def test_an_unknown_defect_gives_way_to_a_class(form, tmp_path):
    names = ("scratch", "oil", UNKNOWN)
    folder = written(form, tmp_path / "it", (0.4, 0.4, 0.2), names=names)
    image = noise(np.random.default_rng(5), 150, 160)
    want = of_detect(folder, image, names=names)
    assert_same(infer.Detector(folder)(image), want)
    assert 0 < int((want.labels == 2).sum())


def stored_pictures():
    """Name -> bytes of pictures of each kind."""
    image = noise(np.random.default_rng(6), 48, 64)
    deep = (image.astype(np.uint16) << 8) + 77
    kinds = {}
    for turn in range(10):
        for form, options in (("JPEG", {}), ("PNG", {}), ("WEBP", {"lossless": True})):
            exif = Image.Exif()
            exif[274] = turn
            kinds[f"{turn}.{form}"] = saved(Image.fromarray(image), form, exif=exif.tobytes(), **options)
    for mode in ("L", "1", "P", "LA", "RGBA", "CMYK"):
        for form in ("PNG", "TIFF", "JPEG", "BMP"):
            try:
                kinds[f"{mode}.{form}"] = saved(Image.fromarray(image).convert(mode), form)
            except OSError:  # a format without this mode
                continue
    for suffix in (".png", ".tiff", ".ppm", ".jp2"):
        kinds[f"deep{suffix}"] = cv2.imencode(suffix, deep)[1].tobytes()
        kinds[f"deep grey{suffix}"] = cv2.imencode(suffix.replace("ppm", "pgm"), deep[..., 0])[1].tobytes()
    kinds["deep alpha.png"] = cv2.imencode(".png", np.dstack((deep, deep[..., 0])))[1].tobytes()
    for suffix in (".jpg", ".png", ".webp", ".bmp", ".ppm", ".jp2"):
        whole = cv2.imencode(suffix, image)[1].tobytes()
        kinds |= {f"cut at {share}{suffix}": whole[: int(len(whole) * share)] for share in (0.3, 0.7, 0.98)}
        kinds[f"longer{suffix}"] = whole + b"trailing bytes"
    return {
        **kinds,
        "empty.png": b"",
        "text.jpg": b"no picture",
        "half.tiff": cv2.imencode(".tiff", image / 255)[1].tobytes(),
    }


def saved(image, form, **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def test_pictures_are_read_as_detect_reads_them(tmp_path):
    for name, content in stored_pictures().items():
        path = tmp_path / f"Bild 图 {name}"
        path.write_bytes(content)
        try:
            want = read_image(path)
        except DataError:
            with pytest.raises(infer.Unreadable):
                infer.read_picture(path)
            continue
        if name in ("RGBA.TIFF", "CMYK.TIFF"):  # OpenCV gives other colours than Pillow of RGBA: better none
            with pytest.raises(infer.Unreadable, match="four planes"):
                infer.read_picture(path)
            continue
        np.testing.assert_array_equal(infer.read_picture(path), want, err_msg=name)


def test_the_tables_and_suffixes_are_those_of_detect():
    assert (infer.SUMMARY, infer.TABLE) == (csv_tables.SUMMARY, csv_tables.TABLE)
    assert {str(verdict): text for verdict, text in csv_tables.STATUS.items()} == infer.STATUS
    assert set(infer.READ) == IMAGE_SUFFIXES
    assert set(infer.UNREAD) <= UNREAD_SUFFIXES


@pytest.fixture(scope="module")
def bundle(form, raw, tmp_path_factory):
    """A bundle of three pictures; the last one is good."""
    folder, rng = tmp_path_factory.mktemp("bundle"), np.random.default_rng(8)
    thresholds = thresholds_text(NAMES, (0.6, 0.6, 0.6), ("a test",))
    at = tmp_path_factory.mktemp("thresholds")
    (at / "thresholds.yaml").write_text(thresholds, "utf-8")
    cases = []
    for _ in range(20):
        image = noise(rng, *rng.integers(100, 200, 2))
        found = of_torch(form, at, image)
        cases.append((image, found, str(verdict_of(len(found)))))
    cases = [case for case in cases if case[2] == "NG"][:2] + [case for case in cases if case[2] == "OK"][:1]
    assert [case[2] for case in cases] == ["NG", "NG", "OK"]
    pictures = [("裂 one.jpg", cases[0][0]), ("two.png", cases[1][0]), ("two.bmp", cases[2][0])]
    write_bundle(folder, (raw / "model.onnx").read_bytes(), thresholds, pictures, [case[1:] for case in cases])
    return folder


@pytest.fixture
def program(bundle, tmp_path, monkeypatch, capsys):
    """Run infer.py as if it lay in the bundle; (exit code, stdout, stderr)."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def run(*argv, folder=bundle):
        monkeypatch.setattr(infer, "HERE", folder)
        code = infer.main([str(one) for one in argv])
        return code, *capsys.readouterr()

    return run


def table(path):
    return list(csv.DictReader(io.StringIO(path.read_text("utf-8"))))


def test_verdicts_tables_overlays(program, bundle, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for file in (bundle / "pictures").iterdir():
        (pictures / file.name).write_bytes(file.read_bytes())
    (pictures / "=cmd.jpg").write_bytes(b"\xff\xd8 damaged")
    (pictures / "heic.heic").write_bytes(b"")
    (pictures / "notes.txt").write_text("no picture")
    code, said, problems = program(pictures)
    assert code == 3 and "5 pictures: 1 OK, 2 NG, 2 UNREADABLE; results in" in said
    assert len(problems.splitlines()) == 2
    rows = table(Path("results/summary.csv"))
    assert [row["image"] for row in rows] == ["1_裂 one.png", "2_two.png", "3_two.png", "'=cmd.jpg", "heic.heic"]
    assert [row["verdict"] for row in rows] == ["NG", "NG", "OK", "UNREADABLE", "UNREADABLE"]
    assert rows[3]["reason"] and rows[3]["defects"] == "" and not rows[0]["reason"]
    expected = json.loads((bundle / "expected.json").read_text("utf-8"))["pictures"]
    boxes = table(Path("results/detections.csv"))
    assert [int(row["defects"]) for row in rows[:3]] == [len(one["detections"]) for one in expected]
    assert [row["class"] for row in boxes] == [d["class"] for one in expected for d in one["detections"]]
    got = [[float(row[key]) for key in ("confidence", "x1", "y1", "x2", "y2")] for row in boxes]
    want = [[d["score"], *d["box"]] for one in expected for d in one["detections"]]
    np.testing.assert_allclose(got, want, atol=0.05)
    overlays = sorted(path.name for path in Path("results/overlays").iterdir())
    assert overlays == ["1_裂 one.png.png", "2_two.png.png", "3_two.png.png"]
    drawn, picture = (
        infer.read_picture(p) for p in (Path("results/overlays", overlays[0]), pictures / rows[0]["image"])
    )
    assert drawn.shape == picture.shape and (drawn != picture).any()
    assert sorted(path.name for path in pictures.iterdir())[0] == "1_裂 one.png" and len([*pictures.iterdir()]) == 6


def test_exit_codes_and_new_folders(program, bundle):
    ng, ok = bundle / "pictures" / "2_two.png", bundle / "pictures" / "3_two.png"
    assert program(ng)[0] == 10
    assert program(ok)[0] == 0
    assert program(ok, "--out", "results", "--threads", "2")[0] == 0
    assert program(ok, "--out", "a/b")[0] == 0
    assert {path.name for path in Path().iterdir()} == {"results", "results2", "results3", "a"}
    assert [row["verdict"] for row in table(Path("results2/summary.csv"))] == ["OK"]


def without(**changes):
    """A model.onnx of other metadata."""

    def change(folder):
        model = onnx.load_model_from_string((folder / "model.onnx").read_bytes())
        values = {one.key: one.value for one in model.metadata_props}
        plain = {**json.loads(values["detector"]), **changes}
        del model.metadata_props[:]
        if changes:
            model.metadata_props.add(key="detector", value=json.dumps(plain))
        (folder / "model.onnx").write_bytes(model.SerializeToString())

    return change


def thresholds(old, new):
    def change(folder):
        text = (folder / "thresholds.yaml").read_text("utf-8")
        assert old in text
        (folder / "thresholds.yaml").write_text(text.replace(old, new), "utf-8")

    return change


def making(text):
    """An `nms` of this text."""
    return thresholds("thresholds:", f"nms: {{{text}}}\nthresholds:")


def model(content):
    return lambda folder: (folder / "model.onnx").write_bytes(content)


def missing(name):
    return lambda folder: (folder / name).unlink()


MISTAKES = {
    "no model": (missing("model.onnx"), "model.onnx: No such file"),
    "no thresholds": (missing("thresholds.yaml"), "thresholds.yaml: No such file"),
    "no ONNX": (model(b"junk"), "model.onnx: onnxruntime refuses it"),
    "empty": (model(b""), "model.onnx: onnxruntime refuses it"),
    "foreign": (without(), "was not made by"),
    "another version": (without(format=2), "of another version"),
    "other planes": (without(channels=["i0", "i45", "i90", "i135"]), "other planes than r, g, b"),
    "other inputs": (without(nms=True), "inputs that are not known here, images"),
    "a class too few": (thresholds('  "1.10": 0.6\n', ""), "no threshold for 1.10"),
    "a class too many": (thresholds('"1.10"', '"1.1": 0.5\n  "1.10"'), "unknown class 1.1;"),
    "a class twice": (thresholds('"1.10"', '"scratch": 0.5\n  "1.10"'), "each name once"),
    "a word": (thresholds('"1.10": 0.6', '"1.10": high'), "could not convert"),
    "out of range": (thresholds('"1.10": 0.6', '"1.10": 60'), "1.10: not known here, or not from 0 to 1"),
    "a list": (thresholds('"1.10": 0.6', '"1.10": [0.6]'), "thresholds.yaml: cannot be understood"),
    "nms": (making("iuo: 0.5"), "nms: iuo: not known here; known are iou, max_det"),
    "size": (making("imgsz: 5"), "nms: imgsz 5: must be a whole number from 32 to 16384"),
    "half a box": (making("max_det: 1.5"), "nms: max_det 1.5: must be a whole number from 1 to"),
    "no number": (making("iou: .nan"), "thresholds.yaml: cannot be understood"),
    "a list of sizes": (making("tile: [96]"), "thresholds.yaml: cannot be understood"),
    "a tile of no stride": (making("imgsz: 160, tile: 50"), "tile 50: must be a multiple of the network's stride 32"),
    "a huge tile": (making("imgsz: 160, tile: 32000"), "nms: tile 32000: must be a whole number from 0 to 16384"),
    "tiles all over": (making("imgsz: 160, tile: 96, tile_overlap: 1"), "tile_overlap 1: must be a number from 0"),
    "half a switch": (making("imgsz: 160, tile: 96, tile_full: 0.5"), "nms: tile_full 0.5: must be"),
    "no switch": (making("imgsz: 160, tile: 96, tile_full: perhaps"), "thresholds.yaml: cannot be understood"),
    "tiles of no input": (making("tile: 96"), "nms: tile: also needs imgsz"),
    "an overlap of nothing": (making("imgsz: 160, tile_overlap: 0.2"), "pictures are looked at as a whole; add tile"),
    "a whole of a whole": (making("imgsz: 160, tile: 0, tile_full: true"), "looked at as a whole; add tile"),
    "a typo": (thresholds("thresholds:", "nsm: {iou: 0.5}\nthresholds:"), "nsm: not known"),
    "zones that are none": (
        thresholds("thresholds:", "zones: 5\nthresholds:"),
        "thresholds.yaml: cannot be understood",
    ),
    "no thresholds in it": (thresholds("thresholds:", "threshold:"), "expected are thresholds"),
    "no YAML": (thresholds("thresholds:", "thresholds: ["), "thresholds.yaml: cannot be understood"),
}


def test_mistakes_in_the_bundle_are_one_line(program, bundle, tmp_path, monkeypatch):
    opened = line_detector.open_model(bundle / "model.onnx", 1)
    for number, (name, (change, expected)) in enumerate(MISTAKES.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        for file in ("model.onnx", "thresholds.yaml"):
            (folder / file).write_bytes((bundle / file).read_bytes())
        change(folder)
        with monkeypatch.context() as patch:
            if change.__qualname__.startswith("thresholds"):
                patch.setattr(line_detector, "open_model", lambda *_: opened)  # which takes long
            code, said, problem = program(bundle / "pictures", folder=folder)
        assert (code, said) == (2, ""), name
        assert len(problem.splitlines()) == 1 and problem.startswith("error: ") and expected in problem, (name, problem)


def test_thresholds_that_were_chosen_in_zones_give_a_warning(program, bundle, tmp_path):
    for file in ("model.onnx", "thresholds.yaml"):
        (tmp_path / file).write_bytes((bundle / file).read_bytes())
    thresholds("thresholds:", 'zones: {file: "a.yaml", count: 3, digest: "07c1"}\nthresholds:')(tmp_path)
    code, _, problem = program(bundle / "pictures" / "2_two.png", folder=tmp_path)
    assert code == 10 and len(problem.splitlines()) == 1 and "chosen where a.yaml says that defects count" in problem


def test_mistakes_of_the_command_line_are_one_line(program, bundle, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    within = bundle / "pictures" / "results"
    for argv, expected in (
        ((), "give either"),
        (("x.png", "--selftest"), "give either"),
        (("x.png", "--threads", "many"), "--threads"),
        (("x.png", "--conf", "0.5"), "--conf"),
        (("nowhere",), "nowhere: no pictures there"),
        ((tmp_path / "empty",), "empty: no pictures there"),
        ((bundle / "pictures", "--out", within), "lies in the folder of the pictures"),
        ((bundle / "pictures" / "2_two.png", "--out", within), "lies in the folder of the pictures"),
        ((bundle / "pictures", "--out", tmp_path / "file" / "x"), "file"),
    ):
        code, said, problem = program(*argv)
        assert (code, said) == (2, ""), argv
        assert len(problem.splitlines()) == 1 and problem.startswith("error: ") and expected in problem, problem
    assert not within.exists()


def test_a_picture_that_does_not_fit_a_static_file_is_no_good_part(form, program, tmp_path):
    folder = written(form, tmp_path / "static", shape=(2, 192, 160), made=DetectionSettings(imgsz=224))
    cv2.imwrite(str(tmp_path / "tall.png"), noise(np.random.default_rng(9), 160, 90))
    code, said, problem = program(tmp_path / "tall.png", folder=folder)
    assert code == 3 and "makes 128 x 224 px, model.onnx takes 160 x 192" in problem and "1 UNREADABLE" in said


def test_a_run_in_tiles_counts_them(form, program, tmp_path):
    pictures, rng = tmp_path / "pictures", np.random.default_rng(12)
    pictures.mkdir()
    for name, size in (("large.png", (300, 420)), ("small.png", (60, 90))):
        cv2.imwrite(str(pictures / name), noise(rng, *size))
    (pictures / "torn.jpg").write_bytes(b"\xff\xd8 damaged")
    folder = written(form, tmp_path / "it", made=DetectionSettings(0.6, 300, IMGSZ, 128, 0.2))
    code, said, _ = program(pictures, folder=folder)
    assert code == 3 and "3 pictures: 2 NG, 1 UNREADABLE" in said
    text = Path("results/summary.csv").read_text("utf-8").splitlines()
    assert text[0] == ",".join((*csv_tables.SUMMARY, "tiles"))
    rows = table(Path("results/summary.csv"))
    assert [row["tiles"] for row in rows] == ["12", "1", ""]
    assert [row["milliseconds"] != "" for row in rows] == [True, True, False]
    assert max(float(row["x2"]) for row in table(Path("results/detections.csv"))) > 256


def changed(bundle, tmp_path):
    folder = tmp_path / "changed"
    for file in bundle.rglob("*"):
        if file.is_file():
            (folder / file.relative_to(bundle)).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.relative_to(bundle)).write_bytes(file.read_bytes())
    return folder


def test_the_selftest_passes(program):
    code, said, _ = program("--selftest")
    assert code == 0 and said.startswith("selftest passed: 3 pictures, largest score difference ")
    assert not [*Path().iterdir()]


def test_the_selftest_notices_another_weight(program, bundle, tmp_path):
    folder = changed(bundle, tmp_path)
    network = onnx.load_model_from_string((folder / "model.onnx").read_bytes())
    weight = max(network.graph.initializer, key=lambda one: one.name == "graph.layers.1.conv.weight")
    values = onnx.numpy_helper.to_array(weight).copy()
    values.flat[0] += 1
    weight.raw_data = values.tobytes()
    (folder / "model.onnx").write_bytes(network.SerializeToString())
    code, said, _ = program("--selftest", folder=folder)
    assert code == 1 and said.startswith("selftest failed:")


def test_the_selftest_notices_what_is_expected_otherwise(program, bundle, tmp_path):
    folder = changed(bundle, tmp_path)
    whole = json.loads((folder / "expected.json").read_text("utf-8"))

    def after(change):
        expected = json.loads(json.dumps(whole))
        change(expected["pictures"])
        (folder / "expected.json").write_text(json.dumps(expected), "utf-8")
        return program("--selftest", folder=folder)

    def score(pictures):
        pictures[0]["detections"][0]["score"] -= 0.002

    def box(pictures):
        left, _, right, _ = pictures[0]["detections"][0]["box"]
        pictures[0]["detections"][0]["box"][2] += (right - left) / 50

    for change, words in (
        (score, "1_裂 one.png: lacks"),
        (box, "lacks"),
        (lambda pictures: pictures[0]["detections"].pop(), "finds besides"),
        (lambda pictures: pictures[0]["detections"].append(pictures[0]["detections"][0]), "lacks"),
        (lambda pictures: pictures[2].update(verdict="NG"), "3_two.png: OK, expected NG"),
    ):
        code, said, _ = after(change)
        assert code == 1 and said.startswith("selftest failed:") and words in said, said
    assert after(lambda pictures: None)[0] == 0
    code, _, problem = after(lambda pictures: pictures[0].pop("detections"))
    assert code == 2 and "expected.json: it or a picture is damaged" in problem and len(problem.splitlines()) == 1


BLOCKED = 'raise AssertionError("infer.py must not import this")\n'


def test_it_runs_by_itself_without_torch_and_this_project(bundle, tmp_path):
    """As on a line: the file of the bundle, by its name, from elsewhere; whoever imports these fails."""
    blocked = tmp_path / "blocked"
    blocked.mkdir()
    for name in ("torch", "torchvision", "onnx", "PIL", "matplotlib", "models", "data", "utils", "detect"):
        (blocked / f"{name}.py").write_text(BLOCKED)
    environment = {**os.environ, "PYTHONPATH": str(blocked), "OMP_NUM_THREADS": "1"}
    for argv, code in ((["--selftest"], 0), ([str(bundle / "pictures")], 10), (["nowhere"], 2)):
        command = [sys.executable, str(bundle / "infer.py"), *argv]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
    assert "tiles" not in (tmp_path / "results" / "summary.csv").read_text("utf-8")


def test_a_bundle_that_was_moved_looks_in_tiles(form, bundle, tmp_path):
    """Without the project on the path; the tables are those of detect.py with the same file and thresholds."""
    moved, pictures = changed(bundle, tmp_path), tmp_path / "pictures"
    written(form, moved, made=DetectionSettings(0.6, 300, IMGSZ, 128, 0.2, True))
    pictures.mkdir()
    image = noise(np.random.default_rng(13), 300, 420)
    cv2.imwrite(str(pictures / "large.png"), cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, str(moved / "infer.py"), str(pictures)]
    environment |= {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 10 and not done.stderr, done.stderr
    words = ["--weights", str(moved / "model.onnx"), "--thresholds", str(moved / "thresholds.yaml"), "--nosave"]
    words += ["--source", str(pictures), "--project", str(tmp_path), "--name", "detect", "--save-csv"]
    assert detect.main([*words, "--device", "cpu"]) == 0
    for mine, theirs in (("detections.csv", "predictions.csv"), ("summary.csv", "summary.csv")):
        got, want = table(tmp_path / "results" / mine), table(tmp_path / "detect" / theirs)
        assert got and [list(row) for row in got] == [list(row) for row in want]
        assert [{**row, "milliseconds": ""} for row in got] == [{**row, "milliseconds": ""} for row in want]
    (moved / "merging.py").unlink()
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "take the bundle anew" in done.stderr


def test_a_missing_package_is_one_line(bundle, tmp_path):
    (tmp_path / "onnxruntime.py").write_text('raise ImportError("No module named onnxruntime")\n')
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    command = [sys.executable, str(bundle / "infer.py"), "--selftest"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "requirements.txt" in done.stderr
