"""Fitted anchors go into the specification of a new network."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.graph.builder import build_graph
from models.prompts.embedding import SAMEmbedding
from models.ready.new_model import new_model, new_training, refit_spec, start_advice
from models.ready.trial import random_batch
from models.rows.model_spec import read_spec
from utils.config.config import Config, DataConfig, ModelConfig, OptimConfig
from utils.processes.distributed import ALONE
from utils.training.optimizer import restore_optimizer
from utils.training.step import forward_backward, optimizer_step
from utils.values.channels import Channels
from utils.values.step_info import StepInfo
from utils.words.vocabulary import Vocabulary

PLANTED = [[3, 60], [60, 3], [8, 8], [20, 5], [5, 20], [40, 40], [100, 30], [30, 100], [200, 200]]
USUAL = [[10, 13], [16, 30], [33, 23], [30, 61], [62, 45], [59, 119], [116, 90], [156, 198], [373, 326]]

READING = """
nc: 2
anchors: [[3, 3, 4, 4, 5, 5]]
text_encoder: ngram:16
sam: none
backbone:
  - [image, 1, SAMEmbedding, [$sam], z]
  - [image, 1, Conv, [16, 3, 8], p3]
  - [[-1, text], 1, TextGuidedC2f, [16]]
  - [[-1, z], 1, DomainProjection, [z, {hidden: 8}], projected]
head:
  - [[projected.0], 1, AnchorDetect, [$nc, $anchors]]
"""


def scattered(centres):
    rng = np.random.default_rng(1)
    return np.repeat(np.array(centres, float), 60, axis=0) * np.exp(rng.normal(0, 0.05, (60 * len(centres), 2)))


def test_refit_spec_goes_into_the_specification(tmp_path):
    graph = build_graph(read_spec("cfg/models/idfe-net-n.yaml"))
    spec, words = refit_spec(graph, scattered(PLANTED), 4.0, 0)
    assert "fitted new ones" in words and spec.data["anchors"] != graph.spec.data["anchors"]
    again = build_graph(spec).head.anchors
    assert again.flatten(1).tolist() == torch.tensor(spec.data["anchors"]).tolist()
    assert refit_spec(graph, np.zeros((0, 2)), 4.0, 0) == (graph.spec, "")
    inline = tmp_path / "inline.yaml"
    text = Path("cfg/models/idfe-net-n.yaml").read_text()
    inline.write_text(text.replace("$anchors", "[[9, 9], [20, 20], [50, 50]]"))
    assert refit_spec(build_graph(read_spec(inline)), scattered(PLANTED), 4.0, 0)[1] == ""
    spec, words = refit_spec(graph, scattered(USUAL), 4.0, 0)
    assert spec is graph.spec and words


def test_a_network_with_new_anchors_keeps_its_words_and_its_helper(tmp_path):
    network = tmp_path / "reading.yaml"
    network.write_text(READING)
    cfg = Config(model=ModelConfig(cfg=str(network), sam="random-frozen"))
    vocabulary = Vocabulary(("crack", "oil stain"), (("crack",), ("oil stain",)))
    _, model, words = new_model(cfg, vocabulary, Channels(), scattered([[40, 40], [9, 200], [200, 9]]))
    assert model.spec.data["anchors"] != [[3, 3, 4, 4, 5, 5]]
    assert torch.equal(model.text(), words.vectors) and len(words.vectors) == 2
    assert [layer.sam is not None for layer in model.layers if isinstance(layer, SAMEmbedding)] == [True]


def test_a_start_from_noise_with_few_pictures_is_told_of_imagenet():
    advised = {
        "idfe-net-n": "idfe-net-lite0-n.yaml",
        "idfe-net-polar-n": "idfe-net-polar-lite0-n.yaml",
        "rtvpnet-plain-n": "rtvpnet-lite0-n.yaml",
    }
    for name, better in advised.items():
        model = build_graph(read_spec(f"cfg/models/{name}.yaml"))
        assert start_advice(model, Config(), 2000, 2000) == [
            f"2,000 pictures, from scratch: --cfg {better} starts from ImageNet"
        ]
        assert (Path("cfg/models") / better).exists()
        warm = replace(Config(), model=replace(Config().model, weights="best.pt"))
        assert start_advice(model, warm, 2000, 2000) == start_advice(model, Config(), 2001, 2001) == []
    assert start_advice(build_graph(read_spec("cfg/models/idfe-net-lite0-n.yaml")), Config(), 2000, 2000) == []


@pytest.mark.parametrize(
    ("pictures", "epochs", "told"),
    [
        (1, 100, "1 picture, 100 updates of the weights in all: fifty pictures taught more in 480, which --repeat 77"),
        (
            10,
            240,
            "10 pictures, 240 updates of the weights in all: fifty pictures taught more in 480, which --repeat 4",
        ),
        (10, 241, ""),
        (
            200,
            18,
            "200 pictures, 234 updates of the weights in all: fifty pictures taught more in 480, which --repeat 3",
        ),
        (201, 1, ""),
    ],
)
def test_few_pictures_and_few_steps_are_told_of_more(pictures, epochs, told):
    """Of 16 pictures each: (4.8 of 100 epochs) x 16, and so on."""
    cfg = replace(Config(), schedule=replace(Config().schedule, epochs=epochs), optim=OptimConfig(nominal_batch=16))
    said = start_advice(build_graph(read_spec("cfg/models/idfe-net-lite0-n.yaml")), cfg, pictures, pictures)
    assert len(said) == bool(told) and all(told in sentence for sentence in said), said


UNREAD = """
nc: 2
backbone:
  - [image, 1, Conv, [16, 3, 2]]
  - [-1, 1, Conv, [16, 3, 2], unread]
  - [0, 1, Conv, [16, 3, 4], p3]
head:
  - [[p3], 1, FreeDetect, [$nc]]
"""


def test_what_no_output_hangs_on_learns_nothing_and_the_run_can_be_resumed(tmp_path, caplog):
    network = tmp_path / "unread.yaml"
    network.write_text(UNREAD)
    cfg = Config(data=DataConfig(imgsz=64, batch_size=2))

    def begun():
        return new_training(build_graph(read_spec(network)), cfg, 8, None, torch.device("cpu"), ALONE)[1]

    state = begun()
    assert "row 1 (Conv): nothing found hangs on 2,336 parameters there, which learn nothing" in caplog.text
    forward_backward(state, state.model.head.criterion(cfg), random_batch(2, 64, 2, 0), StepInfo(0, 0, 1.0))
    assert optimizer_step(state, 1.0, 2)
    assert all(p.grad is None for p in state.model.layers[1].parameters())
    assert restore_optimizer(begun().optimizer, state.optimizer.state_dict()) == ""
