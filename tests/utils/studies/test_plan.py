import re
from pathlib import Path

import pytest

from tests.utils.studies.conftest import PLAN
from utils.config.paths import CFG
from utils.flags.train_flags import parse_train
from utils.studies.plan import read_plan
from utils.words.errors import ConfigError

SHARED = "--cfg idfe-net-n.yaml --epochs 1 --workers 0"


def test_runs_in_order(here):
    plan = read_plan("plan.yaml", "my runs", {"": "set"})
    assert (plan.title, plan.path, plan.arms, plan.seeds) == (
        "Which box loss?",
        "plan.yaml",
        ("inforced", "ciou"),
        (0, 1),
    )
    assert [run.label for run in plan.runs] == [
        "glass, inforced, seed 0",
        "glass, ciou, seed 0",
        "glass, inforced, seed 1",
        "glass, ciou, seed 1",
    ]
    last = plan.runs[-1]
    assert last.folder.as_posix() == "my runs/glass/ciou/seed1" and plan.roots == {"glass": "set"}
    assert last.command == f"python train.py {SHARED} --data set/data.yaml --img 96 --set loss.iou=ciou --seed 1"
    assert [(one.question, one.first, one.second) for one in plan.comparisons] == [
        ("Is CIoU better?", "inforced", "ciou")
    ]


def test_what_may_be_left_out(here):
    (here / "small.yaml").write_text("data: {d: --data set}\narms: {1: --cfg 'idfe-net-n.yaml'}\nseeds: [3]\n")
    plan = read_plan("small")
    assert plan.title == "small" and plan.out.as_posix() == "runs/study/small" and not plan.comparisons
    assert plan.runs[0].words == ("--data", "set", "--cfg", "idfe-net-n.yaml", "--seed", "3")


def test_words_are_split_as_by_a_shell_that_expands_nothing(here):
    (here / "plan.yaml").write_text(PLAN.replace("--workers 0", "--hyp 'my $HOME *.yaml' --no-amp"))
    with pytest.raises(ConfigError, match=r"--hyp my \$HOME \*\.yaml: no such file"):
        read_plan("plan.yaml")


MISTAKES = {  # what of the plan, by what it is replaced, line, words of the message
    "unknown key": ("arms:", "arm:", 5, ["unknown key 'arm'; did you mean 'arms'?"]),
    "no seeds": ("[0, 1]", "[]", 8, ["`seeds` is missing or empty"]),
    "one seed": ("[0, 1]", "3", 8, ["must be a list such as [0, 1, 2], not 3"]),
    "seed twice": ("[0, 1]", "[0, 1, 0]", 8, ["seed 0 is there twice"]),
    "negative seed": ("[0, 1]", "[0, -1]", 8, ["from 0 to 2,147,483,647, not -1"]),
    "seed of text": ("[0, 1]", "[zero]", 8, ["not 'zero'"]),
    "true as a seed": ("[0, 1]", "[true]", 8, ["not True"]),
    "no arms": ("  inforced:\n  ciou: --set loss.iou=ciou\n", "", 5, ["`arms` is missing or empty"]),
    "list of arms": ("  inforced:\n  ciou: --set loss.iou=ciou\n", "  [a]\n", 5, ["`arms` must be a map"]),
    "flags that are no text": ("--set loss.iou=ciou", "[--cfg, x]", 7, ["are text, such as --epochs 15"]),
    "open quote": ("--set loss.iou=ciou", "--set 'loss.iou=ciou", 7, ["no closing quotation"]),
    "name of a folder outside": ("  ciou:", "  ../ciou:", 7, ["'../ciou' becomes a folder"]),
    "hidden name": ("  ciou:", "  .ciou:", 7, ["not a dot first"]),
    "name of a table": ("  glass:", "  study.csv:", 4, ["'study.csv' becomes a folder"]),
    "names that differ in case": ("  ciou:", "  INFORCED:", 7, ["'INFORCED' and 'inforced' are one folder"]),
    "arm that is not there": ("[inforced, ciou]", "[inforced, cio]", 10, ["no arm 'cio'; did you mean 'ciou'?"]),
    "compared with itself": ("[inforced, ciou]", "[ciou, ciou]", 10, ["'ciou' is compared with itself"]),
    "a name that is none": ("[inforced, ciou]", "[off, ciou]", 10, ["reads on, off, yes and no as true and false"]),
    "three arms": ("[inforced, ciou]", "[ciou, ciou, ciou]", 10, ["is a question and two arms"]),
    "title of a list": ("Which box loss?", "[a]", 1, ["`title` must be a line of text"]),
    "same training": (
        "--set loss.iou=ciou",
        "--set loss.iou=inforced",
        7,
        ["'ciou' is the same training as 'inforced'"],
    ),
    "same but for the machine": ("--set loss.iou=ciou", "--cache", 7, ["is the same training"]),
    "misspelt flag": ("--epochs 1", "--epoch 1", 2, ["train: train.py", "--epoch 1; did you mean --epochs?"]),
    "flag of another script": ("--img 96", "--img 96 --save-txt", 4, ["data 'glass': train.py", "--save-txt"]),
    "knob that is not there": ("loss.iou", "loss.uio", 7, ["arm 'ciou'", "loss.uio"]),
    "value of a knob": ("loss.iou=ciou", "loss.iou=cio", 7, ["arm 'ciou' on 'glass'", "did you mean 'ciou'?"]),
    "flags that contradict": ("--epochs 1", "--noval --patience 3", 2, ["--patience: has no effect here"]),
    "no data": ("--data set/data.yaml", "", 6, ["no --data"]),
    "data that is not there": ("set/data.yaml", "ste/data.yaml", 6, ["--data ste/data.yaml: no such file"]),
    "network that is not there": ("idfe-net-n.yaml", "idfe-net-x.yaml", 6, ["--cfg idfe-net-x.yaml", "did you mean"]),
    "weights alone": ("--cfg idfe-net-n.yaml", "--weights a.pt", 6, ["give the arm a --cfg"]),
    "project": ("--epochs 1", "--project x", 2, ["--project: a study decides where its runs lie"]),
    "name": ("--epochs 1", "--name=x", 2, ["--name: a study decides"]),
    "exist ok": ("--set loss.iou=ciou", "--exist-ok", 7, ["--exist-ok: a study decides"]),
    "project by --set": ("--set loss.iou=ciou", "--set run.project=x", 7, ["run.project: a study decides"]),
    "seed": ("--set loss.iou=ciou", "--seed 3", 7, ["--seed: `seeds` lists the seeds"]),
    "root": ("--img 96", "--set data.root=/x", 4, ["data.root: ", "give --root NAME=FOLDER"]),
    "resume": ("--epochs 1", "--resume x.pt", 2, ["--resume: is not for the trainings of a study"]),
    "demo": ("--epochs 1", "--demo", 2, ["--demo: is not for"]),
    "dry run": ("--epochs 1", "--dry-run", 2, ["--dry-run: is not for"]),
    "help": ("--epochs 1", "--help", 2, ["--help: does nothing in a plan"]),
    "syntax": ("seeds: [0, 1]", "seeds: [0, 1", 9, ["not valid YAML"]),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line(here, mistake, capsys):
    old, new, line, words = MISTAKES[mistake]
    assert PLAN.count(old) == 1, old
    (here / "plan.yaml").write_text(PLAN.replace(old, new))
    with pytest.raises(ConfigError) as raised:
        read_plan("plan.yaml")
    said = str(raised.value)
    assert said.startswith(f"plan.yaml:{line}: ") and "\n" not in said, said
    assert all(word in said for word in words), said
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("text", ["", "- 1", "text", "arms: {a: --cfg x}"])
def test_what_is_no_plan(here, text):
    (here / "plan.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"^plan.yaml:1: .*cfg/studies/README.md"):
        read_plan("plan.yaml")


@pytest.mark.parametrize(
    ("roots", "words"),
    [
        ({"glas": "set"}, "--root glas=set: no data set of the plan; did you mean 'glass'?"),
        ({"glass": "nowhere"}, "--root glass=nowhere: no such folder"),
    ],
)
def test_roots(here, roots, words):
    with pytest.raises(ConfigError, match=words):
        read_plan("plan.yaml", roots=roots)


def test_a_root_of_one_data_set_needs_its_name_beside_another(here):
    (here / "plan.yaml").write_text(PLAN.replace("arms:", "  more: --data set --img 128\narms:"))
    with pytest.raises(ConfigError, match="of which data set. give --root glass=FOLDER"):
        read_plan("plan.yaml", roots={"": "set"})
    assert read_plan("plan.yaml", roots={"more": "set"}).roots == {"more": "set"}


def test_it_stays_out_of_a_data_set(here):
    (here / "set" / "images").mkdir()
    (here / "set" / "labels").mkdir()
    with pytest.raises(ConfigError, match="--out: set/images/x lies in a data set's folder"):
        read_plan("plan.yaml", "set/images/x")


def test_a_plan_that_is_not_there(here):
    with pytest.raises(ConfigError, match="plan streems.yaml: no such file; did you mean 'streams.yaml'?"):
        read_plan("streems.yaml")


PLANS = sorted((CFG / "studies").glob("*.yaml"))


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_the_projects_own_plans(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for made in re.findall(r"--data (\S+/\S+)", path.read_text(encoding="utf-8")):  # data that its comment makes
        Path(made).parent.mkdir(exist_ok=True)
        Path(made).touch()
    plan = read_plan(path.name)
    assert (
        plan.comparisons
        and len(plan.seeds) >= 3
        and len(plan.runs) == len(plan.data) * len(plan.arms) * len(plan.seeds)
    )
    assert {one.first for one in plan.comparisons} | {one.second for one in plan.comparisons} == {*plan.arms}
    for run in plan.runs:
        parse_train(run.words)
