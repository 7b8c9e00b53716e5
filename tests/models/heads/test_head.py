"""A head owns its criterion: a new one is a class, and a row that names it."""

import pytest
import torch

from models.graph.builder import build_graph
from models.graph.folded import static_graph
from models.heads.anchor_free import FreeDetect
from models.losses.anchor_criterion import AnchorCriterion
from models.losses.anchor_free_criterion import FreeCriterion
from models.losses.terms import LossTerms
from models.rows import registry
from models.rows.model_spec import parse_spec, read_spec
from models.rows.registry import In
from utils.config.config import AnchorLossConfig, Config, DataConfig, FreeAssignConfig
from utils.words.errors import ConfigError
from utils.words.yamlio import parse_yaml


def network(name):
    return build_graph(read_spec(f"cfg/models/{name}.yaml"))


def test_the_criterion_receives_the_sections_of_its_head():
    cfg = Config(
        data=DataConfig(imgsz=320), anchor_loss=AnchorLossConfig(obj=2.0), free_assign=FreeAssignConfig(topk=3)
    )
    anchor = network("idfe-net-n").head.criterion(cfg)
    assert isinstance(anchor, AnchorCriterion) and (anchor.object_gain, anchor.classes) == (0.5, 5)
    for name in ("idfe-net-free-n", "rtvpnet-plain-n"):
        free = network(name).head.criterion(cfg)
        assert isinstance(free, FreeCriterion) and (free.assign.topk, free.loss.box) == (3, 7.5)


class Watched:
    """A configuration that notes which of its sections are asked for."""

    def __init__(self):
        self.cfg, self.asked = Config(), set()

    def __getattr__(self, section):
        self.asked.add(section)
        return getattr(self.cfg, section)


@pytest.mark.parametrize("name", ["idfe-net-n", "idfe-net-free-n", "rtvpnet-plain-n"])
def test_a_head_declares_the_sections_it_reads(name):
    """Each of them, and no other but the network's input size."""
    watched, head = Watched(), network(name).head
    head.criterion(watched)
    assert watched.asked - {"data"} == {*head.sections}


def test_a_static_network_does_not_learn():
    graph = network("rtvpnet-plain-n")
    graph.text.fill(torch.eye(5, graph.spec.text_dim))
    with pytest.raises(AssertionError, match="StaticDetect has no criterion"):
        static_graph(graph).head  # noqa: B018  it is the access that fails


def test_a_new_head_is_one_class():
    """What a contributor writes; nothing else needs to know of it."""

    class PlantedDetect(FreeDetect):
        def criterion(self, cfg):
            return lambda predictions, targets: LossTerms({"cls": predictions.class_logits.sum().view(1)}, {})

    rows = "nc: 2\nbackbone:\n  - [image, 1, Conv, [8, 3, 8], c]\nhead:\n  - [[c], 1, PlantedDetect, [$nc]]\n"
    registry.register(PlantedDetect)
    try:
        graph = build_graph(parse_spec(parse_yaml(rows, "planted.yaml")))
    finally:
        registry._LAYERS.pop("PlantedDetect")
    predictions = graph(torch.rand(1, 3, 16, 16))
    terms = graph.head.criterion(Config())(predictions, None)
    assert terms.sums["cls"] == predictions.class_logits.sum()


class Faulty(torch.nn.Module):
    """What a contributor may write: its forward looks for a value that is not there."""

    def __init__(self, c1: In):
        super().__init__()

    def forward(self, x):
        return [x][1]


def test_an_error_in_a_layer_names_the_line_of_the_layer():
    """It reads as an error of the row, but the author finds the place."""
    registry.register(Faulty)
    try:
        rows = "nc: 2\nbackbone:\n  - [image, 1, Conv, [8, 3, 8]]\n  - [-1, 1, Faulty, [], c]\nhead:\n"
        with pytest.raises(ConfigError) as caught:
            build_graph(parse_spec(parse_yaml(rows + "  - [[c], 1, FreeDetect, [$nc]]\n", "faulty.yaml")))
    finally:
        registry._LAYERS.pop("Faulty")
    line = Faulty.forward.__code__.co_firstlineno + 1
    assert str(caught.value).endswith(f"list index out of range (in test_head.py, line {line}; --debug shows more)")
    assert "faulty.yaml:4" in str(caught.value) and isinstance(caught.value.__cause__, IndexError)
