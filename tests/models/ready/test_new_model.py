"""Fitted anchors go into the specification of a new network."""

from pathlib import Path

import numpy as np
import torch

from models.graph.builder import build_graph
from models.ready.new_model import refit_spec
from models.rows.model_spec import read_spec

PLANTED = [[3, 60], [60, 3], [8, 8], [20, 5], [5, 20], [40, 40], [100, 30], [30, 100], [200, 200]]
USUAL = [[10, 13], [16, 30], [33, 23], [30, 61], [62, 45], [59, 119], [116, 90], [156, 198], [373, 326]]


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
