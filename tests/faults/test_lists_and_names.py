"""Lists of pictures and names of classes as people and tools write them: what is meant is taken, once; what is left out
is counted and named."""

import json
import shutil
import unicodedata

import pytest

from data import audit
from data.checks.start import check_splits
from data.index.split_index import read_indexed
from data.sets.data_yaml import read_description
from data.sets.split_reading import ReadPolicy
from tests.data.trees import picture, text
from utils.words.class_names import class_map, name_key, wanted_classes
from utils.words.errors import ConfigError
from utils.words.text import did_you_mean

COUNT = ReadPolicy(bad_data="count", drop_duplicates=False, allow_empty=True, workers=1)
STEMS = ("a", "b", "c", "d")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    home = tmp_path / "set"
    for split in ("train", "val"):
        for number, stem in enumerate(STEMS):
            picture(home / f"images/{split}/{stem}.png")
            with open(home / f"images/{split}/{stem}.png", "ab") as file:
                file.write(f"{split}{number}".encode())  # bytes of its own
            text(home / f"labels/{split}/{stem}.txt", "0 .5 .5 .2 .2")
    return home


def read(home, **keys):
    keys = {"train": "images/train", "val": "images/val", "names": ["crack", "oil"], **keys}
    text(home / "data.yaml", json.dumps(keys))
    return read_indexed(read_description(home / "data.yaml")[0], "val", COUNT, "never")


LINES = {
    "comments": ["# the good ones", "#", "images/val/a.png", "  # images/val/b.png"],
    "up and down": ["images/val/a.png", "images/../images/val/a.png", "./images//val/a.png"],
    "absolute and not": ["images/val/a.png", "{home}/images/val/../val/a.png"],
}


@pytest.mark.parametrize("lines", LINES.values(), ids=LINES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_list_names_each_picture_once(home, lines, encoding, end):
    raw = end.join(line.format(home=home) for line in lines)
    raw = "\ufeff" + raw if encoding == "utf-16-le" else raw
    (home / "val.txt").write_bytes(raw.encode(encoding))
    result = read(home, val="val.txt")
    assert [record.path.name for record in result.records] == ["a.png"] and result.data_report.bad == 0
    assert result.data_report.skipped.get("listed_twice", 0) == result.data_report.found - 1


def test_a_picture_that_begins_like_a_comment_is_one(home):
    picture(home / "#1.png")
    text(home / "val.txt", "#1.png\n#2.png\nimages/val/a.png")
    assert sorted(record.path.name for record in read(home, val="val.txt").records) == ["#1.png", "a.png"]


def copied(home):
    shutil.copy(home / "images/val/a.png", home / "images/val/copy.png")


def linked(home):
    (home / "images/val/line").symlink_to(home / "images/val", target_is_directory=True)
    text(home / "val.txt", "\n".join([*(f"images/val/{stem}.png" for stem in STEMS), "images/val/line/a.png"]))
    return {"val": "val.txt"}


@pytest.mark.parametrize("change", [copied, linked])
def test_a_picture_twice_in_an_evaluated_split_is_said_at_the_start_and_wrong(home, tmp_path, capsys, change):
    keys = change(home) or {}
    paths = [str(record.path) for record in read(home, **keys).records]
    (finding,) = check_splits({"val": paths})
    assert finding.kind == "repeated" and finding.count == 1 and finding.severity == "wrong"
    assert check_splits({"train": paths}) == ()
    assert audit.main([str(home / "data.yaml"), "--out", str(tmp_path / "out"), "--strict"]) == 3
    assert "more than once" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["clip.mp4", "clip.WEBM", "planes.npy", "x.PNG ", " x.jpg ", "planes.npz"])
def test_what_may_hold_pictures_is_counted(home, name):
    (home / "images/val" / name).write_bytes(b"x")
    report = read(home).data_report
    assert report.skipped == {"kind_not_read": 1} and report.bad == 0 and report.used == 4
    assert [finding.kind for finding in report.findings] == ["kind_not_read"]


FORMS = [
    ("o\u0308l", "\u00f6l"),
    ("\u00d6L", "o\u0308l"),
    ("\u1e9b\u0323", "\u1e9b\u0323".upper()),
    ("\uac00", "\u1100\u1161"),
]


@pytest.mark.parametrize(("one", "other"), FORMS)
def test_names_that_differ_in_unicode_form_are_one(home, one, other):
    assert name_key(one) == name_key(other) == name_key(unicodedata.normalize("NFD", one))
    with pytest.raises(ConfigError, match="classes 0 and 1 are both called"):
        read(home, names=[one, other])
    assert class_map([one], [other], "w") == (0,) and wanted_classes([one], ["x", other]) == (1,)


@pytest.mark.parametrize("names", [[["a", "b"], "c"], {0: {"a": 1}, 1: "c"}])
def test_a_list_is_no_name(home, names):
    with pytest.raises(ConfigError, match=r"class 0 is a list, no name; .*\.json"):
        read(home, names=names)


NEAR = {
    ("nope.yaml", "wood.yaml"): False,
    ("wod.yaml", "wood.yaml"): True,
    ("woods.yaml", "wood.yaml"): True,
    ("wood.yml", "wood.yaml"): True,
    ("val.json", "all.json"): False,
    ("instances_vla.json", "instances_val.json"): True,
    ("a.txt", "b.txt"): False,
}


@pytest.mark.parametrize(("words", "near"), NEAR.items(), ids=map(" ".join, NEAR))
def test_a_suffix_makes_no_word_near(words, near):
    assert bool(did_you_mean(words[0], [words[1]])) == near


def test_the_table_of_classes_cuts_no_escape(home, tmp_path, capsys):
    names = ["x" * 38 + "\x1b[31m", "\u200b" * 30]
    read(home, names=names)
    assert audit.main([str(home / "data.yaml"), "--out", str(tmp_path / "out")]) == 0
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith(("xxx", "\\u"))]
    assert [row.split()[0] for row in rows] == ["x" * 38, "\\u200b" * 6]
