"""The analyser camera of the built-in set obeys the physics it is made of."""

import numpy as np
import pytest

from data.augment.polarization import degree_and_angle, stokes
from data.drawn.glass import sample_scene
from data.drawn.polar_glass import STRESS, fade, render_angles, stokes_of, write_polar_glass
from utils.values.channels import ANGLES


@pytest.fixture(scope="module")
def scenes():
    found = [sample_scene(np.random.default_rng(seed), 160) for seed in range(30)]
    return [scene for scene in found if scene.defects]


def test_four_angles_are_consistent_and_never_saturate(scenes):
    for scene in scenes[:5]:
        planes = {name: plane.astype(float) for name, plane in render_angles(scene).items()}
        assert list(planes) == list(ANGLES) and max(plane.max() for plane in planes.values()) < 255
        rest = planes["i0"] + planes["i90"] - planes["i45"] - planes["i135"]
        assert abs(rest.mean()) < 0.1 and rest.std() < 2  # noise and rounding of four planes
        s0, s1, s2 = stokes_of(scene)
        assert (np.hypot(s1, s2) <= 0.951 * s0 + 1e-9).all()
        np.testing.assert_allclose(stokes(np.stack(list(planes.values()), -1))[..., 1], s1, atol=5)


def test_stress_shows_and_oil_does_not(scenes):
    seen = {True: [], False: []}
    for scene in scenes:
        alone = [d for d in scene.defects if len(scene.defects) == 1]
        for defect in alone:
            degree = degree_and_angle(np.stack(stokes_of(scene), -1))[..., 0]
            x1, y1, x2, y2 = defect.box.astype(int)
            seen[STRESS[defect.label] > 0].append(degree[y1:y2, x1:x2].max())
    assert seen[True] and min(seen[True]) > 0.3


def test_some_defects_are_faint_in_light_alone(scenes):
    faint = total = 0
    for scene in scenes:
        faded = fade(scene)
        assert [tuple(d.box) for d in faded.defects] == [tuple(d.box) for d in scene.defects]
        for old, new in zip(scene.defects, faded.defects, strict=True):
            change = np.abs(new.gain - 1).max() / np.abs(old.gain - 1).max()
            assert change == pytest.approx(1) or (STRESS[old.label] and change == pytest.approx(0.15))
            faint, total = faint + (change < 0.5), total + 1
    assert 0.2 < faint / total < 0.7


def test_the_set_is_drawn_alike_twice_and_is_not_taken_for_the_plain_one(tmp_path):
    one, two = (write_polar_glass(tmp_path / name, train=2, val=1, size=96) for name in "ab")
    files = sorted(p.relative_to(one.parent) for p in one.parent.rglob("*") if p.is_file())
    assert sum(path.parts[0] == "polar" for path in files) == 12
    assert all((one.parent / path).read_bytes() == (two.parent / path).read_bytes() for path in files)
