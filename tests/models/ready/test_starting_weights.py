"""Weights that a new network starts from: what fits is taken, classes by name."""

from pathlib import Path

import pytest
import torch

from models.graph.builder import build_graph
from models.graph.freeze import check_frozen
from models.ready.starting_weights import StartingWeights
from models.rows.model_spec import ModelSpec, parse_spec
from utils.words.class_names import name_key
from utils.words.errors import CheckpointError, ConfigError
from utils.words.yamlio import parse_yaml

SOURCE = ("bubble", "oil", "thread", "black spot")
RELATIONS = {  # the data's classes beside those of the checkpoint
    "same": SOURCE,
    "permuted": ("thread", "black spot", "bubble", "oil"),
    "reversed": SOURCE[::-1],
    "fewer": ("oil",),
    "fewer, in another order": ("black spot", "oil"),
    "more": (*SOURCE, "dent"),
    "more, before": ("dent", *SOURCE),
    "some": ("dent", "oil", "hole", "bubble"),
    "none": ("dent", "hole"),
    "none, as many": ("a", "b", "c", "d"),
    "other letters": ("BUBBLE", "Oil", "Thread", " black  Spot "),
    "other letters and order": ("Thread", "dent", "BLACK SPOT"),
}
HEADS = {
    "anchor": "AnchorDetect, [$nc, [[10, 13, 16, 30], [30, 61, 62, 45]]]",
    "free": "FreeDetect, [$nc, {bins: 4}]",
}


def tiny(head: str, classes: int) -> ModelSpec:
    rows = f"""
nc: {classes}
backbone:
  - [image, 1, Conv, [8, 3, 4], c3]
  - [-1, 1, Conv, [16, 3, 2], c4]
head:
  - [[c3, c4], 1, {HEADS[head]}]
"""
    return parse_spec(parse_yaml(rows, f"{head}.yaml"))


def stirred(spec: ModelSpec, names: tuple[str, ...], seed: int = 1) -> tuple[StartingWeights, torch.nn.Module]:
    """A network whose every tensor is another than at the start, and it as weights to start from."""
    torch.manual_seed(seed)
    graph = build_graph(spec).eval()
    with torch.no_grad():
        for name, tensor in graph.state_dict().items():
            if tensor.is_floating_point() and not name.endswith("anchors"):
                tensor.add_(torch.rand_like(tensor) * 0.01)
    content = {"ema": {"module": graph.state_dict()}, "channels": graph.channels.plain()}
    return StartingWeights(Path("source.pt"), content, spec, graph.channels, None, names), graph


def check_classes(source, start: StartingWeights, target, names, fresh) -> None:
    """On one picture: boxes and objectness are the source's, and so is the logit of each class that both have; the
    logit of any other is that of the network before (`fresh`) on the source's features.
    """
    image = torch.rand(1, len(source.channels.names), 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        want, got = source(image), target.eval()(image)
    torch.testing.assert_close(got.boxes, want.boxes, rtol=1e-5, atol=1e-4)
    if want.objectness is not None:
        torch.testing.assert_close(got.objectness, want.objectness, rtol=1e-5, atol=1e-5)
    places = {name_key(name): k for k, name in enumerate(start.names)}
    for k, name in enumerate(names):
        if name_key(name) in places:
            theirs = want.class_logits[..., places[name_key(name)]]
            torch.testing.assert_close(got.class_logits[..., k], theirs, rtol=1e-5, atol=1e-5)
    target.load_state_dict(
        {key: value for key, value in source.state_dict().items() if value.shape == fresh[key].shape}
        | {key: fresh[key] for key in class_tensors(target)}
    )
    with torch.no_grad():
        untouched = target(image)
    for k, name in enumerate(names):
        if name_key(name) not in places:
            torch.testing.assert_close(got.class_logits[..., k], untouched.class_logits[..., k], rtol=1e-5, atol=1e-5)


def class_tensors(graph) -> list[str]:
    return [f"layers.{len(graph.layers) - 1}.{key}" for key in graph.head.class_rows()]


@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("head", HEADS)
def test_classes_go_on_by_name(head, relation):
    names = RELATIONS[relation]
    start, source = stirred(tiny(head, len(SOURCE)), SOURCE)
    target = build_graph(tiny(head, len(names)))
    fresh = {key: value.clone() for key, value in target.state_dict().items()}
    taken = start.fill(target, names)
    known = [name for name in names if name_key(name) in map(name_key, SOURCE)]
    check_classes(source, start, target, names, fresh)
    unknown = [name for name in names if name not in known]
    assert (f"{len(known)} of {len(names)} classes by name" in taken.line) == (
        relation not in ("same", "other letters")
    )
    assert not unknown or f"fresh: {', '.join(unknown)}" in taken.line
    assert taken.filled.issuperset(class_tensors(target)) == (not unknown)


@pytest.mark.parametrize("head", HEADS)
def test_the_same_classes_are_the_same_bits(head):
    start, source = stirred(tiny(head, 4), SOURCE)
    target = build_graph(tiny(head, 4))
    taken = start.fill(target, SOURCE)
    ours, theirs = target.state_dict(), source.state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in ours) and taken.filled == ours.keys()
    assert taken.line == f"source.pt: {len(ours)} of {len(ours)} tensors taken"


def test_nothing_fits():
    start, _ = stirred(tiny("anchor", 4), SOURCE)
    target = build_graph(parse_spec(parse_yaml("""
nc: 4
backbone:
  - [image, 1, Conv, [24, 5, 8], c]
head:
  - [[c], 1, FreeDetect, [$nc, {bins: 3}]]
""", "x.yaml")))  # fmt: skip
    with pytest.raises(CheckpointError, match="none of its"):
        start.fill(target, SOURCE)


def test_a_head_of_other_anchors_starts_fresh_and_says_so():
    start, _ = stirred(tiny("anchor", 4), SOURCE)
    rows = parse_spec(parse_yaml("""
nc: 4
backbone:
  - [image, 1, Conv, [8, 3, 4], c3]
  - [-1, 1, Conv, [16, 3, 2], c4]
head:
  - [[c3, c4], 1, AnchorDetect, [$nc, [[10, 13, 16, 30, 5, 5], [30, 61, 62, 45, 9, 9]]]]
""", "three.yaml"))  # fmt: skip
    taken = start.fill(build_graph(rows), SOURCE)
    assert "; 0 of 4 classes by name; fresh: bubble, oil, thread, black spot" in taken.line


@pytest.mark.parametrize(
    ("rows", "filled", "words"),
    [
        ((1,), [], "row 0 (Conv) would stay as random"),
        ((2,), ["layers.0."], "row 1 (Conv) would stay"),
        (("c3", "c4"), ["layers.1."], "row 0 (Conv)"),
        ((0, 2), [], "rows 0 (Conv), 2 (AnchorDetect) would"),
        ((1,), ["layers.0."], ""),
        ((0,), [], ""),
        ((), [], ""),
        ((2,), ["layers."], ""),
    ],
)
def test_rows_that_start_random_are_not_frozen(rows, filled, words):
    graph = build_graph(tiny("anchor", 2))
    names = [name for name in graph.state_dict() if name.startswith(tuple(filled))]
    if not words:
        return check_frozen(graph, rows, names)
    with pytest.raises(ConfigError) as caught:
        check_frozen(graph, rows, names)
    assert f"--freeze: {words}" in str(caught.value)


def test_a_head_with_a_fresh_class_is_random_in_part():
    start, _ = stirred(tiny("free", 4), SOURCE)
    target = build_graph(tiny("free", 5))
    taken = start.fill(target, (*SOURCE, "dent"))
    check_frozen(target, ("c3", "c4"), taken.filled)
    with pytest.raises(ConfigError, match=r"row 2 \(FreeDetect\)"):
        check_frozen(target, (2, 0), taken.filled)
