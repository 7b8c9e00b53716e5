"""Pictures stored anew are told from others of the same light, and from the same scene with a defect."""

import cv2
import numpy as np
import pytest

from data.checks.look_alikes import Alike
from data.checks.looks import look_at_all
from data.checks.same_pictures import Listed, same_pictures

MOST = 10**9


def surface(seed, grain=4.0, side=200):
    """An even surface under light from the left: pictures differ in their grain only."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.normal(0, 1, (side, side)).astype(np.float32), (0, 0), 3)
    light = np.linspace(60, 190, side, dtype=np.float32)[None]
    return np.clip(light + noise / noise.std() * grain, 0, 255).astype(np.uint8)


def alike(tmp_path, images, names=None):
    """The pairs among pictures that are written, the first half as train."""
    listed = []
    for number, (image, how) in enumerate(images):
        path = tmp_path / f"{number}{how[0]}"
        path.write_bytes(cv2.imencode(how[0], image, how[1:])[1].tobytes())
        listed.append(Listed("val" if number % 2 else "train", str(path)))
    looks = list(look_at_all(listed, MOST))
    return Alike(looks, same_pictures(listed, ("train", "val"))[0], MOST)


@pytest.mark.parametrize("grain", [2.0, 4.0, 20.0])
def test_surfaces_of_the_same_light_are_not_alike(tmp_path, grain):
    assert alike(tmp_path, [(surface(seed, grain), (".png",)) for seed in range(40)]).pairs == []


ANEW = {
    "jpeg 95": lambda image: (image, (".jpg", cv2.IMWRITE_JPEG_QUALITY, 95)),
    "jpeg 60": lambda image: (image, (".jpg", cv2.IMWRITE_JPEG_QUALITY, 60)),
    "webp": lambda image: (image, (".webp", cv2.IMWRITE_WEBP_QUALITY, 80)),
    "half": lambda image: (cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), (".png",)),
    "16 bit": lambda image: (image.astype(np.uint16) * 257, (".png",)),
    "colour": lambda image: (cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), (".bmp",)),
}


@pytest.mark.parametrize("way", ANEW)
@pytest.mark.parametrize("grain", [4.0, 20.0])
def test_stored_anew(tmp_path, way, grain):
    image = surface(1, grain)
    assert alike(tmp_path, [(image, (".png",)), ANEW[way](image)]).pairs == [(0, 1, True)]


def test_a_defect_makes_it_another_picture_of_the_same_scene(tmp_path):
    image = surface(1, 20.0)
    other = image.copy()
    cv2.circle(other, (120, 80), 5, 0, -1)
    assert alike(tmp_path, [(image, (".png",)), (other, (".png",))]).pairs == [(0, 1, False)]


def test_groups_join_pictures_through_others(tmp_path):
    image = surface(1, 20.0)
    found = alike(tmp_path, [(image, (".png",)), (surface(2), (".png",)), (image, (".png",)), (image, (".jpg",))])
    groups = found.groups()
    assert groups[0] == groups[2] == groups[3] != groups[1]
