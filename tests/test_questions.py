"""Questions through the scripts: detect.py --ask, Detector.ask, val.py --task vqa."""

import contextlib
import csv
import json

import pytest
import torch
import yaml

import detect
import train
import val
from detect import Detector
from utils.words.errors import ConfigError

FAINT = "0.00256"  # a network of two epochs is sure of nothing: some of its classes score more, some less
ASKED = ("is there a bubble?", "how many oils are there?", "is the part good?", "why did it crack?")


@pytest.fixture(scope="module")
def answered(trained, glass, tmp_path_factory):
    """The folder of a detect.py run with questions, and the one without, at the same confidence."""
    home = tmp_path_factory.mktemp("asked")
    source = ["--source", str(glass.parent / "images" / "val"), "--weights", str(trained / "weights" / "best.pt")]
    asked = [word for text in ASKED for word in ("--ask", text)]
    common = [*source, "--device", "cpu", "--project", str(home), "--conf", FAINT, "--save-json"]
    assert detect.main([*common, *asked, "--name", "asked"]) == 0
    assert detect.main([*common, "--name", "plain"]) == 0
    return home


def test_every_question_is_answered_for_every_picture(answered):
    rows = list(csv.DictReader((answered / "asked" / "answers.csv").open(encoding="utf-8")))
    plain = json.loads((answered / "asked" / "answers.json").read_text(encoding="utf-8"))
    assert len(rows) == len(plain) == 6 * len(ASKED)
    assert [row["question"] for row in rows[: len(ASKED)]] == list(ASKED)
    assert {row["type"] for row in rows} == {"presence", "count", "verdict", ""}
    for row, other in zip(rows, plain, strict=True):
        assert (row["image"], row["answer"], row["refusal"]) == (other["image"], other["answer"], other["refusal"])
        assert bool(row["answer"]) != bool(row["refusal"])
        assert row["refusal"].startswith("I can't answer") == (row["question"] == ASKED[3])


def test_answers_agree_with_the_detections(answered):
    """At --conf one threshold decides everything, so that plain counting must give the same."""
    found = json.loads((answered / "plain" / "predictions.json").read_text(encoding="utf-8"))
    summary = csv.DictReader((answered / "plain" / "summary.csv").open(encoding="utf-8"))
    verdicts = {row["image"]: row["verdict"] for row in summary}
    for one in json.loads((answered / "asked" / "answers.json").read_text(encoding="utf-8")):
        here = [row["category"] for row in found if row["file_name"] == one["image"]]
        if one["type"] == "presence":
            assert one["answer"] == ("yes" if "bubble" in here else "no")
        if one["type"] == "count":
            assert one["number"] == here.count("oil") == len(one["evidence"])
        if one["type"] == "verdict":
            assert one["answer"] == verdicts[one["image"]]
        assert one["calibrated"] is False


def test_questions_change_nothing_else(answered):
    for name in ("predictions.json", "summary.csv"):
        one, other = ((answered / run / name).read_text(encoding="utf-8") for run in ("asked", "plain"))
        if name == "summary.csv":  # but for the times
            one, other = ([row.split(",")[:6] for row in text.splitlines()] for text in (one, other))
        assert one == other


def test_the_page_has_a_section(answered):
    page = (answered / "asked" / "report.html").read_text(encoding="utf-8")
    assert 'id="questions"' in page and "how many oils are there?" in page
    report = json.loads((answered / "asked" / "report.json").read_text(encoding="utf-8"))
    assert [row["question"] for row in report["questions"]] == list(ASKED)
    assert all(sum({**row["answers"], **row["refusals"]}.values()) == 6 for row in report["questions"])
    assert 'id="questions"' not in (answered / "plain" / "report.html").read_text(encoding="utf-8")


def test_the_runs_own_thresholds_read_the_scores(trained, glass, tmp_path, messages, capsys):
    argv = ["--source", str(glass.parent / "images" / "val"), "--weights", str(trained / "weights" / "best.pt")]
    assert detect.main([*argv, "--device", "cpu", "--project", str(tmp_path), "--ask", ASKED[0], "--nosave"]) == 0
    assert f"scores are read by {trained / 'thresholds.yaml'}" in capsys.readouterr().out
    answers = json.loads((tmp_path / "exp" / "answers.json").read_text(encoding="utf-8"))
    assert len(answers) == 6
    limits = yaml.safe_load((trained / "thresholds.yaml").read_text(encoding="utf-8"))["answers"]["classes"]["bubble"]
    for one in answers:
        best = max((row["score"] for row in one["evidence"]), default=0.0)
        shows = "yes" if best >= limits["yes_from"] else "no" if best < limits["no_below"] else "cannot tell"
        assert one["answer"] == shows and one["calibrated"] == (shows != "cannot tell")


def test_ask_from_python(trained, glass):
    detector, picture = Detector(trained / "weights" / "best.pt", "cpu"), next((glass.parent / "images/val").iterdir())
    found = detector(picture, conf=float(FAINT))
    answer = detector.ask(picture, "有几个bubble?", conf=float(FAINT))
    label = detector.names.index("bubble")
    assert answer.number == int((found.labels == label).sum()) and answer.answer == str(int(answer.number))
    assert "these are 2 questions" in detector.ask(picture, "is there a bubble? is there oil?").refusal
    assert "there is no class 'rainbow'" in detector.ask(picture, "is there a rainbow?").refusal
    assert not detector.asked.questions, "nothing is left of a question"
    with pytest.raises(ConfigError):
        detector.ask(picture, 3)


@pytest.fixture(scope="module")
def reading(glass, tmp_path_factory):
    """The run folder of a network that reads text."""
    home = tmp_path_factory.mktemp("reads")
    words = ["--cfg", "rtvpnet-plain-n.yaml", "--text-encoder", "ngram:64", "--img", "64", "--batch", "4", "--noplots"]
    with contextlib.chdir(home):
        assert train.main([*words, "--workers", "0", "--device", "cpu", "--epochs", "1", "--data", str(glass)]) == 0
    return home / "runs" / "train" / "exp" / "weights" / "last.pt"


def test_words_that_only_a_question_names(reading, glass):
    """They are looked for, change no other class's scores, and decide nothing about the part."""
    detector, picture = Detector(reading, "cpu"), next((glass.parent / "images/val").iterdir())
    before, verdict = detector(picture, conf=0.001), detector.verdict(picture, conf=0.5)
    answer = detector.ask(picture, "how many rainbows are there?", conf=0.001)
    assert answer.number is not None and not answer.refusal
    again = detector(picture, conf=0.001)
    assert "rainbows" not in detector.names, "nothing is left of a question"
    assert torch.equal(before.scores, again.scores)
    detector.use_questions(["how many rainbows are there?"], conf=0.001)
    assert detector.names[-1] == "rainbows"
    after = detector(picture, conf=0.001)
    own = after.labels < detector.own
    assert torch.equal(before.boxes, after.boxes[own]) and torch.equal(before.labels, after.labels[own])
    torch.testing.assert_close(after.scores[own], before.scores, rtol=1e-5, atol=1e-7)  # a product with more columns
    assert detector.verdict(picture, conf=0.5) is verdict
    with pytest.raises(ConfigError, match="model.static"):
        Detector(reading, "cpu", static=True).ask(picture, "is there a rainbow?")


def test_unreadable_pictures_answer_nothing(trained, glass, tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"no picture")
    good = next((glass.parent / "images/val").iterdir())
    (folder / f"b{good.suffix}").write_bytes(good.read_bytes())
    argv = ["--source", str(folder), "--weights", str(trained / "weights" / "best.pt"), "--device", "cpu", "--nosave"]
    assert detect.main([*argv, "--project", str(tmp_path / "runs"), "--ask", ASKED[0]]) == 3
    bad, fine = json.loads((tmp_path / "runs" / "exp" / "answers.json").read_text(encoding="utf-8"))
    assert bad["refusal"] and not bad["answer"] and fine["answer"]


@pytest.mark.parametrize(
    "argv, words",
    [
        (["--ask-file", "missing.txt"], "--ask-file missing.txt"),
        (["--ask-file", "empty.txt"], "holds no question"),
        (["--ask-file", "bytes.txt"], "is not UTF-8"),
        (["--severity", "severity.yaml"], "--severity: has no effect here"),
        (["--ask", "how bad is it?", "--severity", "severity.yaml"], "severity.yaml:2: there is no class 'crack'"),
        (["--ask", "is it good?", "--classes", "oil"], "--classes: has no effect here"),
    ],
)
def test_mistakes(trained, glass, tmp_path, monkeypatch, capsys, argv, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.txt").write_text("\n \n")
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "severity.yaml").write_text("rules:\n  - {grade: bad, class: crack}\notherwise: minor\n")
    source = ["--source", str(glass.parent / "images" / "val"), "--weights", str(trained / "weights" / "best.pt")]
    assert detect.main([*source, "--device", "cpu", *argv]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_a_file_of_questions_and_rules(trained, glass, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "asked.txt").write_text("\ufeffhow bad is it?\n\nis there oil? is there a bubble?\n", encoding="utf-8")
    rules = "rules:\n  - {grade: critical, at least: 1, class: [oil, bubble]}\notherwise: minor\n"
    (tmp_path / "severity.yaml").write_text(rules)
    argv = ["--source", str(glass.parent / "images" / "val"), "--weights", str(trained / "weights" / "best.pt")]
    argv += ["--ask-file", "asked.txt", "--severity", "severity.yaml", "--conf", FAINT, "--device", "cpu"]
    assert detect.main([*argv, "--nosave"]) == 0
    answers = json.loads((tmp_path / "runs/detect/exp/answers.json").read_text(encoding="utf-8"))
    assert len(answers) == 18
    for grade, oil, bubble in zip(*(answers[k::3] for k in range(3)), strict=True):
        if "yes" in (oil["answer"], bubble["answer"]):
            assert grade["answer"] == "critical"
        else:
            assert grade["answer"] in ("minor", "none")


def test_the_truth_as_detections_answers_every_question(glass, tmp_path):
    """The ceiling of the reasoning, by a file that any tool could have written."""
    argv = ["--task", "vqa", "--data", str(glass), "--noplots", "--project", str(tmp_path)]
    (tmp_path / "none.json").write_text("[]")
    assert (
        val.main(["--from-preds", str(tmp_path / "none.json"), "--data", str(glass), "--project", str(tmp_path)]) == 0
    )
    truth = json.loads((tmp_path / "exp" / "truth.json").read_text())
    rows = [
        {"image_id": row["image_id"], "category_id": row["category_id"], "bbox": row["bbox"], "score": 1.0}
        for row in truth["annotations"]
    ]
    (tmp_path / "truth.json").write_text(json.dumps(rows))
    for seed in ("0", "1"):
        name = ["--name", f"seed{seed}", "--seed", seed]
        assert val.main([*argv, "--from-preds", str(tmp_path / "truth.json"), *name]) == 0
        vqa = json.loads((tmp_path / f"seed{seed}" / "vqa.json").read_text())
        assert vqa["ceiling"]["all"]["right"]["value"] == 1.0 and vqa["ceiling"]["all"]["total"] > 60
    first, second = ((tmp_path / f"seed{seed}" / "vqa.csv").read_text(encoding="utf-8") for seed in (0, 1))
    assert first != second


def test_val_asks_and_scores(trained, glass, tmp_path, messages, capsys):
    argv = ["--task", "vqa", "--weights", str(trained / "weights" / "best.pt"), "--data", str(glass), "--device", "cpu"]
    assert val.main([*argv, "--noplots", "--project", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "cannot tell" in out and "with the truth in place of the detections" in out
    vqa = json.loads((tmp_path / "exp" / "vqa.json").read_text())
    assert set(vqa["score"]["all"]["baselines"]) == {"majority", "blind", "fixed 0.25", "shuffled"}
    rows = list(csv.DictReader((tmp_path / "exp" / "vqa.csv").open(encoding="utf-8")))
    assert sum(row["right"] == "yes" for row in rows) == vqa["score"]["all"]["right"]["events"]
    assert len(rows) == vqa["score"]["all"]["total"]
    assert (tmp_path / "exp" / "results.json").is_file()


def test_questions_of_others(trained, glass, tmp_path):
    picture = next((glass.parent / "images/val").iterdir()).name
    asked = [
        {"image": picture, "question": "Is there a rainbow?", "answer": None},
        {"image": picture, "question": "Why did it crack?", "answer": None},
        {"image": picture, "question": "Is the part good?", "options": {"A": "Yes.", "B": "No."}, "answer": "B"},
    ]
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    argv = ["--task", "vqa", "--weights", str(trained / "weights" / "best.pt"), "--data", str(glass), "--device", "cpu"]
    assert val.main([*argv, "--noplots", "--project", str(tmp_path), "--questions", str(tmp_path / "asked.json")]) == 0
    rows = list(csv.DictReader((tmp_path / "exp" / "vqa.csv").open(encoding="utf-8")))
    assert [row["right"] for row in rows[:2]] == ["yes", "yes"] and rows[2]["answer"] in ("yes", "no")


def test_questions_without_the_task(glass, capsys):
    assert val.main(["--questions", "x.json", "--data", str(glass)]) == 2
    assert "add --task vqa" in capsys.readouterr().err
