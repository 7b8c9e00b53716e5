"""The views of a picture that show one box of it."""

import numpy as np
import torch

from data.augment.polarization import Optics
from data.augment.scene import Scene
from data.batches.looking import AUGMENTED, Looking
from data.batches.views_around import views_around
from utils.tiling.tiles import Tiling
from utils.values.channels import RGB_CHANNELS

IMAGE = np.random.default_rng(0).integers(0, 255, (60, 110, 3), np.uint8)
OPTICS = Optics(RGB_CHANNELS)


def around(looking, *box):
    return list(views_around(looking, Scene.without_truth(IMAGE), torch.tensor(box), OPTICS))


def test_of_a_whole_picture_its_plain_view():
    (batch,) = around(Looking(64, 32, looks=AUGMENTED), 1.0, 2.0, 9.0, 9.0)
    assert batch.images.shape == (1, 3, 64, 64) and batch.views[0].shown == (0, 0, 110, 60)
    assert batch.views[0].look == 0 and batch.views[0].scale[0] > 0


def test_of_tiles_those_that_show_the_box_as_they_are():
    looking = Looking(64, 32, Tiling(64, 0.2, whole=True))  # from 0, 46 on, and the whole
    shown = [[batch.views[0].shown for batch in around(looking, *box)] for box in ((54, 10, 60, 20), (80, 1, 90, 9))]
    whole = 0, 0, 110, 60
    assert shown == [[(46, 0, 110, 60), (0, 0, 64, 60), whole], [(46, 0, 110, 60), whole]]
    first = around(looking, 80.0, 1.0, 90.0, 9.0)[0]
    assert np.array_equal(first.images[0, :, 2:62].permute(1, 2, 0).numpy(), IMAGE[:, 46:])
