"""The stand-in: the same everywhere, similar for similar spelling, and loud about being a stand-in."""

import hashlib
import math
from statistics import NormalDist

import pytest
import torch

from models.text.encoder import flaw
from models.text.encoder_finder import find_encoder
from models.text.ngram import NgramEncoder
from utils.words.errors import ConfigError

TEXTS = ["crack", "cracks", "oil stain", "裂纹", "", "Pitted Surface", "a" * 1000]


def test_bytes_are_the_golden_ones():
    vectors = NgramEncoder().encode(TEXTS)
    assert vectors.shape == (7, 512) and not flaw(vectors)
    digest = hashlib.sha256(vectors.numpy().astype("<f4").tobytes()).hexdigest()
    assert digest == "71ab919da650728d9eff1e704310d778102c3d23e949e6841fc4ded9c77d9fff"


def test_a_small_vector_by_hand():
    """`Ab` is the word ab (weight 3) and the grams <ab, ab> and <ab> (weight 1)."""
    total = [0] * 8
    for feature, weight in (("word ab", 3), ("gram <ab", 1), ("gram ab>", 1), ("gram <ab>", 1)):
        for k, byte in enumerate(hashlib.shake_256(b"defects ngram 1" + feature.encode()).digest(8)):
            total[k] += weight * round(1024 * NormalDist().inv_cdf((byte + 0.5) / 256))
    length = math.sqrt(sum(value * value for value in total))
    assert NgramEncoder(8).encode(["Ab"])[0].tolist() == pytest.approx([value / length for value in total], abs=1e-7)


def test_similar_spelling_is_similar():
    crack, cracks, oil, *_ = NgramEncoder().encode(TEXTS)
    assert crack @ cracks > 0.3 > 0.15 > abs(crack @ oil)


def test_a_shared_word_is_similar_in_any_order():
    vectors = NgramEncoder().encode(["wood crack", "crack wood", "wood resin"])
    assert vectors[0] @ vectors[1] > 0.999 and 0.2 < vectors[0] @ vectors[2] < 0.8


@pytest.mark.parametrize("other", ["live knot", "Live_Knot", " live-knot "])
def test_wording_that_normalises_alike_is_the_same(other):
    assert torch.equal(NgramEncoder().encode(["LiveKnot"]), NgramEncoder().encode([other]))


def test_order_and_company_change_nothing():
    encoder = NgramEncoder(64)
    order = [3, 0, 5, 6, 2, 4, 1]
    assert torch.equal(encoder.encode([TEXTS[k] for k in order]), encoder.encode(TEXTS)[order])
    assert torch.equal(encoder.encode(["crack"])[0], encoder.encode(TEXTS)[0])
    assert encoder.encode([]).shape == (0, 64)


def test_unrelated_texts_are_nearly_orthogonal():
    vectors = NgramEncoder().encode([hashlib.sha256(bytes([k])).hexdigest() for k in range(50)])
    products = (vectors @ vectors.T).fill_diagonal_(0)
    assert products.abs().max() < 0.25 and abs(products.mean()) < 0.02


def test_it_says_that_it_is_a_stand_in(said):
    encoder = find_encoder("ngram:64")
    assert encoder.name == "STAND-IN:ngram:1:64" and encoder.dim == 64
    assert "STAND-IN" in said.text and said.records[0].levelname == "WARNING"
    assert find_encoder("ngram").dim == 512


@pytest.mark.parametrize("spec", ["ngram:7", "ngram:4097", "ngram:-8", "ngram:1e3", "ngram:9999999999", "ngram:٦٤x"])
def test_wrong_dimensions(spec):
    with pytest.raises(ConfigError, match="8 to 4096"):
        find_encoder(spec)


@pytest.mark.parametrize(
    ("spec", "words"), [("vector:x", "did you mean 'vectors'"), ("", "known:"), ("clip", "known:")]
)
def test_unknown_encoders(spec, words):
    with pytest.raises(ConfigError, match=words):
        find_encoder(spec)
