"""The built-in glass set seen through four analysers: stress and edges are bright in DoLP, whatever they do to light.

The lamp is polarized in a circle. Stressed glass is a weak retarder: it turns a part sin(delta) of that into linear
polarization at 45 degrees to the axis of the stress. What is seen aslant, the bottle's outline and relief, lets one
direction through more than the other. Both are drawn as Stokes parameters, and the four intensities follow from
those: I(t) = (S0 + S1 cos 2t + S2 sin 2t) / 2, so that i0 + i90 = i45 + i135 up to the noise of the sensor.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from data.drawn.glass import NAMES, Defect, GlassScene, ramp
from data.drawn.glass_set import SecondCamera, write_glass
from utils.values.channels import ANGLES

# The retardation around a defect, in radians, in the order of NAMES: oil lies on the glass and does not strain it.
STRESS = (0.7, 0.0, 0.9, 1.3, 1.1)
FAINT = 0.15  # of its effect on light is left to a faint defect
NOISE = 0.5  # grey levels
BEHIND = 0.32  # of the lamp passes through the analyser's optics: four angles never saturate


def write_polar_glass(root: Path, train: int = 240, val: int = 40, size: int = 320, seed: int = 0) -> Path:
    """The glass set of `write_glass` with polar/{train,val}/glass_0001_i0.png, _i45, _i90 and _i135; its data.yaml.

    Every second of the defects that strain the glass is faint in light, so that only polarization shows it well.
    """
    lines = 'polar: {dir: polar, pattern: "{stem}_{channel}.png", from: angles}\n'
    return write_glass(root, train, val, size, seed, SecondCamera("polar", lines, fade, render_angles))


def fade(scene: GlassScene) -> GlassScene:
    """The scene with every second of its defects faint, if they can be seen by their stress; boxes stay."""
    rng = np.random.default_rng((scene.noise_seed, 1))
    fainter = [
        replace(defect, gain=1 + FAINT * (defect.gain - 1)) if STRESS[defect.label] and rng.random() < 0.5 else defect
        for defect in scene.defects
    ]
    return replace(scene, defects=tuple(fainter))


def render_angles(scene: GlassScene) -> dict[str, np.ndarray]:
    """What the analyser camera sees: (S, S) uint8 per name of ANGLES."""
    s0, s1, s2 = stokes_of(scene)
    rng = np.random.default_rng((scene.noise_seed, 2))
    planes = {}
    for name in ANGLES:
        turn = 2 * np.radians(float(name[1:]))
        intensity = (s0 + s1 * np.cos(turn) + s2 * np.sin(turn)) / 2 + rng.normal(0, NOISE, s0.shape)
        planes[name] = np.rint(intensity.clip(0, 255)).astype(np.uint8)
    return planes


def stokes_of(scene: GlassScene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """S0, S1 and S2 (S, S) in grey levels; the degree of polarization is below 1 everywhere."""
    light = scene.backdrop * (1 - scene.coverage * (1 - 0.96 * np.exp(-0.10 * scene.path)))
    slope_y, slope_x = np.gradient(scene.relief, 320 / len(light))
    sine, cosine = np.zeros_like(light), np.zeros_like(light)
    for defect in scene.defects:
        light = light * defect.gain
        halo, toward = _strain(defect)
        sine, cosine = sine + halo * np.sin(2 * toward), cosine + halo * np.cos(2 * toward)
    delta = np.hypot(sine, cosine)
    axis, retarded = np.arctan2(sine, cosine) / 2, np.sin(np.minimum(delta, np.pi / 2))
    s1, s2 = -np.sin(2 * axis) * retarded, np.cos(2 * axis) * retarded
    aslant = np.sign(scene.across) * ramp(np.abs(scene.across), 0.80, 0.97) * scene.coverage
    tilt_x, tilt_y = aslant + 0.5 * slope_x, 0.5 * slope_y
    favoured, strength = np.arctan2(-tilt_y, tilt_x), 0.45 * np.tanh(np.hypot(tilt_x, tilt_y))
    s1, s2 = s1 + strength * np.cos(2 * favoured), s2 + strength * np.sin(2 * favoured)
    scale = scene.coverage * 0.95 / np.maximum(np.hypot(s1, s2), 0.95)
    s0 = cv2.GaussianBlur(2 * BEHIND * light, (0, 0), 0.55 * len(light) / 320)
    return s0, s0 * s1 * scale, s0 * s2 * scale


def _strain(defect: Defect) -> tuple[np.ndarray, np.ndarray]:
    """Retardation around a defect, strongest at its outline, and the direction of its axis, counter-clockwise."""
    x1, y1, x2, y2 = defect.box.astype(float)
    side = len(defect.gain)
    y, x = np.mgrid[:side, :side] + 0.5
    across, up = (x - (x1 + x2) / 2) / max(x2 - x1, 1), ((y1 + y2) / 2 - y) / max(y2 - y1, 1)
    distance = 2 * np.hypot(across, up)  # 1 on the ellipse inside the box
    halo = STRESS[defect.label] * np.exp(-(((distance - 0.75) / 0.35) ** 2))
    return halo, np.arctan2(up * (y2 - y1), across * (x2 - x1))


assert len(STRESS) == len(NAMES), "a stress for every class"
