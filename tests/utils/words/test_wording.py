"""Texts of groups of labels."""

import numpy as np

from utils.words.wording import Wording


def test_every_text_of_a_group_is_as_likely():
    wording, rng = Wording.of_classes([["crack", "fissure"], ["dust"], ["scratch", "scrape", "score"]]), np.random
    generator = rng.default_rng(0)
    draws = [wording.draw(generator) for _ in range(3000)]
    assert wording.groups.tolist() == [0, 1, 2]
    for column, names in zip(zip(*draws, strict=True), wording.texts, strict=True):
        counts = [column.count(name) for name in names]
        assert sum(counts) == 3000 and min(counts) > 0.9 * 3000 / len(names)
    again = rng.default_rng(0)
    assert [wording.draw(again) for _ in range(3000)] == draws
