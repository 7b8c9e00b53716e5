"""What an epoch of tiles is made of: those with boxes, a few of the others, picture by picture, for any processes."""

from collections import Counter
from dataclasses import replace
from itertools import groupby
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from data.batches import epoch_plan
from data.batches.build import Splits, train_loader
from data.batches.class_balance import Balance
from data.batches.epoch_plan import EpochPlan
from data.batches.looking import Looking
from data.batches.sampler import EpochBatches, Key, ShapeBatches, Shapes
from data.batches.samples import BLANK, EvalSamples, TrainSamples
from data.index.flat_truth import flatten
from data.scenes.cached_pictures import Pictures
from data.scenes.record_scenes import RecordScenes
from data.tiles.tiled_set import TileTruth
from tests.data.tiles.test_tile_scenes import MadeScenes
from tests.data.tiles.test_tiled_set import records_of
from utils.config.config import AugmentConfig, Config, DataConfig
from utils.processes.distributed import World
from utils.tiling.tiles import Tiling
from utils.values.record import Record

DATA = DataConfig(imgsz=32, batch_size=4, workers=0, tile=32, tile_empty=0.5)
SQUARE = Shapes(32, 32)


def planned(seed=0, pictures=12, **changes):
    records = records_of(seed, pictures)
    return records, EpochPlan.of(records, replace(DATA, **changes))


def batches_of(plan, scenes, part=list, seed=0, size=4):
    shapes = Shapes(32, 32)
    return EpochBatches(len(plan.sizes), size, seed, shapes, plan.balance, part, plan.neighbours(scenes))


def keys_of(batches, epoch, skip=0):
    batches.set_epoch(epoch, skip)
    return list(batches)


def flat(batches):
    return [key for batch in batches for key in batch]


def test_an_epoch_has_every_tile_with_a_box_once_and_a_part_of_the_others():
    for empty in (0.0, 0.1, 0.5, 1000.0):
        records, plan = planned(tile_empty=empty)
        showing = plan.tiles.truth.showing(len(plan.sizes))
        wanted = min(empty * showing.sum(), (~showing).sum())
        batches = batches_of(plan, MadeScenes(records))
        for epoch in range(5):
            keys = flat(keys_of(batches, epoch))
            counts = np.bincount([key.index for key in keys], minlength=len(plan.sizes))
            assert (counts[showing] == 1).all() and counts[~showing].max() <= 1
            assert abs(counts[~showing].sum() - wanted) < 1 and len(keys) == plan.samples
            assert {key.copy for key in keys} == {0} and {key.epoch for key in keys} == {epoch}


@pytest.mark.parametrize("changes", [{"tile": 0}, {"tile": 0, "balance": "repeat"}, {}])
def test_repeated_everything_comes_so_many_times_as_often(changes):
    """In a new order, each copy with a number of its own, by which it gets its own random draws."""
    records, once = planned(**changes)
    _, plan = planned(**changes, repeat=3)
    shares = np.ones(len(plan.sizes)) if once.balance is None else once.balance.pictures
    assert abs(plan.samples - 3 * shares.sum()) < 1 and "--repeat 3" in plan.asked
    keys = flat(keys_of(batches_of(plan, MadeScenes(records)), 0))
    counts = np.bincount([key.index for key in keys], minlength=len(plan.sizes))
    assert len(keys) == plan.samples and (abs(counts - 3 * shares) < 1 + 1e-9).all()
    assert all({key.copy for key in keys if key.index == index} == {*range(n)} for index, n in enumerate(counts))
    scenes = "12 pictures" if plan.tiles is None else f"{len(plan.sizes):,} tiles"
    asked = "--balance, --repeat 3" if "balance" in changes else "--repeat 3"
    assert plan.lines("train")[-1] == f"{asked}: {scenes} make {plan.samples:,} samples in every epoch"
    if once.balance is None:
        assert len({key.index for key in keys[:12]}) < 12, "not one pass after the other"


def test_empty_tiles_are_drawn_anew_in_each_epoch_and_all_come_in_the_end():
    records, plan = planned(tile_empty=2.0)
    empty = set(np.flatnonzero(~plan.tiles.truth.showing(len(plan.sizes))).tolist())
    batches, drawn = batches_of(plan, MadeScenes(records)), []
    for epoch in range(60):
        drawn.append({key.index for key in flat(keys_of(batches, epoch))} & empty)
    assert len(set(map(frozenset, drawn))) > 50 and set.union(*drawn) == empty


def test_the_same_seed_gives_the_same_epoch_and_another_one_another():
    records, plan = planned()
    one, two = (batches_of(plan, MadeScenes(records)) for _ in range(2))
    keys_of(two, 7)  # what was asked for before does not matter
    assert keys_of(one, 3) == keys_of(two, 3) != keys_of(one, 4)
    assert keys_of(batches_of(plan, MadeScenes(records), seed=1), 3) != keys_of(one, 3)


REPEATED = [{}, {"balance": "repeat"}, {"tile": 0, "repeat": 3}, {"tile": 0, "repeat": 3, "balance": "repeat"}]


@pytest.mark.parametrize("changes", REPEATED)
@pytest.mark.parametrize("size", [2, 3])
def test_processes_share_the_batches_of_one(size, changes):
    records, plan = planned(**changes)
    scenes = MadeScenes(records)
    alone = keys_of(batches_of(plan, scenes), 2)
    parts = [keys_of(batches_of(plan, scenes, World(rank, size).part), 2) for rank in range(size)]
    for number, batch in enumerate(alone):
        assert [key for part in parts for key in part[number] if key.counts] == batch


@pytest.mark.parametrize("changes", REPEATED)
def test_a_run_that_is_resumed_in_the_middle_of_an_epoch_goes_on_with_the_same_samples(changes):
    records, plan = planned(**changes)
    batches = batches_of(plan, MadeScenes(records))
    whole = keys_of(batches, 1)
    assert len(whole) == len(batches) > 5
    for skip in range(len(whole) + 1):
        assert keys_of(batches, 1, skip) == whole[skip:]


@pytest.mark.parametrize("kept", [2, 3, 64])
def test_tiles_of_a_picture_come_near_each_other(kept, monkeypatch):
    """Those of `kept` pictures at a time; with as many in memory each picture is decoded once in an epoch."""
    monkeypatch.setattr(epoch_plan, "KEPT", kept)
    records, plan = planned(pictures=20)
    scenes = MadeScenes(records)
    tiles = plan.scenes(scenes, 0.4)
    for epoch in range(3):
        keys = flat(keys_of(batches_of(plan, scenes), epoch))
        blocks = [list(group) for _, group in groupby(keys, key=lambda key: key.near)]
        assert len({block[0].near for block in blocks}) == len(blocks), "no block comes in two parts"
        together = [picture for block in blocks for picture in block[0].near]
        assert len(together) == len(set(together)), "a picture is in one block"
        for block in blocks:
            assert {tiles.picture(key.index) for key in block} <= set(block[0].near) and len(block[0].near) <= kept
        assert len(blocks) <= -(-20 // kept)
        scenes.asked.clear()
        tiles.scenes.kept.clear()
        for key in keys:
            assert tiles[key.index].size == tuple(plan.sizes[key.index].tolist())
        assert Counter(scenes.asked) == Counter({tiles.picture(key.index) for key in keys})


def test_pictures_come_together_anew_in_each_epoch(monkeypatch):
    monkeypatch.setattr(epoch_plan, "KEPT", 3)
    records, plan = planned(pictures=20)
    batches = batches_of(plan, MadeScenes(records))
    near = [{frozenset(key.near) for key in flat(keys_of(batches, epoch))} for epoch in range(2)]
    order = [[key.index for key in flat(keys_of(batches, epoch))] for epoch in range(2)]
    assert near[0] != near[1] and order[0] != sorted(order[0])


def test_as_many_pictures_are_near_as_fit_into_memory_two_at_least(monkeypatch):
    """Told by the largest picture alone: the same on any machine."""
    records, plan = planned()
    scenes = MadeScenes(records)
    largest = int(scenes.sizes.prod(1).max()) * 3
    for room, want in ((10 * largest, 10), (10 * largest - 1, 9), (largest // 2, 2), (1 << 40, 64)):
        monkeypatch.setattr(epoch_plan, "KEPT_BYTES", room)
        assert plan.neighbours(scenes).at_once == want == plan.scenes(scenes, 0.4).scenes.count
    assert EpochPlan.of(records, replace(DATA, tile=0)).neighbours(scenes) is None


class NotedScenes(MadeScenes):
    """... whose pictures are one grey each, so that a sample tells which it shows."""

    def __getitem__(self, index):
        scene = super().__getitem__(index)
        return replace(scene, planes=np.full_like(scene.planes, 5 + 10 * index))


def test_mosaics_mixups_and_pasted_objects_are_of_tiles_near_the_first(monkeypatch):
    monkeypatch.setattr(epoch_plan, "KEPT", 3)
    for balance in ("none", "repeat"):
        records, plan = planned(pictures=20, balance=balance)
        scenes = NotedScenes(records)
        tiles = plan.scenes(scenes, 0.4)
        cfg = AugmentConfig(mosaic=1, mixup=0.5, copy_paste=1)
        samples = TrainSamples(tiles, cfg, 0, 10, plan.balance)
        seen = Counter()
        for key in flat(keys_of(batches_of(plan, scenes), 0)):
            scenes.asked.clear()
            tiles.scenes.kept.clear()
            samples[key]
            assert tiles.picture(key.index) in scenes.asked and set(scenes.asked) <= set(key.near)
            seen[len(set(scenes.asked))] += 1
        assert seen[2] and seen[3], "more than its own picture, where there are more"


def test_further_tiles_come_in_proportion_to_how_often_they_come_themselves():
    """No empty tile where none is wanted; nothing at all where nothing near is wanted."""
    records, plan = planned(tile_empty=0.0)
    scenes = MadeScenes(records)
    tiles = plan.scenes(scenes, 0.4)
    samples = TrainSamples(tiles, AugmentConfig(), 0, 10, plan.balance)
    showing = plan.tiles.truth.showing(len(tiles))
    near = tuple(range(12))
    drawn = samples._further(np.random.default_rng(0), 1000, Key(0, 0, (32, 32), near=near))
    assert showing[drawn].all() and set(drawn) == set(np.flatnonzero(showing).tolist())
    good = [k for k in near if not showing[plan.tiles.tiled.of_pictures([k])].any()]
    assert good and samples._further(np.random.default_rng(0), 3, Key(0, 0, (32, 32), near=tuple(good))) == []


def test_balance_repeats_the_tiles_of_rare_classes():
    """By the tiles that show a class, among those that show any."""
    labels, tiles = np.array([0, 0, 0, 0, 1, 0]), np.array([0, 1, 2, 3, 3, 3])
    truth = TileTruth(tiles, labels, 6, 0)
    plain = Balance.of_tiles(truth, 10, 0.5, None)
    assert plain.pictures.tolist() == pytest.approx([1, 1, 1, 1] + [2 / 6] * 6) and plain.samples == 6
    repeated = Balance.of_tiles(truth, 10, 0.5, threshold=0.5)  # class 1 is in a quarter of the tiles that show any
    assert repeated.classes.tolist() == pytest.approx([1, 2**0.5])
    assert repeated.pictures.tolist() == pytest.approx([1, 1, 1, 2**0.5] + [2 / 6] * 6)
    assert Balance.of_tiles(truth, 4, 0.5, None).pictures.tolist() == [1] * 4
    assert Balance.of_tiles(TileTruth(tiles[:0], labels[:0], 0, 0), 4, 0.5, None).pictures.tolist() == [1] * 4


def test_the_samples_that_a_run_reckons_with_are_those_of_an_epoch():
    records = records_of(0, 12)
    splits = Splits(SimpleNamespace(pictures=12, records=records), None)
    rare = {"balance": "repeat", "balance_threshold": 1.0}
    found = []
    for changes in ({}, {"repeat": 3}, rare, {"repeat": 3, **rare}, {"tile": 32}):
        data = replace(DATA, **{"tile": 0, **changes})
        found.append(splits.samples(data))
        assert found[-1] == EpochPlan.of(records, data).samples
    assert found[0] == 12 and found[1] == 36 and found[2] > 12 and found[3] > 36 and found[4] > 12


def test_a_tile_that_is_repeated_comes_as_another_copy():
    records, plan = planned(balance="repeat", balance_threshold=1.0)
    factors, batches = plan.balance.pictures, batches_of(plan, MadeScenes(records))
    assert factors.max() > 1.2
    for epoch in range(10):
        keys = flat(keys_of(batches, epoch))
        assert len(keys) == len(set(keys)) == plan.samples
        counts = np.bincount([key.index for key in keys], minlength=len(factors))
        assert (counts >= np.floor(factors)).all() and (counts <= np.ceil(factors)).all()


def test_without_tiles_pictures_come_once_in_any_order():
    records, plan = planned(tile=0)
    assert plan.samples == 12 and plan.tiles is None and plan.lines("train") == []
    assert np.array_equal(plan.sizes, flatten(records).sizes)
    scenes = MadeScenes(records)
    assert plan.scenes(scenes, 0.4) is scenes
    assert {key.near for key in flat(keys_of(batches_of(plan, scenes), 0))} == {()}


def test_the_words_name_the_empty_tiles_of_an_epoch():
    records, plan = planned(tile_empty=0.25)
    showing = plan.tiles.truth.showing(len(plan.sizes))
    (line, *_), some, none = plan.lines("train"), showing.sum(), (~showing).sum()
    drawn = round(min(0.25 * some, none))
    assert line.endswith(f"{some:,} show defects, {none:,} none, of which {drawn:,} come in each epoch")


@pytest.fixture
def files(tmp_path):
    """Six pictures of 64 x 96 px, each with a box, the third of which is no picture at all."""
    rng, made = np.random.default_rng(0), []
    for number in range(6):
        path = tmp_path / f"{number}.png"
        Image.fromarray(rng.integers(0, 256, (64, 96, 3), dtype=np.uint8)).save(path)
        box = np.array([[0.1, 0.1, 0.3, 0.3], [0.5, 0.5, 0.9, 0.7]], np.float32)
        made.append(Record(path, number + 1, (64, 96), box, np.array([0, 1]), np.zeros(2, bool)))
    made[2].path.write_bytes(b"nothing")
    return made


@pytest.mark.parametrize("mosaic", [0.0, 1.0])
def test_a_picture_that_cannot_be_read_is_one_lost_picture_of_training(files, mosaic):
    """However many tiles it has: others stand in for them."""
    cfg = Config(data=replace(DATA, tile_overlap=0.0, tile_empty=1000.0), augment=AugmentConfig(mosaic=mosaic))
    loader, batches = train_loader(files, cfg, 32, pin=False)
    batches.set_epoch(0)
    lost, samples = {}, 0
    for batch in loader:
        lost |= batch.lost
        samples += len(batch)
    assert list(lost) == [2] and "2.png" in lost[2] and samples == 6 * 6


@pytest.mark.parametrize("batch_size", [1, 4])
def test_a_picture_that_cannot_be_read_is_one_lost_picture_of_an_evaluation(files, batch_size):
    samples = EvalSamples(RecordScenes(Pictures(files, 10**8)), Looking(32, 32, Tiling(32, 0.0, whole=True)))
    assert len(samples) == 6 * 7
    lost, read = {}, Counter()
    for batch in ShapeBatches(samples.shapes, batch_size):
        for number in batch:
            sample = samples[number]
            lost |= sample.lost
            assert (sample.index == BLANK) == (samples.pictures[number] == 2)
            assert tuple(samples.shapes[number]) == sample.image.shape[:2]
            read[sample.index] += 1
    assert list(lost) == [2] and read == {BLANK: 7, **{k: 7 for k in range(6) if k != 2}}
    assert [one.index for one in samples.readable(range(7 * 2, 7 * 4))] == [3] * 7


def test_every_view_of_an_evaluation_comes_once_and_pictures_are_not_shared_out_between_processes():
    records = records_of(5)
    samples = EvalSamples(MadeScenes(records), Looking(32, 32, Tiling(32, 0.2, whole=True)))
    for ranks in (1, 2, 3):
        parts = [list(ShapeBatches(samples.shapes, 5, rank, ranks, samples.pictures)) for rank in range(ranks)]
        views = [number for part in parts for batch in part for number in batch]
        assert sorted(views) == list(range(len(samples)))
        owners = [{samples.pictures[number] for batch in part for number in batch} for part in parts]
        assert sum(map(len, owners)) == len(records)
        for batch in (batch for part in parts for batch in part):
            assert len({tuple(samples.shapes[number].tolist()) for number in batch}) == 1 and 1 <= len(batch) <= 5


def test_with_rectangles_tiles_of_a_picture_come_near_each_other_too(monkeypatch):
    """Batches are shuffled, but not out of the reach of the pictures that are in memory."""
    monkeypatch.setattr(epoch_plan, "KEPT", 3)
    records, plan = planned(pictures=40)
    scenes = MadeScenes(records)
    tiles = plan.scenes(scenes, 0.4)
    shapes = Shapes(32, 32, pictures=tiles.sizes)
    batches = EpochBatches(len(plan.sizes), 4, 0, shapes, plan.balance, neighbours=plan.neighbours(scenes))
    keys = flat(keys_of(batches, 0))
    for key in keys:
        assert tiles[key.index].size == tuple(plan.sizes[key.index].tolist())
    assert len(scenes.asked) < 1.5 * len({tiles.picture(key.index) for key in keys})


@pytest.mark.parametrize("changes", [{"repeat": 5}, {"repeat": 2, "tile": 32}, {"repeat": 2, "balance": "repeat"}])
def test_repeated_pictures_are_pasted_into_and_read_by_a_process_a_batch(files, changes):
    data = DataConfig(**{"imgsz": 32, "batch_size": 2, "workers": 3, **changes})
    epochs = []
    for workers in (3, 0):
        cfg = Config(data=replace(data, workers=workers), augment=AugmentConfig(copy_paste=1.0))
        loader, batches = train_loader(files, cfg, 32, pin=False)
        batches.set_epoch(0)
        epochs.append([batch.images.numpy() for batch in loader])
        assert loader.num_workers == min(workers, len(batches))
    assert len(epochs[0]) == len(batches) > 1
    assert all(np.array_equal(one, other) for one, other in zip(*epochs, strict=True))
