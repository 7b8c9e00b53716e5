"""Which training YAML belongs to a model."""

import pytest

from utils.config import train_config


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
