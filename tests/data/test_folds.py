"""Folds: every picture is validated on once, groups stay together, and a fold's YAML gives what the data gave."""

import os
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from data.batches.build import read_splits
from data.folds import divide, main
from data.pictures.channel_keys import channel_keys, read_channels
from data.sets.data_yaml import read_description
from data.sets.split_reading import ReadPolicy, read_records
from tests.data.trees import text
from utils.config.settings import Setting, build_config
from utils.values.channels import ANGLES, Channels
from utils.values.record import EVERY_CLASS
from utils.words.yamlio import Document

POLICY = ReadPolicy(bad_data="error", drop_duplicates=False)


pytestmark = pytest.mark.usefixtures("as_a_script")


@pytest.fixture
def home(tmp_path):
    """Pictures of a second camera, two shots of each part, good ones, a rare class, ignore regions, one unlabelled."""
    rng = np.random.default_rng(0)
    root = tmp_path / "set"
    for split, parts in (("train", range(8)), ("val", range(8, 12))):
        for part in parts:
            for shot in "ab":
                path = root / "images" / split / f"part{part} 瓶_{shot}.png"
                for file in (path, Path(str(path).replace("images", "images2"))):
                    file.parent.mkdir(parents=True, exist_ok=True)
                    raw = cv2.imencode(".png", rng.integers(0, 256, (24, 32, 3)).astype(np.uint8))[1]
                    file.write_bytes(raw.tobytes())
                rows = []
                for label in {0: [], 1: [0, 2], 2: [1, 0]}.get(part % 4, [0]):
                    w, h = rng.uniform(0.05, 0.4, 2)
                    rows.append(f"{label} {rng.uniform(w / 2, 1 - w / 2)} {rng.uniform(h / 2, 1 - h / 2)} {w} {h}\n")
                if (part, shot) != (3, "b"):
                    text(root / "labels" / split / f"{path.stem}.txt", "".join(rows))
    keys = {"train": "images/train", "val": "images/val", "names": ["Kn: ot", "crack", "dust"]}
    keys |= {"remap": {"dust": "ignore"}, "polar": {"dir": "images2"}, "mm_per_px": 0.5}
    text(root / "data.yaml", yaml.safe_dump(keys))
    return root


def folds_of(home, out, *words):
    assert main(["--data", str(home / "data.yaml"), "--out", str(out), *words]) == 0
    return sorted(out.glob("fold*.yaml"))


def pictures(home, split):
    read = read_records(read_description(home)[0], split, POLICY)
    return {str(record.path): record for record in read.records}, read


def same(one, other):
    return all(np.array_equal(getattr(one, k), getattr(other, k)) for k in ("size", "boxes", "labels", "crowd"))


def test_every_picture_is_validated_on_once_and_is_what_it_was(home, tmp_path):
    before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
    (train, read), (val, _) = (pictures(home / "data.yaml", split) for split in ("train", "val"))
    whole = train | val
    seen = Counter()
    for path in folds_of(home, tmp_path / "out", "--folds", "4"):
        config = build_config([Setting("data.data", str(path), "test")])[0]
        parts = read_splits(config)
        names = [{str(record.path) for record in part.records} for part in parts]
        assert names[0] | names[1] == set(whole) and not names[0] & names[1] and len(names[1]) == 6
        seen.update(names[1])
        for part in parts:
            assert part.names == read.names and part.channels == read.channels and part.mm_per_px == read.mm_per_px
            assert all(same(record, whole[str(record.path)]) for record in part.records)
            assert any((record.labels == EVERY_CLASS).any() for record in part.records)
        ids = {record.image_id: str(record.path) for part in parts for record in part.records}
        assert ids == dict(enumerate(sorted(whole), 1))  # the same in every fold
    assert set(seen.values()) == {1} and set(seen) == set(whole)
    every = read_description(tmp_path / "out" / "all.yaml", require=("val",))[0]
    records = read_records(every, "val", POLICY).records
    assert {record.image_id: str(record.path) for record in records} == ids
    assert before == {path: path.stat().st_mtime_ns for path in home.rglob("*")}


def test_the_same_seed_gives_the_same_files(home, tmp_path):
    made = []
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        folds_of(home, tmp_path / name, "--seed", seed)
        made.append({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()})
    assert made[0] == made[1] and made[0] != made[2]


def test_groups_stay_together_and_rare_classes_are_spread(home, tmp_path):
    for path in folds_of(home, tmp_path / "out", "--folds", "3", "--group", r"^(part\d+)"):
        _, read = pictures(path, "val")
        shots = Counter(record.path.stem.split()[0] for record in read.records)
        assert len(shots) == 4 and set(shots.values()) == {2}
        assert sum((record.labels == 1).any() for record in read.records) == 2  # crack: in 6 of 24 pictures


def test_strata_are_spread_as_evenly_as_can_be():
    rng = np.random.default_rng(1)
    for folds in (2, 3, 5, 7):
        rare = rng.choice(5, 83, p=[0.5, 0.3, 0.1, 0.07, 0.03]).tolist()
        where = divide([str(number) for number in range(83)], rare, folds, 0)
        assert np.ptp(np.bincount(where, minlength=folds)) <= 1
        for label in range(5):
            assert np.ptp(np.bincount(where[np.array(rare) == label], minlength=folds)) <= 1


@pytest.mark.parametrize(
    "channels",
    [
        Channels(),
        Channels(image=("gray",), bits=12),
        Channels(image=("x", "y"), files="{stem}_{channel}.png", bits=16),
        Channels(polar=("polar",), polar_dir="images2"),
        Channels(polar=("dolp", "aolp_sin2", "aolp_cos2"), angles=True, polar_dir="polar", polar_bits=12),
        Channels(image=("gray",), polar=ANGLES, polar_dir="p", polar_files="{channel}-{stem}.npy", polar_bits=32),
        Channels(polar=("dolp",)),
    ],
)
def test_channels_are_written_as_they_are_read(channels):
    document = Document(Path("x.yaml"), yaml.safe_load(yaml.safe_dump(channel_keys(channels))), {})
    assert read_channels(document) == channels


def test_other_labels_than_txt_and_unions_are_divided_too(home, tmp_path):
    """The truth of a fold's pictures does not depend on where it lay."""
    (home / "labels" / "train").rename(home / "elsewhere")
    keys = yaml.safe_load((home / "data.yaml").read_text(encoding="utf-8"))
    text(home / "data.yaml", yaml.safe_dump({**keys, "labels": {"train": "elsewhere"}}))
    text(home / "two.yaml", "union: [data.yaml, other.yaml]\n")
    other = {**keys, "train": "images/val", "labels": {"train": "labels/val"}}
    text(home / "other.yaml", yaml.safe_dump({k: v for k, v in other.items() if k != "val"}))
    assert main(["--data", str(home / "data.yaml"), "--out", str(tmp_path / "one"), "--folds", "2"]) == 0
    (train, _), (val, _) = (pictures(home / "data.yaml", split) for split in ("train", "val"))
    found = pictures(tmp_path / "one" / "fold1.yaml", "train")[0] | pictures(tmp_path / "one" / "fold1.yaml", "val")[0]
    assert all(same(found[name], record) for name, record in (train | val).items())
    assert main(["--data", str(home / "two.yaml"), "--out", str(tmp_path / "two"), "--folds", "2"]) == 0
    both = [len(pictures(tmp_path / "two" / "fold1.yaml", split)[1].records) for split in ("train", "val")]
    assert sum(both) == 24


def test_boxes_that_another_kind_of_file_rounds_are_the_same(home, tmp_path):
    """A set by txt, and the same with the last digits gone."""
    for file in (home / "labels" / "train").glob("*.txt"):
        rows = [line.split() for line in file.read_text(encoding="utf-8").splitlines()]
        rounded = "\n".join(" ".join([label, *(f"{float(v):.4f}" for v in box)]) for label, *box in rows)
        text(home / "rounded" / file.name, rounded)
    keys = yaml.safe_load((home / "data.yaml").read_text(encoding="utf-8"))
    text(home / "two.yaml", "union: [data.yaml, other.yaml]\n")
    other = {key: value for key, value in keys.items() if key != "val"} | {"labels": {"train": "rounded"}}
    text(home / "other.yaml", yaml.safe_dump(other))
    assert main(["--data", str(home / "two.yaml"), "--out", str(tmp_path / "two")]) == 0


def test_other_boxes_of_one_picture_are_told(home, tmp_path, capsys):
    """Else the boxes of one set would be lost."""
    keys = yaml.safe_load((home / "data.yaml").read_text(encoding="utf-8"))
    text(home / "two.yaml", "union: [data.yaml, other.yaml]\n")
    other = {**keys, "train": "images/val", "val": None, "names": ["crack", "Kn: ot", "dust"]}
    text(home / "other.yaml", yaml.safe_dump({k: v for k, v in other.items() if v is not None}))
    assert main(["--data", str(home / "two.yaml"), "--out", str(tmp_path / "two")]) == 3
    error = capsys.readouterr().err
    assert "_a.png: has other boxes in another of the sets; label it in one" in error and error.count("\n") == 1


MISTAKES = {
    "no folds": (["--folds", "1"], 2, "must be a whole number from 2 to 1,000, got 1"),
    "too many": (["--folds", "99"], 2, "--folds 99: there are only 24 pictures in 24 groups; take fewer folds"),
    "too few groups": (["--group", "part"], 2, "there are only 24 pictures in 1 group"),
    "no expression": (["--group", "("], 2, "--group (: is no regular expression"),
    "found nowhere": (["--group", "xyz"], 2, "--group xyz: is found in no picture's name, such as part0"),
    "negative seed": (["--seed", "-1"], 2, "must be a whole number from 0 to 2,147,483,647, got -1"),
    "among the inputs": (["--out", "."], 2, "which results must not mix with"),
    "no data": (["--data", "none.yaml"], 2, "none.yaml: data YAML not found"),
    "unknown flag": (["--fold", "2"], 2, "did you mean --folds?"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistakes_are_one_line(home, tmp_path, capsys, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    words, code, said = MISTAKES[name]
    assert main(["--data", str(home / "data.yaml"), "--out", "out", *words]) == code
    lines = capsys.readouterr().err.strip().splitlines()
    assert said in lines[-1] and lines[-1].startswith("error[") and not Path("out").exists()


def test_a_bad_label_stops_unless_it_is_left_out(home, tmp_path, capsys):
    text(home / "labels" / "val" / "part9 瓶_a.txt", "0 2 2 1 1\n")
    words = ["--data", str(home / "data.yaml"), "--out", str(tmp_path / "out")]
    assert main(words) == 3 and "part9" in capsys.readouterr().err
    assert main([*words, "--bad-data", "skip"]) == 0
    assert os.path.isfile(tmp_path / "out" / "fold5.yaml")


def test_a_picture_in_both_splits_counts_once(home, tmp_path):
    keys = yaml.safe_load((home / "data.yaml").read_text(encoding="utf-8"))
    text(home / "data.yaml", yaml.safe_dump({**keys, "train": ["images/train", "images/val"]}))
    fold = folds_of(home, tmp_path / "out")[0]
    assert sum(len(pictures(fold, split)[0]) for split in ("train", "val")) == 24
