"""Phrases of a batch: the classes it shows are among them, under one of their names, and labels point at them."""

from dataclasses import replace

import numpy as np
import torch

from data.batches.phrases import PhraseDraw
from utils.values.batch import Batch, Targets
from utils.words.vocabulary import Vocabulary
from utils.words.wording import Wording


def batch(labels):
    labels = torch.tensor(labels, dtype=torch.long)
    targets = Targets(torch.zeros_like(labels), labels, torch.zeros(len(labels), 4))
    return Batch(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), targets, (0, 1))


def test_few_plain_classes_need_no_phrases():
    made = batch([0, 2])
    assert PhraseDraw(Vocabulary.from_names(["a", "b", "c"]), 0)(made, 0) is made


def test_many_classes_are_sampled_and_labels_follow():
    names = [f"defect {k}" for k in range(351)]
    draw = PhraseDraw(Vocabulary.from_names(names), 0)
    made = draw(batch([350, 3, 3, 77]), 7)
    assert len(made.phrases) == 96 == len(set(made.phrases.tolist()))
    assert made.phrases[made.targets.labels].tolist() == [350, 3, 3, 77]
    assert draw(batch([350, 3, 3, 77]), 7).phrases.tolist() == made.phrases.tolist()
    assert draw(batch([350, 3, 3, 77]), 8).phrases.tolist() != made.phrases.tolist()


def test_synonyms_take_turns_behind_the_names():
    vocabulary = Vocabulary.from_lists([["crack", "fissure"], ["dust"], ["scratch", "scrape", "crevice"]])
    draw = PhraseDraw(vocabulary, 0)
    rows = np.array([draw(batch([0, 2]), k).phrases.tolist() for k in range(200)])
    assert [sorted(set(column)) for column in rows.T.tolist()] == [[0, 3], [1], [2, 4, 5]]
    for count in (np.unique(rows[:, 0], return_counts=True)[1], np.unique(rows[:, 2], return_counts=True)[1]):
        assert count.min() > 0.2 * 200


def test_in_a_part_of_the_batches_every_class_is_a_defect():
    vocabulary = replace(Vocabulary.from_names(["a", "b", "c"]), further=("defect",))
    draw, as_defects = PhraseDraw(vocabulary, 0, as_defect=0.25), 0
    for step in range(200):
        made = draw(batch([0, 2]), step)
        called = [vocabulary.strings[made.phrases[label]] for label in made.targets.labels]
        assert called in (["defect", "defect"], ["a", "c"])
        assert len(made.phrases) == (1 if called[0] == "defect" else 3)
        as_defects += called[0] == "defect"
    assert 30 < as_defects < 70


def test_a_batch_without_boxes():
    made = PhraseDraw(Vocabulary.from_names([f"d{k}" for k in range(200)]), 0)(batch([]), 0)
    assert len(made.phrases) == 96 and len(made.targets.labels) == 0


def test_a_batch_is_spoken_of_in_one_wording_and_no_text_means_two_of_its_objects():
    """Labels are of colour and shape: 0 red ball, 1 red cube, 2 blue ball."""
    by_colour = Wording(np.array([0, 0, 1]), (("red",), ("blue",)))
    by_shape = Wording(np.array([0, 1, 0]), (("ball", "sphere"), ("cube",)))
    vocabulary = Vocabulary.from_lists([["thing", "red", "blue", "ball", "sphere", "cube"]])
    draw, seen = PhraseDraw(vocabulary, 0, (by_colour, by_shape)), set()
    for step in range(60):
        made = draw(batch([0, 1, 2]), step)
        texts = [vocabulary.strings[row] for row in made.phrases.tolist()]
        called = [texts[label] for label in made.targets.labels.tolist()]
        assert called in (["red", "red", "blue"], ["ball", "cube", "ball"], ["sphere", "cube", "sphere"])
        assert len(texts) == 2
        seen.add(tuple(called))
    assert len(seen) == 3
