"""Samples and batches: keyed randomness, nothing lost unseen, letterboxes that undo."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from data.batches.build import eval_loader, train_loader
from data.batches.class_balance import Balance
from data.batches.collate import collate
from data.batches.looking import Looking
from data.batches.sampler import Key
from data.batches.samples import EvalSamples, TrainSamples
from data.drawn.glass_set import draw_picture
from data.scenes.cached_pictures import Pictures
from data.scenes.record_scenes import RecordScenes
from utils.config.config import AugmentConfig, Config, DataConfig
from utils.values.channels import Channels
from utils.values.record import Record


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
    settings = {"cfg": AugmentConfig(), "seed": 0, "compose_until": 5, **changes}
    return TrainSamples(RecordScenes(Pictures(records, 10**8)), **settings)


def evaluated(records, size):
    return EvalSamples(RecordScenes(Pictures(records, 10**8)), Looking(size, 32))


def key(epoch, index, copy=0):
    return Key(epoch, index, (64, 64), copy)


def same(a, b):
    return np.array_equal(a.image, b.image) and np.array_equal(a.boxes, b.boxes) and np.array_equal(a.labels, b.labels)


def test_samples_depend_on_seed_epoch_and_index_alone(records):
    one, two = samples(records), samples(records)
    backwards = [two[key(1, i)] for i in reversed(range(10))][::-1]
    assert all(same(one[key(1, i)], b) for i, b in enumerate(backwards))
    assert not same(one[key(1, 3)], one[key(2, 3)])
    assert not same(one[key(1, 3)], samples(records, seed=1)[key(1, 3)])


def test_a_sample_that_does_not_count_shows_its_picture_and_teaches_nothing(records):
    """It enters the statistics of BatchNorm like any other, but neither boxes nor pictures."""
    one = samples(records, cfg=AugmentConfig(min_box_px=1000))
    shown, silent = one[key(0, 2)], one[replace(key(0, 2), counts=False)]
    assert np.array_equal(shown.image, silent.image) and shown.boxes_lost
    assert not len(silent.boxes) and not silent.boxes_lost and silent.full == shown.full
    batch = collate([silent])
    assert len(batch) == 0 and len(collate([shown, silent])) == 1 == len(collate([shown, silent]).images)


def test_mosaic_stops(records):
    """After `compose_until` a sample shows its own picture only: as many boxes at most as it has."""
    late = samples(records)
    assert all(len(late[key(5, i)].boxes) <= len(records[i].boxes) for i in range(10))
    assert any(len(late[key(0, i)].boxes) > len(records[i].boxes) for i in range(10))


def test_lost_boxes_are_counted(records):
    cfg = AugmentConfig(mosaic=0, min_box_px=1000)
    lost = [samples(records, cfg=cfg)[key(0, i)] for i in range(10)]
    assert all(len(s.boxes) == 0 for s in lost)
    assert [s.boxes_lost for s in lost] == [len(r.boxes) for r in records]


def test_crowd_boxes_teach_nothing(records):
    crowd = [Record(r.path, r.image_id, r.size, r.boxes, r.labels, np.ones(len(r.boxes), bool)) for r in records]
    assert all(len(samples(crowd)[key(0, i)].boxes) == 0 for i in range(10))
    assert all(len(evaluated(crowd, 64)[i].boxes) == 0 for i in range(10))


def test_ignored_regions_move_with_the_picture(records):
    """They are no targets, not counted as lost, and lie where the same box would lie as a target."""
    crowd = [Record(r.path, r.image_id, r.size, r.boxes, -np.ones(len(r.boxes)), r.crowd | True) for r in records]
    cfg = AugmentConfig(min_box_px=0, min_box_visible=0, max_box_aspect=1e9, degrees=20)
    for at in [key(epoch, i) for epoch in (0, 5) for i in range(10)]:
        plain, ignored = samples(records, cfg=cfg)[at], samples(crowd, cfg=cfg)[at]
        np.testing.assert_array_equal(plain.boxes, ignored.ignored)
        assert ignored.boxes_lost == len(ignored.boxes) == len(plain.ignored) == 0
        assert np.array_equal(plain.image, ignored.image)
    batch = next(iter(eval_loader(crowd, DataConfig(imgsz=64, workers=0), 32, 10, pin=False)))
    want = next(iter(eval_loader(records, DataConfig(imgsz=64, workers=0), 32, 10, pin=False)))
    assert len(batch.targets) == 0 and batch.indices == want.indices
    torch.testing.assert_close(batch.targets.ignored, want.targets.boxes)
    torch.testing.assert_close(batch.targets.ignored_index, want.targets.image_index)


def test_eval_boxes_return_to_original_pixels(records):
    data = evaluated(records, 96)
    for i, record in enumerate(records):
        sample = data[i]
        back = sample.view.undo(torch.from_numpy(sample.boxes))
        np.testing.assert_allclose(back.numpy(), record.pixel_boxes(), atol=1e-3)


EVERYTHING = {"multi_scale": True, "balance": "repeat", "balance_threshold": 1.0}
COMPOSED = AugmentConfig(mixup=0.5, copy_paste=0.5, perspective=0.001)


@pytest.mark.parametrize(
    ("workers", "augment", "options"),
    [
        (0, AugmentConfig(), {}),
        (2, AugmentConfig(), {}),
        (2, COMPOSED, {**EVERYTHING, "cache": "ram"}),
        (1, COMPOSED, {**EVERYTHING, "cache": "disk"}),
        (1, COMPOSED, {**EVERYTHING, "rect": True}),
    ],
    ids=["none", "two", "ram", "disk", "rect"],
)
def test_loaders_give_the_same_batches_with_any_number_of_workers(
    records, workers, augment, options, tmp_path, monkeypatch
):
    """... and with any cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    data = DataConfig(imgsz=64, batch_size=4, workers=workers, **options)
    cfg = Config(data=data, augment=augment)
    loader, batches = train_loader(records, cfg, 32, pin=False)
    plain = replace(cfg, data=replace(data, workers=0, cache="none"))
    reference, other = train_loader(records, plain, 32, pin=False)
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


def coloured(folder, count=8):
    """Grey pictures of different shapes, each with up to three rectangles whose colour says their class."""
    rng, made = np.random.default_rng(1), []
    for i in range(count):
        height, width = ((96, 128), (120, 90))[i % 2]
        image = np.full((height, width, 3), 40, np.uint8)
        corners = [(10, 12, 30, 40), (50, 10, 80, 24), (36, 50, 58, 86)][: i % 4]
        labels = rng.integers(0, 3, len(corners))
        for (x1, y1, x2, y2), label in zip(corners, labels, strict=True):
            image[y1:y2, x1:x2] = np.eye(3)[label] * 255
        path = folder / f"{i}.png"
        Image.fromarray(image).save(path)
        boxes = np.array(corners, np.float32).reshape(-1, 4) / np.array([width, height] * 2, np.float32)
        made.append(Record(path, i + 1, (height, width), boxes, labels, np.zeros(len(labels), bool)))
    return made


KEEP = {"hsv_h": 0, "hsv_s": 0, "hsv_v": 0, "min_box_px": 0, "min_box_visible": 0, "max_box_aspect": 1e9}
WILD = {"degrees": 30, "shear": 8, "translate": 0.2, "flipud": 0.5, "perspective": 0.002}


@pytest.mark.parametrize("changes", [{}, WILD], ids=["mild", "wild"])
@pytest.mark.parametrize("several", ["mosaic", "mixup", "copy_paste", "all"])
@pytest.mark.parametrize("shape", [(128, 128), (96, 160)], ids=str)
def test_colour_is_nowhere_but_in_boxes_of_its_class(tmp_path, changes, several, shape):
    """Nothing coloured outside the boxes, whatever is combined; and, unless rotated, the colour of its class in each
    box.
    """
    records = coloured(tmp_path)
    names = ("mosaic", "mixup", "copy_paste") if several == "all" else (several,)
    mosaic = float("mosaic" in names and shape[0] == shape[1])
    cfg = AugmentConfig(**{**KEEP, "mosaic": mosaic, **{n: 1.0 for n in names if n != "mosaic"}, **changes})
    boxes_seen = 0
    for epoch in range(3):
        for i in range(len(records)):
            sample = samples(records, cfg=cfg)[Key(epoch, i, shape)]
            image = sample.image.astype(int)
            vivid = image - image.min(2, keepdims=True) > 50
            for label in range(3):
                allowed = np.zeros(shape, bool)
                for x1, y1, x2, y2 in sample.boxes[sample.labels == label]:
                    allowed[max(int(y1) - 1, 0) : int(y2) + 2, max(int(x1) - 1, 0) : int(x2) + 2] = True
                assert not (vivid[..., label] & ~allowed).any()
            for (x1, y1, x2, y2), label in zip(sample.boxes, sample.labels, strict=True):
                if min(x2 - x1, y2 - y1) > 4 and not changes:
                    assert vivid[int((y1 + y2) / 2), int((x1 + x2) / 2), label]
                    boxes_seen += 1
    assert boxes_seen > 20 or changes


def test_copies_of_a_picture_differ(records):
    assert not same(samples(records)[key(0, 3)], samples(records)[key(0, 3, copy=1)])
    assert same(samples(records)[key(0, 3, copy=1)], samples(records)[key(0, 3, copy=1)])


def test_what_is_made_of_several_pictures_stops_together(tmp_path):
    records = coloured(tmp_path)
    cfg = AugmentConfig(**KEEP, mixup=1.0, copy_paste=1.0)
    late = samples(records, cfg=cfg, compose_until=0)
    assert all(len(late[key(0, i)].boxes) <= len(records[i].boxes) for i in range(len(records)))


def test_balance_draws_rare_pictures_for_mosaics(tmp_path):
    """One picture in eight has all the weight: three of four pictures of every mosaic are that one."""
    records = coloured(tmp_path)
    factors = np.full(len(records), 1e-9)
    factors[3] = 1.0
    made = samples(records, cfg=AugmentConfig(**KEEP), balance=Balance(factors, np.ones(3)))
    kinds = np.bincount(records[3].labels, minlength=3)
    for i in (0, 4):  # pictures without boxes
        found = np.bincount(made[key(0, i)].labels, minlength=3)
        assert (found <= 3 * kinds).all() and not found[kinds == 0].any()


class DrawnScenes:
    """A SceneSource without files and records: every bottle is drawn when it is asked for."""

    channels = Channels()
    sizes = np.full((6, 2), 96, np.int32)
    donors = np.ones(6, bool)

    def __init__(self):
        self.asked = []

    def __len__(self):
        return 6

    def __getitem__(self, index):
        self.asked.append(index)
        return draw_picture(np.random.default_rng(index), 96)

    def picture(self, index):
        return index


def test_samples_of_drawn_scenes():
    """Mosaics, blends and pasted objects of them; each is asked for once per place that it has in a sample."""
    scenes = DrawnScenes()
    made = TrainSamples(scenes, AugmentConfig(mosaic=1, mixup=1, copy_paste=1), seed=0, compose_until=1)
    samples = [made[key(0, i)] for i in range(6)]
    assert len(scenes.asked) == 6 * 2 * (4 + 1)
    assert all(s.image.shape == (64, 64, 3) for s in samples) and sum(len(s.boxes) for s in samples) > 6
    assert same(made[key(0, 2)], samples[2]) and made[replace(key(0, 2), counts=False)].index == -1
    alone = EvalSamples(scenes, Looking(96, 32))
    for index in range(6):
        drawn, sample = draw_picture(np.random.default_rng(index), 96), alone[index]
        assert np.array_equal(sample.image, drawn.planes) and np.array_equal(sample.boxes, drawn.boxes)
        assert np.array_equal(sample.labels, drawn.labels) and len(sample.ignored) == 0
