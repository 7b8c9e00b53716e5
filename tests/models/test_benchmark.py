"""The benchmark runs and says what it measured; what it measures is no test's business."""

from models import benchmark


def test_lines_for_a_network_with_text(capsys):
    argv = ["--cfg", "rtvpnet-plain-n", "--img", "64", "--repeats", "1", "--train", "--device", "cpu"]
    assert benchmark.main(argv) == 0
    out = capsys.readouterr().out
    for words in (
        "rtvpnet-plain-n.yaml: 3,543,679 parameters",
        "forward and backward",
        "static",
        "NMS of 30,000 boxes",
    ):
        assert words in out


def test_unknown_model_is_one_line(capsys):
    assert benchmark.main(["--cfg", "nosuch"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
