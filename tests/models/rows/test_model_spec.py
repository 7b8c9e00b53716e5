"""Model YAMLs: planted mistakes are reported at their line; the grammar of rows."""

import textwrap

import pytest
import torch

from models.graph.builder import build_graph
from models.rows.model_spec import parse_spec, read_spec
from utils.words.errors import ConfigError
from utils.words.yamlio import Document

GOOD = """\
nc: 2
width_multiple: 0.5
anchors:
  - [10, 13, 16, 30]
  - [30, 61, 62, 45]
backbone:
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 1, Conv, [32, 3, 2], fine]
  - [-1, 2, EGM, [32]]
  - [-1, 1, Conv, [64, 3, 2], coarse]
  - [[coarse, fine], 1, GCM, []]
head:
  - [-1, 1, Upsample, [2]]
  - [[-1, fine], 1, Concat, []]
  - [[-1, coarse], 1, AnchorDetect, [$nc, $anchors]]
"""

# what to replace, by what, the line of the complaint, what it must say
MISTAKES = {
    "unknown module": ("2, EGM", "2, EGN", 9, "did you mean 'EGM'"),
    "unknown row name": ("[coarse, fine]", "[course, fine]", 11, "did you mean 'coarse'"),
    "forward reference": ("[-1, 1, Upsample", "[9, 1, Upsample", 13, "does not point to an earlier row"),
    "missing section": ("head:", "haed:", 12, "is 'haed' meant"),
    "unknown top-level key": ("width_multiple", "width_multple", 2, "did you mean 'width_multiple'"),
    "wrong type": ("[32, 3, 2]", "[32, three, 2]", 8, "'kernel' must be int, got 'three'"),
    "too many arguments": ("Upsample, [2]", "Upsample, [2, nearest]", 13, "takes Upsample: [scale?]"),
    "a flag for a named argument": ("EGM, [32]", "EGM, [32, True]", 9, "takes EGM: [c_out, {edge_init?}]"),
    "missing argument": ("EGM, [32]", "EGM, []", 9, "'c_out' is missing"),
    "unknown choice": ("GCM, []", "GCM, [8, shufle]", 11, "'shuffle' or 'raw'"),
    "unknown keyword": ("GCM, []", "GCM, [{reductoin: 8}]", 11, "did you mean 'reduction'"),
    "sizes do not fit": (
        "[[coarse, fine], 1, GCM",
        "[[fine, coarse], 1, GCM",
        11,
        "does not fit its sources 1 (16x32x32)",
    ),
    "unknown constant": ("$anchors", "$anchor", 15, "did you mean 'anchors'"),
    "several sources for one": ("[-1, 2, EGM", "[[-1, fine], 2, EGM", 9, "takes one source, got 2"),
    "row too short": ("[-1, 1, Upsample, [2]]", "[-1, 1, Upsample]", 13, "a row is [from, repeats, module, args"),
    "repeats a word": ("[-1, 2, EGM", "[-1, many, EGM", 9, "repeats must be a whole number"),
    "name taken": ("[64, 3, 2], coarse", "[64, 3, 2], fine", 10, "taken by an earlier row"),
    "nc not a number": ("nc: 2", "nc: two", 1, "nc must be a whole number"),
    "zero width": ("width_multiple: 0.5", "width_multiple: 0", 2, "must be a number above 0"),
    "expression": ("width_multiple: 0.5", "width_multiple: 1/2", 2, "must be a number above 0"),
    "python tag": ("nc: 2", "nc: !!python/object/apply:os.getcwd []", 1, "is not allowed"),
    "duplicate key": ("nc: 2", "nc: 2\nnc: 3", 2, "appears twice, first on line 1"),
    "bad YAML": ("EGM, [32]]", "EGM, [32]", 10, "not valid YAML"),
    "levels and anchors": ("  - [30, 61, 62, 45]\n", "", 14, "1 rows of anchors for 2 levels"),
    "no head": (
        "  - [[-1, coarse], 1, AnchorDetect, [$nc, $anchors]]\n",
        "",
        14,
        "the last row must be a detection head",
    ),
    "bomb": ("[-1, 2, EGM", "[-1, 1000000000, EGM", 9, "from 1 to 100"),
}


def build(tmp_path, text):
    path = tmp_path / "net.yaml"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return build_graph(read_spec(path))


def test_good_yaml_builds_and_runs(tmp_path):
    graph = build(tmp_path, GOOD)
    assert graph.strides == (4, 8)
    assert graph(torch.zeros(1, 3, 64, 64)).class_logits.shape == (1, 2 * (256 + 64), 2)


@pytest.mark.parametrize("name", MISTAKES)
def test_planted_mistake(tmp_path, name):
    old, new, line, words = MISTAKES[name]
    assert GOOD.count(old) == 1
    with pytest.raises(ConfigError) as caught:
        build(tmp_path, GOOD.replace(old, new))
    message = str(caught.value)
    assert f"net.yaml:{line}:" in message, message
    assert words in message, message
    assert "\n" not in message


def test_named_argument(tmp_path):
    kernels = build(tmp_path, GOOD.replace("EGM, [32]", "EGM, [32, {edge_init: true}]")).layers[2][0].inner.local.weight
    assert torch.equal(kernels[0], -kernels[1]) and kernels.sum((1, 2, 3)).abs().max() < 1e-6


@pytest.mark.parametrize(("width", "depth"), [(0.05, 1.0), (0.3, 0.1), (1.3, 0.1)])
def test_any_width_and_depth(width, depth):
    spec = read_spec("cfg/models/idfe-net-n.yaml").with_values(width_multiple=width, depth_multiple=depth)
    graph = build_graph(spec)
    assert graph.strides == (8, 16, 32)
    for row, layer in zip(spec.rows, graph.layers, strict=True):
        if row.module == "EGM":
            copies = max(round(row.repeats * depth), 1)
            assert (len(layer) if copies > 1 else 1) == copies


def test_plain_round_trip():
    spec = read_spec("cfg/models/idfe-net.yaml").with_values(nc=7)
    again = parse_spec(Document("checkpoint", spec.plain(), {}))
    assert again.rows == spec.rows and again.classes == 7 and again.width == spec.width


def test_plain_nc_and_anchors_as_published_yamls_write_them(tmp_path):
    graph = build(tmp_path, GOOD.replace("$nc, $anchors", "nc, anchors"))
    assert graph.head.classes == 2


def test_last_use_frees_every_value_once():
    graph = build_graph(read_spec("cfg/models/idfe-net-n.yaml"))
    freed = [key for step in graph.steps for key in step.frees]
    assert sorted(map(str, freed)) == sorted(["image", *map(str, range(len(graph.steps) - 1))])


def test_a_new_layer_is_one_class(tmp_path):
    """What a contributor writes: a registered class, and a row that names it."""
    from models.rows import registry
    from models.rows.registry import In, Out, register

    @register
    class PlantedLayer(torch.nn.Module):
        def __init__(self, c_in: In, c_out: Out, gain: float = 1.0) -> None:
            super().__init__()
            self.conv, self.gain = torch.nn.Conv2d(c_in, c_out, 1), gain

        def forward(self, x):
            return self.conv(x) * self.gain

    try:
        graph = build(tmp_path, GOOD.replace("[-1, 2, EGM, [32]]", "[-1, 2, PlantedLayer, [64, 2]]"))
        assert [type(m).__name__ for m in graph.layers[2]] == ["PlantedLayer"] * 2
        assert graph.layers[2][0].conv.in_channels == 16 and graph.layers[2][0].conv.out_channels == 32
    finally:
        registry._LAYERS.pop("PlantedLayer")


def test_a_row_that_takes_a_file_of_weights_says_so_in_its_signature(tmp_path):
    """The builder hands over the file given for this kind of row, and knows no more about it."""
    from models.rows import registry
    from models.rows.registry import In, WeightsFile, register

    @register
    class PretrainedLayer(torch.nn.Module):
        def __init__(self, c_in: In, file: WeightsFile = "") -> None:
            super().__init__()
            self.gains = torch.nn.Parameter(torch.load(file, weights_only=True) if file else torch.ones(c_in, 1, 1))

        def forward(self, x):
            return x * self.gains

    file = tmp_path / "gains.pt"
    torch.save(torch.full((16, 1, 1), 3.0), file)
    path = tmp_path / "net.yaml"
    path.write_text(GOOD.replace("[-1, 2, EGM, [32]]", "[-1, 1, PretrainedLayer, []]"), encoding="utf-8")
    spec = read_spec(path)
    try:
        given = build_graph(spec, weights_files={"PretrainedLayer": str(file), "SAMEmbedding": "another.pt"})
        assert given.layers[2].gains.unique().tolist() == [3.0]
        assert build_graph(spec).layers[2].gains.unique().tolist() == [1.0]
    finally:
        registry._LAYERS.pop("PretrainedLayer")


def test_every_registered_layer_is_used_by_a_model():
    import pathlib

    from models.rows.registry import registered

    used = {row.module for p in pathlib.Path("cfg/models").glob("*.yaml") for row in read_spec(p).rows}
    assert {layer.name for layer in registered()} <= used
