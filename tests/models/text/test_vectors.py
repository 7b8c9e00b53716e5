"""Files of vectors: what is read, and what is refused with which words."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.nn.functional import normalize

import models
from models.text.encoder_finder import find_encoder
from models.text.vectors import read_vectors, write_vectors
from utils.words.errors import CheckpointError, ConfigError

NAMES = ["crack", "oil stain", "裂纹"]
SHARED = Path(models.__file__).resolve().parents[2] / "shared"


def rows(count=3, dim=5):
    return normalize(torch.randn(count, dim, generator=torch.Generator().manual_seed(1)), dim=1)


def write(path, vectors=None, names=NAMES, key="vectors", **metadata):
    save_file({key: rows() if vectors is None else vectors}, path, {"names": json.dumps(names), **metadata})
    return path


def test_a_round_trip(tmp_path):
    path = tmp_path / "v.safetensors"
    write_vectors(path, NAMES, rows(), {"model": "mine"})
    names, vectors, metadata = read_vectors(path)
    assert names == NAMES and torch.equal(vectors, rows()) and metadata["model"] == "mine"


def test_strings_are_looked_up_in_any_order_and_number(tmp_path):
    encoder = find_encoder(f"vectors:{write(tmp_path / 'v.safetensors')}")
    assert encoder.dim == 5
    assert torch.equal(encoder.encode(["裂纹", "crack", "裂纹"]), rows()[[2, 0, 2]])
    assert encoder.encode([]).shape == (0, 5)


def test_the_name_follows_the_content_not_the_place(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    one, two = (find_encoder(f"vectors:{write(tmp_path / at)}").name for at in ("a.safetensors", "elsewhere/b"))
    other = find_encoder(f"vectors:{write(tmp_path / 'c', rows().flip(0))}").name
    assert one == two != other


def test_missing_names_are_listed(tmp_path):
    encoder = find_encoder(f"vectors:{write(tmp_path / 'v')}")
    with pytest.raises(ConfigError, match=r"v: no vector for 1 name: 'Crack'; did you mean 'crack'\?; make the file"):
        encoder.encode(["oil stain", "Crack", "Crack"])
    with pytest.raises(ConfigError) as caught:
        encoder.encode([f"n{k}" for k in range(12)])
    assert "12 names" in str(caught.value) and "'n9', ...;" in str(caught.value) and "n10" not in str(caught.value)


def changed(row, value):
    vectors = rows()
    vectors[row] = value
    return vectors


@pytest.mark.parametrize(
    ("vectors", "names", "words"),
    [
        (rows().double(), NAMES, "dtype float64, not float32"),
        (rows().half(), NAMES, "dtype float16"),
        (rows()[0], NAMES, r"shape \(5,\)"),
        (rows()[:, :0], NAMES, r"shape \(3, 0\)"),
        (rows() * 2, NAMES, r"row 0 has norm 2, not 1 \(3 of 3 rows\)"),
        (changed(1, 0.0), NAMES, "row 1 has norm 0"),
        (changed(2, float("nan")), NAMES, r"row 2 has values that are not finite \(1 of 3 rows\)"),
        (changed(2, float("inf")), NAMES, "row 2 has values that are not finite"),
        (rows(), NAMES[:2], "3 rows for 2 names"),
        (rows(), ["crack", "dent", "crack"], "'crack' has several vectors"),
        (rows(), ["crack", "dent", 3], "list of strings"),
        (rows(), {"crack": 0}, "list of strings"),
    ],
)
def test_refused_content(tmp_path, vectors, names, words):
    with pytest.raises(CheckpointError, match=words) as caught:
        read_vectors(write(tmp_path / "v", vectors.contiguous(), names))
    assert str(tmp_path / "v") in str(caught.value) and "\n" not in str(caught.value)


def test_refused_files(tmp_path):
    path = tmp_path / "v"
    with pytest.raises(CheckpointError, match="no such file"):
        find_encoder(f"vectors:{path}")
    with pytest.raises(ConfigError, match="which file"):
        find_encoder("vectors:")
    path.write_bytes(b"not safetensors at all")
    with pytest.raises(CheckpointError, match="not a readable safetensors"):
        read_vectors(path)
    with pytest.raises(CheckpointError, match="with a tensor 'vectors'"):
        read_vectors(write(path, key="embeddings"))
    save_file({"vectors": rows()}, path)
    with pytest.raises(CheckpointError, match="no JSON list 'names'"):
        read_vectors(path)
    write(path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(CheckpointError, match="not a readable"):
        read_vectors(path)


@pytest.mark.skipif(not (SHARED / "text").is_dir(), reason="no ../shared/text")
def test_real_vectors_know_meaning():
    encoder = find_encoder(f"vectors:{SHARED / 'text' / 'names_minilm_384.safetensors'}")
    assert encoder.dim == 384
    lists = SHARED / "spec" / "mmioc"
    for split in ("train", "val"):
        names = (lists / f"mmioc_zero_shot_{split}_classes.txt").read_text(encoding="utf-8").splitlines()
        assert encoder.encode(names).shape == (len(names), 384)
    scratch, scratches, dog = encoder.encode(["Scratch", "Scratches", "dog"])
    assert scratch @ scratches > 0.8 > 0.4 > scratch @ dog
