import os
import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

import utils.review.review_set as room
from data import audit
from data.index.union import open_data
from data.sets.split_reading import ReadPolicy
from utils.config.config import DataConfig
from utils.flags.train_flags import parse_train
from utils.review.review_set import ReviewSet
from utils.words.errors import DataError

NAMES = ("scratch", "oil stain")
BOX = (10.0, 20.0, 30.0, 40.0)


def png(value=128, size=(50, 100)):
    picture = np.full((*size, 3), value, np.uint8)
    picture[5:15, 5:25] = np.random.default_rng(value).integers(0, 255, (10, 20, 3))
    return cv2.imencode(".png", picture)[1].tobytes()


@pytest.fixture
def reviews(tmp_path):
    return ReviewSet(tmp_path / "set", NAMES)


def files(reviews, part):
    return sorted(path.name for path in (reviews.folder / part).iterdir())


def save(reviews, name, value=128, boxes=((0, BOX),)):
    reviews.save(name, png(value), ".png", (50, 100), list(boxes))


def records_of(reviews, split):
    """What our reader makes of a split: name of the picture -> (boxes px, labels)."""
    source, notices = open_data(DataConfig(data=str(reviews.folder / "data.yaml")))
    assert source.names == NAMES and not notices
    held = source.read(split, ReadPolicy(bad_data="error", drop_duplicates=True))
    sizes = {record.path.name: record.size for record in held.records}
    return {
        record.path.name: ((record.boxes * np.tile(sizes[record.path.name][::-1], 2)).tolist(), record.labels.tolist())
        for record in held.records
    }


def test_what_was_saved_is_what_our_reader_reads(reviews, tmp_path):
    save(reviews, "bad.png", 1, [(0, BOX), (1, (0.0, 0.0, 100.0, 50.0))])
    save(reviews, "good.png", 2, [])
    (tmp_path / "file.png").write_bytes(png(3))
    reviews.save("folder/file.png", tmp_path / "file.png", ".PNG", (50, 100), [(1, BOX)])
    pictures, boxes, _ = reviews.finish("best.pt")
    assert (pictures, boxes) == (3, 3)
    read = records_of(reviews, "train") | records_of(reviews, "val")
    by_stem = {name.rpartition("-")[0]: value for name, value in read.items()}
    assert by_stem.keys() == {"bad", "good", "file"}
    assert by_stem["bad"][0] == [pytest.approx(BOX, abs=1e-3), pytest.approx((0, 0, 100, 50), abs=1e-3)]
    assert by_stem["bad"][1] == [0, 1] and by_stem["good"] == ([], [])
    copy = next((reviews.folder / "images").glob("file-*.png"))
    assert copy.read_bytes() == png(3)


def test_a_row_is_worked_out_by_hand(reviews):
    save(reviews, "a.png")
    # centre (20, 30) of 100 x 50 px, 20 x 20 px large
    text = next((reviews.folder / "labels").iterdir()).read_text()
    assert text == "0 0.20000000 0.60000000 0.20000000 0.40000000\n"


def test_a_later_review_replaces_an_earlier_one(reviews):
    save(reviews, "a.png", boxes=[(0, BOX)])
    save(reviews, "a.png", boxes=[(1, BOX), (1, BOX)])
    assert len(files(reviews, "images")) == len(files(reviews, "labels")) == 1
    assert reviews.finish("w.pt")[:2] == (1, 2)
    reviews.save("a.png", b"\xff\xd8 other bytes", ".jpg", (50, 100), [])
    assert [Path(name).suffix for name in files(reviews, "images")] == [".jpg"]
    reviews.forget("a.png")
    reviews.forget("never there")
    assert files(reviews, "images") == files(reviews, "labels") == []


def test_names_of_all_kinds_have_files_of_their_own_below_the_folder(reviews, tmp_path):
    names = [
        "../../etc/passwd",
        "/abs/x.png",
        "x.png",
        "X.png",
        "y/x.png",
        "..",
        "",
        "a\nb.png",
        "划痕.png",
        "con",
        "*[a]",
    ]
    names += ["x" * 400, "x" * 401, "\udcff.png", "C:\\up\\x.png", ".hidden.png"]
    for k, name in enumerate(names):
        save(reviews, name, k)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert all(path.parent.parent == reviews.folder for path in written)
    assert len({path.name.casefold() for path in written if path.suffix == ".png"}) == len(names)
    assert reviews.finish("w.pt")[0] == len(names)
    assert len(records_of(reviews, "train") | records_of(reviews, "val")) == len(names)


def test_a_link_is_replaced_never_written_to(reviews, tmp_path):
    save(reviews, "a.png", 1)
    outside = tmp_path / "outside"
    outside.write_bytes(png(1))
    for part in ("images", "labels"):
        path = next((reviews.folder / part).iterdir())
        path.unlink()
        path.symlink_to(outside)
    save(reviews, "a.png", 1)
    assert outside.read_bytes() == png(1)
    assert not any(path.is_symlink() for path in reviews.folder.rglob("*"))


@pytest.mark.parametrize(
    "label, box, said",
    [
        (2, BOX, "unknown class 2; there are 2 classes"),
        (-1, BOX, "unknown class -1"),
        (0, (10, 10, 10, 20), "10 10 10 20 has no area"),
        (0, (30, 10, 10, 20), "30 10 10 20 has no area"),
        (0, (-1, 0, 10, 10), "reaches out of the picture, 100 x 50 px"),
        (0, (0, 0, 10, 51), "reaches out"),
        (0, (200, 0, 300, 10), "reaches out"),
        (0, (0, 0, float("nan"), 10), "is no number"),
        (0, (0, 0, float("inf"), 10), "is no number"),
    ],
)
def test_a_box_that_cannot_be_is_refused_and_nothing_changes(reviews, label, box, said):
    save(reviews, "a.png")
    before = {path: path.read_bytes() for path in reviews.folder.rglob("*.*")}
    with pytest.raises(DataError) as error:
        save(reviews, "a\n.png" if said == "is no number" else "a.png", boxes=[(0, BOX), (label, box)])
    assert said in str(error.value) and "\n" not in str(error.value) and str(error.value).startswith("a")
    assert {path: path.read_bytes() for path in reviews.folder.rglob("*.*")} == before


def test_what_is_no_picture_is_refused(reviews, tmp_path):
    for suffix in ("", "png", ".p/ng", ".png/../../x", "."):
        with pytest.raises(DataError, match="is no ending"):
            reviews.save("a", png(), suffix, (50, 100), [])
    with pytest.raises(DataError, match="cannot be read: No such file"):
        reviews.save("a", tmp_path / "gone.png", ".png", (50, 100), [])
    with pytest.raises(DataError, match="no picture was reviewed yet"):
        reviews.finish("w.pt")
    assert not reviews.folder.exists()


def test_a_fifth_is_for_validation_and_stays_there(reviews):
    for k in range(60):
        save(reviews, f"{k}.png", k, [])
    reviews.finish("w.pt")
    first = (reviews.folder / "val.txt").read_text().splitlines()
    train = (reviews.folder / "train.txt").read_text().splitlines()
    assert len(first) + len(train) == 60 and not set(first) & set(train) and 6 <= len(first) <= 18
    for k in range(60, 70):
        save(reviews, f"{k}.png", k, [])
    reviews.finish("w.pt")
    assert set(first) <= set((reviews.folder / "val.txt").read_text().splitlines())


@pytest.mark.parametrize("count, train, val", [(1, 1, 1), (2, 1, 1), (3, 2, 1)])
def test_no_split_is_empty(reviews, count, train, val):
    for k in range(count):
        save(reviews, f"{k}.png", k)
    assert reviews.finish("w.pt")[0] == count
    assert (len(records_of(reviews, "train")), len(records_of(reviews, "val"))) == (train, val)


@pytest.mark.parametrize("ranks, val", [([0.01, 0.05, 0.1, 0.19], ["0"]), ([0.9, 0.95, 0.7, 0.8], ["2"])])
def test_hashes_on_one_side_still_make_two_splits(monkeypatch, ranks, val):
    monkeypatch.setattr(room, "_rank", lambda path: ranks[int(path.stem)])
    train, held = room._split([Path(f"{k}.png") for k in range(4)])
    assert [path.stem for path in held] == val and len(train) == 3


def test_the_command_is_quoted_and_parses(tmp_path):
    reviews = ReviewSet(tmp_path / "a folder's", NAMES)
    save(reviews, "a.png")
    command = reviews.finish("runs/my best.pt", ("--img", "320"))[2]
    python, script, *words = shlex.split(command)
    assert (python, script) == ("python", "train.py")
    given = {setting.key: setting.value for setting in parse_train(words).settings}
    wanted = {"data.data": str(reviews.folder / "data.yaml"), "model.weights": "runs/my best.pt"}
    assert given == wanted | {"data.imgsz": 320, "schedule.epochs": 30, "run.name": "reviewed"}


def test_a_kill_at_any_write_leaves_whole_reviews(reviews, monkeypatch):
    """Each write and each removal fails in turn; what is there afterwards is the old review or the new one."""
    save(reviews, "a.png", 1, [(0, BOX)])
    label = next((reviews.folder / "labels").iterdir())
    for value, boxes in ((1, []), (2, [(1, BOX)])):
        for stop in range(6):
            save(reviews, "a.png", 1, [(0, BOX)])
            old = label.read_text()
            with monkeypatch.context() as patch:
                _fail_at(patch, stop)
                try:
                    save(reviews, "a.png", value, boxes)
                except KeyboardInterrupt:
                    pass
            pictures = [path for path in (reviews.folder / "images").iterdir() if not path.name.startswith(".")]
            assert len(pictures) <= 1
            if pictures and pictures[0].read_bytes() == png(2):
                assert label.read_text().startswith("1 ")
            elif pictures:
                assert label.read_text() in (old, "") and pictures[0].read_bytes() == png(1)
    save(reviews, "b.png", 5)
    assert reviews.finish("w.pt")[0] == 2


def _fail_at(patch, stop):
    calls = iter(range(100))
    for owner, name in ((os, "replace"), (Path, "unlink")):
        real = getattr(owner, name)

        def stopped(*args, real=real, **words):
            if next(calls) == stop:
                raise KeyboardInterrupt
            return real(*args, **words)

        patch.setattr(owner, name, stopped)


def test_the_audit_finds_nothing_wrong(reviews, capsys):
    for k in range(4):
        save(reviews, f"{k}.png", 40 * k + 10)
    reviews.finish("w.pt")
    assert audit.main([str(reviews.folder / "data.yaml")]) == 0
    assert "orphan" not in capsys.readouterr().out
