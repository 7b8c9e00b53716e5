"""The words of a network: what is encoded when, what a checkpoint keeps, what is refused."""

from dataclasses import replace

import pytest
import torch

from models.graph import open_vocabulary
from models.graph.builder import build_graph
from models.graph.open_vocabulary import (
    about_words,
    asked_words,
    encode,
    permuted,
    set_words,
    stored_words,
    with_words,
    words_for,
)
from models.ready.load import checkpoint_network
from models.rows.model_spec import read_spec
from models.text.cache import VectorCache
from models.text.glossary_file import built_in
from utils.console.log import LOG
from utils.scoring.novelty import group_names
from utils.words.errors import CheckpointError, ConfigError
from utils.words.vocabulary import Vocabulary

NAMES = Vocabulary.from_names(["crack", "oil stain"])


@pytest.fixture
def cache(tmp_path):
    return VectorCache(tmp_path)


def graph_for(words):
    return build_graph(with_words(read_spec("cfg/models/rtvpnet-plain-n.yaml").with_values(nc=2), words)).eval()


def test_names_come_first_and_only_they_are_classes(cache):
    vocabulary = Vocabulary.from_lists([["crack", "fissure"], ["oil stain"]])
    words = encode(vocabulary, "ngram:64", cache)
    graph = graph_for(words)
    set_words(graph, words)
    assert vocabulary.strings == ("crack", "oil stain", "fissure") and words.vectors.shape == (3, 64)
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert graph(image).class_logits.shape[-1] == 2
        assert graph(image, phrases=torch.tensor([2, 0, 1])).class_logits.shape[-1] == 3
        as_class = graph(image, phrases=torch.tensor([0, 1])).class_logits
        assert torch.equal(as_class, graph(image).class_logits)


def test_a_checkpoint_keeps_the_names_vectors_and_needs_no_encoder(cache, tmp_path, monkeypatch):
    words = encode(NAMES, "ngram:64", cache)
    stored = stored_words({"vocabulary": words.plain(), "names": ["crack", "oil stain"]}, tmp_path)
    monkeypatch.setattr(open_vocabulary, "find_encoder", None)
    turned = words_for(stored, Vocabulary.from_names(["oil stain", "crack"]), "")
    assert torch.equal(turned.vectors, words.vectors.flip(0)) and turned.encoder == words.encoder


def test_only_new_names_are_encoded(cache, tmp_path):
    words = encode(NAMES, "ngram:64", cache)
    more = words_for(words, Vocabulary.from_names(["dust", "crack"]), "", cache)
    assert torch.equal(more.vectors[1], words.vectors[0])
    assert torch.equal(more.vectors[0], encode(Vocabulary.from_names(["dust"]), "ngram:64", cache).vectors[0])


def test_another_encoder_is_refused(cache, said):
    words = encode(NAMES, "ngram:64", cache)
    assert torch.equal(words_for(words, NAMES, "ngram:64", cache).vectors, words.vectors) and "--text" not in said.text
    assert torch.equal(words_for(words, NAMES, "ngram:32", cache).vectors, words.vectors)
    assert "--text-encoder ngram:32 is not needed: the weights know all names" in said.text
    with pytest.raises(CheckpointError, match="trained with the text encoder .*ngram.*64.*--text-encoder"):
        words_for(words, Vocabulary.from_names(["dust"]), "ngram:32", cache)


def test_what_is_asked_for_is_looked_for_beside_defect(cache):
    """But for names that are kept, and only by a network that knows what a defect is."""
    told = encode(replace(NAMES, further=("defect",)), "ngram:64", cache)
    names = Vocabulary.from_names(["dust", "crack"])
    dust, crack, defect = encode(Vocabulary.from_names(["dust", "crack", "defect"]), "ngram:64", cache).vectors
    asked = asked_words(told, names, "", kept=(" Crack",)).vectors
    assert torch.equal(asked[1], crack)
    torch.testing.assert_close(asked[0], (dust + defect / 2) / (dust + defect / 2).norm())
    assert torch.equal(asked_words(encode(NAMES, "ngram:64", cache), names, "").vectors, torch.stack([dust, crack]))


def test_vectors_of_another_width_are_refused(cache):
    with pytest.raises(ConfigError, match="vectors of 32 numbers, but the network takes 64"):
        set_words(graph_for(encode(NAMES, "ngram:64", cache)), encode(NAMES, "ngram:32", cache))


def test_a_checkpoint_whose_names_and_vectors_disagree(cache, tmp_path):
    plain = encode(NAMES, "ngram:64", cache).plain()
    with pytest.raises(CheckpointError, match="2 text vectors for 3 texts"):
        stored_words({"vocabulary": plain, "names": ["a", "b", "c"]}, tmp_path)


def test_a_checkpoint_keeps_trained_synonyms(cache, tmp_path, monkeypatch):
    """What was trained under another name is no new class, and needs no encoder."""
    vocabulary = Vocabulary.from_lists([["crack", "fissure"], ["oil stain"]])
    words = encode(vocabulary, "ngram:64", cache)
    network = checkpoint_network(graph_for(words), vocabulary.names, words)
    stored = stored_words(network, tmp_path)
    assert stored.vocabulary == vocabulary and torch.equal(stored.vectors, words.vectors)
    evaluated = Vocabulary.from_names(["Fissure", "oil stain", "dust"])
    assert group_names(stored.vocabulary, evaluated) == ["synonym", "identical", "new"]
    monkeypatch.setattr(open_vocabulary, "find_encoder", None)
    assert torch.equal(words_for(stored, Vocabulary.from_names(["fissure"]), "").vectors, words.vectors[2:])


@pytest.mark.parametrize("synonyms", [[["oil stain"], ["crack"]], [["crack"]], [[], ["oil stain"]]])
def test_synonyms_of_other_names_are_refused(cache, tmp_path, synonyms):
    plain = encode(NAMES, "ngram:64", cache).plain()
    with pytest.raises(CheckpointError, match="its synonyms are of other names"):
        stored_words({"vocabulary": plain, "names": list(NAMES.names), "synonyms": synonyms}, tmp_path)


@pytest.mark.parametrize("count", [2, 3, 9, 351])
def test_permuted_vectors_are_those_of_other_names(cache, count):
    words = encode(Vocabulary.from_lists([[f"name {k}", f"other {k}"] for k in range(count)]), "ngram:64", cache)
    own = words.vectors[:count]
    for seed in range(20):
        found = permuted(words, seed)
        assert found.vocabulary.names == words.vocabulary.names
        assert torch.equal(found.vectors.unique(dim=0), own.unique(dim=0))
        assert not (found.vectors == own).all(1).any()
        assert torch.equal(permuted(words, seed).vectors, found.vectors)
    assert count == 2 or not torch.equal(permuted(words, 1).vectors, permuted(words, 2).vectors)


@pytest.fixture
def said(caplog, monkeypatch):
    """What was logged."""
    monkeypatch.setattr(LOG, "propagate", True)
    caplog.set_level("INFO", LOG.name)
    return caplog


@pytest.fixture
def mine(tmp_path):
    """A glossary of the user's, which describes a word that ours lacks and one that it has."""
    path = tmp_path / "mine.yaml"
    path.write_text("glimmer: {foreign: [闪光], looks: [a bright cloud]}\ncrack: {looks: [a bright line]}\n")
    return str(path)


def test_the_stand_in_is_described_when_asked_only(cache):
    plain, described = (encode(NAMES, "ngram:64", cache, glossary) for glossary in ("", "built-in"))
    assert plain.glossary is None and "glossary" not in plain.plain() and described.glossary is built_in()
    assert not (plain.vectors == described.vectors).all(1).any()
    assert torch.equal(encode(NAMES, "ngram:64", cache, "none").vectors, plain.vectors)


def test_a_checkpoint_keeps_its_glossary(cache, tmp_path, mine, monkeypatch):
    words = encode(NAMES, "ngram:64", cache, mine)
    stored = stored_words(checkpoint_network(graph_for(words), NAMES.names, words), tmp_path)
    assert stored.glossary == words.glossary and stored.glossary.origin == "built-in + mine.yaml"
    assert about_words(graph_for(words), stored)["glossary"] == words.glossary.name
    monkeypatch.setattr(open_vocabulary, "find_glossary", None)  # neither our file nor the user's is read again
    more = words_for(stored, Vocabulary.from_names(["闪光", "glimmer", "crack"]), "", cache)
    assert torch.equal(more.vectors[0], more.vectors[1]) and torch.equal(more.vectors[2], words.vectors[0])


def test_another_glossary_describes_anew_what_it_changes(cache, mine):
    words = encode(NAMES, "ngram:64", cache, "built-in")
    for choice in ("none", mine):
        changed = words_for(words, NAMES, "", cache, choice)
        assert torch.equal(changed.vectors, encode(NAMES, "ngram:64", cache, choice).vectors)
        assert not torch.equal(changed.vectors[0], words.vectors[0])
    assert torch.equal(words_for(words, NAMES, "", cache, mine).vectors[1], words.vectors[1])  # of oil it says nothing
    assert torch.equal(words_for(words, NAMES, "", cache).vectors, words.vectors)


def test_a_damaged_glossary_is_refused(cache, tmp_path):
    words = encode(NAMES, "ngram:64", cache, "built-in")
    content = checkpoint_network(graph_for(words), NAMES.names, words)
    content["vocabulary"]["glossary"]["terms"][3] = [["crack"], []]
    with pytest.raises(ConfigError, match="its glossary has a term that is not"):
        stored_words(content, tmp_path)


def test_chinese_is_said_once_where_nothing_explains_it(cache, said):
    chinese = Vocabulary.from_names(["裂纹", "不知道"])
    words = encode(chinese, "ngram:64", cache)
    assert "裂纹, 不知道 mean nothing to it" in said.text
    said.clear()
    encode(chinese, "ngram:64", cache, "built-in")
    assert "knows 1 of 2 names" in said.text and "(--glossary FILE adds yours): 不知道 mean" in said.text
    said.clear()
    words_for(words, chinese, "", cache)  # nothing is encoded
    assert not said.records
