"""A packed folder gives the samples of the files it was made of, bit for bit, and is not trusted when it differs."""

import io
import json
import os
import tarfile
from collections import defaultdict

import numpy as np
import pytest
import yaml
from PIL import Image

from data.batches.build import eval_loader, read_split, read_splits, train_loader
from data.files.shards import OFFSETS, file_hash, offsets_of, read_member
from data.pack import main
from data.scenes.cached_pictures import Pictures, PicturesInMemory, open_pictures
from tests.data.trees import text
from utils.config.settings import Setting, build_config
from utils.values.record import EVERY_CLASS
from utils.words.errors import DataError

pytestmark = pytest.mark.usefixtures("as_a_script")


@pytest.fixture
def home(tmp_path):
    """Pictures of noise with dots in their names, boxes of any fractions, ignore regions, pictures without labels."""
    rng = np.random.default_rng(0)
    root = tmp_path / "set"
    for split, count in (("train", 13), ("val", 5)):
        for number in range(count):
            path = root / "images" / split / f"a.{number} 瓶.{('png', 'JPG')[number % 2]}"
            path.parent.mkdir(parents=True, exist_ok=True)
            size = int(rng.integers(40, 90)), int(rng.integers(40, 90))
            pixels = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(path, "PNG" if number % 2 == 0 else "JPEG")
            rows = []
            for _ in range(number % 4):
                w, h = rng.uniform(0.05, 0.4, 2)
                rows.append(
                    f"{rng.integers(3)} {rng.uniform(w / 2, 1 - w / 2)} {rng.uniform(h / 2, 1 - h / 2)} {w} {h}"
                )
            if number != 4:
                text(root / "labels" / split / f"{path.stem}.txt", "\n".join(rows))
    keys = {
        "train": "images/train",
        "val": "images/val",
        "names": ["Kn: ot", "crack", "dust"],
        "remap": {"dust": "ignore"},
        "mm_per_px": 0.05,
    }
    text(root / "data.yaml", yaml.safe_dump(keys))
    return root


@pytest.fixture
def packed(home, tmp_path):
    out = tmp_path / "packed"
    assert main(["--data", str(home), "--out", str(out)]) == 0
    return out


def config(data, **more):
    values = {"data.data": str(data), "data.imgsz": 64, "data.batch_size": 4, "data.workers": 0, "augment.mixup": 0.5}
    values |= {"augment.copy_paste": 0.5, "schedule.epochs": 20, **more}
    return build_config([Setting(key, value, "test") for key, value in values.items()])[0]


def batches(data, **more):
    cfg = config(data, **more)
    train, val = read_splits(cfg)
    loader, order = train_loader(train.records, cfg, 32, pin=False)
    for epoch in range(2):
        order.set_epoch(epoch)
        yield from loader
    yield from eval_loader(val.records, cfg.data, 32, 2, pin=False)


@pytest.mark.parametrize("index", ["never", "always"])
def test_samples_are_the_same_bit_for_bit(home, packed, index):
    pairs = list(zip(batches(home), batches(packed, **{"data.index": index}), strict=True))
    assert len(pairs) == 11
    for one, other in pairs:
        assert one.images.equal(other.images) and one.indices == other.indices
        for name in ("boxes", "labels", "image_index", "ignored", "ignored_index"):
            assert getattr(one.targets, name).equal(getattr(other.targets, name)), name


@pytest.mark.parametrize(("cache", "kind"), [("ram", PicturesInMemory), ("disk", Pictures)])
def test_the_cache_on_disk_keeps_nothing_and_says_so(packed, tmp_path, monkeypatch, capsys, cache, kind):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    found = open_pictures(read_split(config(packed).data, "train").records, 10**8, cache)
    assert type(found) is kind and found[0].ndim == 3
    assert ("--cache disk: keeps no pictures of packed data" in capsys.readouterr().err) == (cache == "disk")
    assert not list(tmp_path.glob("cache/*/pictures/*"))


def test_truth_is_the_same(home, packed):
    for split in ("train", "val"):
        one, other = (read_split(config(data).data, split) for data in (home, packed))
        assert one.names == other.names and one.synonyms == other.synonyms and one.category_ids == other.category_ids
        assert one.mm_per_px == other.mm_per_px == 0.05
        assert any((record.labels == EVERY_CLASS).any() for record in one.records)
        for a, b in zip(one.records, other.records, strict=True):
            assert a.size == b.size and a.labelled == b.labelled and a.image_id == b.image_id
            for name in ("boxes", "labels", "crowd"):
                np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
            assert b.path.parent.name == f"{split}-000000.tar"


def test_webdataset_groups_picture_and_truth(home, packed):
    """As its tools do: everything up to the first dot of the base name is the key. Read by the standard library."""
    groups = defaultdict(dict)
    with tarfile.open(packed / "train-000000.tar") as tar:
        for info in tar:
            assert info.isfile() and "/" not in info.name
            key, _, kind = info.name.partition(".")
            groups[key][kind] = tar.extractfile(info).read()
    assert len(groups) == 13 and all(len(group) == 2 and "json" in group for group in groups.values())
    for group in groups.values():
        about = json.loads(group.pop("json"))
        (raw,) = group.values()
        assert raw == (home / "images/train" / about["path"]).read_bytes()
        with Image.open(io.BytesIO(raw)) as picture:
            assert picture.size == (about["width"], about["height"])


def test_offsets_are_those_of_the_tar(packed):
    shard = packed / "train-000000.tar"
    table = np.load(offsets_of(shard), allow_pickle=False)
    with tarfile.open(shard) as tar:
        for name, start, count in table.tolist():
            info = tar.getmember(name.decode())
            assert (info.offset_data, info.size) == (start, count)


def test_many_shards_are_equal_each_time(home, tmp_path, monkeypatch):
    monkeypatch.setattr("utils.flags.command_flags.megabytes", int)
    for name in ("one", "two"):
        assert main(["--data", str(home), "--out", str(tmp_path / name), "--shard-mb", "9000"]) == 0
    shards = sorted((tmp_path / "one").glob("train-*.tar"))
    assert len(shards) > 2 and all(s.read_bytes() == (tmp_path / "two" / s.name).read_bytes() for s in shards)
    pairs = zip(batches(home), batches(tmp_path / "one"), strict=True)
    assert all(one.images.equal(other.images) for one, other in pairs)


def cut(path):
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size - 1000)


def flip(path):
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)


def renamed(packed, **changes):
    content = json.loads((packed / "manifest.json").read_text())
    content["shards"][0] |= changes
    (packed / "manifest.json").write_text(json.dumps(content))


DAMAGES = {
    "cut": (lambda packed: cut(packed / "train-000000.tar"), "train-000000.tar: has .* bytes instead of"),
    "flipped": (lambda packed: flip(packed / "train-000000.tar"), "train-000000.tar: has another SHA-256"),
    "offsets": (lambda packed: flip(packed / "train-000000.offsets.npy"), "offsets.npy: has another SHA-256"),
    "no offsets": (lambda packed: (packed / "train-000000.offsets.npy").unlink(), "offsets.npy: cannot be read"),
    "no manifest": (lambda packed: (packed / "manifest.json").unlink(), "manifest.json: is missing"),
    "broken manifest": (lambda packed: (packed / "manifest.json").write_text("[]"), "is no manifest"),
    "one more": (lambda packed: renamed(packed, file="train-000007.tar"), "train-000000.tar: is not in manifest"),
    "missing": (lambda packed: renamed(packed, file="../evil.tar"), "'../evil.tar' is no name of a shard"),
    "unlisted": (lambda packed: renamed(packed, pictures=12), "does not list the 12 pictures"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_damaged_shards_are_one_clear_line(packed, kind):
    damage, words = DAMAGES[kind]
    damage(packed)
    with pytest.raises(DataError, match=words) as caught:
        read_split(config(packed).data, "train")
    assert "\n" not in str(caught.value) and "pack the data again" in str(caught.value)


def test_a_missing_shard_is_named(home, tmp_path, monkeypatch):
    monkeypatch.setattr("utils.flags.command_flags.megabytes", int)
    out = tmp_path / "many"
    assert main(["--data", str(home), "--out", str(out), "--shard-mb", "9000"]) == 0
    (out / "train-000001.tar").unlink()
    with pytest.raises(DataError, match=r"train-000001\.tar: is missing"):
        read_split(config(out).data, "train")


@pytest.mark.parametrize("name", ["../../x.jpg", "/etc/x.jpg", "000000_00000000.jpg/..", "a.jpg"])
def test_unsafe_names_are_refused(packed, name):
    """A table that somebody else made: its SHA-256 fits, its names do not."""
    path = packed / "train-000000.offsets.npy"
    table = np.load(path).copy()
    table["name"][0] = name.encode()
    np.save(path, table)
    renamed(packed, offsets_sha256=file_hash(path))
    with pytest.raises(DataError, match="is no name that a shard may hold"):
        read_split(config(packed).data, "train")


def test_members_end_inside_the_shard(packed):
    shard = packed / "val-000000.tar"
    name = np.load(offsets_of(shard))["name"][1].decode()
    with pytest.raises(DataError, match="more than the 5 allowed"):
        read_member(shard / name, 5)
    with pytest.raises(DataError, match="holds no '000000_00000999.jpg'"):
        read_member(shard / "000000_00000999.jpg", 1 << 30)
    with open(shard, "r+b") as file:
        file.truncate(600)
    with pytest.raises(DataError, match="is cut off before the end of"):
        read_member(shard / name, 1 << 30)
    np.save(offsets_of(shard), np.zeros(3, OFFSETS[1]))
    with pytest.raises(DataError, match="is no table of offsets"):
        read_member(shard / name, 1 << 30)


def test_a_folder_that_is_there_and_other_planes_are_refused(home, packed, tmp_path, capsys):
    assert main(["--data", str(home), "--out", str(packed)]) == 2
    assert "is there already" in capsys.readouterr().err
    text(
        tmp_path / "grey.yaml",
        json.dumps({"path": str(home), "train": "images/train", "names": ["a"], "channels": ["gray"]}),
    )
    assert main(["--data", str(tmp_path / "grey.yaml"), "--out", str(tmp_path / "new")]) == 2
    assert "only RGB pictures" in capsys.readouterr().err and not os.path.exists(tmp_path / "new")
