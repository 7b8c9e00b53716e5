"""Bad pictures: damaged, replaced or gone after they were listed. One of them never takes the others down; each is left
out, counted and named, within limits, and nothing else changes by it.
"""

import errno
import io
import json
import os
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import detect
import train
import val
from data.batches.build import eval_loader, train_loader
from data.batches.collate import collate
from data.batches.looking import Looking
from data.batches.sampler import BLANK, Key
from data.batches.samples import EvalSamples, TrainSamples
from data.files.shards import OFFSETS, member_name
from data.pictures.picture_decoder import read_image
from data.scenes.cached_pictures import open_pictures
from data.scenes.record_scenes import RecordScenes
from tests.conftest import QUICK
from tests.faults.odd_files import folder, pipe
from utils.config.config import AugmentConfig, Config, DataConfig
from utils.values.channels import Channels
from utils.values.record import Record
from utils.words.errors import DataError, ResourceError

ALL = AugmentConfig(mosaic=0.7, mixup=0.5, copy_paste=0.5)


def flip(path, at=None):
    """Change one byte, in the middle if nowhere else."""
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2 if at is None else at] ^= 0xFF
    path.write_bytes(raw)


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


def smaller(path):
    """Another picture in its place, whose boxes are elsewhere."""
    image = Image.open(path).convert("RGB")
    image.resize((image.width // 2, image.height // 2 + 1)).save(path)


def dangling(path):
    path.unlink()
    path.symlink_to("nowhere.png")


def text(path):
    path.write_text("<html>not found</html>")


SPOILED = (flip, cut, empty, remove, smaller, folder, pipe, dangling, text)


def made(folder, count=10, suffix="png"):
    """Records of noise pictures, every other one with two boxes."""
    rng, records = np.random.default_rng(0), []
    for i in range(count):
        path = folder / f"{i}.{suffix}"
        Image.fromarray(rng.integers(0, 256, (40 + i % 2, 60, 3), dtype=np.uint8)).save(path)
        n = 2 * (i % 2)
        boxes, labels = np.tile(np.array([0.2, 0.3, 0.6, 0.7], np.float32), (n, 1)), np.arange(n)
        records.append(Record(path, i + 1, (40 + i % 2, 60), boxes, labels, np.zeros(n, bool)))
    return records


def scenes(records, cache="none"):
    return RecordScenes(open_pictures(records, 10**8, cache))


def epoch(records, cfg=ALL, cache="none"):
    samples = TrainSamples(scenes(records, cache), cfg, 0, 5)
    return [samples[Key(0, i, (64, 64))] for i in range(len(records))]


def same(a, b):
    return all(np.array_equal(getattr(a, name), getattr(b, name)) for name in ("image", "boxes", "labels"))


@pytest.mark.parametrize("spoil", SPOILED)
@pytest.mark.parametrize("cfg", [AugmentConfig(mosaic=0.0), ALL], ids=["plain", "composed"])
def test_only_the_samples_that_wanted_it_change(tmp_path, spoil, cfg):
    records = made(tmp_path)
    before = epoch(records, cfg)
    spoil(records[3].path)
    after, again = epoch(records, cfg), epoch(records, cfg)
    hit = [sample for sample in after if sample.lost]
    assert hit and all(set(sample.lost) == {3} and records[3].path.name in sample.lost[3] for sample in hit)
    assert all(same(a, b) for a, b in zip(before, after, strict=True) if not b.lost)
    if not cfg.mosaic:  # of which a picture may lie out of view
        assert all(not same(a, b) for a, b in zip(before, after, strict=True) if b.lost)
    assert all(same(a, b) and a.lost == b.lost for a, b in zip(after, again, strict=True))


def test_stand_ins_that_are_bad_themselves_are_replaced_too(tmp_path):
    records = made(tmp_path)
    for record in records[1:]:
        record.path.unlink()
    after = epoch(records, AugmentConfig(mosaic=0.0))
    assert all(sample.image.std() > 1 for sample in after)  # the one that is left stands in for all
    records[0].path.unlink()
    nothing = epoch(records)
    assert all(np.unique(sample.image).size == 1 and not len(sample.boxes) for sample in nothing)
    assert set().union(*(sample.lost for sample in nothing)) == set(range(10))


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("cache", ["none", "ram", "disk"])
@pytest.mark.parametrize(
    "options", [{}, {"rect": True}, {"balance": "repeat", "balance_threshold": 0.9, "repeat": 2}], ids=str
)
def test_batches_are_the_same_for_any_workers_and_cache(tmp_path, monkeypatch, workers, cache, options):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    records = made(tmp_path)
    for k in (2, 5):
        flip(records[k].path)
    batches = []
    for count, kept in ((0, "none"), (workers, cache)):
        data = DataConfig(batch_size=4, imgsz=64, workers=count, cache=kept, **options)
        loader, sampler = train_loader(records, Config(data=data, augment=ALL), 32, pin=False)
        sampler.set_epoch(1)
        batches.append(list(loader))
    for one, other in zip(*batches, strict=True):
        assert torch.equal(one.images, other.images) and torch.equal(one.targets.boxes, other.targets.boxes)
        assert one.lost == other.lost and one.indices == other.indices
    assert set().union(*(batch.lost for batch in batches[0])) == {2, 5}


@pytest.mark.parametrize("spoil", SPOILED)
@pytest.mark.parametrize("workers", [0, 1])
def test_evaluation_leaves_out_what_cannot_be_read(tmp_path, spoil, workers):
    records = made(tmp_path)
    data = DataConfig(imgsz=64, workers=workers)
    before = {i: b.images[n] for b in eval_loader(records, data, 32, 3, False) for n, i in enumerate(b.indices)}
    for k in (0, 4):
        spoil(records[k].path)
    batches = list(eval_loader(records, data, 32, 3, False))
    assert set().union(*(batch.lost for batch in batches)) == {0, 4}
    seen = {i: b.images[n] for b in batches for n, i in enumerate(b.indices)}
    assert set(seen) == set(range(10)) - {0, 4} and all(torch.equal(seen[i], before[i]) for i in seen)
    assert all(len(batch.views) == len(batch.images) for batch in batches)


def test_a_batch_of_nothing_readable_counts_no_pictures(tmp_path):
    records = made(tmp_path, 2)
    for record in records:
        flip(record.path)
    (batch,) = (b for b in eval_loader(records[:1], DataConfig(imgsz=64, workers=0), 32, 3, False))
    assert len(batch) == 0 and batch.indices == (BLANK,) and set(batch.lost) == {0}
    assert EvalSamples(scenes(records), Looking(64, 32)).readable(range(2)) == []


def copied(glass, place):
    shutil.copytree(glass.parent, place)
    return place / "data.yaml"


def ran(tmp_path, monkeypatch, data, *flags):
    """Exit code and run folder of a short training."""
    monkeypatch.chdir(tmp_path)
    code = train.main([*QUICK, "--data", str(data), "--epochs", "2", "--noplots", *flags])
    return code, tmp_path / "runs/train/exp"


def spoiling(monkeypatch, action):
    """Do it when the pictures have been listed and training begins."""
    whole, calls = train.train_one_epoch, []

    def later(*given):
        if not calls:
            action()
        calls.append(1)
        whole(*given)

    monkeypatch.setattr(train, "train_one_epoch", later)


def picture(data, split, number):
    return sorted((data.parent / "images" / split).iterdir())[number]


def test_a_training_goes_on_without_them(glass, tmp_path, monkeypatch, capsys):
    data = copied(glass, tmp_path / "set")
    bad = [picture(data, "train", 3), picture(data, "val", 1)]
    for path in bad:
        flip(path)
    code, run = ran(tmp_path, monkeypatch, data)
    report = json.loads((run / "data_report.json").read_text())
    out, err = capsys.readouterr()
    assert code == 0
    for split, path in zip(("train", "val"), bad, strict=True):
        assert list(report[split]["lost_while_reading"]) == [str(path)]
        assert err.count(f"{split}: left out: {path}") == 1
    assert out.count("(AP on 5 of 6 pictures") == 2  # beside the numbers of both epochs
    results = json.loads((run / "results.json").read_text())
    assert results["images"] == 5 and "AP on 5 of 6 pictures" in results["notes"][0]
    assert len(json.loads((run / "truth.json").read_text())["images"]) == 5
    assert "train: 1 picture left out" in err and "val: 1 picture left out" in err


def test_error_ends_it_with_everything_saved(glass, tmp_path, monkeypatch, capsys):
    data = copied(glass, tmp_path / "set")
    flip(picture(data, "train", 3))
    code, run = ran(tmp_path, monkeypatch, data, "--bad-data", "error")
    assert code == 3 and (run / "weights/last.pt").exists() and not (run / "results.json").exists()
    (line,) = (line for line in capsys.readouterr().err.splitlines() if line.startswith("error"))
    assert str(picture(data, "train", 3)) in line and "damaged" in line
    shutil.copy(picture(glass, "train", 3), picture(data, "train", 3))
    assert train.main(["--resume", str(run / "weights/last.pt")]) == 0


@pytest.mark.parametrize("spoil", [flip, remove])
def test_too_many_end_it_with_everything_saved(glass, tmp_path, monkeypatch, capsys, spoil):
    data = copied(glass, tmp_path / "set")
    bad = [picture(data, "train", number) for number in range(7)]
    spoiling(monkeypatch, lambda: [spoil(path) for path in bad])
    code, run = ran(tmp_path, monkeypatch, data)
    assert code == 3 and (run / "weights/last.pt").exists()
    assert "train: 7 of 12 pictures are bad, 7 of them only when they were read" in capsys.readouterr().err


def test_a_training_outlives_its_validation_pictures(glass, tmp_path, monkeypatch, capsys):
    data = copied(glass, tmp_path / "set")
    home, away = data.parent / "images/val", tmp_path / "away"
    spoiling(monkeypatch, lambda: home.rename(away))
    code, run = ran(tmp_path, monkeypatch, data)
    assert code == 3 and len((run / "results.csv").read_text().splitlines()) == 3
    assert "val: none of 6 pictures can be read" in capsys.readouterr().err
    away.rename(home)
    assert train.main(["--resume", str(run / "weights/last.pt")]) == 0 and (run / "results.json").exists()


def test_killed_and_resumed_is_never_killed(glass, tmp_path, monkeypatch):
    """With damaged pictures in the set, in the middle of an epoch, with other workers."""
    data = copied(glass, tmp_path / "set")
    for number in (1, 6, 8):
        flip(picture(data, "train", number))
    flags = ["--set", "augment.mixup=0.5", "--set", "augment.copy_paste=0.5", "--close-mosaic", "0"]
    assert ran(tmp_path, monkeypatch, data, *flags, "--name", "whole")[0] == 0
    whole = train.forward_backward
    calls = []

    def stopping(*given):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return whole(*given)

    with monkeypatch.context() as patch:
        patch.setattr(train, "forward_backward", stopping)
        steps = ["--save-steps", "1", "--accumulate", "1"]
        assert ran(tmp_path, monkeypatch, data, *flags, *steps, "--name", "cut")[0] == 130
    assert ran(tmp_path, monkeypatch, data, *flags, *steps, "--name", "straight")[0] == 0
    assert train.main(["--resume", str(tmp_path / "runs/train/cut/weights/last.pt"), "--workers", "2"]) == 0
    runs = [tmp_path / "runs/train" / name for name in ("straight", "cut")]
    one, other = (torch.load(run / "weights/last.pt", weights_only=True) for run in runs)
    assert all(torch.equal(one["model"][name], other["model"][name]) for name in one["model"])
    books = [json.loads((run / "data_report.json").read_text())["train"]["lost_while_reading"] for run in runs]
    assert books[0] == books[1] and len(books[0]) == 3


@pytest.fixture
def evaluation(trained, glass, tmp_path, monkeypatch, capsys):
    """A function that evaluates a copy of the set after `spoil(files)`; gives exit code, run folder and stderr."""

    def run(spoil, *flags):
        data = copied(glass, tmp_path / "set")
        monkeypatch.chdir(tmp_path)
        spoil([picture(data, "val", number) for number in range(6)])
        argv = ["--weights", str(trained / "weights/best.pt"), "--data", str(data), "--workers", "0", "--device", "cpu"]
        capsys.readouterr()
        code = val.main([*argv, *flags])
        return code, tmp_path / "runs/val/exp", capsys.readouterr()

    return run


def test_val_refuses_a_damaged_picture(evaluation):
    code, run, said = evaluation(lambda files: flip(files[2]))
    assert code == 3 and "glass_0003.png: cannot be decoded" in said.err and not (run / "results.json").exists()


@pytest.mark.parametrize("spoil", [flip, cut, smaller, remove])
def test_val_skip_counts_and_flags(evaluation, spoil, monkeypatch):
    """Found by the header scan (cut), or not before it is read, or gone in between: one note."""

    def act(files):
        if spoil in (flip, cut):
            spoil(files[2])
        else:
            whole = val.eval_loader
            monkeypatch.setattr(val, "eval_loader", lambda *given: (spoil(files[2]), whole(*given))[1])

    code, run, said = evaluation(act, "--bad-data", "skip", "--save-txt")
    results = json.loads((run / "results.json").read_text())
    assert code == 0 and results["notes"] == ["AP on 5 of 6 pictures: 1 could not be used"]
    assert "AP on 5 of 6 pictures" in said.out and results["images"] == 5
    assert "AP on 5 of 6 pictures" in (run / "report.html").read_text()
    assert len(list((run / "labels").glob("*.txt"))) == 5 and not (run / "labels/glass_0003.txt").exists()


def test_val_skip_has_a_limit(evaluation):
    code, run, said = evaluation(lambda files: [flip(file) for file in files[:4]], "--bad-data", "skip")
    assert code == 3 and "4 of 6 pictures are bad" in said.err and not (run / "results.json").exists()


def test_the_speed_of_the_others_is_measured(evaluation):
    code, run, said = evaluation(lambda files: flip(files[0]), "--bad-data", "skip", "--task", "speed")
    assert code == 0 and "left out: " in said.err and (run / "speed.json").exists()


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (["--img", "32", "--batch", "1"], 2),
        (["--img", "32", "--batch", "11"], 2),
        (["--img", "64", "--batch", "1", "--multi-scale"], 2),
        (["--img", "32", "--batch", "5"], 0),
        (["--img", "64", "--batch", "1"], 0),
    ],
)
def test_a_lone_picture_is_refused_where_batchnorm_is(glass, tmp_path, monkeypatch, capsys, flags, code):
    monkeypatch.chdir(tmp_path)
    argv = ["--cfg", "idfe-net-n.yaml", "--workers", "0", "--device", "cpu", "--noplots", "--epochs", "1"]
    assert train.main([*argv, "--data", str(glass), *flags]) == code
    err = capsys.readouterr().err
    assert ("BatchNorm would get one value per channel" in err) == (code == 2)
    assert Path("runs").exists() == (code == 0)


HARM = ("byte", "bytes", "cut", "zeros", "more", "header")


def harmed(raw, how, rng):
    """What a disk, a copy or an upload makes of a file."""
    raw, at = bytearray(raw), int(rng.integers(len(raw)))
    if how == "byte":
        raw[at] ^= int(rng.integers(1, 256))
    elif how == "bytes":
        for place in rng.integers(len(raw), size=8).tolist():
            raw[place] = int(rng.integers(256))
    elif how == "cut":
        del raw[at:]
    elif how == "zeros":
        raw[at : at + 64] = bytes(len(raw[at : at + 64]))
    elif how == "more":
        raw[at:at] = rng.bytes(50)
    else:
        raw[int(rng.integers(min(len(raw), 128)))] = int(rng.choice([0, 127, 128, 255]))
    return bytes(raw)


KINDS = ("jpg", "png", "tif", "bmp", "webp", "npy", "tar")


@pytest.mark.faults
@pytest.mark.parametrize("how", HARM)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_to_a_file_is_one_sentence_or_none(tmp_path, kind, how, seed):
    """Training and evaluation samples of harmed files: made, or made without them and said so in one line."""
    rng = np.random.default_rng((seed, KINDS.index(kind), HARM.index(how)))
    channels = Channels(image=("a", "b", "c")) if kind == "npy" else Channels()
    records = made(tmp_path, 6, "png" if kind in ("npy", "tar") else kind)
    if kind == "npy":
        for k, record in enumerate(records):
            np.save(record.path.with_suffix(".npy"), np.asarray(Image.open(record.path)))
            records[k] = replace(record, path=record.path.with_suffix(".npy"))
    if kind == "tar":
        records = packed(tmp_path, records)
    file = records[2].path.parent if kind == "tar" else records[2].path
    whole = file.read_bytes()
    for _ in range(10):
        file.write_bytes(harmed(whole, how, rng))
        source = RecordScenes(open_pictures(records, 10**6, "none", channels))
        trained, judged = TrainSamples(source, ALL, 0, 5), EvalSamples(source, Looking(64, 32))
        batch = collate([trained[Key(0, i, (64, 64))] for i in range(6)])
        seen = collate([judged[i] for i in range(6) if tuple(judged.shapes[i]) == tuple(judged.shapes[2])])
        assert len(batch.images) == 6 and len(seen) + len(seen.lost) == 6
        assert all("\n" not in reason and str(file) in reason for reason in (batch.lost | seen.lost).values())
        assert kind == "tar" or set(batch.lost) | set(seen.lost) <= {2}


def packed(home, records):
    """The same pictures in a shard."""
    with tarfile.open(home / "train-000000.tar", "w", format=tarfile.USTAR_FORMAT) as tar:
        rows = []
        for k, record in enumerate(records):
            name, raw = member_name(0, k, record.path.suffix), record.path.read_bytes()
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            rows.append((name.encode(), tar.offset + 512, len(raw)))
            tar.addfile(info, io.BytesIO(raw))
            records[k] = replace(record, path=home / "train-000000.tar" / name)
    np.save(home / "train-000000.offsets.npy", np.array(rows, OFFSETS))
    return records


@pytest.mark.parametrize("spoil", [remove, folder, pipe, empty])
@pytest.mark.parametrize("file", ["train-000000.tar", "train-000000.offsets.npy"])
def test_a_shard_that_is_gone(tmp_path, spoil, file):
    records = packed(tmp_path, made(tmp_path))
    assert not any(sample.lost for sample in epoch(records))
    spoil(tmp_path / file)
    assert set().union(*(sample.lost for sample in epoch(records))) == set(range(10))


@pytest.mark.parametrize("spoil", SPOILED)
@pytest.mark.parametrize("cfg", [AugmentConfig(mosaic=0.0), ALL], ids=["plain", "composed"])
def test_second_pictures(tmp_path, spoil, cfg):
    """Damaged, of another size, or gone since: the sample is left out. One that was never there is zeros, as said."""
    (tmp_path / "images").mkdir()
    (tmp_path / "polar").mkdir()
    records = made(tmp_path / "images")
    for record in records[1:]:
        shutil.copy(record.path, tmp_path / "polar")
    channels = Channels(polar=("polar",), polar_dir="polar")
    source = RecordScenes(open_pictures(records, 10**8, "none", channels))
    spoil(tmp_path / "polar" / records[3].path.name)
    samples = TrainSamples(source, cfg, 0, 5)
    made_of = [samples[Key(0, i, (64, 64))] for i in range(10)]
    assert set().union(*(sample.lost for sample in made_of)) == {3}
    assert "polar" in next(reason for sample in made_of for reason in sample.lost.values())
    assert EvalSamples(source, Looking(64, 32))[3].lost and not EvalSamples(source, Looking(64, 32))[0].lost


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOMEM, errno.EACCES, errno.ESTALE, errno.ELOOP])
@pytest.mark.parametrize("call", ["open", "fstat"])
def test_errors_of_the_file_system(tmp_path, monkeypatch, number, call):
    records, whole = made(tmp_path), getattr(os, call)
    target, opened = str(records[3].path), []

    def failing(what, *given):
        if call == "open" and str(what) == target or call == "fstat" and what in opened:
            raise OSError(number, os.strerror(number))
        return whole(what, *given)

    def noting(path, *given, plain=os.open):
        descriptor = plain(path, *given)
        if str(path) == target:
            opened.append(descriptor)
        elif descriptor in opened:
            opened.remove(descriptor)
        return descriptor

    if call == "fstat":
        monkeypatch.setattr(os, "open", noting)
    monkeypatch.setattr(os, call, failing)
    after = epoch(records)
    monkeypatch.undo()
    assert set().union(*(sample.lost for sample in after)) == {3}
    assert all(os.strerror(number) in reason for sample in after for reason in sample.lost.values())


def test_no_more_files_is_no_fault_of_a_picture(tmp_path, monkeypatch):
    records = made(tmp_path)

    def failing(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "open", failing)
    with pytest.raises(ResourceError, match="Too many open files; raise ulimit -n"):
        epoch(records)


def test_a_picture_with_too_many_pixels(tmp_path):
    records = made(tmp_path)
    Image.new("RGB", (2000, 2000)).save(records[3].path)
    source = RecordScenes(open_pictures(records, 10**6))
    assert "more than the 1,000,000 allowed" in EvalSamples(source, Looking(64, 32))[3].lost[3]


OPTIONS = (("--rect",), ("--balance", "repeat", "--repeat", "2"), ("--cache", "ram"), ("--cache", "disk"))
TRAININGS = [(spoil, workers, ()) for spoil in SPOILED for workers in (0, 1, 2)]
TRAININGS += [(spoil, 2, more) for spoil in (flip, remove) for more in OPTIONS]


@pytest.mark.faults
@pytest.mark.parametrize(("spoil", "workers", "more"), TRAININGS)
def test_trainings(glass, tmp_path, monkeypatch, capsys, spoil, workers, more):
    """Pictures of both splits are spoilt when training begins: the run ends well and has them in its books."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    data = copied(glass, tmp_path / "set")
    bad = [picture(data, "train", 3), picture(data, "val", 1)]
    spoiling(monkeypatch, lambda: [spoil(path) for path in bad])
    code, run = ran(tmp_path, monkeypatch, data, "--workers", str(workers), *more)
    report = json.loads((run / "data_report.json").read_text())
    kept = "ram" in more  # decoded before they were spoilt
    assert code == 0
    for split, path in zip(("train", "val"), bad, strict=True):
        assert list(report[split]["lost_while_reading"]) == ([] if kept else [str(path)])
    assert json.loads((run / "results.json").read_text())["images"] == (6 if kept else 5)


@pytest.mark.faults
@pytest.mark.parametrize("policy", ["skip", "error"])
def test_two_processes(glass, tmp_path, monkeypatch, policy):
    """They enter what either of them lost, go on or end together, and see what one process sees."""
    data = copied(glass, tmp_path / "set")
    for number in (3, 7, 8):
        flip(picture(data, "train", number))
    flip(picture(data, "val", 1))
    one, run = ran(tmp_path, monkeypatch, data, "--bad-data", policy)
    two, pair = ran(tmp_path, monkeypatch, data, "--bad-data", policy, "--nproc", "2", "--name", "pair")
    pair = pair.with_name("pair")
    books = [json.loads((home / "data_report.json").read_text()) for home in (run, pair)]
    assert one == two == (0 if policy == "skip" else 3) and books[0] == books[1]
    assert (pair / "weights/last.pt").exists()
    if policy == "skip":
        results = [json.loads((home / "results.json").read_text()) for home in (run, pair)]
        assert results[0]["notes"] == results[1]["notes"] and results[1]["images"] == 5
        assert results[1]["losses"] == pytest.approx(results[0]["losses"], rel=0.02)  # BatchNorm is apart


TIFFS = {
    "deflate": {"compression": "tiff_deflate"},
    "lzw": {"compression": "tiff_lzw"},
    "grey deflate": {"compression": "tiff_deflate"},
    "alpha lzw": {"compression": "tiff_lzw"},
}


@pytest.mark.parametrize("kind", TIFFS)
@pytest.mark.parametrize("seed", range(12))
def test_damage_that_libtiff_sees_is_told(tmp_path, capfd, kind, seed):
    """Of a changed byte, where its codes cannot be or rows are missing; what OpenCV would have passed over."""
    rng = np.random.default_rng(seed)
    image = np.add.outer(np.arange(90), np.arange(120)).astype(np.uint8)[..., None] + rng.integers(0, 30, 3, np.uint8)
    mode = {"grey deflate": "L", "alpha lzw": "RGBA"}.get(kind, "RGB")
    Image.fromarray(image).convert(mode).save(tmp_path / "t.tif", **TIFFS[kind])
    before = read_image(tmp_path / "t.tif")
    with Image.open(tmp_path / "t.tif") as picture:
        start, length = picture.tag_v2[273][0], picture.tag_v2[279][0]
    flip(tmp_path / "t.tif", start + int(rng.integers(2, length - 4)))
    try:
        after = read_image(tmp_path / "t.tif")
    except DataError as error:
        assert "damaged" in str(error)
    else:
        assert "deflate" not in kind  # which has checksums
        assert after.shape == before.shape
        with Image.open(tmp_path / "t.tif") as picture:
            picture.load()  # libtiff has nothing against it either
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate"])
def test_val_refuses_a_damaged_tiff(evaluation, compression):
    def spoil(files):
        for file in files:
            Image.open(file).convert("RGB").save(file.with_suffix(".tif"), compression=compression)
            file.unlink()
        bad = files[2].with_suffix(".tif")
        raw = bytearray(bad.read_bytes())
        raw[len(raw) // 3 : len(raw) // 3 + 40] = b"\xff" * 40
        bad.write_bytes(raw)

    code, run, said = evaluation(spoil)
    assert code == 3 and "glass_0003.tif: cannot be decoded" in said.err and not (run / "results.json").exists()
    assert "Decod" not in said.err  # of libtiff itself


@pytest.mark.parametrize("shape", [(66_000, 3), (2, 65_501), (65_501, 1), (65_500, 2)], ids=str)
@pytest.mark.parametrize("flags", [(), ("--nosave",)], ids=["overlays", "crops"])
def test_detect_draws_what_no_jpeg_can_hold_smaller(trained, tmp_path, monkeypatch, capsys, shape, flags):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "in/long.png")
    Image.fromarray(pixels[:9, :9]).save(tmp_path / "in/short.png")
    argv = ["--weights", str(trained / "weights/best.pt"), "--device", "cpu", "--source", "in", "--img", "96"]
    argv += ["--conf", "0.0001", "--max-det", "5", "--save-crop", "--save-json", *flags]
    assert detect.main(argv) == 0
    run = tmp_path / "runs/detect/exp"
    assert (run / "report.json").exists() and (flags or (run / "report.html").exists())
    assert capsys.readouterr().err.count("long.png: ") == (max(shape) > 65_500)
    if not flags:
        with Image.open(run / "long.jpg") as drawn:
            assert max(drawn.size) == 65_500
    found = json.loads((run / "predictions.json").read_text())
    ends = [row["bbox"][k] + row["bbox"][k + 2] for row in found if row["file_name"] == "long.png" for k in (0, 1)]
    assert not ends or max(ends) <= max(shape) + 1  # of the full picture
