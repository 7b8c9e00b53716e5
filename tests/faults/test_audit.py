"""Kind 9, pictures: what is odd about a data set is counted and named before training, and an audit finds it."""

import json
import os
import shutil
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from data.audit import main
from data.batches.build import read_splits
from data.pictures.sources import find_sources
from utils.config.settings import Setting, build_config
from utils.words.errors import DataError


@pytest.fixture(autouse=True)
def _as_a_script(tmp_path, monkeypatch):
    """Its own cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def texture(seed, side=96):
    """A picture that is like no other: soft noise, RGB."""
    noise = np.random.default_rng(seed).normal(0, 1, (side, side, 3)).astype(np.float32)
    soft = cv2.GaussianBlur(noise, (0, 0), 2)
    return np.clip(128 + soft * 300, 0, 255).astype(np.uint8)


def store(path, image, *words):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, image, words)[1].tobytes())
    return path


@pytest.fixture
def home(tmp_path):
    """Six training and four validation pictures with a box each, of two classes; nothing is odd."""
    root = tmp_path / "set"
    for split, count in (("train", 6), ("val", 4)):
        for number in range(count):
            store(root / "images" / split / f"{split}{number}.png", texture(hash_of(split, number)))
            label = root / "labels" / split / f"{split}{number}.txt"
            label.parent.mkdir(parents=True, exist_ok=True)
            label.write_text(f"{number % 2} 0.5 0.5 0.25 0.25\n", encoding="utf-8")
    keys = {"path": ".", "train": "images/train", "val": "images/val", "names": ["crack", "oil"]}
    (root / "data.yaml").write_text(yaml.safe_dump(keys), encoding="utf-8")
    return root


def hash_of(split, number):
    return number + (100 if split == "val" else 0)


def start(home, **changes):
    """What the start of a training finds: kind -> finding."""
    rows = {"data.data": str(home), "data.imgsz": 96, **changes}
    splits = read_splits(build_config([Setting(key, value, "test") for key, value in rows.items()])[0])
    return {f.kind: f for split in splits for f in split.data_report.findings if f.severity != "note"}


def audit(home, out, *words, code=0):
    """What an audit finds: kind -> finding as JSON; nothing is written into the data."""
    before = tree(home)
    assert main([str(home), "--out", str(out), *words]) == code
    assert tree(home) == before
    return {row["kind"]: row for row in json.loads((out / "audit.json").read_text(encoding="utf-8"))["findings"]}


def tree(home):
    return sorted((os.fspath(p), p.lstat().st_mtime_ns) for p in [home, *home.rglob("*")])


def odd(found):
    return {kind for kind, row in found.items() if row["severity"] != "note"}


def test_nothing_odd_is_found_in_a_sound_set(home, tmp_path, capfd):
    assert start(home) == {}
    assert odd(audit(home, tmp_path / "out", "--strict")) == set()
    assert "nothing odd was found" in capfd.readouterr().out


def same_path(home):
    """train and val name the same folder."""
    text = (home / "data.yaml").read_text(encoding="utf-8").replace("images/val", "images/train")
    (home / "data.yaml").write_text(text, encoding="utf-8")


def same_bytes(home):
    shutil.copy(home / "images/train/train1.png", home / "images/val/val1.png")


def hard_link(home):
    (home / "images/val/val1.png").unlink()
    os.link(home / "images/train/train1.png", home / "images/val/val1.png")


def soft_link(home):
    (home / "images/val/val1.png").unlink()
    (home / "images/val/val1.png").symlink_to(home / "images/train/train1.png")


def folder_link(home):
    shutil.rmtree(home / "images/val")
    (home / "images/val").symlink_to(home / "images/train")
    shutil.rmtree(home / "labels/val")
    (home / "labels/val").symlink_to(home / "labels/train")


def other_letter_case(home):
    shutil.copy(home / "images/train/train1.png", home / "images/val/VAL1.PNG")
    (home / "images/val/val1.png").unlink()
    (home / "labels/val/val1.txt").rename(home / "labels/val/VAL1.txt")


OVERLAPS = {
    same_path: 6,
    same_bytes: 1,
    hard_link: 1,
    soft_link: 1,
    folder_link: 6,
    other_letter_case: 1,
}


@pytest.mark.parametrize(("spoil", "count"), OVERLAPS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_pictures_in_two_splits(home, tmp_path, spoil, count):
    spoil(home)
    found = start(home)["in_two_splits"]
    assert found.count == count and "train" in found.names[0] and found.severity == "wrong"
    audit(home, tmp_path / "out")
    found = audit(home, tmp_path / "strict", "--strict", code=3)
    assert found["in_two_splits"]["count"] == count == len(found["in_two_splits"]["names"])
    assert (tmp_path / "out" / "same.jpg").stat().st_size > 1000


def test_files_of_equal_size_and_samples_are_compared_whole(home):
    raw = bytearray(200_000)
    for split, value in (("train", 0), ("val", 1)):
        raw[25_000] = value  # between two samples
        head = b"P5 500 400 255\n"
        (home / f"images/{split}/{split}9.pgm").write_bytes(head + bytes(raw))
    assert start(home) == {}
    raw[25_000] = 0
    (home / "images/val/val9.pgm").write_bytes(head + bytes(raw))
    assert start(home)["in_two_splits"].count == 1


STORED_ANEW = {
    "png": (".png", lambda image: image[..., ::-1][..., ::-1] // 1 | 1),
    "jpeg": (".jpg", lambda image: image),
    "smaller": (".png", lambda image: cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA)),
    "webp": (".webp", lambda image: image),
}


@pytest.mark.parametrize("way", STORED_ANEW)
def test_a_picture_stored_anew_in_another_split(home, tmp_path, way):
    suffix, change = STORED_ANEW[way]
    store(home / f"images/val/again{suffix}", change(texture(2)))
    found = audit(home, tmp_path / "out", "--strict", code=3)
    assert found["stored_anew_in_two_splits"]["count"] == 1
    (name,) = found["stored_anew_in_two_splits"]["names"]
    assert f"again{suffix} = " in name and name.endswith("train2.png")


def test_the_same_scene_with_a_defect_is_not_the_same_picture(home, tmp_path):
    image = texture(2)
    image[40:52, 40:52] = 0
    store(home / "images/val/defect.png", image)
    found = audit(home, tmp_path / "out")
    assert "stored_anew_in_two_splits" not in found
    assert found["alike_in_two_splits"]["count"] == 1 and found["alike_in_two_splits"]["severity"] == "odd"


@pytest.mark.parametrize("suffix", [".heic", ".GIF", ".svg", ".dng", ".tga"])
def test_kinds_that_are_not_read_are_counted(home, tmp_path, suffix):
    for number in range(7):
        (home / f"images/val/x{number}{suffix}").write_bytes(b"\0")
    found = start(home)["kind_not_read"]
    assert found.count == 7 and suffix.lower() in found.said
    found = audit(home, tmp_path / "out", "--strict", code=3)
    assert len(found["kind_not_read"]["names"]) == 7


def test_detect_says_what_it_does_not_read(tmp_path):
    (tmp_path / "a.heic").write_bytes(b"\0")
    with pytest.raises(Exception, match=r"1 picture of kinds that are not read \(\.heic 1\)"):
        find_sources(str(tmp_path))
    store(tmp_path / "b.png", texture(0))
    found = {source.path.name: source.problem for source in find_sources(str(tmp_path))}
    assert found["b.png"] == "" and "not read" in found["a.heic"]
    assert [s.path.name for s in find_sources(str(tmp_path / "*"))] == ["a.heic", "b.png"]


@pytest.mark.parametrize(("top", "advice"), [(4095, "bit_depth: 12"), (1000, "bit_depth: 10"), (255, "8 bits")])
def test_dark_pictures(home, tmp_path, top, advice):
    for path in (home / "images/train").iterdir():
        values = texture(len(path.name)).astype(np.float64) / 255 * top
        values[0, 0] = top
        store(path, values.astype(np.uint16))
    found = start(home)["dark"]
    assert found.count == 6 and advice in found.advice and f"{top:,}" in found.said
    assert audit(home, tmp_path / "out", "--strict", code=3)["dark"]["count"] == 6
    assert (tmp_path / "out" / "dark.jpg").exists()


def deep(home, split, tops, hot=0):
    """The pictures of a split in 16 bit, each up to its `top`; `hot` values of each are the largest there is."""
    for path, top in zip(sorted((home / f"images/{split}").iterdir()), tops, strict=True):
        values = texture(len(path.name)).astype(np.float64)
        values = (values / values.max() * top).astype(np.uint16)
        values.reshape(-1)[:hot] = 65_535
        store(path, values)


DARK = {  # largest values of six pictures, hot ones in each -> how many are dark, how bad it is, what to do
    "hot pixels": ((4095,) * 6, 3, 6, "wrong", "scale them"),
    "one uses its bits": ((4095,) * 5 + (65_535,), 0, 5, "wrong", "scale them"),
    "one is dark": ((65_535,) * 5 + (900,), 0, 1, "odd", "scale them"),
    "one is black": ((65_535,) * 5 + (0,), 0, 0, "", ""),
    "12 bit": ((4095, 4000, 3000, 2000, 1000, 300), 0, 6, "wrong", "bit_depth: 12"),
    "14 bit": ((16_383,) * 6, 0, 6, "wrong", "bit_depth: 14"),
    "8 bit": ((255,) * 6, 0, 6, "wrong", "8 bits"),
}


@pytest.mark.parametrize("case", DARK)
def test_each_picture_of_16_bit_is_judged_by_itself(home, tmp_path, case):
    tops, hot, count, severity, advice = DARK[case]
    deep(home, "train", tops, hot)
    for found in (start(home).get("dark"), audit(home, tmp_path / "out")["dark"] if count else None):
        if not count:
            assert found is None
            continue
        found = found if isinstance(found, dict) else vars_of(found)
        assert (found["count"], found["severity"]) == (count, severity) and advice in found["advice"]
        assert count == 6 or f"{count} of 6 pictures" in found["said"]
    assert (tmp_path / "out" / "dark.jpg").exists() == bool(count)


def vars_of(finding):
    return {name: getattr(finding, name) for name in ("count", "severity", "advice", "said")}


def test_pictures_that_use_their_16_bit_are_not_dark(home):
    for path in (home / "images/train").iterdir():
        store(path, texture(0).astype(np.uint16) * 257)
    assert start(home) == {}


def test_said_bit_depth_is_no_finding(home):
    for path in home.glob("images/*/*"):
        store(path, texture(len(path.name)).astype(np.uint16) * 16)
    keys = yaml.safe_load((home / "data.yaml").read_text(encoding="utf-8"))
    (home / "data.yaml").write_text(yaml.safe_dump({**keys, "bit_depth": 12}), encoding="utf-8")
    assert "dark" not in start(home)


def turn(home, wrongly):
    """Every training picture stored turned; its box drawn on the unturned picture, or on the upright one."""
    for path in list((home / "images/train").iterdir()):
        image = np.full((60, 90, 3), 128, np.uint8)
        image[40:50, 10:30] = 20  # xc 0.222, yc 0.75 as stored
        exif = Image.Exif()
        exif[274] = 6
        Image.fromarray(image).save(path.with_suffix(".jpg"), exif=exif, quality=95)
        path.unlink()
        stored, upright = "0 0.2222 0.75 0.2222 0.1667", "0 0.25 0.2222 0.1667 0.2222"
        (home / f"labels/train/{path.stem}.txt").write_text(stored if wrongly else upright, encoding="utf-8")


@pytest.mark.parametrize("wrongly", [True, False])
def test_turned_pictures(home, tmp_path, wrongly):
    turn(home, wrongly)
    assert start(home)["turned"].count == 6
    found = audit(home, tmp_path / "out", *["--strict"] * wrongly, code=3 * wrongly)
    assert found["turned_boxes"]["count"] == 6 * wrongly
    assert (tmp_path / "out" / "turned.jpg").exists()


def test_boxes_that_training_would_lose(home, tmp_path):
    for label in (home / "labels/train").iterdir():
        label.write_text("0 0.5 0.5 0.005 0.5\n1 0.5 0.5 0.25 0.005\n", encoding="utf-8")
    with pytest.raises(DataError, match="all 12 of 12 boxes are shorter than 1 px.*no box"):
        start(home)
    assert "lost_boxes" not in start(home, **{"augment.min_box_px": 0.4})
    assert audit(home, tmp_path / "out", "--img", "96", "--strict", code=3)["lost_boxes"]["count"] == 12
    label.write_text("0 0.5 0.5 0.25 0.25\n", encoding="utf-8")
    found = start(home)["lost_boxes"]
    assert found.count == 10 and found.severity == "wrong" and "10 of 11 boxes" in found.said


def test_a_class_that_only_validation_has(home, tmp_path):
    for label in (home / "labels/train").iterdir():
        label.write_text("0 0.5 0.5 0.25 0.25\n", encoding="utf-8")
    found = audit(home, tmp_path / "out", "--strict")
    assert found["only_in_val"]["said"].endswith("oil")


def test_a_split_that_cannot_be_read_is_a_finding(home, tmp_path):
    (home / "labels/val/val0.txt").write_text("7 0.5 0.5 0.1 0.1\n", encoding="utf-8")
    found = audit(home, tmp_path / "out", "--strict", code=3)
    assert "val0.txt:1" in found["unreadable_split"]["said"]


def test_damage_that_only_a_decoder_sees(home, tmp_path):
    path = home / "images/val/val0.png"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    path.write_bytes(bytes(raw))
    (home / "images/val/val1.png").write_bytes(b"")
    found = audit(home, tmp_path / "out", "--strict", code=3)
    assert found["damaged"]["count"] == 1 and "val0.png" in found["damaged"]["names"][0]
    assert found["left_out"]["count"] == 1 and "val1.png" in found["left_out"]["names"][0]


def test_faint_pictures(home, tmp_path):
    store(home / "images/train/covered.png", np.full((50, 60, 3), 7, np.uint8))
    bright = np.full((50, 60, 3), 255, np.uint8)
    bright[:1, :1] = 0
    store(home / "images/train/bright.png", bright)
    found = audit(home, tmp_path / "out")
    assert found["constant"]["count"] == found["white"]["count"] == 1
    assert (tmp_path / "out" / "faint.jpg").exists()


# What people hand over: a folder in disorder


def test_an_unsorted_folder_is_read_as_one_and_divided(tmp_path):
    root = tmp_path / "heap"
    for number in range(10):
        store(root / f"part{number}.png", texture(number))
        store(root / f"part{number}_again.jpg", texture(number))
        (root / f"part{number}.txt").write_text(f"{number % 3} 0.5 0.5 0.2 0.2\n", encoding="utf-8")
        (root / f"part{number}_again.txt").write_text(f"{number % 3} 0.5 0.5 0.2 0.2\n", encoding="utf-8")
    audit(root, tmp_path / "out", "--write", str(tmp_path / "my.yaml"))
    lists = {split: (tmp_path / f"my-{split}.txt").read_text(encoding="utf-8").split() for split in ("train", "val")}
    parts = {split: {Path(path).stem.partition("_")[0] for path in paths} for split, paths in lists.items()}
    assert len(lists["train"]) + len(lists["val"]) == 20 and 2 <= len(lists["val"]) <= 6
    assert not parts["train"] & parts["val"], "pictures that look the same are on both sides"
    assert yaml.safe_load((tmp_path / "my.yaml").read_text(encoding="utf-8"))["names"] == ["class0", "class1", "class2"]
    assert "in_two_splits" not in start(tmp_path / "my.yaml")


def test_a_written_yaml_says_what_the_folder_or_the_yaml_said(home, tmp_path):
    audit(home, tmp_path / "out", "--write", str(tmp_path / "one.yaml"))
    (home / "data.yaml").unlink()
    (home / "classes.txt").write_text("crack\noil\n", encoding="utf-8")
    audit(home, tmp_path / "out2", "--write", str(tmp_path / "two.yaml"))
    for name in ("one.yaml", "two.yaml"):
        keys = yaml.safe_load((tmp_path / name).read_text(encoding="utf-8"))
        assert keys["names"] == ["crack", "oil"] and keys["train"] == str(home / "images/train")
        assert start(tmp_path / name) == {}


@pytest.mark.parametrize("option", ["--write", "--out"])
@pytest.mark.parametrize("place", ["set/x", "set/images/x", "set/images/train/x", "set/labels/val/x", "link/x"])
def test_nothing_is_written_into_the_data(home, tmp_path, option, place, capfd):
    (tmp_path / "link").symlink_to(home / "images")
    before = tree(home)
    assert main([str(home), option, str(tmp_path / place)]) == 2
    assert tree(home) == before
    assert f"error[CONFIG]: {option}" in capfd.readouterr().err


@pytest.mark.parametrize("kind", ["file", "link"])
def test_nothing_is_overwritten(home, tmp_path, kind):
    aim = tmp_path / "aim"
    aim.write_text("mine", encoding="utf-8")
    (tmp_path / "my.yaml").symlink_to(aim) if kind == "link" else shutil.copy(aim, tmp_path / "my.yaml")
    assert main([str(home), "--write", str(tmp_path / "my.yaml")]) == 2
    assert aim.read_text(encoding="utf-8") == "mine"


# Hostile folders


def newline_names(home):
    for split in ("train", "val"):
        store(home / "images" / split / f"{split}\n\x1b[31m‮x.png", texture(7 if split == "train" else 8))


def not_utf8_names(home):
    for split in ("train", "val"):
        raw = cv2.imencode(".png", texture(7 if split == "train" else 8))[1].tobytes()
        Path(os.fsdecode(os.fsencode(home / "images" / split) + b"/\xff\xfe.png")).write_bytes(raw)


def link_loops(home):
    (home / "images/train/loop").symlink_to(home / "images/train")
    (home / "images/val/self.png").symlink_to(home / "images/val/self.png")


def pipes(home):
    os.mkfifo(home / "images/train/pipe.png")
    os.mkfifo(home / "images/train/pipe.heic")


def bombs(home):
    raw = bytearray((home / "images/train/train0.png").read_bytes())
    raw[16:24] = b"\0\1\0\0\0\1\0\0"
    (home / "images/train/bomb.png").write_bytes(bytes(raw))
    (home / "images/train/bomb.pgm").write_bytes(b"P5 60000 60000 255\n" + bytes(100))


def folders_called_like_pictures(home):
    (home / "images/train/folder.png").mkdir()


def one_picture_each(home):
    for split in ("train", "val"):
        for path in sorted((home / "images" / split).iterdir())[1:]:
            path.unlink()


def empty_folders(home):
    for path in (home / "images/val").iterdir():
        path.unlink()


HOSTILE = (
    newline_names,
    not_utf8_names,
    link_loops,
    pipes,
    bombs,
    folders_called_like_pictures,
    one_picture_each,
    empty_folders,
)


@pytest.mark.parametrize("spoil", HOSTILE, ids=lambda spoil: spoil.__name__)
@pytest.mark.parametrize("form", ["yaml", "folder", "unsorted"])
def test_hostile_folders(home, tmp_path, spoil, form, capfd):
    spoil(home)
    if form == "folder":
        (home / "data.yaml").unlink()
        (home / "classes.txt").write_text("crack\noil\n", encoding="utf-8")
    place = home / "images/train" if form == "unsorted" else home
    audit(place, tmp_path / "out")
    said = capfd.readouterr()
    assert "Traceback" not in said.err and "\x1b[31m" not in said.out + said.err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["nowhere"],
        ["a\0b"],
        ["tests", "--out", "a\0b"],
        ["tests", "--write", "a\0b"],
        ["--img", "0", "x"],
        ["x", "y"],
        ["--strict"],
        ["/dev/null"],
        [""],
    ],
)
def test_wrong_command_lines(words, capfd):
    assert main(words) in (2, 3)
    assert capfd.readouterr().err.startswith("error[")


def test_a_folder_without_pictures(tmp_path, capfd):
    (tmp_path / "x.heic").write_bytes(b"")
    assert main([str(tmp_path)]) == 2
    assert "without pictures" in capfd.readouterr().err


# The same faults together, in any order: what is counted is what was put there


def spoil_overlap(home, rng, number):
    source = home / f"images/train/train{rng.integers(6)}.png"
    store_raw(home / f"images/val/o{number}.png", source.read_bytes())
    return {"in_two_splits": 1}


def spoil_kind(home, rng, number):
    store_raw(home / f"images/val/k{number}.{rng.choice(['heic', 'GIF', 'Dng', 'svg', 'tga', 'psd'])}", b"\0")
    return {"kind_not_read": 1}


def spoil_unreadable(home, rng, number):
    raw = [b"", b"<html>", b"\x89PNG\r\n\x1a\n", b"P5 9 9 255\n", b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\xd8\xff"]
    store_raw(home / f"images/val/u{number}.png", raw[rng.integers(len(raw))])
    return {"left_out": 1}


def spoil_constant(home, rng, number):
    store(home / f"images/val/c{number}.png", np.full((40 + number, 50, 3), rng.integers(20, 200), np.uint8))
    return {"constant": 1}


def spoil_dark(home, rng, number):
    store(home / f"images/val/d{number}.png", texture(1000 + number).astype(np.uint16) * 8)
    return {"dark": 1}


def spoil_turned(home, rng, number):
    exif = Image.Exif()
    exif[274] = int(rng.integers(2, 9))
    Image.fromarray(texture(2000 + number)).save(home / f"images/val/t{number}.jpg", exif=exif)
    return {"turned": 1}


def spoil_anew(home, rng, number):
    quality = int(rng.integers(60, 100))
    image = texture(hash_of("train", int(rng.integers(6))))
    store(home / f"images/val/a{number}.jpg", image, cv2.IMWRITE_JPEG_QUALITY, quality)
    return {"stored_anew_in_two_splits": 1}


UNLABELLED = ("in_two_splits", "constant", "dark", "turned", "stored_anew_in_two_splits")  # pictures without labels


def spoil_orphan(home, rng, number):
    store_raw(home / f"labels/val/lonely{number}.txt", b"0 0.5 0.5 0.1 0.1\n")
    return {"orphans": 1}


def store_raw(path, raw):
    path.write_bytes(raw)


SPOILS = (
    spoil_overlap,
    spoil_kind,
    spoil_unreadable,
    spoil_constant,
    spoil_dark,
    spoil_turned,
    spoil_anew,
    spoil_orphan,
)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(40))
def test_every_fault_is_counted_whatever_else_is_wrong(home, tmp_path, seed):
    rng = np.random.default_rng(seed)
    expected = Counter()
    for number in range(int(rng.integers(1, 16))):
        expected.update(SPOILS[rng.integers(len(SPOILS))](home, rng, number))
    if expected["orphans"] and any(expected[kind] for kind in UNLABELLED):
        expected["left_out"] += expected["orphans"]  # each may be the label of such a picture, by another name
    expected = +expected
    found = audit(home, tmp_path / "out")
    assert {kind: found[kind]["count"] for kind in expected} == expected
    content = json.loads((tmp_path / "out/audit.json").read_text(encoding="utf-8"))
    for split in content["splits"].values():
        assert split["found"] == split["used"] + sum(split["skipped"].values())


@pytest.mark.faults
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.text(min_size=0, max_size=12), max_size=6))
def test_any_words_are_one_line(words):
    if any("\0" not in word and os.path.exists(word) for word in words):
        return  # "." and the like name real folders
    if {"-h", "--help"} & set(words):
        return
    assert main(words) in (2, 3)


def test_pictures_that_all_look_alike_are_not_divided(tmp_path, capfd):
    for number in range(12):
        store(tmp_path / "heap" / f"{number}.png", texture(1))
    assert main([str(tmp_path / "heap"), "--write", str(tmp_path / "my.yaml")]) == 2
    assert "too few to be divided" in capfd.readouterr().err and not (tmp_path / "my.yaml").exists()


def test_a_list_beside_the_yaml_is_not_overwritten(tmp_path):
    for number in range(12):
        store(tmp_path / "heap" / f"{number}.png", texture(number))
    (tmp_path / "my-val.txt").write_text("mine", encoding="utf-8")
    assert main([str(tmp_path / "heap"), "--write", str(tmp_path / "my.yaml")]) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["heap", "my-val.txt"]


def test_a_list_of_pictures_elsewhere_guards_their_folders(home, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    for split in ("train", "val"):
        paths = "\n".join(map(str, sorted((home / "images" / split).iterdir())))
        (tmp_path / f"{split}.txt").write_text(paths, encoding="utf-8")
    keys = {"train": "train.txt", "val": "val.txt", "names": ["crack", "oil"]}
    (tmp_path / "lists.yaml").write_text(yaml.safe_dump(keys), encoding="utf-8")
    assert main([str(tmp_path / "lists.yaml"), "--out", str(tmp_path / "out"), "--strict"]) == 0
    assert main([str(tmp_path / "lists.yaml"), "--out", str(home / "images/val/out")]) == 2
    assert "lies in a data set's folder" in capfd.readouterr().err
