"""Names described by a glossary: means of unit vectors, and what a user is told."""

import pytest
import torch
from torch.nn.functional import normalize

from models.text.cache import VectorCache
from models.text.descriptions import describe, known_line, twins, unread
from models.text.glossary import Glossary, Term
from tests.models.text.conftest import Counting
from utils.words.vocabulary import Vocabulary

GLOSSARY = Glossary(
    (
        Term("crack", ("fissure",), ("裂纹", "裂缝"), ("a thin line", "a dark line")),
        Term("dent", (), (), ("a hollow",)),
    ),
    "mine",
)
NAMES = ["Crack", "dust", "裂纹", "dent"]


@pytest.fixture
def cache(tmp_path):
    return VectorCache(tmp_path)


def test_a_vector_is_the_mean_of_name_and_looks(cache, counting):
    vectors = describe(counting, cache, NAMES, ["{}"], GLOSSARY)
    alone = Counting()
    crack = normalize(alone.encode(["crack", "a thin line", "a dark line"]).mean(0), dim=0)
    assert torch.allclose(vectors[0], crack) and torch.equal(vectors[2], vectors[0])
    assert torch.equal(vectors[1], alone.encode(["dust"])[0])
    assert torch.allclose(vectors.norm(dim=1), torch.ones(4)) and vectors.dtype == torch.float32
    assert counting.asked == ["crack", "a thin line", "a dark line", "dust", "dent", "a hollow"]
    assert describe(counting, cache, [], ["{}"], GLOSSARY).shape == (0, counting.dim)


def test_without_a_glossary_names_stand_alone(cache, counting):
    assert torch.equal(describe(counting, cache, NAMES, ["{}"], None), Counting().encode(NAMES))
    assert counting.asked == NAMES


def test_templates_hold_each_text(cache, counting):
    describe(counting, cache, ["dent"], ["{}", "a photo of {}"], GLOSSARY)
    assert counting.asked == ["dent", "a hollow", "a photo of dent", "a photo of a hollow"]


def test_what_is_known_is_said():
    line = known_line(GLOSSARY, NAMES)
    assert line.startswith("glossary of 2 terms, mine (") and line.endswith(": knows 3 of 4 names; as they are: dust")
    assert "as they are" not in known_line(GLOSSARY, ["dent"])


def test_chinese_that_nothing_explains_is_said():
    assert unread(["crack", "裂纹"], GLOSSARY) == "" == unread(["Riß", "dust"], None)
    line = unread(["crack", "裂纹", *"甲乙丙丁戊己庚辛壬癸子"], GLOSSARY)
    assert "the glossary lacks them" in line and "甲, 乙" in line and "癸 and 1 more" in line and "裂纹" not in line
    assert "no glossary is used: 裂纹 mean nothing to it" in unread(["裂纹"], None)


def test_classes_that_become_the_same_are_said():
    assert twins(Vocabulary.from_names(["裂纹", "裂缝", "dent"]), GLOSSARY).endswith("apart: 裂纹 = 裂缝")
    assert twins(Vocabulary.from_lists([["裂纹", "裂缝"], ["dent"]]), GLOSSARY) == ""
    assert twins(Vocabulary.from_names(["crack", "fissure", "dust"]), GLOSSARY) == ""
