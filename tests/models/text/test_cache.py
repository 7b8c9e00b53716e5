"""The cache: nothing is encoded twice, damage is mended and said, processes do not undo each other."""

import multiprocessing
import os

import pytest
import torch

from models.text.cache import VectorCache, average_templates
from models.text.vectors import read_vectors
from tests.models.text.conftest import Counting
from utils.words.errors import ConfigError
from utils.words.vocabulary import Vocabulary

TEXTS = ["crack", "Crack", "oil stain", "裂纹"]


@pytest.fixture
def cache(tmp_path):
    return VectorCache(tmp_path / "cache")


def test_the_second_start_encodes_nothing(cache, counting):
    first = cache.encode(counting, TEXTS)
    again = Counting()
    assert torch.equal(VectorCache(cache.folder).encode(again, TEXTS), first)
    assert counting.asked == TEXTS and again.asked == []
    assert torch.equal(first, Counting().encode(TEXTS))


def test_only_what_is_new_is_encoded_and_all_of_it_is_kept(cache, counting):
    cache.encode(counting, TEXTS[:2])
    cache.encode(counting, [TEXTS[3], TEXTS[0], TEXTS[3]])
    cache.encode(counting, TEXTS[:2])
    assert counting.asked == [TEXTS[0], TEXTS[1], TEXTS[3]]


def test_permuted_and_repeated_texts_permute_rows(cache, counting):
    vectors = cache.encode(counting, TEXTS)
    order = [2, 0, 3, 3, 1]
    assert torch.equal(cache.encode(counting, [TEXTS[k] for k in order]), vectors[order])
    assert cache.encode(counting, []).shape == (0, 8)


def test_another_encoder_or_template_shares_nothing(cache, counting):
    cache.encode(counting, TEXTS)
    other = Counting("counting:2")
    cache.encode(other, TEXTS)
    assert other.asked == TEXTS
    plain = cache.encode(counting, ["dent"])
    photo = cache.encode(counting, ["dent"], "a photo of {}")
    assert counting.asked[-2:] == ["dent", "a photo of dent"] and not torch.equal(plain, photo)


def test_the_users_cache_folder(counting, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    VectorCache().encode(counting, ["a"])
    assert [p.suffix for p in (tmp_path / "x" / "defects" / "text").iterdir() if p.suffix != ".lock"] == [
        ".safetensors"
    ]
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setattr("sys.platform", "linux")
    assert VectorCache().folder == tmp_path.home() / ".cache" / "defects" / "text"


def flip_a_sign(path):
    """A change that keeps every norm."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 0x80
    path.write_bytes(content)


def other_names(path):
    path.write_bytes(path.read_bytes().replace(b"crack", b"trick"))


DAMAGE = {
    "sign": flip_a_sign,
    "names": other_names,
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "empty": lambda path: path.write_bytes(b""),
    "noise": lambda path: path.write_bytes(os.urandom(500)),
    "zeros": lambda path: path.write_bytes(path.read_bytes()[:-64] + bytes(64)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_said_and_built_anew(cache, counting, said, damage):
    before = cache.encode(counting, TEXTS)
    path = cache.path(counting.name, "{}")
    DAMAGE[damage](path)
    again = Counting()
    assert torch.equal(cache.encode(again, TEXTS), before) and again.asked == TEXTS
    assert "damaged" in said.text and str(path) in said.text
    last = Counting()
    cache.encode(last, TEXTS)
    assert last.asked == []


def test_the_file_of_another_encoder_in_its_place_is_not_believed(cache, counting, said):
    cache.encode(counting, TEXTS)
    other = Counting("counting:2")
    os.replace(cache.path(counting.name, "{}"), cache.path(other.name, "{}"))
    cache.encode(other, TEXTS)
    assert other.asked == TEXTS and "damaged" in said.text


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path, counting, said):
    (tmp_path / "file").write_text("in the way")
    vectors = VectorCache(tmp_path / "file" / "cache").encode(counting, TEXTS)
    assert torch.equal(vectors, Counting().encode(TEXTS)) and "not kept" in said.text


def test_a_crash_while_writing_leaves_the_old_file(cache, counting, monkeypatch, said):
    cache.encode(counting, TEXTS[:1])
    monkeypatch.setattr("models.text.cache.os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    cache.encode(counting, TEXTS)
    assert "disk full" in said.text
    assert read_vectors(cache.path(counting.name, "{}"))[0] == TEXTS[:1]


def _work(folder, number):
    torch.set_num_threads(1)
    for k in range(5):
        VectorCache(folder).encode(Counting(), [f"text {number} {k}", "shared"])


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork to be quick")
def test_processes_keep_each_others_vectors(tmp_path):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_work, args=(tmp_path, number)) for number in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 4
    last = Counting()
    texts = [f"text {number} {k}" for number in range(4) for k in range(5)] + ["shared"]
    assert torch.equal(VectorCache(tmp_path).encode(last, texts), Counting().encode(texts)) and last.asked == []


def test_templates_are_averaged(cache, counting):
    templates = ("{}", "a photo of {}", "{} on an industrial surface")
    average = average_templates(counting, cache, TEXTS, templates)
    vectors = [Counting().encode([t.replace("{}", text) for text in TEXTS]) for t in templates]
    mean = sum(v.double() for v in vectors) / 3
    assert torch.allclose(average.double(), mean / mean.norm(dim=1, keepdim=True), atol=1e-6)
    assert torch.equal(average_templates(counting, cache, TEXTS, ("{}",)), vectors[0])


def test_templates_that_cancel_out(cache):
    class Opposite(Counting):
        def encode(self, texts):
            return torch.stack([torch.eye(8)[0] * (-1 if text.startswith("no ") else 1) for text in texts])

    with pytest.raises(ConfigError, match="cancel out"):
        average_templates(Opposite(), cache, ["crack"], ("{}", "no {}"))


def test_two_thousand_prompts(cache, counting):
    texts = Vocabulary.from_prompts(", ".join(f"defect {k}" for k in range(2000))).strings
    assert average_templates(counting, cache, texts, ["{}"]).shape == (2000, 8)
    again = Counting()
    average_templates(again, cache, texts, ["{}"])
    assert again.asked == []
