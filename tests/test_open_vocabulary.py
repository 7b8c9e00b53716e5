"""Training and evaluating an open-vocabulary network through the scripts, with the n-gram stand-in for text."""

import contextlib
import json
from pathlib import Path

import pytest
import torch

import detect
import train
import val
from models.graph.open_vocabulary import encode
from models.ready.load import Loaded, load_model, with_permuted_names
from utils.files import checkpoint
from utils.words.errors import ConfigError
from utils.words.vocabulary import Vocabulary

TEXT = ["--cfg", "rtvpnet-plain-n.yaml", "--text-encoder", "ngram:64"]
QUICK = ["--img", "64", "--batch", "4", "--workers", "0", "--device", "cpu", "--noplots", "--epochs", "1"]


@pytest.fixture(scope="module")
def run(glass, tmp_path_factory):
    home = tmp_path_factory.mktemp("text")
    with contextlib.chdir(home):
        assert train.main([*TEXT, *QUICK, "--data", str(glass)]) == 0
    return home / "runs" / "train" / "exp"


def test_checkpoint_holds_the_vectors_of_its_names(run):
    content = checkpoint.load(run / "weights" / "last.pt")
    assert content["vocabulary"]["vectors"].shape == (5, 64)
    assert content["vocabulary"]["encoder"].startswith("STAND-IN:ngram")
    loaded = load_model(run / "weights" / "last.pt")
    assert torch.equal(loaded.model.text.vectors, content["vocabulary"]["vectors"])
    assert loaded.words.vocabulary.names == loaded.names


def test_val_gives_the_logged_numbers(run, tmp_path):
    argv = ["--weights", str(run / "weights" / "last.pt"), "--project", str(tmp_path), "--device", "cpu", "--noplots"]
    assert val.main([*argv]) == 0
    ours, logged = (json.loads((p / "results.json").read_text()) for p in (tmp_path / "exp", run))
    assert ours["coco"] == logged["coco"]


def test_resumed_epochs_equal_an_unbroken_run(glass, tmp_path, monkeypatch):
    """With all of RTVPNet's rows: the bypass is drawn by the step, so it needs no state."""
    argv = ["--cfg", "rtvpnet-n.yaml", "--text-encoder", "ngram:64", *QUICK[:-2], "--data", str(glass), "--noval"]
    monkeypatch.chdir(tmp_path)
    assert train.main([*argv, "--epochs", "2", "--name", "whole"]) == 0
    assert train.main([*argv, "--epochs", "2", "--name", "part", "--max-time", "1s"]) == 0
    assert train.main(["--resume", "runs/train/part/weights/last.pt", "--max-time", "1h"]) == 0
    whole, part = (checkpoint.load(f"runs/train/{name}/weights/last.pt") for name in ("whole", "part"))
    assert all(torch.equal(whole["model"][key], part["model"][key]) for key in whole["model"])


@pytest.mark.parametrize(
    "argv, code, words",
    [
        (["--cfg", "idfe-net-n", "--text-encoder", "ngram"], 2, "reads no text"),
        (["--cfg", "idfe-net-n", "--no-glossary"], 2, "--glossary: idfe-net-n.yaml reads no text"),
        (["--cfg", "rtvpnet-n", "--text-encoder", "nosuch"], 2, "no such encoder"),
        (["--cfg", "rtvpnet-n", "--text-encoder", "vectors:nosuch.safetensors"], 4, "nosuch.safetensors"),
        (
            ["--cfg", "rtvpnet-plain-n", "--text-encoder", "ngram", "--set", "model.sam=none"],
            2,
            "no row for Mobile-SAM",
        ),
        (["--cfg", "rtvpnet-n", "--text-encoder", "ngram", "--set", "model.sam=sam.pt"], 4, "sam.pt"),
        (["--cfg", "idfe-net-n", "--data", "OTHER"], 2, "needs a model with text"),
    ],
)
def test_mistakes(glass, tmp_path, monkeypatch, capsys, argv, code, words):
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "other.yaml"
    text = glass.read_text().split("names:")[0].replace("path: .", f"path: {glass.parent}")
    other.write_text(f"{text}\nnames: {{train: [a, b, c, d, e], val: [v, w, x, y, z]}}\n")
    argv = [str(other) if word == "OTHER" else word for word in argv]
    assert train.main([*argv, *([] if "--data" in argv else ["--data", str(glass)]), *QUICK]) == code
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert len(errors) == 1 and words in errors[0]


def score(run, folder, *more):
    argv = ["--weights", str(run / "weights" / "last.pt"), "--project", str(folder), "--device", "cpu", "--noplots"]
    assert val.main([*argv, "--text-encoder", "ngram:64", *more]) == 0
    return json.loads((folder / "exp" / "results.json").read_text())


def renamed(glass, path, names):
    text = glass.read_text().split("names:")[0].replace("path: .", f"path: {glass.parent}")
    path.write_text(f"{text}\nnames: {json.dumps(names)}\n")
    return str(path)


def test_names_never_trained_are_scored_in_groups(glass, run, tmp_path):
    names = ["bubble", "Oil", "thread", "black-spot", "glare"]
    found = score(run, tmp_path / "val", "--data", renamed(glass, tmp_path / "other.yaml", names))
    assert [row["name"] for row in found["classes"]] == names
    counts = {name: found["novelty"][name]["classes"] for name in ("identical", "synonym", "new", "base", "novel")}
    truth = {row["name"]: row["instances"] > 0 for row in found["classes"]}
    assert counts["identical"] == truth["bubble"] and counts["synonym"] == truth["Oil"] + truth["black-spot"]
    assert counts["base"] == counts["identical"] + counts["synonym"] and counts["novel"] == counts["new"]
    assert found["text_encoder"].startswith("STAND-IN") and found["mobile_sam"] == "not in the model"


def test_shuffled_words_follow_their_classes(glass, run, tmp_path):
    names = [f"class {k}" for k in range(5)]
    data = renamed(glass, tmp_path / "other.yaml", names)
    prompts = ",".join(["bubble", "oil", "plastering thread", "black spot", "quenched grain"])
    renamed_score = score(run, tmp_path / "a", "--data", data, "--prompts", prompts)
    assert renamed_score["coco"] == score(run, tmp_path / "b")["coco"]


def test_static_scores_are_those_of_the_plain_detector(run, tmp_path):
    static = score(run, tmp_path / "a", "--set", "model.static=true")
    for key, value in score(run, tmp_path / "b")["coco"].items():
        assert static["coco"][key] == (None if value is None else pytest.approx(value, abs=1e-3))


def test_chance_of_a_single_class_is_refused_before_the_evaluation(run, trained, tmp_path, capsys):
    one = Loaded(*(None,) * 4, Path("one.pt"), encode(Vocabulary.from_names(["crack"]), "ngram:16"), None)
    assert list(with_permuted_names(one, 0)) == []
    with pytest.raises(ConfigError, match="one.pt looks for one class"):
        with_permuted_names(one, 3)
    words = ["--weights", str(trained / "weights" / "best.pt"), "--set", "val.chance=2", "--project", str(tmp_path)]
    assert val.main([*words, "--workers", "0"]) == 2
    said = capsys.readouterr()
    assert "best.pt reads no text" in said.err and "images" not in said.out and not list(tmp_path.iterdir())


def test_chance_permutes_vectors_and_leaves_the_score(run, tmp_path):
    found = score(run, tmp_path / "a", "--set", "val.chance=2")
    assert found["chance"]["permutations"] == 2 == len(found["chance"]["AP50"])
    assert found["coco"] == score(run, tmp_path / "b")["coco"]


def test_detect_looks_for_prompts(glass, run, tmp_path):
    argv = ["--weights", str(run / "weights" / "last.pt"), "--project", str(tmp_path), "--device", "cpu", "--save-json"]
    argv += ["--source", str(glass.parent / "images" / "val"), "--text-encoder", "ngram:64", "--conf", "0.001"]
    assert detect.main([*argv, "--prompts", 'scratch, "oil, old", 气泡']) == 0
    rows = json.loads((tmp_path / "exp" / "predictions.json").read_text())
    assert {row["category"] for row in rows} <= {"scratch", "oil, old", "气泡"} and rows


@pytest.mark.parametrize(
    "prompts, words",
    [
        ("", "--prompts: is blank"),
        (" ", "--prompts: is blank"),
        ("scratch, , oil", "prompt 2"),
        ("scratch, Scratch", "both called"),
        ("x" * 10_000, "characters"),
    ],
)
def test_unusable_prompts_are_one_line(run, tmp_path, capsys, prompts, words):
    argv = ["--weights", str(run / "weights" / "last.pt"), "--project", str(tmp_path), "--device", "cpu"]
    assert detect.main([*argv, "--source", str(run), "--prompts", prompts, "--text-encoder", "ngram:64"]) == 2
    errors = capsys.readouterr().err.splitlines()
    assert len([line for line in errors if "error[" in line]) == 1 and words in errors[-1]


@pytest.fixture(scope="module")
def described(glass, tmp_path_factory):
    """A run whose names a glossary of the user's describes, which is gone afterwards."""
    home = tmp_path_factory.mktemp("described")
    (home / "mine.yaml").write_text("bubble: {looks: [a bright ring]}\nglimmer: {looks: [a bright cloud]}\n")
    with contextlib.chdir(home):
        assert train.main([*TEXT, *QUICK, "--data", str(glass), "--glossary", "mine.yaml"]) == 0
    (home / "mine.yaml").unlink()
    return home / "runs" / "train" / "exp"


def test_a_run_keeps_its_glossary_and_results_name_it(described, run, tmp_path):
    results = json.loads((described / "results.json").read_text())
    assert "terms, built-in + mine.yaml (" in results["glossary"]
    assert "glossary" not in json.loads((run / "results.json").read_text())
    again = score(described, tmp_path / "a")
    assert again["glossary"] == results["glossary"] and again["coco"] == results["coco"]
    assert "glossary" not in score(described, tmp_path / "b", "--no-glossary")


def test_its_words_are_found_again_at_detection(described, glass, tmp_path, capsys):
    argv = ["--weights", str(described / "weights" / "last.pt"), "--project", str(tmp_path), "--device", "cpu"]
    argv += ["--source", str(glass.parent / "images" / "val"), "--text-encoder", "ngram:64", "--conf", "0.001"]
    assert detect.main([*argv, "--prompts", "Glimmers, 划痕, 不知道"]) == 0
    said = capsys.readouterr()
    assert "built-in + mine.yaml" in said.out and "knows 2 of 3 names; as they are: 不知道" in said.out + said.err
    assert "不知道 mean nothing to it" in said.out + said.err
    (tmp_path / "wrong.yaml").write_text("a:\n  looks: ['']\n")
    assert detect.main([*argv, "--prompts", "a", "--glossary", str(tmp_path / "wrong.yaml")]) == 2
    assert "wrong.yaml:2: a text of looks is empty" in capsys.readouterr().err


def test_a_resumed_run_has_the_same_words(glass, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("bubble: {looks: [a bright ring]}\n")
    argv = [*TEXT, *QUICK[:-2], "--data", str(glass), "--noval", "--epochs", "2", "--glossary", "mine.yaml"]
    assert train.main([*argv, "--max-time", "1s"]) == 0
    before = checkpoint.load("runs/train/exp/weights/last.pt")["vocabulary"]
    Path("mine.yaml").unlink()
    assert train.main(["--resume", "runs/train/exp/weights/last.pt", "--max-time", "1h"]) == 0
    after = checkpoint.load("runs/train/exp/weights/last.pt")["vocabulary"]
    assert torch.equal(before["vectors"], after["vectors"]) and before["glossary"] == after["glossary"]


@pytest.mark.parametrize(
    "words, said",
    [
        (["--prompts", "a", "--glossary", "x.yaml", "--no-glossary"], "--no-glossary takes the names alone"),
        (["--glossary", "x.yaml"], "reads the words of --prompts"),
        (["--no-glossary"], "reads the words of --prompts"),
        (["--prompts", "a", "--glossary", "nosuch.yaml"], "--glossary nosuch.yaml: no such file"),
    ],
)
def test_a_glossary_that_does_nothing_or_is_not_there(run, tmp_path, capsys, words, said):
    argv = ["--weights", str(run / "weights" / "last.pt"), "--source", str(run), "--project", str(tmp_path)]
    assert detect.main([*argv, *words]) == 2
    assert said in capsys.readouterr().err


def test_prompts_on_a_closed_network(trained, glass, tmp_path, capsys):
    argv = ["--weights", str(trained / "weights" / "best.pt"), "--project", str(tmp_path), "--device", "cpu"]
    assert detect.main([*argv, "--source", str(glass.parent), "--prompts", "scratch"]) == 2
    assert val.main([*argv, "--prompts", "a, b, c, d, e", "--data", str(glass)]) == 2
    errors = capsys.readouterr().err
    assert errors.count("knows its 5 classes only; prompts need a model that reads text") == 2
