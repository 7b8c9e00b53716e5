"""Polarization: what four analyser angles say about the light, and how it turns when the picture does.

Angles are counter-clockwise as seen, from the picture's x axis. Behind an analyser at angle t there is the intensity
I(t) = (S0 + S1 cos 2t + S2 sin 2t) / 2. A map of the picture moves directions, too: a mirror takes theta to -theta, a
turn by phi adds phi. Shear and perspective also stretch; of the map around a pixel (its Jacobian) the nearest rotation
or reflection counts, which is the one of its polar decomposition. Degree and intensity do not change.
"""

from __future__ import annotations

import numpy as np

from data.augment.transforms import draw_gains, scale_hsv, transform_points
from utils.config.config import AugmentConfig
from utils.values.channels import ANGLES, DERIVED, PAIRS, RGB, Channels

LARGE = 64_000_000  # px, above which three equal planes would be too much memory
ROWS = 512  # of a large picture that are converted at a time
DARK = np.float32(1e-6)  # less light than that has no polarization


def stokes(angles: np.ndarray) -> np.ndarray:
    """(..., 4) intensities at 0, 45, 90 and 135 degrees -> (..., 3) S0, S1, S2."""
    i0, i45, i90, i135 = np.moveaxis(angles, -1, 0)
    return np.stack(((i0 + i45 + i90 + i135) / 2, i0 - i90, i45 - i135), -1)


def degree_and_angle(parameters: np.ndarray) -> np.ndarray:
    """(..., 3) S0, S1, S2 -> (..., 3) DoLP clipped to 1, sin 2 theta, cos 2 theta; zeros where there is none."""
    s0, s1, s2 = np.moveaxis(parameters, -1, 0)
    strength = np.hypot(s1, s2)
    # np.where computes both sides: the inner maximum keeps the divisions finite where the result is not used.
    degree = np.where(s0 > DARK, np.minimum(strength / np.maximum(s0, DARK), 1), 0)
    scale = np.where(strength > DARK, 1 / np.maximum(strength, DARK), 0)
    return np.stack((degree, s2 * scale, s1 * scale), -1)


def derived(angles: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """(H, W, 4) intensities in 0..1 -> (H, W, len(names)): planes in 0..1 of utils/values/channels.py's DERIVED.

    Where there is no light at all, every plane is 0: that is how a missing picture and padding look.
    """
    s = stokes(angles)
    degree, sine, cosine = np.moveaxis(degree_and_angle(s), -1, 0)
    # S0 is in 0..2; S1, S2, sine and cosine are in -1..1: all are moved to 0..1.
    values = s[..., 0] / 2, (1 + s[..., 1]) / 2, (1 + s[..., 2]) / 2, degree, (1 + sine) / 2, (1 + cosine) / 2
    every = dict(zip(DERIVED, values, strict=True))
    planes = np.stack([every[name] for name in names], -1)
    return (planes * (s[..., :1] > DARK)).astype(np.float32)


def turning(matrix: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, float]:
    """What a (3, 3) homography does to directions in a picture of `shape` (height, width): cos 2 phi, sin 2 phi, sign.

    2 theta becomes sign * 2 theta + 2 phi. The two arrays are (1, 1), or (height, width) with perspective.
    """
    slope = matrix[:2, :2][..., None, None]
    if matrix[2, 0] or matrix[2, 1]:
        y, x = np.mgrid[: shape[0], : shape[1]] + 0.5
        points = np.stack((x.ravel(), y.ravel()), 1)
        depth = (points @ matrix[2, :2] + matrix[2, 2]).reshape(shape)
        moved = transform_points(points, matrix).T.reshape(2, *shape)
        # The Jacobian of a homography at each pixel, by the quotient rule.
        slope = (slope - moved[:, None] * matrix[2, :2][None, :, None, None]) / depth
    (a, b), (c, d) = slope
    mirrored = np.linalg.det(matrix) < 0  # the same at every pixel, as all lie before the camera
    # in axes as seen (y upwards) the Jacobian is [[a, -b], [-c, d]]; its rotation part, or that after y -> -y
    cosine, sine = (a - d, -c - b) if mirrored else (a + d, b - c)
    square = np.maximum(cosine**2 + sine**2, 1e-300)
    return (cosine**2 - sine**2) / square, 2 * sine * cosine / square, -1.0 if mirrored else 1.0


class Turner:
    """Moves the planes of directions among `names` as a picture moves."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.angles = [names.index(name) for name in ANGLES] if set(ANGLES) <= set(names) else None
        self.pairs = [[names.index(name) for name in pair] for pair in PAIRS if set(pair) <= set(names)]

    def __call__(self, image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """`image` (H, W, C) float32, planes in 0..1, as it has to be before `matrix` moves its pixels."""
        cosine, sine, sign = turning(matrix, (image.shape[0], image.shape[1]))
        if (cosine == 1).all() and sign == 1:  # only scaled and shifted: no direction changes
            return image
        turned = image.copy()
        for s, c in self.pairs:
            old_sine, old_cosine = 2 * image[..., s] - 1, 2 * image[..., c] - 1
            there = (image[..., s] != 0) | (image[..., c] != 0)  # both are 0 where nothing is known
            turned[..., s] = np.where(there, (1 + sine * old_cosine + sign * cosine * old_sine) / 2, 0)
            turned[..., c] = np.where(there, (1 + cosine * old_cosine - sign * sine * old_sine) / 2, 0)
        if self.angles:
            turned[..., self.angles] = _turned_angles(image[..., self.angles], cosine, sine, sign)
        return turned


def _turned_angles(angles: np.ndarray, cosine: np.ndarray, sine: np.ndarray, sign: float) -> np.ndarray:
    """The intensities behind the four analysers, (H, W, 4), when the light was turned and they were not.

    What four intensities hold beyond S0, S1, S2 (noise) turns as cos 4 theta, so that turns by 45 degrees and mirrors
    are exact swaps.
    """
    i0, i45, i90, i135 = np.moveaxis(angles, -1, 0)
    s0, s1, s2 = np.moveaxis(stokes(angles), -1, 0)
    rest = (i0 + i90 - i45 - i135) / 4 * (cosine**2 - sine**2)  # these are of 2 phi, so the factor is cos 4 phi
    s1, s2 = cosine * s1 - sign * sine * s2, sine * s1 + sign * cosine * s2
    return np.stack((s0 + s1 + 2 * rest, s0 + s2 - 2 * rest, s0 - s1 + 2 * rest, s0 - s2 - 2 * rest), -1) / 2


class Optics:
    """What happens to the planes of samples with these `channels`, from file to network input.

    A sample travels as `PlaneReader` reads it and is finished last, so that geometry and blending act on intensities
    and not on ratios.
    """

    def __init__(self, channels: Channels) -> None:
        self.channels = channels
        self.turner = Turner(channels.held) if channels.with_angles else None
        planes = channels.image
        self.colour = _as_slice([planes.index(name) for name in RGB] if set(RGB) <= set(planes) else [])
        self.analysers = [index for index, name in enumerate(planes) if name in ANGLES]
        self.light = [index for index, name in enumerate(planes) if name not in (*DERIVED, *RGB, *ANGLES)]

    def full(self, dtype: np.dtype) -> float:
        """The value that means 1.0 in planes of that type."""
        bits = self.channels.bits if dtype == np.uint16 else 8
        return 1.0 if dtype == np.float32 else float((1 << bits) - 1)

    def padding(self, dtype: np.dtype, grey: int) -> np.ndarray:
        """(C,) value of padding: `grey` of 255 for the planes of image that are light, 0 for the others; () for RGB."""
        if self.channels.plain_rgb:
            return np.asarray(grey, dtype)  # one number: NumPy fills a picture much faster with it
        light = [name not in DERIVED for name in self.channels.image]
        light += [False] * (len(self.channels.held) - len(light))
        value = grey / 255 * self.full(dtype)
        return np.where(light, value if dtype == np.float32 else round(value), 0).astype(dtype)

    def turn(self, image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
        """`image` with its directions moved as `matrix` will move its pixels."""
        return image if self.turner is None else self.turner(image, matrix)

    def jitter(self, image: np.ndarray, rng: np.random.Generator, cfg: AugmentConfig) -> np.ndarray:
        """Other colours and another exposure for the planes of `image` that are light; `polar` stays as it is."""
        gains = draw_gains(rng, cfg)
        if gains is None:
            return image
        if self.channels.plain_rgb:
            return scale_hsv(image, gains)
        full, result = self.full(image.dtype), image.copy()
        if self.colour:
            colour = np.ascontiguousarray(image[..., self.colour])
            if colour.dtype == np.uint16:  # OpenCV converts only 8-bit and float32 pictures to HSV
                colour = colour / np.float32(full)
                result[..., self.colour] = np.rint(scale_hsv(colour, gains) * full)
            else:
                result[..., self.colour] = scale_hsv(colour, gains)
        if self.light:  # planes of their own, such as gray: only the third gain, brightness, means anything there
            result[..., self.light] = _brighter(image[..., self.light], gains[2], full)
        if self.analysers:  # together, and none beyond white: the degree of polarization must not change
            planes = image[..., self.analysers]
            result[..., self.analysers] = _brighter(planes, min(gains[2], full / max(planes.max(), 1e-6)), full)
        return result

    def finish(self, image: np.ndarray) -> np.ndarray:
        """(H, W, C) planes as the network is given them."""
        if self.channels.angles:
            first = len(self.channels.image)
            planes = derived(image[..., first:], self.channels.polar)
            image = np.concatenate((image[..., :first], planes), 2)
        if self.channels.wanted:
            image = image[..., [self.channels.made.index(name) for name in self.channels.wanted]]
        return image.clip(0, 1) if image.dtype == np.float32 else image

    def show(self, image: np.ndarray) -> np.ndarray:
        """(H, W, 3) uint8 RGB of a picture (H, W, C) for people: its colours, else its first plane; finished or not.

        A large first plane is seen as three that are one in memory, and not to be written to.
        """
        if self.channels.plain_rgb:
            return image
        held = self.channels.wanted or self.channels.image
        if set(RGB) <= set(held):
            return self._eight_bit(image[..., [held.index(name) for name in RGB]])
        shape = (*image.shape[:2], 3)
        if image.shape[0] * image.shape[1] <= LARGE:
            return self._eight_bit(image[..., [0, 0, 0]])
        plane = np.empty(shape[:2], np.uint8)
        for top in range(0, shape[0], ROWS):
            plane[top : top + ROWS] = self._eight_bit(image[top : top + ROWS, :, 0])
        return np.broadcast_to(plane[..., None], shape)

    def _eight_bit(self, planes: np.ndarray) -> np.ndarray:
        if planes.dtype == np.uint8:
            return planes
        return np.rint(planes * (255 / self.full(planes.dtype))).astype(np.uint8)


def _as_slice(indices: list[int]) -> list[int] | slice:
    """Neighbours as a slice, with which NumPy is much faster than with a list."""
    neighbours = indices and indices == list(range(indices[0], indices[0] + len(indices)))
    return slice(indices[0], indices[-1] + 1) if neighbours else indices


def _brighter(planes: np.ndarray, gain: float, full: float) -> np.ndarray:
    """Planes times `gain`, up to white, in their own type."""
    brighter = (planes.astype(np.float32) * np.float32(gain)).clip(0, full)
    return brighter if planes.dtype == np.float32 else np.rint(brighter).astype(planes.dtype)
