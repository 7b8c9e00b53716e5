"""Samples and batches: keyed randomness, nothing lost unseen, letterboxes that undo."""

import numpy as np
import pytest
import torch
from PIL import Image

from data.build import eval_loader, train_loader
from data.dataset import EvalSamples, TrainSamples
from data.sampler import EpochBatches, ShapeBatches
from utils.config import AugmentConfig, Config, DataConfig
from utils.structures import Record


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    made = []
    for i in range(10):
        height, width = (40, 60) if i % 2 else (50, 50)
        path = folder / f"图 {i}.png"
        Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(path)
        n = i % 3
        boxes = np.tile(np.array([0.2, 0.3, 0.6, 0.7], np.float32), (n, 1))
        labels = np.arange(n)
        crowd = np.zeros(n, bool)
        made.append(Record(path, i + 1, (height, width), boxes, labels, crowd))
    return made


def samples(records, **changes):
    settings = {"cfg": AugmentConfig(), "size": 64, "seed": 0, "mosaic_until": 5, "max_pixels": 10**8, **changes}
    return TrainSamples(records, **settings)


def same(a, b):
    return np.array_equal(a.image, b.image) and np.array_equal(a.boxes, b.boxes) and np.array_equal(a.labels, b.labels)


def test_samples_depend_on_seed_epoch_and_index_alone(records):
    one, two = samples(records), samples(records)
    backwards = [two[(1, i)] for i in reversed(range(10))][::-1]
    assert all(same(one[(1, i)], b) for i, b in enumerate(backwards))
    assert not same(one[(1, 3)], one[(2, 3)])
    assert not same(one[(1, 3)], samples(records, seed=1)[(1, 3)])


def test_mosaic_stops(records):
    """After `mosaic_until` a sample shows its own picture only: as many boxes at most as it has."""
    late = samples(records)
    assert all(len(late[(5, i)].boxes) <= len(records[i].boxes) for i in range(10))
    assert any(len(late[(0, i)].boxes) > len(records[i].boxes) for i in range(10))


def test_lost_boxes_are_counted(records):
    cfg = AugmentConfig(mosaic=0, min_box_px=1000)
    lost = [samples(records, cfg=cfg)[(0, i)] for i in range(10)]
    assert all(len(s.boxes) == 0 for s in lost)
    assert [s.boxes_lost for s in lost] == [len(r.boxes) for r in records]


def test_crowd_boxes_teach_nothing(records):
    crowd = [Record(r.path, r.image_id, r.size, r.boxes, r.labels, np.ones(len(r.boxes), bool)) for r in records]
    assert all(len(samples(crowd)[(0, i)].boxes) == 0 for i in range(10))
    assert all(len(EvalSamples(crowd, 64, 32, 10**8)[i].boxes) == 0 for i in range(10))


def test_ignored_regions_move_with_the_picture(records):
    """They are no targets, not counted as lost, and lie where the same box would lie as a target."""
    crowd = [Record(r.path, r.image_id, r.size, r.boxes, -np.ones(len(r.boxes)), r.crowd | True) for r in records]
    cfg = AugmentConfig(min_box_px=0, min_box_visible=0, max_box_aspect=1e9, degrees=20)
    for key in [(epoch, i) for epoch in (0, 5) for i in range(10)]:
        plain, ignored = samples(records, cfg=cfg)[key], samples(crowd, cfg=cfg)[key]
        np.testing.assert_array_equal(plain.boxes, ignored.ignored)
        assert ignored.boxes_lost == len(ignored.boxes) == len(plain.ignored) == 0
        assert np.array_equal(plain.image, ignored.image)
    batch = next(iter(eval_loader(crowd, DataConfig(imgsz=64, workers=0), 32, 10, pin=False)))
    want = next(iter(eval_loader(records, DataConfig(imgsz=64, workers=0), 32, 10, pin=False)))
    assert len(batch.targets) == 0 and batch.indices == want.indices
    torch.testing.assert_close(batch.targets.ignored, want.targets.boxes)
    torch.testing.assert_close(batch.targets.ignored_index, want.targets.image_index)


def test_eval_boxes_return_to_original_pixels(records):
    data = EvalSamples(records, 96, 32, 10**8)
    for i, record in enumerate(records):
        sample = data[i]
        back = sample.letterbox.undo(torch.from_numpy(sample.boxes))
        np.testing.assert_allclose(back.numpy(), record.pixel_boxes(), atol=1e-3)


def test_epoch_batches_cover_everything_once():
    batches = EpochBatches(10, 4, seed=3)
    orders = []
    for epoch in range(2):
        batches.set_epoch(epoch)
        keys = [key for batch in batches for key in batch]
        assert sorted(i for _, i in keys) == list(range(10)) and {e for e, _ in keys} == {epoch}
        orders.append(keys)
    assert len(batches) == 3 and [i for _, i in orders[0]] != [i for _, i in orders[1]]


def test_shape_batches_are_uniform():
    shapes = [(32, 64), (64, 64), (32, 64), (32, 64), (64, 64)]
    batches = list(ShapeBatches(shapes, 2))
    assert sorted(i for b in batches for i in b) == list(range(5))
    assert all(len({shapes[i] for i in b}) == 1 for b in batches)


@pytest.mark.parametrize("workers", [0, 2])
def test_loaders_give_the_same_batches_with_any_number_of_workers(records, workers):
    cfg = Config(data=DataConfig(imgsz=64, batch_size=4, workers=workers))
    loader, batches = train_loader(records, cfg, pin=False)
    reference, other = train_loader(records, Config(data=DataConfig(imgsz=64, batch_size=4, workers=0)), pin=False)
    for epoch in range(2):
        batches.set_epoch(epoch)
        other.set_epoch(epoch)
        for a, b in zip(loader, reference, strict=True):
            assert torch.equal(a.images, b.images) and torch.equal(a.targets.boxes, b.targets.boxes)
            assert torch.equal(a.targets.image_index, b.targets.image_index) and a.indices == b.indices
    seen = [i for batch in eval_loader(records, cfg.data, 32, 3, pin=False) for i in batch.indices]
    assert sorted(seen) == list(range(10))


def test_batch_is_channels_last_and_scaled(records):
    batch = next(iter(eval_loader(records, DataConfig(imgsz=64, workers=0), 32, 4, pin=False)))
    inputs = batch.inputs()
    assert inputs.is_contiguous(memory_format=torch.channels_last) and inputs.dtype == torch.float32
    torch.testing.assert_close(inputs * 255, batch.images.float())
