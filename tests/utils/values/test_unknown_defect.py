"""A thing is reported once: by its class, or as an unknown defect."""

import torch

from utils.values.detections import Detections
from utils.values.unknown_defect import without_twice_found

BOXES = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 30], [50, 50, 60, 60]])


def found(labels, names):
    return Detections(BOXES, torch.tensor([0.9, 0.8, 0.7, 0.6]), torch.tensor(labels), names)


def test_an_unknown_defect_gives_way_to_a_class():
    """The second lies on the first; of the third it is but a third, and the fourth is elsewhere."""
    kept = without_twice_found(found([0, 1, 1, 1], ("scratch", "unknown defect")))
    assert kept.boxes.tolist() == BOXES[[0, 2, 3]].tolist() and kept.labels.tolist() == [0, 1, 1]


def test_classes_stay_as_they_are():
    both = found([0, 1, 1, 1], ("scratch", "dent"))
    assert without_twice_found(both) is both
    assert len(without_twice_found(found([1, 1, 1, 1], ("scratch", "unknown defect")))) == 4
    assert len(without_twice_found(found([0, 0, 0, 0], ("scratch", "unknown defect")))) == 4
