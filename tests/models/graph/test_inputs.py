import pytest
import torch

from models.graph.inputs import TextInput, planes_of
from utils.values.channels import Channels


def test_planes_by_the_name_that_rows_read_them_under():
    image = torch.rand(2, 5, 4, 4)
    named = planes_of(image, Channels(polar=("dolp", "s0")))
    assert torch.equal(named["image"], image[:, :3]) and torch.equal(named["polar"], image[:, 3:])
    assert planes_of(image[:, :3], Channels()).keys() == {"image"}


def test_text_is_the_classes_or_the_phrases_asked_for():
    text = TextInput(2, 4)
    assert not text().any() and text().shape == (2, 4) and not text.state_dict()
    vectors = torch.eye(4)[:3]
    text.fill(vectors, 2)
    assert torch.equal(text(), vectors[:2])
    assert torch.equal(text(torch.tensor([2, 0])), vectors[[2, 0]])
    text.fill(vectors)
    assert torch.equal(text(), vectors)
    with pytest.raises(AssertionError, match="width 3 in the place of 4"):
        text.fill(torch.eye(3))
