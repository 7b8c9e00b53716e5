"""What examples look like to a network: what tells the cells that find their boxes from those around."""

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
    """A network whose BatchNorms have seen pictures, so that its cells differ."""
    torch.manual_seed(0)
    graph = build_graph(read_spec("cfg/models/rtvpnet-plain-n.yaml").with_values(nc=3, text_dim=64))
    graph.text.fill(normalize(torch.randn(3, 64), dim=-1))
    for norm in graph.modules():
        if isinstance(norm, torch.nn.BatchNorm2d):
            norm.momentum = 1.0
    with torch.no_grad():
        graph.train()(batch([], [], []).inputs())
    return graph.eval()


def batch(boxes: list[list[float]], labels: list[int], images: list[int], ignored=()) -> Batch:
    generator = torch.Generator().manual_seed(1)
    pictures = torch.randint(100, 130, (2, 3, 64, 64), dtype=torch.uint8, generator=generator)
    pictures[0, :, 8:32, 8:36] += 100  # a bright thing on each
    pictures[1, :, 34:60, 24:56] += 100
    regions = torch.zeros(len(ignored), dtype=torch.long), torch.tensor(ignored).reshape(-1, 4)
    truth = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    targets = Targets(torch.tensor(images), torch.tensor(labels), truth, *regions)
    return Batch(pictures, targets, (0, 1))


def cells(graph, made: Batch) -> tuple[np.ndarray, np.ndarray, torch.Tensor]:
    """Embeddings, points and predicted boxes of a batch."""
    seen = []
    hook = graph.layers[-1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.no_grad():
        said = graph(made.inputs())
        vectors = graph.head.embeddings(seen[0]).double().numpy()
    hook.remove()
    return vectors, said.points.numpy(), said.boxes


def within(points: np.ndarray, box: list[float]) -> np.ndarray:
    x, y = points.T
    return (x >= box[0]) & (x <= box[2]) & (y >= box[1]) & (y <= box[3])


def mean_of(graph, made: Batch, image: int, box: list[float]) -> np.ndarray:
    """The cells with their points in the box, by overlap: one after the other."""
    vectors, points, boxes = cells(graph, made)
    overlap = pairwise_iou(torch.tensor([box]), boxes[image])[0].double().numpy() + LEAST
    inside = np.flatnonzero(within(points, box))
    best = inside[np.argsort(-overlap[inside], kind="stable")][:CELLS]
    return sum(overlap[k] * vectors[image, k] for k in best) / overlap[best].sum()


def around(graph, made: Batch, boxes: list[tuple[int, list[float]]]) -> np.ndarray:
    """The vectors of the cells in none of the boxes (image, box)."""
    vectors, points, _ = cells(graph, made)
    free = np.ones(vectors.shape[:2], bool)
    for image, box in boxes:
        free[image] &= ~within(points, box)
    return vectors[free]


def discriminant(mean: np.ndarray, surroundings: np.ndarray) -> torch.Tensor:
    """Fisher's, by the inverse of numpy's covariance and a sphere of its mean variance, but for a fifth of the mean."""
    covariance = np.cov(surroundings, rowvar=False, bias=True)
    sphere = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
    found = np.linalg.inv(covariance + sphere) @ (mean - 0.8 * surroundings.mean(0))
    return torch.from_numpy(found / np.linalg.norm(found)).float()


BOXES = [[4.0, 4.0, 40.0, 36.0], [20.0, 30.0, 60.0, 62.0]]


def test_a_box_is_told_from_what_is_around_by_the_cells_that_find_it(graph):
    made = batch(BOXES, [2, 0], [0, 1])
    seen = look_at(graph, [made], "abc")
    assert list(seen) == ["a", "c"]
    rest = around(graph, made, list(enumerate(BOXES)))
    for name, image in (("c", 0), ("a", 1)):
        assert torch.allclose(seen[name], discriminant(mean_of(graph, made, image, BOXES[image]), rest), atol=1e-5)


def test_several_examples_of_a_class_count_alike(graph):
    made, more = batch(BOXES, [1, 1], [0, 1]), batch(BOXES[:1], [1], [1])
    each = [(made, 0, BOXES[0]), (made, 1, BOXES[1]), (more, 1, BOXES[0])]
    rest = [around(graph, made, [(0, BOXES[0]), (1, BOXES[1])]), around(graph, more, [(1, BOXES[0])])]
    wanted = discriminant(np.mean([mean_of(graph, *one) for one in each], axis=0), np.concatenate(rest))
    assert torch.allclose(look_at(graph, [made, more], "abc")["b"], wanted, atol=1e-5)


def test_nobody_knows_what_is_in_an_ignored_region(graph):
    region = [30.0, 0.0, 64.0, 30.0]
    seen = look_at(graph, [batch(BOXES[:1], [0], [0], [region])], "a")["a"]
    made = batch(BOXES[:1], [0], [0])
    rest = around(graph, made, [(0, BOXES[0]), (0, region)])
    assert torch.allclose(seen, discriminant(mean_of(graph, made, 0, BOXES[0]), rest), atol=1e-5)
    assert not torch.allclose(seen, look_at(graph, [made], "a")["a"], atol=1e-3)


@pytest.mark.parametrize("box", [[33.0, 33.0, 34.0, 34.0], [0.0, 0.0, 64.0, 64.0]], ids=["between cells", "all of it"])
def test_whatever_the_box_there_is_a_vector(graph, box):
    (seen,) = look_at(graph, [batch([box, box], [0, 0], [0, 1])], "a").values()
    assert seen.isfinite().all() and torch.isclose(seen.norm(), torch.tensor(1.0))
