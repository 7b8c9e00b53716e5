import json

import numpy as np
from pycocotools import mask as coco_masks

from utils.values.masks import decode_mask, encode_mask, fill_masks, shrunk_mask


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


def test_a_shrunk_mask_is_where_half_of_it_was():
    mask = np.zeros((40, 60), bool)
    mask[8:20, 12:29] = True  # at a quarter of its size to column 7.25
    small = shrunk_mask(encode_mask(mask), 10, 15)
    expected = np.zeros((10, 15), bool)
    expected[2:5, 3:7] = True
    assert small["size"] == [10, 15] and (decode_mask(small) == expected).all()
