"""What examples look like to a network: the cells that find their boxes."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from models.graph.builder import build_graph
from models.ready.examples import CELLS, LEAST, look_at
from models.rows.model_spec import read_spec
from utils.values.batch import Batch, Targets
from utils.values.boxes import pairwise_iou


@pytest.fixture
def graph():
    torch.manual_seed(0)
    graph = build_graph(read_spec("cfg/models/rtvpnet-plain-n.yaml").with_values(nc=3, text_dim=64)).eval()
    graph.text.fill(normalize(torch.randn(3, 64), dim=-1))
    return graph


def batch(boxes: list[list[float]], labels: list[int], images: list[int]) -> Batch:
    generator = torch.Generator().manual_seed(1)
    pictures = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8, generator=generator)
    targets = Targets(torch.tensor(images), torch.tensor(labels), torch.tensor(boxes, dtype=torch.float32))
    return Batch(pictures, targets, (0, 1))


def by_hand(graph, made: Batch, image: int, box: list[float]) -> torch.Tensor:
    """The cells with their points in the box, by overlap: one after the other, in numpy."""
    seen = []
    hook = graph.layers[-1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        said = graph(made.inputs())
        vectors = graph.head.embeddings(seen[0])[image].numpy()
    hook.remove()
    overlap = pairwise_iou(torch.tensor([box]), said.boxes[image])[0].numpy()
    x, y = said.points.numpy().T
    inside = np.flatnonzero((x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3]))
    best = inside[np.argsort(-overlap[inside], kind="stable")][:CELLS]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    total = sum((overlap[k] + LEAST) * unit[k] for k in best)
    return torch.from_numpy(total / np.linalg.norm(total))


def test_a_box_is_seen_by_the_cells_that_find_it(graph):
    boxes = [[4.0, 4.0, 40.0, 36.0], [20.0, 30.0, 60.0, 62.0]]
    made = batch(boxes, [2, 0], [0, 1])
    seen = look_at(graph, [made], "abc")
    assert list(seen) == ["a", "c"]
    assert torch.allclose(seen["c"], by_hand(graph, made, 0, boxes[0]), atol=1e-5)
    assert torch.allclose(seen["a"], by_hand(graph, made, 1, boxes[1]), atol=1e-5)


def test_several_examples_of_a_class_count_alike(graph):
    boxes = [[4.0, 4.0, 40.0, 36.0], [20.0, 30.0, 60.0, 62.0]]
    made = batch(boxes, [1, 1], [0, 1])
    apart = [by_hand(graph, made, image, box) for image, box in enumerate(boxes)]
    seen = look_at(graph, [made, made], "abc")["b"]
    assert torch.allclose(seen, normalize(sum(apart), dim=0), atol=1e-5)


def test_a_spot_between_the_cells_is_seen_by_the_nearest(graph):
    (near,) = look_at(graph, [batch([[33.0, 33.0, 34.0, 34.0]], [0], [0])], "a").values()
    assert near.isfinite().all() and torch.isclose(near.norm(), torch.tensor(1.0))
