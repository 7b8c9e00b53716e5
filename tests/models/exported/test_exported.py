"""Exported files are opened without trusting them: whole and as they were written, or refused in one line."""

import json
import random
import shutil
import sys

import pytest
import torch

from models.exported import libraries
from models.exported.about import FORMAT, KEY
from models.exported.onnx_file import DIGEST, _digest
from models.exported.opened import is_exported, open_exported
from models.exporting.candidate import OnnxCandidate, OpenVINOCandidate, TorchScriptCandidate
from models.exporting.export_form import ExportForm
from models.exporting.nms_graph import with_nms
from models.exporting.onnx_writer import onnx_model
from models.exporting.openvino_writer import openvino_model
from models.exporting.torchscript_writer import torchscript
from models.ready.load import load_model
from tests.models.exporting.test_gate import about_of, tiny
from utils.words.errors import CheckpointError, ConfigError, DamagedError, UserError

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with one network in every format."""
    folder, graph = tmp_path_factory.mktemp("made"), tiny()
    form, about = ExportForm(graph), about_of(graph)
    model = onnx_model(form)
    OnnxCandidate(model).write(folder / "x.onnx", about)
    OnnxCandidate(with_nms(model)).write(folder / "nms.onnx", about_of(graph, nms=True))
    OpenVINOCandidate(openvino_model(model)).write(folder / "x_openvino", about) if libraries_there() else None
    TorchScriptCandidate(torchscript(form)).write(folder / "x.torchscript", about)
    return folder


def libraries_there():
    return sys.modules.get("openvino") or pytest.importorskip("openvino")


@pytest.fixture
def file(made, tmp_path):
    """A copy of the ONNX file alone."""
    return shutil.copy(made / "x.onnx", tmp_path / "a.onnx")


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made / "x_openvino", tmp_path / "a_openvino")


PICTURE = torch.rand(2, 3, 40, 56, generator=torch.Generator().manual_seed(0))


def said(path):
    return open_exported(path).ready()(PICTURE)


def refused(path, kind=DamagedError, words=""):
    with pytest.raises(kind) as raised:
        load_model(path)
    line = str(raised.value)
    assert "\n" not in line and line.isprintable() and words in line, line
    if issubclass(kind, CheckpointError):
        assert line.startswith(str(path)) or line.startswith(str(path.parent)), line


def changed(path, change, whole=True):
    """The file with `change(model)` made, and the digest of what it is now."""
    model = onnx.load_model_from_string(path.read_bytes())
    change(model)
    if whole:
        next(one for one in model.metadata_props if one.key == DIGEST).value = _digest(model)
    path.write_bytes(model.SerializeToString())
    return path


def about_changed(path, change):
    """What it says of itself changed by `change(plain)`, which may give another value in its place."""

    def rewrite(model):
        entry = next(one for one in model.metadata_props if one.key == KEY)
        plain = json.loads(entry.value)
        other = change(plain)
        entry.value = json.dumps(plain if other is None else other)

    return changed(path, rewrite, whole=False)


# --- moved ----------------------------------------------------------------------------------------------------------


def test_a_file_is_whole_wherever_it_lies(made, tmp_path, monkeypatch):
    for number, name in enumerate(("x.onnx", "nms.onnx", "x_openvino")):
        other = tmp_path / f"folder {number}" / ("图 b" + (".onnx" if name.endswith("onnx") else ""))
        other.parent.mkdir()
        (shutil.copytree if (made / name).is_dir() else shutil.copy)(made / name, other)
        monkeypatch.chdir(tmp_path)
        assert is_exported(other)
        one, two = said(made / name), said(other)
        assert torch.equal(one.scores, two.scores) and torch.equal(one.boxes, two.boxes)
    xml = said(other / "model.xml")
    assert torch.equal(xml.scores, two.scores), "its XML names the folder, too"
    assert not is_exported(tmp_path) and not is_exported(tmp_path / "best.pt")


def test_what_it_says_of_itself_is_what_was_written(made):
    graph = tiny()
    for name in ("x.onnx", "x_openvino"):
        about, wanted = open_exported(made / name).about, about_of(graph)
        assert about.text() == wanted.text() and about.names == wanted.names and about.channels == wanted.channels
        loaded = load_model(made / name)
        assert (loaded.names, loaded.epoch, loaded.network) == (wanted.names, 0, "tiny.yaml")
    beside = json.loads((made / "x.onnx.export.json").read_text())
    assert beside[KEY]["names"] == list("abcde") and list(beside["sha256"]) == ["x.onnx"]


# --- damaged --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_cut_off(file, share):
    content = file.read_bytes()
    file.write_bytes(content[: int(len(content) * share)])
    refused(file)


@pytest.mark.parametrize("content", [b"", b"\0" * 1000, random.Random(1).randbytes(5000), b"{}", b"PK\3\4 rest"])
def test_other_content(file, content):
    file.write_bytes(content)
    refused(file)


def test_no_file(tmp_path):
    for name in ("x.onnx", "model.xml", "x.torchscript"):
        path = tmp_path / name
        refused(path, CheckpointError, "TorchScript" if "torch" in name else "no such file")
    (tmp_path / "x.onnx").mkdir()
    refused(tmp_path / "x.onnx", DamagedError, "is a folder")


def test_torchscript_is_never_run(made):
    refused(made / "x.torchscript", CheckpointError, "TorchScript is a program")


def test_a_file_of_another_program(file):
    refused(changed(file, lambda model: model.ClearField("metadata_props"), whole=False), words="of another program")


def external(location):
    def change(model):
        one = model.graph.initializer[0]
        one.ClearField("raw_data")
        one.data_location = 1
        one.external_data.add(key="location", value=location)

    return change


@pytest.mark.parametrize("location", ["../secret.bin", "weights.bin", "/etc/passwd"])
def test_weights_in_another_file(file, location):
    (file.parent / "weights.bin").write_bytes(bytes(100_000))
    refused(changed(file, external(location)), words=location)


def test_weights_in_another_file_within_an_operator(file):
    def change(model):
        constant = next(node for node in model.graph.node if node.op_type == "Constant")
        constant.attribute[0].t.data_location = 1
        constant.attribute[0].t.external_data.add(key="location", value="../deep.bin")

    refused(changed(file, change), words="../deep.bin")


def test_weights_in_another_file_within_a_function(file):
    """A function of a file may hold constants as well."""

    def change(model):
        tensor = onnx.numpy_helper.from_array(PICTURE.numpy(), "inside")
        tensor.ClearField("raw_data")
        tensor.data_location = 1
        tensor.external_data.add(key="location", value="../deep.bin")
        node = onnx.helper.make_node("Constant", [], ["y"], value=tensor)
        opsets = [onnx.helper.make_opsetid("", 17)]
        model.functions.append(onnx.helper.make_function("own", "Hidden", [], ["y"], [node], opsets))

    refused(changed(file, change))


def test_a_weight_changed(file):
    def change(model):
        one = next(tensor for tensor in model.graph.initializer if len(tensor.raw_data) > 100)
        one.raw_data = bytes([one.raw_data[0] ^ 1]) + one.raw_data[1:]

    refused(changed(file, change, whole=False), words="its operators or weights were changed")


def test_an_operator_or_its_version_changed(file, made):
    def swap(model):
        next(node for node in model.graph.node if node.op_type == "Sigmoid").op_type = "Tanh"

    def older(model):
        model.opset_import[0].version = 13

    for change in (swap, older):
        shutil.copy(made / "x.onnx", file)
        refused(changed(file, change, whole=False), words="were changed")


ABOUT = {
    "format": (lambda p: p.update(format=FORMAT + 1), "of another version"),
    "format is text": (lambda p: p.update(format="1"), "format"),
    "format is missing": (lambda p: p.pop("format") and None, "format"),
    "a list": (lambda p: [1, 2], "damaged"),
    "a number": (lambda p: 3, "damaged"),
    "names are missing": (lambda p: p.pop("names") and None, "names is missing"),
    "names are numbers": (lambda p: p.update(names=[1, 2, 3, 4, 5]), "names"),
    "names are alike": (lambda p: p.update(names=["a", "A", "b", "c", "d"]), "names"),
    "no names": (lambda p: p.update(names=[]), "names"),
    "stride": (lambda p: p.update(stride=10**9), "stride"),
    "stride 0": (lambda p: p.update(stride=0), "stride"),
    "stride is text": (lambda p: p.update(stride="8"), "stride"),
    "imgsz": (lambda p: p.update(imgsz=-1), "imgsz"),
    "shape": (lambda p: p.update(shape=[1, 2]), "shape"),
    "shape of nothing": (lambda p: p.update(shape=[0, 64, 64]), "shape"),
    "number": (lambda p: p.update(number="fp8"), "number"),
    "scale": (lambda p: p.update(scale=1.0), "prepared in another way"),
    "letterbox": (lambda p: p["letterbox"].update(padding=0), "prepared in another way"),
    "channels": (lambda p: p.update(channels=["r", "r", "b"]), "channels"),
    "planes": (lambda p: p.update(channels=["r", "g"]), "planes"),
    "nms": (lambda p: p.update(nms=True), "inputs or outputs"),
    "text": (lambda p: p.update(text_input=True), "text vectors"),
    "words": (lambda p: p.update(text_input=True, vocabulary={}, synonyms=[]), "words are incomplete"),
    "vectors": (
        lambda p: p.update(text_input=True, vocabulary={"vectors": {"float32": "?", "shape": [5, 8]}}, synonyms=[]),
        "text vectors cannot be read",
    ),
    "weights": (lambda p: p.update(weights={"file": "x"}), "identity"),
    "config": (lambda p: p.update(config={}), "config"),
    "config of nonsense": (lambda p: p["config"]["val"].update(iou="much"), "iou"),
    "epoch": (lambda p: p.update(epoch=-1), "epoch"),
}


@pytest.mark.parametrize("name", ABOUT)
def test_what_it_says_of_itself_makes_no_sense(file, folder, name):
    change, words = ABOUT[name]
    refused(about_changed(file, change), words=words)
    if name != "planes":  # whose number OpenVINO sees when it runs
        beside = folder / "export.json"
        plain = json.loads(beside.read_text())
        other = change(plain[KEY])
        beside.write_text(json.dumps(plain if other is None else plain | {KEY: other}))
        refused(folder, words="" if words == "planes" else words)


@pytest.mark.parametrize("text", ["", "nonsense", "{", '{"format": 1', "[" * 100_000, "NaN", "\ud800"[:0] + '"x"'])
def test_what_it_says_of_itself_is_no_json(file, text):
    def change(model):
        next(one for one in model.metadata_props if one.key == KEY).value = text

    refused(changed(file, change, whole=False), words="damaged")


def renamed(model, old, new):
    for one in (*model.graph.input, *model.graph.output):
        one.name = new if one.name == old else one.name
    for node in model.graph.node:
        node.input[:] = [new if one == old else one for one in node.input]
        node.output[:] = [new if one == old else one for one in node.output]


def test_other_ends(file, made):
    def other_planes(model):
        model.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 4

    def one_more(model):
        model.graph.input.append(onnx.helper.make_tensor_value_info("more", 1, [1]))

    changes = [lambda m: renamed(m, "images", "x"), lambda m: renamed(m, "predictions", "y"), other_planes, one_more]
    for change in changes:
        shutil.copy(made / "x.onnx", file)
        refused(changed(file, change), words="planes" if change is other_planes else "inputs or outputs")


def test_fewer_numbers_than_it_says(file):
    """Another head behind the same names: refused when it runs, in one line."""
    path = about_changed(file, lambda p: p.update(names=list("abcdefg")))
    with pytest.raises(CheckpointError, match="a.onnx: "):
        said(path)


# --- OpenVINO -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.bin", "export.json"])
def test_a_file_of_the_folder_is_missing(folder, name):
    (folder / name).unlink()
    refused(folder, words=name)


def test_without_its_xml_a_folder_is_none(folder):
    (folder / "model.xml").unlink()
    assert not is_exported(folder)
    refused(folder, CheckpointError)


@pytest.mark.parametrize("name", ["model.bin", "model.xml"])
def test_a_file_of_the_folder_was_changed(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    refused(folder, words="was changed")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"detector": 1}', '{"detector": {}, "sha256": []}', "\0"])
def test_its_description_is_none(folder, content):
    (folder / "export.json").write_text(content)
    refused(folder)


# --- libraries ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["onnx", "onnxruntime", "openvino"])
def test_without_its_library(file, folder, monkeypatch, name):
    path = folder if name == "openvino" else file
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=rf"^{name} cannot be imported \(.*pip install -r requirements-export.txt$"):
        said(path)


def test_libraries_report_to_no_server():
    libraries.library("json")
    assert sys.modules["openvino_telemetry"] is None


# --- bits -----------------------------------------------------------------------------------------------------------


def refused_or_same(path, wanted):
    """Whether a file is refused; else it must compute what it did."""
    try:
        found = said(path)
    except UserError as error:
        assert "\n" not in str(error) and str(error).isprintable()
        return True
    assert torch.equal(found.scores, wanted.scores) and torch.equal(found.boxes, wanted.boxes)
    return False


def flipped(content, rng):
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def flip_many(path, wanted, seed, times):
    rng, content, number = random.Random(seed), path.read_bytes(), 0
    for _ in range(times):
        path.write_bytes(flipped(content, rng))
        number += refused_or_same(path, wanted)
    return number


def test_flipped_bits(made, file):
    assert flip_many(file, said(made / "x.onnx"), "bits", 60) > 20


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("name", ["x.onnx", "nms.onnx"])
def test_many_flipped_bits(made, file, seed, name):
    shutil.copy(made / name, file)
    assert flip_many(file, said(made / name), seed, 200) > 50


@pytest.mark.faults
@pytest.mark.parametrize("name", ["export.json", "model.xml", "model.bin"])
def test_many_flipped_bits_of_a_folder(made, folder, name):
    wanted, rng = said(made / "x_openvino"), random.Random(name)
    content, number = (folder / name).read_bytes(), 0
    for _ in range(100):
        (folder / name).write_bytes(flipped(content, rng))
        number += refused_or_same(folder, wanted)
    assert number > 30 if name != "export.json" else number
