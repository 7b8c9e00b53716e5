import json

import numpy as np
from pycocotools import mask as coco_masks

from utils.values.masks import decode_mask, encode_mask, fill_masks


def test_code_is_cocos_and_survives_json():
    mask = np.random.default_rng(0).random((37, 53)) > 0.6
    rle = json.loads(json.dumps(encode_mask(mask)))
    assert rle["size"] == [37, 53] and (decode_mask(rle) == mask).all()
    assert (coco_masks.decode(rle) == mask).all() and coco_masks.area(rle) == mask.sum()


def test_empty_and_full():
    for value in (False, True):
        assert (decode_mask(encode_mask(np.full((5, 7), value))) == value).all()


def test_fill_changes_the_inside_alone_and_shows_the_picture_through():
    image = np.random.default_rng(1).integers(0, 256, (20, 30, 3), np.uint8)
    before = image.copy()
    mask = np.zeros((20, 30), bool)
    mask[3:9, 4:20] = True
    filled = fill_masks(image, [encode_mask(mask)], [(255, 0, 10)])
    assert (image == before).all() and (filled[~mask] == image[~mask]).all()
    assert (filled[mask] == np.rint(image[mask] * 0.6 + np.array([255, 0, 10]) * 0.4)).all()
