"""The benchmark runs and says what it measured; what it measures is no test's business."""

import pytest

from models import benchmark
from models.text.encoder_finder import find_encoder
from utils.words.errors import CheckpointError


def test_lines_for_a_network_with_text(capsys, monkeypatch):
    def without_weights(source):
        if source.startswith("open_clip"):
            raise CheckpointError(f"{source}: its weights are not on this machine")
        return find_encoder(source)

    monkeypatch.setattr(benchmark, "find_encoder", without_weights)
    argv = ["--cfg", "rtvpnet-plain-n", "--img", "64", "--repeats", "1", "--train", "--device", "cpu"]
    assert benchmark.main(argv) == 0
    out = capsys.readouterr().out
    for words in (
        "the YAML's text encoder is not available, ngram takes its place: open_clip",
        "80 names as text vectors by STAND-IN:ngram:1:512: encoded once",
        "rtvpnet-plain-n.yaml: 3,543,679 parameters",
        "forward and backward",
        "static",
        "NMS of 30,000 boxes",
    ):
        assert words in out
    assert "Mobile-SAM" not in out and "in turn" not in out


def test_lines_for_a_network_with_mobile_sam_beside_another(capsys):
    argv = ["--cfg", "rtvpnet-n", "--img", "64", "--repeats", "1", "--device", "cpu", "--text-encoder", "ngram:64"]
    assert benchmark.main([*argv, "--against", "rtvpnet-plain-n"]) == 0
    lines = capsys.readouterr().out.splitlines()
    starts = [
        "80 names",
        "rtvpnet-n.yaml, Mobile-SAM none: ",
        "static, ",
        "static / rtvpnet-plain-n.yaml, forward in turn: ",
    ]
    starts += ["+ Mobile-SAM (random-frozen", "NMS of 300 boxes", "peak memory"]
    places = [next(i for i, line in enumerate(lines) if line.startswith(start)) for start in starts]
    assert places == sorted(places)
    flops = [float(lines[places[k]].split()[-2]) for k in (1, 2, 4)]
    assert flops[1] < flops[0] < flops[2]


def test_networks_of_other_planes_and_text_stand_in_turn(capsys):
    for other in ("idfe-net-n", "rtvpnet-plain-n"):
        argv = ["--cfg", "idfe-net-polar-n", "--against", other, "--img", "64", "--repeats", "1", "--device", "cpu"]
        assert benchmark.main(argv) == 0
        assert f"idfe-net-polar-n.yaml / {other}.yaml, forward in turn: " in capsys.readouterr().out


def test_steps_stand_in_turn_too(capsys):
    """Of a network that reads text the one that learns takes the step, not the folded one."""
    for one, first in (("idfe-net-lite0-n", "idfe-net-lite0-n.yaml"), ("rtvpnet-plain-n", "static")):
        argv = ["--cfg", one, "--against", "idfe-net-n", "--train", "--img", "64", "--repeats", "1", "--device", "cpu"]
        assert benchmark.main([*argv, *(["--text-encoder", "ngram"] if first == "static" else [])]) == 0
        out = capsys.readouterr().out
        assert f"{first} / idfe-net-n.yaml, forward in turn: " in out
        assert f"{one}.yaml / idfe-net-n.yaml, forward and backward in turn: " in out and "in bf16" not in out


def test_both_number_formats_stand_in_turn(capsys):
    argv = ["--cfg", "idfe-net-n", "--against", "idfe-net-c2f-n", "--train", "--bf16", "--img", "64", "--repeats", "1"]
    assert benchmark.main([*argv, "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    for kind in ("forward", "forward and backward", "forward in bf16", "forward and backward in bf16"):
        assert f"idfe-net-n.yaml / idfe-net-c2f-n.yaml, {kind} in turn: " in out


@pytest.mark.parametrize(
    "words",
    [["--cfg", "idfe-net-n", "--text-encoder", "ngram"], ["--cfg", "rtvpnet-n", "--text-encoder", "nosuch"]],
)
def test_text_that_is_not_there_is_one_line(capsys, words):
    assert benchmark.main([*words, "--img", "64", "--device", "cpu"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and ("reads no text" in error or "no such encoder" in error)


def test_unknown_model_is_one_line(capsys):
    assert benchmark.main(["--cfg", "nosuch"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
