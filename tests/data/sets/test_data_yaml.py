from pathlib import Path

import pytest

from data.files.folders import expand_glob
from data.sets import data_yaml as module
from data.sets.data_yaml import read_description
from utils.words.errors import ConfigError, DataError, UserError

GOOD = "train: images/train\nval: images/val\nnames: [knot, crack]\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    for name in ("images/train", "images/val", "labels/train/txt", "annotations"):
        (tmp_path / "数据 set" / name).mkdir(parents=True)
    return tmp_path / "数据 set"


def written(home: Path, text: str, name: str = "data.yaml") -> Path:
    path = home / name
    path.write_text(text, encoding="utf-8")
    return path


def refused(home: Path, text: str, kind: type[UserError] = ConfigError) -> str:
    with pytest.raises(kind) as caught:
        read_description(written(home, text))
    assert type(caught.value) is kind and "\n" not in str(caught.value)
    return str(caught.value)


def test_minimal(home: Path) -> None:
    description, notices = read_description(written(home, GOOD))
    assert description.names == ("knot", "crack") and notices == ()
    assert description.splits == {"train": (home / "images/train",), "val": (home / "images/val",)}
    assert description.root == home and description.lines["val"].endswith("data.yaml:2")


@pytest.mark.parametrize("text", [f"path: .\n{GOOD}", f"path:\n{GOOD}test:\nnc: 2\n"])
def test_yolov5_keys(home: Path, text: str) -> None:
    assert read_description(written(home, text))[0].root == home


def test_download_is_never_run(home: Path) -> None:
    text = GOOD + "download: |\n  import os; os.system('touch ran')\nroboflow: {url: http://x}\n"
    _, notices = read_description(written(home, text))
    assert len(notices) == 2 and ":4: 'download' is never run" in notices[0] and not (home / "ran").exists()


def test_extra_places(home: Path) -> None:
    (home / "annotations/train.json").touch()
    text = GOOD + "labels: {train: labels/train/txt}\nannotations: {train: annotations/train.json}\n"
    description, _ = read_description(written(home, text))
    assert description.labels == {"train": home / "labels/train/txt"}
    assert description.annotations == {"train": home / "annotations/train.json"}


def test_several_entries_and_globs(home: Path) -> None:
    (home / "images/train/a [1].jpg").touch()
    text = "train: [images/train, 'images/*/*.jpg']\nval: images/val\nnames: [a]\n"
    entries = read_description(written(home, text))[0].splits["train"]
    assert entries[0] == home / "images/train" and list(expand_glob(entries[1])) == [home / "images/train/a [1].jpg"]
    assert "does not exist" in refused(home, text.replace("jpg", "png"), DataError)


def test_brackets_in_folders_are_not_wildcards(tmp_path: Path) -> None:
    (tmp_path / "set [a]/x [1]").mkdir(parents=True)
    (tmp_path / "set [a]/x [1]/p.jpg").touch()
    path = written(tmp_path / "set [a]", "train: x [1]\nval: x [[]1]/*.jpg\nnames: [a]\n")
    splits = read_description(path)[0].splits
    assert splits["train"] == (tmp_path / "set [a]/x [1]",)
    assert list(expand_glob(splits["val"][0])) == [tmp_path / "set [a]/x [1]/p.jpg"]


def test_path_beside_the_yaml_or_in_the_working_directory(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "cfg").mkdir()
    assert read_description(written(home / "cfg", f"path: ..\n{GOOD}"))[0].root == home
    assert read_description(written(home / "cfg", f"path: {home}\n{GOOD}"))[0].root == home
    monkeypatch.chdir(home.parent)
    description, notices = read_description(written(home / "cfg", f"path: {home.name}\n{GOOD}"))
    assert description.root == home and len(notices) == 1 and "working directory" in notices[0]
    monkeypatch.chdir(home)
    description, notices = read_description(written(home / "cfg", GOOD))
    assert description.splits["val"] == (home / "images/val",) and len(notices) == 2


def test_roboflow_parent_folder(home: Path) -> None:
    (home / "train/images").mkdir(parents=True)
    description, notices = read_description(written(home, GOOD.replace("images/train", "../train/images")))
    assert description.splits["train"] == (home / "train/images",) and len(notices) == 1


def test_lookup(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "SHIPPED", home)
    written(home, GOOD, "wood.yaml")
    for name in ("wood.yaml", "wood", home / "wood", str(home / "wood.yaml")):
        assert read_description(name)[1] == ()
    _, notices = read_description("/data/wood.yaml")
    assert notices == ("/data/wood.yaml does not exist; taking wood.yaml of cfg/data",)
    with pytest.raises(ConfigError, match="did you mean 'wood.yaml'"):
        read_description("wod.yaml")
    with pytest.raises(ConfigError, match="not found"):
        read_description("a\0b")


def test_folder(home: Path) -> None:
    with pytest.raises(ConfigError, match="without data.yaml and without pictures.*train: images/train"):
        read_description(home)
    written(home, GOOD)
    assert read_description(home)[0].source == home / "data.yaml"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("[1, 2.5, a b]", ("1", "2.5", "a b")),
        ("{1: b, 0: a}", ("a", "b")),
        ("{'0': 气泡, '1': ' y '}", ("气泡", "y")),
        ("\n  0: a\n  1: b", ("a", "b")),
    ],
)
def test_names(home: Path, names: str, expected: tuple[str, ...]) -> None:
    assert read_description(written(home, GOOD.replace("[knot, crack]", names)))[0].names == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("[knot, crack]", "{0: a, 2: b}"), ":3: names has no class 1"),
        (GOOD.replace("[knot, crack]", "{1: a, 2: b}"), ":3: names has no class 0"),
        (GOOD.replace("[knot, crack]", "\n  0: a\n  x: b"), ":5: class id 'x'"),
        (GOOD.replace("[knot, crack]", "\n  - Crack\n  - crack"), ":5: classes 0 and 1 are both called 'crack'"),
        (GOOD.replace("[knot, crack]", "[a, '']"), ":3: class 1 has no name"),
        (GOOD.replace("[knot, crack]", "[a, ]\nnc: 2"), ":4: nc is 2 but names has 1"),
        (GOOD.replace("[knot, crack]", "[a, ~]"), ":3: class 1 has no name"),
        (GOOD.replace("[knot, crack]", "[]"), ":3: 'names' is empty"),
        (GOOD.replace("[knot, crack]", "knot"), ":3: 'names' must list the classes or name a .txt or .json file"),
        (GOOD.replace("names", "name"), ":3: unknown key 'name'; did you mean 'names'?"),
        (GOOD + "nc: 3\n", ":4: nc is 3 but names has 2"),
        (GOOD + "nc: true\n", ":4: nc is true but names has 2"),
        (GOOD + "channels: [r]\n", ":4: r, g and b belong together"),
        (GOOD + "polar: 3\n", ":4: 'polar' must be a folder name"),
        (GOOD + "remap:\n  knott: crack\n", ":5: 'knott' is not in names; did you mean 'knot'?"),
        (GOOD + "remap:\n  knot: ignore\n  crack: ignore\n", ":4: every class is ignored"),
        (GOOD + "kpt_shape: [1]\n", ":4: 'kpt_shape' is [points, 2 or 3]"),
        (GOOD + "rows: pose\n", ":4: 'rows' says what txt rows of more than five numbers are"),
        (GOOD + "kpt_shape: [1, 2]\nrows: polygons\n", ":5: 'rows: polygons' and 'kpt_shape' exclude each other"),
        (GOOD + "labels: labels/train\n", ":4: 'labels' must say it per split"),
        (GOOD + "labels:\n  trian: x\n", ":5: 'trian' is not a split; did you mean 'train'?"),
        (GOOD + "labels: {train: 3}\n", ":4: 'train' must be a path, not 3"),
        ("val: images/val\nnames: [a]\n", ":1: 'train' is missing"),
        (GOOD.replace("images/val", "[]"), ":2: 'val' is an empty list"),
        (GOOD.replace("images/val", "{a: b}"), ":2: 'val' must be a path"),
        (GOOD.replace("images/val", "[3]"), ":2: 'val' must be a path"),
        (GOOD + "names: [x]\n", ":4: key 'names' appears twice"),
        (GOOD + "val2: !!python/object:os.system x\n", ":4: tag tag:yaml.org,2002:python/object:os.system is not"),
        ("- a\n", ":1: holds no keys"),
        ("", ":1: holds no keys"),
        ("a: [", "not valid YAML"),
        (GOOD + "? [x]\n: y\n", ":4: a key must be"),
        (GOOD + "1.5: y\n", ":4: unknown key '1.5'"),
    ],
)
def test_mistakes_name_their_line(home: Path, text: str, words: str) -> None:
    message = refused(home, text)
    assert words in message and str(home) in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GOOD.replace("images/val", "images/Val"), "images/Val does not exist; did you mean 'val'?"),
        (GOOD.replace("images/val", "Images/val"), "Images/val does not exist; did you mean 'images'?"),
        (GOOD.replace("images/val", "x" * 300), "data.yaml:2: val: "),
        (GOOD.replace("images/val", '"images/\\0val"'), "does not exist"),
        (GOOD.replace("images/val", "https://example.com/val.zip"), "does not exist"),
        ("path: nowhere\n" + GOOD, "data.yaml:1: path: "),
        (GOOD + "labels: {val: labels/val}\n", "data.yaml:4: labels of val: "),
        (GOOD + "annotations: {val: annotations/val.json}\n", "data.yaml:4: annotations of val: "),
    ],
)
def test_what_is_not_there(home: Path, text: str, words: str) -> None:
    assert words in refused(home, text, DataError)


def test_only_required_splits_must_be_there(home: Path) -> None:
    path = written(home, GOOD.replace("images/val", "images/later"))
    assert read_description(path, ["train"])[0].splits["val"] == (home / "images/later",)
