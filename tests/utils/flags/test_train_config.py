"""Which training YAML belongs to a model."""

import pytest

from utils.flags import train_config
from utils.flags.train_flags import parse_train
from utils.words.yamlio import read_yaml


@pytest.mark.parametrize(
    ("model", "training"),
    [
        ("idfe-net.yaml", "idfe-net"),
        ("idfe-net-free-n.yaml", "idfe-net-free"),
        ("some/where/IDFE-Net-basic.yaml", "idfe-net"),
        ("idfe-net", "idfe-net"),
        ("mine.yaml", "default"),
        ("demo.yaml", "default"),
    ],
)
def test_the_longest_name_that_begins_the_models(tmp_path, monkeypatch, model, training):
    (tmp_path / "train").mkdir()
    for name in ("default", "demo", "idfe-net", "idfe-net-free"):
        (tmp_path / "train" / f"{name}.yaml").touch()
    monkeypatch.setattr(train_config, "CFG", tmp_path)
    assert train_config.training_yaml(model).stem == training


def test_published_names_train_as_published_and_the_others_as_measured():
    assert train_config.training_yaml("IDFE-Net-Enhanced version2.yaml").stem == "idfe-net-enhanced"
    assert train_config.training_yaml("idfe-net-c2f-n.yaml").stem == "idfe-net"


@pytest.mark.parametrize(
    ("words", "training"),
    [
        ([], "idfe-net"),
        (["--cfg", "rtvpnet-n.yaml"], "rtvpnet"),
        (["--weights", "best.pt"], "rtvpnet"),
        (["--weights", "best.pt", "--cfg", "idfe-net-n"], "idfe-net"),
        (["--weights", "best.pt", "--set", "model.cfg=mine.yaml"], "default"),
        (["--cfg", "rtvpnet-n.yaml", "--set", "model.cfg=idfe-net.yaml"], "idfe-net"),
        (["--set", "model.weights=best.pt"], "rtvpnet"),
        (["--weights", "best.pt", "--hyp", "idfe-net-enhanced.yaml"], "idfe-net-enhanced"),
        (["--weights", ""], "idfe-net"),
    ],
)
def test_the_settings_are_those_of_the_network_that_is_trained(monkeypatch, words, training):
    read = []
    monkeypatch.setattr(train_config, "read_yaml", lambda path: read.append(path) or read_yaml(path))
    train_config.configure(parse_train(words), {"best.pt": "rtvpnet-l.yaml"}.__getitem__)
    assert [path.stem for path in read] == [training]


@pytest.mark.parametrize(
    ("words", "network"),
    [
        ([], "idfe-net-lite0-n.yaml"),
        (["--weights", ""], "idfe-net-lite0-n.yaml"),
        (["--hyp", "rtvpnet.yaml"], "idfe-net-lite0-n.yaml"),
        (["--cfg", "mine.yaml"], "mine.yaml"),
        (["--weights", "best.pt"], ""),
    ],
)
def test_the_configuration_names_the_network_unless_the_weights_do(words, network):
    cfg, _ = train_config.configure(parse_train(words), {"best.pt": "rtvpnet-l.yaml"}.__getitem__)
    assert cfg.model.cfg == network
