"""Checkpoints that are good, but do not fit what is asked: other classes, other data, other networks, other weights."""

import contextlib
import hashlib
import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
import torch
import yaml

import detect
import train
from data.drawn.glass_set import write_glass
from models.graph.builder import build_graph
from models.graph.freeze import check_frozen
from models.graph.open_vocabulary import encode, set_words
from models.ready.load import load_model, network_name
from models.ready.new_model import new_network
from models.rows.model_spec import read_spec
from tests.conftest import QUICK
from tests.models.ready.test_starting_weights import RELATIONS, SOURCE, check_classes, stirred
from utils.config.config import Config, ModelConfig
from utils.config.paths import CFG
from utils.files import checkpoint
from utils.flags.train_config import configure
from utils.flags.train_flags import parse_train
from utils.processes.distributed import ALONE
from utils.processes.resume import resume
from utils.values.channels import Channels
from utils.words.errors import ConfigError, UserError
from utils.words.vocabulary import Vocabulary

NETWORKS = ["idfe-net-n", "idfe-net-p2-n", "idfe-net-free-n", "idfe-net-polar-n", "rtvpnet-plain-n"]
EVERY = sorted(path.name for path in (CFG / "models").glob("*.yaml"))


@pytest.fixture(scope="module")
def begun(tmp_path_factory) -> Path:
    """A working folder with a set of pictures and the run of one of two epochs."""
    home = tmp_path_factory.mktemp("begun")
    write_glass(home / "set", train=6, val=4, size=96)
    with contextlib.chdir(home):
        words = ["--data", "set", "--epochs", "2", "--max-time", "0.01s", "--noplots"]
        assert train.main([*QUICK, *words]) == 0
    return home


@pytest.fixture
def here(begun, tmp_path, monkeypatch) -> Path:
    """A copy of it as the working folder, file times included."""
    shutil.copytree(begun, tmp_path / "home", copy_function=shutil.copy2)
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path / "home"


def change_yaml(**values) -> None:
    data = yaml.safe_load(Path("set/data.yaml").read_text())
    Path("set/data.yaml").write_text(yaml.safe_dump({**data, **values}))


def glass_names() -> list[str]:
    names = yaml.safe_load(Path("set/data.yaml").read_text())["names"]
    return list(names.values()) if isinstance(names, dict) else names


def with_names(change):
    def edit() -> None:
        change_yaml(names=change(glass_names()))

    return edit


def pictures(split: str = "train") -> list[Path]:
    return sorted(Path("set/images", split).glob("*.png"))


def label(path: Path) -> Path:
    return Path("set/labels", path.parent.name, f"{path.stem}.txt")


def labelled(split: str = "train") -> Path:
    return next(label(path) for path in pictures(split) if label(path).read_text().strip())


def add_picture(split: str = "train", stem: str = "zz", labels: str = "") -> None:
    path = pictures(split)[0]
    shutil.copy(path, path.with_name(f"{stem}.png"))
    label(path).with_name(f"{stem}.txt").write_text(labels)


def remove_picture(split: str = "train") -> None:
    path = pictures(split)[1]
    label(path).unlink()
    path.unlink()


def repaint(path: Path) -> None:
    image = cv2.imread(str(path))
    cv2.imwrite(str(path), cv2.rectangle(image, (10, 10), (40, 30), (0, 0, 255), -1))


def resize(path: Path) -> None:
    image = cv2.imread(str(path))
    cv2.imwrite(str(path), cv2.resize(image, (80, 120)))


def edit_rows(path: Path, change) -> None:
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


def other_class(rows):
    return [f"{(int(rows[0].split()[0]) + 1) % 5} {rows[0].split(maxsplit=1)[1]}", *rows[1:]]


def moved_box(rows):
    label, _, *rest = rows[0].split()
    return [" ".join((label, "0.4321", *rest)) + "\n", *rows[1:]]


def rename(path: Path, stem: str) -> None:
    label(path).rename(label(path).with_name(f"{stem}.txt"))
    path.rename(path.with_name(f"{stem}.png"))


def swap(one: Path, two: Path) -> None:
    for a, b in ((one, two), (label(one), label(two))):
        a.rename("spare")
        b.rename(a)
        Path("spare").rename(b)


def raw_edit(path: Path) -> None:
    """Other pixels in as many bytes, as in formats without compression."""
    info = path.stat()
    raw = bytearray(path.read_bytes())
    path.write_bytes(bytes(raw))
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns + 1_000_000_000))


EXACT = "nothing"
REFUSED = {  # edit -> what the line names
    "renamed": (with_names(lambda n: ["blister", *n[1:]]), ["gone: ", "new: blister"]),
    "two renamed": (with_names(lambda n: ["x", "y", *n[2:]]), ["new: x, y"]),
    "swapped": (with_names(lambda n: [n[1], n[0], *n[2:]]), ["in the order "]),
    "reversed": (with_names(lambda n: n[::-1]), ["in the order "]),
    "one more": (with_names(lambda n: [*n, "dent"]), ["new: dent"]),
    "one more, before": (with_names(lambda n: ["dent", *n]), ["new: dent"]),
    "hundred more": (with_names(lambda n: [*n, *(f"c{k}" for k in range(100))]), ["new: c0, c1, ", ", ..."]),
    "numbered otherwise": (with_names(lambda n: dict(enumerate([*n[1:], n[0]]))), ["in the order "]),
    "merged": (lambda: change_yaml(remap={glass_names()[1]: glass_names()[0]}), ["gone: "]),
    "control characters": (with_names(lambda n: ["\x1b[31mred", *n[1:]]), ["new: \\x1b[31mred"]),
}
SAID = {  # edit -> what the warning says; EXACT: no warning at all
    "nothing": (lambda: None, EXACT),
    "names in other letters": (with_names(lambda n: [name.upper() for name in n]), EXACT),
    "names as a map": (with_names(lambda n: dict(enumerate(n))), EXACT),
    "YAML touched": (lambda: os.utime("set/data.yaml"), EXACT),
    "label file with other line ends": (
        lambda: edit_rows(labelled(), lambda r: [x.rstrip() + "\r\n" for x in r]),
        EXACT,
    ),
    "label file touched": (lambda: os.utime(labelled()), EXACT),
    "a note beside the pictures": (lambda: Path("set/images/train/notes.md").write_text("x"), EXACT),
    "set moved": (
        lambda: (shutil.move("set", "elsewhere"), Path("set").symlink_to("elsewhere")),
        EXACT,
    ),
    "picture added": (add_picture, "training data changed since the run was begun: 1 picture more"),
    "three added": (lambda: [add_picture(stem=s) for s in "xyz"], "3 pictures more"),
    "labelled picture added": (lambda: add_picture(labels="0 .5 .5 .2 .2\n"), "1 picture more, 1 box more"),
    "picture removed": (remove_picture, "1 picture fewer"),
    "one for another": (lambda: (remove_picture(), add_picture()), "pictures of other names"),
    "renamed picture": (lambda: rename(pictures()[2], "aaa"), "pictures of other names"),
    "two pictures swapped": (lambda: swap(*pictures()[:2]), "not exact: training"),
    "repainted": (lambda: repaint(pictures()[0]), "picture files of other lengths"),
    "resized": (lambda: resize(pictures()[0]), "pictures of other sizes"),
    "row added": (lambda: edit_rows(labelled(), lambda r: [*r, "1 .5 .5 .25 .25\n"]), "1 box more"),
    "row removed": (lambda: edit_rows(labelled(), lambda r: r[1:]), "1 box fewer"),
    "other class": (lambda: edit_rows(labelled(), other_class), "other boxes or classes in the labels"),
    "box moved": (lambda: edit_rows(labelled(), moved_box), "other boxes or classes in the labels"),
    "label emptied": (lambda: labelled().write_text(""), "fewer"),
    "picture rewritten": (lambda: raw_edit(pictures()[3]), "the training pictures were written again"),
    "validation picture added": (lambda: add_picture("val"), "validation data changed since"),
    "validation box moved": (lambda: edit_rows(labelled("val"), moved_box), "the best metric so far is not comparable"),
    "validation repainted": (lambda: repaint(pictures("val")[0]), "picture files of other lengths; the best metric"),
}
LOST = {
    "folder gone": lambda: shutil.rmtree("set"),
    "pictures gone": lambda: shutil.rmtree("set/images/train"),
    "validation gone": lambda: shutil.rmtree("set/images/val"),
    "every picture gone": lambda: [path.unlink() for path in pictures()],
}
SMOKE = {"renamed", "swapped", "nothing", "picture added", "other class", "validation box moved", "folder gone"}


def cases(table):
    return [pytest.param(name, marks=[] if name in SMOKE else pytest.mark.faults) for name in table]


def contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def resumed_warnings(*words: str) -> list[str]:
    """What a resumed run would warn of, without training."""
    found = resume(parse_train(["--resume", *words]))
    return list(train.prepare(found.cfg, {}, torch.device("cpu"), ALONE, found).warnings)


@pytest.mark.parametrize("name", cases(REFUSED))
def test_changed_classes_are_refused_before_a_file_is_touched(here, capsys, name):
    edit, expected = REFUSED[name]
    edit()
    before = contents(here / "runs")
    assert train.main(["--resume"]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error[CONFIG]: --resume runs/train/exp/weights/last.pt: the classes of set changed")
    assert all(words in error for words in expected), error
    assert contents(here / "runs") == before


@pytest.mark.parametrize("name", cases(SAID))
def test_changed_data_is_said(here, name):
    edit, expected = SAID[name]
    edit()
    warnings = resumed_warnings()
    if expected == EXACT:
        assert warnings == []
    else:
        assert len(warnings) == 1 and expected in warnings[0] and "\n" not in warnings[0], warnings


@pytest.mark.parametrize("name", cases(LOST))
def test_missing_data_is_a_matter_of_data(here, capsys, name):
    LOST[name]()
    before = contents(here / "runs")
    assert train.main(["--resume"]) == 3
    assert capsys.readouterr().err.splitlines()[-1].startswith("error[DATA]: ")
    assert contents(here / "runs") == before


@pytest.mark.faults
def test_a_resumed_run_goes_on_with_its_warning_in_the_log(here, capsys):
    add_picture()
    assert train.main(["--resume", "--max-time", "1h"]) == 0
    run = here / "runs/train/exp"
    line = "not exact: training data changed since the run was begun: 1 picture more"
    assert line in capsys.readouterr().err and line in (run / "train.log").read_text()
    assert "not exact" in (run / "report.json").read_text()
    assert resumed_warnings() == [], "the fingerprint is now that of the data it went on with"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("torch", "2.0.0", "torch "),
        ("device", "NVIDIA H100", "instead of NVIDIA H100"),
        ("threads", 77, "threads 1 instead of 77"),
        ("OpenCV", "3.1", "OpenCV "),
    ],
)
@pytest.mark.faults
def test_another_machine_is_said(here, key, value, said):
    last = Path("runs/train/exp/weights/last.pt")
    content = checkpoint.load(last)
    content["environment"][key] = value
    content.pop("format")
    checkpoint.save(last, content)
    (warning,) = resumed_warnings()
    assert warning.startswith("not exact: ") and said in warning


@pytest.mark.faults
def test_a_run_of_an_earlier_version_says_that_changes_are_not_noticed(here):
    last = Path("runs/train/exp/weights/last.pt")
    content = {key: v for key, v in checkpoint.load(last).items() if key not in ("format", "data_fingerprint")}
    checkpoint.save(last, content)
    (warning,) = resumed_warnings()
    assert "of an earlier version" in warning


@pytest.mark.parametrize("left", [1, pytest.param(4, marks=pytest.mark.faults), 8, 12])
def test_stopped_within_an_epoch_of_more_pictures(begun, tmp_path, monkeypatch, capsys, left):
    """The epoch has had as many batches as there are now, or more: it is complete."""
    monkeypatch.chdir(tmp_path)
    write_glass(tmp_path / "set", train=12, val=4, size=96)
    words = [*QUICK, "--data", "set", "--epochs", "3", "--batch", "4", "--save-steps", "1", "--noplots"]
    whole, steps = train.forward_backward, []

    def interrupted(*args):
        steps.append(1)
        if len(steps) == 4:  # of three in an epoch: the second one is stopped after two
            os.kill(os.getpid(), signal.SIGTERM)
        return whole(*args)

    with monkeypatch.context() as patch:
        patch.setattr(train, "forward_backward", interrupted)
        assert train.main([*words, "--set", "optim.accumulate=1"]) == 143
    for path in pictures()[left:]:
        label(path).unlink()
        path.unlink()
    assert train.main(["--resume"]) == 0
    assert ("not exact: training data changed" in capsys.readouterr().err) == (left < 12)
    last = checkpoint.load("runs/train/exp/weights/last.pt", resumable=True)
    assert last["done"] and last["step"] == {1: 6, 4: 6, 8: 7, 12: 9}[left]  # 5, and the epochs that follow
    rows = Path("runs/train/exp/results.csv").read_text().splitlines()[1:]
    assert [row.partition(",")[0] for row in rows] == ["0", "1", "2"]


# --weights


def started(name: str, names, cfg: str = "", **values):
    """`name`'s network as weights of the classes SOURCE, itself, and a new network of `names` that starts from it."""
    spec = read_spec(CFG / "models" / name)
    text = spec.text_dim is not None
    spec = spec.with_values(nc=len(SOURCE), width_multiple=0.125, **({"text_dim": 64} if text else {}), **values)
    start, source = stirred(spec, SOURCE)
    vocabulary = Vocabulary.from_names(SOURCE)
    if text:
        words = encode(vocabulary, "ngram:64")
        set_words(source, words)
        start = replace(start, words=words)
    config = Config(model=ModelConfig(cfg=cfg, weights="source.pt"))
    torch.manual_seed(5)
    target, _ = new_network(config, Vocabulary.from_names(names), source.channels, start)
    return start, source, target


@pytest.mark.faults
@pytest.mark.parametrize("relation", RELATIONS)
@pytest.mark.parametrize("name", NETWORKS)
def test_each_class_keeps_its_logits(name, relation):
    names = tuple(" ".join(one.split()) for one in RELATIONS[relation])
    start, source, target = started(f"{name}.yaml", names)
    fresh = {key: value.clone() for key, value in target.state_dict().items()}
    start.fill(target, names)
    if source.text is not None:  # a text is known by its letters: other letters are another text
        names = tuple(name if name in SOURCE else f"{name} of other letters" for name in names)
    check_classes(source, start, target, names, fresh)


@pytest.mark.faults
@pytest.mark.parametrize("name", EVERY)
def test_without_cfg_the_network_is_that_of_the_weights(name):
    """Built at a width that no YAML has, so that no file can stand in for the checkpoint."""
    start, source, target = started(name, (*SOURCE, "dent"))
    assert target.spec.path.name == name and target.spec.width == 0.125 and target.spec.classes == 5
    taken = start.fill(target, (*SOURCE, "dent"))
    whole = [k for k, v in target.state_dict().items() if k.split(".", 2)[2] not in target.head.class_rows()]
    assert taken.filled.issuperset(whole)
    check_frozen(target, (len(target.layers) - 1,), taken.filled)
    with pytest.raises(ConfigError, match="--freeze"):
        check_frozen(
            target, (len(target.layers) - 1,), {key for key in taken.filled if not key.startswith("layers.1.")}
        )


@pytest.mark.faults
@pytest.mark.parametrize("name", EVERY)
def test_the_training_settings_are_those_of_the_weights_network(begun, name, tmp_path):
    spec = read_spec(CFG / "models" / name).with_values(nc=5)
    content = checkpoint.load(begun / "runs/train/exp/weights/last.pt")
    content.pop("format")
    if spec.text_dim is not None:
        content["vocabulary"] = encode(Vocabulary.from_names(content["names"]), f"ngram:{spec.text_dim}").plain()
    checkpoint.save(tmp_path / "best.pt", {**content, "model_spec": spec.plain()})
    words = ["--weights", str(tmp_path / "best.pt"), "--data", "x"]
    by_weights, _ = configure(parse_train(words), network_name)
    by_name, _ = configure(parse_train(["--cfg", name, "--data", "x"]), network_name)
    other, _ = configure(parse_train([*words, "--cfg", "idfe-net.yaml"]), network_name)
    assert replace(by_weights, model=by_name.model) == by_name
    assert other.model.cfg == "idfe-net.yaml" and by_weights.model.cfg == ""


def test_weights_alone_train_their_network_again(begun, tmp_path, monkeypatch, capsys):
    """The network, its anchors, its name over two generations and a resume; frozen rows; the classes of the data."""
    monkeypatch.chdir(tmp_path)
    words = ["--data", str(begun / "set"), "--img", "96", "--batch", "4", "--workers", "0", "--device", "cpu"]
    words += ["--noplots", "--epochs", "1", "--noval"]
    start = str(begun / "runs/train/exp/weights/last.pt")
    assert train.main([*words, "--weights", start, "--freeze", "10"]) == 0
    assert "last.pt: its network, idfe-net-n.yaml, for the data's 5 classes" in capsys.readouterr().out
    assert network_name("runs/train/exp/weights/last.pt") == "idfe-net-n.yaml"
    anchors = [load_model(path).model.head.anchors for path in (start, "runs/train/exp/weights/last.pt")]
    assert torch.equal(*anchors)


def wrong(*words: str, capsys) -> tuple[int, str]:
    code = train.main([*QUICK[2:], *words])
    assert not Path("runs").exists(), "a mistake leaves no run folder"
    return code, capsys.readouterr().err


@pytest.mark.faults
@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["10"], "--freeze: rows 0 (Conv), 1 (Conv), 2 (EGM), 3 (Conv), 4 (EGM) and 4 more would stay as random"),
        (["1"], "--freeze: row 0 (Conv) would stay"),
        (["edge3"], "--freeze: row 4 (EGM)"),
        (["edge3", "seed"], "--freeze: rows 1 (Conv), 4 (EGM)"),
        (["0", "30"], "30 (AnchorDetect)"),
        (["-1"], "--freeze: model.freeze must be from 0 to 1,000, got -1"),
        (["-3", "2"], "--freeze: model.freeze must be from 0 to 1,000, got -3"),
        (["32"], "--freeze 32: idfe-net-n.yaml has 31 rows"),
        (["31"], "all 31 rows"),
        (["3", "99"], "--freeze 99"),
        (["edge9"], "--freeze edge9"),
        ([""], "--freeze"),
    ],
)
def test_freezing_from_scratch(begun, tmp_path, monkeypatch, capsys, rows, words):
    monkeypatch.chdir(tmp_path)
    code, error = wrong("--cfg", "idfe-net-n.yaml", "--data", str(begun / "set"), "--freeze", *rows, capsys=capsys)
    assert code == 2 and words in error.splitlines()[-1], error


@pytest.mark.faults
@pytest.mark.parametrize(
    ("name", "rows"),
    [("idfe-net-n", (0,)), ("idfe-net-n", (6, 17)), ("idfe-net-n", ("merged4",)), ("rtvpnet-n", ("z",))],
)
def test_rows_without_parameters_may_be_frozen(name, rows):
    """None; Concat and Upsample; Mobile-SAM, whose weights are not the network's: nothing of them is random."""
    graph = build_graph(read_spec(CFG / "models" / f"{name}.yaml"))
    check_frozen(graph, rows, ())


@pytest.mark.faults
def test_a_network_of_planes_that_the_data_has_not():
    start, _, _ = started("idfe-net-polar-n.yaml", SOURCE)
    config = Config(model=ModelConfig(weights="source.pt"))
    with pytest.raises(UserError, match="the network has no input 'polar'; its data needs the key 'polar'"):
        new_network(config, Vocabulary.from_names(SOURCE), Channels(), start)


# thresholds.yaml


def said_by_detect(begun, capsys, *words: str) -> tuple[int, str]:
    pictures = str(begun / "set/images/val")
    code = detect.main(["--source", pictures, "--device", "cpu", "--nosave", *words])
    return code, capsys.readouterr().err


def test_thresholds_of_other_weights_are_noticed(begun, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    run = begun / "runs/train/exp"
    content = checkpoint.load(run / "weights/best.pt")
    content.pop("format")
    checkpoint.save(tmp_path / "copy of best.pt", content)
    state = content["ema"]["module"]
    content["ema"]["module"] = {k: v * 1.5 if v.is_floating_point() else v for k, v in state.items()}
    checkpoint.save(tmp_path / "other.pt", content)
    thresholds = ["--thresholds", str(run / "thresholds.yaml")]
    for same in (run / "weights/best.pt", tmp_path / "copy of best.pt"):
        code, error = said_by_detect(begun, capsys, "--weights", str(same), *thresholds)
        assert code == 0 and "other weights" not in error
    code, error = said_by_detect(begun, capsys, "--weights", "other.pt", *thresholds)
    assert code == 0 and "thresholds.yaml: chosen with other weights, best.pt (" in error and " other.pt (" in error
    newest = max(Path("runs/detect").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    assert "chosen with other weights" in (newest / "detect.log").read_text()
    old = Path("old.yaml")
    old.write_text("".join(x for x in (run / "thresholds.yaml").read_text().splitlines(True) if "digest" not in x))
    code, error = said_by_detect(begun, capsys, "--weights", "other.pt", "--thresholds", "old.yaml")
    assert code == 0 and "other weights" not in error
    detect.Detector("other.pt", "cpu").use_thresholds(str(run / "thresholds.yaml"))
    assert "chosen with other weights" in capsys.readouterr().err


@pytest.mark.faults
@pytest.mark.parametrize(
    "weights",
    [
        "last.pt",
        "[]",
        "{}",
        "{file: a}",
        "{file: a, digest: 7}",
        "{file: a, digest: b, more: c}",
        "{file: null, digest: x}",
    ],
)
def test_damaged_weights_of_thresholds(begun, tmp_path, monkeypatch, capsys, weights):
    monkeypatch.chdir(tmp_path)
    text = (begun / "runs/train/exp/thresholds.yaml").read_text()
    lines = [f"weights: {weights}\n" if line.startswith("weights") else line for line in text.splitlines(keepends=True)]
    Path("t.yaml").write_text("".join(lines))
    last = str(begun / "runs/train/exp/weights/last.pt")
    code, error = said_by_detect(begun, capsys, "--weights", last, "--thresholds", "t.yaml")
    assert code == 2 and "t.yaml:" in error and "'weights' must read like" in error and not Path("runs").exists()
