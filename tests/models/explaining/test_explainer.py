"""The heat of a box: networks that are known to look at given pixels are said to look at those, and at nothing else."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch

from models.explaining.explainer import Explainer
from models.explaining.likeness import OPEN
from models.explaining.patches import Scale
from utils.values.batch import Batch, Targets
from utils.values.boxes import Letterbox
from utils.values.channels import RGB_CHANNELS
from utils.values.predictions import ScoredBoxes
from utils.values.view import View

BOX = (40.0, 24.0, 88.0, 64.0)  # of a picture of 128 x 96 px
NONE = Targets(torch.zeros(0), torch.zeros(0), torch.zeros(0, 4))


@dataclass(eq=False)
class Weighing:
    """A network that says one box (4,) px of the input, its score the mean of the planes weighted by `weights`
    (classes, H, W), within 0..1. `calls`: how many inputs it was given at a time.
    """

    weights: torch.Tensor
    box: tuple[float, ...] = BOX
    calls: list[int] = field(default_factory=list)
    stride, channels, device = 32, RGB_CHANNELS, torch.device("cpu")

    def __call__(self, images):
        self.calls.append(len(images))
        scores = torch.einsum("bhw,khw->bk", images.mean(1), self.weights).clamp(0, 1)
        return ScoredBoxes(torch.tensor([[self.box]]).expand(len(images), 1, 4), scores[:, None])


def at(*places, size=(96, 128), label=0, classes=1):
    """Weights that take the mean of some places, xyxy px each."""
    weights = torch.zeros(classes, *size)
    for x1, y1, x2, y2 in places:
        weights[label, y1:y2, x1:x2] = 1 / (x2 - x1) / (y2 - y1) / len(places)
    return weights


def marked(*places, size=(96, 128), planes=3):
    """Planes of a dark picture with bright places, xyxy px each."""
    image = np.full((*size, planes), 20, np.uint8)
    for x1, y1, x2, y2 in places:
        image[y1:y2, x1:x2] = 220
    return image


def batch(image, view=None):
    size = image.shape[:2]
    view = view or View(0, size, (1.0, 1.0), (0.0, 0.0))
    return Batch(torch.from_numpy(image).permute(2, 0, 1)[None], NONE, (0,), (view,))


def explained(network, image, view=None, box=BOX, **settings):
    networks = network if isinstance(network, tuple) else (network,)
    numbers = settings.pop("numbers", torch.arange(len(networks[0].weights)))
    return Explainer(networks, numbers, **settings)([batch(image, view)], torch.tensor(box), settings.pop("label", 0))


def hottest(heat):
    """(x, y) px of the picture: the middle of where the heat is greatest."""
    rows, columns = np.nonzero(heat.values >= 0.99)
    left, top, right, bottom = heat.area
    x = left + (columns.mean() + 0.5) * (right - left) / heat.values.shape[1]
    return x, top + (rows.mean() + 0.5) * (bottom - top) / heat.values.shape[0]


def test_the_heat_is_where_the_network_looks_and_nowhere_else():
    """In the upper right part of its box. Patches are 36 x 30 px at most, and some more at their edges."""
    spot = (72, 30, 80, 38)
    heat = explained(Weighing(at(spot)), marked(spot))
    assert heat.values.shape == (96, 128) and heat.values.dtype == np.float32 and heat.area == (0, 0, 128, 96)
    assert heat.values.max() == 1 and heat.values.min() == 0
    x, y = hottest(heat)
    assert 72 <= x <= 80 and 30 <= y <= 38
    near = np.zeros((96, 128), bool)
    near[: 38 + 36, 72 - 42 : 80 + 42] = True
    assert heat.values[~near].max() < 0.01 and heat.values[near].mean() < 0.3
    assert heat.score == pytest.approx(220 / 255, abs=1e-3) and heat.hidden < 0.1 and heat.alone == heat.score
    assert heat.inside == pytest.approx(200 / 220, abs=1e-3) and heat.outside < 1e-3  # the spot is 20 when it is hidden
    assert heat.box == BOX and heat.label == 0


def test_a_network_that_looks_beside_its_box_is_found_out():
    spot = (100, 70, 108, 78)
    heat = explained(Weighing(at(spot)), marked(spot))
    x, y = hottest(heat)
    assert x > 88 and y > 64 and heat.values[24:60, 40:80].max() < 0.1
    assert heat.hidden == heat.score and heat.alone < 0.3 * heat.score  # a spread spot leaves a trace
    assert heat.inside == 0 and heat.outside > 0.7


def test_a_network_that_looks_at_nothing_has_no_heat():
    heat = explained(Certain(torch.zeros(1, 96, 128)), marked((72, 30, 80, 38)))
    assert heat.values.max() == 0 and heat.score == heat.hidden == heat.alone == heat.nothing == 0.5
    assert heat.inside == heat.outside == 0


class Certain(Weighing):
    """Says its box with 0.5, whatever it is shown."""

    def __call__(self, images):
        return ScoredBoxes(torch.tensor([[self.box]]).expand(len(images), 1, 4), torch.full((len(images), 1, 1), 0.5))


def test_what_was_not_found_has_no_heat():
    heat = explained(Weighing(at((72, 30, 80, 38)), box=(0.0, 0.0, 10.0, 10.0)), marked((72, 30, 80, 38)))
    assert heat.values.max() == 0 and heat.score == heat.inside == heat.outside == 0


@pytest.mark.parametrize("spot", [(20, 8, 26, 14), (92, 30, 98, 36)])
def test_the_letterbox_is_undone(spot):
    """A picture of 60 x 120 px, in an input of 160 x 160 px: enlarged by 4 / 3, 40 px of padding above and below."""
    view = Letterbox.fit((60, 120), (160, 160)).view(0)
    assert view.scale == pytest.approx((4 / 3, 4 / 3)) and view.shift == (0, 40)
    box = (spot[0] - 8.0, spot[1] - 6.0, spot[2] + 8.0, spot[3] + 10.0)
    inner = view.apply(np.array([spot, box], np.float32)).round().astype(int)
    network = Weighing(at(inner[0], size=(160, 160)), tuple(view.apply(np.array([box], np.float32))[0].tolist()))
    image = marked(inner[0], size=(160, 160))
    image[:40] = image[120:] = 114
    heat = explained(network, image, view, box)
    assert heat.values.shape == (80, 160) and heat.size == (60, 120) and heat.area == (0, 0, 120, 60)
    assert hottest(heat) == pytest.approx(((spot[0] + spot[2]) / 2, (spot[1] + spot[3]) / 2), abs=2)


def test_mirrored_views_and_tiles_are_undone():
    """A tile of 40 x 30 px at (100, 50) of a picture of 200 x 100 px, enlarged by 4, mirrored left-right."""
    tile = View(0, (30, 40), (4.0, 4.0), (0.0, 4.0)).mirrored(True, False, (128, 160))
    view = replace(tile, part=1, parts=2).of_area((100, 50, 140, 80), (100, 200))
    spot, box = (120.0, 60.0, 124.0, 64.0), (114.0, 56.0, 150.0, 70.0)  # which goes on in the next tile
    shown = view.clip(torch.tensor([spot, box])).numpy()
    inner = view.apply(shown)
    network = Weighing(at(inner[0].round().astype(int), size=(128, 160)), tuple(inner[1].tolist()))
    heat = explained(network, marked(inner[0].round().astype(int), size=(128, 160)), view, box)
    assert heat.area == (100, 50, 140, 80) and heat.size == (100, 200) and heat.values.shape == (120, 160)
    assert hottest(heat) == pytest.approx((122, 62), abs=1.5) and heat.score > 0.8 and heat.box == box


def test_the_same_picture_gives_the_same_map_however_many_copies_go_together():
    spot, network = (60, 40, 70, 50), Weighing(at((60, 40, 70, 50)))
    one, same, single = (explained(network, marked(spot), at_once=k) for k in (8, 8, 1))
    assert np.array_equal(one.values, same.values) and vars(one).keys() == vars(same).keys()
    np.testing.assert_allclose(one.values, single.values, atol=1e-5)
    assert max(network.calls) == 8 and network.calls[-41:] == [1] * 41


def test_another_network_gives_another_map():
    """Adebayo et al. (2018): a map that does not depend on the weights says nothing of them. A texture, so that the
    picture would be the same excuse for both.
    """
    rng = np.random.default_rng(0)
    image = rng.integers(60, 200, (96, 128, 3), np.uint8)
    learnt = explained(Weighing(at((72, 30, 80, 38))), image)
    maps = []
    for seed in range(5):
        drawn = torch.randn(1, 96, 128, generator=torch.Generator().manual_seed(seed)) / 500
        heat = explained(Weighing(drawn + 1 / 128 / 96), image)  # about 0.5, on the whole picture
        maps.append(heat.values)
        assert heat.score > 0.2
    alike = [np.corrcoef(learnt.values.ravel(), one.ravel())[0, 1] for one in maps]
    assert max(alike) < 0.6 and np.mean(alike) < 0.4


def test_of_an_ensemble_the_mean_is_explained():
    left, right = (50, 40, 56, 46), (76, 40, 82, 46)
    image = marked(left, right)
    both = explained((Weighing(at(left)), Weighing(at(right))), image)
    blind = explained((Weighing(at(left)), Weighing(torch.zeros(1, 96, 128))), image)
    alone = explained(Weighing(at(left)), image)
    assert blind.score == pytest.approx(alone.score / 2) and blind.inside == pytest.approx(alone.inside)
    np.testing.assert_allclose(blind.values, alone.values, atol=1e-5)
    assert both.values[43, 53] > 0.8 and both.values[43, 79] > 0.8 and both.values[43, 66] < 0.75


def test_classes_are_those_that_are_reported_by_the_label():
    """Class 1 and class 2 of the network are both reported as number 5."""
    left, right = (50, 40, 56, 46), (76, 40, 82, 46)
    network = Weighing(at(left, classes=3) + at(right, classes=3, label=2))
    heat = Explainer((network,), torch.tensor([3, 5, 5]))([batch(marked(left, right))], torch.tensor(BOX), 5)
    assert hottest(heat) == pytest.approx((79, 43), abs=4) and heat.label == 5 and heat.values[43, 53] < 0.1


def test_any_planes_can_be_explained():
    """Floating point planes, five of them."""
    image = marked((72, 30, 80, 38), planes=5).astype(np.float32) / 255
    given = replace(batch(image), full=1.0)
    heat = Explainer((Weighing(at((72, 30, 80, 38))),), torch.arange(1))([given], torch.tensor(BOX), 0)
    assert hottest(heat) == pytest.approx((76, 34), abs=4)
    assert torch.equal(given.images[0], torch.from_numpy(image).permute(2, 0, 1)), "nothing is hidden in the batch"


class Suppressing(Weighing):
    """A file that suppresses by itself: it says nothing until it is told how."""

    def with_nms(self, cfg, joined):
        assert cfg == OPEN and not joined
        return Weighing(self.weights, self.box)

    def __call__(self, images):
        raise AssertionError("asked without with_nms")


def test_a_file_that_suppresses_by_itself_is_told_to_say_as_much_as_it_can():
    spot = (72, 30, 80, 38)
    heat = explained(Suppressing(at(spot)), marked(spot))
    assert np.array_equal(heat.values, explained(Weighing(at(spot)), marked(spot)).values)


def test_finer_scales_draw_a_smaller_spot():
    spot = (60, 40, 64, 44)
    coarse, fine = (
        explained(Weighing(at(spot)), marked(spot), scales=(Scale(1.2, steps),)).values for steps in (3, 10)
    )
    assert 0 < (fine > 0.5).sum() < (coarse > 0.5).sum() / 3 and fine[42, 62] > 0.5


def test_of_several_views_the_one_that_finds_the_box_best_is_explained():
    """The whole picture, and its left half enlarged, both of 96 x 128 px: the network finds a box in the second."""
    spot = (52, 30, 76, 42)
    half = View(0, (96, 128), (2.0, 1.0), (0.0, 0.0), (0, 0, 64, 96), 1, 2)
    whole, larger = batch(marked(), View(0, (96, 128), (1.0, 1.0), (0.0, 0.0), None, 0, 2)), batch(marked(spot), half)
    both = replace(whole, images=torch.cat((whole.images, larger.images)), views=whole.views + larger.views)
    box = torch.tensor([20.0, 24, 44, 64])  # 40..88 of the input of the half
    for given in ([whole, larger], [larger, whole], [both]):
        heat = Explainer((Weighing(at(spot)),), torch.arange(1))(given, box, 0)
        assert heat.area == (0, 0, 64, 96) and heat.size == (96, 128) and heat.score > 0.8
        assert hottest(heat) == pytest.approx((32, 36), abs=3)
