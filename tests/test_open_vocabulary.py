"""Training and evaluating an open-vocabulary network through the scripts, with the n-gram stand-in for text."""

import contextlib
import json
from pathlib import Path

import pytest
import torch
import yaml

import detect
import train
import val
from models.graph.open_vocabulary import encode
from models.ready.load import Loaded, load_model, network_name
from models.ready.prompted import with_permuted_names
from utils.files import checkpoint
from utils.flags.detect_flags import parse_detect
from utils.flags.train_config import configure
from utils.flags.train_flags import parse_train
from utils.processes.distributed import ALONE
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


def test_other_names_of_validation_are_guided_by_those_of_training(glass, tmp_path, monkeypatch):
    """As val.py looks for them with the finished network."""
    monkeypatch.chdir(tmp_path)
    names = ["bubble", "oil", "plastering thread", "black spot", "quenched grain"]
    data = renamed(glass, tmp_path / "open.yaml", {"train": names, "val": [f"class {k}" for k in range(5)]})
    cfg, origins = configure(parse_train([*TEXT, *QUICK, "--data", data]), network_name)
    begun = train.prepare(cfg, origins, torch.device("cpu"), ALONE, None)
    average, own = begun.state.ema.module.text, begun.words.vectors
    assert torch.equal(average.guides, own) and not torch.equal(average.vectors, own)
    assert torch.equal(begun.state.model.text.vectors, own) and not len(begun.state.model.text.guides)
    cfg, origins = configure(parse_train([*TEXT, *QUICK, "--data", data, "--set", "data.as_defect=0.2"]), network_name)
    begun = train.prepare(cfg, origins, torch.device("cpu"), ALONE, None)
    assert begun.words is not None and (defect := begun.words.presence()) is not None
    beside = begun.state.ema.module.text.vectors
    assert (beside[:5] @ defect > average.vectors[:5] @ defect).all(), 'beside what "defect" means'


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


def test_any_words_are_one_class_where_all_are(run, glass, tmp_path, capsys):
    argv = ["--weights", str(run / "weights" / "last.pt"), "--device", "cpu", "--noplots", "--project", str(tmp_path)]
    argv += ["--single-cls"]
    for name, words in {"names": [], "one": ["--prompts", "defect"], "shown": ["--examples", str(glass)]}.items():
        assert val.main([*argv, "--name", name, *words]) == 0
    found = [tmp_path / name / "predictions.json" for name in ("names", "one", "shown")]
    results = [json.loads(path.with_name("results.json").read_text()) for path in found]
    assert {one["classes"][0]["name"] for one in results} == {"defect"} and {
        len(one["classes"]) for one in results
    } == {1}
    assert len({path.read_bytes() for path in found}) == 3, "each looked for something else"
    assert val.main([*argv, "--text-encoder", "ngram:64"]) == 2
    assert "--text-encoder: is of --prompts, which are not given" in capsys.readouterr().err


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


def found_by(weights: Path | str, picture: Path, **words) -> dict[str, list[float]]:
    """Scores of the detections of each name."""
    detector = detect.Detector(weights, "cpu", **words)
    found = detector(picture, conf=0.0, iou=0.99)
    scores: dict[str, list[float]] = {name: [] for name in detector.names}
    for label, score in zip(found.labels.tolist(), found.scores.tolist(), strict=True):
        scores[detector.names[label]].append(score)
    return {name: sorted(values, reverse=True)[:20] for name, values in scores.items()}


def test_examples_join_words_and_change_none_of_their_scores(run, glass, tmp_path):
    weights, picture = run / "weights" / "last.pt", sorted((glass.parent / "images" / "val").iterdir())[0]
    first, *others = names = load_model(weights).names
    words = found_by(weights, picture, prompts=f"{first}, dent")
    both = found_by(weights, picture, prompts=f"{first}, dent", examples=glass)
    assert list(both) == [first, "dent", *others]
    assert both["dent"] == pytest.approx(words["dent"], rel=1e-6), "a name of words alone"
    assert both[first] != pytest.approx(words[first], rel=1e-5), "a name of words and examples"
    shown = found_by(weights, picture, examples=glass)
    assert list(shown) == list(names) and shown[first] != pytest.approx(both[first], rel=1e-5)
    folded = found_by(weights, picture, examples=glass, static=True)
    assert all(folded[name] == pytest.approx(shown[name], rel=1e-3) for name in names)


def test_what_was_asked_for_is_kept_in_a_checkpoint(run, glass, tmp_path, monkeypatch):
    """... which needs neither the examples nor an encoder, and goes on being guided as the network was."""
    weights, picture = run / "weights" / "last.pt", sorted((glass.parent / "images" / "val").iterdir())[0]
    asked = {"prompts": "dent", "examples": glass}
    detect.Detector(weights, "cpu", **asked).save_prompts(tmp_path / "mine.pt")
    wanted = found_by(weights, picture, **asked)
    monkeypatch.setattr("models.graph.open_vocabulary.find_encoder", None)
    kept = found_by(tmp_path / "mine.pt", picture)
    assert all(kept[name] == pytest.approx(scores, rel=1e-5) for name, scores in wanted.items())
    assert found_by(tmp_path / "mine.pt", picture, prompts="dent")["dent"] == pytest.approx(wanted["dent"], rel=1e-5)
    content = checkpoint.load(tmp_path / "mine.pt")
    assert "optimizer" not in content and len(content["vocabulary"]["guides"]) == 5


def test_what_is_kept_still_finds_unknown_defects(glass, tmp_path, monkeypatch, caplog):
    picture = sorted((glass.parent / "images" / "val").iterdir())[0]
    detect.Detector("rtvpnet-lite0-n", "cpu", prompts="scratch, hole").save_prompts(tmp_path / "mine.pt")
    wanted = found_by("rtvpnet-lite0-n", picture, prompts="scratch, hole", unknown=True)
    monkeypatch.setattr("models.graph.open_vocabulary.find_encoder", None)
    kept = found_by(tmp_path / "mine.pt", picture, unknown=True)
    assert list(kept) == ["scratch", "hole", "unknown defect"]
    assert all(kept[name] == pytest.approx(scores, rel=1e-5) for name, scores in wanted.items())
    assert "was never trained to find" not in caplog.text


def test_examples_by_the_scripts(run, glass, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    weights, source = str(run / "weights" / "last.pt"), str(glass.parent / "images" / "val")
    shared = ["--weights", weights, "--device", "cpu", "--examples", str(glass)]
    assert detect.main([*shared, "--source", source, "--save-prompts", "mine.pt"]) == 0
    assert "mine.pt looks for 5 classes" in capsys.readouterr().out
    assert json.loads(Path("runs/detect/exp/run.json").read_text())["examples"] == glass.name
    assert val.main([*shared, "--data", str(glass), "--noplots"]) == 0
    assert "that are evaluated" not in capsys.readouterr().err
    assert val.main([*shared, "--data", str(glass), "--noplots", "--task", "train", "--name", "leak"]) == 0
    assert "shows 12 of the 12 pictures that are evaluated: scores are too high" in capsys.readouterr().err
    assert json.loads(Path("runs/val/leak/results.json").read_text())["examples"] == glass.name
    assert val.main([*shared, "--data", str(glass), "--noplots", "--prompts", "a, b, c, d, e"]) == 0
    apart, mixed = (Path(f"runs/val/{name}/predictions.json").read_text() for name in ("exp", "exp2"))
    assert apart != mixed


def test_examples_tell_defects_from_what_is_around(glass, tmp_path):
    """The weights that ship, by a dozen pictures: each cell scored about 1 when the mean of a class was looked for."""
    words = ["--weights", "rtvpnet-lite0-n", "--data", str(glass), "--examples", str(glass), "--img", "160"]
    assert val.main([*words, "--project", str(tmp_path), "--device", "cpu", "--noplots"]) == 0
    results = json.loads((tmp_path / "exp" / "results.json").read_text())
    assert results["coco"]["AP50"] > 0.5 and results["confidence"] < 0.9


def test_examples_that_show_nothing(run, glass, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    weights, source = str(run / "weights" / "last.pt"), str(glass.parent / "images" / "val")
    shared = ["--weights", weights, "--device", "cpu", "--source", source]
    bare = tmp_path / "bare"
    (bare / "images" / "train").mkdir(parents=True)
    (bare / "labels" / "train").mkdir(parents=True)
    picture = sorted(Path(source).iterdir())[0]
    (bare / "images" / "train" / picture.name).write_bytes(picture.read_bytes())
    (bare / "labels" / "train" / f"{picture.stem}.txt").touch()
    (bare / "classes.txt").write_text("pit\n")
    for more, code, said in (
        (["--examples", "bare"], 3, "shows no boxes"),
        (["--examples", "nowhere"], 2, "nowhere"),
        (["--save-prompts", "a.pt"], 2, "nothing to save"),
        (["--examples", str(glass), "--save-prompts", str(picture)], 2, "is there already"),
    ):
        assert detect.main([*shared, *more]) == code
        *_, error = capsys.readouterr().err.splitlines()
        assert said in error and error.startswith("error[")
    (bare / "labels" / "train" / f"{picture.stem}.txt").write_text("0 0.5 0.5 0.01 0.01\n")
    assert detect.main([*shared, "--examples", "bare"]) == 0
    assert "pit is 1 px at most" in capsys.readouterr().err


def test_unknown_defects_leave_the_classes_as_they_are(run, glass, tmp_path, capsys):
    """... are judged beside them, and have a threshold of their own, which detect.py takes or leaves."""
    weights = str(run / "weights" / "last.pt")
    argv = ["--weights", weights, "--device", "cpu", "--project", str(tmp_path)]
    assert val.main([*argv, "--name", "plain", "--noplots"]) == 0
    assert val.main([*argv, "--name", "more", "--unknown"]) == 0
    said = capsys.readouterr()
    assert "was never trained to find what is called defect" in said.err and "with unknown defects: " in said.out
    plain, more = tmp_path / "plain", tmp_path / "more"
    assert (plain / "predictions.json").read_bytes() == (more / "predictions.json").read_bytes()
    before, after = (json.loads((one / "results.json").read_text())["inspection"] for one in (plain, more))
    unnamed = after.pop("unnamed")
    assert before == after and unnamed["found"]["total"] > 0
    assert "Found of what the classes miss" in (more / "report.html").read_text("utf-8")
    limits = str(more / "thresholds.yaml")
    assert val.main([*argv, "--name", "again", "--unknown", "--thresholds", limits, "--noplots"]) == 0
    assert val.main([*argv, "--name", "without", "--thresholds", limits, "--noplots"]) == 0
    source = ["--source", str(glass.parent / "images" / "val"), "--thresholds", limits]
    assert detect.main([*argv, *source, "--name", "found", "--unknown"]) == 0
    assert detect.main([*argv, *source, "--name", "left"]) == 0


def named_defect(glass, folder):
    """The data set with a first class of that name."""
    content = yaml.safe_load(glass.read_text())
    content["path"] = str((glass.parent / content.get("path", ".")).resolve())
    first, *others = content["names"].values() if isinstance(content["names"], dict) else content["names"]
    (folder / "texts.json").write_text(json.dumps([[first, "Defect"], *([name] for name in others)]))
    content["names"] = str(folder / "texts.json")
    (folder / "named.yaml").write_text(yaml.safe_dump(content))
    return folder / "named.yaml"


def test_a_training_may_say_defect(glass, tmp_path, capsys):
    argv = ["--project", str(tmp_path), "--data", str(glass)]
    assert train.main([*TEXT, *QUICK, *argv, "--set", "data.as_defect=0.5"]) == 0
    weights = ["--weights", str(tmp_path / "exp" / "weights" / "last.pt")]
    assert val.main([*argv, *weights, "--name", "val", "--unknown", "--device", "cpu", "--noplots"]) == 0
    assert "never trained" not in capsys.readouterr().err
    assert train.main([*TEXT, *QUICK, "--data", str(named_defect(glass, tmp_path)), "--set", "data.as_defect=0.5"]) == 2
    assert "a class is called defect already" in capsys.readouterr().err


def test_unknown_defects_from_python(run, glass, tmp_path):
    weights, picture = run / "weights" / "last.pt", sorted((glass.parent / "images" / "val").iterdir())[0]
    words, more = (found_by(weights, picture, prompts="dent, oil", unknown=one) for one in (False, True))
    assert list(more) == ["dent", "oil", "unknown defect"]
    assert all(more[name] == pytest.approx(words[name], rel=1e-6) for name in words)
    mine = detect.Detector(weights, "cpu", unknown=True)
    assert mine.use_data(glass) == [] and mine.names[-1] == "unknown defect"
    mine.save_prompts(tmp_path / "mine.pt")
    assert detect.Detector(tmp_path / "mine.pt", "cpu").names == mine.names


@pytest.mark.parametrize(
    "words, said",
    [
        (["--unknown", "--single-cls", "--prompts", "a"], "--prompts defect finds any"),
        (["--unknown", "--single-cls"], "--unknown: is of --prompts"),
        (["--unknown", "--set", "val.chance=2"], "leave --unknown out"),
        (["--unknown", "--prompts", "a, b, c, d, unknown defect"], "unknown defect"),
    ],
)
def test_unknown_defects_that_nothing_can_be_said_of(run, tmp_path, capsys, words, said):
    argv = ["--weights", str(run / "weights" / "last.pt"), "--device", "cpu", "--project", str(tmp_path)]
    assert val.main([*argv, *words]) == 2
    assert said in capsys.readouterr().err


def test_a_closed_network_knows_no_unknown(trained, glass, tmp_path, capsys):
    argv = ["--weights", str(trained / "weights" / "best.pt"), "--project", str(tmp_path), "--device", "cpu"]
    assert detect.main([*argv, "--source", str(glass.parent), "--unknown"]) == 2
    assert val.main([*argv, "--unknown", "--data", str(glass)]) == 2
    assert capsys.readouterr().err.count("knows its 5 classes only") == 2


def test_words_on_the_page_are_looked_for_as_the_command_line_says(tmp_path):
    """Its scale, or nothing is said in mm; its NMS, or the page finds other boxes for the same word."""
    names = list(detect.Detector("rtvpnet-lite0-n", device="cpu").names)
    data = tmp_path / "data.yaml"
    data.write_text(yaml.safe_dump({"path": str(tmp_path), "val": "images", "names": names, "mm_per_px": 0.1}))
    words = ["--weights", "rtvpnet-lite0-n", "--data", str(data), "--iou", "0.3", "--max-det", "7", "--device", "cpu"]
    flags = parse_detect([*words, "--agnostic-nms", "--serve"])
    other = detect.prepare(flags).desk(flags).make("scratch, hole")
    assert other.names == ("scratch", "hole") and other.mm_per_px == 0.1
    assert (other.usual.iou, other.usual.max_det, other.usual.agnostic) == (0.3, 7, True)
