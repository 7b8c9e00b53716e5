"""Pixels and boxes move together: a painted rectangle stays inside its box, whatever the draw."""

import cv2
import numpy as np
import pytest

from data.augment.mosaic import REACH, mosaic_matrices, single_matrix
from data.augment.transforms import (
    clip_and_keep,
    eval_shape,
    letterbox,
    random_matrix,
    tilt_limit,
    transform_boxes,
    transform_points,
    warp_into,
)
from utils.config.config import AugmentConfig

STILL = AugmentConfig(mosaic=0, translate=0, scale=0, fliplr=0, hsv_h=0, hsv_s=0, hsv_v=0)
WILD = AugmentConfig(degrees=40, translate=0.2, scale=0.6, shear=10, flipud=0.5, fliplr=0.5)
MILD = AugmentConfig()
TILTED = AugmentConfig(perspective=0.002)


def painted(height, width, box):
    image = np.zeros((height, width, 3), np.uint8)
    x1, y1, x2, y2 = box
    image[y1:y2, x1:x2] = 255
    return image


def extent(image):
    """xyxy of the pixels brighter than half."""
    ys, xs = np.nonzero(image[..., 0] > 127)
    return np.array([xs.min(), ys.min(), xs.max() + 1, ys.max() + 1], np.float32)


@pytest.mark.parametrize("cfg", [MILD, WILD, TILTED], ids=["mild", "wild", "tilted"])
@pytest.mark.parametrize("seed", range(10))
def test_painted_rectangle_stays_in_its_box(cfg, seed):
    rng = np.random.default_rng(seed)
    size, box = 256, np.array([[60, 40, 140, 100]], np.float32)
    image = painted(180, 300, box[0].astype(int))
    matrix = single_matrix(rng, cfg, (180, 300), (size, size))
    canvas = np.zeros((size, size, 3), np.uint8)
    warp_into(canvas, image, matrix)
    moved = transform_boxes(box, matrix)[0]
    if not (canvas[..., 0] > 127).any():
        pytest.skip("the draw moved the rectangle out of view")
    seen = extent(canvas)
    assert (seen[:2] >= moved[:2].clip(0) - 1).all() and (seen[2:] <= moved[2:].clip(max=size) + 1).all()
    if cfg is MILD:  # without rotation the box is tight
        assert np.abs(seen - moved.clip(0, size)).max() <= 1.5


def test_mosaic_boxes_are_tight():
    rng = np.random.default_rng(0)
    sizes, box = [(120, 200), (200, 120), (64, 64), (500, 300)], np.array([[20, 20, 50, 44]], np.float32)
    for _ in range(20):
        for image_size, matrix in zip(sizes, mosaic_matrices(rng, MILD, sizes, 256), strict=True):
            canvas = np.zeros((256, 256, 3), np.uint8)
            warp_into(canvas, painted(*image_size, box[0].astype(int)), matrix)
            moved = transform_boxes(box, matrix)[0].clip(0, 256)
            if (moved[2:] - moved[:2] > 3).all():
                assert np.abs(extent(canvas) - moved).max() <= 1.5


def test_mosaic_tiles_meet_and_do_not_overlap():
    rng = np.random.default_rng(1)
    sizes = [(100, 100)] * 4
    for _ in range(10):
        covered = np.zeros((128, 128), int)
        for matrix in mosaic_matrices(rng, MILD, sizes, 128):
            canvas = np.zeros((128, 128, 3), np.uint8)
            warp_into(canvas, np.full((100, 100, 3), 255, np.uint8), matrix)
            covered += canvas[..., 0] > 127
        assert covered.max() <= 1


def test_a_still_picture_is_only_letterboxed():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    canvas = np.zeros((64, 64, 3), np.uint8)
    warp_into(canvas, image, single_matrix(np.random.default_rng(0), STILL, (64, 64), (64, 64)))
    assert np.array_equal(canvas, image)


def test_flip_is_exact():
    cfg = AugmentConfig(translate=0, scale=0, fliplr=1, flipud=1)
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    canvas = np.zeros((64, 64, 3), np.uint8)
    matrix = random_matrix(np.random.default_rng(0), cfg, (64, 64), (64, 64))
    warp_into(canvas, image, matrix)
    assert np.array_equal(canvas, image[::-1, ::-1])
    assert transform_boxes(np.array([[1, 2, 5, 8]], np.float32), matrix).tolist() == [[59, 56, 63, 62]]


def test_tiny_defect_survives_shrinking():
    """A 4-px spot in a picture eight times the network's size is averaged, never skipped between samples."""
    for offset in range(8):
        image = np.zeros((1024, 1024, 3), np.uint8)
        image[512 + offset : 516 + offset, 512 + offset : 516 + offset] = 255
        canvas = np.zeros((128, 128, 3), np.uint8)
        warp_into(canvas, image, single_matrix(np.random.default_rng(0), STILL, (1024, 1024), (128, 128)))
        assert canvas.astype(int).sum() / 3 == pytest.approx(16 * 255 / 64, rel=0.2)


def test_clip_and_keep_rules():
    cfg = AugmentConfig(min_box_px=2, min_box_visible=0.25, max_box_aspect=10)
    boxes = np.array(
        [[10, 10, 20, 20], [10, 10, 11.5, 20], [-90, 10, 10, 20], [-10, 10, 10, 20], [0, 0, 90, 5]], np.float32
    )
    clipped, keep = clip_and_keep(boxes, (100, 100), cfg)
    assert keep.tolist() == [True, False, False, True, False]
    assert clipped[3].tolist() == [0, 10, 10, 20]
    assert clip_and_keep(np.zeros((0, 4), np.float32), (100, 100), cfg)[1].shape == (0,)


@pytest.mark.parametrize(
    ("size", "shape"),
    [((224, 612), (128, 320)), ((200, 200), (320, 320)), ((1, 5000), (32, 320)), ((640, 320), (320, 160))],
)
def test_eval_shape_and_letterbox(size, shape):
    assert eval_shape(size, 320, 32) == shape
    boxed, fit = letterbox(np.full((*size, 3), 7, np.uint8), shape)
    assert boxed.shape == (*shape, 3)
    inside = boxed[fit.top : fit.top + fit.inner[0], fit.left : fit.left + fit.inner[1]]
    assert (inside == 7).all() and (boxed == 7).sum() == inside.size


def test_homographies_equal_opencv():
    rng = np.random.default_rng(0)
    for _ in range(20):
        matrix = single_matrix(rng, AugmentConfig(degrees=30, shear=10, perspective=0.01), (180, 300), (256, 256))
        points = rng.uniform(0, (300, 180), (50, 2))
        want = cv2.perspectiveTransform(points[None], matrix)[0]
        np.testing.assert_allclose(transform_points(points, matrix), want, atol=1e-9)


def test_nothing_goes_behind_the_camera():
    """The third coordinate of every corner of every picture stays above a quarter, however large the knob."""
    rng, cfg = np.random.default_rng(0), AugmentConfig(perspective=0.01, scale=0.9, translate=0.5)
    sizes = [(120, 200), (200, 120), (64, 64), (500, 300)]
    least = 1.0
    for _ in range(200):
        draws = [*zip(sizes, mosaic_matrices(rng, cfg, sizes, 640), strict=True)]
        draws += [(size, single_matrix(rng, cfg, size, (384, 640))) for size in sizes]
        for (height, width), matrix in draws:
            corners = np.array([[0, 0, 1], [width, 0, 1], [0, height, 1], [width, height, 1]])
            least = min(least, (corners @ matrix[2]).min())
    assert 0.25 <= least < 0.5
    assert tilt_limit(0.001, (640, 640), 0.5) == 0.001 and tilt_limit(0.001, (1280, 1280), REACH) < 0.001


@pytest.mark.parametrize("seed", range(5))
def test_perspective_moves_pixels_as_it_moves_points(seed):
    """The centre of a painted disc-like square lands where transform_points says, to a pixel."""
    matrix = single_matrix(np.random.default_rng(seed), TILTED, (256, 256), (256, 256))
    for x, y in ((60, 60), (128, 128), (190, 80), (90, 200)):
        canvas = np.zeros((256, 256, 3), np.uint8)
        warp_into(canvas, painted(256, 256, (x - 3, y - 3, x + 3, y + 3)), matrix)
        at = transform_points(np.array([[x, y]], float), matrix)[0]
        if (at > 12).all() and (at < 244).all():
            weight = canvas[..., 0].astype(float)
            rows, columns = np.mgrid[:256, :256] + 0.5
            centre = np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()
            assert np.abs(centre - at).max() < 0.5


def test_a_rectangle_is_filled():
    """A picture of the rectangle's shape, unmoved, covers all of it."""
    canvas = np.zeros((64, 128, 3), np.uint8)
    warp_into(
        canvas,
        np.full((100, 200, 3), 9, np.uint8),
        single_matrix(np.random.default_rng(0), STILL, (100, 200), (64, 128)),
    )
    assert (canvas == 9).all()
