"""Directions move with the picture: transform-then-derive equals derive-then-transform; radial light stays radial."""

import math

import numpy as np
import pytest
from PIL import Image

from data.augment import polarization
from data.augment.mosaic import mosaic_matrices, single_matrix
from data.augment.polarization import Optics, Turner, degree_and_angle, derived, stokes
from data.augment.transforms import scaling, translation, warp_into
from data.batches.sampler import Key
from data.batches.samples import TrainSamples
from data.scenes.cached_pictures import Pictures
from data.scenes.record_scenes import RecordScenes
from utils.config.config import AugmentConfig
from utils.values.channels import ANGLES, DERIVED, Channels
from utils.values.record import Record

SIZE = 64
STOKES = ("s0", "s1", "s2")
STILL = {"mosaic": 0, "translate": 0, "scale": 0, "fliplr": 0, "hsv_h": 0, "hsv_s": 0, "hsv_v": 0}
TRANSFORMS = {
    "flip left-right": {"fliplr": 1},
    "flip up-down": {"flipud": 1},
    "rotation": {"degrees": 180},
    "zoom and shift": {"scale": 0.5, "translate": 0.2},
    "shear": {"shear": 20},
    "perspective": {"perspective": 0.004},
    "everything": {"fliplr": 0.5, "flipud": 0.5, "degrees": 90, "scale": 0.5, "shear": 10, "perspective": 0.002},
}


def light(seed, side=SIZE):
    """(side, side, 4) float32: four intensities of any light, noise included."""
    rng = np.random.default_rng(seed)
    angle, degree, s0 = rng.uniform(0, np.pi, (side, side)), rng.uniform(0, 0.9, (side, side)), rng.uniform(0.3, 1)
    turns = np.radians([0, 45, 90, 135])
    planes = [s0 / 2 * (1 + degree * np.cos(2 * (angle - t))) + rng.uniform(0, 0.02, (side, side)) for t in turns]
    return np.stack(planes, -1).astype(np.float32)


def stored(angles):
    """S0, S1, S2 as planes in 0..1."""
    s = stokes(angles)
    return np.stack((s[..., 0] / 2, (1 + s[..., 1]) / 2, (1 + s[..., 2]) / 2), -1).astype(np.float32)


def moved(image, names, matrix, padding):
    canvas = np.full((SIZE, SIZE, image.shape[2]), padding, np.float32)
    warp_into(canvas, Turner(names)(image, matrix), matrix)
    return canvas


def test_stokes_of_known_light():
    """Unpolarized, along x, along y, along 45 degrees."""
    angles = np.array([[0.5, 0.5, 0.5, 0.5], [1, 0.5, 0, 0.5], [0, 0.5, 1, 0.5], [0.5, 1, 0.5, 0]])
    assert stokes(angles).tolist() == [[1, 0, 0], [1, 1, 0], [1, -1, 0], [1, 0, 1]]
    assert degree_and_angle(stokes(angles)).tolist() == [[0, 0, 0], [1, 0, 1], [1, 0, -1], [1, 1, 0]]
    assert not derived(np.zeros((2, 2, 4), np.float32), DERIVED).any()


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("several", [False, True], ids=["single", "mosaic"])
def test_transform_then_derive_equals_derive_then_transform(name, several):
    cfg = AugmentConfig(**{**STILL, **TRANSFORMS[name]})
    for seed in range(4):
        rng, angles = np.random.default_rng(seed), light(seed)
        if several:
            matrix = mosaic_matrices(rng, cfg, [(SIZE, SIZE)] * 4, SIZE)[seed]
        else:
            matrix = single_matrix(rng, cfg, (SIZE, SIZE), (SIZE, SIZE))
        one = stored(moved(angles, ANGLES, matrix, 0))
        other = moved(stored(angles), STOKES, matrix, (0, 0.5, 0.5))
        np.testing.assert_allclose(one, other, atol=1e-5)


EXACT = [scaling(-1, 1), scaling(1, -1), scaling(-1, -1), np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1.0]])]
EXACT += [np.linalg.inv(EXACT[3]), EXACT[3] @ EXACT[0]]


@pytest.mark.parametrize("matrix", EXACT, ids=["lr", "ud", "180", "90", "270", "transpose"])
def test_degree_and_angle_commute_with_flips_and_quarter_turns(matrix):
    """No pixel is resampled, so that even what is not linear in the light commutes; and angles swap exactly."""
    centred = translation(SIZE / 2, SIZE / 2) @ matrix @ translation(-SIZE / 2, -SIZE / 2)
    angles, names = light(7), ("dolp", "aolp_sin2", "aolp_cos2")
    turned = moved(angles, ANGLES, centred, 0)
    np.testing.assert_allclose(derived(turned, names), moved(derived(angles, names), names, centred, 0), atol=1e-5)
    here, there = (np.sort(planes.reshape(-1, 4), 0) for planes in (angles, turned))
    swapped = here[:, [2, 3, 0, 1]] if abs(matrix[0, 1]) and np.linalg.det(matrix) > 0 else here[:, [0, 3, 2, 1]]
    if np.linalg.det(matrix) > 0 and not matrix[0, 1]:
        swapped = here
    if matrix is EXACT[5]:
        swapped = here[:, [2, 1, 0, 3]]
    np.testing.assert_allclose(there, swapped, atol=1e-6)


@pytest.mark.parametrize("mirror", [(1, 1), (-1, 1), (1, -1)])
@pytest.mark.parametrize("degrees", [0, 30, -75, 140])
def test_radial_light_stays_radial(mirror, degrees):
    """An oracle without Jacobians: light polarized away from the centre looks the same after any turn about it."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5 - SIZE / 2
    theta = np.arctan2(-y, x)  # counter-clockwise as seen: y points down
    turns = np.radians([0, 45, 90, 135])
    angles = np.stack([0.25 * (1 + 0.8 * np.cos(2 * (theta - t))) for t in turns], -1).astype(np.float32)
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    matrix = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) @ scaling(*mirror)
    centred = translation(SIZE / 2, SIZE / 2) @ matrix @ translation(-SIZE / 2, -SIZE / 2)
    turned = moved(angles, ANGLES, centred, 0)
    ring = (np.hypot(x, y) > 12) & (np.hypot(x, y) < 28)
    planes = derived(turned, ("dolp", "aolp_sin2", "aolp_cos2"))[ring]
    np.testing.assert_allclose(planes[:, 0], 0.8, atol=0.03)
    np.testing.assert_allclose(2 * planes[:, 1] - 1, np.sin(2 * theta[ring]), atol=0.06)
    np.testing.assert_allclose(2 * planes[:, 2] - 1, np.cos(2 * theta[ring]), atol=0.06)


def test_a_turn_adds_to_the_angle_under_shear_and_perspective_too():
    """The rotation part of the Jacobian: none for a stretch along the axes, all of it for a turn and an even zoom."""
    plane = np.zeros((8, 8, 2), np.float32)
    plane[..., 0], plane[..., 1] = 0.5, 1.0  # theta = 0
    turner = Turner(("aolp_sin2", "aolp_cos2"))
    np.testing.assert_allclose(turner(plane, scaling(2, 0.5)), plane, atol=1e-6)
    c, s = 3 * math.cos(0.4), 3 * math.sin(0.4)
    turned = turner(plane, np.array([[c, s, 5], [-s, c, 2], [0, 0, 1]]))
    np.testing.assert_allclose(2 * turned - 1, np.broadcast_to([math.sin(0.8), math.cos(0.8)], (8, 8, 2)), atol=1e-6)
    unknown = np.zeros((8, 8, 2), np.float32)
    assert not turner(unknown, scaling(-1, 1)).any()


FROM_ANGLES = Channels(polar=STOKES, polar_dir="polar", polar_files="{stem}_{channel}.npy", angles=True, polar_bits=32)
AS_STORED = Channels(polar=STOKES, polar_dir="stokes", polar_bits=32)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    """Six samples with both kinds of second picture: four analysers, and the same light as Stokes parameters."""
    home, made = tmp_path_factory.mktemp("set"), []
    for folder in ("images", "polar", "stokes"):
        (home / folder).mkdir()
    for k in range(6):
        rng, angles = np.random.default_rng(k), light(k)
        path = home / "images" / f"{k}.png"
        Image.fromarray(rng.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)).save(path)
        for name, plane in zip(ANGLES, np.moveaxis(angles, -1, 0), strict=True):
            np.save(home / "polar" / f"{k}_{name}.npy", plane)
        np.save(home / "stokes" / f"{k}.npy", stored(angles))
        boxes = np.array([[0.3, 0.3, 0.6, 0.6]], np.float32)
        made.append(Record(path, k, (SIZE, SIZE), boxes, np.zeros(1, np.int64), np.zeros(1, bool)))
    return made


@pytest.mark.parametrize("several", [{}, {"mosaic": 1.0}, {"copy_paste": 1.0}, {"mixup": 1.0, "scale": 0}], ids=str)
def test_whole_samples_commute_too(records, several):
    """One draw for all planes; a sample of angles equals one of Stokes parameters wherever both have light."""
    wild = {"degrees": 20, "shear": 5, "perspective": 0.001, "flipud": 0.5}
    cfg = AugmentConfig(**{"mosaic": 0, **({} if "mixup" in several else wild), "translate": 0, **several})
    for epoch in range(2):
        for k in range(6):
            one, other = (
                TrainSamples(RecordScenes(Pictures(records, 10**8, c)), cfg, 0, 5)[Key(epoch, k, (SIZE, SIZE))]
                for c in (FROM_ANGLES, AS_STORED)
            )
            assert one.image.dtype == np.float32 and one.full == 1 and np.array_equal(one.boxes, other.boxes)
            np.testing.assert_allclose(one.image[..., :3], other.image[..., :3], atol=1e-6)
            lit = (one.image[..., 3] > 0.05) & (other.image[..., 3] > 0.05)
            close = np.isclose(one.image[..., 3:], other.image[..., 3:], atol=1e-5).all(2)
            assert lit.mean() > 0.3 and close[lit].mean() > (0.98 if "copy_paste" in several else 0.9999)


def test_only_light_is_jittered(records):
    """hsv gains change the planes of image and leave those of polar, bit for bit."""
    plain = AugmentConfig(**STILL)
    loud = AugmentConfig(**{**STILL, "hsv_h": 0.1, "hsv_s": 0.5, "hsv_v": 0.5})
    one, other = (
        TrainSamples(RecordScenes(Pictures(records, 10**8, AS_STORED)), c, 0, 0)[Key(0, 1, (64, 64))]
        for c in (plain, loud)
    )
    assert not np.allclose(one.image[..., :3], other.image[..., :3])
    np.testing.assert_array_equal(one.image[..., 3:], other.image[..., 3:])


def test_exposure_never_changes_the_degree_of_polarization():
    optics, cfg = Optics(Channels(image=ANGLES)), AugmentConfig(hsv_v=0.9)
    angles = light(1)
    for seed in range(10):
        brighter = optics.jitter(angles, np.random.default_rng(seed), cfg)
        assert brighter.max() <= 1 + 1e-6 and not np.allclose(brighter, angles)
        degrees = [degree_and_angle(stokes(planes))[..., 0] for planes in (brighter, angles)]
        np.testing.assert_allclose(*degrees, atol=1e-5)


def test_padding():
    """Grey for light, 0 for what is derived, and for the whole second picture."""
    assert Optics(Channels()).padding(np.dtype(np.uint8), 114).tolist() == 114
    deep = Optics(Channels(image=("gray",), polar=("dolp",), bits=12, polar_bits=12))
    assert deep.padding(np.dtype(np.uint16), 114).tolist() == [round(114 / 255 * 4095), 0]
    assert Optics(FROM_ANGLES).padding(np.dtype(np.float32), 114)[3:].tolist() == [0] * 4


def test_colour_jitter_keeps_type_and_can_be_off():
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
    optics = Optics(Channels())
    assert optics.jitter(image, rng, AugmentConfig(hsv_h=0, hsv_s=0, hsv_v=0)) is image
    changed = optics.jitter(image, rng, AugmentConfig())
    assert changed.dtype == np.uint8 and changed.shape == image.shape and not np.array_equal(changed, image)


@pytest.mark.parametrize("bits", [8, 12, 32])
def test_a_large_plane_is_shown_as_three_that_are_one(monkeypatch, bits):
    optics = Optics(Channels(image=("gray",), bits=bits))
    planes = np.random.default_rng(0).random((40, 30, 1))
    stored = f"u{1 + (bits > 8)}"
    planes = planes.astype(np.float32) if bits == 32 else np.rint(planes * ((1 << bits) - 1)).astype(stored)
    whole = optics.show(planes)
    monkeypatch.setattr(polarization, "LARGE", 1000)
    monkeypatch.setattr(polarization, "ROWS", 7)
    large = optics.show(planes)
    assert whole.strides[2] and not large.strides[2]
    assert large.dtype == np.uint8 and np.array_equal(large, whole)
